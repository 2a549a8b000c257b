package gateway

import "net/netip"

// lowPorts are the ports that stay among themselves (RFC 4787 REQ-3a).
var lowPorts = PortRange{1, 1023}

// choosePort finds a free outside endpoint for an inside one.
func (g *Gateway) choosePort(inside netip.AddrPort, free func(netip.AddrPort) bool) (netip.AddrPort, bool) {
	for _, a := range g.candidates(inside.Addr()) {
		if port, ok := g.choosePortAt(a, inside.Port(), free); ok {
			return netip.AddrPortFrom(a, port), true
		}
	}
	return netip.AddrPort{}, false
}

// candidates are the outside addresses that an inside address may get. Paired
// pooling goes by the last octets of the inside address, so that an address
// keeps its partner for ever.
func (g *Gateway) candidates(inside netip.Addr) []netip.Addr {
	pool := g.nat.pool[family(inside)]
	if len(pool) < 2 {
		return pool
	}
	if g.nat.Pooling == Paired {
		a := inside.As16()
		i := (int(a[14])<<8 | int(a[15])) % len(pool)
		return pool[i : i+1]
	}
	i := g.nat.turn % len(pool)
	g.nat.turn++
	return append(append([]netip.Addr(nil), pool[i:]...), pool[:i]...)
}

// choosePortAt finds a free port of an outside address.
func (g *Gateway) choosePortAt(a netip.Addr, wanted uint16, free func(netip.AddrPort) bool) (uint16, bool) {
	t := g.nat
	isFree := func(port uint16) bool { return free(netip.AddrPortFrom(a, port)) }
	if t.Ports == Sequential {
		port, ok := scan(t.PortRange, t.next, isFree)
		if ok {
			t.next = int(port-t.PortRange.First) + 1
		}
		return port, ok
	}
	low := lowPorts.Contains(wanted)
	if t.Ports == Preserve && (!low || !g.faults.LosesLowPorts) {
		if isFree(wanted) {
			return wanted, true
		}
		if low {
			if port, ok := scan(lowPorts, g.rand.IntN(lowPorts.size()), isFree); ok {
				return port, true
			}
		}
	}
	return scan(t.PortRange, g.rand.IntN(t.PortRange.size()), isFree)
}

// scan looks for a free port in a range, from a place on and once around.
func scan(r PortRange, start int, free func(uint16) bool) (uint16, bool) {
	for i := range r.size() {
		if port := r.First + uint16((start+i)%r.size()); free(port) {
			return port, true
		}
	}
	return 0, false
}

// free reports whether an outside endpoint can be given to an inside one that
// connects to a server.
func (g *Gateway) free(outside, inside, server netip.AddrPort) bool {
	if _, ok := g.nat.forward(outside); ok {
		return false
	}
	switch {
	case g.faults.OverloadsPorts:
		return true
	case g.nat.Overload:
		return !g.taken(keyOf(server, outside))
	}
	return len(g.at(outside)) == 0 && !g.reserved(outside, inside)
}

// forward tells where a forward leads from an outside endpoint.
func (t *translator) forward(outside netip.AddrPort) (netip.AddrPort, bool) {
	for _, f := range t.Forwards {
		if f.Ports.Contains(outside.Port()) && f.To.Is4() == outside.Addr().Is4() &&
			(f.Addr == outside.Addr() || !f.Addr.IsValid() && t.has(outside.Addr())) {
			return netip.AddrPortFrom(f.To, f.inside(outside.Port())), true
		}
	}
	return netip.AddrPort{}, false
}

// forwarded tells which outside endpoint leads to an inside one by a forward.
func (t *translator) forwarded(inside netip.AddrPort) (netip.AddrPort, bool) {
	for _, f := range t.Forwards {
		first := f.inside(f.Ports.First)
		if f.To != inside.Addr() || inside.Port() < first || int(inside.Port()) >= int(first)+f.Ports.size() {
			continue
		}
		if a := f.Addr; a.IsValid() {
			return netip.AddrPortFrom(a, inside.Port()-first+f.Ports.First), true
		}
		if pool := t.pool[family(f.To)]; len(pool) > 0 {
			return netip.AddrPortFrom(pool[0], inside.Port()-first+f.Ports.First), true
		}
	}
	return netip.AddrPort{}, false
}

// inside is where an outside port leads.
func (f Forward) inside(port uint16) uint16 {
	if f.Port == 0 {
		return port
	}
	return f.Port + (port - f.Ports.First)
}
