package netsim

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/ftpconform/ftpconform/netsim/gateway"
)

// wires checks that wires belong to nodes and are possible.
func (c *checker) wires() {
	var names []string
	for _, h := range c.t.Hosts {
		names = append(names, h.Name)
	}
	for _, g := range c.t.Gateways {
		names = append(names, g.Name+"/inside", g.Name+"/outside")
	}
	before := map[string]bool{}
	for _, w := range c.t.Wires {
		at := path("wires", w.Name)
		switch {
		case !slices.Contains(names, w.Name):
			c.failf(at, "%s", noneOf("wire", w.Name, names))
		case before[w.Name]:
			c.failf(at, "the wire is given twice; one of the two must go")
		}
		before[w.Name] = true
		if err := w.Out.Check(); err != nil {
			c.failf(path(at, "out"), "%v", err)
		}
		if err := w.In.Check(); err != nil {
			c.failf(path(at, "in"), "%v", err)
		}
	}
}

// parts checks who plays which part, and what the client and the server know.
func (c *checker) parts() {
	client, okClient := c.part("client", c.given.Client, c.t.Client)
	server, okServer := c.part("server", c.given.Server, c.t.Server)
	_, _ = c.part("stranger", c.given.Stranger, c.t.Stranger)
	decoy, okDecoy := c.part("decoy", c.given.Decoy, c.t.Decoy)
	single := c.single()
	same := func(a netip.Addr) bool { return slices.Contains(client.Addrs, a) }
	if single && okDecoy && okClient && okServer && (decoy.Network != server.Network || !slices.ContainsFunc(decoy.Addrs, same)) {
		c.failf("decoy", "host %s is no decoy; one has an address of the client, %s, and is on the server's network, %s",
			decoy.Name, words(client.Addrs), server.Network)
	}
	c.dial(client)
	if a := c.t.Advertise; a.IsValid() && !c.usable(a) {
		c.failf("advertise", "%v is no address that a server could name", a)
	}
	if p := c.t.PassivePorts; p != (gateway.PortRange{}) && (p.First == 0 || p.Last < p.First) {
		c.failf("passive-ports", "%d-%d is no range of ports; give the first and the last one, from 1 to 65535", p.First, p.Last)
	}
}

// single checks that no host has two parts. It blames the one that was given,
// the later one of two.
func (c *checker) single() bool {
	parts := []struct{ part, given, name string }{{"client", c.given.Client, c.t.Client}, {"server", c.given.Server, c.t.Server},
		{"stranger", c.given.Stranger, c.t.Stranger}, {"decoy", c.given.Decoy, c.t.Decoy}}
	for i, p := range parts {
		for _, before := range parts[:i] {
			if p.name == "" || p.name != before.name {
				continue
			}
			at := p.part
			if p.given == "" {
				at = before.part
			}
			c.failf(at, "host %s plays two parts, %s and %s; take different hosts", p.name, before.part, p.part)
			return false
		}
	}
	return true
}

// part finds the host that plays a part; given is what was said about it.
func (c *checker) part(part, given, name string) (Host, bool) {
	if name == "" {
		return Host{}, false // a part that nobody needs to play
	}
	h, ok := c.t.Host(name)
	if ok {
		return h, true
	}
	var names []string
	for _, h := range c.t.Hosts {
		names = append(names, h.Name)
	}
	if given == "" {
		c.failf(path("hosts", name), "a host called %s is needed, or the key %[1]s at the top with the name of one; there are %s", part,
			cmp.Or(listed(names), "none"))
	} else {
		c.failf(part, "%s", noneOf("host", name, names))
	}
	return Host{}, false
}

// dial checks that the client can use the address at which it is to reach the
// server.
func (c *checker) dial(client Host) {
	a := c.t.Dial
	like := func(b netip.Addr) bool { return a.Is4() == b.Is4() }
	switch {
	case !a.IsValid(): // the server has none, which has been said
	case c.given.Dial.IsValid() && !c.somebody(a):
		c.failf("dial", "nobody has the address %v; give one of the server, or of a gateway that forwards to it", a)
	case len(client.Addrs) == 0: // nor has the client
	case !slices.ContainsFunc(client.Addrs, like):
		c.failf("dial", "the client has no address of the family of %v, at which it is to reach the server", a)
	default:
		c.way(client, a)
	}
}

// way checks that there is one from the client's network to an address.
func (c *checker) way(client Host, to netip.Addr) {
	for _, n := range c.t.Networks {
		if _, here := c.taken[station{n.Name, to}]; n.Name == client.Network && n.Via == "" && !here {
			c.failf(path("networks", n.Name, "via"), "the client is to reach %v, which is not on this network; name the gateway that leads there", to)
		}
	}
}

// somebody reports whether a node has an address on any network.
func (c *checker) somebody(a netip.Addr) bool {
	for s := range c.taken {
		if s.addr == a {
			return true
		}
	}
	return false
}
