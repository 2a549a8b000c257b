package gateway

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// Filter is a stateful packet filter for what passes through the gateway. The
// first rule that matches decides. Rules see both endpoints of a connection as
// they are, not as translation makes them look. What is for the gateway itself
// is not filtered; see Options.Unknown.
type Filter struct {
	Rules []Rule
	// Default is what happens to what no rule matches.
	Default Action
	// Timeouts, Strict, Windows and MaxConnections are as in NAT, for a gateway
	// that has none. Rules decide about what is invalid.
	Timeouts        Timeouts
	Strict, Windows bool
	MaxConnections  int
}

// Rule is a rule of a filter; zero values match everything.
type Rule struct {
	// In and Out are names of interfaces.
	In, Out  string
	State    State
	Src, Dst netip.Prefix
	// Ports are destination ports of TCP.
	Ports  PortRange
	Action Action
}

// State is what a packet is to the connections that are known; a set of states
// in a rule.
type State uint8

// The states.
const (
	// StateNew is a packet of a connection to which one end only has sent
	// packets so far, and every packet of another protocol than TCP.
	StateNew State = 1 << iota
	// StateEstablished is a packet of a connection to which both ends have sent
	// packets.
	StateEstablished
	// StateRelated stands for StateNew if the connection is expected; an ICMP
	// error about a connection is related, too.
	StateRelated
	// StateInvalid is a segment without a connection that makes none, and an
	// ICMP error about something unknown.
	StateInvalid
)

// Action is what a filter does with a packet.
type Action uint8

// The actions.
const (
	Accept                Action = iota
	Drop                         // without a word
	RejectReset                  // with a RST; what is not TCP is dropped
	RejectNet                    // with ICMP net unreachable
	RejectHost                   // with ICMP host unreachable
	RejectPort                   // with ICMP port unreachable
	RejectAdminProhibited        // with ICMP administratively prohibited
)

// check says what is wrong with a filter, of a gateway with these interfaces.
func (f *Filter) check(interfaces map[string]bool) error {
	if f.Default > RejectAdminProhibited {
		return fmt.Errorf("there is no action %d", f.Default)
	}
	if f.MaxConnections < 0 {
		return fmt.Errorf("at most %d connections are too few", f.MaxConnections)
	}
	for i, r := range f.Rules {
		if err := r.check(interfaces); err != nil {
			return fmt.Errorf("rule %d: %w", i+1, err)
		}
	}
	return f.Timeouts.check()
}

func (r Rule) check(interfaces map[string]bool) error {
	for _, name := range []string{r.In, r.Out} {
		if name != "" && !interfaces[name] {
			return fmt.Errorf("there is no interface %q", name)
		}
	}
	switch {
	case r.Action > RejectAdminProhibited:
		return fmt.Errorf("there is no action %d", r.Action)
	case r.State >= StateInvalid<<1:
		return fmt.Errorf("there is no state %#x", uint8(r.State))
	case r.Src.IsValid() && r.Dst.IsValid() && r.Src.Addr().Is4() != r.Dst.Addr().Is4():
		return errors.New("source and destination are of two families")
	}
	return r.Ports.check()
}

// ruleset is a Filter at work.
type ruleset struct {
	rules    []rule
	fallback Action
}

type rule struct {
	Rule
	in, out *port
}

func (g *Gateway) compile(f *Filter) *ruleset {
	names := map[string]*port{}
	for _, p := range g.ports {
		names[p.name] = p
	}
	s := &ruleset{fallback: f.Default}
	for _, r := range f.Rules {
		s.rules = append(s.rules, rule{r, names[r.In], names[r.Out]})
	}
	return s
}

func (s *ruleset) decide(in, out *port, state State, src, dst netip.AddrPort) Action {
	for i := range s.rules {
		if r := &s.rules[i]; r.matches(in, out, state, src, dst) {
			return r.Action
		}
	}
	return s.fallback
}

func (r *rule) matches(in, out *port, state State, src, dst netip.AddrPort) bool {
	return (r.in == nil || r.in == in) && (r.out == nil || r.out == out) &&
		(r.State == 0 || r.State&state != 0) &&
		(!r.Src.IsValid() || r.Src.Contains(src.Addr())) && (!r.Dst.IsValid() || r.Dst.Contains(dst.Addr())) &&
		// What is not TCP has port 0, which is in no range.
		(r.Ports == PortRange{} || r.Ports.Contains(dst.Port()))
}

// allowed asks the filter about a packet from src to dst, and ends it if it may
// not pass. It reports whether the packet is still there.
func (g *Gateway) allowed(in, out *port, p *packet.Packet, v *packet.View, state State, src, dst netip.AddrPort) bool {
	if g.rules == nil {
		return true
	}
	switch g.rules.decide(in, out, state, src, dst) {
	case Accept:
		return true
	case RejectReset:
		g.reset(in, p, v, Filtered)
	case RejectNet:
		g.refuse(in, p, v, packet.NetUnreachable, 0, Filtered)
	case RejectHost:
		g.refuse(in, p, v, packet.HostUnreachable, 0, Filtered)
	case RejectPort:
		g.refuse(in, p, v, packet.PortUnreachable, 0, Filtered)
	case RejectAdminProhibited:
		g.refuse(in, p, v, packet.AdminProhibited, 0, Filtered)
	default:
		g.drop(p, Filtered)
	}
	return false
}
