package lab

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// controlPort is where the server listens.
const controlPort = 21

// teller turns hops into messages.
type teller struct {
	start    time.Time
	messages []Message
	flows    map[flow]*stream
	seen     map[string]int // message by what makes it the same one, sent again
	of       map[*hop]int   // message by hop
	came     map[int]int    // by message of a gateway: what it had got for that
	arrived  map[int]time.Duration
	lines    map[*hop][]string // that a hop has completed
	controls map[[2]netip.AddrPort]bool
}

// flow is a direction of a connection as a node sends it.
type flow struct {
	from     string
	src, dst netip.AddrPort
}

// stream is what has gone by on a flow.
type stream struct {
	next  uint32 // the number after the last octet that was told
	known bool
	// Of the control connection: the lines that were told, and the one that has
	// no end so far.
	told  []span
	line  []byte
	early []piece
	// Of a data connection: the message that sums it up, the number of its first
	// octet and that after its last one.
	data     int
	some     bool
	low, top uint32
}

// span is where a line stands: from its first octet up to the number after its
// last one.
type span struct {
	start, end uint32
	message    int
}

// piece is what has come before its turn.
type piece struct {
	seq    uint32
	octets []byte
}

// retell tells a record as messages, pure acknowledgements left out.
func retell(r *recorder) *teller {
	t := &teller{start: r.start, flows: map[flow]*stream{}, seen: map[string]int{}, of: map[*hop]int{},
		came: map[int]int{}, arrived: map[int]time.Duration{}, lines: map[*hop][]string{}, controls: map[[2]netip.AddrPort]bool{}}
	for _, h := range r.hops {
		t.hop(h)
	}
	for i := range t.messages {
		t.messages[i].Number = i + 1
	}
	return t
}

func (t *teller) hop(h *hop) {
	p := &packet.Packet{Data: h.data}
	v, err := p.Parse()
	if err != nil {
		return // no node sends such a thing
	}
	switch why, src, dst, ok := p.Quote(&v); {
	case ok:
		t.say(h, &v, "ICMP "+why.String(), fmt.Sprint("ICMP", why, src, dst), fmt.Sprintf("about %v > %v", src, dst))
	case v.TCP && !v.Fragment():
		t.segment(h, p, &v)
	default:
		t.say(h, &v, fmt.Sprintf("protocol %d, %d octets", v.Proto, len(p.IPPayload(&v))), fmt.Sprint("other", v.ID), "")
	}
}

func (t *teller) segment(h *hop, p *packet.Packet, v *packet.View) {
	f := flow{h.from, v.Src, v.Dst}
	if got, ok := t.of[h.parent]; ok && h.parent != nil && t.messages[got].Control {
		t.controls[[2]netip.AddrPort{v.Src, v.Dst}], t.controls[[2]netip.AddrPort{v.Dst, v.Src}] = true, true
	}
	s := t.flows[f]
	if s == nil {
		s = &stream{}
		t.flows[f] = s
	}
	if v.Flags.Has(packet.SYN) {
		text := "SYN"
		if v.Flags.Has(packet.ACK) {
			text = "SYN ACK"
		}
		t.say(h, v, text, fmt.Sprint("SYN", v.Seq), "")
		s.next, s.known = v.Seq+1, true
	}
	if v.Flags.Has(packet.RST) {
		t.say(h, v, "RST", "RST", "")
	}
	if v.Len() > 0 {
		if t.control(v) {
			t.text(h, p, v, s)
		} else {
			t.data(h, v, s)
		}
	}
	if v.Flags.Has(packet.FIN) {
		t.say(h, v, "FIN", "FIN", "")
	}
}

// control reports whether a segment is of the control connection, which a
// gateway may have led to another port.
func (t *teller) control(v *packet.View) bool {
	return v.Src.Port() == controlPort || v.Dst.Port() == controlPort || t.controls[[2]netip.AddrPort{v.Src, v.Dst}]
}

// say adds a message, unless it is one that was told and is sent again; key
// tells that, within its flow.
func (t *teller) say(h *hop, v *packet.View, text, key, note string) int {
	key = foldKey(h, v, loss(h), key)
	if i, ok := t.seen[key]; ok {
		m := &t.messages[i]
		m.Again = append(m.Again, h.at.Sub(t.start)-m.At)
		if strings.HasSuffix(m.Note, silent) {
			m.Note = h.lost // which knows more
		}
		t.of[h] = i
		t.arrives(h, i)
		return i
	}
	m := Message{At: h.at.Sub(t.start), From: h.from, To: h.to, Wire: h.network, Src: v.Src, Dst: v.Dst,
		Text: text, Control: v.TCP && t.control(v), Part: h.part, Lost: h.lost != ""}
	if v.TCP && !m.Control {
		m.Part = Transfer
	}
	if m.To == "" {
		m.To = h.network
	}
	m.Translated = translated(h, v)
	m.Note = both(both(note, h.note), h.lost)
	t.messages = append(t.messages, m)
	i := len(t.messages) - 1
	t.seen[key], t.of[h] = i, i
	if got, ok := t.of[h.parent]; ok && h.parent != nil {
		t.came[i] = got
	}
	t.arrives(h, i)
	return i
}

// arrives notes when a message came to its end first.
func (t *teller) arrives(h *hop, i int) {
	if _, ok := t.arrived[i]; !ok && h.arrived {
		t.arrived[i] = h.arrival.Sub(t.start)
	}
}

// data sums up what goes over a data connection in one message.
func (t *teller) data(h *hop, v *packet.View, s *stream) {
	if !s.some {
		s.data = t.say(h, v, "", fmt.Sprint("data", v.Seq), "")
		s.some, s.low, s.top = true, v.Seq, v.Seq
	}
	m := &t.messages[s.data]
	t.of[h] = s.data
	if end := v.Seq + uint32(v.Len()); h.lost == "" && int32(end-s.top) > 0 {
		s.top = end
	}
	if m.Lost && s.top != s.low {
		m.Note = "" // what was lost has come after all
	}
	if m.Lost = s.top == s.low; !m.Lost {
		m.Text = fmt.Sprintf("%d octets of data", s.top-s.low)
	} else {
		m.Text = "data"
	}
}

// translated says how a gateway has changed the addresses of what it sends on.
func translated(h *hop, v *packet.View) string {
	if h.parent == nil {
		return ""
	}
	got, err := (&packet.Packet{Data: h.parent.now}).Parse()
	if err != nil || got.Src == v.Dst || got.Proto != v.Proto {
		return "" // an answer of its own
	}
	var out string
	for _, ends := range [][2]netip.AddrPort{{got.Src, v.Src}, {got.Dst, v.Dst}} {
		if ends[0] != ends[1] {
			out = both(out, fmt.Sprintf("%s becomes %s", Endpoint(ends[0]), Endpoint(ends[1])))
		}
	}
	return out
}

// both joins two remarks.
func both(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	}
	return a + "; " + b
}

// Endpoint prints an endpoint, without its port if that is 0.
func Endpoint(ep netip.AddrPort) string {
	if ep.Port() == 0 {
		return ep.Addr().String()
	}
	return ep.String()
}

// loss is the kind of a loss: what one wire does to a packet, then another, is
// not the same, but a gateway may say later why it gives no answer.
func loss(h *hop) string {
	if h.lost != "" && !onWire(h.lost) {
		return "kept"
	}
	return h.lost
}

// foldKey is what makes a message the same one, sent again.
func foldKey(h *hop, v *packet.View, lost, what string) string {
	return fmt.Sprintf("%s %v %v %q %s", h.from, v.Src, v.Dst, lost, what)
}
