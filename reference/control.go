package reference

import (
	"bytes"
	"strings"
	"time"

	"github.com/ftpconform/ftpconform/ftp"
)

// line is one command line as it came in, without its line end.
type line struct {
	text    []byte
	tooLong bool
	synch   bool // the Telnet sequence IAC IP came before it
	acted   bool // an ABOR that has been acted upon; only its reply is owed
}

// verb returns the verb in upper case, for looking ahead.
func (l line) verb() string {
	verb, _, _ := bytes.Cut(l.text, []byte{' '})
	return canonical(strings.ToUpper(string(verb)))
}

// is reports whether the line is this verb without an argument.
func (l line) is(verb string) bool {
	return l.verb() == verb && len(bytes.TrimRight(l.text, " ")) == len(verb)
}

// lineReader cuts a stream into lines. Only CR LF ends one (RFC 959 section
// 5.3.1); of a line that is too long nothing is kept, so that no client can
// make the server hold more than one line of permitted length.
type lineReader struct {
	buf     []byte
	cr      bool
	tooLong bool
}

// add takes text from the stream and returns the lines it completes.
func (r *lineReader) add(text []byte) []line {
	var out []line
	for _, b := range text {
		if b == '\n' && r.cr {
			out = append(out, line{text: bytes.Clone(bytes.TrimSuffix(r.buf, []byte{'\r'})), tooLong: r.tooLong})
			*r = lineReader{buf: r.buf[:0]}
			continue
		}
		r.cr = b == '\r'
		if len(r.buf) > ftp.MaxCommandLine {
			r.tooLong, r.buf = true, r.buf[:0]
		}
		if !r.tooLong {
			r.buf = append(r.buf, b)
		}
	}
	return out
}

// read is the goroutine that turns the control connection into lines. It ends
// with the connection, and closes s.lines then.
func (s *session) read() {
	defer close(s.lines)
	defer s.lose(errControlLost)
	defer s.srv.recovered("control reader")
	var (
		telnet ftp.Telnet
		lines  lineReader
		synch  bool
		buf    = make([]byte, 4<<10)
	)
	for {
		n, err := s.conn.Read(buf)
		text, answer := buf[:n], []byte(nil)
		if !s.o.Faults.TelnetBlind {
			text, answer = telnet.Decode(buf[:n])
		}
		if len(answer) > 0 {
			s.send(answer)
		}
		synch = synch || bytes.Contains(buf[:n], []byte{ftp.IAC, ftp.IP})
		for _, l := range lines.add(text) {
			l.synch = synch
			synch = false
			select {
			case s.lines <- l:
			case <-s.ended: // nobody listens any more; wait for the FIN
			}
		}
		if err != nil {
			return
		}
	}
}

// reply sends one reply. Several lines make a multi-line reply. It may be
// called from any goroutine of the session.
func (s *session) reply(code int, lines ...string) {
	s.sendReply(ftp.Reply{Code: code, Lines: lines})
}

// sendReply puts a reply on the wire, where octet 255 is doubled and a CR
// inside a name is followed by NUL (RFC 2640 section 3.1).
func (s *session) sendReply(r ftp.Reply) {
	wire := make([]string, len(r.Lines))
	for i, text := range r.Lines {
		text = strings.ReplaceAll(text, "\xff", "\xff\xff")
		text = strings.ReplaceAll(text, "\n", "?") // a host's file name may hold one
		wire[i] = strings.ReplaceAll(text, "\r", "\r\x00")
	}
	s.send(ftp.Reply{Code: r.Code, Lines: wire}.Bytes())
}

// courteous sends a reply that Tolerances.Multiline makes multi-line.
func (s *session) courteous(code int, text string) {
	s.sendReply(s.stretch(ftp.Reply{Code: code, Lines: []string{text}}))
}

// stretch makes a reply multi-line if Tolerances.Multiline says so.
func (s *session) stretch(r ftp.Reply) ftp.Reply {
	if s.o.Tolerances.Multiline {
		r.Lines = []string{r.Text(), "This server likes to talk.", "That is all."}
	}
	return r
}

// send writes to the control connection. A client that does not read is given
// StallTimeout; after an error the session is over.
func (s *session) send(p []byte) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.o.Faults.BareLF {
		p = bytes.ReplaceAll(p, []byte("\r\n"), []byte("\n"))
	}
	_ = s.conn.SetWriteDeadline(s.now().Add(s.o.StallTimeout))
	if s.ctx.Err() != nil { // the server closes: see hurry
		s.hurry()
	}
	if _, err := s.conn.Write(p); err != nil {
		s.conn.Close()
	}
}

// hurry bounds a write that is under way when the server closes.
func (s *session) hurry() { _ = s.conn.SetWriteDeadline(s.now().Add(time.Second)) }
