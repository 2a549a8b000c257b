package host_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
	"github.com/ftpconform/ftpconform/netsim/clock"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// A host reaches itself at all its addresses, without a wire, and is seen there
// with the address that was asked for.
func TestHostTalksToItself(t *testing.T) {
	for name, o := range map[string]clock.Options{"virtual": {Seed: 1}, "real": {Real: true}} {
		for _, addr := range []string{"192.168.1.2", "192.168.1.3", "2001:db8::2"} {
			t.Run(name+" "+addr, func(t *testing.T) {
				c := clock.New(o)
				h := newHost(t, c, "host", "192.168.1.2/24", "192.168.1.3/24", "2001:db8::2/64")
				h.Attach(nowhere{t})
				self := at(netip.MustParseAddr(addr), 21)
				sent := bytes.Repeat([]byte("to be or not to be\r\n"), 50_000)
				h.Go("client", func() {
					if _, err := h.Dial(t.Context(), anywhere, self); !errors.Is(err, syscall.ECONNREFUSED) {
						t.Errorf("nobody listens, and the error is %v", err)
					}
					l, err := h.Listen(t.Context(), self)
					if err != nil {
						t.Error(err)
						return
					}
					defer l.Close()
					h.Go("server", func() { echoFrom(t, l, self.Addr()) })
					conn, err := h.Dial(t.Context(), anywhere, self)
					if err != nil {
						t.Error(err)
						return
					}
					defer conn.Close()
					h.Go("sender", func() {
						_, _ = conn.Write(sent)
						_ = conn.(interface{ CloseWrite() error }).CloseWrite()
					})
					if got, err := io.ReadAll(conn); err != nil || !bytes.Equal(got, sent) {
						t.Errorf("%d octets came back of %d, %v", len(got), len(sent), err)
					}
				})
				if err := c.Run(t.Context()); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// echoFrom serves one connection that must come from an address.
func echoFrom(t *testing.T, l net.Listener, from netip.Addr) {
	t.Helper()
	c, err := l.Accept()
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	if got := host.AddrPort(c.RemoteAddr()).Addr(); got != from {
		t.Errorf("the connection comes from %s, and not from %s", got, from)
	}
	_, _ = io.Copy(c, c)
}

// nowhere is a wire to which nothing may come.
type nowhere struct{ t *testing.T }

func (n nowhere) Input(p *packet.Packet) { n.t.Errorf("on the wire: %s", p) }

// What claims to come from the host itself and comes by the wire is forged, or
// a NAT has turned it round without translating its source.
func TestOwnAddressOnTheWire(t *testing.T) {
	tests := map[string]struct {
		src  string
		want int // packets that go out: an answer and its repetitions
	}{
		"another's": {"192.168.1.100:40001", 1},
		"its own":   {"192.168.1.2:40001", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := clock.New(clock.Options{Seed: 1})
			h := newHost(t, c, "host", "192.168.1.2/24")
			out := &counter{}
			h.Attach(out)
			h.Go("sender", func() {
				before := c.Events()
				h.Input(packet.TCP(packet.Segment{Src: netip.MustParseAddrPort(test.src),
					Dst: netip.MustParseAddrPort("192.168.1.2:21"), Flags: packet.SYN}))
				_ = h.Sleep(t.Context(), time.Second)
				if n := c.Events() - before; n != 1 { // the end of the sleep
					t.Errorf("%d events", n)
				}
			})
			if err := c.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if out.n != test.want {
				t.Errorf("%d packets were sent, want %d", out.n, test.want)
			}
		})
	}
}

// counter counts packets.
type counter struct{ n int }

func (c *counter) Input(p *packet.Packet) {
	c.n++
	p.Release()
}
