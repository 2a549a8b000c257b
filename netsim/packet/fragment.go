package packet

import "encoding/binary"

// maxPacket bounds a packet that is made here: the most that the length field
// of IPv4 can say.
const maxPacket = 65535

// Fragment splits a packet of IPv4 into fragments of at most mtu octets (RFC
// 791 section 3.2), each with the note of p, in their order, and releases p.
// It returns nil, and p stays the caller's, when p fits or must not be
// fragmented: by its flag, in IPv6, or because mtu has no room for eight
// octets behind the header. A fragment can be fragmented further.
func Fragment(p *Packet, v *View, mtu int) []*Packet {
	if v.Version != 4 || v.DontFragment || v.end <= mtu || mtu < v.ip+8 {
		return nil
	}
	first, later := p.Data[:v.ip], p.copiedHeader(v)
	var out []*Packet
	for at := v.ip; at < v.end; {
		header := first
		if at > v.ip {
			header = later
		}
		n := v.end - at
		more := v.MoreFragments
		if len(header)+n > mtu {
			n, more = (mtu-len(header))&^7, true
		}
		f := New(len(header) + n)
		copy(f.Data, header)
		copy(f.Data[len(header):], p.Data[at:at+n])
		f.Note = p.Note
		f.setFragment(len(header), v.FragmentOffset+at-v.ip, more)
		out = append(out, f)
		at += n
	}
	p.Release()
	return out
}

// setFragment makes the header of IPv4, of n octets, that of the fragment at an
// offset; at 0 without more to come, it is a whole packet's.
func (p *Packet) setFragment(n, offset int, more bool) {
	word := uint16(offset / 8)
	if more {
		word |= 0x2000
	}
	p.Data[0] = 0x40 | byte(n/4)
	binary.BigEndian.PutUint16(p.Data[2:], uint16(len(p.Data)))
	binary.BigEndian.PutUint16(p.Data[6:], word)
	p.setIPChecksum(&View{Version: 4, ip: n})
}

// copiedHeader returns the header of the fragments after the first: of the
// options, only those that say so go into every fragment.
func (p *Packet) copiedHeader(v *View) []byte {
	h := append(make([]byte, 0, v.ip), p.Data[:20]...)
	for i := 20; i < v.ip; {
		kind := p.Data[i]
		if kind == 0 {
			break
		}
		n := 1
		if kind != 1 {
			if i+1 >= v.ip || p.Data[i+1] < 2 || i+int(p.Data[i+1]) > v.ip {
				break // what follows cannot be told apart
			}
			n = int(p.Data[i+1])
		}
		if kind&0x80 != 0 {
			h = append(h, p.Data[i:i+n]...)
		}
		i += n
	}
	for len(h)%4 != 0 {
		h = append(h, 0)
	}
	return h
}
