package main

import (
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/clock"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// route is the way of a vector's control connection: its ends, and the gateways
// between them, the client's first.
type route struct {
	client netip.Addr
	server netip.AddrPort // as it is
	dial   netip.AddrPort // as the client dials it
	hops   []hop
}

// hop is a gateway of a route, with what it is like.
type hop struct {
	gateway.Options
	helper alg.Options
	// toServer is the interface on the side of the server.
	toServer int
}

// The two interfaces of a hop, as package kernel and package netsim have them.
const (
	inside  = 0
	outside = 1
)

// routeOf finds out what the network of a vector is like.
func routeOf(v *vector) route {
	six := strings.Contains(v.Helper, "inet") || strings.Contains(v.NATOptions, "NAT66") || strings.Contains(v.Title, "IPv6")
	switch {
	case strings.HasPrefix(v.Topology, "both"):
		return v.bothSides()
	case strings.HasPrefix(v.Topology, "cgn"):
		return v.carrier()
	case six:
		return v.oneHop("fd11:1::2", "fd11:1::1", "2001:db8:63::5", "2001:db8:63::100")
	case strings.Contains(v.Topology, "swapped"):
		return v.swapped()
	case strings.Contains(v.Topology, "no NAT"):
		return v.oneHop("218.63.1.200", "218.63.1.201", "218.63.1.5", "218.63.1.100")
	}
	return v.oneHop(v.insideAddr("192.168.1.2"), "", "218.63.1.5", "218.63.1.100")
}

// insideAddr is the address of the host behind the gateway: most vectors have
// the usual one.
func (v *vector) insideAddr(usual string) string {
	var masters []string
	for _, e := range v.expectations {
		if a := e.client.Addr(); a.IsPrivate() {
			masters = append(masters, a.String())
		}
	}
	if len(masters) > 0 && !slices.Contains(masters, usual) {
		return masters[0]
	}
	text := strings.Join(v.ClientSegments, " ") + v.RepliesSent
	for _, other := range []string{"10.0.0.2", "10.10.10.2"} {
		if strings.Contains(text, strings.ReplaceAll(other, ".", ",")+",") || strings.Contains(text, "|"+other+"|") {
			return other
		}
	}
	return usual
}

// prefix gives an address the length of its network.
func prefix(addr string) netip.Prefix {
	a := netip.MustParseAddr(addr)
	if a.Is4() {
		return netip.PrefixFrom(a, 24)
	}
	return netip.PrefixFrom(a, 64)
}

// beside is the gateway's address in the network of a host.
func beside(addr string) string {
	a := netip.MustParseAddr(addr)
	if a.Is4() {
		b := a.As4()
		b[3] = 1
		return netip.AddrFrom4(b).String()
	}
	b := a.As16()
	b[15] = 1
	return netip.AddrFrom16(b).String()
}

// newHop is a gateway as Linux is, with what the vector says of it.
func (v *vector) newHop(name, in, out string, toServer int, helps bool) hop {
	h := hop{Options: gateway.Linux(), toServer: toServer}
	h.Name = name
	h.Interfaces = []gateway.Interface{{Name: "inside", Addrs: []netip.Prefix{prefix(in)}},
		{Name: "outside", Addrs: []netip.Prefix{prefix(out)}, Outside: true}}
	for _, all := range []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		h.Routes = append(h.Routes, gateway.Route{To: netip.PrefixFrom(all, 0), Interface: outside})
	}
	o := strings.ToLower(v.NATOptions)
	if strings.HasPrefix(o, "none") {
		h.NAT = nil
	}
	if h.NAT != nil {
		h.NAT.Strict = strings.Contains(o, "tcp_loose=0")
		h.NAT.Timeouts.Established = time.Duration(number(o, "timeout_established")) * time.Second
		if m := regexp.MustCompile(`snat to (\S+)`).FindStringSubmatch(o); m != nil {
			h.NAT.Addresses = []netip.Addr{netip.MustParseAddr(m[1])}
		}
	}
	if strings.Contains(o, "input drop") || strings.Contains(o, "input policy drop") {
		h.Unknown = gateway.UnknownDrop
	}
	if strings.Contains(o, "strict stateful") || strings.Contains(o, "stateful forward") {
		h.Filter = &gateway.Filter{Default: gateway.Drop, Windows: true, Rules: []gateway.Rule{{In: "inside"},
			{State: gateway.StateEstablished | gateway.StateRelated}}}
	}
	if helps {
		h.helper = alg.Options{Profile: alg.Linux, Loose: v.has("loose=1") && !v.has("tcp_loose=1"), Rand: rand.New(rand.NewPCG(1, 2))}
		if n := regexp.MustCompile(`\{?21, ?2121\}?`); n.MatchString(v.Helper + v.NATOptions + v.Title) {
			h.helper.Ports = []uint16{21, 2121}
		}
	}
	return h
}

// helped reports whether a gateway of some name has a helper, by what the vector
// says; the name is empty where there is one gateway.
func (v *vector) helped(names ...string) bool {
	if len(names) == 0 {
		return v.seesRule() != v.turned
	}
	h := v.Helper
	return strings.Contains(h, "both") || slices.ContainsFunc(names, func(n string) bool { return strings.Contains(h, n) })
}

// seesRule reports whether the only rule for a helper gets to see the first
// packet of the control connection.
func (v *vector) seesRule() bool {
	h := v.Helper
	switch {
	case h == "" || strings.HasPrefix(h, "none"):
		return false
	// A rule counts before a connection is confirmed and after it is tracked, for
	// the direction of the first packet.
	case strings.Contains(h, " input ") || strings.Contains(h, "sport") || strings.Contains(h, "priority -300") || strings.Contains(h, " raw -300"):
		return false
	case v.has("late helper", "rule added after", "already established when"):
		return false
	}
	return true
}

// oneHop is a client behind a gateway, or before a firewall.
func (v *vector) oneHop(client, near, out, server string) route {
	if near == "" {
		near = beside(client)
	}
	port := uint16(21)
	if v.has("2121") {
		port = 2121
	}
	r := route{client: netip.MustParseAddr(client), server: netip.AddrPortFrom(netip.MustParseAddr(server), port)}
	r.dial = r.server
	atServer := strings.Contains(v.Helper, "server host")
	r.hops = append(r.hops, v.newHop("gw", near, out, outside, v.helped() && !atServer))
	if strings.Contains(v.Topology, "no NAT") { // a firewall between two hosts of one network
		r.hops[0].Interfaces[inside].Addrs = []netip.Prefix{netip.PrefixFrom(r.client.Next(), 32)}
		r.hops[0].Routes = append(r.hops[0].Routes, gateway.Route{To: netip.PrefixFrom(r.client, 32), Interface: inside})
	}
	if atServer && r.hops[0].NAT != nil {
		f := v.newHop("host", "218.63.1.101", "218.63.1.102", inside, true)
		f.NAT, f.Filter = nil, nil
		f.Interfaces[inside].Addrs = []netip.Prefix{netip.MustParsePrefix("218.63.1.101/32")}
		f.Routes = append(f.Routes, gateway.Route{To: netip.PrefixFrom(r.server.Addr(), 32), Interface: inside})
		r.hops = append(r.hops, f)
	} else if atServer {
		r.hops[0].helper = v.newHop("gw", near, out, outside, true).helper
	}
	return r
}

var dnat = regexp.MustCompile(`DNAT (\d+)(?: -> [\d.]+:(\d+))?(?: and (\d+)-(\d+))?`)

// swapped is a server behind a gateway that leads its ports inside.
func (v *vector) swapped() route {
	in := v.insideAddr("192.168.1.2")
	h := v.newHop("gw", beside(in), "218.63.1.5", inside, v.helped())
	r := route{client: netip.MustParseAddr("218.63.1.100"), server: netip.AddrPortFrom(netip.MustParseAddr(in), 21)}
	r.dial = netip.MustParseAddrPort("218.63.1.5:21")
	v.forward(&h, &r)
	if n := number(v.Helper, "--dport"); n != 0 && n != int(r.dial.Port()) {
		h.helper = alg.Options{} // the rule looks at the port before it is translated
	}
	r.hops = []hop{h}
	return r
}

// forward gives a gateway the forwards that the vector names.
func (v *vector) forward(h *hop, r *route) {
	m := dnat.FindStringSubmatch(v.NATOptions)
	if m == nil || h.NAT == nil {
		return
	}
	ports := make([]uint16, len(m))
	for i, s := range m[1:] {
		n, _ := strconv.ParseUint(s, 10, 16) // digits, or nothing
		ports[i+1] = uint16(n)
	}
	r.dial = netip.AddrPortFrom(r.dial.Addr(), ports[1])
	f := gateway.Forward{Ports: gateway.PortRange{First: ports[1], Last: ports[1]}, To: r.server.Addr()}
	if ports[2] != 0 {
		f.Port = ports[2]
	}
	h.NAT.Forwards = append(h.NAT.Forwards, f)
	if ports[3] != 0 {
		h.NAT.Forwards = append(h.NAT.Forwards, gateway.Forward{Ports: gateway.PortRange{First: ports[3], Last: ports[4]}, To: r.server.Addr()})
	}
}

// bothSides is a client and a server behind gateways of their own.
func (v *vector) bothSides() route {
	r := route{client: netip.MustParseAddr("192.168.1.2"), server: netip.MustParseAddrPort("10.9.0.100:21"),
		dial: netip.MustParseAddrPort("218.63.1.6:21")}
	a := v.newHop("A", "192.168.1.1", "218.63.1.5", outside, v.helped("client-side"))
	b := v.newHop("B", "10.9.0.1", "218.63.1.6", inside, v.helped("server-side"))
	v.forward(&b, &r)
	r.hops = []hop{a, b}
	return r
}

// carrier is a client behind two gateways, one in the other.
func (v *vector) carrier() route {
	r := route{client: netip.MustParseAddr("192.168.1.2"), server: netip.MustParseAddrPort("218.63.1.100:21")}
	r.dial = r.server
	home := v.newHop("home", "192.168.1.1", "100.64.0.2", outside, v.helped("home"))
	cgn := v.newHop("cgn", "100.64.0.1", "218.63.1.5", outside, v.helped("CGN"))
	if !v.helped("home", "CGN") && v.helped() { // one that is not named
		home.helper, cgn.helper = alg.Options{}, alg.Options{}
	}
	r.hops = []hop{home, cgn}
	return r
}

// chain is the gateways of a route at work, with somebody at both ends.
type chain struct {
	route
	node     *clock.Node
	gateways []*gateway.Gateway
	// What comes out, until it is taken.
	atClient, atServer collector
	expected           []gateway.ExpectationInfo // all that were ever made
}

// collector keeps what comes to an end of a chain.
type collector struct{ got []*packet.Packet }

// Input implements packet.Sink.
func (c *collector) Input(p *packet.Packet) { c.got = append(c.got, p) }

// take returns what has come since the last time.
func (c *collector) take() []*packet.Packet {
	got := c.got
	c.got = nil
	return got
}

// connect builds the gateways of a route.
func (r route) connect(node *clock.Node) (*chain, error) {
	c := &chain{route: r, node: node}
	for _, h := range r.hops {
		var err error
		if h.Helper, err = alg.New(h.helper); err != nil {
			return nil, err
		}
		g, err := gateway.New(node, h.Options)
		if err != nil {
			return nil, err
		}
		c.gateways = append(c.gateways, g)
	}
	for i, h := range r.hops {
		if i == 0 {
			c.gateways[i].Connect(1-h.toServer, &c.atClient)
		} else {
			c.gateways[i].Connect(1-h.toServer, c.gateways[i-1].Interface(r.hops[i-1].toServer))
		}
		if i == len(r.hops)-1 {
			c.gateways[i].Connect(h.toServer, &c.atServer)
		} else {
			c.gateways[i].Connect(h.toServer, c.gateways[i+1].Interface(1-r.hops[i+1].toServer))
		}
	}
	return c, nil
}

// fromClient and fromServer send a packet on its way.
func (c *chain) fromClient(p *packet.Packet) {
	c.gateways[0].Interface(1 - c.hops[0].toServer).Input(p)
	c.watch()
}

func (c *chain) fromServer(p *packet.Packet) {
	last := len(c.hops) - 1
	c.gateways[last].Interface(c.hops[last].toServer).Input(p)
	c.watch()
}

// watch takes note of expectations.
func (c *chain) watch() {
	for _, g := range c.gateways {
		for _, x := range g.Table().Expectations {
			x.Left = 0
			if !slices.Contains(c.expected, x) {
				c.expected = append(c.expected, x)
			}
		}
	}
}

// forget lets all gateways lose what they remember.
func (c *chain) forget() error {
	fresh, err := c.connect(c.node)
	if err != nil {
		return err
	}
	c.gateways = fresh.gateways
	for i, h := range c.hops {
		if i == 0 {
			c.gateways[i].Connect(1-h.toServer, &c.atClient)
		}
		if i == len(c.hops)-1 {
			c.gateways[i].Connect(h.toServer, &c.atServer)
		}
	}
	return nil
}
