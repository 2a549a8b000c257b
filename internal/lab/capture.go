package lab

import (
	"fmt"
	"io"

	"github.com/ftpconform/ftpconform/netsim/capture"
	"github.com/ftpconform/ftpconform/netsim/packet"
	"github.com/ftpconform/ftpconform/netsim/wire"
)

// WriteCapture writes all packets of the act as pcapng. Each end of each wire
// is an interface; comments say what gateways have done, and what was lost.
func (a *ActStory) WriteCapture(out io.Writer) error {
	w, err := capture.NewWriter(out, capture.Options{Comment: a.Title})
	if err != nil {
		return err
	}
	ends := map[*line][2]*capture.Tap{}
	for _, l := range a.record.wires {
		var taps [2]*capture.Tap
		names := [2]string{l.node, l.network}
		for end, at := range names {
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
		if s.moment == wire.Lost {
			continue // it was seen when it went in
		}
		ends[s.wire][end].See(s.from, s.at, &packet.Packet{Data: s.data}, s.comment)
	}
	return w.Close()
}
