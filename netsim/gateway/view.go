package gateway

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Table is what a gateway remembers at a moment. The lists are sorted.
type Table struct {
	At           time.Time
	Mappings     []MappingInfo
	Connections  []ConnectionInfo
	Expectations []ExpectationInfo
}

// MappingInfo describes a mapping.
type MappingInfo struct {
	Inside, Outside netip.AddrPort
	// Remote is for whom it is, as far as the mapping depends on that: the
	// zero value for everybody, port 0 for all ports of an address.
	Remote netip.AddrPort
	// Connections is how many use it.
	Connections int
}

// ConnectionInfo describes a connection; Client is who has begun it.
type ConnectionInfo struct {
	Client, Server EndInfo
	Phase          Phase
	// Expected is set for a connection that was expected.
	Expected bool
	// Helped is set for a connection that the helper looks into.
	Helped bool
	Left   time.Duration
}

// EndInfo is an end of a connection, as it is and as the other end sees it.
type EndInfo struct{ Real, Seen netip.AddrPort }

// ExpectationInfo describes an expectation.
type ExpectationInfo struct {
	// From is who may connect; the zero value for everybody.
	From netip.Addr
	// To is where he connects, Real where that leads.
	To, Real netip.AddrPort
	// Left is how long it will be there, 0 for as long as the connection that
	// has announced it. Uses is how many connections it still allows, 0 for any
	// number.
	Left time.Duration
	Uses int
	// By is the end that has announced it, Peer the other one.
	By, Peer netip.AddrPort
}

// Table returns what the gateway remembers now.
func (g *Gateway) Table() Table {
	g.mu.Lock()
	g.now = g.node.Now()
	g.sweep()
	t := Table{At: g.now}
	for _, c := range g.conns() {
		t.Connections = append(t.Connections, c.info())
		for _, e := range c.announced {
			t.Expectations = append(t.Expectations, e.info())
		}
	}
	if g.nat != nil {
		for _, list := range g.nat.byOutside {
			for _, m := range list {
				t.Mappings = append(t.Mappings, m.info())
			}
		}
	}
	g.release()
	slices.SortFunc(t.Mappings, func(a, b MappingInfo) int {
		return cmp.Or(a.Inside.Compare(b.Inside), a.Outside.Compare(b.Outside), a.Remote.Compare(b.Remote))
	})
	slices.SortFunc(t.Connections, func(a, b ConnectionInfo) int {
		return cmp.Or(a.Client.Real.Compare(b.Client.Real), a.Server.Seen.Compare(b.Server.Seen))
	})
	slices.SortStableFunc(t.Expectations, func(a, b ExpectationInfo) int {
		return cmp.Or(a.To.Compare(b.To), a.From.Compare(b.From))
	})
	return t
}

// String prints the table, one entry on a line: mappings, connections,
// expectations.
func (t Table) String() string {
	var b strings.Builder
	for _, m := range t.Mappings {
		fmt.Fprintln(&b, m)
	}
	for _, c := range t.Connections {
		fmt.Fprintln(&b, c)
	}
	for _, e := range t.Expectations {
		fmt.Fprintln(&b, e)
	}
	return b.String()
}

func (m MappingInfo) String() string {
	s := fmt.Sprintf("mapping %v <-> %v", m.Inside, m.Outside)
	switch {
	case !m.Remote.IsValid():
	case m.Remote.Port() == 0:
		s += fmt.Sprintf("  for %v", m.Remote.Addr())
	default:
		s += fmt.Sprintf("  for %v", m.Remote)
	}
	return s
}

func (c ConnectionInfo) String() string {
	s := fmt.Sprintf("tcp %v  %v  %v", c.Client, c.Server, c.Phase)
	if c.Expected {
		s += ", expected"
	}
	if c.Helped {
		s += ", helper"
	}
	return fmt.Sprintf("%s, %v left", s, left(c.Left))
}

func (e EndInfo) String() string {
	if e.Real == e.Seen {
		return e.Real.String()
	}
	return fmt.Sprintf("%v <-> %v", e.Real, e.Seen)
}

func (e ExpectationInfo) String() string {
	from := "anybody"
	if e.From.IsValid() {
		from = e.From.String()
	}
	s := fmt.Sprintf("expect %s > %v", from, e.To)
	if e.Real != e.To {
		s += fmt.Sprintf(" for %v", e.Real)
	}
	switch e.Uses {
	case 0:
	case 1:
		s += ", once"
	default:
		s += fmt.Sprintf(", %d times", e.Uses)
	}
	if e.Left > 0 {
		s += fmt.Sprintf(", %v left", left(e.Left))
	}
	return fmt.Sprintf("%s, announced by %v to %v", s, e.By, e.Peer)
}

// left rounds what is left of a time for readers.
func left(d time.Duration) time.Duration {
	if d > time.Second {
		return d.Round(time.Second)
	}
	return d.Round(time.Millisecond)
}

func (m *mapping) info() MappingInfo {
	return MappingInfo{Inside: m.inside, Outside: m.outside, Remote: m.key.remote, Connections: len(m.users)}
}

func (c *conn) info() ConnectionInfo {
	return ConnectionInfo{Client: c.ends[Client].info(), Server: c.ends[Server].info(), Phase: c.phase,
		Expected: c.related, Helped: c.inspector != nil, Left: max(0, c.expires.Sub(c.gateway.now))}
}

func (e *end) info() EndInfo { return EndInfo{e.real, e.seen} }

func (e *expectation) info() ExpectationInfo {
	by, peer := &e.master.ends[e.By], &e.master.ends[e.By.Other()]
	i := ExpectationInfo{From: e.From, To: e.outside, Real: e.real, Uses: max(0, e.left), By: by.real, Peer: peer.real}
	if !e.expires.IsZero() {
		i.Left = max(0, e.expires.Sub(e.master.gateway.now))
	}
	return i
}

func (m *mapping) String() string     { return m.info().String() }
func (c *conn) String() string        { return c.info().String() }
func (e *expectation) String() string { return e.info().String() }
