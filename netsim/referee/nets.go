package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"

	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/clock"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/kernel"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// net is a gateway between a client and a server, and a stranger beside the
// server.
type net struct {
	name               string
	client             netip.Addr
	server, dial       netip.AddrPort // as it is, and as the client dials it
	stranger           netip.Addr
	seen               netip.Addr // how the announcer inside is seen outside
	insideGW, outGW    string     // the gateway's addresses, with their networks
	clientInside       bool
	translates, filter bool
	loose              bool
}

// nets are those in which scripts are played.
func nets() []net {
	v4 := func(name, client, gw string) net {
		return net{name: name, client: netip.MustParseAddr(client), server: netip.MustParseAddrPort("218.63.1.100:21"),
			dial: netip.MustParseAddrPort("218.63.1.100:21"), stranger: netip.MustParseAddr("218.63.1.200"),
			seen: netip.MustParseAddr("218.63.1.5"), insideGW: gw, outGW: "218.63.1.5/24", clientInside: true, translates: true}
	}
	routed := v4("routed", "192.168.1.2", "192.168.1.1/24")
	routed.translates, routed.filter, routed.seen = false, true, routed.client
	loose := v4("loose", "192.168.1.2", "192.168.1.1/24")
	loose.loose = true
	return []net{
		v4("classic", "192.168.1.2", "192.168.1.1/24"),
		v4("longer", "10.0.0.2", "10.0.0.1/24"),
		v4("equal", "10.10.10.2", "10.10.10.1/24"),
		routed,
		{name: "swapped", client: netip.MustParseAddr("218.63.1.100"), server: netip.MustParseAddrPort("192.168.1.2:21"),
			dial: netip.MustParseAddrPort("218.63.1.5:21"), stranger: netip.MustParseAddr("192.168.1.3"), seen: netip.MustParseAddr("218.63.1.5"),
			insideGW: "192.168.1.1/24", outGW: "218.63.1.5/24", translates: true},
		{name: "nat66", client: netip.MustParseAddr("fd11:1::2"), server: netip.MustParseAddrPort("[2001:db8:63::100]:21"),
			dial: netip.MustParseAddrPort("[2001:db8:63::100]:21"), stranger: netip.MustParseAddr("2001:db8:63::200"),
			seen: netip.MustParseAddr("2001:db8:63::5"), insideGW: "fd11:1::1/64", outGW: "2001:db8:63::5/64", clientInside: true, translates: true},
		loose,
	}
}

// options are those of the net's gateway.
func (n *net) options() (gateway.Options, alg.Options) {
	o := gateway.Linux()
	o.Name = n.name
	o.Interfaces = []gateway.Interface{{Name: "inside", Addrs: []netip.Prefix{netip.MustParsePrefix(n.insideGW)}},
		{Name: "outside", Addrs: []netip.Prefix{netip.MustParsePrefix(n.outGW)}, Outside: true}}
	for _, all := range []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		o.Routes = append(o.Routes, gateway.Route{To: netip.PrefixFrom(all, 0), Interface: outside})
	}
	if !n.clientInside {
		o.NAT.Forwards = []gateway.Forward{{Ports: gateway.PortRange{First: 21, Last: 21}, To: n.server.Addr()}}
	}
	if !n.translates {
		o.NAT = nil
	}
	if n.filter {
		o.Filter = &gateway.Filter{Default: gateway.Drop, Windows: true, Rules: []gateway.Rule{{In: "inside"},
			{State: gateway.StateEstablished | gateway.StateRelated}}}
	}
	return o, alg.Options{Profile: alg.Linux, Loose: n.loose, Rand: rand.New(rand.NewPCG(1, 2))}
}

// The sides of the gateway on which somebody is.
func (n *net) sideOf(w who) int {
	if (w == client) == n.clientInside {
		return inside
	}
	return outside
}

// arbiter is a gateway of either kind, of which everything that comes out can be
// told.
type arbiter interface {
	// Send puts a packet into a side, and returns what has come out of both.
	send(side int, p *packet.Packet) (out [2][]*packet.Packet, err error)
	table() (gateway.Table, error)
	// Fresh makes it forget everything.
	fresh() error
	close() error
}

// simulated is ours.
type simulated struct {
	net    *net
	faults alg.Faults
	node   *clock.Node
	g      *gateway.Gateway
	ends   [2]collector
}

func newSimulated(n *net, f alg.Faults) (*simulated, error) {
	s := &simulated{net: n, faults: f, node: clock.New(clock.Options{Seed: 1}).Node()}
	return s, s.fresh()
}

func (s *simulated) fresh() (err error) {
	o, helper := s.net.options()
	helper.Faults = s.faults
	if o.Helper, err = alg.New(helper); err != nil {
		return err
	}
	if s.g, err = gateway.New(s.node, o); err != nil {
		return err
	}
	for i := range s.ends {
		s.ends[i].take()
		s.g.Connect(i, &s.ends[i])
	}
	return nil
}

func (s *simulated) send(side int, p *packet.Packet) (out [2][]*packet.Packet, err error) {
	s.g.Interface(side).Input(p)
	return [2][]*packet.Packet{s.ends[0].take(), s.ends[1].take()}, nil
}

func (s *simulated) table() (gateway.Table, error) { return s.g.Table(), nil }
func (s *simulated) close() error                  { return nil }

// linux is the kernel.
type linux struct {
	net   *net
	g     *kernel.Gateway
	ends  [2]mailbox
	fence uint16
}

func newLinux(ctx context.Context, n *net) (*linux, error) {
	o, helper := n.options()
	g, err := kernel.New(ctx, o, helper)
	if err != nil {
		return nil, err
	}
	l := &linux{net: n, g: g}
	for i := range l.ends {
		l.ends[i].news = make(chan struct{}, 1)
		g.Connect(i, &l.ends[i])
	}
	return l, nil
}

func (l *linux) table() (gateway.Table, error) { return l.g.Table() }
func (l *linux) close() error                  { return l.g.Close() }
func (l *linux) fresh() error {
	err := l.g.Forget()
	for i := range l.ends {
		l.ends[i].take()
	}
	return err
}

// send puts a packet in, and then a SYN for the gateway itself into either side:
// when it has been answered with RST, everything before has come out.
func (l *linux) send(side int, p *packet.Packet) (out [2][]*packet.Packet, err error) {
	l.g.Interface(side).Input(p)
	l.fence++
	port := 1024 + l.fence%30000
	for i, own := range []string{l.net.insideGW, l.net.outGW} {
		at := netip.MustParsePrefix(own)
		l.g.Interface(i).Input(packet.TCP(packet.Segment{Src: netip.AddrPortFrom(fencer(at), port), Dst: netip.AddrPortFrom(at.Addr(), fencePort),
			Seq: uint32(l.fence), Flags: packet.SYN, Window: 1000}))
		if out[i], err = l.ends[i].until(port); err != nil {
			return out, fmt.Errorf("%s of %s: %w", [...]string{"inside", "outside"}[i], l.net.name, err)
		}
	}
	return out, nil
}

// fencePort is one on which nobody listens.
const fencePort = 9

// fencer is a host that takes no part in scripts.
func fencer(p netip.Prefix) netip.Addr {
	if p.Addr().Is4() {
		a := p.Masked().Addr().As4()
		a[3] = 250
		return netip.AddrFrom4(a)
	}
	a := p.Masked().Addr().As16()
	a[15] = 250
	return netip.AddrFrom16(a)
}

// find finds a net by its name.
func find(all []net, name string) *net {
	i := slices.IndexFunc(all, func(n net) bool { return n.name == name })
	if i < 0 {
		return nil
	}
	return &all[i]
}
