package packet

import (
	"fmt"
	"strings"
)

// String prints the packet on one line, for traces and failures.
func (p *Packet) String() string {
	v, err := p.Parse()
	if err != nil {
		return fmt.Sprintf("%d octets: %v", len(p.Data), err)
	}
	if why, src, dst, ok := p.Quote(&v); ok {
		return fmt.Sprintf("%s > %s ICMP %s about %s > %s", v.Src.Addr(), v.Dst.Addr(), why, src, dst)
	}
	if !v.TCP || v.Fragment() {
		s := fmt.Sprintf("%s > %s protocol %d, %d octets", v.Src.Addr(), v.Dst.Addr(), v.Proto, v.end-v.ip)
		if v.Fragment() {
			s += fmt.Sprintf(" at %d of datagram %d", v.FragmentOffset, v.ID)
		}
		return s
	}
	s := fmt.Sprintf("%s > %s %s seq %d", v.Src, v.Dst, v.Flags, v.Seq)
	if v.Flags.Has(ACK) {
		s += fmt.Sprintf(" ack %d", v.Ack)
	}
	if v.Len() > 0 {
		s += fmt.Sprintf(" %d octets", v.Len())
	}
	return s
}

func (f Flags) String() string {
	var names []string
	for i, n := range []string{"FIN", "SYN", "RST", "PSH", "ACK", "URG"} {
		if f.Has(1 << i) {
			names = append(names, n)
		}
	}
	if len(names) == 0 {
		return "no flag"
	}
	return strings.Join(names, " ")
}
