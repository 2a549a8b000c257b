package packet

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// IP protocol numbers.
const (
	ProtoICMP     = 1
	ProtoTCP      = 6
	ProtoFragment = 44 // IPv6 fragment header (RFC 8200 section 4.5)
	ProtoICMPv6   = 58
)

// Flags of a TCP segment (RFC 9293 section 3.1).
type Flags uint8

// The flags.
const (
	FIN Flags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
)

// Has reports whether all of the flags are set.
func (f Flags) Has(g Flags) bool { return f&g == g }

// View is what stands in the headers of a packet. It is a copy: a change of
// the packet shows in a View only where the method that makes it says so.
type View struct {
	// Version is 4 or 6.
	Version uint8
	// Proto is the protocol of the payload, behind a fragment header. Other
	// extension headers of IPv6 are not read: they are a protocol of their own.
	Proto uint8
	// TTL is the hop limit in IPv6.
	TTL uint8
	// Src and Dst have port 0 when the payload is not TCP, or a fragment
	// without the TCP header.
	Src, Dst netip.AddrPort

	// ID, FragmentOffset (octets) and MoreFragments describe a fragment;
	// DontFragment is the flag of IPv4, always set for IPv6.
	ID             uint32
	FragmentOffset int
	MoreFragments  bool
	DontFragment   bool

	// TCP is set when the TCP header is there in full; the fields below hold
	// then.
	TCP      bool
	Seq, Ack uint32
	Flags    Flags
	Window   uint16
	Urgent   uint16

	ip  int // offset of the payload of IP
	tcp int // offset of the payload of TCP
	end int // end of the packet by its own account
}

// Errors of Parse.
var (
	ErrShort    = errors.New("packet: too short for its headers")
	ErrHeader   = errors.New("packet: impossible header")
	ErrChecksum = errors.New("packet: wrong IP header checksum")
)

// Parse reads the headers. It takes any octets; what it accepts can be edited
// by the other methods without looking again. The payload of a first fragment
// may end within the TCP header, which is then not read.
func (p *Packet) Parse() (View, error) {
	b := p.Data
	if len(b) == 0 {
		return View{}, ErrShort
	}
	var v View
	var src, dst netip.Addr
	var err error
	switch b[0] >> 4 {
	case 4:
		if err = v.readIPv4(b); err != nil {
			return View{}, err
		}
		src, dst = netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
	case 6:
		if err = v.readIPv6(b); err != nil {
			return View{}, err
		}
		src, dst = netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
	default:
		return View{}, ErrHeader
	}
	var ports uint32
	if v.Proto == ProtoTCP && v.FragmentOffset == 0 {
		if err = v.readTCP(b[v.ip:v.end]); err != nil {
			return View{}, err
		}
		if v.TCP {
			ports = binary.BigEndian.Uint32(b[v.ip:])
		}
	}
	v.Src, v.Dst = netip.AddrPortFrom(src, uint16(ports>>16)), netip.AddrPortFrom(dst, uint16(ports))
	return v, nil
}

func (v *View) readIPv4(b []byte) error {
	if len(b) < 20 {
		return ErrShort
	}
	v.Version, v.ip, v.end = 4, int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	switch {
	case v.ip < 20:
		return ErrHeader
	case v.end < v.ip, len(b) < v.end:
		return ErrShort
	case fold(sum(b[:v.ip], 0)) != 0xffff:
		return ErrChecksum
	}
	frag := binary.BigEndian.Uint16(b[6:])
	v.ID, v.FragmentOffset = uint32(binary.BigEndian.Uint16(b[4:])), int(frag&0x1fff)*8
	v.MoreFragments, v.DontFragment = frag&0x2000 != 0, frag&0x4000 != 0
	v.TTL, v.Proto = b[8], b[9]
	return nil
}

func (v *View) readIPv6(b []byte) error {
	if len(b) < 40 {
		return ErrShort
	}
	v.Version, v.ip, v.end = 6, 40, 40+int(binary.BigEndian.Uint16(b[4:]))
	if len(b) < v.end {
		return ErrShort
	}
	v.DontFragment, v.Proto, v.TTL = true, b[6], b[7]
	if v.Proto == ProtoFragment {
		if v.end < 48 {
			return ErrShort
		}
		frag := binary.BigEndian.Uint16(b[42:])
		v.Proto, v.ip = b[40], 48
		v.FragmentOffset, v.MoreFragments, v.ID = int(frag&^7), frag&1 != 0, binary.BigEndian.Uint32(b[44:])
	}
	return nil
}

// readTCP reads the header at the start of t, all that there is of TCP.
func (v *View) readTCP(t []byte) error {
	n := 20
	if len(t) >= n {
		n = int(t[12]>>4) * 4
	}
	switch {
	case n < 20:
		return ErrHeader
	case len(t) < n && v.MoreFragments: // the rest is in the next one
		return nil
	case len(t) < n:
		return ErrShort
	}
	v.TCP, v.tcp = true, v.ip+n
	v.Seq, v.Ack = binary.BigEndian.Uint32(t[4:]), binary.BigEndian.Uint32(t[8:])
	v.Flags = Flags(t[13]) & (FIN | SYN | RST | PSH | ACK | URG)
	v.Window, v.Urgent = binary.BigEndian.Uint16(t[14:]), binary.BigEndian.Uint16(t[18:])
	return nil
}

// icmp reports whether the payload is ICMP of the packet's own family.
func (v *View) icmp() bool {
	return v.Version == 4 && v.Proto == ProtoICMP || v.Version == 6 && v.Proto == ProtoICMPv6
}

// Fragment reports whether the packet is a fragment of a larger one.
func (v *View) Fragment() bool { return v.FragmentOffset != 0 || v.MoreFragments }

// Len is the number of octets of the TCP payload.
func (v *View) Len() int { return v.end - v.tcp }

// Next is the sequence number after the segment: SYN and FIN count as one
// octet each (RFC 9293 section 3.4).
func (v *View) Next() uint32 {
	n := v.Seq + uint32(v.Len())
	if v.Flags.Has(SYN) {
		n++
	}
	if v.Flags.Has(FIN) {
		n++
	}
	return n
}

// Payload returns the payload of the TCP segment; it is part of the packet.
func (p *Packet) Payload(v *View) []byte { return p.Data[v.tcp:v.end] }

// IPPayload returns what follows the IP headers; it is part of the packet.
func (p *Packet) IPPayload(v *View) []byte { return p.Data[v.ip:v.end] }
