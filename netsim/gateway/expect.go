package gateway

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// maxExpected bounds the expectations of a gateway, as Linux does.
const maxExpected = 4096

// Errors of Connection.Expect.
var (
	// ErrEndpoint says that an announced endpoint cannot be one.
	ErrEndpoint = errors.New("gateway: nobody can be expected at such an endpoint")
	// ErrPorts says that there is no outside port for an announced endpoint.
	ErrPorts = errors.New("gateway: no outside port is free")
	// ErrCrowded says that too many connections are expected already.
	ErrCrowded = errors.New("gateway: too many connections are expected")
)

// expectation is an Expectation at work.
type expectation struct {
	Expectation
	master  *conn
	outside netip.AddrPort // where the peer connects; To itself without translation
	real    netip.AddrPort // where that leads
	left    int            // uses; below 0 for any number
	expires time.Time      // the zero value for never
}

// expectations finds the expectations by where the peer connects, the newest
// first.
type expectations struct {
	at    map[netip.AddrPort][]*expectation
	count int
}

func newExpectations() expectations { return expectations{at: map[netip.AddrPort][]*expectation{}} }

// Expect implements Connection. To announce again what is announced already
// gives the same endpoint and begins anew.
func (c *conn) Expect(spec Expectation) (netip.AddrPort, error) {
	g, by := c.gateway, &c.ends[spec.By]
	if !spec.To.IsValid() || spec.To.Port() == 0 && !spec.Verbatim || spec.To.Addr().Is4() != by.real.Addr().Is4() {
		return netip.AddrPort{}, fmt.Errorf("%w: %v", ErrEndpoint, spec.To)
	}
	e := &expectation{Expectation: spec, master: c, outside: spec.To, real: spec.To, left: spec.Uses}
	if spec.Uses == 0 {
		e.left = -1
	}
	if spec.Life > 0 {
		e.expires = g.now.Add(spec.Life)
	}
	switch peer := &c.ends[spec.By.Other()]; {
	case spec.Verbatim && spec.To.Port() != 0 && (by.translated || peer.translated):
		e.real = netip.AddrPortFrom(by.real.Addr(), spec.To.Port()) // if anybody should come there
	case spec.Verbatim:
	case by.real.Addr() != by.seen.Addr():
		if spec.To.Addr() == by.seen.Addr() { // it has announced what the other side knows it by
			e.real = netip.AddrPortFrom(by.real.Addr(), spec.To.Port())
		}
		var err error
		if e.outside, err = g.outsideFor(e, by.seen.Addr()); err != nil {
			return netip.AddrPort{}, err
		}
	}
	if err := g.makeRoom(e); err != nil {
		return netip.AddrPort{}, err
	}
	c.announced = append(c.announced, e)
	g.expected.at[e.outside] = slices.Insert(g.expected.at[e.outside], 0, e)
	g.expected.count++
	g.noteOf(ExpectationMade, e)
	return e.outside, nil
}

// outsideFor finds an outside endpoint for an expectation: that which the same
// announcement or the announced endpoint has already, or else its own port, or
// else the one that the helper or the gateway chooses.
func (g *Gateway) outsideFor(e *expectation, addr netip.Addr) (netip.AddrPort, error) {
	if i := slices.IndexFunc(e.master.announced, e.same); i >= 0 {
		return e.master.announced[i].outside, nil
	}
	if m := g.nat.mappings[mappingKey{inside: e.real}]; m != nil && m.outside.Addr() == addr && g.alive(m) && !g.claimed(e, m.outside) {
		return m.outside, nil
	}
	taken := func(port uint16) bool {
		outside := netip.AddrPortFrom(addr, port)
		return g.claimed(e, outside) || g.occupied(e, outside) || g.elsewhere != nil && g.elsewhere(outside)
	}
	port := e.To.Port()
	switch {
	case !taken(port):
	case e.Port != nil:
		port = e.Port(taken)
	default:
		port, _ = scan(g.nat.PortRange, g.rand.IntN(g.nat.PortRange.size()), func(port uint16) bool { return !taken(port) })
	}
	if port == 0 || taken(port) {
		return netip.AddrPort{}, fmt.Errorf("%w for %v at %v", ErrPorts, e.To, addr)
	}
	return netip.AddrPortFrom(addr, port), nil
}

// claimed reports whether an expectation is in the way of a new one at an
// endpoint. One that leads there for the same control connection is replaced.
func (g *Gateway) claimed(e *expectation, outside netip.AddrPort) bool {
	return slices.ContainsFunc(g.live(outside), func(o *expectation) bool {
		return (o.From == e.From || !o.From.IsValid() || !e.From.IsValid()) && !e.replaces(o)
	})
}

// replaces reports whether a new expectation stands for the same as another one.
func (e *expectation) replaces(o *expectation) bool {
	return e.same(o) || e.master == o.master && e.By == o.By && e.From == o.From && e.real == o.real
}

// occupied reports whether an endpoint leads somewhere else already. On Linux
// that is no obstacle.
func (g *Gateway) occupied(e *expectation, outside netip.AddrPort) bool {
	if g.nat.Overload {
		return false
	}
	if to, ok := g.nat.forward(outside); ok {
		return to != e.real
	}
	return slices.ContainsFunc(g.at(outside), func(m *mapping) bool { return m.inside != e.real })
}

// reserved reports whether an expectation keeps an outside endpoint for another
// inside endpoint.
func (g *Gateway) reserved(outside, inside netip.AddrPort) bool {
	return slices.ContainsFunc(g.live(outside), func(e *expectation) bool { return e.real != inside })
}

// same reports whether two expectations are one announcement, made twice.
func (e *expectation) same(o *expectation) bool {
	return e.master == o.master && e.By == o.By && e.To == o.To && e.From == o.From
}

// makeRoom removes what a new expectation replaces or drives out.
func (g *Gateway) makeRoom(e *expectation) error {
	c := e.master
	g.expireOf(c)
	if i := slices.IndexFunc(c.announced, e.replaces); i >= 0 {
		g.unexpect(c.announced[i])
	}
	for e.Max > 0 && len(c.announced) >= e.Max {
		g.forget(c.announced[0], ExpectationEvicted)
	}
	if g.expected.count >= maxExpected {
		g.sweep()
	}
	if g.expected.count >= maxExpected {
		return fmt.Errorf("%w: %d", ErrCrowded, g.expected.count)
	}
	return nil
}

// expects finds the expectation of a connection, nil if there is none.
func (g *Gateway) expects(from netip.Addr, to netip.AddrPort) *expectation {
	if g.expected.count == 0 {
		return nil
	}
	for _, e := range g.live(to) {
		if !e.From.IsValid() || e.From == from {
			return e
		}
	}
	return nil
}

// live lists the expectations at an endpoint, the newest first. Those that have
// expired it removes.
func (g *Gateway) live(at netip.AddrPort) []*expectation {
	list := slices.Clone(g.expected.at[at])
	return slices.DeleteFunc(list, func(e *expectation) bool {
		switch {
		case !g.now.Before(e.master.expires):
			g.remove(e.master)
			return true
		case e.over(g.now):
			g.forget(e, ExpectationExpired)
			return true
		}
		return false
	})
}

func (e *expectation) over(now time.Time) bool { return !e.expires.IsZero() && !now.Before(e.expires) }

// use counts a connection that has come.
func (g *Gateway) use(e *expectation) {
	g.noteOf(ExpectationUsed, e)
	if e.left > 0 {
		if e.left--; e.left == 0 {
			g.unexpect(e)
		}
	}
}

// forget ends an expectation that was not used up.
func (g *Gateway) forget(e *expectation, why Kind) {
	g.noteOf(why, e)
	g.unexpect(e)
}

// expireOf removes the expectations of a connection that have expired.
func (g *Gateway) expireOf(c *conn) {
	for _, e := range slices.Clone(c.announced) {
		if e.over(g.now) {
			g.forget(e, ExpectationExpired)
		}
	}
}

// unexpect takes an expectation out of the tables.
func (g *Gateway) unexpect(e *expectation) {
	is := func(o *expectation) bool { return o == e }
	list := g.expected.at[e.outside]
	n := len(list)
	if list = slices.DeleteFunc(list, is); len(list) == n {
		return
	}
	if len(list) == 0 {
		delete(g.expected.at, e.outside)
	} else {
		g.expected.at[e.outside] = list
	}
	e.master.announced = slices.DeleteFunc(e.master.announced, is)
	g.expected.count--
}

// pinhole finds or makes the mapping by which an expected connection reaches an
// inside endpoint; nil says that there is no room.
func (g *Gateway) pinhole(inside netip.AddrPort, v *packet.View) *mapping {
	for _, m := range g.at(v.Dst) {
		if m.inside == inside {
			return m
		}
	}
	m := g.newMapping(g.nat.Mapping.keyFor(inside, v.Src), v.Dst)
	if m != nil {
		m.pinhole = true
	}
	return m
}
