package gateway

import "github.com/ftpconform/ftpconform/netsim/packet"

// maxHeld bounds the SYNs that wait for their answer.
const maxHeld = 1024

// held is a SYN that nobody expected, and that gets no answer yet.
type held struct {
	in *port
	p  *packet.Packet
	v  packet.View
}

// local deals with a packet for the gateway's own address that is not for
// anybody behind it.
func (g *Gateway) local(in *port, p *packet.Packet, v *packet.View) {
	switch {
	case in.outside && g.translates(v.Version) && !g.outsideAddr(v.Dst.Addr()):
		g.drop(p, Unsolicited)
	case !v.TCP:
		g.drop(p, Unexpected)
	case !in.outside || g.unknown == UnknownReset:
		g.reset(in, p, v, Unexpected)
	case g.unknown == UnknownICMP && !v.Flags.Has(packet.RST):
		g.refuse(in, p, v, packet.PortUnreachable, 0, Unexpected)
	case g.unknown == UnknownHold && begins(v):
		g.hold(in, p, v)
	default:
		g.drop(p, Unexpected)
	}
}

// hold keeps a SYN for a while. Those that repeat it meanwhile are dropped.
func (g *Gateway) hold(in *port, p *packet.Packet, v *packet.View) {
	k := keyOf(v.Src, v.Dst)
	if g.held[k] != nil || len(g.held) >= maxHeld {
		g.drop(p, Unexpected)
		return
	}
	h := &held{in: in, p: p, v: *v}
	g.held[k] = h
	g.node.Schedule(g.state.timeouts.Hold, func() {
		g.mu.Lock()
		g.now = g.node.Now()
		delete(g.held, k)
		if g.taken(k) { // a simultaneous open: the SYN has come too early
			g.drop(h.p, Unexpected)
		} else {
			g.refuse(h.in, h.p, &h.v, packet.PortUnreachable, 0, Unexpected)
		}
		g.release()
	})
}
