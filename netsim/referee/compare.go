package main

import (
	"fmt"
	"slices"
	"strings"
)

// compare lists what differs from the record.
func (p *replay) compare() []string {
	var out []string
	differ := func(what string, got, want any) {
		out = append(out, fmt.Sprintf("%s:\n      here     %q\n      recorded %q", what, got, want))
	}
	if want := unescapeAll(p.ServerSegments); !p.sameSegments(p.arrived, want) {
		differ("segments at the server", p.arrived, want)
	}
	s := p.sessions[len(p.sessions)-1]
	if got, want := string(s.client.got), unescape(p.RepliesSeen); got != want {
		differ("replies at the client", got, want)
	}
	if p.AppReceived != nil && len(p.sessions) == 1 {
		got, want := string(s.server.got), unescape(*p.AppReceived)
		if !strings.HasSuffix(got, want) {
			differ("what the server has read", got, want)
		}
	}
	for _, e := range p.expectations {
		if text := p.unexpected(e); text != "" {
			out = append(out, text)
		}
	}
	return out
}

// sameSegments compares payloads. A port that a helper has chosen at random is
// like any other one that nobody has announced.
func (p *replay) sameSegments(got, want []string) bool {
	return slices.EqualFunc(got, want, func(g, w string) bool {
		if g == w {
			return true
		}
		a, ok1 := endpointIn(g)
		b, ok2 := endpointIn(w)
		return ok1 && ok2 && a.Addr() == b.Addr() && !p.announces(a.Port()) && !p.announces(b.Port())
	})
}

// announces reports whether the client announces a port.
func (p *replay) announces(port uint16) bool {
	return slices.ContainsFunc(p.segments, func(text string) bool {
		ep, ok := endpointIn(text)
		return ok && ep.Port() == port
	})
}

// listens reports whether the server announces a port.
func (p *replay) listens(port uint16) bool {
	return slices.ContainsFunc(replies(unescape(p.RepliesSent)), func(text string) bool {
		ep, ok := endpointIn(text)
		return ok && ep.Port() == port
	})
}
