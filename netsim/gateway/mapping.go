package gateway

import (
	"net/netip"
	"slices"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// translator is a NAT at work.
type translator struct {
	NAT
	pool      [2][]netip.Addr // of IPv4 and IPv6
	mappings  map[mappingKey]*mapping
	byOutside map[netip.AddrPort][]*mapping
	count     int
	turn      int // of the pool, where pooling is arbitrary
	next      int // of the ports, where they are sequential
}

// mapping ties an inside endpoint to an outside one, for as long as a
// connection uses it.
type mapping struct {
	key     mappingKey
	inside  netip.AddrPort
	outside netip.AddrPort
	// pinhole mappings come from expectations alone: nobody inside has sent
	// from there, so that no filter is open but the expectation.
	pinhole bool
	users   []user
}

// mappingKey is what a mapping is for: an inside endpoint, and of the remote
// endpoint as much as the behaviour depends on.
type mappingKey struct{ inside, remote netip.AddrPort }

// user is the end of a connection that a mapping translates.
type user struct {
	conn *conn
	side Side
}

func newTranslator(n *NAT, ports []*port) *translator {
	t := &translator{NAT: *n, mappings: map[mappingKey]*mapping{}, byOutside: map[netip.AddrPort][]*mapping{}}
	if t.PortRange == (PortRange{}) {
		t.PortRange = defaultPorts
	}
	if t.MaxMappings == 0 {
		t.MaxMappings = defaultMax
	}
	addrs := n.Addresses
	if len(addrs) == 0 {
		for _, p := range ports {
			for _, a := range p.addrs {
				if p.outside {
					addrs = append(addrs, a.Addr())
				}
			}
		}
	}
	for _, a := range addrs {
		t.pool[family(a)] = append(t.pool[family(a)], a)
	}
	return t
}

// family is the index of an address's pool.
func family(a netip.Addr) int {
	if a.Is4() {
		return 0
	}
	return 1
}

// has reports whether the pool holds an address.
func (t *translator) has(a netip.Addr) bool { return slices.Contains(t.pool[family(a)], a) }

// addresses lists all outside addresses: the pool's and the forwards'.
func (t *translator) addresses() []netip.Addr {
	out := append(slices.Clone(t.pool[0]), t.pool[1]...)
	for _, f := range t.Forwards {
		if f.Addr.IsValid() {
			out = append(out, f.Addr)
		}
	}
	return out
}

// outsideAddr reports whether one of the gateway's own addresses belongs to the
// outside.
func (g *Gateway) outsideAddr(a netip.Addr) bool {
	return slices.Contains(g.nat.addresses(), a) || slices.ContainsFunc(g.ports, func(p *port) bool {
		return p.outside && slices.ContainsFunc(p.addrs, func(own netip.Prefix) bool { return own.Addr() == a })
	})
}

// translates reports whether packets of an IP version are translated.
func (g *Gateway) translates(version uint8) bool {
	return g.nat != nil && len(g.nat.pool[(version-4)/2]) > 0
}

// keyFor is what a mapping of an inside endpoint is for.
func (b Behaviour) keyFor(inside, remote netip.AddrPort) mappingKey {
	switch b {
	case AddressDependent:
		return mappingKey{inside, netip.AddrPortFrom(remote.Addr(), 0)}
	case AddressAndPortDependent:
		return mappingKey{inside, remote}
	default:
		return mappingKey{inside: inside}
	}
}

// source finds the mapping of an inside endpoint that connects to remote, or
// makes one; server is where remote leads. The end has no mapping when a
// forward says what it looks like.
func (g *Gateway) source(inside, remote, server netip.AddrPort) (end, bool) {
	if outside, ok := g.nat.forwarded(inside); ok {
		return end{real: inside, seen: outside, translated: true}, true
	}
	// An outside endpoint that has a connection with this very server cannot
	// have another one: then there is one mapping more, for this server alone.
	for _, b := range []Behaviour{g.nat.Mapping, AddressAndPortDependent} {
		k := b.keyFor(inside, remote)
		m := g.nat.mappings[k]
		if m == nil || !g.alive(m) {
			port, ok := g.choosePort(inside, func(outside netip.AddrPort) bool {
				return g.free(outside, inside, server)
			})
			if !ok {
				return end{}, false
			}
			if m = g.newMapping(k, port); m == nil {
				return end{}, false
			}
		}
		if !g.taken(keyOf(server, m.outside)) || g.faults.OverloadsPorts {
			m.pinhole = false
			return end{real: inside, seen: m.outside, translated: true, mapping: m}, true
		}
	}
	return end{}, false
}

// newMapping makes a mapping; nil says that there is no room for it.
func (g *Gateway) newMapping(k mappingKey, outside netip.AddrPort) *mapping {
	t := g.nat
	if t.count >= t.MaxMappings {
		g.reclaim()
	}
	if t.count >= t.MaxMappings {
		return nil
	}
	m := &mapping{key: k, inside: k.inside, outside: outside}
	if t.mappings[k] == nil { // else it is one more, that only its outside leads to
		t.mappings[k] = m
	}
	t.byOutside[outside] = append(t.byOutside[outside], m)
	t.count++
	g.noteOf(MappingMade, m)
	return m
}

// removeMapping ends a mapping that nobody uses.
func (g *Gateway) removeMapping(m *mapping) {
	t := g.nat
	if t.mappings[m.key] == m {
		delete(t.mappings, m.key)
	}
	list := slices.DeleteFunc(t.byOutside[m.outside], func(o *mapping) bool { return o == m })
	if len(list) == 0 {
		delete(t.byOutside, m.outside)
	} else {
		t.byOutside[m.outside] = list
	}
	t.count--
	g.noteOf(MappingExpired, m)
}

// join makes an end of a connection a user of its mapping.
func (c *conn) join(s Side) {
	if m := c.ends[s].mapping; m != nil {
		c.ends[s].place = len(m.users)
		m.users = append(m.users, user{c, s})
	}
}

// leaveMapping undoes join; the last one to leave ends the mapping.
func (g *Gateway) leaveMapping(c *conn, s Side) {
	m := c.ends[s].mapping
	if m == nil {
		return
	}
	last := len(m.users) - 1
	moved := m.users[last]
	m.users[c.ends[s].place] = moved
	moved.conn.ends[moved.side].place = c.ends[s].place
	m.users[last] = user{}
	m.users = m.users[:last]
	c.ends[s].mapping = nil
	if last == 0 {
		g.removeMapping(m)
	}
}

// alive reports whether a connection uses the mapping. Those that have expired
// it removes, and with the last of them the mapping.
func (g *Gateway) alive(m *mapping) bool {
	for len(m.users) > 0 {
		if g.now.Before(m.users[0].conn.expires) {
			return true
		}
		g.remove(m.users[0].conn)
	}
	return false
}

// at lists the mappings of an outside endpoint that are in use.
func (g *Gateway) at(outside netip.AddrPort) []*mapping {
	list := g.nat.byOutside[outside]
	if len(list) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(list), func(m *mapping) bool { return !g.alive(m) })
}

// admits reports whether the filtering lets somebody who has no connection send
// to the mapping's outside endpoint.
func (g *Gateway) admits(m *mapping, remote netip.AddrPort) bool {
	switch {
	case m.pinhole:
		return false
	case g.nat.Filtering == EndpointIndependent:
		return true
	}
	for _, u := range m.users {
		peer := u.conn.ends[u.side.Other()].real
		if g.now.Before(u.conn.expires) && peer.Addr() == remote.Addr() &&
			(g.nat.Filtering == AddressDependent || peer.Port() == remote.Port()) {
			return true
		}
	}
	return false
}

// inbound finds who is meant by a segment to one of the gateway's own
// endpoints.
func (g *Gateway) inbound(v *packet.View) (real netip.AddrPort, m *mapping, ok bool) {
	if g.nat == nil {
		return v.Dst, nil, false
	}
	if to, ok := g.nat.forward(v.Dst); ok {
		return to, nil, true
	}
	if !begins(v) {
		return v.Dst, nil, false
	}
	list := g.at(v.Dst)
	for i := len(list) - 1; i >= 0; i-- {
		if m := list[i]; g.admits(m, v.Src) {
			return m.inside, m, true
		}
	}
	return v.Dst, nil, false
}
