package reference

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/ftpconform/ftpconform/internal/host"
)

// errPortUnfit is why a port that the host has chosen was given back.
var errPortUnfit = errors.New("port not fit for passive use")

// A host asked for any port may have none left that no connection in TIME_WAIT
// holds, although many of them can be listened on. So after some tries random
// ports are named, out of those that are nobody's (RFC 6335 section 6).
const (
	hostTries    = 8
	dynamicTries = 32
	minDynamic   = 49152
)

// openPort opens a listener for one passive set-up: on a random port of the
// range (RFC 2577 section 8), never on the control port or the default data
// port (RFC 959 section 4.1.2, PASV), and on the port announced last only when
// no other is free.
func (s *session) openPort(at netip.Addr) (net.Listener, error) {
	var last error
	for _, port := range s.candidates() {
		l, err := s.o.Network.Listen(s.ctx, netip.AddrPortFrom(at, port))
		if err != nil {
			last = err
			continue
		}
		got := host.AddrPort(l.Addr()).Port()
		if port == 0 && (s.reserved(got) || got == s.setup.lastPort) {
			l.Close()
			last = errPortUnfit
			continue
		}
		return l, nil
	}
	return nil, fmt.Errorf("open a passive port: %w", last)
}

// reserved ports are announced to nobody.
func (s *session) reserved(port uint16) bool {
	l := s.local.Port()
	return port == l || port == l-1 || port == s.o.DataPort && port != 0
}

// candidates lists the ports to try, best first; 0 is whatever the host gives.
func (s *session) candidates() []uint16 {
	f, r := &s.o.Faults, s.o.PassivePorts
	var out []uint16
	s.passiveUses++
	if f.PASVDefaultPort && s.passiveUses%5 == 0 {
		out = append(out, s.local.Port()-1)
	}
	if f.PASVSharesListener && s.setup.lastPort != 0 {
		out = append(out, s.setup.lastPort)
	}
	if f.RangeOffByOne && r.Max != 0 && r.Max < 65535 && r.Max+1 != s.setup.lastPort {
		out = append(out, r.Max+1)
	}
	switch {
	case f.SequentialPorts:
		return append(out, s.srv.nextPorts(r)...)
	case r.Max == 0:
		out = append(out, make([]uint16, hostTries)...)
		for range dynamicTries {
			if port := uint16(minDynamic + s.o.Random(1<<16-minDynamic)); !s.reserved(port) {
				out = append(out, port)
			}
		}
		return out
	}
	n := int(r.Max) - int(r.Min) + 1
	start, again := s.o.Random(n), false
	for i := range n {
		switch port := r.Min + uint16((start+i)%n); {
		case s.reserved(port) || port == 0:
		case port == s.setup.lastPort:
			again = true
		default:
			out = append(out, port)
		}
	}
	if again {
		out = append(out, s.setup.lastPort)
	}
	return out
}

// nextPorts is Faults.SequentialPorts: all ports of the range, or some of the
// dynamic ones, from the one after the last start.
func (s *Server) nextPorts(r PortRange) []uint16 {
	if r.Max == 0 {
		r = PortRange{Min: 61000, Max: 64999}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := int(r.Max) - int(r.Min) + 1
	out := make([]uint16, 0, n)
	for i := range n {
		out = append(out, r.Min+uint16((s.sequence+i)%n))
	}
	s.sequence++
	return out
}

// closedPort finds a port where nobody listens, for Faults.EPSVClosedPort.
func (s *session) closedPort(not uint16) uint16 {
	l, err := s.openPort(s.local.Addr())
	if err != nil {
		return not - 1
	}
	defer l.Close()
	return host.AddrPort(l.Addr()).Port()
}
