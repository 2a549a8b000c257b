package packet_test

import (
	"net/netip"
	"testing"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// BenchmarkTranslate is what a NAT does with every packet.
func BenchmarkTranslate(b *testing.B) {
	for _, family := range families {
		b.Run(family.name, func(b *testing.B) {
			p := packet.TCP(packet.Segment{Src: family.client, Dst: family.server, Flags: packet.ACK,
				Payload: make([]byte, 1400)})
			ends := [2][2]netip.AddrPort{{family.outside, family.server}, {family.client, family.outside}}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				v, err := p.Parse()
				if err != nil {
					b.Fatal(err)
				}
				p.SetSrc(&v, ends[i&1][0])
				p.SetDst(&v, ends[i&1][1])
				p.SetSeq(&v, v.Seq+2)
				p.SetAck(&v, v.Ack-2)
			}
		})
	}
}

func BenchmarkReplace(b *testing.B) {
	family := families[0]
	p := packet.TCP(packet.Segment{Src: family.client, Dst: family.server, Flags: packet.ACK | packet.PSH,
		Payload: []byte("PORT 192,168,1,2,195,81\r\n")})
	texts := [2][]byte{[]byte("192,168,1,2,195,81"), []byte("203,0,113,5,195,81")}
	v, err := p.Parse()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p.Replace(&v, 5, 18, texts[i&1])
	}
}

func BenchmarkParse(b *testing.B) {
	for _, family := range families {
		b.Run(family.name, func(b *testing.B) {
			p := packet.TCP(packet.Segment{Src: family.client, Dst: family.server, Flags: packet.ACK})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Parse(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
