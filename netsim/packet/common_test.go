package packet_test

import (
	"net/netip"
	"testing"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// family has the endpoints of a connection through a NAT.
type family struct {
	name                    string
	client, outside, server netip.AddrPort
}

var families = []family{
	{"IPv4", netip.MustParseAddrPort("192.168.1.2:50001"), netip.MustParseAddrPort("203.0.113.5:40000"),
		netip.MustParseAddrPort("198.51.100.7:21")},
	{"IPv6", netip.MustParseAddrPort("[fd00::2]:50001"), netip.MustParseAddrPort("[2001:db8:5::5]:40000"),
		netip.MustParseAddrPort("[2001:db8:7::7]:21")},
}

// parse fails the test when the packet cannot be read.
func parse(tb testing.TB, p *packet.Packet) packet.View {
	tb.Helper()
	v, err := p.Parse()
	if err != nil {
		tb.Fatalf("Parse of % x…: %v", p.Data[:min(len(p.Data), 80)], err)
	}
	return v
}

// onesSum is the sum of RFC 1071 done in the plainest way, to check the package
// against.
func onesSum(parts ...[]byte) uint16 {
	var acc uint32
	for _, b := range parts {
		for i := range b {
			word := uint32(b[i])
			if i%2 == 0 {
				word <<= 8
			}
			if acc += word; acc > 0xffff {
				acc -= 0xffff
			}
		}
	}
	return uint16(acc)
}

// ipPayload is where the TCP header of a packet begins that this test made.
func ipPayload(p *packet.Packet) int {
	switch {
	case p.Data[0]>>4 == 4:
		return int(p.Data[0]&15) * 4
	case p.Data[6] == packet.ProtoFragment:
		return 48
	}
	return 40
}

// covered returns the sums over an IPv4 header, 0xffff for IPv6, and over a
// payload of TCP or ICMP with its pseudo header.
func covered(p *packet.Packet) (header, payload uint16) {
	at := ipPayload(p)
	n := len(p.Data) - at
	if p.Data[0]>>4 == 4 {
		header = onesSum(p.Data[:at])
		if p.Data[9] == packet.ProtoICMP {
			return header, onesSum(p.Data[at:])
		}
		return header, onesSum(p.Data[12:20], []byte{0, p.Data[9], byte(n >> 8), byte(n)}, p.Data[at:])
	}
	proto := p.Data[6]
	if proto == packet.ProtoFragment {
		proto = p.Data[40]
	}
	return 0xffff, onesSum(p.Data[8:40], []byte{0, 0, byte(n >> 8), byte(n), 0, 0, 0, proto}, p.Data[at:])
}

// verify fails the test when a checksum is wrong.
func verify(tb testing.TB, p *packet.Packet) {
	tb.Helper()
	header, payload := covered(p)
	if header != 0xffff {
		tb.Errorf("IP header checksum is wrong: % x", p.Data[:ipPayload(p)])
	}
	if payload != 0xffff {
		tb.Errorf("payload checksum is wrong: %v", p)
	}
}

// wrap puts a payload into IPv4 with options, or IPv6 with a fragment header
// of a packet that is whole, and makes the checksum at offset check right.
func wrap(f family, ipOptions []byte, atomic bool, proto byte, payload []byte, check int) *packet.Packet {
	src, dst := f.client.Addr(), f.server.Addr()
	var b []byte
	if src.Is4() {
		n := 20 + len(ipOptions)
		total := n + len(payload)
		b = append(b, 0x40|byte(n/4), 0, byte(total>>8), byte(total), 0x12, 0x34, 0, 0, 64, proto, 0, 0)
		b = append(append(append(b, src.AsSlice()...), dst.AsSlice()...), ipOptions...)
		putSum(b[10:], onesSum(b))
	} else {
		n, next := len(payload), proto
		if atomic {
			n, next = n+8, packet.ProtoFragment
		}
		b = append(b, 0x60, 0, 0, 0, byte(n>>8), byte(n), next, 64)
		b = append(append(b, src.AsSlice()...), dst.AsSlice()...)
		if atomic {
			b = append(b, proto, 0, 0, 0, 0, 0, 0, 7)
		}
	}
	p := packet.Of(append(b, payload...))
	c := p.Data[len(b)+check:]
	c[0], c[1] = 0, 0
	_, payloadSum := covered(p)
	putSum(c, payloadSum)
	return p
}

func putSum(c []byte, sum uint16) { c[0], c[1] = byte(^sum>>8), byte(^sum) }

// segment is a TCP header with options, which must be a multiple of four, and
// a payload.
func segment(f family, flags packet.Flags, options, payload []byte) []byte {
	var b []byte
	for _, n := range []uint16{f.client.Port(), f.server.Port(), 0x1122, 0x3344, 0x5566, 0x7788,
		uint16(5+len(options)/4)<<12 | 0xc0 | uint16(flags), 0x2000, 0, 0} {
		b = append(b, byte(n>>8), byte(n))
	}
	return append(append(b, options...), payload...)
}

// octets are n octets of IP payload that begin with a TCP header.
func octets(n int) []byte { return segment(families[0], packet.ACK, nil, make([]byte, n-20)) }
