package alg

import (
	"slices"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// stream is one direction of a connection: what a side, the sender, sends to
// the other, the receiver. Positions are the sender's, see edits.
type stream struct {
	known bool  // the numbers are known
	first int64 // where its octets begin
	next  int64 // what has been looked at ends here
	free  int64 // what may go on ends here; [free, next) is held: a line that is not complete
	fin   int64 // where the sender's FIN stands, behind all octets; none if below 0
	edits edits
	lines scanner
	stuck bool // by SplitStalls

	// early is what has come before its predecessors.
	early []early
	// urgent ends the urgent octets of segments that were held.
	urgent int64

	// acked is how far the receiver has acknowledged. Octets before own and
	// behind ownFrom, all of them held or in one edit, were acknowledged without
	// the receiver.
	acked, ownFrom, own int64

	sender
	told acknowledgement // what the receiver has been told about the other direction
}

// sender is what a side says about itself, for segments in its name.
type sender struct {
	mss    int // of the segments that it takes
	window uint16
	scale  uint8 // of that window, where later ones are scaled and it is not
	stamp  uint32
	stamps bool
}

// acknowledgement is what a segment says about the other direction.
type acknowledgement struct {
	ack    uint32
	window uint16
	some   bool
}

// early is a segment that cannot be looked at yet.
type early struct {
	at   int64
	text []byte
	fin  bool
}

func (e *early) end() int64 { return e.at + int64(len(e.text)) }

// The bounds of what is kept of early segments.
const (
	maxEarly       = 32
	maxEarlyOctets = 1 << 15
	maxAhead       = 1 << 18
)

// at returns the position of a sequence number of the sender.
func (s *stream) at(seq uint32) int64 { return s.next + int64(int32(seq-uint32(s.next))) }

// begin sets the numbers; fresh says that a line begins there.
func (s *stream) begin(seq uint32, fresh bool) {
	at, lines := int64(seq), scanner{from: s.lines.from, knows: s.lines.knows}
	*s = stream{known: true, first: at, next: at, free: at, acked: at, urgent: at, fin: -1, lines: lines, sender: s.sender}
	if !fresh {
		s.lines.line = append(s.lines.line, '?') // of the line that goes on nothing is known
	}
}

// held reports whether octets are held.
func (s *stream) held() bool { return s.free < s.next }

// keep stores an early segment, if there is room.
func (s *stream) keep(at int64, text []byte, fin bool) bool {
	octets := len(text)
	for _, e := range s.early {
		if e.at == at && len(e.text) == len(text) && e.fin == fin {
			return true
		}
		octets += len(e.text)
	}
	if len(s.early) == maxEarly || octets > maxEarlyOctets || at-s.next > maxAhead {
		return false
	}
	s.early = append(s.early, early{at, slices.Clone(text), fin})
	return true
}

// due takes the next early segment out that begins where the octets that have
// been looked at end, or before. Those that bring nothing new are forgotten.
func (s *stream) due() (e early, ok bool) {
	for i := 0; i < len(s.early); {
		if e = s.early[i]; e.at > s.next {
			i++
			continue
		}
		s.early = slices.Delete(s.early, i, i+1)
		if e.end() > s.next || e.end() == s.next && e.fin {
			return e, true
		}
	}
	return early{}, false
}

// learn remembers what a segment says.
func (s *sender) learn(p *packet.Packet, v *packet.View) {
	if v.Flags.Has(packet.RST) {
		return
	}
	header := p.IPPayload(v)
	header = header[:len(header)-v.Len()]
	stamps := tcpOption(header, optionTimestamps)
	if s.stamps = len(stamps) == 8; s.stamps {
		s.stamp = bigEndian(stamps)
	}
	s.window, s.scale = v.Window, 0
	if v.Flags.Has(packet.SYN) {
		if c := tcpOption(header, optionScale); len(c) == 1 {
			s.scale = min(c[0], 14)
		}
		s.mss = defaultMSS
		if v.Version == 6 {
			s.mss = defaultMSS6
		}
		if m, ok := p.MSS(v); ok {
			s.mss = max(int(m), 64)
		}
	}
}

// takes is the size of the segments that a side takes.
func (s *sender) takes() int {
	if s.mss == 0 { // its SYN has not been seen
		return defaultMSS
	}
	return s.mss
}

// Segment sizes where a SYN names none (RFC 9293 section 3.7.1).
const (
	defaultMSS  = 536
	defaultMSS6 = 1220
)

// Kinds of TCP options (RFC 7323).
const (
	optionScale      = 3
	optionTimestamps = 8
)

// tcpOption returns the contents of the first option of a kind in a TCP header.
func tcpOption(header []byte, kind byte) []byte {
	for b := header[20:]; len(b) > 0 && b[0] != 0; {
		switch {
		case b[0] == 1:
			b = b[1:]
			continue
		case len(b) < 2 || b[1] < 2 || int(b[1]) > len(b):
			return nil
		case b[0] == kind:
			return b[2:b[1]]
		}
		b = b[b[1]:]
	}
	return nil
}

func bigEndian(b []byte) uint32 {
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}
