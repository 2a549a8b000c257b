package alg_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// habits are what a host's TCP does, as far as it matters to a helper.
type habits struct {
	sack   bool // selective acknowledgements
	stamps bool // timestamps; segments without them are not taken
	nagle  bool // one small segment on the way at a time
	window int  // octets on the way at a time
	mss    int
	// again is what is repeated: 0 the first segment as it was, 1 as much as
	// there is, 2 anything.
	again int
}

// peer is a simple, correct TCP: it sends a stream and takes another.
type peer struct {
	habits
	tb   testing.TB
	rng  *rand.Rand
	side gateway.Side
	conn *connection

	stream []byte
	writes []int // where the stream is cut into segments
	isn    uint32
	una    uint32 // octets; the FIN is one more
	next   uint32
	sacked []bool
	idle   int // ticks since something was acknowledged or sent

	rcvISN uint32
	got    []byte // in order
	have   map[uint32]byte
	fin    int // where the other's FIN stands; -1 while it is not known
	clock  uint32
	echo   uint32
	owes   bool // an acknowledgement
}

// total is what there is to acknowledge: the stream and the FIN.
func (h *peer) total() uint32 { return uint32(len(h.stream)) + 1 }

func (h *peer) done() bool { return h.una == h.total() && h.fin == len(h.got) }

// segment builds a segment of the stream.
func (h *peer) segment(from, to uint32) *packet.Packet {
	s := packet.Segment{Src: h.conn.real[h.side], Dst: h.conn.seen[h.side.Other()], Seq: h.isn + 1 + from, Ack: h.rcvISN + 1 + h.taken(),
		Flags: packet.ACK, Window: 65535}
	if from < to && to > uint32(len(h.stream)) {
		to, s.Flags = uint32(len(h.stream)), s.Flags|packet.FIN
	}
	if from < to {
		s.Payload = h.stream[from:to]
	}
	if h.stamps {
		s.Options = binary.BigEndian.AppendUint32([]byte{1, 1, 8, 10}, h.clock)
		s.Options = binary.BigEndian.AppendUint32(s.Options, h.echo)
	}
	if h.sack {
		s.Options = append(s.Options, h.blocks()...)
	}
	h.owes = false
	return packet.TCP(s)
}

// taken is what is acknowledged.
func (h *peer) taken() uint32 {
	n := uint32(len(h.got))
	if h.fin == len(h.got) {
		n++
	}
	return n
}

// blocks is the SACK option for what is there beyond a gap.
func (h *peer) blocks() []byte {
	var at []uint32
	for i := range h.have {
		at = append(at, i)
	}
	slices.Sort(at)
	var edges []uint32
	for i, a := range at {
		if i == 0 || a != at[i-1]+1 {
			if len(edges) == 4 {
				break
			}
			edges = append(edges, a, a)
		}
		edges[len(edges)-1] = a + 1
	}
	if len(edges) == 0 {
		return nil
	}
	o := []byte{1, 1, 5, byte(2 + 4*len(edges))}
	for _, e := range edges {
		o = binary.BigEndian.AppendUint32(o, h.rcvISN+1+e)
	}
	return o
}

// tick lets a moment pass and returns what is sent.
func (h *peer) tick() []*packet.Packet {
	h.clock++
	var out []*packet.Packet
	for h.next < h.total() {
		end := h.total()
		if i, _ := slices.BinarySearch(h.writes, int(h.next)+1); i < len(h.writes) {
			end = uint32(h.writes[i])
		}
		end = min(end, h.next+uint32(h.mss))
		small := end-h.next < uint32(h.mss) && end < uint32(len(h.stream))
		if h.nagle && small && h.una < h.next || int(end-h.una) > h.window && h.una < h.next {
			break
		}
		out = append(out, h.segment(h.next, end))
		h.next, h.idle = end, 0
	}
	if h.idle++; h.idle > 6 && h.una < h.next {
		h.idle = 0
		out = append(out, h.repeat())
	}
	if h.owes {
		out = append(out, h.segment(h.next, h.next))
	}
	return out
}

// repeat sends the first octets again that are not known to have arrived.
func (h *peer) repeat() *packet.Packet {
	from := h.una
	end := from + 1
	for end < h.next && !h.sacked[end] {
		end++
	}
	switch h.again {
	case 0:
		if i, _ := slices.BinarySearch(h.writes, int(from)+1); i < len(h.writes) {
			end = min(end, uint32(h.writes[i]))
		}
	case 2:
		end = from + 1 + h.rng.Uint32N(end-from)
	}
	return h.segment(from, min(end, from+uint32(h.mss)))
}

// take takes a segment from the network.
func (h *peer) take(p *packet.Packet) {
	h.tb.Helper()
	v, err := p.Parse()
	if err != nil || !p.ChecksumOK(&v) {
		h.tb.Fatalf("%s gets a bad packet: %v %v", h.side, p, err)
	}
	header := p.IPPayload(&v)
	if header = header[20 : len(header)-v.Len()]; h.stamps {
		if len(header) < 12 || header[2] != 8 {
			h.tb.Fatalf("%s gets a segment without a timestamp: %v", h.side, p)
		}
		h.echo = binary.BigEndian.Uint32(header[4:])
	}
	if v.Len() > h.mss {
		h.tb.Fatalf("%s gets %d octets and takes %d", h.side, v.Len(), h.mss)
	}
	ack := v.Ack - h.isn - 1
	if ack > h.next {
		h.tb.Fatalf("%s has sent %d octets, and %d are acknowledged", h.side, h.next, ack)
	}
	if ack > h.una {
		h.una, h.idle = ack, 0
	}
	if h.sack {
		var left uint32
		n := 0
		p.MapSACK(&v, func(e uint32) uint32 {
			if n++; n%2 == 1 {
				left = e - h.isn - 1
			} else if right := e - h.isn - 1; right > left {
				if right > h.next {
					h.tb.Fatalf("%s has sent %d octets, and %d are selectively acknowledged", h.side, h.next, right)
				}
				for i := left; i < right; i++ {
					h.sacked[i] = true
				}
			}
			return e
		})
	}
	at := v.Seq - h.rcvISN - 1
	for i, b := range p.Payload(&v) {
		i := at + uint32(i)
		switch {
		case int32(i) < 0:
			h.tb.Fatalf("%s gets an octet before the first: %v", h.side, p)
		case i < uint32(len(h.got)):
			if h.got[i] != b {
				h.tb.Fatalf("%s gets %q at %d, and had %q there", h.side, p.Payload(&v), at, h.got[at:min(len(h.got), int(at)+v.Len())])
			}
		default:
			h.have[i] = b
		}
	}
	for b, ok := h.have[uint32(len(h.got))]; ok; b, ok = h.have[uint32(len(h.got))] {
		delete(h.have, uint32(len(h.got)))
		h.got = append(h.got, b)
	}
	if v.Flags.Has(packet.FIN) {
		h.fin = int(at) + v.Len()
	}
	// Also an old segment without octets is answered (RFC 9293 section 3.10.7.4).
	h.owes = h.owes || v.Len() > 0 || v.Flags.Has(packet.FIN) || int32(at-h.taken()) < 0
}

// mishaps are what a network does to packets, per thousand.
type mishaps struct{ lost, doubled, late int }

// network carries the packets of two peers by way of an inspector.
type network struct {
	tb    testing.TB
	rng   *rand.Rand
	conn  *connection
	insp  gateway.Inspector
	peers [2]*peer
	mishaps
	now    int
	flight []flight
	acks   [2]uint32 // the highest that have left the inspector
}

type flight struct {
	when int
	far  bool // behind the inspector
	from gateway.Side
	p    *packet.Packet
}

func newNetwork(tb testing.TB, rng *rand.Rand, o alg.Options, e ends, streams [2][]byte, writes [2][]int, h [2]habits, m mishaps) *network {
	tb.Helper()
	c := &connection{ends: e, established: true, taken: map[uint16]bool{1026: true}}
	n := &network{tb: tb, rng: rng, conn: c, insp: attach(tb, o, c), mishaps: m}
	isn := [2]uint32{rng.Uint32(), -rng.Uint32N(3000)}
	for side := range n.peers {
		n.peers[side] = &peer{habits: h[side], tb: tb, rng: rng, side: gateway.Side(side), conn: c, stream: streams[side],
			writes: writes[side], isn: isn[side], rcvISN: isn[1-side], fin: -1, have: map[uint32]byte{}, sacked: make([]bool, len(streams[side])+2)}
	}
	for side, flags := range []packet.Flags{packet.SYN, packet.SYN | packet.ACK, packet.ACK} {
		from := gateway.Side(side % 2)
		s := packet.Segment{Src: c.real[from], Dst: c.seen[from.Other()], Seq: isn[from], Ack: isn[1-from] + 1, Flags: flags, Window: 65535}
		if flags.Has(packet.SYN) {
			mss := uint16(h[from].mss)
			if h[from].stamps {
				mss += 12
			}
			s.Options = binary.BigEndian.AppendUint16([]byte{2, 4}, mss)
		} else {
			s.Seq++
		}
		if h[from].stamps {
			s.Options = append(s.Options, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0)
		}
		p := packet.TCP(s)
		v, err := p.Parse()
		if err != nil || !n.insp.Inspect(p, &v, from) || v.Seq != s.Seq {
			tb.Fatalf("the handshake does not pass: %v %v", p, err)
		}
	}
	return n
}

// post puts a packet on the way.
func (n *network) post(from gateway.Side, p *packet.Packet, far bool) {
	if n.rng.IntN(1000) < n.lost {
		return
	}
	when := n.now + 1
	if n.rng.IntN(1000) < n.late {
		when += n.rng.IntN(12)
	}
	n.flight = append(n.flight, flight{when, far, from, p})
	if n.rng.IntN(1000) < n.doubled {
		n.flight = append(n.flight, flight{when + n.rng.IntN(1+n.late/10), far, from, p.Clone()})
	}
}

// inspect lets a packet pass the inspector.
func (n *network) inspect(from gateway.Side, p *packet.Packet) {
	v, err := p.Parse()
	if err != nil {
		n.tb.Fatal(err)
	}
	n.conn.sent, n.conn.notes = nil, nil
	goes := n.insp.Inspect(p, &v, from)
	for _, q := range n.conn.sent {
		n.leave(q.to.Other(), q.p)
	}
	if goes {
		n.leave(from, p)
	}
}

func (n *network) leave(from gateway.Side, p *packet.Packet) {
	v, err := p.Parse()
	if err != nil || !p.ChecksumOK(&v) {
		n.tb.Fatalf("a bad packet leaves: %v %v", p, err)
	}
	to := n.peers[from.Other()]
	if ack := v.Ack - to.isn; n.late == 0 && ack < n.acks[to.side] {
		n.tb.Fatalf("the acknowledgement for the %s goes back from %d to %d: %v; %s; %s", to.side, n.acks[to.side], ack, p, n.peers[0], n.peers[1])
	} else if ack > n.acks[to.side] {
		n.acks[to.side] = ack
	}
	n.post(from, p, true)
}

// run lets time pass until both have everything.
func (n *network) run(limit int) error {
	for n.now = range limit {
		if n.now == limit/2 {
			n.mishaps = mishaps{} // from now on it must get better
		}
		due := n.flight
		n.flight = nil
		for _, f := range due {
			switch {
			case f.when > n.now:
				n.flight = append(n.flight, f)
			case f.far:
				n.peers[f.from.Other()].take(f.p)
			default:
				n.inspect(f.from, f.p)
			}
		}
		for side, h := range n.peers {
			for _, p := range h.tick() {
				n.post(gateway.Side(side), p, false)
			}
		}
		if n.peers[0].done() && n.peers[1].done() {
			return nil
		}
	}
	return fmt.Errorf("no end after %d ticks: client %s, server %s; last story %q", limit, n.peers[0], n.peers[1], n.conn.notes)
}

func (h *peer) String() string {
	return fmt.Sprintf("has %d of %d octets acknowledged and got %d, FIN at %d", h.una, h.total(), len(h.got), h.fin)
}

// compare checks what a side has got.
func (n *network) compare(side gateway.Side, want []byte) {
	n.tb.Helper()
	got := n.peers[side].got
	if bytes.Equal(got, want) {
		return
	}
	i := 0
	for i < min(len(got), len(want)) && got[i] == want[i] {
		i++
	}
	n.tb.Errorf("the %s got %d octets for %d, and at %d\n     %q\nnot  %q", side, len(got), len(want), i,
		got[max(0, i-40):min(len(got), i+40)], want[max(0, i-40):min(len(want), i+40)])
}
