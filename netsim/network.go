package netsim

import (
	"net/netip"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// network is a segment: it hands packets to the node that has their
// destination address.
type network struct {
	spec  Network
	nodes map[netip.Addr]packet.Sink
	via   packet.Sink // of the gateway for all else; may be nil
}

// port is where the packets of a node come in.
type port struct {
	net *network
	own packet.Sink // the way back to the node
}

// Input implements packet.Sink.
func (p port) Input(q *packet.Packet) {
	v, err := q.Parse()
	if err != nil {
		// A switch does not look into packets: what a wire has damaged goes to
		// the only place that can be meant, and is thrown away there.
		q.Release()
		return
	}
	out := p.net.nodes[v.Dst.Addr()]
	if out == nil && p.net.via != p.own {
		out = p.net.via
	}
	switch {
	case out != nil:
		out.Input(q)
		return
	case !p.net.spec.Silent:
		why := packet.NetUnreachable // nobody knows the way
		if p.net.spec.Prefix.Contains(v.Dst.Addr()) {
			why = packet.HostUnreachable // it would have to be here
		}
		if e := packet.ICMPError(p.net.router(v.Src.Addr()), q, &v, why, 0); e != nil {
			p.own.Input(e)
		}
	}
	q.Release()
}

// router is the address in whose name the network answers: the first one of
// its prefix that nobody has, because a gateway takes nothing that claims to
// come from itself. An IPv6 node may also hear of it from itself.
func (n *network) router(like netip.Addr) netip.Addr {
	a := n.spec.Prefix.Masked().Addr()
	if a.Is4() != like.Is4() {
		return like
	}
	for a = a.Next(); n.nodes[a] != nil; {
		a = a.Next()
	}
	return a
}
