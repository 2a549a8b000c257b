package host

import (
	"net/netip"
	"sync/atomic"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// The stack knows nothing of urgent data (RFC 9293 section 3.8.5): it carries
// the octets in their place in the stream, as SO_OOBINLINE does. The mark is
// put on the segments that leave here and read from those that arrive.

// pair is a connection as its local end sees it.
type pair struct{ local, remote netip.AddrPort }

// urgencies keeps what is needed to mark segments.
type urgencies struct {
	// first is the sequence number of the first octet of a connection in each
	// direction, from its SYN.
	sent, received map[pair]uint32
	// until is the offset behind the last urgent octet that was sent, marked
	// that of the last one that arrived.
	until, marked map[pair]int64
	// used is set when urgent data is sent for the first time: most hosts never
	// do, and need not look.
	used atomic.Bool
}

func newUrgencies() urgencies {
	return urgencies{sent: map[pair]uint32{}, received: map[pair]uint32{}, until: map[pair]int64{}, marked: map[pair]int64{}}
}

// WriteUrgent sends octets of which the last one is urgent: all segments up to
// it carry the URG flag and point behind it.
func (c *Conn) WriteUrgent(b []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	h, key := c.host, pair{c.local, c.remote}
	h.urge.used.Store(true)
	h.mu.Lock()
	h.urge.until[key] = c.sent.Load() + int64(len(b))
	h.mu.Unlock()
	_, err := c.write(b)
	return err
}

// UrgentAhead reports how many octets there are to read up to and including
// the urgent one; 0 when none is announced, or it has been read.
func (c *Conn) UrgentAhead() int64 {
	c.host.mu.Lock()
	defer c.host.mu.Unlock()
	return max(c.host.urge.marked[pair{c.local, c.remote}]-c.read.Load(), 0)
}

// ReadUrgent is Read that also tells how many of the octets are up to and
// including the one that is urgent; 0 when none of them is.
func (c *Conn) ReadUrgent(b []byte) (n, urgent int, err error) {
	before := c.read.Load()
	n, err = c.Read(b)
	c.host.mu.Lock()
	at := c.host.urge.marked[pair{c.local, c.remote}] - before
	c.host.mu.Unlock()
	if 0 < at && at <= int64(n) {
		urgent = int(at)
	}
	return n, urgent, err
}

// sendUrgent marks a segment of the stack's.
func (h *Host) sendUrgent(p *packet.Packet, v *packet.View) {
	if !v.TCP || v.Flags&(packet.SYN|packet.FIN|packet.RST) == 0 && !h.urge.used.Load() {
		return
	}
	key := pair{v.Src, v.Dst}
	h.mu.Lock()
	defer h.mu.Unlock()
	u := &h.urge
	switch {
	case v.Flags.Has(packet.SYN):
		u.sent[key] = v.Seq + 1
		delete(u.until, key)
	case len(u.until) > 0 && v.Len() > 0:
		if until, ok := u.until[key]; ok {
			// Signed arithmetic on sequence numbers survives their turn-around.
			if ahead := int64(int32(u.sent[key] + uint32(until) - v.Seq)); ahead > 0 {
				p.SetUrgent(v, uint16(min(ahead, 65535)))
			}
		}
	case v.Flags.Has(packet.RST):
		u.forget(key)
	}
	if v.Flags.Has(packet.FIN) && u.until[key] == 0 {
		delete(u.sent, key) // what is sent again has no mark
	}
}

// markUrgent reads the mark of a segment that arrives.
func (h *Host) markUrgent(p *packet.Packet, v *packet.View) {
	if !v.TCP || v.Flags&(packet.SYN|packet.FIN|packet.RST|packet.URG) == 0 {
		return
	}
	key := pair{v.Dst, v.Src}
	h.mu.Lock()
	defer h.mu.Unlock()
	u := &h.urge
	switch {
	case v.Flags.Has(packet.SYN):
		u.received[key] = v.Seq + 1
		delete(u.marked, key)
	case v.Flags.Has(packet.RST):
		u.forget(key)
	case v.Flags.Has(packet.URG) && p.ChecksumOK(v):
		if first, ok := u.received[key]; ok {
			u.marked[key] = max(u.marked[key], int64(v.Seq-first)+int64(v.Urgent))
		}
	}
	if v.Flags.Has(packet.FIN) && u.marked[key] == 0 {
		delete(u.received, key)
	}
}

func (u *urgencies) forget(key pair) {
	delete(u.sent, key)
	delete(u.received, key)
	delete(u.until, key)
	delete(u.marked, key)
}
