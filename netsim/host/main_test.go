package host_test

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/clock"
	"github.com/ftpconform/ftpconform/netsim/host"
	"github.com/ftpconform/ftpconform/netsim/wire"
)

// pair is two hosts on one wire.
type pair struct {
	t      *testing.T
	clock  *clock.Clock
	wire   *wire.Wire
	client *host.Host
	server *host.Host
}

var (
	clientAddr = netip.MustParseAddr("192.168.1.2")
	serverAddr = netip.MustParseAddr("192.168.1.100")

	serverAddr6 = netip.MustParseAddr("2001:db8::100")
)

func newPair(t *testing.T) *pair {
	t.Helper()
	c := clock.New(clock.Options{Seed: 1})
	p := &pair{t: t, clock: c}
	var err error
	if p.wire, err = wire.New(c, "lan", wire.Spec{}, wire.Spec{}); err != nil {
		t.Fatal(err)
	}
	p.client = newHost(t, c, "client", "192.168.1.2/24", "2001:db8::2/64")
	p.server = newHost(t, c, "server", "192.168.1.100/24", "2001:db8::100/64")
	p.wire.Attach(0, p.client)
	p.wire.Attach(1, p.server)
	p.client.Attach(p.wire.End(0))
	p.server.Attach(p.wire.End(1))
	return p
}

func newHost(t *testing.T, c *clock.Clock, name string, addrs ...string) *host.Host {
	t.Helper()
	o := host.Options{Name: name}
	for _, a := range addrs {
		o.Addrs = append(o.Addrs, netip.MustParsePrefix(a))
	}
	h, err := host.New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

// run plays actors to their end.
func (p *pair) run(actors ...func()) {
	p.t.Helper()
	for _, a := range actors {
		p.client.Go("actor", a)
	}
	if err := p.clock.Run(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pair) since() time.Duration { return p.clock.Now().Sub(p.clock.Start()) }

func at(a netip.Addr, port uint16) netip.AddrPort { return netip.AddrPortFrom(a, port) }

var anywhere netip.AddrPort

// accept serves one connection on the server.
func (p *pair) accept(port uint16, serve func(net.Conn)) {
	l, err := p.server.Listen(p.t.Context(), at(serverAddr, port))
	if err != nil {
		p.t.Error(err)
		return
	}
	p.server.Go("server", func() {
		defer l.Close()
		c, err := l.Accept()
		if err != nil {
			p.t.Error(err)
			return
		}
		defer c.Close()
		serve(c)
	})
}
