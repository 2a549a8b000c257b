package gateway

import (
	"bytes"
	"encoding/binary"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// receive finds out what kind of packet has come.
func (g *Gateway) receive(in *port, p *packet.Packet) {
	v, err := p.Parse()
	if err != nil {
		g.drop(p, Malformed)
		return
	}
	trim(p)
	switch {
	case v.Fragment() && (g.tracks || g.faults.DropsFragments):
		g.collect(in, p, &v)
	case !g.tracks:
		g.stateless(in, p, &v)
	case v.TCP:
		if f, ok := g.table.flows[keyOf(v.Src, v.Dst)]; ok {
			g.pass(in, p, &v, f.conn, f.from)
		} else {
			g.admit(in, p, &v)
		}
	default:
		if _, src, dst, ok := p.Quote(&v); ok {
			g.relay(in, p, &v, src, dst)
		} else {
			g.stateless(in, p, &v)
		}
	}
}

// trim takes away what follows the packet by its own account, so that its
// length is that of its data.
func trim(p *packet.Packet) {
	n := int(binary.BigEndian.Uint16(p.Data[2:]))
	if p.Data[0]>>4 == 6 {
		n = 40 + int(binary.BigEndian.Uint16(p.Data[4:]))
	}
	p.Data = p.Data[:n]
}

// collect keeps a fragment until the packet is whole, which is then received in
// its place.
func (g *Gateway) collect(in *port, p *packet.Packet, v *packet.View) {
	if g.faults.DropsFragments {
		g.drop(p, Fragmented)
		return
	}
	whole, err := g.fragments.Add(p, v, g.now)
	switch {
	case err != nil: // and the packet is gone already
		g.drops[Malformed]++
		g.note(Change{Kind: PacketDropped, Reason: Malformed, Text: err.Error()})
	case whole != nil:
		g.receive(in, whole)
	}
}

// stateless routes what no connection is kept for: everything in a plain
// router, other protocols than TCP elsewhere.
func (g *Gateway) stateless(in *port, p *packet.Packet, v *packet.View) {
	switch {
	case !g.plausible(in, v):
		g.drop(p, Martian)
		return
	case g.own[v.Dst.Addr()]:
		g.local(in, p, v)
		return
	}
	out := g.routeTo(v.Dst.Addr())
	if out != nil && g.translates(v.Version) && in.outside != out.outside {
		g.drop(p, Protocol)
		return
	}
	if g.passable(in, out, p, v) && g.allowed(in, out, p, v, StateNew, v.Src, v.Dst) {
		g.forward(in, out, p, v)
	}
}

// pass lets a segment of a known connection through.
func (g *Gateway) pass(in *port, p *packet.Packet, v *packet.View, c *conn, from Side) {
	switch {
	case !g.now.Before(c.expires):
		g.remove(c)
		g.admit(in, p, v)
	case g.nat != nil && in.outside != c.ends[from].outside:
		g.drop(p, Martian)
	case c.minds(v) && !p.ChecksumOK(v):
		g.drop(p, BadChecksum)
	case begins(v) && c.phase >= PhaseClosing:
		// The endpoints are used again. What the old connection has allowed,
		// the new one is still allowed: it is forgotten after the new one has
		// been let in.
		g.unlink(c)
		g.admit(in, p, v)
		g.remove(c)
	case begins(v) && from == Server && g.faults.DropsSimultaneousOpen:
		g.drop(p, CrossedSYN)
	default:
		switch g.follow(c, p, v, from) {
		case outOfWindow:
			g.invalid(in, p, v)
			return
		case late: // it goes on, and counts for nothing
		default:
			g.track(c, v.Flags, from)
		}
		out := c.ends[from].out
		if g.passable(in, out, p, v) && g.allowed(in, out, p, v, c.state(), c.ends[from].real, c.ends[from.Other()].real) {
			g.deliver(in, p, v, c, from)
		}
	}
}

// deliver lets a segment of a connection go on: the inspector looks at it, its
// addresses are translated, and it leaves.
func (g *Gateway) deliver(in *port, p *packet.Packet, v *packet.View, c *conn, from Side) {
	out, seq, size := c.ends[from].out, v.Seq, len(p.Data)
	if c.inspector != nil && !g.inspect(p, v, c, from) {
		g.drop(p, ByHelper)
		return
	}
	if len(p.Data) > out.mtu && v.DontFragment {
		// The sender must recognise what is quoted, and make room for what the
		// inspector adds.
		p.SetSeq(v, seq)
		g.refuse(in, p, v, packet.TooBig, out.mtu-max(0, len(p.Data)-size), TooBig)
		return
	}
	g.translate(p, v, c, from)
	g.forward(in, out, p, v)
}

// translate gives a segment the addresses that its receiver is to see.
func (g *Gateway) translate(p *packet.Packet, v *packet.View, c *conn, from Side) {
	if g.faults.RewritesPayload {
		rewritePayload(p, v, &c.ends[from])
	}
	sum := p.IPPayload(v)[16:18]
	old := [2]byte(sum)
	if src := &c.ends[from]; src.translated {
		p.SetSrc(v, src.seen)
	}
	if dst := &c.ends[from.Other()]; dst.translated {
		p.SetDst(v, dst.real)
	}
	if g.faults.BadChecksum {
		copy(sum, old[:])
	}
}

// rewritePayload is what the fault RewritesPayload does to a segment of an end.
func rewritePayload(p *packet.Packet, v *packet.View, src *end) {
	if !src.translated || !src.real.Addr().Is4() || v.Fragment() {
		return
	}
	inside, outside := src.real.Addr().As4(), src.seen.Addr().As4()
	for at := 0; ; at += len(inside) {
		i := bytes.Index(p.Payload(v)[at:], inside[:])
		if i < 0 {
			return
		}
		at += i
		p.Replace(v, at, len(inside), outside[:])
	}
}

// inspect shows a segment to the inspector and reports whether it may go on.
func (g *Gateway) inspect(p *packet.Packet, v *packet.View, c *conn, from Side) bool {
	note := len(p.Note)
	g.inspected, g.view = p, *v
	ok := c.inspector.Inspect(p, &g.view, from)
	g.inspected, *v = nil, g.view
	if ok && len(p.Note) > note {
		g.note(Change{Kind: PacketRewritten, Text: p.Note[note:]})
	}
	return ok
}
