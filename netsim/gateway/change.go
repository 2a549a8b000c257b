package gateway

import (
	"fmt"
	"time"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// Kind is what a Change is about.
type Kind uint8

// The kinds of changes.
const (
	MappingMade Kind = iota
	MappingExpired
	ConnectionMade
	ConnectionExpired
	ExpectationMade
	ExpectationUsed
	ExpectationExpired
	ExpectationEvicted
	PacketDropped   // without a word
	PacketRejected  // with a RST or an ICMP error
	PacketRewritten // by a helper, which has left a note
)

func (k Kind) String() string {
	return [...]string{"mapping made", "mapping expired", "connection made", "connection expired",
		"expectation made", "expectation used", "expectation expired", "expectation evicted",
		"packet dropped", "packet rejected", "packet rewritten"}[k]
}

// Change is something that has happened in a gateway.
type Change struct {
	At   time.Time
	Kind Kind
	// Reason is set for packets that were dropped or rejected.
	Reason Reason
	// Text says what it is about: the mapping, the connection, the packet.
	Text string
}

func (c Change) String() string { return c.Kind.String() + ": " + c.Text }

// Observe lets f hear of all that happens from now on, one change after the
// other, while no mutex is held. In virtual time, a change is told before the
// packets leave that it has brought about. What expires is told when it is
// noticed.
func (g *Gateway) Observe(f func(Change)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.observers = append(g.observers, f)
}

// note records a change for the observers.
func (g *Gateway) note(c Change) {
	if len(g.observers) > 0 {
		c.At = g.now
		g.changes = append(g.changes, c)
	}
}

// noteOf is note about an entry of a table.
func (g *Gateway) noteOf(k Kind, entry fmt.Stringer) {
	if len(g.observers) > 0 {
		g.note(Change{Kind: k, Text: entry.String()})
	}
}

// tell calls the observers, with the mutex released meanwhile. Of several
// goroutines one does it for all, which keeps the order.
func (g *Gateway) tell() {
	if g.telling {
		return
	}
	g.telling = true
	for len(g.changes) > 0 {
		changes, observers := g.changes, g.observers
		g.changes = nil
		g.mu.Unlock()
		for _, c := range changes {
			for _, f := range observers {
				f(c)
			}
		}
		g.mu.Lock()
	}
	g.telling = false
}

// drop ends a packet without a word.
func (g *Gateway) drop(p *packet.Packet, why Reason) {
	g.end(p, PacketDropped, why)
}

// end counts a packet that goes no further, and gives it back.
func (g *Gateway) end(p *packet.Packet, k Kind, why Reason) {
	g.drops[why]++
	if len(g.observers) > 0 {
		text := fmt.Sprintf("%v: %v", why, p)
		if p.Note != "" {
			text += " (" + p.Note + ")"
		}
		g.note(Change{Kind: k, Reason: why, Text: text})
	}
	p.Release()
}

// reset ends a segment and answers with a RST, as if it were the destination's.
func (g *Gateway) reset(in *port, p *packet.Packet, v *packet.View, why Reason) {
	g.answer(in, p, packet.Reset(v), why)
}

// refuse ends a packet and answers with an ICMP error of the interface on which
// it came; mtu is for packets that are too big.
func (g *Gateway) refuse(in *port, p *packet.Packet, v *packet.View, what packet.Unreachable, mtu int, why Reason) {
	var answer *packet.Packet
	silent := what == packet.TooBig && g.faults.SilentTooBig
	if from, ok := in.addr(v.Version); ok && !silent {
		answer = packet.ICMPError(from, p, v, what, mtu)
	}
	g.answer(in, p, answer, why)
}

// answer ends a packet; the answer may be nil where none must be given.
func (g *Gateway) answer(in *port, p, answer *packet.Packet, why Reason) {
	if answer == nil {
		g.drop(p, why)
		return
	}
	answer.Note = g.name + ": " + why.String()
	g.send(in, answer)
	g.end(p, PacketRejected, why)
}
