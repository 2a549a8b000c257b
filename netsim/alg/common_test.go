package alg_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// ends are the endpoints of a control connection, as they are and as the other
// side sees them.
type ends struct{ real, seen [2]netip.AddrPort }

func between(clientReal, clientSeen, serverReal, serverSeen string) ends {
	return ends{real: [2]netip.AddrPort{netip.MustParseAddrPort(clientReal), netip.MustParseAddrPort(serverReal)},
		seen: [2]netip.AddrPort{netip.MustParseAddrPort(clientSeen), netip.MustParseAddrPort(serverSeen)}}
}

// The networks of the tests.
var (
	classic = between("192.168.1.2:41001", "218.63.1.5:41001", "218.63.1.100:21", "218.63.1.100:21")
	behind  = between("218.63.1.100:41001", "218.63.1.100:41001", "192.168.1.2:21", "218.63.1.5:21")
	both    = between("192.168.1.2:41001", "218.63.1.5:41001", "10.9.0.100:21", "218.63.1.6:21")
	routed  = between("192.168.1.2:41001", "192.168.1.2:41001", "218.63.1.100:21", "218.63.1.100:21")
	nat66   = between("[fd11:1::2]:41001", "[2001:db8:63::5]:41001", "[2001:db8:63::100]:21", "[2001:db8:63::100]:21")
)

// connection is a gateway's connection without a gateway.
type connection struct {
	ends
	established bool
	now         time.Time
	taken       map[uint16]bool // outside ports that are not free
	refuse      error
	expected    []gateway.Expectation
	sent        []sentPacket
	notes       []string
}

type sentPacket struct {
	p  *packet.Packet
	to gateway.Side
}

func (c *connection) Real(s gateway.Side) netip.AddrPort { return c.real[s] }
func (c *connection) Seen(s gateway.Side) netip.AddrPort { return c.seen[s] }
func (c *connection) Established() bool                  { return c.established }
func (c *connection) Now() time.Time                     { return c.now }

func (c *connection) Expect(e gateway.Expectation) (netip.AddrPort, error) {
	if c.refuse != nil {
		return netip.AddrPort{}, c.refuse
	}
	outside := netip.AddrPortFrom(e.To.Addr(), e.To.Port())
	if c.real[e.By] != c.seen[e.By] {
		number := e.To.Port()
		if c.taken[number] {
			number = 40_000
			if e.Port != nil {
				number = e.Port(func(p uint16) bool { return c.taken[p] })
			}
		}
		if number == 0 {
			return netip.AddrPort{}, errors.New("no port is free")
		}
		outside = netip.AddrPortFrom(c.seen[e.By].Addr(), number)
	}
	if e.Max > 0 && len(c.expected) >= e.Max {
		c.expected = slices.Delete(c.expected, 0, 1)
	}
	c.expected = append(c.expected, e)
	return outside, nil
}

func (c *connection) Send(p *packet.Packet, to gateway.Side) {
	c.sent = append(c.sent, sentPacket{p, to})
}

func (c *connection) Note(format string, args ...any) {
	c.notes = append(c.notes, fmt.Sprintf(format, args...))
}

func (c *connection) story() string { return strings.Join(c.notes, "\n") }

// attach makes the inspector of a connection.
func attach(tb testing.TB, o alg.Options, c *connection) gateway.Inspector {
	tb.Helper()
	if o.Rand == nil {
		o.Rand = rand.New(rand.NewPCG(1, 2))
	}
	h, err := alg.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	if h == nil {
		return nil
	}
	c.now = c.now.Add(time.Second)
	return h.Attach(c)
}

// wire feeds an inspector with segments that a test makes by hand.
type wire struct {
	tb   testing.TB
	conn *connection
	insp gateway.Inspector
	next [2]uint32 // the next sequence number of each side
}

// newWire makes a connection whose handshake is done.
func newWire(tb testing.TB, o alg.Options, e ends) *wire {
	tb.Helper()
	c := &connection{ends: e, taken: map[uint16]bool{}}
	w := &wire{tb: tb, conn: c, insp: attach(tb, o, c), next: [2]uint32{1000, 9000}}
	w.pass(gateway.Client, packet.Segment{Seq: 999, Flags: packet.SYN, Window: 65535, Options: []byte{2, 4, 5, 180}})
	w.pass(gateway.Server, packet.Segment{Seq: 8999, Ack: 1000, Flags: packet.SYN | packet.ACK, Window: 65535, Options: []byte{2, 4, 5, 180}})
	c.established = true
	w.pass(gateway.Client, packet.Segment{Seq: 1000, Ack: 9000, Flags: packet.ACK, Window: 65535})
	return w
}

// out is what has come out for a side.
type out struct {
	packet.View
	text string
}

// pass sends one segment and returns what comes out at the other side, what the
// inspector has sent by itself first.
func (w *wire) pass(from gateway.Side, s packet.Segment) []out {
	w.tb.Helper()
	return w.passUrgent(from, s, 0)
}

// passUrgent is pass for a segment with an urgent pointer.
func (w *wire) passUrgent(from gateway.Side, s packet.Segment, pointer uint16) []out {
	w.tb.Helper()
	s.Src, s.Dst = w.conn.real[from], w.conn.seen[from.Other()]
	p := packet.TCP(s)
	v, err := p.Parse()
	if err != nil {
		w.tb.Fatal(err)
	}
	p.SetUrgent(&v, pointer)
	w.conn.sent = nil
	goes := w.insp == nil || w.insp.Inspect(p, &v, from)
	var outs []out
	for _, q := range w.conn.sent {
		if q.to == from.Other() {
			outs = append(outs, w.read(q.p))
		}
	}
	if goes {
		outs = append(outs, w.read(p))
	}
	return outs
}

func (w *wire) read(p *packet.Packet) out {
	w.tb.Helper()
	v, err := p.Parse()
	if err != nil {
		w.tb.Fatal(err)
	}
	if !p.ChecksumOK(&v) {
		w.tb.Fatalf("wrong checksum: %v", p)
	}
	return out{v, string(p.Payload(&v))}
}

// say sends text as the next segment of a side and returns the texts that come
// out. Everything of the other side is acknowledged.
func (w *wire) say(from gateway.Side, text string) []out {
	w.tb.Helper()
	outs := w.pass(from, packet.Segment{Seq: w.next[from], Ack: w.next[from.Other()], Flags: packet.ACK | packet.PSH,
		Window: 65535, Payload: []byte(text)})
	w.next[from] += uint32(len(text))
	return outs
}

// login makes both sides say a line, so that what follows starts one.
func (w *wire) login() {
	w.tb.Helper()
	w.say(gateway.Server, "220 ready\r\n")
	w.say(gateway.Client, "USER anonymous\r\n")
	w.say(gateway.Server, "331 password\r\n")
}

func texts(outs []out) string {
	var all []string
	for _, o := range outs {
		all = append(all, o.text)
	}
	return strings.Join(all, "|")
}
