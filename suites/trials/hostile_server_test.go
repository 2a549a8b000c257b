package trials_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// hostile is a small FTP server that works, apart from what a test makes of
// it. It keeps files in memory and offers PASV and PORT.
type hostile struct {
	// greet replaces the greeting; false ends the session.
	greet func(*hostileSession) bool
	// on replaces commands; false ends the session.
	on map[string]func(s *hostileSession, arg string) bool
	// say replaces the way in which replies are sent.
	say func(s *hostileSession, reply string)

	ctx   context.Context // ends with the test
	wg    sync.WaitGroup
	mu    sync.Mutex
	files map[string][]byte
	open  map[io.Closer]bool
}

// hostileSession is one control connection of a hostile server.
type hostileSession struct {
	*hostile
	net.Conn
	r       *bufio.Reader
	passive net.Listener
	active  string
}

// start serves on a free port of 127.0.0.1 until the test ends, and returns
// the target.
func (h *hostile) start(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	h.ctx, h.files, h.open = ctx, map[string][]byte{}, map[io.Closer]bool{}
	h.keep(l)
	t.Cleanup(func() {
		cancel()
		h.mu.Lock()
		for c := range h.open {
			c.Close()
		}
		h.open = nil
		h.mu.Unlock()
		h.wg.Wait()
	})
	h.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			h.keep(conn)
			h.wg.Go(func() {
				s := &hostileSession{hostile: h, Conn: conn, r: bufio.NewReader(conn)}
				s.serve()
				h.drop(conn)
				if s.passive != nil {
					h.drop(s.passive)
				}
			})
		}
	})
	return "ftp://user:correct-horse@" + l.Addr().String() + "/"
}

func (h *hostile) keep(c io.Closer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open == nil {
		c.Close()
		return
	}
	h.open[c] = true
}

func (h *hostile) drop(c io.Closer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.open, c)
	c.Close()
}

func (s *hostileSession) serve() {
	if s.greet != nil {
		if !s.greet(s) {
			return
		}
	} else {
		s.reply("220 mini server")
	}
	for {
		line, err := s.r.ReadString('\n')
		if err != nil {
			return
		}
		verb, arg, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		verb = strings.ToUpper(verb)
		do := s.on[verb]
		if do == nil {
			do = s.on["*"]
		}
		if do == nil {
			do = func(s *hostileSession, arg string) bool { return s.command(verb, arg) }
		}
		if !do(s, arg) {
			return
		}
	}
}

func (s *hostileSession) reply(format string, args ...any) {
	text := fmt.Sprintf(format, args...) + "\r\n"
	if s.say != nil {
		s.say(s, text)
		return
	}
	io.WriteString(s, text)
}

// command is what a server without malice does.
func (s *hostileSession) command(verb, arg string) bool {
	simple := map[string]string{"USER": "331 password", "PASS": "230 in", "SYST": "215 UNIX Type: L8", "TYPE": "200 ok", "CWD": "250 ok", "MKD": "257 \"/\" made",
		"NOOP": "200 ok", "DELE": "250 gone", "CDUP": "250 up", "RMD": "250 gone", "ABOR": "226 nothing to abort", "SIZE": "550 unknown", "PWD": "257 \"/\""}
	switch verb {
	case "QUIT":
		s.reply("221 bye")
		return false
	case "PASV":
		if s.passive != nil {
			s.drop(s.passive)
		}
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			s.reply("425 no port")
			return true
		}
		s.keep(l)
		s.passive, s.active = l, ""
		port := l.Addr().(*net.TCPAddr).Port
		s.reply("227 Entering Passive Mode (127,0,0,1,%d,%d)", port>>8, port&0xff)
	case "PORT":
		var h [4]int
		var p1, p2 int
		if _, err := fmt.Sscanf(arg, "%d,%d,%d,%d,%d,%d", &h[0], &h[1], &h[2], &h[3], &p1, &p2); err != nil || h[0] != 127 {
			s.reply("501 no")
			return true
		}
		s.active = fmt.Sprintf("%d.%d.%d.%d:%d", h[0], h[1], h[2], h[3], p1<<8|p2)
		s.reply("200 ok")
	case "LIST", "RETR", "STOR":
		s.transfer(verb, arg)
	default:
		text, known := simple[verb]
		if !known {
			text = "502 no"
		}
		s.reply("%s", text)
	}
	return true
}

func (s *hostileSession) transfer(verb, arg string) {
	s.mu.Lock()
	content, found := s.files[arg]
	s.mu.Unlock()
	if verb == "RETR" && !found {
		s.reply("550 no such file")
		return
	}
	s.reply("150 here it comes")
	conn := s.data()
	if conn == nil {
		s.reply("425 no connection")
		return
	}
	if verb == "STOR" {
		content, _ = io.ReadAll(conn)
		s.mu.Lock()
		s.files[arg] = content
		s.mu.Unlock()
	} else {
		conn.Write(content)
	}
	s.drop(conn)
	s.reply("226 done")
}

// data makes the data connection; nil without one.
func (s *hostileSession) data() net.Conn {
	var conn net.Conn
	var err error
	switch {
	case s.passive != nil && s.active == "":
		s.passive.(*net.TCPListener).SetDeadline(time.Now().Add(2 * time.Second))
		conn, err = s.passive.Accept()
		s.drop(s.passive)
		s.passive = nil
	case s.active != "":
		conn, err = net.DialTimeout("tcp4", s.active, 2*time.Second)
	default:
		return nil
	}
	if err != nil {
		return nil
	}
	s.keep(conn)
	return conn
}

// forever writes text again and again until the client or the test ends it.
func (s *hostileSession) forever(w io.Writer, text string) bool {
	chunk := []byte(strings.Repeat(text, 1+4096/len(text)))
	for s.ctx.Err() == nil {
		if _, err := w.Write(chunk); err != nil {
			return false
		}
	}
	return false
}

// drip writes text in pieces, one at a time, with pauses.
func (s *hostileSession) drip(text string, size int, pause time.Duration) bool {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for len(text) > 0 {
		n := min(size, len(text))
		if _, err := io.WriteString(s, text[:n]); err != nil {
			return false
		}
		text = text[n:]
		select {
		case <-tick.C:
		case <-s.ctx.Done():
			return false
		}
	}
	return true
}

// hang says nothing until the client or the test ends the session.
func (s *hostileSession) hang() bool {
	io.Copy(io.Discard, s)
	return false
}
