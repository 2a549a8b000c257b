package lab

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/ftpconform/ftpconform/netsim/capture"
	"github.com/ftpconform/ftpconform/netsim/packet"
	"github.com/ftpconform/ftpconform/netsim/wire"
)

// annotate adds to the packets that matter, where they go in, which command or
// announcement they carry and which mapping is new with them. What a helper has
// rewritten is there already.
func (r *recorder) annotate(t *teller) {
	for i := range r.sights {
		s := &r.sights[i]
		if s.moment != wire.Sent || s.hop == nil || strings.Contains(s.comment, " becomes ") {
			continue
		}
		text := ""
		for _, l := range t.lines[s.hop] {
			if !reply.MatchString(l) || strings.HasPrefix(l, "227 ") || strings.HasPrefix(l, "229 ") {
				text = both(text, l)
			}
		}
		if m, ok := t.of[s.hop]; ok && t.messages[m].Text == "SYN" {
			text = both(text, t.messages[m].Translated)
		}
		if s.from == 0 {
			s.comment = both(text, s.comment)
		}
	}
}

// reply is the beginning of one (RFC 959 section 4.2).
var reply = regexp.MustCompile(`^[1-5][0-9][0-9][ -]`)

// WriteCapture writes all packets of the act as pcapng. Each end of each wire
// is an interface, so that a packet that arrives is there twice, and more often
// when it crosses gateways; programs that follow TCP take these for
// retransmissions, see WriteCaptureAt. Comments say which command a packet
// carries, which mapping is new, what gateways have rewritten or dropped, and
// what was lost and why.
func (a *ActStory) WriteCapture(out io.Writer) error {
	return a.capture(out, a.Title, func(string) bool { return true })
}

// WriteCaptureAt writes the packets of one of the Interfaces, each of which is
// there once.
func (a *ActStory) WriteCaptureAt(out io.Writer, name string) error {
	return a.capture(out, a.Title+", "+name, func(s string) bool { return s == name })
}

// Interfaces lists the ends of wires, as in "gw/outside at internet".
func (a *ActStory) Interfaces() []string {
	var out []string
	for _, l := range a.record.wires {
		out = append(out, l.name+" at "+l.node, l.name+" at "+l.network)
	}
	return out
}

// capture writes the packets of the interfaces that are wanted.
func (a *ActStory) capture(out io.Writer, title string, wanted func(string) bool) error {
	w, err := capture.NewWriter(out, capture.Options{Comment: title})
	if err != nil {
		return err
	}
	ends := map[*line][2]*capture.Tap{}
	for _, l := range a.record.wires {
		var taps [2]*capture.Tap
		names := [2]string{l.node, l.network}
		for end, at := range names {
			if !wanted(l.name + " at " + at) {
				continue
			}
			if taps[end], err = capture.NewTap(l.name+" at "+at, fmt.Sprintf("the wire between %s and %s, seen at %s", l.node, l.network, at), names, w); err != nil {
				return err
			}
		}
		ends[l] = taps
	}
	for _, s := range a.record.sights {
		end := s.from
		if s.moment == wire.Arrived {
			end = 1 - s.from
		}
		if tap := ends[s.wire][end]; tap != nil && s.moment != wire.Lost { // what is lost was seen when it went in
			tap.See(s.from, s.at, &packet.Packet{Data: s.data}, s.comment)
		}
	}
	return w.Close()
}
