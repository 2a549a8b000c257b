package alg

import (
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// reassembling is the inspector of the profile Reassembling, and of the broken
// ones that rest on it. Each direction is a stream. Octets go on as they come,
// except those of a line that is not complete and may announce an endpoint:
// they are held, and acknowledged in the receiver's name, so that a sender that
// waits for acknowledgements goes on. The octet that completes a line never is;
// until the receiver has the line, the sender goes on repeating that octet, and
// every repetition makes the whole line go out again, from memory.
type reassembling struct {
	session
	streams [2]stream

	askedAll bool // EPSV ALL waits for its reply
	onlyEPSV bool // and has been accepted
	askedTLS bool // AUTH has passed
}

func newReassembling(s session) *reassembling {
	r := &reassembling{session: s}
	for side := range r.streams {
		r.streams[side].lines = scanner{from: gateway.Side(side), knows: r.looksFor}
	}
	return r
}

// looksFor reports whether a line may be held.
func (r *reassembling) looksFor(k kind) bool {
	known := !r.onlyEPSV || k != port && k != eprt
	return known && !r.anywhere && r.knows(k)
}

// Inspect implements gateway.Inspector.
func (r *reassembling) Inspect(p *packet.Packet, v *packet.View, from gateway.Side) bool {
	if !v.TCP || v.Fragment() {
		return true
	}
	if !p.ChecksumOK(v) {
		// Nobody would take it, and what it says must not be remembered.
		r.conn.Note("dropped: wrong TCP checksum")
		return false
	}
	r.overdue()
	s := &r.streams[from]
	s.learn(p, v)
	if v.Flags.Has(packet.ACK) {
		r.acknowledged(p, v, from)
	}
	goes := true
	switch {
	case v.Flags.Has(packet.SYN):
		r.synchronize(p, v, s)
	case !s.known && v.Flags.Has(packet.RST):
	default:
		if !s.known {
			s.begin(v.Seq, false)
		}
		if v.Flags.Has(packet.RST) || v.Len() == 0 && !v.Flags.Has(packet.FIN) {
			r.bare(p, v, s)
		} else {
			goes = r.segment(p, v, from)
		}
	}
	if goes && v.Flags.Has(packet.ACK) {
		s.told = acknowledgement{v.Ack, v.Window, true}
	}
	return goes
}

// synchronize takes a SYN, of which only the number matters. Text in it would
// go on unseen; without it, the sender repeats it later (RFC 7413 section 4.2.2).
func (r *reassembling) synchronize(p *packet.Packet, v *packet.View, s *stream) {
	if v.Len() > 0 {
		p.Replace(v, 0, v.Len(), nil)
	}
	if !s.known || uint32(s.first) != v.Seq+1 {
		s.begin(v.Seq+1, true)
	}
}
