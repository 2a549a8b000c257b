package alg

import (
	"bytes"

	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// segment takes a segment with octets or a FIN and reports whether it goes on.
func (r *reassembling) segment(p *packet.Packet, v *packet.View, from gateway.Side) bool {
	s := &r.streams[from]
	raw, fin := p.Payload(v), v.Flags.Has(packet.FIN)
	at := s.at(v.Seq)
	end := at + int64(len(raw))
	if v.Flags.Has(packet.URG) {
		s.urgent = max(s.urgent, at+int64(v.Urgent))
	}
	s.edits.prune(s.acked)
	news := end > s.next || fin && s.fin < 0 && end == s.next
	switch {
	case at > s.next && s.lines.off && !s.held():
		s.next, s.free = at, at // where nothing is looked at, nothing has to come first
	case at > s.next:
		if s.keep(at, raw, fin) {
			r.conn.Note("held: it comes before its predecessors")
		} else {
			r.conn.Note("dropped: it comes before its predecessors, and there is no room")
		}
		return r.onlyAck(p, v, s)
	case end <= s.edits.floor && !fin:
		// All of it was acknowledged long ago; an old segment without octets
		// makes the receiver say so again.
		p.Replace(v, 0, len(raw), nil)
		r.setSeq(p, v, s, at)
		return true
	case s.stuck, s.fin >= 0 && end > s.fin:
		return r.onlyAck(p, v, s)
	case news && len(s.edits.list) >= maxEdits:
		r.conn.Note("dropped: %d changes of the text are not yet acknowledged", len(s.edits.list))
		return r.onlyAck(p, v, s)
	case !news && r.Faults.RewritesOnce && end <= s.free:
		r.setSeq(p, v, s, at)
		return true
	}
	o := sending{at: at, raw: raw, from: max(at, s.edits.floor), to: min(end, s.free), fin: fin}
	if news {
		o.raw, o.fin = r.advance(from, at, raw, fin)
		o.to = s.free
	}
	if s.held() {
		r.conn.Note("held: %s is not complete", printable(string(s.lines.line)))
		s.stuck = r.Faults.SplitStalls
	}
	r.settle(s, &o)
	r.answer(from)
	if o.to <= o.from && !o.fin {
		return r.onlyAck(p, v, s)
	}
	if !news && r.Faults.DeltaTwice {
		defer s.edits.repeat(o.from, o.to)
	}
	return r.emit(p, v, from, o)
}

// advance looks at the octets of a segment that are new, and at early ones that
// follow them. It returns all octets from at on, and whether the stream ends
// with them.
func (r *reassembling) advance(from gateway.Side, at int64, raw []byte, fin bool) (all []byte, ended bool) {
	s := &r.streams[from]
	first := s.next
	r.take(from, raw[first-at:], first)
	for !fin {
		e, ok := s.due()
		if !ok {
			return raw, false
		}
		more := e.text[s.next-e.at:]
		raw, fin = append(bytes.Clone(raw), more...), e.fin
		r.take(from, more, first)
	}
	if s.fin = s.next; s.held() { // the line will not be completed
		s.release(first, s.next-1, r.Faults)
		s.free = s.next
	}
	return raw, true
}

// sending is what is to go on: the octets between two positions, and the FIN.
type sending struct {
	at       int64 // where raw begins
	raw      []byte
	from, to int64
	fin      bool
}

// settle makes what is to go on begin where an edit does: it goes on as a whole.
func (r *reassembling) settle(s *stream, o *sending) {
	if d := s.edits.covering(o.from); d != nil {
		o.from = d.in
	}
	o.fin = o.fin && s.fin == o.to && s.free == s.fin
	if d := s.edits.last(o.from); o.fin && o.from == s.fin && d != nil && d.inEnd() == s.fin && s.acked < s.fin {
		o.from = d.in // the FIN completes the line as an octet would
	}
}

// emit makes the packet carry what is to go on. Where that has become too much
// for one, others go before it.
func (r *reassembling) emit(p *packet.Packet, v *packet.View, from gateway.Side, o sending) bool {
	s := &r.streams[from]
	text := s.edits.copy(o.from, o.to, o.raw, o.at)
	options := len(p.IPPayload(v)) - v.Len() - 20 // they are part of what has to fit (RFC 6691)
	limit := max(v.Len(), r.streams[from.Other()].takes()-options, 1)
	flags := v.Flags &^ (packet.FIN | packet.URG)
	if o.fin {
		flags |= packet.FIN
	}
	// Positions of the receiver, whose octets these are.
	first, urgent := r.position(s, o.from), r.position(s, s.urgent)
	changes := s.edits.changes(o.from, o.to)
	for ; len(text) > limit; text, first = text[limit:], first+int64(limit) {
		q, w := p.Clone(), *v
		if !r.fill(q, &w, flags&^(packet.FIN|packet.PSH), first, urgent, text[:limit], changes) {
			return false
		}
		r.conn.Send(q, from.Other())
	}
	return r.fill(p, v, flags, first, urgent, text, changes)
}

// fill gives a packet its contents.
func (r *reassembling) fill(p *packet.Packet, v *packet.View, f packet.Flags, seq, urgent int64, text []byte, changes bool) bool {
	setFlags(p, v, f)
	if uint32(seq) != v.Seq {
		p.SetSeq(v, uint32(seq))
	}
	if urgent > seq {
		p.SetUrgent(v, uint16(min(urgent-seq, 65535)))
	}
	switch {
	case changes:
		return r.rewrite(p, v, 0, v.Len(), text)
	case !bytes.Equal(text, p.Payload(v)):
		return p.Replace(v, 0, v.Len(), text)
	}
	return true
}

// setFlags changes the flags of a segment.
func setFlags(p *packet.Packet, v *packet.View, f packet.Flags) {
	if v.Flags.Has(packet.URG) && !f.Has(packet.URG) {
		p.SetUrgent(v, 0)
	}
	if f == v.Flags {
		return
	}
	b := p.IPPayload(v)
	b[13] = b[13]&0xc0 | byte(f)
	v.Flags = f
	p.Replace(v, 0, 0, nil) // for the checksum
}

// position is where the receiver has a position of the sender.
func (r *reassembling) position(s *stream, in int64) int64 {
	if r.Faults.NoSequence {
		return in
	}
	return s.edits.out(in)
}

func (r *reassembling) setSeq(p *packet.Packet, v *packet.View, s *stream, in int64) {
	if n := uint32(r.position(s, in)); n != v.Seq {
		p.SetSeq(v, n)
	}
}
