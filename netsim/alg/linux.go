package alg

import (
	"bytes"
	"net/netip"

	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// linux is the inspector of the profile Linux. It follows what was measured on
// Linux 6.18. A segment counts only if it starts where an earlier segment ended
// in a newline; then it is either nothing known, or complete, or dropped, and
// so is every repetition of it.
type linux struct {
	session
	lines   [2]lineStarts
	numbers [2]correction
	once    [2]struct { // the last segment that was rewritten, for RewritesOnce
		seq  uint32
		some bool
	}
}

// lineStarts are the last positions after a newline, in the sender's numbers.
type lineStarts struct {
	seq [2]uint32
	n   int
}

func (l *lineStarts) has(seq uint32) bool {
	return l.n > 0 && l.seq[0] == seq || l.n > 1 && l.seq[1] == seq
}

// add remembers a position. The older of two makes room, but only for one that
// is later than itself.
func (l *lineStarts) add(seq uint32) {
	switch {
	case l.has(seq):
	case l.n < len(l.seq):
		l.seq[l.n] = seq
		l.n++
	default:
		oldest := 1
		if int32(l.seq[0]-l.seq[1]) < 0 {
			oldest = 0
		}
		if int32(seq-l.seq[oldest]) > 0 {
			l.seq[oldest] = seq
		}
	}
}

var _ gateway.Renumberer = (*linux)(nil)

// Inspect implements gateway.Inspector.
func (l *linux) Inspect(p *packet.Packet, v *packet.View, from gateway.Side) bool {
	if !v.TCP {
		return true
	}
	l.overdue()
	// The text of a segment that was damaged on the way is nobody's.
	if v.Len() > 0 && l.conn.Established() && !v.Fragment() && p.ChecksumOK(v) && !l.segment(p, v, from) {
		return false
	}
	l.number(p, v, from)
	return true
}

// segment looks at a payload and reports whether it may go on.
func (l *linux) segment(p *packet.Packet, v *packet.View, from gateway.Side) bool {
	text, starts := p.Payload(v), &l.lines[from]
	end, newline := v.Seq+uint32(len(text)), text[len(text)-1] == '\n'
	good := true
	if starts.has(v.Seq) {
		a, found := match(text, from, l.conn.Real(from).Addr())
		switch {
		case found == nothing || !l.knows(a.kind):
		case found == partial:
			l.conn.Note("dropped: partial %s at a line start, as Linux does", a.kind)
			return false
		default:
			good = l.announced(p, v, from, a)
		}
	}
	if newline {
		starts.add(end)
	}
	return good
}

// announced deals with a segment that announces an endpoint.
func (l *linux) announced(p *packet.Packet, v *packet.View, from gateway.Side, a announcement) bool {
	own := l.conn.Real(from).Addr()
	before := string(p.Payload(v)[a.off : a.off+a.n])
	if a.endpoint.Addr() != own && (!l.Loose || a.endpoint.Addr().Is4() != own.Is4()) {
		l.conn.Note("%s %s left alone: %s is not the %s's address", a.kind, printable(before), a.endpoint.Addr(), from)
		return true
	}
	if a.endpoint.Port() == 0 {
		return l.portZero(from, a)
	}
	if last := &l.once[from]; l.Faults.RewritesOnce {
		if last.some && last.seq == v.Seq {
			return true
		}
		last.seq, last.some = v.Seq, true
	}
	opened, err := l.open(from, a.endpoint)
	if err != nil {
		l.conn.Note("dropped: %s %s cannot be opened: %v", a.kind, printable(before), err)
		return false
	}
	// With loose the gateway may know the endpoint under another address; the
	// text has that of the control connection all the same.
	name := l.named(from, a, netip.AddrPortFrom(l.conn.Seen(from).Addr(), opened.Port()))
	after := canonical(a.kind, name)
	if !l.natted() || l.Faults.LeavesAddress && a.kind == port {
		after = before
	}
	l.tell(from, a.kind, before, after, opened)
	return after == before || l.replace(p, v, from, a, []byte(after))
}

// portZero deals with an endpoint that cannot be one. Linux drops the segment
// when it has looked for a port in vain, and yet leaves an expectation behind;
// where nothing is translated it looks for none.
func (l *linux) portZero(from gateway.Side, a announcement) bool {
	to := a.endpoint
	if to.Addr() == l.conn.Real(from).Addr() {
		to = netip.AddrPortFrom(l.conn.Seen(from).Addr(), 0)
	}
	_, _ = l.conn.Expect(l.verbatim(from, to)) // nobody can come there
	if !l.natted() {
		return true
	}
	l.conn.Note("dropped: %s with port 0, as Linux does", a.kind)
	return false
}

// verbatim is the expectation of an endpoint as it stands.
func (l *linux) verbatim(by gateway.Side, to netip.AddrPort) gateway.Expectation {
	return gateway.Expectation{By: by, To: to, From: l.conn.Real(by.Other()).Addr(), Life: life, Uses: 1, Max: 1, Verbatim: true}
}

// natted reports whether an end of the connection is translated.
func (l *linux) natted() bool { return l.translated(gateway.Client) || l.translated(gateway.Server) }

// open expects the connection. With loose, Linux expects it at the announced
// address, whatever the text says: nobody comes there, unless that is the address
// by which the others know the announcer.
func (l *linux) open(from gateway.Side, ep netip.AddrPort) (netip.AddrPort, error) {
	if ep.Addr() != l.conn.Real(from).Addr() && ep.Addr() != l.conn.Seen(from).Addr() {
		return l.conn.Expect(l.verbatim(from, ep))
	}
	return l.expect(from, ep, 1)
}

// replace puts the new text in its place.
func (l *linux) replace(p *packet.Packet, v *packet.View, from gateway.Side, a announcement, text []byte) bool {
	if payload := p.Payload(v); l.Faults.SwallowsLine {
		rest := payload[a.off+a.n:]
		text = append(text, rest[:bytes.IndexByte(rest, '\n')+1]...)
		a.n = len(payload) - a.off
	}
	if !l.rewrite(p, v, a.off, a.n, text) {
		l.conn.Note("dropped: no room for the text")
		return false
	}
	if grown := len(text) - a.n; grown != 0 {
		l.numbers[from].add(v.Seq, int32(grown), l.Faults)
	}
	return true
}

// number gives a packet the numbers that its receiver knows.
func (l *linux) number(p *packet.Packet, v *packet.View, from gateway.Side) {
	own, other := &l.numbers[from], &l.numbers[from.Other()]
	if n := own.forward(v.Seq); n != v.Seq && !l.Faults.NoSequence {
		p.SetSeq(v, n)
	}
	if n := other.back(v.Ack); n != v.Ack && v.Flags.Has(packet.ACK) && !l.Faults.NoAcknowledge {
		p.SetAck(v, n)
	}
	if *other != (correction{}) && !l.Faults.NoSACK {
		p.MapSACK(v, other.back)
	}
}

// Renumber implements gateway.Renumberer.
func (l *linux) Renumber(sender gateway.Side, ack uint32) uint32 { return l.numbers[sender].back(ack) }
