package packet

import "encoding/binary"

// sum adds words as the Internet checksum does (RFC 1071); fold brings the
// result to 16 bits. Words of 32 bits give the same as those of 16, because
// 2^16 is 1 modulo 2^16-1.
func sum(b []byte, acc uint64) uint64 {
	for len(b) >= 16 {
		v, w := binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])
		acc += v>>32 + v&0xffffffff + w>>32 + w&0xffffffff
		b = b[16:]
	}
	for len(b) >= 4 {
		acc += uint64(binary.BigEndian.Uint32(b))
		b = b[4:]
	}
	if len(b) >= 2 {
		acc += uint64(binary.BigEndian.Uint16(b))
		b = b[2:]
	}
	if len(b) == 1 {
		acc += uint64(b[0]) << 8
	}
	return acc
}

func fold(acc uint64) uint16 {
	acc = acc>>32 + acc&0xffffffff
	acc = acc>>16 + acc&0xffff
	acc = acc>>16 + acc&0xffff
	return uint16(acc>>16 + acc)
}

// change is what adjust needs to know of octets at an even offset that change:
// the sum of the complement of the old and of the new words. Both have the
// same, even length.
func change(old, new []byte) (acc uint64) {
	for len(old) >= 4 && len(new) >= 4 {
		acc += uint64(^binary.BigEndian.Uint32(old)) + uint64(binary.BigEndian.Uint32(new))
		old, new = old[4:], new[4:]
	}
	if len(old) >= 2 && len(new) >= 2 {
		acc += uint64(^binary.BigEndian.Uint16(old)) + uint64(binary.BigEndian.Uint16(new))
	}
	return acc
}

// adjust corrects the checksum at c by changes (RFC 1624, equation 3). A
// checksum that was wrong stays wrong by the same amount, and one that was
// computed comes out as if it were computed again, the two zeros included: in
// this arithmetic, a sum of terms that are not all zero is never 0x0000, so that
// its complement, the checksum, is never 0xffff. (A sender that writes 0xffff
// for 0x0000 is understood; the next adjustment may turn it into 0x0000.)
func adjust(c []byte, changes uint64) {
	binary.BigEndian.PutUint16(c, ^fold(uint64(^binary.BigEndian.Uint16(c))+changes))
}

// pseudo is the sum over the pseudo header of TCP (RFC 9293 section 3.1) and
// ICMPv6 (RFC 8200 section 8.1).
func (p *Packet) pseudo(v *View) uint64 {
	acc := uint64(v.Proto) + uint64(v.end-v.ip)
	if v.Version == 4 {
		return sum(p.Data[12:20], acc)
	}
	return sum(p.Data[8:40], acc)
}

// payloadSum is the sum over all that the checksum of TCP or ICMP covers.
func (p *Packet) payloadSum(v *View) uint64 {
	acc := sum(p.Data[v.ip:v.end], 0)
	if v.Proto != ProtoICMP {
		acc += p.pseudo(v)
	}
	return acc
}

// setIPChecksum computes the header checksum of IPv4 anew.
func (p *Packet) setIPChecksum(v *View) {
	if v.Version == 4 {
		p.Data[10], p.Data[11] = 0, 0
		binary.BigEndian.PutUint16(p.Data[10:], ^fold(sum(p.Data[:v.ip], 0)))
	}
}

// setChecksum computes the checksum of a whole segment or ICMP message anew;
// at is its offset there.
func (p *Packet) setChecksum(v *View, at int) {
	c := p.Data[v.ip+at : v.ip+at+2]
	c[0], c[1] = 0, 0
	binary.BigEndian.PutUint16(c, ^fold(p.payloadSum(v)))
}

// Offsets of the checksum in TCP and ICMP.
const (
	tcpChecksum  = 16
	icmpChecksum = 2
)

// ChecksumOK verifies the checksum of a TCP segment or an ICMP message. What
// cannot be verified, a fragment or another protocol, counts as good.
func (p *Packet) ChecksumOK(v *View) bool {
	switch {
	case v.Fragment():
		return true
	case v.TCP, v.icmp() && v.end-v.ip >= 4:
		return fold(p.payloadSum(v)) == 0xffff
	}
	return true
}
