package gateway_test

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/clock"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// from is the endpoint of one of many connections.
func from(i int) string { return fmt.Sprintf("192.168.1.%d:%d", 2+i/60000, 1024+i%60000) }

// TestExhaustion asks for more than there is, waits until the old has expired,
// and asks again.
func TestExhaustion(t *testing.T) {
	for _, test := range []struct {
		name string
		nat  gateway.NAT
		most int
	}{
		{"mappings", gateway.NAT{MaxMappings: 10}, 10},
		{"ports", gateway.NAT{Ports: gateway.Random, PortRange: gateway.PortRange{First: 5000, Last: 5006}}, 7},
		{"ports of two addresses", gateway.NAT{Ports: gateway.Sequential, PortRange: gateway.PortRange{First: 5000, Last: 5006},
			Pooling: gateway.Arbitrary, Addresses: []netip.Addr{netip.MustParseAddr("218.63.1.6"), netip.MustParseAddr("218.63.1.7")}}, 14},
		{"ports for one server", gateway.NAT{Overload: true, Ports: gateway.Random, Mapping: gateway.AddressAndPortDependent,
			PortRange: gateway.PortRange{First: 5000, Last: 5006}}, 7},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, nat(test.nat))
			for range 3 {
				for i := range 30 {
					if got := l.seen(from(i), server).IsValid(); got != (i < test.most) {
						t.Fatalf("connection %d gets out: %v", i+1, got)
					}
				}
				table := l.g.Table()
				if len(table.Connections) != test.most || len(table.Mappings) != test.most {
					t.Errorf("there are %d connections and %d mappings", len(table.Connections), len(table.Mappings))
				}
				l.pass(4 * time.Minute)
			}
			if got := l.g.Drops(); got[gateway.Exhausted] != 3*(30-test.most) {
				t.Errorf("dropped: %v", got)
			}
			if table := l.g.Table(); len(table.Connections)+len(table.Mappings) != 0 {
				t.Errorf("left is\n%v", table)
			}
		})
	}
}

// TestFlood fills the table to its default size, and leaves room for others
// when the flood has expired.
func TestFlood(t *testing.T) {
	l := newLab(t, nat(gateway.NAT{Filtering: gateway.AddressDependent,
		Addresses: []netip.Addr{netip.MustParseAddr("218.63.1.5"), netip.MustParseAddr("218.63.1.6")}}))
	l.g.Connect(outside, discard{})
	src := ep("192.168.1.2:0").Addr()
	for i := range 70000 {
		s := packet.Segment{Src: netip.AddrPortFrom(src, uint16(1024+i%60000)), Dst: ep(server), Flags: syn}
		if i >= 60000 {
			s.Src = netip.AddrPortFrom(src.Next(), s.Src.Port())
		}
		l.send(inside, packet.TCP(s))
	}
	if n := l.g.Drops()[gateway.Exhausted]; n != 70000-65536 {
		t.Errorf("%d were dropped", n)
	}
	l.pass(5 * time.Minute)
	l.g.Connect(outside, l.ends[outside])
	l.connect(client, server)
	if table := l.g.Table(); len(table.Connections) != 1 || len(table.Mappings) != 1 {
		t.Errorf("there are %d connections and %d mappings", len(table.Connections), len(table.Mappings))
	}
}

type discard struct{}

func (discard) Input(p *packet.Packet) { p.Release() }

// TestOnePortManyServers uses one mapping for very many connections.
func TestOnePortManyServers(t *testing.T) {
	l := newLab(t, nat(gateway.NAT{}))
	for i := range 5000 {
		if seen := l.seen(client, fmt.Sprintf("218.64.%d.%d:21", i/250, 1+i%250)); seen.String() != "218.63.1.5:40001" {
			t.Fatalf("connection %d is seen as %v", i+1, seen)
		}
	}
	if table := l.g.Table(); len(table.Mappings) != 1 || table.Mappings[0].Connections != 5000 {
		t.Errorf("the mappings are %v", table.Mappings)
	}
	l.pass(4 * time.Minute)
	if table := l.g.Table(); table.String() != "" {
		t.Errorf("left is\n%v", table)
	}
}

// TestSameSeedSamePorts makes the same choices twice.
func TestSameSeedSamePorts(t *testing.T) {
	course := func() (out string) {
		l := newLab(t, nat(gateway.NAT{Ports: gateway.Random, Mapping: gateway.AddressDependent}))
		for i := range 200 {
			l.seen(from(i), server)
		}
		l.pass(4 * time.Minute)
		l.seen(client, server)
		l.g.Table()
		for _, c := range l.changes {
			out += c.String() + "\n"
		}
		return out
	}
	if a, b := course(), course(); a != b {
		t.Errorf("two runs differ:\n%s\n%s", a, b)
	}
}

// TestConcurrency uses a gateway from several goroutines, in real time.
func TestConcurrency(t *testing.T) {
	g, err := gateway.New(clock.New(clock.Options{Real: true}).Node(), gateway.Options{
		Interfaces: []gateway.Interface{{Name: "inside", Addrs: prefixes("192.168.1.1/24")},
			{Name: "outside", Addrs: prefixes("218.63.1.5/24"), Outside: true}},
		NAT: &gateway.NAT{MaxMappings: 500}, Helper: &script{}})
	if err != nil {
		t.Fatal(err)
	}
	back := &echo{g: g}
	g.Connect(inside, discard{})
	g.Connect(outside, back)
	var told sync.Map
	g.Observe(func(c gateway.Change) { told.Store(c.Kind, true) })
	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			for i := range 500 {
				src := netip.AddrPortFrom(ep(client).Addr(), uint16(2000+n*1000+i))
				for _, f := range []packet.Flags{syn, ack, finAck} {
					g.Interface(inside).Input(packet.TCP(packet.Segment{Src: src, Dst: ep(stranger), Flags: f}))
				}
				if i%100 == 0 {
					_, _ = g.Table(), g.Drops()
				}
			}
		})
	}
	all.Wait()
	if n := len(g.Table().Connections); n != 500 {
		t.Errorf("%d connections", n)
	}
	for _, k := range []gateway.Kind{gateway.MappingMade, gateway.ConnectionMade, gateway.PacketDropped} {
		if _, ok := told.Load(k); !ok {
			t.Errorf("nobody heard of %v", k)
		}
	}
}

// echo answers at once, while the gateway is still sending.
type echo struct{ g *gateway.Gateway }

func (e *echo) Input(p *packet.Packet) {
	if v, err := p.Parse(); err == nil {
		e.g.Interface(outside).Input(packet.TCP(packet.Segment{Src: v.Dst, Dst: v.Src, Flags: v.Flags | ack}))
	}
	p.Release()
}
