package alg

import (
	"encoding/binary"

	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// acknowledged takes what a segment acknowledges of the other direction, and
// turns it into that sender's numbers.
func (r *reassembling) acknowledged(p *packet.Packet, v *packet.View, from gateway.Side) {
	s := &r.streams[from.Other()]
	if !s.known {
		return
	}
	last := s.edits.out(s.next)
	position := func(seq uint32) int64 { return last + int64(int32(seq-uint32(last))) }
	ack := max(s.edits.in(position(v.Ack), false), s.edits.floor) // what is forgotten has been acknowledged
	s.acked = max(s.acked, min(ack, s.free))
	if ack == s.free && s.held() && !s.stuck {
		s.ownFrom, s.own = s.free, s.next
	}
	if ack >= s.ownFrom && ack < s.own {
		ack = s.own // the sender has been told so, or is told now
	}
	if n := uint32(ack); n != v.Ack && !r.Faults.NoAcknowledge {
		p.SetAck(v, n)
	}
	if len(s.edits.list) > 0 || s.edits.delta != 0 {
		r.selective(p, v, s, position)
	}
}

// selective turns the blocks of selective acknowledgements into the sender's
// numbers. Of an edit the receiver has all or nothing; a block of which nothing
// is left becomes an empty one that says nothing (RFC 2018 section 3).
func (r *reassembling) selective(p *packet.Packet, v *packet.View, s *stream, position func(uint32) int64) {
	if r.Faults.NoSACK {
		return
	}
	var edges []uint32
	var left int64
	p.MapSACK(v, func(edge uint32) uint32 {
		at := s.edits.in(position(edge), len(edges)%2 == 0)
		if edges = append(edges, uint32(at)); len(edges)%2 == 1 {
			left = at
		} else if at <= left {
			edges[len(edges)-2], edges[len(edges)-1] = v.Ack, v.Ack
		}
		return edge
	})
	next := 0
	p.MapSACK(v, func(uint32) uint32 {
		next++
		return edges[next-1]
	})
}

// sent is where the receiver has got to when it has all that has gone on.
func (s *stream) sent() int64 {
	if s.fin >= 0 && s.fin == s.free {
		return s.free + 1
	}
	return s.free
}

// bare gives a segment without octets its number. A receiver must not see a
// number behind what it can have, which it would not take for valid.
func (r *reassembling) bare(p *packet.Packet, v *packet.View, s *stream) {
	at, limit := s.at(v.Seq), s.sent()
	if at >= s.free && at < s.next {
		limit-- // a probe: it asks for an answer (RFC 9293 section 3.8.4)
	}
	urgent := at + int64(v.Urgent)
	at = min(at, limit)
	r.setSeq(p, v, s, at)
	if v.Flags.Has(packet.URG) {
		p.SetUrgent(v, uint16(min(max(r.position(s, urgent)-r.position(s, at), 0), 65535)))
	}
}

// onlyAck makes a segment whose octets do not go on say only what it
// acknowledges, and reports whether that is anything new.
func (r *reassembling) onlyAck(p *packet.Packet, v *packet.View, s *stream) bool {
	if !v.Flags.Has(packet.ACK) || s.told.some && s.told.window == v.Window && int32(v.Ack-s.told.ack) <= 0 {
		return false
	}
	setFlags(p, v, v.Flags&^(packet.FIN|packet.PSH|packet.URG))
	p.Replace(v, 0, v.Len(), nil)
	r.setSeq(p, v, s, s.sent())
	return true
}

// answer acknowledges what is held, in the name of the receiver, once the
// receiver has all that comes before.
func (r *reassembling) answer(to gateway.Side) {
	s, receiver := &r.streams[to], &r.streams[to.Other()]
	if !s.held() || s.stuck || s.acked < s.free || !receiver.known {
		return
	}
	s.ownFrom, s.own = s.free, s.next
	ack := packet.Segment{Src: r.conn.Real(to.Other()), Dst: r.conn.Seen(to), Flags: packet.ACK,
		Seq: uint32(r.position(receiver, receiver.sent())), Ack: uint32(s.next), Window: receiver.window >> receiver.scale}
	if s.stamps && receiver.stamps { // RFC 7323 section 3.2: in every segment
		ack.Options = binary.BigEndian.AppendUint32([]byte{1, 1, optionTimestamps, 10}, receiver.stamp)
		ack.Options = binary.BigEndian.AppendUint32(ack.Options, s.stamp)
	}
	p := packet.TCP(ack)
	p.Note = "acknowledged in the name of the " + to.Other().String()
	r.conn.Send(p, to)
}
