package gateway_test

import (
	"net/netip"
	"testing"

	"github.com/ftpconform/ftpconform/netsim/clock"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// last keeps the packet that came last, so that a benchmark can send it again.
type last struct{ p *packet.Packet }

func (l *last) Input(p *packet.Packet) { l.p = p }

// BenchmarkForward measures a segment of an established connection on its way
// through a NAT. Renewing the packet is part of it.
func BenchmarkForward(b *testing.B) {
	for _, test := range []struct {
		name      string
		n, others int // octets of the payload, connections beside this one
	}{{"ack", 0, 0}, {"full", 1460, 0}, {"among 10000", 1460, 9999}} {
		b.Run(test.name, func(b *testing.B) {
			g, err := gateway.New(clock.New(clock.Options{}).Node(), gateway.Options{NAT: &gateway.NAT{},
				Interfaces: []gateway.Interface{{Addrs: prefixes("192.168.1.1/24")}, {Addrs: prefixes("218.63.1.5/24"), Outside: true}}})
			if err != nil {
				b.Fatal(err)
			}
			var out last
			g.Connect(inside, discard{})
			g.Connect(outside, &out)
			segment := func(i int, src, dst string, f packet.Flags) {
				g.Interface(i).Input(packet.TCP(packet.Segment{Src: ep(src), Dst: ep(dst), Flags: f}))
			}
			for i := range test.others {
				segment(inside, netip.AddrPortFrom(ep(neighbor).Addr(), uint16(2000+i)).String(), server, syn)
			}
			segment(inside, client, server, syn)
			segment(outside, server, "218.63.1.5:40001", synAck)
			segment(inside, client, server, ack)
			if phase := g.Table().Connections[0].Phase; phase != gateway.PhaseEstablished {
				b.Fatal(phase)
			}
			p := packet.TCP(packet.Segment{Src: ep(client), Dst: ep(server), Flags: ack, Payload: make([]byte, test.n)})
			fresh := p.Clone()
			b.ReportAllocs()
			for b.Loop() {
				p.Data = append(p.Data[:0], fresh.Data...)
				g.Interface(inside).Input(p)
				p = out.p
			}
		})
	}
}
