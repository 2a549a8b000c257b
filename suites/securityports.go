package suites

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
)

// passivePorts sends PASV n times without connecting and returns the
// endpoints, and the reply that refused one, if one did.
func (c *Control) passivePorts(n int) (eps []netip.AddrPort, refusal *Received) {
	for range n {
		r := c.Cmd("PASV")
		if !r.Positive() {
			return eps, &r
		}
		ep, err := passiveEndpoint(r.Reply)
		if err != nil {
			c.s.Inconclusive("the reply to PASV cannot be read: %v", err)
		}
		eps = append(eps, netip.AddrPortFrom(c.Remote.Addr(), ep.Port()))
	}
	return eps, nil
}

func securityRandomPorts(s *Session) {
	const (
		samples = 200
		enough  = 50
	)
	c := s.Login()
	first, refusal := c.passivePorts(samples)
	if len(first) < enough {
		s.Inconclusive("only %d passive ports could be had in one session: %s", len(first), refusal)
	}
	c.Quit()
	second, _ := s.Login().passivePorts(enough)
	ports := portNumbers(first)
	switch p := s.Target.PassivePorts; {
	case p.Min != 0 && p.Max-p.Min < 2:
		s.NotApplicable("the passive range has %d ports: too few to be random", p.Max-p.Min+1)
	case p.Min == 0 && distinct(ports) < 3:
		s.NotApplicable("all passive ports are among %d: too few to be random, if the range has no more", distinct(ports))
	}
	if what := portPattern(ports); what != "" {
		s.Fail("%d passive ports of one session show a pattern: %s; the first are %v", len(ports), what, ports[:8])
	}
	if again := portNumbers(second); len(again) == enough && distinct(ports) > 2 && agreement(ports, again) >= 0.75 {
		s.Fail("two sessions get the same passive ports in the same order: %v", again[:8])
	}
}

func portNumbers(eps []netip.AddrPort) []int {
	out := make([]int, 0, len(eps))
	for _, ep := range eps {
		out = append(out, int(ep.Port()))
	}
	return out
}

// portPattern says what is regular about a sequence of ports, "" if nothing
// is. The thresholds leave room for ports that were in use, and for the turn
// from the end of a range to its beginning; a random order stays far below
// them, in a range of few ports too.
func portPattern(ports []int) string {
	var (
		n               = distinct(ports)
		steps           = map[int]int{}
		rising, falling int
	)
	for i, p := range ports[1:] {
		steps[p-ports[i]]++
		switch {
		case p > ports[i]:
			rising++
		case p < ports[i]:
			falling++
		}
	}
	total := float64(len(ports) - 1)
	// A constant step shows as one difference, and as a second one where the
	// range begins anew.
	common := slices.SortedFunc(maps.Keys(steps), func(a, b int) int { return steps[b] - steps[a] })
	often := steps[common[0]]
	if len(common) > 1 {
		often += steps[common[1]]
	}
	switch {
	case n == 1:
		return "it is one port all the time"
	case n <= len(ports)/2 && agreement(ports, ports[n:]) >= 0.9:
		return fmt.Sprintf("a cycle of %d ports", n)
	case n >= 8 && float64(often)/total >= 0.75:
		return fmt.Sprintf("a constant step of %d", common[0])
	case n >= 8 && float64(rising)/total >= 0.9:
		return "they rise"
	case n >= 8 && float64(falling)/total >= 0.9:
		return "they fall"
	}
	return ""
}

// distinct counts different ports.
func distinct(ports []int) int {
	sorted := slices.Clone(ports)
	slices.Sort(sorted)
	return len(slices.Compact(sorted))
}

// agreement is the share of positions at which two sequences agree, over the
// length of the shorter one.
func agreement(a, b []int) float64 {
	n, same := min(len(a), len(b)), 0
	for i := range n {
		if a[i] == b[i] {
			same++
		}
	}
	return float64(same) / float64(max(n, 1))
}

func securityIdleListeners(s *Session) {
	const times = 200
	c := s.Login()
	eps, refusal := c.passivePorts(times)
	switch {
	case refusal != nil && len(eps) > 0 && refusal.In(421, 425, 451):
		s.Fatal("PASV number %d of one session, none of which was used, was answered %s: listeners pile up", len(eps)+1, refusal)
	case refusal != nil:
		s.Inconclusive("PASV number %d was answered %s", len(eps)+1, refusal)
	}
	last := eps[len(eps)-1]
	old := sample(eps[:len(eps)-1], last)
	for _, ep := range old {
		if !s.Refused(ep) {
			s.Fail("port %d of an earlier PASV still accepts after a later one named port %d", ep.Port(), last.Port())
			break
		}
	}
	c.Quit()
	for _, ep := range append(old, last) {
		if !s.Refused(ep) {
			s.Fail("port %d still accepts after the session has ended", ep.Port())
			break
		}
	}
	if r := s.Login().Cmd("PASV"); !r.Positive() {
		s.Fail("after a session with %d unused PASV another session is answered %s", times, r)
	}
}

// sample takes a few different endpoints from all over a sequence, none of
// them the one that is still in use.
func sample(eps []netip.AddrPort, except netip.AddrPort) []netip.AddrPort {
	const few = 8
	var out []netip.AddrPort
	for i := 0; i < len(eps); i += max(len(eps)/few, 1) {
		if eps[i] != except && !slices.Contains(out, eps[i]) {
			out = append(out, eps[i])
		}
	}
	return out
}
