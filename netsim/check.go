package netsim

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Check returns what is wrong with a topology, nil if nothing is: an *Error
// for every mistake, joined, of at most 20. Read does the same with what it
// reads.
func (t Topology) Check() error {
	var all []*Error
	for _, m := range t.mistakes() {
		all = append(all, &Error{Text: strings.TrimPrefix("topology "+t.Name+": ", "topology : ") + m.String()})
	}
	return join(all)
}

// WithDefaults returns the topology with what was left out filled in.
func (t Topology) WithDefaults() Topology {
	if t.Client == "" {
		t.Client = "client"
	}
	if t.Server == "" {
		t.Server = "server"
	}
	const stranger = "stranger"
	if _, ok := t.Host(stranger); ok && t.Stranger == "" && t.Client != stranger && t.Server != stranger {
		t.Stranger = stranger
	}
	if !t.Dial.IsValid() {
		client, _ := t.Host(t.Client)
		server, _ := t.Host(t.Server)
		t.Dial = common(client.Addrs, server.Addrs)
	}
	return t
}

// common returns the first of the server's addresses that is of the family of
// one of the client's, or else its first one.
func common(client, server []netip.Addr) netip.Addr {
	for _, s := range server {
		if slices.ContainsFunc(client, func(c netip.Addr) bool { return c.Is4() == s.Is4() }) {
			return s
		}
	}
	if len(server) > 0 {
		return server[0]
	}
	return netip.Addr{}
}

// mistakes are what is wrong with a topology; a thing that is wrong in itself
// is not held against others as well.
func (t Topology) mistakes() []mistake {
	c := &checker{given: t, t: t.WithDefaults(), nodes: map[string][]string{}, taken: map[station]string{}}
	c.title()
	c.networks()
	names := map[string]bool{}
	for _, h := range c.t.Hosts {
		c.name(path("hosts", h.Name), h.Name, names)
		c.host(h)
	}
	for _, g := range c.t.Gateways {
		c.name(path("gateways", g.Name), g.Name, names)
		c.gateway(g)
	}
	for _, g := range c.t.Gateways {
		c.works(g)
	}
	c.inhabited()
	c.wires()
	c.parts()
	return c.found
}

// station is a place in a network that one node has.
type station struct {
	network string
	addr    netip.Addr
}

// checker gathers the mistakes of a topology.
type checker struct {
	given Topology // t without defaults
	t     Topology
	found []mistake
	nodes map[string][]string // of each network
	taken map[station]string  // who has an address
}

// path is a place in a topology.
func path(parts ...string) string { return strings.Join(parts, ".") }

func nth(at string, i int) string { return fmt.Sprintf("%s[%d]", at, i) }

// failf notes a mistake.
func (c *checker) failf(at, format string, args ...any) {
	c.found = append(c.found, mistake{path: at, text: fmt.Sprintf(format, args...)})
}

// title checks the name of the topology itself, of which names of files are made.
func (c *checker) title() {
	if n := c.t.Name; n != "" && n != fileName(n) {
		c.failf("name", "%s is no name of a topology; one is made of letters, digits, - . and _, does not begin with a dot, and is not longer than %d",
			quoted(n), maxName)
	}
}

// maxName is the length of the longest name.
const maxName = 64

// fileName makes of a name one that a topology can have.
func fileName(name string) string {
	plain := func(r rune) rune {
		if strings.ContainsRune(known+".", r) {
			return r
		}
		return '-'
	}
	name = strings.Map(plain, strings.TrimLeft(name, "."))
	return name[:min(len(name), maxName)]
}

// known are the characters of the names of nodes and networks.
const known = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// name checks a name and that nobody before has it.
func (c *checker) name(at, name string, before map[string]bool) {
	switch {
	case name == "" || strings.Trim(name, known) != "" || len(name) > maxName:
		c.failf(at, "%s is no name; a name is made of letters, digits, - and _, and not longer than %d", quoted(name), maxName)
	case before[name]:
		c.failf(at, "the name %s is given twice; hosts and gateways, and networks among themselves, need different ones", name)
	}
	before[name] = true
}

func (c *checker) networks() {
	before := map[string]bool{}
	if len(c.t.Networks) == 0 {
		c.failf("networks", "there is no network; at least one is needed, to which the hosts belong")
	}
	for _, n := range c.t.Networks {
		at := path("networks", n.Name)
		c.name(at, n.Name, before)
		switch p := n.Prefix; {
		case p == netip.Prefix{}:
			c.failf(path(at, "prefix"), "the network has no prefix; give it one like 192.168.1.0/24")
		case !p.IsValid() || p.Addr().Is4In6():
			c.failf(path(at, "prefix"), "%v is no prefix; give one like 192.168.1.0/24 or 2001:db8::/64", p)
		case p != p.Masked():
			c.failf(path(at, "prefix"), "%v has bits set beyond its length; the network is %v", p, p.Masked())
		}
		if n.Via != "" {
			c.via(path(at, "via"), n)
		}
	}
}

// via checks that what is for elsewhere goes to a gateway that is there.
func (c *checker) via(at string, n Network) {
	var there []string
	for _, g := range c.t.Gateways {
		if g.Inside.Network == n.Name || g.Outside.Network == n.Name {
			there = append(there, g.Name)
		}
	}
	if !slices.Contains(there, n.Via) {
		c.failf(at, "%s", noneOf("gateway on this network", n.Via, there))
	}
}

// noneOf says that there is nothing of a kind with a name, and what there is.
func noneOf(kind, name string, names []string) string {
	text := fmt.Sprintf("there is no %s called %s", kind, quoted(name))
	switch near := nearest(name, names); {
	case len(names) == 0:
		return text + ", and no other either"
	case near != "":
		return fmt.Sprintf("%s; did you mean %s? There are %s", text, near, listed(names))
	}
	return text + "; there are " + listed(names)
}

// listed puts names into a sentence, as many as one can read.
func listed(names []string) string {
	const most = 20
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), more)
	}
	return strings.Join(names, ", ")
}

// network finds a network for what belongs to it, and notes a mistake where
// there is none.
func (c *checker) network(at, name string) (Network, bool) {
	var names []string
	for _, n := range c.t.Networks {
		if n.Name == name {
			return n, true
		}
		names = append(names, n.Name)
	}
	if name == "" {
		c.failf(at, "it belongs to no network; give it one of %s", listed(names))
	} else {
		c.failf(at, "%s", noneOf("network", name, names))
	}
	return Network{}, false
}

func (c *checker) host(h Host) {
	at := path("hosts", h.Name)
	n, ok := c.network(path(at, "network"), h.Network)
	if ok {
		c.nodes[n.Name] = append(c.nodes[n.Name], h.Name)
	}
	c.addresses(path(at, "addresses"), h.Name, n, h.Addrs, h.Name == c.t.Decoy && h.Name != "")
}

// addresses checks those of a node on a network, which is the zero value where
// it is not known. A node that has one in the network's prefix may have others
// of the other family; those of a foreigner need not be in the prefix.
func (c *checker) addresses(at, node string, n Network, addrs []netip.Addr, foreigner bool) {
	if len(addrs) == 0 {
		c.failf(at, "%s has no address; give it one", node)
	}
	local := slices.ContainsFunc(addrs, n.Prefix.Contains)
	for i, a := range addrs {
		free := foreigner || n.Open || local && a.Is4() != n.Prefix.Addr().Is4()
		c.address(nth(at, i), node, n, a, free)
	}
}

// address checks one address; it must be in the prefix unless it is free.
func (c *checker) address(at, node string, n Network, a netip.Addr, free bool) {
	other, taken := c.taken[station{n.Name, a}]
	switch p := n.Prefix; {
	case !c.usable(a):
		c.failf(at, "%v cannot be a node's address; give one like 192.168.1.2 or 2001:db8::2", a)
	case n.Name == "":
	case taken:
		c.failf(at, "%v is already an address of %s on network %s; give another one", a, other, n.Name)
	case p.IsValid() && !free && !p.Contains(a):
		c.failf(at, "%v is not in %v, the prefix of network %s; give an address that is", a, p.Masked(), n.Name)
	case p.IsValid() && !free && reserved(p, a):
		c.failf(at, "%v means all of network %s, or itself; give another address", a, n.Name)
	}
	if !taken && c.usable(a) {
		c.taken[station{n.Name, a}] = node // even where it is wrong, it is not missed
	}
}

// usable reports whether a node can have an address.
func (c *checker) usable(a netip.Addr) bool {
	return a.IsValid() && a.Zone() == "" && !a.Is4In6() && !a.IsUnspecified() && !a.IsMulticast() && (c.t.Loopback || !a.IsLoopback()) &&
		a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// reserved reports whether an IPv4 address is the first or the last one of a
// network (RFC 1122 section 3.2.1.3), which needs room for others.
func reserved(p netip.Prefix, a netip.Addr) bool {
	if !a.Is4() || p.Bits() >= 31 {
		return false
	}
	return a == p.Masked().Addr() || !p.Contains(a.Next())
}

// inhabited checks that somebody is on every network.
func (c *checker) inhabited() {
	for _, n := range c.t.Networks {
		if len(c.nodes[n.Name]) == 0 {
			c.failf(path("networks", n.Name), "nobody is on this network; put a host or a gateway on it, or leave it out")
		}
	}
}
