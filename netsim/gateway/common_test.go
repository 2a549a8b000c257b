package gateway_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ftpconform/ftpconform/netsim/clock"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The network of most tests: two inside hosts, and three outside.
const (
	inside  = 0
	outside = 1

	client   = "192.168.1.2:40001"
	neighbor = "192.168.1.3:40001"
	server   = "218.63.1.100:21"
	stranger = "218.63.1.200:21"

	client6 = "[fd00:1::2]:40001"
	server6 = "[2001:db8:63::100]:21"
)

func ep(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// lab is a gateway with somebody at both ends.
type lab struct {
	t       *testing.T
	clock   *clock.Clock
	node    *clock.Node
	g       *gateway.Gateway
	ends    []*end
	changes []gateway.Change
	damaged bool // wrong checksums are what is wanted
}

// end is a network next to the gateway.
type end struct {
	lab *lab
	got []*packet.Packet
}

// Input implements packet.Sink. Whatever leaves a gateway is in order.
func (e *end) Input(p *packet.Packet) {
	if v, err := p.Parse(); err != nil || !e.lab.damaged && !p.ChecksumOK(&v) {
		e.lab.t.Errorf("a damaged packet left: %v %v", p, err)
	}
	e.got = append(e.got, p)
}

// newLab makes a gateway of two interfaces; it has none of its own in o.
func newLab(t *testing.T, o gateway.Options) *lab {
	t.Helper()
	return newLabWith(t, o, 48*time.Hour)
}

// newLabWith makes a lab in which so much time may pass. The segments of most
// tests have no numbers to speak of, so windows are not followed.
func newLabWith(t *testing.T, o gateway.Options, most time.Duration) *lab {
	t.Helper()
	if o.NAT != nil {
		n := *o.NAT
		n.Windows = false
		o.NAT = &n
	}
	return newExactLab(t, o, most)
}

// newExactLab makes a lab with the options as they are.
func newExactLab(t *testing.T, o gateway.Options, most time.Duration) *lab {
	t.Helper()
	l := &lab{t: t, clock: clock.New(clock.Options{Seed: 1, Limits: clock.Limits{Virtual: most}})}
	l.node = l.clock.Node()
	if o.Interfaces == nil {
		o.Interfaces = []gateway.Interface{
			{Name: "inside", Addrs: prefixes("192.168.1.1/24", "fd00:1::1/64")},
			{Name: "outside", Addrs: prefixes("218.63.1.5/24", "2001:db8:63::5/64"), Outside: true}}
	}
	o.Name = "gw"
	o.Routes = append(o.Routes, gateway.Route{To: netip.MustParsePrefix("0.0.0.0/0"), Interface: outside})
	g, err := gateway.New(l.node, o)
	if err != nil {
		t.Fatal(err)
	}
	l.g = g
	for i := range o.Interfaces {
		e := &end{lab: l}
		l.ends = append(l.ends, e)
		g.Connect(i, e)
	}
	g.Observe(func(c gateway.Change) { l.changes = append(l.changes, c) })
	return l
}

func prefixes(s ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range s {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

// nat is the options of a NAT.
func nat(n gateway.NAT) gateway.Options { return gateway.Options{NAT: &n} }

// pass lets time go by.
func (l *lab) pass(d time.Duration) {
	l.t.Helper()
	l.node.Go("test", func() { _ = l.node.Sleep(context.Background(), d) })
	if err := l.clock.Run(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
}

// send gives the gateway a packet.
func (l *lab) send(from int, p *packet.Packet) { l.g.Interface(from).Input(p) }

// tcp gives the gateway a segment and returns what left it, on either side.
func (l *lab) tcp(from int, src, dst string, f packet.Flags) string {
	l.send(from, packet.TCP(packet.Segment{Src: ep(src), Dst: ep(dst), Flags: f, Seq: 1000, Ack: 2000}))
	return l.left()
}

// left tells, and forgets, what has left the gateway: "out: …" or "in: …".
func (l *lab) left() string {
	var out []string
	for i, e := range l.ends {
		for _, p := range e.got {
			v, err := p.Parse()
			text := []string{"in", "out", "third"}[i] + ": "
			switch _, src, dst, ok := p.Quote(&v); {
			case err != nil:
				text += err.Error()
			case ok:
				text += fmt.Sprintf("%v", p)
				_, _ = src, dst
			case v.TCP:
				text += fmt.Sprintf("%v > %v %v", v.Src, v.Dst, v.Flags)
			default:
				text += p.String()
			}
			out = append(out, text)
		}
		e.got = nil
	}
	return strings.Join(out, "\n")
}

// seen connects from inside and returns the endpoint that the server sees; the
// zero value if it sees nothing.
func (l *lab) seen(src, dst string) netip.AddrPort {
	l.t.Helper()
	l.send(inside, packet.TCP(packet.Segment{Src: ep(src), Dst: ep(dst), Flags: packet.SYN}))
	var out netip.AddrPort
	for _, p := range l.ends[outside].got {
		v, err := p.Parse()
		if err != nil {
			l.t.Fatal(err)
		}
		out = v.Src
	}
	l.left()
	return out
}

// connect establishes a connection from inside and returns the endpoint that
// the server sees.
func (l *lab) connect(src, dst string) string {
	l.t.Helper()
	seen := l.seen(src, dst)
	if !seen.IsValid() {
		l.t.Fatalf("the SYN from %s to %s did not get out", src, dst)
	}
	l.tcp(outside, dst, seen.String(), packet.SYN|packet.ACK)
	l.tcp(inside, src, dst, packet.ACK)
	return seen.String()
}

// want compares what has left the gateway.
func (l *lab) want(got, want string) {
	l.t.Helper()
	if got != want {
		l.t.Errorf("what left:\n%s\nwanted:\n%s\ndropped: %v\n%v", got, want, l.g.Drops(), l.g.Table())
	}
}

// told lists the changes of a kind, and forgets all.
func (l *lab) told(kinds ...gateway.Kind) []string {
	var out []string
	for _, c := range l.changes {
		if slices.Contains(kinds, c.Kind) {
			out = append(out, c.String())
		}
	}
	l.changes = nil
	return out
}

// reseal makes the header checksum of IPv4 right.
func reseal(p *packet.Packet) {
	p.Data[10], p.Data[11] = 0, 0
	var sum uint32
	for i := 0; i < 20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(p.Data[i:]))
	}
	sum = sum>>16 + sum&0xffff
	sum = sum>>16 + sum&0xffff
	binary.BigEndian.PutUint16(p.Data[10:], ^uint16(sum))
}
