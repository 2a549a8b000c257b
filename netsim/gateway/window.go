package gateway

import (
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// window is what the kernel's connection tracking remembers of the numbers of
// one end (G. van Rooij, Real Stateful TCP Packet Filtering in IP Filter; as
// measured on Linux 6.18). Numbers are those of the end itself.
type window struct {
	end     uint32 // after the last octet that it has sent
	maxEnd  uint32 // the highest that its peer has let it send
	maxWin  uint32 // the largest window that it has offered; 0 before it has spoken
	scale   uint8
	scales  bool // it knows window scaling
	sacks   bool // and selective acknowledgements
	liberal bool // nothing is held against it: its beginning was not seen
}

// judgement is what the numbers of a segment are.
type judgement uint8

const (
	inWindow    judgement = iota
	late                  // a repetition of what was acknowledged long ago
	outOfWindow           // impossible
)

// maxAckWindow is how far an acknowledgement may lag behind at least.
const maxAckWindow = 66_000

// before reports whether a number comes before another one (RFC 9293 section
// 3.4).
func before(a, b uint32) bool { return int32(a-b) < 0 }

// begin takes the numbers of an end's SYN. Scaling is in force where both ends
// know it.
func (w *window) begin(p *packet.Packet, v *packet.View, peer *window) {
	*w = window{end: v.Next(), maxEnd: v.Next(), maxWin: max(uint32(v.Window), 1), sacks: p.SACKPermitted(v)}
	w.scale, w.scales = p.WindowScale(v)
	if v.Flags.Has(packet.ACK) && (!w.scales || !peer.scales) {
		w.scale, peer.scale = 0, 0
	}
}

// resume takes the numbers of an end whose beginning was not seen.
func (w *window) resume(v *packet.View) {
	w.end = v.Next()
	w.maxWin = max(uint32(v.Window)<<w.scale, 1)
	w.maxEnd = w.end + w.maxWin
}

// follow judges the numbers of a segment of a connection, and remembers them.
func (g *Gateway) follow(c *conn, p *packet.Packet, v *packet.View, from Side) judgement {
	if !g.state.windows {
		return inWindow
	}
	w, peer := &c.windows[from], &c.windows[from.Other()]
	syn := v.Flags.Has(packet.SYN)
	seq, end, win := v.Seq, v.Next(), uint32(v.Window)
	ack := v.Ack
	if r, ok := c.inspector.(Renumberer); ok && v.Flags.Has(packet.ACK) {
		ack = r.Renumber(from.Other(), ack)
	}
	sack := ack
	if peer.sacks {
		p.SACKs(v, func(edge uint32) {
			if r, ok := c.inspector.(Renumberer); ok {
				edge = r.Renumber(from.Other(), edge)
			}
			if before(sack, edge) {
				sack = edge
			}
		})
	}
	switch {
	case syn && (w.maxWin == 0 || before(w.end, end) && c.phase == PhaseOpening):
		w.begin(p, v, peer)
		if !v.Flags.Has(packet.ACK) {
			return inWindow
		}
	case w.maxWin == 0 && peer.maxWin == 0: // the first packet, and not the first of the connection
		w.resume(v)
		w.liberal, peer.liberal, w.sacks, peer.sacks = true, true, true, true
		peer.end, peer.maxEnd = sack, sack
	case w.maxWin == 0:
		w.resume(v)
		if sack == peer.end+1 { // the answer to a keepalive
			peer.end++
		}
	}
	if !v.Flags.Has(packet.ACK) || v.Flags.Has(packet.RST) && ack == 0 {
		ack, sack = peer.end, peer.end
	}
	if v.Flags.Has(packet.RST) && seq == 0 && c.phase == PhaseOpening {
		seq, end = w.end, w.end
	}
	if j := w.judge(peer, seq, end, sack); j != inWindow && !w.liberal {
		return j
	}
	if !syn {
		win <<= w.scale
	}
	w.maxWin = max(w.maxWin, win+sack-ack)
	if before(w.end, end) {
		w.end = end
	}
	if peer.maxWin != 0 && before(w.maxEnd, end) {
		peer.maxWin += end - w.maxEnd
	}
	if before(peer.maxEnd-1, sack+win) {
		peer.maxEnd = sack + win
		if win == 0 {
			peer.maxEnd++
		}
	}
	return inWindow
}

// judge judges the numbers of a segment that an end sends to its peer.
func (w *window) judge(peer *window, seq, end, sack uint32) judgement {
	lag := max(w.maxWin, maxAckWindow)
	possible := before(peer.end-lag-1, sack) && before(sack, peer.end+1)
	switch {
	case !before(seq, w.maxEnd+1):
		if over := end - w.maxEnd + 1; possible && peer.maxWin != 0 && over <= peer.maxWin {
			return late // more than it may send, and not much
		}
		return outOfWindow
	case !before(sack, peer.end+1):
		return outOfWindow
	case peer.maxWin != 0 && !before(w.end-peer.maxWin-1, end):
		return late
	case !before(peer.end-lag-1, sack):
		return late
	}
	return inWindow
}
