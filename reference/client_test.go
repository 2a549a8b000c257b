package reference_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/ftp"
	"github.com/ftpconform/ftpconform/reference"
)

// client opens a client that is logged in.
func client(t *testing.T, at netip.AddrPort, o reference.ClientOptions) *reference.Client {
	t.Helper()
	if o.Timeout == 0 {
		o.Timeout = patience
	}
	c, err := reference.Dial(t.Context(), at, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Login(t.Context(), "user", "pass"); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClient(t *testing.T) {
	t.Parallel()
	for _, on := range []string{"127.0.0.1", "::1"} {
		for _, mode := range []reference.Mode{reference.PASV, reference.EPSV, reference.PORT, reference.EPRT} {
			if on == "::1" && (mode == reference.PASV || mode == reference.PORT) {
				continue
			}
			t.Run(mode.String()+" on "+on, func(t *testing.T) {
				t.Parallel()
				m := enlarge(t, seeded(t))
				c := client(t, serve(t, reference.Options{Files: m}, on), reference.ClientOptions{Mode: mode})
				var got strings.Builder
				if n, err := c.Retrieve(t.Context(), "big", &got); err != nil || n != int64(len(big)) || got.String() != big {
					t.Errorf("Retrieve: %d octets, %v", n, err)
				}
				for _, data := range []string{"", "\xff\x00\r\n\n"} {
					if _, err := c.Store(t.Context(), "up", strings.NewReader(data)); err != nil {
						t.Errorf("Store: %v", err)
					}
					if b, _ := m.ReadFile("/up"); string(b) != data {
						t.Errorf("stored %q", b)
					}
				}
				if lines, err := c.List(t.Context(), "dir"); err != nil || len(lines) != 4 {
					t.Errorf("List: %q, %v", lines, err)
				}
				if lines, err := c.List(t.Context(), "void"); err != nil || lines != nil {
					t.Errorf("List of nothing: %q, %v", lines, err)
				}
				var refusal *ftp.ReplyError
				if _, err := c.Retrieve(t.Context(), "missing", &got); !errors.As(err, &refusal) || refusal.Reply.Code != 550 {
					t.Errorf("Retrieve of nothing: %v", err)
				}
				if _, err := c.Store(t.Context(), "/full/x", strings.NewReader("x")); !errors.As(err, &refusal) || refusal.Reply.Code != 452 {
					t.Errorf("Store on a full disk: %v", err)
				}
				if r, err := c.Command(t.Context(), "NOOP", ""); err != nil || r.Code != 200 {
					t.Errorf("out of step: %v, %v", r, err)
				}
				if err := c.Quit(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestClientOrders has servers that announce early, late and not at all.
func TestClientOrders(t *testing.T) {
	t.Parallel()
	servers := map[string]reference.Options{
		"dial first":     {Tolerances: reference.Tolerances{PassiveDialFirst: true, ActiveDialFirst: true}},
		"listens late":   {Faults: reference.Faults{NoPreliminary: true}},
		"multi-line":     {Tolerances: reference.Tolerances{Multiline: true, LongGreeting: true, Completes250: true}},
		"odd 227, 229":   {Tolerances: reference.Tolerances{PASVNoParentheses: true, EPSVTrailingDot: true, EPSVOtherDelimiter: true}},
		"text around":    {Tolerances: reference.Tolerances{PASVTextAround: true, Answers125: true}},
		"wrong address":  {Faults: reference.Faults{PASVWrongAddress: true}},
		"two first ones": {Faults: reference.Faults{TwoPreliminaries: true}},
	}
	for name, o := range servers {
		for _, mode := range []reference.Mode{reference.PASV, reference.EPSV, reference.PORT} {
			t.Run(name+", "+mode.String(), func(t *testing.T) {
				t.Parallel()
				c := client(t, serve(t, o, "127.0.0.1"), reference.ClientOptions{Mode: mode})
				var got strings.Builder
				if _, err := c.Retrieve(t.Context(), "text", &got); err != nil || got.Len() != 14 {
					t.Errorf("%q, %v", got.String(), err)
				}
				if _, err := c.Store(t.Context(), "up", strings.NewReader("data")); err != nil {
					t.Error(err)
				}
				if err := c.Quit(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestClientGivesUp(t *testing.T) {
	t.Parallel()
	l, at := listener(t, "127.0.0.1")
	done := make(chan net.Conn, 1)
	go func() { conn, _ := l.Accept(); done <- conn }()
	_, err := reference.Dial(t.Context(), at, reference.ClientOptions{Timeout: 50 * time.Millisecond})
	if !errors.Is(err, reference.ErrTimeout) {
		t.Errorf("no greeting: %v", err)
	}
	(<-done).Close()

	srv := serve(t, reference.Options{Faults: reference.Faults{RefusedDataSilent: true, EPSVClosedPort: true}, DataTimeout: 50 * time.Millisecond}, "127.0.0.1")
	c := client(t, srv, reference.ClientOptions{Timeout: 2 * time.Second})
	if _, err := c.Retrieve(t.Context(), "text", &strings.Builder{}); !errors.Is(err, reference.ErrTimeout) {
		t.Errorf("no final reply: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c = client(t, serve(t, reference.Options{Rate: 1}, "127.0.0.1"), reference.ClientOptions{})
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := c.Retrieve(ctx, "text", &strings.Builder{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := c.Login(t.Context(), "a\nb", "x"); !errors.Is(err, ftp.ErrSyntax) {
		t.Errorf("LF in a name: %v", err)
	}
}

// TestClientTurnsStrangersAway has somebody else dial the announced endpoint.
func TestClientTurnsStrangersAway(t *testing.T) {
	t.Parallel()
	l, at := listener(t, "127.0.0.1")
	served := make(chan error, 1)
	go func() {
		served <- func() error {
			conn, err := l.Accept()
			if err != nil {
				return err
			}
			defer conn.Close()
			c := &control{t: t, conn: conn.(*net.TCPConn)}
			answer := func(text string) string { // after the next command
				buf := make([]byte, 200)
				n, _ := conn.Read(buf)
				c.raw(text)
				return strings.TrimSpace(string(buf[:n]))
			}
			c.raw("220 hello\r\n")
			answer("331 who\r\n")
			answer("230 in\r\n")
			answer("200 type\r\n")
			ep, err := ftp.ParseHostPort(strings.TrimPrefix(answer("200 port\r\n"), "PORT "))
			if err != nil {
				return err
			}
			stranger, err := net.DialTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}, net.TCPAddrFromAddrPort(ep))
			if err != nil {
				return err
			}
			defer stranger.Close()
			_, _ = stranger.Write([]byte("stranger"))
			d, err := net.DialTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, net.TCPAddrFromAddrPort(ep))
			if err != nil {
				return err
			}
			_, _ = d.Write([]byte("server"))
			d.Close()
			answer("150 now\r\n226 done\r\n")
			return nil
		}()
	}()
	c := client(t, at, reference.ClientOptions{Mode: reference.PORT})
	var got strings.Builder
	if _, err := c.Retrieve(t.Context(), "text", &got); err != nil || got.String() != "server" {
		t.Errorf("%q, %v", got.String(), err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}
