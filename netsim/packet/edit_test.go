package packet_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

func TestReplace(t *testing.T) {
	for _, tc := range []struct {
		name       string
		payload    string
		off, n     int
		text, want string
	}{
		{"grow", "PORT 10,0,0,1,4,1\r\n", 5, 12, "203,0,113,255,255,255", "PORT 203,0,113,255,255,255\r\n"},
		{"shrink", "PORT 192,168,100,200,195,81\r\n", 5, 22, "5,6,7,8,9,1", "PORT 5,6,7,8,9,1\r\n"},
		{"same length", "PORT 10,0,0,1,4,1\r\n", 5, 12, "20,0,0,2,5,2", "PORT 20,0,0,2,5,2\r\n"},
		{"insert at the start", "NOOP\r\n", 0, 0, "x", "xNOOP\r\n"},
		{"insert at the end", "NOOP\r\n", 6, 0, "PWD\r\n", "NOOP\r\nPWD\r\n"},
		{"delete all", "NOOP\r\n", 0, 6, "", ""},
		{"delete the end", "NOOP\r\n", 4, 2, "", "NOOP"},
		{"into nothing", "", 0, 0, "NOOP\r\n", "NOOP\r\n"},
		{"double the overlap", "abcdefgh", 1, 2, "0123456789", "a0123456789defgh"},
	} {
		for _, f := range families {
			t.Run(tc.name+" "+f.name, func(t *testing.T) {
				p := wrap(f, []byte{1, 1, 1, 0}, true, packet.ProtoTCP,
					segment(f, packet.ACK, []byte{1, 1, 1, 0}, []byte(tc.payload)), 16)
				p.Data = append(p.Data, "link padding"...)
				v := parse(t, p)
				if !p.Replace(&v, tc.off, tc.n, []byte(tc.text)) {
					t.Fatal("refused")
				}
				verify(t, p)
				again := parse(t, p)
				if again != v || string(p.Payload(&v)) != tc.want || v.Len() != len(tc.want) {
					t.Errorf("payload %q, want %q\n%+v\n%+v", p.Payload(&v), tc.want, v, again)
				}
			})
		}
	}
}

func TestReplaceUpToTheLimit(t *testing.T) {
	for i, f := range families {
		p := packet.TCP(packet.Segment{Src: f.client, Dst: f.server, Payload: make([]byte, 65535-40-20*i-10)})
		v := parse(t, p)
		before := bytes.Clone(p.Data)
		if p.Replace(&v, 5, 0, make([]byte, 11)) || !bytes.Equal(before, p.Data) {
			t.Errorf("%s: grew to 65,536 octets, or changed", f.name)
		}
		if !p.Replace(&v, 5, 0, make([]byte, 10)) || len(p.Data) != 65535 {
			t.Errorf("%s: did not grow to 65,535 octets: %d", f.name, len(p.Data))
		}
		verify(t, p)
		if again := parse(t, p); again != v {
			t.Errorf("%s: the View did not follow", f.name)
		}
	}
}

func TestReplaceRepairsChecksums(t *testing.T) {
	f := families[0]
	p := packet.TCP(packet.Segment{Src: f.client, Dst: f.server, Payload: []byte("PORT")})
	p.Data[36] ^= 1
	v := parse(t, p)
	if !p.Replace(&v, 0, 4, []byte("PASV")) {
		t.Fatal("refused")
	}
	verify(t, p)
}

func TestReplaceRefusesFragments(t *testing.T) {
	f := families[0]
	data := packet.TCP(packet.Segment{Src: f.client, Dst: f.server, Payload: []byte("PORT")}).Data
	p := packet.Of(edited(data, 6, 0x20, 0))
	v := parse(t, p)
	if p.Replace(&v, 0, 1, nil) || !bytes.Equal(p.Data, edited(data, 6, 0x20, 0)) {
		t.Errorf("a fragment was edited: %v", p)
	}
}

func TestSetUrgent(t *testing.T) {
	for _, f := range families {
		p := wrap(f, nil, false, packet.ProtoTCP, segment(f, packet.PSH|packet.ACK, nil, []byte("\xff\xf4\xf2")), 16)
		v := parse(t, p)
		at := ipPayload(p)
		for _, pointer := range []uint16{3, 0xffff, 0} {
			p.SetUrgent(&v, pointer)
			verify(t, p)
			want := packet.PSH | packet.ACK
			if pointer != 0 {
				want |= packet.URG
			}
			if again := parse(t, p); again != v || v.Urgent != pointer || v.Flags != want {
				t.Errorf("%s: pointer %d: %v, %d", f.name, pointer, v.Flags, v.Urgent)
			}
			if p.Data[at+12] != 0x50 || p.Data[at+13]&0xc0 != 0xc0 {
				t.Errorf("%s: header length or the ECN flags changed: % x", f.name, p.Data[at+12:at+14])
			}
		}
	}
}

func TestHopDown(t *testing.T) {
	for i, f := range families {
		p := packet.TCP(packet.Segment{Src: f.client, Dst: f.server})
		v := parse(t, p)
		for want := packet.TTL - 1; want >= 0; want-- {
			p.HopDown(&v)
			verify(t, p)
			if again := parse(t, p); again != v || int(v.TTL) != want {
				t.Fatalf("%s: TTL %d, want %d", f.name, v.TTL, want)
			}
		}
		if p.Data[8-i] != 0 {
			t.Errorf("%s: % x", f.name, p.Data[:12])
		}
	}
}

// TestTranslateFirstFragment has the addresses changed in the fragments of a
// segment one by one; put together, its checksum must be right.
func TestTranslateFirstFragment(t *testing.T) {
	f := families[0]
	whole := edited(packet.TCP(packet.Segment{Src: f.client, Dst: f.server, Options: []byte{1, 1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0},
		Payload: []byte("PORT 192,168,1,2,195,81\r\n")}).Data, 6, 0, 0)
	p := packet.Of(whole)
	v := parse(t, p)
	r := packet.NewReassembler(packet.ReassemblyOptions{})
	for i, part := range packet.Fragment(p, &v, 52) {
		v := parse(t, part)
		part.SetSrc(&v, f.outside)
		if i > 0 && v.Src.Port() != 0 {
			t.Errorf("fragment %d has port %d", i, v.Src.Port())
		}
		whole, err := r.Add(part, &v, start)
		if err != nil {
			t.Fatal(err)
		}
		if p = whole; p != nil {
			verify(t, p)
		}
	}
	if p == nil {
		t.Fatal("the datagram is not complete")
	}
	if v = parse(t, p); v.Src != f.outside || v.Len() != 25 {
		t.Errorf("%v", p)
	}
}

// TestICMPv6FollowsAddresses: its checksum covers them, unlike that of ICMP.
func TestICMPv6FollowsAddresses(t *testing.T) {
	for i, f := range families {
		proto := []byte{packet.ProtoICMP, packet.ProtoICMPv6}[i]
		p := wrap(f, nil, false, proto, []byte{128, 0, 0, 0, 0, 1, 0, 2, 'p', 'i', 'n'}, 2)
		v := parse(t, p)
		p.SetSrc(&v, f.outside)
		p.SetDst(&v, f.client)
		verify(t, p)
		if want := netip.AddrPortFrom(f.outside.Addr(), 0); v != parse(t, p) || v.Src != want {
			t.Errorf("%s: from %v, want %v", f.name, v.Src, want)
		}
	}
}

func TestSetNumbers(t *testing.T) {
	f := families[0]
	p := packet.TCP(packet.Segment{Src: f.client, Dst: f.server, Seq: 1, Ack: 2, Flags: packet.ACK})
	v := parse(t, p)
	p.SetSeq(&v, 0xfffffffe)
	p.SetAck(&v, 0x80000001)
	verify(t, p)
	if got := binary.BigEndian.Uint64(p.Data[24:]); got != 0xfffffffe80000001 || v != parse(t, p) {
		t.Errorf("numbers %#x", got)
	}
}
