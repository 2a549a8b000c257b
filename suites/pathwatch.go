package suites

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/ftpconform/ftpconform/netsim/packet"
	"github.com/ftpconform/ftpconform/netsim/wire"
)

// serverWatch sees to whom the server connects.
type serverWatch struct {
	mu      sync.Mutex
	clients map[netip.Addr]bool // who has connected to the control port
	dialled []netip.AddrPort    // to whom the server has sent SYN, in order
}

// watchServer begins to look at the wire of the server. The wire stands still
// when the check ends.
func (s *Session) watchServer() *serverWatch {
	w := &serverWatch{clients: map[netip.Addr]bool{}}
	s.Scene.Wire(s.Scene.Topology.Server).Tap(func(m wire.Moment, from int, _ time.Time, p *packet.Packet) {
		v, err := p.Parse()
		if err != nil || !v.TCP || !v.Flags.Has(packet.SYN) || v.Flags.Has(packet.ACK) {
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		switch {
		case from == 0 && m == wire.Sent:
			w.dialled = append(w.dialled, v.Dst)
		case from == 1 && m == wire.Arrived && v.Dst.Port() == s.Target.Address.Port():
			w.clients[v.Src.Addr()] = true
		}
	})
	return w
}

// astray returns the endpoints to which the server has tried to connect, and
// which belong neither to a client as the server sees it nor to an address
// that a client has named.
func (w *serverWatch) astray(named ...netip.Addr) []netip.AddrPort {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []netip.AddrPort
	for _, ep := range w.dialled {
		if !w.clients[ep.Addr()] && !slices.Contains(named, ep.Addr()) && !slices.Contains(out, ep) {
			out = append(out, ep)
		}
	}
	return out
}

// attempts counts the SYNs to an address.
func (w *serverWatch) attempts(to netip.Addr) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, ep := range w.dialled {
		if ep.Addr() == to {
			n++
		}
	}
	return n
}
