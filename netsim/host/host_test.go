package host_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/clock"
	"github.com/ftpconform/ftpconform/netsim/host"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

func TestEcho(t *testing.T) {
	for _, to := range []string{"192.168.1.100", "2001:db8::100"} {
		t.Run(to, func(t *testing.T) {
			p := newPair(t)
			remote := at(netip.MustParseAddr(to), 21)
			p.run(func() {
				l, err := p.server.Listen(t.Context(), remote)
				if err != nil {
					t.Error(err)
					return
				}
				p.server.Go("server", func() {
					c, err := l.Accept()
					if err != nil {
						t.Error(err)
						return
					}
					_, _ = io.Copy(c, c)
					_ = c.Close()
				})
				c, err := p.client.Dial(t.Context(), anywhere, remote)
				if err != nil {
					t.Error(err)
					return
				}
				sent := strings.Repeat("0123456789", 50_000)
				p.client.Go("writer", func() {
					if _, err := io.WriteString(c, sent); err != nil {
						t.Error(err)
					}
					_ = c.(*host.Conn).CloseWrite()
				})
				got, err := io.ReadAll(c)
				if err != nil || string(got) != sent {
					t.Errorf("got %d octets of %d, %v", len(got), len(sent), err)
				}
			})
		})
	}
}

func TestErrors(t *testing.T) {
	tests := map[string]struct {
		prepare func(p *pair)
		remote  netip.AddrPort
		want    error
		within  time.Duration
	}{
		"closed port":  {nil, at(serverAddr, 1), syscall.ECONNREFUSED, 10 * time.Millisecond},
		"nobody there": {func(p *pair) { p.wire.SetCut(true) }, at(serverAddr, 1), syscall.ETIMEDOUT, 127 * time.Second},
		"host unreachable": {func(p *pair) { p.answer(packet.HostUnreachable) }, at(serverAddr, 1),
			syscall.EHOSTUNREACH, 10 * time.Millisecond},
		"net unreachable": {func(p *pair) { p.answer(packet.NetUnreachable) }, at(serverAddr, 1),
			syscall.ENETUNREACH, 10 * time.Millisecond},
		"forbidden": {func(p *pair) { p.answer(packet.AdminProhibited) }, at(serverAddr, 1),
			syscall.EHOSTUNREACH, 10 * time.Millisecond},
		"host unreachable, IPv6": {func(p *pair) { p.answer(packet.HostUnreachable) }, at(serverAddr6, 1),
			syscall.ENETUNREACH, 10 * time.Millisecond}, // not EHOSTUNREACH: the stack knows no other
		"forbidden, IPv6": {func(p *pair) { p.answer(packet.AdminProhibited) }, at(serverAddr6, 1),
			syscall.ENETUNREACH, 10 * time.Millisecond},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			if test.prepare != nil {
				test.prepare(p)
			}
			p.run(func() {
				_, err := p.client.Dial(t.Context(), anywhere, test.remote)
				if !errors.Is(err, test.want) {
					t.Errorf("error is %v, want %v", err, test.want)
				}
			})
			if got := p.since(); got > test.within || got < test.within/2 && test.within > time.Second {
				t.Errorf("took %v, want about %v", got, test.within)
			}
		})
	}
}

// answer lets the wire answer every SYN with an ICMP error.
func (p *pair) answer(why packet.Unreachable) {
	p.wire.Intercept(func(from int, q *packet.Packet) bool {
		if v, err := q.Parse(); err == nil && from == 0 {
			e := packet.ICMPError(v.Dst.Addr(), q, &v, why, 0)
			p.client.Schedule(time.Millisecond, func() { p.client.Input(e) })
		}
		return false
	})
}

func TestIsolatedHostKnowsNoWay(t *testing.T) {
	c := clock.New(clock.Options{})
	h, err := host.New(c, host.Options{Name: "h", Isolated: true, Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24")}})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	h.Go("dial", func() {
		_, err := h.Dial(t.Context(), anywhere, netip.MustParseAddrPort("192.168.1.2:21"))
		if !errors.Is(err, syscall.EHOSTUNREACH) && !errors.Is(err, syscall.ENETUNREACH) {
			t.Errorf("error is %v, want unreachable", err)
		}
	})
	if err := c.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestSourcePort20TwiceInARow(t *testing.T) {
	p := newPair(t)
	p.run(func() {
		for _, port := range []uint16{5001, 5002} {
			l, err := p.client.Listen(t.Context(), at(clientAddr, port))
			if err != nil {
				t.Error(err)
				return
			}
			c, err := p.server.Dial(t.Context(), at(netip.Addr{}, 20), at(clientAddr, port))
			if err != nil {
				t.Errorf("dial from port 20: %v", err)
				return
			}
			in, err := l.Accept()
			if err != nil {
				t.Error(err)
				return
			}
			if got := in.RemoteAddr().String(); got != "192.168.1.100:20" {
				t.Errorf("the connection comes from %s", got)
			}
			_ = c.Close() // leaves TIME_WAIT behind
			_, _ = io.ReadAll(in)
			_ = in.Close()
			_ = l.Close()
		}
	})
}

func TestListenTwice(t *testing.T) {
	p := newPair(t)
	p.run(func() {
		l, err := p.server.Listen(t.Context(), at(serverAddr, 21))
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := p.server.Listen(t.Context(), at(serverAddr, 21)); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("a second listener: %v, want EADDRINUSE", err)
		}
		_ = l.Close()
		l, err = p.server.Listen(t.Context(), at(serverAddr, 21))
		if err != nil {
			t.Errorf("after it was closed: %v", err)
			return
		}
		_ = l.Close()
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("accept on a closed listener: %v", err)
		}
	})
}

// The default data port of a client is the local port of its control
// connection (RFC 959 section 3.2): it must be possible to listen on it.
func TestListenOnThePortOfAConnection(t *testing.T) {
	p := newPair(t)
	p.run(func() {
		p.accept(21, func(c net.Conn) { _, _ = io.ReadAll(c) })
		c, err := p.client.Dial(t.Context(), at(clientAddr, 0), at(serverAddr, 21))
		if err != nil {
			t.Error(err)
			return
		}
		l, err := p.client.Listen(t.Context(), netip.MustParseAddrPort(c.LocalAddr().String()))
		if err != nil {
			t.Error(err)
		} else {
			_ = l.Close()
		}
		_ = c.Close()
	})
}

func TestResetAndClose(t *testing.T) {
	p := newPair(t)
	p.run(func() {
		p.accept(21, func(c net.Conn) {
			_, _ = c.Read(make([]byte, 1))
			_ = c.(*host.Conn).SetLinger(0)
		})
		c, err := p.client.Dial(t.Context(), anywhere, at(serverAddr, 21))
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := c.Write([]byte("x")); err != nil {
			t.Error(err)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("read after a reset: %v", err)
		}
		if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("write after a reset: %v", err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if err := c.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("second close: %v", err)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read after close: %v", err)
		}
	})
}

func TestCloseUnblocksRead(t *testing.T) {
	p := newPair(t)
	p.run(func() {
		p.accept(21, func(c net.Conn) { _, _ = io.ReadAll(c) })
		c, err := p.client.Dial(t.Context(), anywhere, at(serverAddr, 21))
		if err != nil {
			t.Error(err)
			return
		}
		p.client.AfterFunc(time.Hour, func() { _ = c.Close() })
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read unblocked by close: %v", err)
		}
	})
	if p.since() < time.Hour {
		t.Errorf("it took %v", p.since())
	}
}

func TestDeadlines(t *testing.T) {
	p := newPair(t)
	p.run(func() {
		p.accept(21, func(c net.Conn) {
			_ = p.server.Sleep(context.Background(), time.Minute)
			_, _ = c.Write([]byte("late"))
			_, _ = io.ReadAll(c)
		})
		c, err := p.client.Dial(t.Context(), anywhere, at(serverAddr, 21))
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		began := p.clock.Now()
		_ = c.SetReadDeadline(began.Add(10 * time.Second))
		_, err = c.Read(make([]byte, 9))
		var ne net.Error
		if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &ne) || !ne.Timeout() {
			t.Errorf("error is %v", err)
		}
		if got := p.clock.Now().Sub(began); got != 10*time.Second {
			t.Errorf("the deadline of 10 s came after %v", got)
		}
		_ = c.SetReadDeadline(time.Time{})
		if n, err := c.Read(make([]byte, 9)); n != 4 || err != nil {
			t.Errorf("after the deadline was taken away: %d, %v", n, err)
		}
		_ = c.SetWriteDeadline(p.clock.Now().Add(time.Minute))
		if _, err := c.Write(make([]byte, 16<<20)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: %v", err)
		}
	})
}

func TestDialGivesUpWithItsContext(t *testing.T) {
	p := newPair(t)
	p.wire.SetCut(true)
	p.run(func() {
		ctx, cancel := context.WithCancel(t.Context())
		p.client.AfterFunc(30*time.Second, cancel)
		if _, err := p.client.Dial(ctx, anywhere, at(serverAddr, 21)); err == nil {
			t.Error("the dial succeeded over a cut wire")
		}
	})
	if got := p.since(); got != 30*time.Second {
		t.Errorf("it gave up after %v", got)
	}
}

func TestDeadlock(t *testing.T) {
	p := newPair(t)
	var read error
	p.client.Go("client", func() {
		l, _ := p.client.Listen(t.Context(), at(clientAddr, 5001))
		_, read = l.Accept()
	})
	err := p.clock.Run(t.Context())
	var dead *clock.DeadlockError
	if !errors.As(err, &dead) || len(dead.Waits) != 1 || !strings.Contains(err.Error(), "client for a connection on 192.168.1.2:5001") {
		t.Errorf("error is %v", err)
	}
	if !errors.As(read, &dead) {
		t.Errorf("who waited got %v", read)
	}
}
