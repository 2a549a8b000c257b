package main

import (
	"net/netip"
	"slices"
	"strings"
)

// The ports of clients in the recordings.
const firstPort = 41001

// assign gives each segment to a session.
func (p *replay) assign() {
	n := p.vector.sessions()
	for k := range n {
		s := &session{dials: p.dials(), pending: replies(unescape(p.RepliesSent))}
		s.client.own = netip.AddrPortFrom(p.client, firstPort+uint16(k))
		if n == 1 && len(p.expectations) > 0 { // its own port is known
			s.client.own = netip.AddrPortFrom(p.client, p.expectations[0].client.Port())
		}
		s.client.peer = p.dial
		p.sessions = append(p.sessions, s)
	}
	k, logins := -1, 0
	for i, text := range p.segments {
		switch {
		case strings.HasPrefix(text, "USER "):
			k++
			logins = i
		case n > 1 && !p.inTurn && k == n-1 && i > logins+1:
			k = n - 1 // all are open: they take turns
			p.sessions[(i-logins-2)%n].segments = append(p.sessions[(i-logins-2)%n].segments, i)
			continue
		}
		s := p.sessions[max(k, 0)]
		s.segments = append(s.segments, i)
	}
	for _, s := range p.sessions {
		p.locate(s)
	}
}

// dials are the attempts of the server at data connections.
func (p *replay) dials() []data { return slices.Clone(p.ServerData) }

// locate finds the ends of a session among several, by what it announces.
func (p *replay) locate(s *session) {
	for _, i := range s.segments {
		ep, ok := endpointIn(p.segments[i])
		if !ok || ep.Addr() == p.client || !prefix(p.client.String()).Contains(ep.Addr()) || !ep.Addr().IsPrivate() {
			continue
		}
		for _, e := range p.expectations {
			if e.client.Addr() == ep.Addr() {
				s.client.own = netip.AddrPortFrom(ep.Addr(), firstPort)
				s.client.peer = netip.AddrPortFrom(e.peer.Addr(), p.dial.Port())
			}
		}
	}
}

func (p *replay) sessionOf(i int) *session {
	for _, s := range p.sessions {
		if slices.Contains(s.segments, i) {
			return s
		}
	}
	return p.sessions[0]
}
