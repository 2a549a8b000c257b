package packet

import "encoding/binary"

// option calls f with the contents of every TCP option of a kind.
func (p *Packet) option(v *View, kind byte, f func(at int, content []byte)) {
	for i := v.ip + 20; i < v.tcp; {
		switch k := p.Data[i]; {
		case k == 0:
			return
		case k == 1:
			i++
		case i+1 >= v.tcp || p.Data[i+1] < 2 || i+int(p.Data[i+1]) > v.tcp:
			return // what follows cannot be told apart
		default:
			n := int(p.Data[i+1])
			if k == kind {
				f(i+2-v.ip, p.Data[i+2:i+n])
			}
			i += n
		}
	}
}

// Kinds of TCP options.
const (
	optionMSS           = 2
	optionWindowScale   = 3
	optionSACKPermitted = 4
	optionSACK          = 5
)

// MSS returns the maximum segment size option of a SYN; ok is false without.
func (p *Packet) MSS(v *View) (mss uint16, ok bool) {
	p.option(v, optionMSS, func(_ int, c []byte) {
		if len(c) == 2 {
			mss, ok = binary.BigEndian.Uint16(c), true
		}
	})
	return mss, ok
}

// WindowScale returns the shift of a SYN's window scale option (RFC 7323 section
// 2.2); ok is false without.
func (p *Packet) WindowScale(v *View) (shift uint8, ok bool) {
	p.option(v, optionWindowScale, func(_ int, c []byte) {
		if len(c) == 1 {
			shift, ok = min(c[0], 14), true
		}
	})
	return shift, ok
}

// SACKPermitted reports whether a SYN has that option (RFC 2018 section 2).
func (p *Packet) SACKPermitted(v *View) (ok bool) {
	p.option(v, optionSACKPermitted, func(int, []byte) { ok = true })
	return ok
}

// SACKs calls f for the right edge of every selective acknowledgement
// (RFC 2018 section 3).
func (p *Packet) SACKs(v *View, f func(edge uint32)) {
	p.option(v, optionSACK, func(_ int, c []byte) {
		for i := 4; i+4 <= len(c); i += 8 {
			f(binary.BigEndian.Uint32(c[i:]))
		}
	})
}

// MapSACK replaces every edge of the selective acknowledgements (RFC 2018) by
// what f makes of it.
func (p *Packet) MapSACK(v *View, f func(edge uint32) uint32) {
	if !v.TCP || v.tcp-v.ip == 20 {
		return
	}
	p.option(v, optionSACK, func(at int, c []byte) {
		for i := 0; i+4 <= len(c); i += 4 {
			p.set32(v, at+i, f(binary.BigEndian.Uint32(c[i:])))
		}
	})
}
