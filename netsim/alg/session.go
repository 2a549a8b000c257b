package alg

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// kind is a line that announces an endpoint.
type kind string

// The lines.
const (
	port kind = "PORT"
	eprt kind = "EPRT"
	pasv kind = "227"
	epsv kind = "229"
)

// announcement is an endpoint that stands in a line.
type announcement struct {
	kind     kind
	endpoint netip.AddrPort
	off, n   int // where in the text it stands
}

// life is how long an announced connection is waited for. In Linux that is the
// nominal time; its timers go off up to 16 s later, which is left out.
const life = 300 * time.Second

// lateness is the delay of LateExpectation.
const lateness = 500 * time.Millisecond

// session is what every kind of inspector keeps about its connection.
type session struct {
	*helper
	conn gateway.Connection
	late []late
}

// late is an expectation that is still to be made.
type late struct {
	at time.Time
	gateway.Expectation
}

// translated reports whether a side has another address outside.
func (s *session) translated(side gateway.Side) bool { return s.conn.Real(side) != s.conn.Seen(side) }

// expect announces the connection to an endpoint of a side and returns the
// endpoint under which the peer finds it.
func (s *session) expect(by gateway.Side, to netip.AddrPort, limit int) (netip.AddrPort, error) {
	e := gateway.Expectation{By: by, To: to, From: s.conn.Real(by.Other()).Addr(), Life: life, Uses: 1, Max: limit}
	if s.segments {
		e.Port = s.higher(to.Port())
	}
	if s.Faults.TwoWay {
		e.From, e.Uses = netip.Addr{}, 0
	}
	if s.Faults.LateExpectation {
		s.late = append(s.late, late{s.conn.Now().Add(lateness), e})
		return netip.AddrPortFrom(s.conn.Seen(by).Addr(), to.Port()), nil
	}
	return s.conn.Expect(e)
}

// higher chooses a port as Linux does: random ones from the announced one up
// to 65534, 128 at most.
func (s *session) higher(port uint16) func(taken func(uint16) bool) uint16 {
	return func(taken func(uint16) bool) uint16 {
		span := 65535 - int(port)
		for range min(span, 128) {
			if p := port + uint16(s.Rand.IntN(span)); !taken(p) {
				return p
			}
		}
		return 0
	}
}

// overdue makes the expectations whose time has come.
func (s *session) overdue() {
	for len(s.late) > 0 && !s.conn.Now().Before(s.late[0].at) {
		e := s.late[0].Expectation
		s.late = s.late[1:]
		if _, err := s.conn.Expect(e); err == nil {
			s.conn.Note("%s opened for %s, late", e.To, whom(e.From))
		}
	}
}

// knows reports whether a line is looked at at all.
func (s *session) knows(k kind) bool {
	switch k {
	case pasv:
		return !s.Faults.LeavesPASV
	case eprt:
		return !s.Faults.LeavesEPRT && !s.pasvOnly
	default:
		return !s.pasvOnly
	}
}

// named is the endpoint that the text has to name where the gateway has opened
// another, or the same.
func (s *session) named(from gateway.Side, a announcement, opened netip.AddrPort) netip.AddrPort {
	switch {
	case s.Faults.KeepsPort:
		return netip.AddrPortFrom(opened.Addr(), a.endpoint.Port())
	case s.Faults.MangledEPSV && a.kind == epsv && !s.translated(from):
		return netip.AddrPortFrom(opened.Addr(), max(opened.Port()+1, 1))
	}
	return opened
}

// tell notes what has become of an announcement.
func (s *session) tell(from gateway.Side, k kind, before, after string, opened netip.AddrPort) {
	story := fmt.Sprintf("%s %s", k, printable(before))
	if after != before {
		story += fmt.Sprintf(" becomes %s %s;", k, after)
	} else {
		story += ":"
	}
	verb := "opened"
	if s.Faults.LateExpectation {
		verb = "not yet opened"
	}
	by := s.conn.Real(from.Other()).Addr()
	if s.Faults.TwoWay {
		by = netip.Addr{}
	}
	s.conn.Note("%s %s %s for %s", story, opened, verb, whom(by))
}

func whom(a netip.Addr) string {
	if !a.IsValid() {
		return "anybody"
	}
	return a.String()
}

// printable makes a text of a stranger fit for a note.
func printable(text string) string {
	if len(text) > 80 {
		text = text[:80] + "..."
	}
	return strings.Map(func(r rune) rune {
		if r < 32 || r > 126 {
			return '?'
		}
		return r
	}, text)
}

// rewrite puts text in the place of n octets of the payload, or what a fault
// makes of that. It reports false when the packet cannot hold it.
func (s *session) rewrite(p *packet.Packet, v *packet.View, off, n int, text []byte) bool {
	header := [20]byte(p.Data[:20])
	if !p.Replace(v, off, n, text) {
		return false
	}
	if s.Faults.BadLength && v.Version == 4 { // also the checksum of the old length
		copy(p.Data[2:4], header[2:4])
		copy(p.Data[10:12], header[10:12])
	}
	if s.Faults.BadLength && v.Version == 6 {
		copy(p.Data[4:6], header[4:6])
	}
	if s.Faults.BadTCPChecksum {
		p.IPPayload(v)[16] ^= 0x55
	}
	return true
}
