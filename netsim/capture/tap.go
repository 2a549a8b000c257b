package capture

import (
	"time"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// Tap is an interface of one or more recorders at a wire or at one of its ends.
type Tap struct {
	macs [2]MAC
	outs []output
}

// output is a recorder and the tap's interface there.
type output struct {
	to Recorder
	id int
}

// NewTap declares an interface to all recorders. ends are the names of the
// nodes at the ends 0 and 1 of the wire, of which its Ethernet addresses are
// made.
func NewTap(name, description string, ends [2]string, to ...Recorder) (*Tap, error) {
	t := &Tap{macs: [2]MAC{MACOf(ends[0]), MACOf(ends[1])}}
	for _, r := range to {
		id, err := r.Interface(name, description)
		if err != nil {
			return nil, err
		}
		t.outs = append(t.outs, output{r, id})
	}
	return t, nil
}

// See records a packet that went in at end from, with its note, the comment, or
// both. Errors show when the recorder is closed.
func (t *Tap) See(from int, at time.Time, p *packet.Packet, comment string) {
	switch {
	case comment == "":
		comment = p.Note
	case p.Note != "":
		comment = p.Note + "; " + comment
	}
	for _, o := range t.outs {
		_ = o.to.Packet(o.id, at, p, t.macs[from], t.macs[1-from], comment)
	}
}
