package reference_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
	"github.com/ftpconform/ftpconform/reference"
)

func TestABOR(t *testing.T) {
	t.Parallel()
	at := serve(t, reference.Options{Files: enlarge(t, seeded(t))}, "127.0.0.1")
	// Each start leaves a transfer running that does not end by itself.
	starts := map[string]func(c *control) net.Conn{
		"RETR": func(c *control) net.Conn { d := c.data(); c.cmd(150, "RETR big"); return d },
		"STOR": func(c *control) net.Conn { d := c.data(); c.cmd(150, "STOR up"); return d },
		"active": func(c *control) net.Conn {
			l, ep := listener(c.t, "127.0.0.1")
			c.cmd(200, port(ep))
			c.cmd(150, "RETR big")
			return accepted(c.t, l)
		},
		"block mode": func(c *control) net.Conn {
			c.cmd(200, "MODE B")
			d := c.data()
			c.cmd(150, "RETR big")
			return d
		},
		"nobody connects": func(c *control) net.Conn { c.epsv(); c.cmd(150, "RETR big"); return nil },
	}
	aborts := map[string]func(c *control){
		"plain":         func(c *control) { c.raw("ABOR\r\n") },
		"Telnet prefix": func(c *control) { c.raw("\xff\xf4\xff\xf2ABOR\r\n") },
		"urgent": func(c *control) {
			c.raw("\xff\xf4\xff")
			if err := host.SendUrgent(c.conn, []byte{242}); err != nil {
				c.t.Skip(err)
			}
			c.raw("ABOR\r\n")
		},
		"all urgent": func(c *control) {
			if err := host.SendUrgent(c.conn, []byte("\xff\xf4\xff\xf2")); err != nil {
				c.t.Skip(err)
			}
			c.raw("ABOR\r\n")
		},
	}
	for start, begin := range starts {
		for kind, abort := range aborts {
			t.Run(start+", "+kind, func(t *testing.T) {
				t.Parallel()
				c := login(t, at)
				c.cmd(200, "TYPE I")
				d := begin(c)
				abort(c)
				c.want(426, 226)
				if d != nil {
					if n, _ := io.Copy(io.Discard, d); n >= int64(len(big)) {
						t.Error("the whole file came")
					}
				}
				c.cmd(200, "MODE S")
				if got := c.get("RETR text"); got != "one\ntwo\nthree\n" {
					t.Errorf("afterwards: %q", got)
				}
				c.inStep()
			})
		}
	}
}

// TestABOROrder has replies come in the order of the commands although ABOR
// acts at once.
func TestABOROrder(t *testing.T) {
	t.Parallel()
	c := started(t, reference.Options{Files: enlarge(t, seeded(t))})
	c.data()
	c.cmd(150, "RETR big")
	c.raw("NOOP\r\nSYST\r\nABOR\r\nSTAT\r\n")
	c.want(426, 200, 215, 226, 211)
	c.raw("EPSV\r\nRETR big\r\nABOR\r\nNOOP\r\n")
	c.want(229, 150, 426, 226, 200)
	l, ep := listener(t, "127.0.0.1") // PORT stays for the second transfer
	c.cmd(200, port(ep))
	c.cmd(150, "RETR big")
	accepted(t, l)
	c.raw("RETR big\r\nABOR\r\n")
	c.want(426, 150, 426, 226)
	c.inStep()
	c.data()
	c.cmd(150, "RETR big")
	c.raw("ABOR x\r\n")
	if quiet(c.conn, c.r) != nil {
		t.Error("a malformed ABOR was acted upon")
	}
	c.raw("ABOR\r\n")
	c.want(426, 501, 226)
	c.inStep()
}

// TestABORRace counts final replies where the transfer may or may not have
// ended when the ABOR arrives: there are always two.
func TestABORRace(t *testing.T) {
	t.Parallel()
	c := started(t, reference.Options{})
	for i := range 100 {
		d := c.data()
		c.raw("RETR text\r\n")
		if i%2 == 0 {
			pause(t, time.Duration(rand.IntN(2000))*time.Microsecond)
		}
		c.raw("ABOR\r\nNOOP\r\n")
		c.want(150)
		first, err := c.read()
		if err != nil || !first.In(226, 426) {
			t.Fatalf("round %d: %v, %v", i, first, err)
		}
		c.want(226, 200)
		d.Close()
	}
	c.inStep()
}

func TestABORIdle(t *testing.T) {
	t.Parallel()
	c := login(t, serve(t, reference.Options{}, ownAddress(t)))
	l, ep := listener(t, "127.0.0.1")
	c.cmd(200, port(ep))
	c.cmd(226, "ABOR")
	c.cmd(150, "RETR text") // PORT stays
	slurp(t, accepted(t, l))
	c.want(226)
	at := c.epsv()
	d := dial(t, at)
	c.cmd(226, "ABOR")
	// One that the server has not looked at yet is reset with its listener.
	if got, err := io.ReadAll(d); len(got) > 0 || err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %q, %v", got, err)
	}
	if !refused(t, at) {
		t.Error("the listener is open")
	}
	c.inStep()
}

// TestHostile has clients that do what no client should; the next one must be
// served as ever.
func TestHostile(t *testing.T) {
	t.Parallel()
	at := serve(t, reference.Options{Files: enlarge(t, seeded(t))}, "127.0.0.1")
	noise := make([]byte, 64<<10)
	for i := range noise {
		noise[i] = byte(240 + rand.IntN(16))
	}
	clients := map[string]func(c *control){
		"no line end":  func(c *control) { c.raw("NOOP"); c.conn.CloseWrite(); c.closed() },
		"endless line": func(c *control) { c.raw(strings.Repeat("x", 1<<20)) },
		"long line": func(c *control) {
			c.raw("NOOP " + strings.Repeat("x", 1<<20) + "\r\n")
			c.want(500)
			c.cmd(200, "NOOP")
		},
		"long LF lines": func(c *control) { c.raw(strings.Repeat("NOOP\n", 10) + "\r\n"); c.want(500); c.cmd(200, "NOOP") },
		"NUL": func(c *control) {
			c.raw("NO\x00OP\r\n\x00\r\nRETR a\x00b\r\n")
			c.want(500, 500, 500)
			c.cmd(200, "NOOP")
		},
		"IAC noise": func(c *control) { _, _ = c.conn.Write(noise) },
		"IAC only":  func(c *control) { c.raw(strings.Repeat("\xff", 1001) + "\r\n") },
		"every octet": func(c *control) {
			for b := range 256 {
				c.raw(fmt.Sprintf("%c%s\r\n", b, string([]byte{byte(b)})))
			}
		},
		"flood": func(c *control) { _, _ = c.conn.Write([]byte(strings.Repeat("NOOP\r\n", 5000))) },
		"flood in transfer": func(c *control) {
			c.data()
			c.raw("RETR big\r\n")
			_ = c.conn.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
			_, _ = c.conn.Write([]byte(strings.Repeat("NOOP\r\n", 5000)))
		},
		"many set-ups": func(c *control) { c.raw(strings.Repeat("PASV\r\nEPSV\r\n", 100)) },
	}
	for _, verb := range []string{"RETR big", "STOR up", "LIST", "PASV", "ABOR", "QUIT", "PASS x"} {
		clients["RST after "+verb] = func(c *control) { c.data(); c.raw(verb + "\r\n") }
		clients["RST within "+verb] = func(c *control) { c.data(); c.raw(verb) }
	}
	for name, attack := range clients {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := login(t, at)
			attack(c)
			_ = c.conn.SetLinger(0)
			c.conn.Close()
			login(t, at).inStep()
		})
	}
}

// broken is a file system with a fault of its own.
type broken struct{ *reference.Memory }

func (broken) Mkdir(string) error { panic("on purpose") }

func (b broken) OpenFile(name string, flag int) (reference.File, error) {
	f, err := b.Memory.OpenFile(name, flag)
	return brokenFile{f}, err
}

type brokenFile struct{ reference.File }

func (brokenFile) Read([]byte) (int, error) { panic("on purpose") }

func TestPanics(t *testing.T) {
	t.Parallel()
	at := serve(t, reference.Options{Files: broken{seeded(t)}}, "127.0.0.1")
	c := login(t, at)
	c.cmd(421, "MKD x")
	c.closed()
	c = login(t, at)
	c.data()
	c.raw("RETR text\r\n")
	c.want(150, 421)
	c.closed()
	login(t, at).inStep()
}

// TestSessions runs many sessions at once, each with its own file.
func TestSessions(t *testing.T) {
	t.Parallel()
	m := seeded(t)
	at := serve(t, reference.Options{Files: m}, "127.0.0.1")
	const n = 100
	errs := make(chan error, n)
	for i := range n {
		go func() {
			errs <- func() error {
				c, err := reference.Dial(t.Context(), at, reference.ClientOptions{Mode: reference.Mode(i % 4)})
				if err != nil {
					return err
				}
				defer c.Close()
				if err := c.Login(t.Context(), "user", "pass"); err != nil {
					return err
				}
				name, data := fmt.Sprintf("file%d", i), strings.Repeat(fmt.Sprintf("%d,", i), 20_000)
				if _, err := c.Store(t.Context(), name, strings.NewReader(data)); err != nil {
					return err
				}
				var got strings.Builder
				if _, err := c.Retrieve(t.Context(), name, &got); err != nil {
					return err
				}
				if got.String() != data {
					return fmt.Errorf("session %d: got another file: %.20q", i, got.String())
				}
				return c.Quit(t.Context())
			}()
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
