package gateway

import (
	"net/netip"
	"slices"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// route is a way to a network.
type route struct {
	to  netip.Prefix
	out *port
}

// routesOf orders the connected networks and the routes by the length of their
// prefixes; of two that are equal, the connected one, and the first one, wins.
func (g *Gateway) routesOf(specs []Route) []route {
	var out []route
	for _, p := range g.ports {
		for _, a := range p.addrs {
			out = append(out, route{a, p})
		}
	}
	for _, r := range specs {
		out = append(out, route{r.To, g.ports[r.Interface]})
	}
	slices.SortStableFunc(out, func(a, b route) int { return b.to.Bits() - a.to.Bits() })
	return out
}

// routeTo returns the interface by which an address is reached, nil if there
// is none.
func (g *Gateway) routeTo(a netip.Addr) *port {
	if a.IsMulticast() || a.IsUnspecified() || a.IsLoopback() && !g.loopback {
		return nil
	}
	for _, r := range g.routes {
		if r.to.Contains(a) {
			return r.out
		}
	}
	return nil
}

// addr is the address of an interface in a family; where it has none, that of
// another interface.
func (in *port) addr(version uint8) (netip.Addr, bool) {
	for _, p := range append([]*port{in}, in.gateway.ports...) {
		for _, a := range p.addrs {
			if a.Addr().Is4() == (version == 4) {
				return a.Addr(), true
			}
		}
	}
	return netip.Addr{}, false
}

// plausible reports whether a packet that belongs to no connection can have
// its source: one host, not the gateway itself, and, where addresses are
// translated, one on that side of the gateway (RFC 3704 section 2.2).
func (g *Gateway) plausible(in *port, v *packet.View) bool {
	src := v.Src.Addr()
	if !src.IsValid() || src.IsMulticast() || src.IsUnspecified() || src.IsLoopback() && !g.loopback || src.Is4In6() ||
		src == broadcast || v.Dst.Addr().Is4In6() || g.own[src] {
		return false
	}
	if v.TCP && (v.Src.Port() == 0 || v.Dst.Port() == 0) {
		return false
	}
	if !g.translates(v.Version) {
		return true
	}
	back := g.routeTo(src)
	return back == nil || back.outside == in.outside
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// forward lets a packet take its next hop.
func (g *Gateway) forward(in, out *port, p *packet.Packet, v *packet.View) {
	p.HopDown(v)
	g.leave(in, out, p, v)
}

// passable ends a packet that cannot be routed: there is no way, or its hops
// are used up. It reports whether the packet is still there.
func (g *Gateway) passable(in, out *port, p *packet.Packet, v *packet.View) bool {
	switch {
	case out == nil:
		g.refuse(in, p, v, packet.NetUnreachable, 0, NoRoute)
	case v.TTL <= 1:
		g.refuse(in, p, v, packet.TimeExceeded, 0, HopLimit)
	default:
		return true
	}
	return false
}

// leave sends a packet whole, or in fragments where it does not fit and that is
// allowed.
func (g *Gateway) leave(in, out *port, p *packet.Packet, v *packet.View) {
	if len(p.Data) <= out.mtu {
		g.send(out, p)
		return
	}
	fragments := packet.Fragment(p, v, out.mtu)
	if fragments == nil {
		g.refuse(in, p, v, packet.TooBig, out.mtu, TooBig)
		return
	}
	for _, f := range fragments {
		g.send(out, f)
	}
}
