package packet

import (
	"encoding/binary"
	"net/netip"
)

// SetSrc changes the source address and, of a TCP segment, the port; v follows.
// The new address must be of the packet's family. The checksums follow also in
// the first of several fragments; the others have none that covers addresses.
func (p *Packet) SetSrc(v *View, to netip.AddrPort) {
	v.Src = p.setEndpoint(v, to, 0)
}

// SetDst changes the destination as SetSrc does the source.
func (p *Packet) SetDst(v *View, to netip.AddrPort) {
	v.Dst = p.setEndpoint(v, to, 1)
}

// setEndpoint changes the endpoint of side 0, the source, or 1, and returns
// what the packet has now.
func (p *Packet) setEndpoint(v *View, to netip.AddrPort, side int) netip.AddrPort {
	var changes uint64
	if v.Version == 4 {
		addr := to.Addr().As4()
		old := p.Data[12+4*side : 16+4*side]
		changes = change(old, addr[:])
		adjust(p.Data[10:12], changes)
		copy(old, addr[:])
	} else {
		addr := to.Addr().As16()
		old := p.Data[8+16*side : 24+16*side]
		changes = change(old, addr[:])
		copy(old, addr[:])
	}
	switch {
	case v.TCP:
		t := p.Data[v.ip : v.ip+tcpChecksum+2] // all that a quote may have
		port := t[2*side:]
		changes += uint64(^binary.BigEndian.Uint16(port)) + uint64(to.Port())
		binary.BigEndian.PutUint16(port, to.Port())
		adjust(t[tcpChecksum:], changes)
		return to
	case v.Version == 6 && v.icmp() && v.FragmentOffset == 0 && v.end-v.ip >= 4:
		adjust(p.Data[v.ip+icmpChecksum:], changes)
	}
	return netip.AddrPortFrom(to.Addr(), 0)
}

// set16 changes 16 bits at an even offset of the TCP header.
func (p *Packet) set16(v *View, at int, to uint16) {
	b := p.Data[v.ip+at:]
	changes := uint64(^binary.BigEndian.Uint16(b)) + uint64(to)
	binary.BigEndian.PutUint16(b, to)
	adjust(p.Data[v.ip+tcpChecksum:], changes)
}

// set32 changes 32 bits at any offset of the TCP header: options need not be
// aligned. At an odd offset, the octets change places in the words of the
// checksum, which is what a factor of 2^8 does to them.
func (p *Packet) set32(v *View, at int, to uint32) {
	b := p.Data[v.ip+at:]
	changes := uint64(^binary.BigEndian.Uint32(b)) + uint64(to)
	binary.BigEndian.PutUint32(b, to)
	adjust(p.Data[v.ip+tcpChecksum:], changes<<(at%2*8))
}

// SetSeq changes the sequence number; v follows.
func (p *Packet) SetSeq(v *View, seq uint32) {
	p.set32(v, 4, seq)
	v.Seq = seq
}

// SetAck changes the acknowledgement number; v follows.
func (p *Packet) SetAck(v *View, ack uint32) {
	p.set32(v, 8, ack)
	v.Ack = ack
}

// SetUrgent sets the URG flag and the urgent pointer, or clears both for 0; v
// follows. The pointer is the number of octets from the first of the segment to
// the one that follows the urgent octet (RFC 6093 section 4).
func (p *Packet) SetUrgent(v *View, pointer uint16) {
	flags := v.Flags &^ URG
	if pointer != 0 {
		flags |= URG
	}
	p.set16(v, 12, uint16(p.Data[v.ip+12])<<8|uint16(p.Data[v.ip+13]&0xc0)|uint16(flags))
	p.set16(v, 18, pointer)
	v.Flags, v.Urgent = flags, pointer
}

// HopDown decrements TTL or hop limit; it must be above 0. v follows.
func (p *Packet) HopDown(v *View) {
	v.TTL--
	if v.Version == 6 {
		p.Data[7] = v.TTL
		return
	}
	old := p.Data[8]
	p.Data[8] = v.TTL
	adjust(p.Data[10:12], uint64(^(uint16(old)<<8))+uint64(v.TTL)<<8)
}

// Replace puts text, which must not be part of the packet, in the place of n
// octets of the TCP payload from offset off on, and makes lengths and checksums
// right, whatever they were before. v follows. It reports whether that was
// possible: a fragment has no checksum of its own, and a packet must not grow
// beyond 65,535 octets. If not, nothing has changed.
func (p *Packet) Replace(v *View, off, n int, text []byte) bool {
	grow := len(text) - n
	if v.Fragment() || grow > 0 && v.end+grow > maxPacket {
		return false
	}
	at := v.tcp + off
	b := p.Data[:v.end]
	if grow > 0 {
		b = append(b, text[:grow]...) // only for the room
	}
	copy(b[at+len(text):], b[at+n:v.end])
	copy(b[at:], text)
	p.Data = b[:v.end+grow]
	v.end += grow
	if v.Version == 4 {
		binary.BigEndian.PutUint16(p.Data[2:], uint16(v.end))
		p.setIPChecksum(v)
	} else {
		binary.BigEndian.PutUint16(p.Data[4:], uint16(v.end-40))
	}
	p.setChecksum(v, tcpChecksum)
	return true
}
