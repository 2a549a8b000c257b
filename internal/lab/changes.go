package lab

import (
	"net/netip"
	"strings"
	"time"

	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// change is a snapshot with what brought it about.
type change struct {
	at      time.Time
	gateway string
	after   *hop
	table   gateway.Table
}

// changed takes note of what a gateway says.
func (r *recorder) changed(name string, g *gateway.Gateway, c gateway.Change) {
	var table gateway.Table
	if c.Kind <= gateway.ExpectationEvicted {
		table = g.Table()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return
	}
	got := r.inside[name]
	if got != nil && !r.real && !got.arrival.Equal(c.At) {
		got = nil
	}
	switch c.Kind {
	case gateway.PacketDropped, gateway.PacketRejected:
		if got != nil && got.lost == "" {
			got.lost = ending(name, c)
			r.comment(got)
		}
	case gateway.PacketRewritten: // its note goes on with the packet
	default:
		last := len(r.changes) - 1
		if now := (change{c.At, name, got, table}); last >= 0 && r.changes[last].gateway == name && r.changes[last].at.Equal(c.At) {
			r.changes[last] = now
		} else {
			r.changes = append(r.changes, now)
		}
	}
}

// comment adds the reason of a loss to the last sight of a hop.
func (r *recorder) comment(h *hop) {
	for i := len(r.sights) - 1; i >= 0; i-- {
		if s := &r.sights[i]; s.hop == h {
			if s.comment != "" {
				s.comment += "; "
			}
			s.comment += h.lost
			return
		}
	}
}

// ending says why a gateway let a packet go no further.
func ending(name string, c gateway.Change) string {
	verb := "drops it"
	if c.Kind == gateway.PacketRejected {
		verb = "rejects it"
	}
	why := c.Reason.String()
	switch c.Reason {
	case gateway.ByHelper:
		if i, j := strings.Index(c.Text, " ("), strings.LastIndex(c.Text, ")"); 0 < i && i < j {
			why = strings.TrimPrefix(c.Text[i+2:j], "dropped: ")
		}
		return name + "'s helper " + verb + ": " + why
	case gateway.Filtered:
		why = "its filter forbids it"
	case gateway.Unexpected:
		why = "nothing in its table leads inside from there"
	default: // the reason has words of its own
	}
	return name + " " + verb + ": " + why
}

// finish says of all hops what has become of them.
func (r *recorder) finish() {
	for _, h := range r.hops {
		if h.to == "" && !h.reached {
			h.to = r.owners.next(h.network, h.from, destination(h))
		}
		switch {
		case h.lost != "":
		case h.reached && h.to == "":
			h.lost = nobodyOn + network(h.network) + " has " + destination(h).String()
			r.comment(h)
		case h.arrived && r.gateway(h.to) && !h.passed:
			h.lost = h.to + silent
		case !h.arrived:
			h.lost = stillOnWire
		}
	}
}

// The beginning of the note about a packet that a network cannot hand over, and
// notes about what a wire does.
const (
	nobodyOn      = "nobody on "
	lostOnWire    = "lost on the wire"
	damagedOnWire = "damaged on the wire"
	stillOnWire   = "still on the wire at the end"
)

// silent ends the note about a packet of which a gateway says nothing.
const silent = " gives no answer"

func destination(h *hop) netip.Addr {
	v, err := (&packet.Packet{Data: h.data}).Parse()
	if err != nil {
		return netip.Addr{}
	}
	return v.Dst.Addr()
}
