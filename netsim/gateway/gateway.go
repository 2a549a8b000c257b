// Package gateway is the middlebox of the simulated network: a router
// (RFC 1812) that may filter with state, translate addresses and ports, and ask
// a helper about the connections that pass.
//
// Translation has the behaviours of RFC 4787 and RFC 5382 as options: mapping
// and filtering, port assignment, pooling, hairpinning, timers, the silence
// after an unsolicited SYN; ICMP errors are translated after RFC 5508, and
// fragments are put together first (RFC 2663 section 8.4). The zero value of
// NAT keeps to RFC 5382; Linux tells what a Linux gateway does. Faults are the
// ways of being wrong that are met in the field. Expectations, through which a
// helper lets connections in that a control connection has announced, follow
// what the Linux kernel does with them.
//
// Only TCP and the ICMP errors about it are translated, and only they have
// state; other protocols are routed where nothing is translated, and dropped
// where it would be.
//
// # Concurrency and time
//
// A Gateway may be used from several goroutines. It never holds its mutex while
// it calls another node or an observer. Entries that have outlived their time
// are removed when somebody comes across them, so that a gateway at rest
// schedules nothing; the only events are those of Hold.
package gateway

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"github.com/ftpconform/ftpconform/netsim/clock"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// Gateway is a router, firewall or NAT.
type Gateway struct {
	name    string
	node    *clock.Node
	rand    *rand.Rand
	ports   []*port
	routes  []route
	own     map[netip.Addr]bool
	rules   *ruleset    // nil without a filter
	nat     *translator // nil without translation
	helper  Helper
	unknown Unknown
	faults  Faults
	tracks  bool // connections
	state   tracking
	// loopback is as in Options.
	loopback bool
	// elsewhere is Taken of Options.
	elsewhere func(outside netip.AddrPort) bool

	mu        sync.Mutex
	now       time.Time // when the packet that is being worked on came
	table     table
	expected  expectations
	held      map[key]*held
	fragments *packet.Reassembler
	drops     map[Reason]int
	inspected *packet.Packet // the packet that an inspector looks at
	view      packet.View    // what it is shown

	observers []func(Change)
	changes   []Change
	telling   bool
	first     parcel
	more      []parcel
}

// port is an interface at work.
type port struct {
	gateway *Gateway
	name    string
	addrs   []netip.Prefix
	mtu     int
	outside bool
	out     packet.Sink // nil before Connect
}

// parcel is a packet that leaves when the mutex is released.
type parcel struct {
	to packet.Sink
	p  *packet.Packet
}

// New makes a gateway out of its options. The error says what is wrong with
// them.
func New(node *clock.Node, o Options) (*Gateway, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("gateway %q: %w", o.Name, err)
	}
	o = o.withFaults()
	g := &Gateway{name: o.Name, node: node, rand: node.Rand("gateway " + o.Name), own: map[netip.Addr]bool{},
		helper: o.Helper, unknown: o.Unknown, faults: o.Faults, state: o.tracking(), loopback: o.Loopback, elsewhere: o.Taken,
		tracks: o.NAT != nil || o.Filter != nil || o.Helper != nil,
		table:  newTable(), expected: newExpectations(), held: map[key]*held{},
		fragments: packet.NewReassembler(packet.ReassemblyOptions{}), drops: map[Reason]int{}}
	for i, spec := range o.Interfaces {
		p := &port{gateway: g, name: spec.nameAt(i), addrs: spec.Addrs, mtu: spec.MTU, outside: spec.Outside}
		if p.mtu == 0 {
			p.mtu = defaultMTU
		}
		g.ports = append(g.ports, p)
		for _, a := range spec.Addrs {
			g.own[a.Addr()] = true
		}
	}
	g.routes = g.routesOf(o.Routes)
	if o.NAT != nil {
		g.nat = newTranslator(o.NAT, g.ports)
		for _, a := range g.nat.addresses() {
			g.own[a] = true
		}
	}
	if o.Filter != nil {
		g.rules = g.compile(o.Filter)
	}
	return g, nil
}

// Interface returns where packets come in, by the number in Options.
func (g *Gateway) Interface(i int) packet.Sink { return g.ports[i] }

// Connect tells an interface where its packets go.
func (g *Gateway) Connect(i int, out packet.Sink) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ports[i].out = out
}

// Input implements packet.Sink.
func (in *port) Input(p *packet.Packet) {
	g := in.gateway
	g.mu.Lock()
	g.now = g.node.Now()
	g.receive(in, p)
	g.release()
}

// Drops returns how many packets have been dropped, and why.
func (g *Gateway) Drops() map[Reason]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make(map[Reason]int, len(g.drops))
	for why, n := range g.drops {
		out[why] = n
	}
	return out
}

// send lets a packet leave by an interface.
func (g *Gateway) send(out *port, p *packet.Packet) {
	switch {
	case out.out == nil:
		g.drop(p, Unconnected)
	case g.first.p == nil:
		g.first = parcel{out.out, p}
	default:
		g.more = append(g.more, parcel{out.out, p})
	}
}

// release gives the mutex back, tells the observers what has happened, and
// sends what there is to send.
func (g *Gateway) release() {
	first, more := g.first, g.more
	g.first, g.more = parcel{}, nil
	g.tell()
	g.mu.Unlock()
	if first.p != nil {
		first.to.Input(first.p)
	}
	for _, s := range more {
		s.to.Input(s.p)
	}
}
