package packet

import (
	"encoding/binary"
	"net/netip"
)

// Segment is what stands in a TCP segment that is to be built.
type Segment struct {
	Src, Dst netip.AddrPort
	Seq, Ack uint32
	Flags    Flags
	Window   uint16
	Options  []byte // a multiple of four octets, at most 40
	Payload  []byte
}

// TTL is the hop limit of packets that are built here.
const TTL = 64

// TCP builds a segment; both endpoints must be of one family, and the packet
// must not exceed 65,535 octets. IPv4 must not fragment it.
func TCP(s Segment) *Packet {
	n := 20 + len(s.Options) + len(s.Payload)
	p, v := ip(s.Src.Addr(), s.Dst.Addr(), ProtoTCP, n)
	t := p.Data[v.ip:]
	binary.BigEndian.PutUint16(t, s.Src.Port())
	binary.BigEndian.PutUint16(t[2:], s.Dst.Port())
	binary.BigEndian.PutUint32(t[4:], s.Seq)
	binary.BigEndian.PutUint32(t[8:], s.Ack)
	t[12], t[13] = byte(5+len(s.Options)/4)<<4, byte(s.Flags)
	binary.BigEndian.PutUint16(t[14:], s.Window)
	t[16], t[17], t[18], t[19] = 0, 0, 0, 0
	copy(t[20:], s.Options)
	copy(t[20+len(s.Options):], s.Payload)
	p.setChecksum(&v, tcpChecksum)
	return p
}

// Reset builds the RST that a host sends in answer to a segment for which it
// has no connection (RFC 9293 section 3.10.7.1); nil when the segment is a RST
// itself, or a fragment, whose length nobody knows.
func Reset(v *View) *Packet {
	if !v.TCP || v.Fragment() || v.Flags.Has(RST) {
		return nil
	}
	s := Segment{Src: v.Dst, Dst: v.Src, Flags: RST}
	if v.Flags.Has(ACK) {
		s.Seq = v.Ack
	} else {
		s.Flags, s.Ack = RST|ACK, v.Next()
	}
	return TCP(s)
}

// ip builds the IP header of a packet with a payload of n octets.
func ip(src, dst netip.Addr, proto byte, n int) (*Packet, View) {
	if src.Is4() {
		p := New(20 + n)
		h := p.Data[:20]
		clear(h)
		h[0], h[6], h[8], h[9] = 0x45, 0x40, TTL, proto // do not fragment
		binary.BigEndian.PutUint16(h[2:], uint16(len(p.Data)))
		s, d := src.As4(), dst.As4()
		copy(h[12:], s[:])
		copy(h[16:], d[:])
		v := View{Version: 4, Proto: proto, ip: 20, end: len(p.Data)}
		p.setIPChecksum(&v)
		return p, v
	}
	p := New(40 + n)
	h := p.Data[:40]
	clear(h)
	h[0], h[6], h[7] = 0x60, proto, TTL
	binary.BigEndian.PutUint16(h[4:], uint16(n))
	s, d := src.As16(), dst.As16()
	copy(h[8:], s[:])
	copy(h[24:], d[:])
	return p, View{Version: 6, Proto: proto, ip: 40, end: len(p.Data)}
}
