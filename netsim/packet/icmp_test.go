package packet_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

var reasons = []packet.Unreachable{packet.NetUnreachable, packet.HostUnreachable, packet.PortUnreachable,
	packet.AdminProhibited, packet.TooBig, packet.TimeExceeded}

func TestICMPErrorAndQuote(t *testing.T) {
	codes := map[string][][2]byte{
		"IPv4": {{3, 0}, {3, 1}, {3, 3}, {3, 13}, {3, 4}, {11, 0}},
		"IPv6": {{1, 0}, {1, 3}, {1, 4}, {1, 1}, {2, 0}, {3, 0}},
	}
	for i, f := range families {
		about := packet.TCP(packet.Segment{Src: f.client, Dst: f.server, Flags: packet.ACK, Payload: make([]byte, 1400)})
		av := parse(t, about)
		router := f.outside.Addr()
		for j, why := range reasons {
			t.Run(f.name+" "+why.String(), func(t *testing.T) {
				p := packet.ICMPError(router, about, &av, why, 1280)
				verify(t, p)
				v := parse(t, p)
				if v.Src != netip.AddrPortFrom(router, 0) || v.Dst != netip.AddrPortFrom(f.client.Addr(), 0) || len(p.Data) != []int{576, 1280}[i] {
					t.Errorf("%v > %v, %d octets", v.Src, v.Dst, len(p.Data))
				}
				b := p.IPPayload(&v)
				mtu := uint32(0)
				if why == packet.TooBig {
					mtu = 1280
				}
				if [2]byte(b) != codes[f.name][j] || binary.BigEndian.Uint32(b[4:]) != mtu || !bytes.HasPrefix(about.Data, b[8:]) {
					t.Errorf("header % x", b[:8])
				}
				got, src, dst, ok := p.Quote(&v)
				if !ok || got != why || src != f.client || dst != f.server {
					t.Errorf("read back as %v about %v > %v, %t", got, src, dst, ok)
				}
			})
		}
	}
}

func TestICMPErrorIsNotSentForEverything(t *testing.T) {
	for i, f := range families {
		whole := packet.TCP(packet.Segment{Src: f.client, Dst: f.server})
		v := parse(t, whole)
		problem := packet.ICMPError(f.outside.Addr(), whole, &v, packet.NetUnreachable, 0)
		multicast := netip.AddrPortFrom([]netip.Addr{netip.MustParseAddr("224.0.0.1"), netip.MustParseAddr("ff02::1")}[i], 21)
		nobody := netip.AddrPortFrom([]netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}[i], 21)
		later := wrap(f, nil, true, packet.ProtoTCP, make([]byte, 24), 16)
		if i == 0 {
			later = packet.Of(edited(later.Data, 6, 0, 3))
		} else {
			later.Data[43] = 24
		}
		for name, p := range map[string]*packet.Packet{
			"ICMP error":     problem,
			"later fragment": later,
			"to multicast":   packet.TCP(packet.Segment{Src: f.client, Dst: multicast}),
			"from multicast": packet.TCP(packet.Segment{Src: multicast, Dst: f.client}),
			"from nobody":    packet.TCP(packet.Segment{Src: nobody, Dst: f.client}),
		} {
			v := parse(t, p)
			if answer := packet.ICMPError(f.outside.Addr(), p, &v, packet.HostUnreachable, 0); answer != nil {
				t.Errorf("%s %s: answered with %v", f.name, name, answer)
			}
		}
	}
	f := families[0]
	p := packet.TCP(packet.Segment{Src: f.client, Dst: netip.MustParseAddrPort("255.255.255.255:21")})
	if v := parse(t, p); packet.ICMPError(f.outside.Addr(), p, &v, packet.HostUnreachable, 0) != nil {
		t.Error("an answer to broadcast")
	}
}

// quoting makes an ICMP message about the first n octets of a packet.
func quoting(f family, typ, code byte, quote []byte) *packet.Packet {
	proto := byte(packet.ProtoICMP)
	if f.client.Addr().Is6() {
		proto = packet.ProtoICMPv6
	}
	return wrap(f, nil, false, proto, append([]byte{typ, code, 0, 0, 0, 0, 0, 0}, quote...), 2)
}

func TestQuoteReadsOtherCodes(t *testing.T) {
	for _, tc := range []struct {
		family    int
		typ, code byte
		want      packet.Unreachable
		ok        bool
	}{
		{0, 3, 10, packet.HostUnreachable, true},
		{0, 3, 2, packet.HostUnreachable, true},
		{0, 11, 1, packet.TimeExceeded, true},
		{0, 8, 0, 0, false},
		{0, 12, 0, 0, false},
		{0, 5, 1, 0, false},
		{1, 1, 6, packet.HostUnreachable, true},
		{1, 2, 9, packet.TooBig, true},
		{1, 3, 1, packet.TimeExceeded, true},
		{1, 128, 0, 0, false},
		{1, 4, 0, 0, false},
		{1, 11, 0, 0, false},
	} {
		f := families[tc.family]
		p := quoting(f, tc.typ, tc.code, packet.TCP(packet.Segment{Src: f.server, Dst: f.client}).Data)
		v := parse(t, p)
		if why, src, _, ok := p.Quote(&v); why != tc.want || ok != tc.ok || ok && src != f.server {
			t.Errorf("%s %d/%d: %v about %v, %t", f.name, tc.typ, tc.code, why, src, ok)
		}
	}
}

func TestQuoteRefuses(t *testing.T) {
	four := packet.TCP(packet.Segment{Src: families[0].server, Dst: families[0].client}).Data
	six := packet.TCP(packet.Segment{Src: families[1].server, Dst: families[1].client}).Data
	for _, tc := range []struct {
		name   string
		family int
		quote  []byte
	}{
		{"nothing quoted", 0, nil},
		{"header alone", 0, four[:20]},
		{"seven octets of TCP", 0, four[:27]},
		{"options longer than the quote", 0, edited(four[:28], 0, 0x4f)},
		{"header of 16 octets", 0, edited(four, 0, 0x44)},
		{"later fragment", 0, edited(four, 6, 0, 1)},
		{"UDP", 0, edited(four, 9, 17)},
		{"IPv6 in ICMP", 0, six},
		{"version 7", 0, edited(four, 0, 0x75)},
		{"nothing quoted by ICMPv6", 1, nil},
		{"seven octets of TCP over IPv6", 1, six[:47]},
		{"IPv4 in ICMPv6", 1, four},
		{"UDP over IPv6", 1, edited(six, 6, 17)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := quoting(families[tc.family], []byte{3, 1}[tc.family], 3, tc.quote)
			v := parse(t, p)
			if why, src, dst, ok := p.Quote(&v); ok || why != 0 || src.IsValid() || dst.IsValid() {
				t.Errorf("%v about %v > %v", why, src, dst)
			}
		})
	}
	t.Run("fragment of an error", func(t *testing.T) {
		p := packet.Of(edited(quoting(families[0], 3, 3, four).Data, 6, 0x20))
		v := parse(t, p)
		if _, _, _, ok := p.Quote(&v); ok {
			t.Error("taken")
		}
	})
	t.Run("seven octets of ICMP", func(t *testing.T) {
		p := wrap(families[0], nil, false, packet.ProtoICMP, make([]byte, 7), 2)
		v := parse(t, p)
		if _, _, _, ok := p.Quote(&v); ok {
			t.Error("taken")
		}
	})
	t.Run("ICMP over IPv6", func(t *testing.T) {
		p := wrap(families[1], nil, false, packet.ProtoICMP, append([]byte{3, 3, 0, 0, 0, 0, 0, 0}, six...), 2)
		v := parse(t, p)
		if _, _, _, ok := p.Quote(&v); ok {
			t.Error("taken")
		}
	})
}

// TestSetQuote cuts the quote at every length from the eight octets of TCP on,
// through the checksum of TCP, to the whole.
func TestSetQuote(t *testing.T) {
	for i, f := range families {
		sent := packet.TCP(packet.Segment{Src: f.outside, Dst: f.server, Seq: 5, Payload: []byte("TYPE I\r\n")}).Data
		header := []int{20, 40}[i]
		for n := header + 8; n <= len(sent); n++ {
			p := quoting(f, []byte{3, 1}[i], 1, sent[:n])
			v := parse(t, p)
			p.SetQuote(&v, f.client, f.server)
			verify(t, p)
			if _, src, dst, ok := p.Quote(&v); !ok || src != f.client || dst != f.server {
				t.Fatalf("%s, %d octets: about %v > %v, %t", f.name, n, src, dst, ok)
			}
			// What was quoted is now the packet as its sender sent it.
			want := packet.TCP(packet.Segment{Src: f.client, Dst: f.server, Seq: 5, Payload: []byte("TYPE I\r\n")}).Data[:n]
			if n < header+18 {
				want = want[:min(n, header+16)] // the half of a checksum cannot be adjusted
			}
			if got := p.IPPayload(&v)[8:]; !bytes.HasPrefix(got, want) {
				t.Fatalf("%s, %d octets:\ngot  % x\nwant % x", f.name, n, got, want)
			}
		}
	}
}

func TestSetQuoteBehindIPOptions(t *testing.T) {
	f := families[0]
	inner := wrap(f, bytes.Repeat([]byte{1}, 40), false, packet.ProtoTCP, segment(f, packet.ACK, nil, nil), 16)
	p := quoting(f, 3, 4, inner.Data)
	v := parse(t, p)
	p.SetQuote(&v, f.outside, f.client)
	verify(t, p)
	quoted := packet.Of(p.IPPayload(&v)[8:])
	verify(t, quoted)
	if qv := parse(t, quoted); qv.Src != f.outside || qv.Dst != f.client {
		t.Errorf("%v", quoted)
	}
}

// TestSetQuoteHidesNoDamage: an error that arrived with a wrong checksum must
// not leave with a right one.
func TestSetQuoteHidesNoDamage(t *testing.T) {
	for i, f := range families {
		p := quoting(f, []byte{3, 1}[i], 1, packet.TCP(packet.Segment{Src: f.outside, Dst: f.server}).Data)
		v := parse(t, p)
		p.Data[ipPayload(p)+7] ^= 1
		p.SetQuote(&v, f.client, f.server)
		if p.ChecksumOK(&v) {
			t.Errorf("%s: repaired", f.name)
		}
	}
}

func TestSetQuoteLeavesOthersAlone(t *testing.T) {
	f := families[0]
	p := quoting(f, 3, 3, wrap(f, nil, false, 17, make([]byte, 8), 6).Data)
	before := bytes.Clone(p.Data)
	v := parse(t, p)
	p.SetQuote(&v, f.outside, f.server)
	if !bytes.Equal(before, p.Data) {
		t.Errorf("changed to % x", p.Data)
	}
}
