package netsim_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/host"
)

const ftpPort = 21

// build makes the world of a built-in topology.
func build(tb testing.TB, name string, o netsim.Options) *netsim.World {
	tb.Helper()
	spec, err := netsim.Builtin(name)
	if err != nil {
		tb.Fatal(err)
	}
	return world(tb, spec, o)
}

func world(tb testing.TB, spec netsim.Topology, o netsim.Options) *netsim.World {
	tb.Helper()
	w, err := netsim.Build(spec, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(w.Close)
	return w
}

// run plays f to its end in a world in which the server echoes.
func run(tb testing.TB, w *netsim.World, f func()) {
	tb.Helper()
	err := w.Run(tb.Context(), "test", func() {
		for _, a := range w.Server().Addrs() {
			l, err := w.Server().Listen(tb.Context(), netip.AddrPortFrom(a.Addr(), ftpPort))
			if err != nil {
				tb.Error(err)
				return
			}
			defer l.Close()
			go echo(l)
		}
		f()
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// echo gives back what it gets, until the listener is closed.
func echo(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			_, _ = io.Copy(c, c)
			_ = c.Close()
		}()
	}
}

// dial connects to the server at the address that the topology says.
func dial(tb testing.TB, w *netsim.World, from *host.Host) net.Conn {
	tb.Helper()
	c, err := from.Dial(tb.Context(), netip.AddrPort{}, netip.AddrPortFrom(w.Topology.Dial, ftpPort))
	if err != nil {
		tb.Errorf("%s: %v", from.Name(), err)
		return nil
	}
	return c
}

// exchange sends a line and expects it back.
func exchange(tb testing.TB, c net.Conn) {
	tb.Helper()
	const line = "NOOP\r\n"
	got := make([]byte, len(line))
	if _, err := io.WriteString(c, line); err != nil {
		tb.Error(err)
	} else if _, err := io.ReadFull(c, got); err != nil || string(got) != line {
		tb.Errorf("got %q, %v", got, err)
	}
}

func TestServerCanBeReached(t *testing.T) {
	for _, name := range netsim.Builtins() {
		t.Run(name, func(t *testing.T) {
			w := build(t, name, netsim.Options{})
			run(t, w, func() {
				for _, h := range []*host.Host{w.Client(), w.Stranger()} {
					if c := dial(t, w, h); c != nil {
						exchange(t, c)
						_ = c.Close()
					}
				}
			})
			if took := w.Clock.Now().Sub(w.Clock.Start()); took > time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// What stands between two hosts decides whether one can connect to the other,
// and what it learns if it cannot.
func TestReach(t *testing.T) {
	const (
		there    = 10 * time.Millisecond // answered by the host itself
		held     = 6 * time.Second       // RFC 5382 REQ-4
		forNever = 127 * time.Second     // all SYNs of a host
	)
	tests := []struct {
		topology, from, to string
		want               error
		after              time.Duration
	}{
		{"direct", "server", "218.63.1.9:5001", syscall.ECONNREFUSED, there},
		{"direct", "client", "192.168.1.2:5001", syscall.ETIMEDOUT, forNever},
		{"client-nat", "server", "192.168.1.2:5001", syscall.ETIMEDOUT, forNever},
		{"client-nat", "server", "218.63.1.5:5001", syscall.ECONNREFUSED, held},
		{"client-nat", "client", "192.168.1.77:5001", syscall.EHOSTUNREACH, there},
		{"client-nat-alg", "server", "218.63.1.5:5001", syscall.ECONNREFUSED, held},
		{"server-nat", "server", "218.63.1.9:5001", syscall.ECONNREFUSED, there},
		{"server-nat", "client", "192.168.1.100:50000", syscall.ETIMEDOUT, forNever},
		{"server-nat", "client", "218.63.1.5:50000", syscall.ECONNREFUSED, there},
		{"server-nat", "client", "218.63.1.5:50059", syscall.ECONNREFUSED, there},
		{"server-nat", "client", "218.63.1.5:50060", syscall.ECONNREFUSED, held},
		{"server-nat-alg", "client", "218.63.1.5:50000", syscall.ECONNREFUSED, held},
		{"double-nat", "server", "100.64.0.2:5001", syscall.ETIMEDOUT, forNever},
		{"double-nat", "server", "192.168.1.2:5001", syscall.ETIMEDOUT, forNever},
		{"client-firewall", "server", "203.0.113.2:5001", syscall.ETIMEDOUT, forNever},
		{"client-firewall", "stranger", "203.0.113.2:5001", syscall.ETIMEDOUT, forNever},
		{"client-firewall", "client", "218.63.1.100:50000", syscall.ECONNREFUSED, there},
		{"server-firewall", "client", "203.0.113.100:22", syscall.ETIMEDOUT, forNever},
		{"server-firewall", "client", "203.0.113.100:50000", syscall.ECONNREFUSED, there},
		{"server-firewall", "client", "203.0.113.101:50059", syscall.ECONNREFUSED, there},
		{"server-firewall", "client", "203.0.113.100:50060", syscall.ETIMEDOUT, forNever},
		{"server-firewall", "client", "192.168.1.2:21", syscall.ETIMEDOUT, forNever},
		{"server-firewall", "server", "218.63.1.9:5001", syscall.ECONNREFUSED, there},
		{"ipv6", "server", "[2001:db8:63:1::9]:5001", syscall.ECONNREFUSED, there},
		{"ipv6", "client", "218.63.1.100:21", syscall.ENETUNREACH, there},
		{"hairpin", "client", "218.63.1.5:50000", syscall.ECONNREFUSED, there},
		{"hairpin", "server", "192.168.1.2:5001", syscall.ECONNREFUSED, there},
		{"hairpin", "stranger", "192.168.1.100:21", syscall.ETIMEDOUT, forNever},
	}
	for _, test := range tests {
		t.Run(test.topology+" "+test.from+" "+test.to, func(t *testing.T) {
			w := build(t, test.topology, netsim.Options{})
			run(t, w, func() {
				_, err := w.Host(test.from).Dial(t.Context(), netip.AddrPort{}, netip.MustParseAddrPort(test.to))
				if !errors.Is(err, test.want) {
					t.Errorf("got %v, want %v", err, test.want)
				}
			})
			took := w.Clock.Now().Sub(w.Clock.Start())
			if took > test.after+there || test.after > there && took < test.after {
				t.Errorf("it took %v, want about %v", took, test.after)
			}
		})
	}
}

// Who asks whom to connect back depends on the address that each sees of the
// other.
func TestPeers(t *testing.T) {
	tests := []struct{ topology, client, server string }{
		{"direct", "218.63.1.9", "218.63.1.100"},
		{"client-nat", "218.63.1.5", "218.63.1.100"},
		{"client-nat-alg", "218.63.1.5", "218.63.1.100"},
		{"server-nat", "218.63.1.9", "192.168.1.100"},
		{"server-nat-alg", "218.63.1.9", "192.168.1.100"},
		{"double-nat", "218.63.1.5", "218.63.1.100"},
		{"client-firewall", "203.0.113.2", "218.63.1.100"},
		{"server-firewall", "218.63.1.9", "203.0.113.100"},
		{"ipv6", "2001:db8:63:1::9", "2001:db8:63:1::100"},
		{"hairpin", "218.63.1.5", "192.168.1.100"},
	}
	for _, test := range tests {
		t.Run(test.topology, func(t *testing.T) {
			w := build(t, test.topology, netsim.Options{})
			err := w.Run(t.Context(), "test", func() {
				l, err := w.Server().Listen(t.Context(), netip.MustParseAddrPort("[::]:21"))
				if err != nil {
					t.Error(err)
					return
				}
				defer l.Close()
				c := dial(t, w, w.Client())
				if c == nil {
					return
				}
				defer c.Close()
				in, err := l.Accept()
				if err != nil {
					t.Error(err)
					return
				}
				defer in.Close()
				client, _, _ := net.SplitHostPort(in.RemoteAddr().String())
				server, _, _ := net.SplitHostPort(in.LocalAddr().String())
				if client != test.client || server != test.server {
					t.Errorf("the server at %s sees %s, want %s and %s", server, client, test.server, test.client)
				}
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// A server that is reached by a forwarded port 21 connects back from the same
// address, and from port 20 unless somebody has it.
func TestActiveFromBehindNAT(t *testing.T) {
	for _, name := range []string{"server-nat", "server-nat-alg"} {
		t.Run(name, func(t *testing.T) {
			w := build(t, name, netsim.Options{})
			run(t, w, func() {
				l, err := w.Client().Listen(t.Context(), netip.MustParseAddrPort("218.63.1.9:5001"))
				if err != nil {
					t.Error(err)
					return
				}
				defer l.Close()
				out, err := w.Server().Dial(t.Context(), netip.MustParseAddrPort("192.168.1.100:20"), netip.MustParseAddrPort("218.63.1.9:5001"))
				if err != nil {
					t.Error(err)
					return
				}
				defer out.Close()
				in, err := l.Accept()
				if err != nil {
					t.Error(err)
					return
				}
				defer in.Close()
				if got := in.RemoteAddr().String(); got != "218.63.1.5:20" {
					t.Errorf("the client sees %s", got)
				}
			})
		})
	}
}

// A network that is not silent says that nobody is there, or that it knows no
// way.
func TestNetworkAnswers(t *testing.T) {
	for _, test := range []struct {
		topology, to string
		want         error
	}{
		{"direct", "218.63.1.77:5001", syscall.EHOSTUNREACH},
		{"direct", "192.168.1.2:5001", syscall.ENETUNREACH},
		{"client-nat", "192.168.1.2:5001", syscall.ENETUNREACH},
		{"ipv6", "[2001:db8::77]:5001", syscall.ENETUNREACH},
	} {
		t.Run(test.topology+" "+test.to, func(t *testing.T) {
			spec, err := netsim.Builtin(test.topology)
			if err != nil {
				t.Fatal(err)
			}
			for i := range spec.Networks {
				spec.Networks[i].Silent = false
			}
			w := world(t, spec, netsim.Options{})
			run(t, w, func() {
				_, err := w.Server().Dial(t.Context(), netip.AddrPort{}, netip.MustParseAddrPort(test.to))
				if !errors.Is(err, test.want) {
					t.Errorf("got %v, want %v", err, test.want)
				}
			})
			if took := w.Clock.Now().Sub(w.Clock.Start()); took > time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// A decoy takes what a server sends to the client's own address.
func TestDecoy(t *testing.T) {
	spec, err := netsim.Builtin("client-nat")
	if err != nil {
		t.Fatal(err)
	}
	client := netip.MustParseAddr("192.168.1.2")
	spec.Hosts = append(spec.Hosts, netsim.Host{Name: "decoy", Network: "internet", Addrs: []netip.Addr{client}})
	spec.Decoy = "decoy"
	w := world(t, spec, netsim.Options{})
	run(t, w, func() {
		exchange(t, dial(t, w, w.Client()))
		at := netip.AddrPortFrom(client, 5001)
		l, err := w.Host("decoy").Listen(t.Context(), at)
		if err != nil {
			t.Error(err)
			return
		}
		defer l.Close()
		if _, err := w.Server().Dial(t.Context(), netip.AddrPort{}, at); err != nil {
			t.Error(err)
		}
	})
}

// The addresses of a pool belong to the gateway, too.
func TestPool(t *testing.T) {
	spec, err := netsim.Builtin("client-nat")
	if err != nil {
		t.Fatal(err)
	}
	spec.Gateways[0].NAT.Addresses = []netip.Addr{netip.MustParseAddr("218.63.1.6")}
	w := world(t, spec, netsim.Options{})
	run(t, w, func() { exchange(t, dial(t, w, w.Client())) })
}

func TestNamesOfNothing(t *testing.T) {
	w := build(t, "direct", netsim.Options{})
	if w.Host("x") != nil || w.Gateway("x") != nil || w.Wire("x") != nil {
		t.Error("there is something called x")
	}
	if got := len(w.Wires()); got != 3 {
		t.Errorf("there are %d wires for 3 hosts", got)
	}
}

func TestBuildRefuses(t *testing.T) {
	spec, err := netsim.Builtin("direct")
	if err != nil {
		t.Fatal(err)
	}
	spec.Hosts[0].Network = "nowhere"
	var bad *netsim.Error
	if _, err := netsim.Build(spec, netsim.Options{}); !errors.As(err, &bad) {
		t.Errorf("got %v", err)
	}
}
