package gateway_test

import (
	"net/netip"
	"testing"

	"github.com/ftpconform/ftpconform/netsim/clock"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// keep keeps the packet that came last, so that a benchmark can send it again.
type keep struct{ p *packet.Packet }

func (k *keep) Input(p *packet.Packet) { k.p = p }

// BenchmarkForward measures a segment of an established connection on its way
// through a NAT, there and, as another packet, back.
func BenchmarkForward(b *testing.B) {
	for _, size := range []struct {
		name string
		n    int
	}{{"ack", 0}, {"full", 1460}} {
		b.Run(size.name, func(b *testing.B) {
			g, err := gateway.New(clock.New(clock.Options{}).Node(), gateway.Options{
				Interfaces: []gateway.Interface{
					{Name: "inside", Addrs: []netip.Prefix{netip.MustParsePrefix("192.168.1.1/24")}},
					{Name: "outside", Addrs: []netip.Prefix{netip.MustParsePrefix("218.63.1.5/24")}, Outside: true}},
				NAT: &gateway.NAT{},
			})
			if err != nil {
				b.Fatal(err)
			}
			var in, out keep
			g.Connect(0, &in)
			g.Connect(1, &out)
			client, server := netip.MustParseAddrPort("192.168.1.2:40001"), netip.MustParseAddrPort("218.63.1.100:21")
			outside := netip.MustParseAddrPort("218.63.1.5:40001")
			g.Interface(0).Input(packet.TCP(packet.Segment{Src: client, Dst: server, Flags: packet.SYN}))
			if out.p == nil {
				b.Fatal("the SYN did not get through")
			}
			g.Interface(1).Input(packet.TCP(packet.Segment{Src: server, Dst: outside, Flags: packet.SYN | packet.ACK}))
			g.Interface(0).Input(packet.TCP(packet.Segment{Src: client, Dst: server, Flags: packet.ACK}))
			p := packet.TCP(packet.Segment{Src: client, Dst: server, Flags: packet.ACK, Payload: make([]byte, size.n)})
			fresh := p.Clone()
			b.ReportAllocs()
			for b.Loop() {
				p.Data = append(p.Data[:0], fresh.Data...)
				g.Interface(0).Input(p)
				p = out.p
			}
		})
	}
}
