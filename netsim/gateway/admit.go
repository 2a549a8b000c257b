package gateway

import (
	"net/netip"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// begins reports whether a segment is the first of a connection.
func begins(v *packet.View) bool {
	return v.Flags&(packet.SYN|packet.ACK|packet.RST|packet.FIN) == packet.SYN
}

// continues reports whether a segment can belong to a connection that the
// gateway has forgotten.
func continues(v *packet.View) bool {
	return v.Flags&(packet.SYN|packet.ACK|packet.RST|packet.FIN) == packet.ACK
}

// target is where a new connection leads.
type target struct {
	real     netip.AddrPort
	mapping  *mapping     // by which the server's end is reached
	expected *expectation // that let it in
}

// admit decides about a segment that belongs to no connection.
func (g *Gateway) admit(in *port, p *packet.Packet, v *packet.View) {
	switch {
	case !g.plausible(in, v):
		g.drop(p, Martian)
		return
	case !p.ChecksumOK(v):
		g.drop(p, BadChecksum)
		return
	case g.state.invalid && !g.valid(v):
		g.invalid(in, p, v)
		return
	}
	t, ok := g.target(v)
	if !ok || g.own[t.real.Addr()] {
		g.local(in, p, v)
		return
	}
	out := g.routeTo(t.real.Addr())
	if !g.passable(in, out, p, v) {
		return
	}
	if why, ok := g.crosses(in, out, v, t); !ok {
		g.drop(p, why)
		return
	}
	state := g.stateOf(v, t)
	if !g.allowed(in, out, p, v, state, v.Src, t.real) {
		return
	}
	if state == StateInvalid || g.leaks(in, out, v) {
		g.forward(in, out, p, v)
		return
	}
	c, why := g.open(in, out, v, t)
	if c == nil {
		g.drop(p, why)
		return
	}
	g.follow(c, p, v, Client)
	g.track(c, v.Flags, Client)
	g.attach(c, p)
	g.deliver(in, p, v, c, Client)
}

// invalid lets a segment that belongs to no connection, and makes none, take its
// way as it is.
func (g *Gateway) invalid(in *port, p *packet.Packet, v *packet.View) {
	switch {
	case g.own[v.Dst.Addr()]:
		g.local(in, p, v)
		return
	case !g.state.invalid && g.translates(v.Version):
		g.drop(p, NoConnection)
		return
	}
	out := g.routeTo(v.Dst.Addr())
	if g.passable(in, out, p, v) && g.allowed(in, out, p, v, StateInvalid, v.Src, v.Dst) {
		g.forward(in, out, p, v)
	}
}

// target finds out where a segment leads. It reports false when it is for the
// gateway itself.
func (g *Gateway) target(v *packet.View) (target, bool) {
	if begins(v) {
		if e := g.expects(v.Src.Addr(), v.Dst); e != nil {
			g.use(e)
			return target{real: e.real, expected: e}, true
		}
	}
	if !g.own[v.Dst.Addr()] {
		return target{real: v.Dst}, true
	}
	real, m, ok := g.inbound(v)
	return target{real: real, mapping: m}, ok
}

// crosses reports whether a segment may take its way through the translation,
// and the reason if it may not.
func (g *Gateway) crosses(in, out *port, v *packet.View, t target) (Reason, bool) {
	if !g.translates(v.Version) {
		return 0, true
	}
	switch through := t.real != v.Dst; {
	case g.leaks(in, out, v):
		return 0, true
	case in.outside && !out.outside && !through && t.expected == nil:
		return Unsolicited, false
	case !in.outside && !out.outside && through && g.nat.Hairpin == HairpinOff:
		return Unhairpinned, false
	case !g.valid(v) && (through || in.outside != out.outside):
		return NoConnection, false
	}
	return 0, true
}

// leaks reports whether a segment goes out as it is, for the fault LeaksInside.
func (g *Gateway) leaks(in, out *port, v *packet.View) bool {
	return g.faults.LeaksInside && g.translates(v.Version) && !in.outside && out.outside && !begins(v)
}

// valid reports whether a segment may make a connection.
func (g *Gateway) valid(v *packet.View) bool {
	return begins(v) || continues(v) && !g.state.strict
}

// stateOf is what the filter calls a segment without a connection.
func (g *Gateway) stateOf(v *packet.View, t target) State {
	switch {
	case t.expected != nil:
		return StateRelated
	case g.valid(v):
		return StateNew
	}
	return StateInvalid
}

// open puts a connection into the table. It returns the reason when it cannot.
func (g *Gateway) open(in, out *port, v *packet.View, t target) (*conn, Reason) {
	if !g.room() {
		return nil, Exhausted
	}
	client := end{real: v.Src, seen: v.Src}
	if g.translates(v.Version) && !in.outside && (out.outside || t.real != v.Dst && g.nat.Hairpin == HairpinOn) {
		var ok bool
		if client, ok = g.source(v.Src, v.Dst, t.real); !ok {
			return nil, Exhausted
		}
	}
	server := end{real: t.real, seen: v.Dst, translated: t.real != v.Dst, mapping: t.mapping}
	if t.expected != nil && server.translated {
		if server.mapping = g.pinhole(t.real, v); server.mapping == nil {
			g.discard(client.mapping)
			return nil, Exhausted
		}
	}
	client.outside, server.outside = in.outside, out.outside
	client.out, server.out = out, g.routeTo(client.real.Addr())
	c := &conn{gateway: g, ends: [2]end{client, server}, related: t.expected != nil}
	if !g.link(c) {
		g.discard(client.mapping)
		g.discard(server.mapping)
		return nil, Ambiguous
	}
	c.join(Client)
	c.join(Server)
	return c, 0
}

// discard ends a mapping that was made for a connection that did not come
// about.
func (g *Gateway) discard(m *mapping) {
	if m != nil && len(m.users) == 0 {
		g.removeMapping(m)
	}
}

// attach asks the helper about a new connection.
func (g *Gateway) attach(c *conn, p *packet.Packet) {
	g.noteOf(ConnectionMade, c)
	if g.helper != nil {
		g.inspected = p
		c.inspector = g.helper.Attach(c)
		g.inspected = nil
	}
}
