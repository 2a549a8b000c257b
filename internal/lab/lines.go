package lab

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// text tells the lines of the control connection that a segment completes.
// CR LF ends a line and nothing else does, as the hosts at both ends read it.
func (t *teller) text(h *hop, p *packet.Packet, v *packet.View, s *stream) {
	octets := p.Payload(v)
	if !s.known {
		s.next, s.known = v.Seq, true
	}
	switch ahead := int32(v.Seq - s.next); {
	case h.lost != "" || ahead > 0: // nobody has read it, or not yet
		line, _, _ := strings.Cut(string(octets), crlf)
		t.say(h, v, legible(line), fmt.Sprint("line", v.Seq), "")
		t.lines[h] = append(t.lines[h], legible(line))
		if h.lost == "" {
			s.early = append(s.early, piece{v.Seq, bytes.Clone(octets)})
		}
		return
	case int(-ahead) >= len(octets): // all of it was there before
		t.repeated(h, v, s, octets)
		return
	default:
		octets = octets[-ahead:]
	}
	for octets != nil {
		t.read(h, v, s, octets)
		octets = s.turn()
	}
}

const crlf = "\r\n"

// turn takes out what came early and is next now, nil if nothing is.
func (s *stream) turn() []byte {
	for i, e := range s.early {
		behind := int32(s.next - e.seq)
		if behind < 0 {
			continue
		}
		s.early = append(s.early[:i], s.early[i+1:]...)
		if int(behind) < len(e.octets) {
			return e.octets[behind:]
		}
		return s.turn()
	}
	return nil
}

// read takes octets in their order and tells the lines that they complete. A
// line that was told when it came early is not told again.
func (t *teller) read(h *hop, v *packet.View, s *stream, octets []byte) {
	for _, c := range octets {
		s.next++
		s.line = append(s.line, c)
		line, whole := strings.CutSuffix(string(s.line), crlf)
		if !whole {
			continue
		}
		start := s.next - uint32(len(s.line))
		s.line = nil
		key := fmt.Sprint("line", start)
		i, told := t.seen[foldKey(h, v, "", key)]
		if !told || t.messages[i].Text != legible(line) {
			i = t.say(h, v, legible(line), key, "")
			t.lines[h] = append(t.lines[h], legible(line))
		}
		s.told = append(s.told, span{start, s.next, i})
	}
}

// repeated notes that a line is sent again; a part of it is told by itself.
func (t *teller) repeated(h *hop, v *packet.View, s *stream, octets []byte) {
	for _, line := range s.told {
		if int32(line.end-v.Seq) <= 0 {
			continue
		}
		m := &t.messages[line.message]
		if int32(v.Seq-line.start) > 0 && strings.HasSuffix(crlf, string(octets)) {
			t.say(h, v, legible(string(octets)), fmt.Sprint("part", v.Seq), "the end of "+m.Text+", sent again")
			return
		}
		m.Again = append(m.Again, h.at.Sub(t.start)-m.At)
		t.of[h] = line.message
		return
	}
}

// legible is a line as it can be printed: control characters are written as in
// Go.
func legible(line string) string {
	if line == "" {
		return "(an empty line)"
	}
	var out strings.Builder
	for _, c := range line {
		if unicode.IsControl(c) {
			out.WriteString(strings.Trim(strconv.QuoteRune(c), "'"))
		} else {
			out.WriteRune(c)
		}
	}
	return out.String()
}
