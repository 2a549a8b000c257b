package gateway

import (
	"net/netip"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// relay lets an ICMP error through that is about a segment from src to dst, as
// these have left the gateway. It translates the error and what it quotes (RFC
// 5508 section 4). The connection is not touched (RFC 5382 REQ-9).
func (g *Gateway) relay(in *port, p *packet.Packet, v *packet.View, src, dst netip.AddrPort) {
	f, known := g.table.flows[keyOf(dst, src)]
	known = known && g.now.Before(f.conn.expires) && v.Dst.Addr() == src.Addr()
	switch {
	case g.faults.ICMPDropped:
		g.drop(p, Filtered)
		return
	case !p.ChecksumOK(v):
		g.drop(p, BadChecksum)
		return
	case !g.plausible(in, v):
		g.drop(p, Martian)
		return
	case !known:
		g.unknownError(in, p, v)
		return
	}
	// The error goes the way of the connection's packets from that side.
	c, from := f.conn, f.from
	end, other := &c.ends[from], &c.ends[from.Other()]
	if g.nat != nil && in.outside != end.outside {
		g.drop(p, Martian)
		return
	}
	if !g.passable(in, end.out, p, v) || !g.allowed(in, end.out, p, v, StateRelated, v.Src, netip.AddrPortFrom(other.real.Addr(), 0)) {
		return
	}
	if end.translated {
		// Who has sent the error must not be seen, be it the host or a router
		// next to it.
		p.SetSrc(v, end.seen)
	}
	if other.translated {
		p.SetDst(v, other.real)
	}
	if !g.faults.ICMPUntranslated {
		p.SetQuote(v, other.real, end.seen)
	}
	g.forward(in, end.out, p, v)
	if g.faults.ICMPKillsMapping {
		g.remove(c)
	}
}

// unknownError deals with an ICMP error about a connection that is not known.
func (g *Gateway) unknownError(in *port, p *packet.Packet, v *packet.View) {
	out := g.routeTo(v.Dst.Addr())
	switch {
	case g.own[v.Dst.Addr()]:
		g.drop(p, Unexpected)
	case out != nil && g.translates(v.Version) && in.outside != out.outside:
		g.drop(p, NoConnection)
	case g.passable(in, out, p, v) && g.allowed(in, out, p, v, StateInvalid, v.Src, v.Dst):
		g.forward(in, out, p, v)
	}
}
