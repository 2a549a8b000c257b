package gateway_test

import (
	"context"
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/clock"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// course reads a course of events from the octets of a fuzzer.
type course struct{ data []byte }

func (c *course) octet() byte {
	if len(c.data) == 0 {
		return 0
	}
	b := c.data[0]
	c.data = c.data[1:]
	return b
}

func (c *course) octets(n int) []byte {
	n = min(n, len(c.data))
	b := c.data[:n]
	c.data = c.data[n:]
	return b
}

// The endpoints that packets have; few, so that they meet again.
var (
	fuzzAddrs4 = []netip.Addr{addr("192.168.1.2"), addr("192.168.1.3"), addr("218.63.1.100"), addr("218.63.1.200"),
		addr("218.63.1.5"), addr("192.168.1.1"), addr("0.0.0.0"), addr("10.1.1.1")}
	fuzzAddrs6 = []netip.Addr{addr("fd00:1::2"), addr("fd00:1::3"), addr("2001:db8:63::100"), addr("2001:db8:63::200"),
		addr("2001:db8:63::5"), addr("fd00:1::1"), addr("ff02::1"), addr("::ffff:192.168.1.2")}
	fuzzPorts = []uint16{40001, 21, 20, 50000, 50001, 0, 8080, 65535}
	fuzzFlags = []packet.Flags{syn, synAck, ack, finAck, rst, rst | ack, 0, packet.FIN | packet.SYN}
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// packet makes a segment, an ICMP error about one, a fragment, or rubbish.
func (c *course) packet() *packet.Packet {
	kind, a, b, ports := c.octet(), c.octet(), c.octet(), c.octet()
	if kind%8 == 7 {
		return packet.Of(c.octets(int(a)))
	}
	addrs := fuzzAddrs4
	if a&8 != 0 {
		addrs = fuzzAddrs6
	}
	src := netip.AddrPortFrom(addrs[a&7], fuzzPorts[ports&7])
	dst := netip.AddrPortFrom(addrs[b&7], fuzzPorts[ports>>3&7])
	p := packet.TCP(packet.Segment{Src: src, Dst: dst, Flags: fuzzFlags[b>>4&7], Payload: make([]byte, int(kind)*8)})
	v, err := p.Parse()
	if err != nil {
		return p
	}
	switch kind % 8 {
	case 4:
		if e := packet.ICMPError(addrs[c.octet()&7], p, &v, packet.Unreachable(b>>4%6), 1400); e != nil {
			return e
		}
	case 5:
		if v.Version == 4 {
			p.Data[6] = c.octet() & 0x3f
			p.Data[7] = c.octet() & 3
			reseal(p)
			return p
		}
		header := []byte{p.Data[6], 0, 0, c.octet() & 0x1f, 0, 0, 0, c.octet() & 3}
		p.Data[6], p.Data = packet.ProtoFragment, slices.Insert(p.Data, 40, header...)
		binary.BigEndian.PutUint16(p.Data[4:], uint16(len(p.Data)-40))
	case 6:
		at := int(c.octet()) % len(p.Data)
		p.Data[at] ^= c.octet()
	}
	return p
}

// border is a neighbour of the gateway that looks at all that comes.
type border struct {
	t       *testing.T
	outside bool
	seeds   *fuzzState
}

// fuzzState is what the neighbours know of the packets that came in.
type fuzzState struct {
	damaged bool // at least one had a wrong checksum, or none that could be verified
	in      int  // by which the last one came
}

var (
	insideNets   = prefixes("192.168.1.0/24", "fd00:1::/64")
	outsideAddrs = map[netip.Addr]bool{addr("218.63.1.5"): true, addr("2001:db8:63::5"): true}
)

func (b *border) Input(p *packet.Packet) {
	v, err := p.Parse()
	switch {
	case err != nil:
		b.t.Errorf("%v left: %v", p, err)
		return
	case v.TTL == 0:
		b.t.Errorf("%v left, though its hops are used up", p)
	case len(p.Data) > 1500:
		b.t.Errorf("%v of %d octets left", p, len(p.Data))
	case !b.seeds.damaged && !p.ChecksumOK(&v):
		b.t.Errorf("%v left with a wrong checksum", p)
	}
	// What comes from outside may be sent back there; nothing else leaves
	// without an outside source.
	src := v.Src.Addr()
	if b.outside && !outsideAddrs[src] && (b.seeds.in == inside || insideNets[0].Contains(src) || insideNets[1].Contains(src)) {
		b.t.Errorf("%v left, came by interface %d", p, b.seeds.in)
	}
	p.Release()
}

// faultsFrom switches on the faults of a mask but those that break what is
// verified here.
func faultsFrom(mask uint16) (f gateway.Faults) {
	for i, info := range gateway.FaultNames() {
		if mask>>(i%16)&1 != 0 && info.Name != "LeaksInside" && info.Name != "BadChecksum" {
			_ = f.Set(info.Name)
		}
	}
	return f
}

// FuzzInput sends any packets into any interface of a NAT with any options.
func FuzzInput(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0})
	f.Add([]byte{0, 0, 0, 0, 0,
		0, 0, 0, 2, 0x08, // a SYN to the server, the answer, an ACK
		1, 0, 2, 0x14, 0x01,
		0, 0, 0, 0x22, 0x08,
		1, 4, 2, 0x04, 0x01, 3, // an ICMP error
		2, 60, // time
		0, 5, 0, 0x22, 0x08, 0x20, 0, 0, 5, 0, 0x22, 0x08, 0, 1}) // fragments
	f.Add([]byte{0xff, 0xff, 0, 0, 0, 0, 0, 8, 0x0a, 0x08, 1, 0, 10, 0x1c, 1, 0, 0, 1, 4, 8})
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &course{data}
		a, b, m := c.octet(), c.octet(), uint16(c.octet())<<8|uint16(c.octet())
		const most = 5
		n := gateway.NAT{Mapping: gateway.Behaviour(a % 3), Filtering: gateway.Behaviour(a / 3 % 3), Ports: gateway.PortPolicy(a / 9 % 3),
			Overload: a&128 != 0, Hairpin: gateway.Hairpin(b % 3), Strict: b&8 != 0, MaxMappings: most,
			PortRange: gateway.PortRange{First: 50000, Last: 50003},
			Forwards:  []gateway.Forward{{Ports: gateway.PortRange{First: 8080, Last: 8080}, To: addr("192.168.1.3"), Port: 21}}}
		cl := clock.New(clock.Options{Limits: clock.Limits{Virtual: 10000 * time.Hour}})
		node := cl.Node()
		g, err := gateway.New(node, gateway.Options{NAT: &n, Unknown: gateway.Unknown(b >> 4 & 3), Faults: faultsFrom(m),
			Interfaces: []gateway.Interface{{Addrs: prefixes("192.168.1.1/24", "fd00:1::1/64")},
				{Addrs: prefixes("218.63.1.5/24", "2001:db8:63::5/64"), Outside: true}},
			Routes: []gateway.Route{{To: netip.MustParsePrefix("0.0.0.0/0"), Interface: outside}}})
		if err != nil {
			t.Fatal(err)
		}
		state := &fuzzState{}
		g.Connect(inside, &border{t, false, state})
		g.Connect(outside, &border{t, true, state})
		g.Observe(func(ch gateway.Change) { _ = ch.String() })
		pass := func(d time.Duration) {
			node.Go("fuzz", func() { _ = node.Sleep(context.Background(), d) })
			if err := cl.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for waits := 0; len(c.data) > 0; {
			switch op := c.octet(); {
			case op%16 == 2 && waits < 4:
				waits++
				pass(time.Duration(c.octet()) * time.Second * 10)
			default:
				state.in = int(op & 1)
				p := c.packet()
				if v, err := p.Parse(); err == nil && (v.Fragment() || !p.ChecksumOK(&v)) {
					state.damaged = true
				}
				g.Interface(state.in).Input(p)
			}
			if table := g.Table(); len(table.Mappings) > most || len(table.Connections) > most {
				t.Fatalf("it holds too much:\n%v", table)
			}
		}
		pass(1000 * time.Hour)
		if left := g.Table().String(); left != "" {
			t.Errorf("left for ever:\n%s", left)
		}
	})
}
