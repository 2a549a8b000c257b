package lab

import (
	"bytes"
	"strings"
	"sync"
	"time"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
	"github.com/ftpconform/ftpconform/netsim/wire"
)

// recorder keeps all that is seen on the wires and heard of the gateways. It
// tells nothing: see retell.
type recorder struct {
	start   time.Time
	real    bool // so is time
	wires   []*line
	owners  owners
	routers map[string]netsim.Router // gateways that are not simulated

	mu       sync.Mutex
	over     bool
	part     Part
	hops     []*hop
	sights   []sight
	changes  []change
	crossing *hop            // the packet that a network is handing over
	inside   map[string]*hop // by gateway, of which each has an entry: the packet that it is working on
	// waiting is what gateways have got and not yet passed on, in real time.
	waiting map[string][]*hop
}

// line is a wire with what is on it.
type line struct {
	name    string
	node    string // at end 0
	network string // at end 1
	out     []*hop // on the way to the network
	in      []*hop // on the way to the node
}

// hop is a packet on its way from a node to the next one, over the wires of
// both.
type hop struct {
	at       time.Time
	part     Part
	from, to string // to is empty until the network has found it
	network  string
	data     []byte // as it was sent
	now      []byte // as it is, in case that the wire damages it
	note     string
	parent   *hop // what the gateway got, for what it sends on
	arrival  time.Time

	reached bool   // the network
	arrived bool   // at its end
	lost    string // why nobody got it; empty if somebody did
	passed  bool   // a gateway has sent it on
}

// sight is a packet at an end of a wire, for captures.
type sight struct {
	wire    *line
	moment  wire.Moment
	from    int
	at      time.Time
	hop     *hop
	data    []byte
	comment string
}

// record begins to watch a world.
func record(w *netsim.World) *recorder {
	r := &recorder{start: w.Clock.Start(), real: !w.Clock.Virtual(), owners: ownersIn(&w.Topology), part: Login, inside: map[string]*hop{},
		routers: map[string]netsim.Router{}, waiting: map[string][]*hop{}}
	networks := map[string]string{}
	for _, h := range w.Topology.Hosts {
		networks[h.Name] = h.Network
	}
	for _, g := range w.Topology.Gateways {
		networks[g.Name+"/inside"], networks[g.Name+"/outside"] = g.Inside.Network, g.Outside.Network
		r.inside[g.Name] = nil
		if gw := w.Gateway(g.Name); gw != nil {
			gw.Observe(func(c gateway.Change) { r.changed(g.Name, gw, c) })
		} else {
			r.routers[g.Name] = w.Router(g.Name)
		}
	}
	for _, wi := range w.Wires() {
		node, _, _ := strings.Cut(wi.Name, "/")
		l := &line{name: wi.Name, node: node, network: networks[wi.Name]}
		r.wires = append(r.wires, l)
		wi.Tap(func(m wire.Moment, from int, at time.Time, p *packet.Packet) { r.seen(l, m, from, at, p) })
	}
	return r
}

// stop ends the recording: what happens while a world is closed is no part of
// the story.
func (r *recorder) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
}

// begin says which part of the act begins.
func (r *recorder) begin(p Part) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.part = p
}

// seen takes note of a packet at an end of a wire.
func (r *recorder) seen(l *line, m wire.Moment, from int, at time.Time, p *packet.Packet) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return
	}
	var h *hop
	switch {
	case m == wire.Sent && from == 0:
		h = r.leaves(l, at, p)
	case m == wire.Sent:
		h = r.handedOver(l, at, p)
	case m == wire.Lost:
		if h = last(*l.way(from)); h != nil {
			h.lost = lostOnWire
			if p.Note != "" {
				h.lost += ": " + p.Note
			}
			remove(l.way(from), h)
		}
	default:
		if h = arrived(l.way(from), p); h == nil {
			// The second of two copies: it goes its way and is not told.
			h = &hop{at: at, network: l.network, now: bytes.Clone(p.Data)}
		}
		r.arrives(l, from, at, h)
	}
	r.sights = append(r.sights, sight{wire: l, moment: m, from: from, at: at, hop: h, data: bytes.Clone(p.Data), comment: p.Note})
}

// gateway reports whether a node is one.
func (r *recorder) gateway(node string) bool {
	_, ok := r.inside[node]
	return ok
}

func (l *line) way(from int) *[]*hop {
	if from == 0 {
		return &l.out
	}
	return &l.in
}

// leaves begins a hop. What a gateway sends while it works on a packet comes
// from that.
func (r *recorder) leaves(l *line, at time.Time, p *packet.Packet) *hop {
	data := bytes.Clone(p.Data)
	h := &hop{at: at, part: r.part, from: l.node, network: l.network, data: data, now: data, note: p.Note}
	got := r.inside[l.node]
	if r.real && r.gateway(l.node) {
		got = r.parent(l.node, data)
	} else if got != nil && !got.arrival.Equal(at) {
		got = nil
	}
	if got != nil {
		h.parent = got
		got.passed = true
	}
	r.asked(l.node, h)
	r.hops = append(r.hops, h)
	l.out = append(l.out, h)
	return h
}

// handedOver is a packet that the network gives to a node: the one that has
// just come, or an answer of its own.
func (r *recorder) handedOver(l *line, at time.Time, p *packet.Packet) *hop {
	h := r.crossing
	r.crossing = nil
	if h == nil || !bytes.Equal(h.now, p.Data) {
		data := bytes.Clone(p.Data)
		h = &hop{at: at, part: r.part, from: l.network, network: l.network, data: data, now: data, note: p.Note, reached: true}
		r.hops = append(r.hops, h)
	}
	h.to = l.node
	l.in = append(l.in, h)
	return h
}

// arrives ends the way of a hop over one wire.
func (r *recorder) arrives(l *line, from int, at time.Time, h *hop) {
	if from == 0 {
		h.reached, r.crossing = true, h
		return
	}
	h.arrived, h.arrival = true, at
	if r.gateway(l.node) {
		r.inside[l.node] = h
		if r.real {
			r.waiting[l.node] = append(r.waiting[l.node], h)
		}
	}
}

// arrived finds a packet among those on a wire and takes it off. A broken one
// that looks like none of them is the one that differs from it in one octet, and
// was damaged on the way.
func arrived(on *[]*hop, p *packet.Packet) *hop {
	for _, h := range *on {
		if bytes.Equal(h.now, p.Data) {
			remove(on, h)
			return h
		}
	}
	if v, err := p.Parse(); err == nil && p.ChecksumOK(&v) {
		return nil
	}
	for _, h := range *on {
		if differing(h.now, p.Data) == 1 {
			h.now, h.lost = bytes.Clone(p.Data), damagedOnWire
			remove(on, h)
			return h
		}
	}
	return nil
}

// differing counts the octets in which two packets differ, all of them where
// the lengths do.
func differing(a, b []byte) int {
	if len(a) != len(b) {
		return max(len(a), len(b))
	}
	n := 0
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

func last(on []*hop) *hop {
	if len(on) == 0 {
		return nil
	}
	return on[len(on)-1]
}

func remove(on *[]*hop, h *hop) {
	for i, o := range *on {
		if o == h {
			*on = append((*on)[:i], (*on)[i+1:]...)
			return
		}
	}
}
