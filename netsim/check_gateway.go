package netsim

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"

	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/clock"
	"github.com/ftpconform/ftpconform/netsim/gateway"
)

// gateway checks the sides of a gateway, and that nobody else has its
// addresses.
func (c *checker) gateway(g Gateway) {
	at := path("gateways", g.Name)
	in, out := c.side(path(at, "inside"), g.Name, g.Inside), c.side(path(at, "outside"), g.Name, g.Outside)
	switch {
	case in.Name == "" || out.Name == "":
	case in.Name == out.Name:
		c.failf(path(at, "outside", "network"), "both sides are on network %s; a gateway joins two", in.Name)
	case in.Prefix.Overlaps(out.Prefix):
		c.failf(path(at, "outside", "network"), "%v on the outside and %v on the inside overlap; the gateway could not tell where to send",
			out.Prefix, in.Prefix)
	}
	if g.NAT == nil {
		return
	}
	for i, a := range g.NAT.Addresses {
		if !slices.Contains(g.Outside.Addrs, a) {
			c.address(nth(path(at, "nat", "addresses"), i), g.Name, out, a, false)
		}
	}
}

// side checks one side and returns its network, the zero value if there is
// none.
func (c *checker) side(at, gateway string, s Side) Network {
	if s.Network == "" && s.Addrs == nil {
		c.failf(at, "this side is missing; a gateway has an inside and an outside, each with its network and addresses")
		return Network{}
	}
	n, ok := c.network(path(at, "network"), s.Network)
	if ok {
		c.nodes[n.Name] = append(c.nodes[n.Name], gateway)
	}
	c.addresses(path(at, "addresses"), gateway, n, s.Addrs, false)
	return n
}

// works checks what a gateway does; the addresses of all nodes are known. What
// the packages that do it find wrong is told when nothing else is.
func (c *checker) works(g Gateway) {
	at := path("gateways", g.Name)
	before := len(c.found)
	if g.NAT != nil {
		c.forwards(path(at, "nat", "forwards"), g)
	}
	o := g.ALG
	o.Rand = rand.New(rand.NewPCG(0, 0))
	if _, err := alg.New(o); err != nil {
		c.failf(path(at, "alg"), "%s", strings.TrimPrefix(err.Error(), "alg: "))
	}
	if len(c.found) > before || slices.ContainsFunc(c.found, func(m mistake) bool { return within(m.path, at) }) {
		return
	}
	if _, err := gateway.New(clock.New(clock.Options{}).Node(), c.t.gateway(g)); err != nil {
		text := strings.TrimPrefix(err.Error(), fmt.Sprintf("gateway %q: ", g.Name))
		for _, part := range []string{"nat", "filter"} {
			if len(text) > len(part) && strings.EqualFold(text[:len(part)], part) {
				at, text = path(at, part), strings.TrimPrefix(text[len(part):], ": ")
				break
			}
		}
		c.failf(at, "%s", text)
	}
}

// forwards checks that they lead from somewhere to somebody, and every port to
// one place.
func (c *checker) forwards(at string, g Gateway) {
	outside := append(slices.Clone(g.Outside.Addrs), g.NAT.Addresses...)
	for i, f := range g.NAT.Forwards {
		where := nth(at, i)
		if f.Ports == (gateway.PortRange{}) {
			c.failf(path(where, "ports"), "a forward of no ports; say which ones, like 21 or 50000-50059")
		}
		if f.Addr.IsValid() && !slices.Contains(outside, f.Addr) {
			c.failf(path(where, "address"), "%v is no outside address of %s; it has %s", f.Addr, g.Name, words(outside))
		}
		switch _, somebody := c.taken[station{g.Inside.Network, f.To}]; {
		case !f.To.IsValid():
			c.failf(path(where, "to"), "the forward leads nowhere; give the address of a node inside")
		case g.Inside.Network != "" && !somebody:
			c.failf(path(where, "to"), "nobody on network %s has the address %v; those who are there have %s", g.Inside.Network, f.To,
				c.addressesOn(g.Inside.Network))
		}
		if j := slices.IndexFunc(g.NAT.Forwards[:i], func(other gateway.Forward) bool { return clash(f, other) }); j >= 0 {
			other := g.NAT.Forwards[j]
			c.failf(path(where, "ports"), "of the ports %d-%d some lead to %v already; a port leads to one place", f.Ports.First,
				f.Ports.Last, other.To)
		}
	}
}

// clash reports whether two forwards are for one outside endpoint.
func clash(a, b gateway.Forward) bool {
	none := gateway.PortRange{}
	return a.Ports != none && b.Ports != none && a.Ports.First <= b.Ports.Last && b.Ports.First <= a.Ports.Last &&
		a.To.Is4() == b.To.Is4() && (a.Addr == b.Addr || !a.Addr.IsValid() || !b.Addr.IsValid())
}

// addressesOn lists the addresses that are taken on a network.
func (c *checker) addressesOn(network string) string {
	var all []netip.Addr
	for s := range c.taken {
		if s.network == network {
			all = append(all, s.addr)
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return words(all)
}

// words puts addresses into a sentence.
func words(addrs []netip.Addr) string {
	all := make([]string, len(addrs))
	for i, a := range addrs {
		all[i] = a.String()
	}
	return listed(all)
}
