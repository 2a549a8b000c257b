package packet

import (
	"encoding/binary"
	"net/netip"
)

// Unreachable is a reason for an ICMP error.
type Unreachable uint8

// The reasons, with their codes in RFC 792, RFC 1812 section 5.2.7.1 and
// RFC 4443 section 3.1.
const (
	NetUnreachable  Unreachable = iota // no route
	HostUnreachable                    // the host does not answer
	PortUnreachable                    // nobody listens
	AdminProhibited                    // a filter forbids it
	TooBig                             // does not fit and must not be fragmented
	TimeExceeded                       // the hop limit is used up
)

func (u Unreachable) String() string {
	return [...]string{"net unreachable", "host unreachable", "port unreachable",
		"administratively prohibited", "packet too big", "time exceeded"}[u]
}

// typeCode4 and typeCode6 are type and code of the reasons.
var (
	typeCode4 = [...][2]byte{{3, 0}, {3, 1}, {3, 3}, {3, 13}, {3, 4}, {11, 0}}
	typeCode6 = [...][2]byte{{1, 0}, {1, 3}, {1, 4}, {1, 1}, {2, 0}, {3, 0}}
)

// reason reads type and code. A code that is not in the tables says why
// something cannot be reached in finer terms than are needed here; ok is false
// for a message that is not of these types.
func reason(version uint8, typ, code byte) (why Unreachable, ok bool) {
	table, unreachable := &typeCode4, byte(3)
	if version == 6 {
		table, unreachable = &typeCode6, 1
	}
	for i, tc := range table {
		if tc[0] == typ && (tc[1] == code || typ != unreachable) {
			return Unreachable(i), true
		}
	}
	return HostUnreachable, typ == unreachable
}

// ICMPError builds the error of a node about a packet; from must be of its
// family, and mtu is for TooBig. It returns nil where no error may be sent
// (RFC 1122 section 3.2.2, RFC 4443 section 2.4): about an ICMP error, and here
// about any ICMP packet, about a fragment that is not the first, and about a
// packet that is not from one host to one host.
func ICMPError(from netip.Addr, about *Packet, v *View, why Unreachable, mtu int) *Packet {
	if v.Proto == ProtoICMP || v.Proto == ProtoICMPv6 || v.FragmentOffset != 0 ||
		!oneHost(v.Src.Addr()) || !oneHost(v.Dst.Addr()) {
		return nil
	}
	proto, tc := byte(ProtoICMP), typeCode4[why]
	most := 576 - 28 // RFC 1812 section 4.3.2.3
	if v.Version == 6 {
		proto, tc, most = ProtoICMPv6, typeCode6[why], 1280-48
	}
	quote := about.Data[:min(v.end, most)]
	p, iv := ip(from, v.Src.Addr(), proto, 8+len(quote))
	b := p.Data[iv.ip:]
	clear(b[:8])
	b[0], b[1] = tc[0], tc[1]
	if why == TooBig {
		binary.BigEndian.PutUint32(b[4:], uint32(mtu))
	}
	copy(b[8:], quote)
	p.setChecksum(&iv, icmpChecksum)
	return p
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

func oneHost(a netip.Addr) bool {
	return !a.IsUnspecified() && !a.IsMulticast() && a != broadcast
}
