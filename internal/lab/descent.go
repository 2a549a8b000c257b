package lab

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// In virtual time a gateway sends at the moment at which it has got something.
// In real time it takes a while, and what comes out has to be recognised.

// parent finds what a gateway had got for what it sends; nil where it speaks
// for itself.
func (r *recorder) parent(node string, data []byte) *hop {
	sent := &packet.Packet{Data: data}
	out, err := sent.Parse()
	if err != nil {
		return nil
	}
	waiting := r.waiting[node]
	for i, h := range waiting {
		got := &packet.Packet{Data: h.now}
		in, err := got.Parse()
		if err == nil && descends(sent, &out, got, &in) {
			r.waiting[node] = append(waiting[:i:i], waiting[i+1:]...)
			return h
		}
	}
	if len(waiting) == 0 {
		return nil
	}
	h := waiting[len(waiting)-1] // an answer to what has come last
	r.waiting[node] = waiting[:len(waiting)-1]
	return h
}

// farthest is how much the numbers of TCP can differ in front of a gateway and
// behind it, after many changes of length.
const farthest = 4096

// descends reports whether a packet can be another one, passed on: an end is
// the same, or is that of the quoted packet, and so is what TCP says.
func descends(sent *packet.Packet, out *packet.View, got *packet.Packet, in *packet.View) bool {
	if out.Proto != in.Proto {
		return false
	}
	if !out.TCP || !in.TCP {
		return bytes.HasPrefix(sent.IPPayload(out), got.IPPayload(in)[:min(2, len(got.IPPayload(in)))])
	}
	distance := int32(out.Seq - in.Seq)
	return out.Flags == in.Flags && (out.Src == in.Src || out.Dst == in.Dst) &&
		-farthest < distance && distance < farthest && (out.Len() == 0) == (in.Len() == 0)
}

// rewritten is the note about a line that a gateway of the kernel has changed,
// in the words of ours; empty if it has not.
func rewritten(before, after string, table gateway.Table) string {
	before, after = strings.TrimRight(before, "\r\n"), strings.TrimRight(after, "\r\n")
	was, ok1 := endpointIn(before)
	is, ok2 := endpointIn(after)
	opened := func(note string) string {
		for _, x := range table.Expectations {
			if x.To.Port() == is.Port() {
				return both(note, fmt.Sprintf("%v opened for %v", x.To, x.From))
			}
		}
		return note
	}
	switch {
	case before == after && ok2 && was == is:
		return opened("")
	case before == after || !ok1 || !ok2:
		return ""
	}
	return opened(fmt.Sprintf("%s becomes %s", legible(before), legible(after)))
}

// asked looks into the table of a gateway of the kernel when it has
// passed a packet on, and notes what is new. The mutex is held.
func (r *recorder) asked(node string, h *hop) {
	router := r.routers[node]
	if router == nil {
		return
	}
	table, err := router.Table()
	if err != nil {
		return // the story does without
	}
	if h.parent != nil {
		h.note = both(h.note, rewritten(payload(h.parent.now), payload(h.data), table))
	}
	after := h.parent
	if waiting := r.waiting[node]; len(waiting) > 0 && !tells(h.data) {
		after = waiting[len(waiting)-1] // the kernel has it already, and sends it next
	}
	r.changes = append(r.changes, change{h.at, node, after, table})
}

// tells reports whether a packet is more than an acknowledgement.
func tells(data []byte) bool {
	p := &packet.Packet{Data: data}
	v, err := p.Parse()
	return err != nil || !v.TCP || v.Len() > 0 || v.Flags&(packet.SYN|packet.FIN|packet.RST) != 0
}

// payload is the text of a segment.
func payload(data []byte) string {
	p := &packet.Packet{Data: data}
	v, err := p.Parse()
	if err != nil || !v.TCP {
		return ""
	}
	return string(p.Payload(&v))
}
