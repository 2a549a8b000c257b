package packet

import (
	"encoding/binary"
	"net/netip"
)

// Quote returns what an ICMP error is about: the reason, and the endpoints of
// the TCP segment that it quotes, of which only the first eight octets need be
// there. ok is false for anything else.
func (p *Packet) Quote(v *View) (why Unreachable, src, dst netip.AddrPort, ok bool) {
	if !v.icmp() || v.Fragment() || v.end-v.ip < 8 {
		return 0, src, dst, false
	}
	b := p.Data[v.ip:v.end]
	why, ok = reason(v.Version, b[0], b[1])
	if !ok {
		return 0, src, dst, false
	}
	inner, ok := quoted(b[8:])
	if !ok || inner.Version != v.Version {
		return 0, src, dst, false
	}
	return why, inner.Src, inner.Dst, true
}

// quoted reads the headers of a quoted packet, which may be cut short after
// eight octets of TCP. Its lengths and checksums are not looked at: routers
// quote packets that they have begun to change.
func quoted(b []byte) (v View, ok bool) {
	if len(b) == 0 {
		return v, false
	}
	switch b[0] >> 4 {
	case 4:
		n := int(b[0]&15) * 4
		if n < 20 || len(b) < n+8 || binary.BigEndian.Uint16(b[6:])&0x1fff != 0 {
			return v, false
		}
		v.Version, v.Proto, v.ip = 4, b[9], n
		v.Src = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[12:16])), binary.BigEndian.Uint16(b[n:]))
		v.Dst = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[16:20])), binary.BigEndian.Uint16(b[n+2:]))
	case 6:
		if len(b) < 48 {
			return v, false
		}
		v.Version, v.Proto, v.ip = 6, b[6], 40
		v.Src = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[8:24])), binary.BigEndian.Uint16(b[40:]))
		v.Dst = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[24:40])), binary.BigEndian.Uint16(b[42:]))
	}
	v.end = len(b)
	return v, v.Proto == ProtoTCP
}

// SetQuote changes the endpoints of the packet that an ICMP error quotes, as a
// NAT must (RFC 5508 section 4.2); Quote must have read it. The checksums of
// the quoted headers follow, as far as they are in the quote, and that of the
// error.
func (p *Packet) SetQuote(v *View, src, dst netip.AddrPort) {
	b := p.Data[v.ip+8 : v.end]
	inner, ok := quoted(b)
	if !ok {
		return
	}
	// All that changes is there, also the checksum of TCP if it was not cut.
	touched := b[:inner.ip+4]
	if len(b) >= inner.ip+tcpChecksum+2 {
		inner.TCP, touched = true, b[:inner.ip+tcpChecksum+2]
	}
	var before [60 + tcpChecksum + 2]byte
	n := copy(before[:], touched)
	q := &Packet{Data: b}
	q.SetSrc(&inner, src)
	q.SetDst(&inner, dst)
	if !inner.TCP {
		binary.BigEndian.PutUint16(b[inner.ip:], src.Port())
		binary.BigEndian.PutUint16(b[inner.ip+2:], dst.Port())
	}
	adjust(p.Data[v.ip+icmpChecksum:], change(before[:n], touched))
}

// SetReason gives an ICMP error another reason; Quote must have read it.
func (p *Packet) SetReason(v *View, why Unreachable) {
	table := &typeCode4
	if v.Version == 6 {
		table = &typeCode6
	}
	b := p.Data[v.ip:v.end]
	before := [2]byte(b)
	copy(b, table[why][:])
	adjust(b[icmpChecksum:], change(before[:], b[:2]))
}
