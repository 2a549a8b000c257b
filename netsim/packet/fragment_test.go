package packet_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// mayFragment is a segment over IPv4 whose sender lets routers fragment it.
func mayFragment(ipOptions []byte, payload int) *packet.Packet {
	f := families[0]
	b := make([]byte, payload)
	for i := range b {
		b[i] = byte(i * 7 >> 3)
	}
	return wrap(f, ipOptions, false, packet.ProtoTCP, segment(f, packet.ACK, nil, b), 16)
}

func TestFragment(t *testing.T) {
	for _, tc := range []struct {
		name    string
		payload int
		mtu     int
		sizes   []int // of the fragments, with headers
	}{
		{"two", 1460, 1280, []int{1276, 244}},
		{"a multiple of eight fits exactly", 112, 84, []int{84, 84, 24}},
		{"one octet in the last", 45, 60, []int{60, 45}},
		{"the smallest", 4, 28, []int{28, 28, 28}},
		{"the largest", 65495, 40000, []int{39996, 25559}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := mayFragment(nil, tc.payload)
			p.Note = "sent"
			whole := bytes.Clone(p.Data)
			p.Data = append(p.Data, "link padding"...)
			v := parse(t, p)
			parts := packet.Fragment(p, &v, tc.mtu)
			if len(parts) != len(tc.sizes) {
				t.Fatalf("%d fragments, want %d", len(parts), len(tc.sizes))
			}
			got := bytes.Clone(whole[:20])
			for i, part := range parts {
				pv := parse(t, part)
				if len(part.Data) != tc.sizes[i] || pv.FragmentOffset != len(got)-20 || pv.MoreFragments != (i+1 < len(parts)) ||
					pv.ID != 0x1234 || pv.TTL != v.TTL || part.Note != "sent" {
					t.Errorf("fragment %d: %d octets, %+v", i, len(part.Data), pv)
				}
				got = append(got, part.IPPayload(&pv)...)
			}
			if !bytes.Equal(got, whole) {
				t.Error("the payloads are not that of the packet")
			}
		})
	}
}

func TestFragmentRefuses(t *testing.T) {
	six := packet.TCP(packet.Segment{Src: families[1].client, Dst: families[1].server, Payload: make([]byte, 100)})
	four := packet.TCP(packet.Segment{Src: families[0].client, Dst: families[0].server, Payload: make([]byte, 100)})
	for _, tc := range []struct {
		name string
		p    *packet.Packet
		mtu  int
	}{
		{"IPv6", six, 68},
		{"do not fragment", four, 68},
		{"it fits", mayFragment(nil, 100), 140},
		{"no room for eight octets", mayFragment(nil, 100), 27},
		{"no room behind the options", mayFragment(bytes.Repeat([]byte{1}, 40), 100), 67},
		{"negative", mayFragment(nil, 100), -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := tc.p.Clone()
			v := parse(t, tc.p)
			if parts := packet.Fragment(tc.p, &v, tc.mtu); parts != nil {
				t.Errorf("%d fragments", len(parts))
			}
			if !bytes.Equal(before.Data, tc.p.Data) {
				t.Error("the packet has changed")
			}
		})
	}
}

func TestFragmentOptions(t *testing.T) {
	copied, once := []byte{0x94, 4, 0xaa, 0xbb}, []byte{7, 3, 4} // router alert, record route
	for _, tc := range []struct {
		name          string
		options, want []byte // in the first and in the later fragments
	}{
		{"copied", copied, copied},
		{"not copied", append(bytes.Clone(once), 0), nil},
		{"both, with padding", append(append([]byte{1}, once...), append(copied, 0, 0, 0, 0)...), copied},
		{"padded anew", append([]byte{0x83, 3, 4, 1}, copied...), append([]byte{0x83, 3, 4}, append(bytes.Clone(copied), 0)...)},
		{"length 0", []byte{0x94, 0, 0, 0}, nil},
		{"longer than the header", []byte{0x94, 5, 0, 0}, nil},
		{"kind without length", append(bytes.Clone(copied), 1, 1, 1, 0x94), copied},
		{"behind the end", append([]byte{0, 0, 0, 0}, copied...), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := mayFragment(tc.options, 200)
			whole := bytes.Clone(p.Data)
			v := parse(t, p)
			parts := packet.Fragment(p, &v, 100)
			for i, part := range parts {
				want := tc.want
				if i == 0 {
					want = tc.options
				}
				if n := int(part.Data[0]&15) * 4; !bytes.Equal(part.Data[20:n], want) {
					t.Errorf("fragment %d: options % x, want % x", i, part.Data[20:n], want)
				}
			}
			if got := reassemble(t, parts); got == nil || !bytes.Equal(got.Data, whole) {
				t.Errorf("reassembled to %v", got)
			}
		})
	}
}

// TestFragmentOfFragment lets a smaller MTU follow on the path.
func TestFragmentOfFragment(t *testing.T) {
	p := mayFragment([]byte{1, 1, 1, 0}, 3000)
	whole := bytes.Clone(p.Data)
	v := parse(t, p)
	var parts []*packet.Packet
	for _, part := range packet.Fragment(p, &v, 1500) {
		pv := parse(t, part)
		if again := packet.Fragment(part, &pv, 576); again != nil {
			parts = append(parts, again...)
		} else {
			parts = append(parts, part)
		}
	}
	for i, part := range parts {
		if more := binary.BigEndian.Uint16(part.Data[6:])&0x2000 != 0; len(part.Data) > 576 || more != (i+1 < len(parts)) {
			t.Errorf("fragment %d: %d octets, more %t", i, len(part.Data), more)
		}
	}
	if got := reassemble(t, parts); got == nil || !bytes.Equal(got.Data, whole) {
		t.Errorf("reassembled to %v", got)
	}
}
