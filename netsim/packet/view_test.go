package packet_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

func TestParseReadsTCP(t *testing.T) {
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			options := []byte{2, 4, 0x05, 0xb4, 1, 1, 1, 0}
			data := segment(f, packet.PSH|packet.ACK|packet.URG, options, []byte("LIST\r\n"))
			binary.BigEndian.PutUint16(data[18:], 5)
			p := wrap(f, []byte{1, 1, 1, 0}, true, packet.ProtoTCP, data, 16)
			p.Data = append(p.Data, "padding of the link"...)
			v := parse(t, p)
			want := packet.View{Version: v.Version, Proto: packet.ProtoTCP, TTL: 64, Src: f.client, Dst: f.server,
				TCP: true, Seq: 0x11223344, Ack: 0x55667788, Flags: packet.PSH | packet.ACK | packet.URG,
				Window: 0x2000, Urgent: 5}
			if v.Src != want.Src || v.Dst != want.Dst || v.Proto != want.Proto || v.TTL != want.TTL || !v.TCP ||
				v.Seq != want.Seq || v.Ack != want.Ack || v.Flags != want.Flags || v.Window != want.Window ||
				v.Urgent != want.Urgent || v.Fragment() {
				t.Errorf("got  %+v\nwant %+v", v, want)
			}
			if v.Len() != 6 || string(p.Payload(&v)) != "LIST\r\n" || !bytes.Equal(p.IPPayload(&v)[20:28], options) {
				t.Errorf("payload %q, %d octets; IP payload % x", p.Payload(&v), v.Len(), p.IPPayload(&v))
			}
			if v.Next() != v.Seq+6 || !p.ChecksumOK(&v) {
				t.Errorf("next %d, checksum %t", v.Next(), p.ChecksumOK(&v))
			}
		})
	}
}

func TestNextCountsSYNAndFIN(t *testing.T) {
	for flags, want := range map[packet.Flags]uint32{packet.ACK: 2, packet.SYN: 3, packet.FIN | packet.ACK: 3,
		packet.SYN | packet.FIN: 4} {
		p := packet.TCP(packet.Segment{Src: families[0].client, Dst: families[0].server, Seq: 0xffffffff,
			Flags: flags, Payload: []byte("abc")})
		if v := parse(t, p); v.Next() != want {
			t.Errorf("%v: next %d, want %d", flags, v.Next(), want)
		}
	}
}

// edited returns octets with some of them replaced, and a right header checksum.
func edited(b []byte, at int, with ...byte) []byte {
	b = bytes.Clone(b)
	copy(b[at:], with)
	if len(b) >= 20 && b[0]>>4 == 4 {
		if n := int(b[0]&15) * 4; n <= len(b) && n >= 12 {
			b[10], b[11] = 0, 0
			putSum(b[10:], onesSum(b[:n]))
		}
	}
	return b
}

func TestParseRefuses(t *testing.T) {
	four := packet.TCP(packet.Segment{Src: families[0].client, Dst: families[0].server, Payload: []byte("ABOR")}).Data
	six := packet.TCP(packet.Segment{Src: families[1].client, Dst: families[1].server, Payload: []byte("ABOR")}).Data
	for _, tc := range []struct {
		name string
		data []byte
		want error
	}{
		{"nothing", nil, packet.ErrShort},
		{"version 5", edited(four, 0, 0x55), packet.ErrHeader},
		{"version 0", []byte{0}, packet.ErrHeader},
		{"19 octets of IPv4", four[:19], packet.ErrShort},
		{"IPv4 header of 16 octets", edited(four, 0, 0x44), packet.ErrHeader},
		{"IPv4 header of 60 octets in 44", edited(four, 0, 0x4f), packet.ErrShort},
		{"total length below the header", edited(four, 2, 0, 19), packet.ErrShort},
		{"total length beyond the octets", edited(four, 2, 0, 45), packet.ErrShort},
		{"IPv4 checksum", append(bytes.Clone(four[:11]), append([]byte{four[11] + 1}, four[12:]...)...), packet.ErrChecksum},
		{"19 octets of TCP in IPv4", edited(four, 2, 0, 39), packet.ErrShort},
		{"no octet of TCP in IPv4", edited(four, 2, 0, 20), packet.ErrShort},
		{"TCP header of 16 octets", edited(four, 32, 0x40), packet.ErrHeader},
		{"TCP header of 28 octets in 24", edited(four, 32, 0x70), packet.ErrShort},
		{"TCP header of 16 octets in a first fragment", edited(edited(four, 32, 0x40), 6, 0x20), packet.ErrHeader},
		{"39 octets of IPv6", six[:39], packet.ErrShort},
		{"payload length beyond the octets", edited(six, 4, 0, 25), packet.ErrShort},
		{"19 octets of TCP in IPv6", edited(six, 4, 0, 19), packet.ErrShort},
		{"fragment header of 7 octets", edited(edited(six, 4, 0, 7), 6, 44), packet.ErrShort},
		{"IPv6 TCP header of 16 octets", edited(six, 52, 0x40), packet.ErrHeader},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v, err := packet.Of(tc.data).Parse()
			if !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if v != (packet.View{}) {
				t.Errorf("a View beside the error: %+v", v)
			}
		})
	}
}

func TestParseOfFragments(t *testing.T) {
	four := packet.TCP(packet.Segment{Src: families[0].client, Dst: families[0].server, Payload: []byte("ABOR")}).Data
	six := wrap(families[1], nil, true, packet.ProtoTCP, segment(families[1], packet.ACK, nil, []byte("ABOR")), 16).Data
	for _, tc := range []struct {
		name   string
		data   []byte
		offset int
		more   bool
		tcp    bool
	}{
		{"IPv4 first", edited(four, 6, 0x20, 0), 0, true, true},
		{"IPv4 first with 8 octets of TCP", edited(edited(four, 6, 0x20, 0), 2, 0, 28), 0, true, false},
		{"IPv4 first with half the options", edited(edited(four, 6, 0x20, 0), 32, 0x70), 0, true, false},
		{"IPv4 middle", edited(four, 6, 0x20, 0x03), 24, true, false},
		{"IPv4 last, far away", edited(four, 6, 0x1f, 0xff), 65528, false, false},
		{"IPv6 first", edited(six, 42, 0, 1), 0, true, true},
		{"IPv6 first with 8 octets of TCP", edited(edited(six, 42, 0, 1), 4, 0, 16), 0, true, false},
		{"IPv6 middle", edited(six, 42, 0, 0x19), 24, true, false},
		{"IPv6 last, with reserved bits", edited(six, 42, 0, 0x1e), 24, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := packet.Of(tc.data)
			v := parse(t, p)
			if !v.Fragment() || v.FragmentOffset != tc.offset || v.MoreFragments != tc.more || v.TCP != tc.tcp {
				t.Errorf("offset %d, more %t, TCP %t", v.FragmentOffset, v.MoreFragments, v.TCP)
			}
			if v.Proto != packet.ProtoTCP || (v.Src.Port() != 0) != tc.tcp {
				t.Errorf("protocol %d from %v", v.Proto, v.Src)
			}
			if !p.ChecksumOK(&v) {
				t.Error("a fragment cannot be verified")
			}
		})
	}
}

func TestChecksumOK(t *testing.T) {
	for _, f := range families {
		whole := packet.TCP(packet.Segment{Src: f.client, Dst: f.server, Payload: []byte("odd")})
		v := parse(t, whole)
		problem := packet.ICMPError(f.outside.Addr(), whole, &v, packet.HostUnreachable, 0)
		for _, p := range []*packet.Packet{whole, problem} {
			v := parse(t, p)
			if !p.ChecksumOK(&v) {
				t.Errorf("%s: %v: good checksum refused", f.name, p)
			}
			p.Data[len(p.Data)-1] ^= 0x10
			if p.ChecksumOK(&v) {
				t.Errorf("%s: %v: bad checksum taken", f.name, p)
			}
		}
		other := wrap(f, nil, false, 17, make([]byte, 8), 6)
		if v := parse(t, other); !other.ChecksumOK(&v) || v.TCP || v.Src.Port() != 0 {
			t.Errorf("%s: another protocol: %+v", f.name, v)
		}
	}
}
