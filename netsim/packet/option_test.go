package packet_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// withOptions is a segment with options, right checksums, and an odd payload.
func withOptions(f family, options []byte) *packet.Packet {
	return wrap(f, nil, false, packet.ProtoTCP, segment(f, packet.ACK, options, []byte("odd")), 16)
}

func TestMapSACK(t *testing.T) {
	for _, tc := range []struct {
		name          string
		options, want []byte
		edges         []uint32
	}{
		{"none", nil, nil, nil},
		{"one block, aligned", []byte{1, 1, 5, 10, 0, 0, 1, 0, 0, 0, 2, 0},
			[]byte{1, 1, 5, 10, 0, 0, 1, 7, 0, 0, 2, 7}, []uint32{0x100, 0x200}},
		{"one block at an odd offset", []byte{1, 5, 10, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 2, 0},
			[]byte{1, 5, 10, 0, 0, 0, 5, 0, 0, 0, 9, 0}, []uint32{0xfffffffe, 2}},
		{"one block at three octets", []byte{1, 1, 1, 5, 10, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0},
			[]byte{1, 1, 1, 5, 10, 1, 2, 3, 11, 5, 6, 7, 15, 0, 0, 0}, []uint32{0x01020304, 0x05060708}},
		{"behind timestamps", append([]byte{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1, 5, 18}, bytes.Repeat([]byte{0, 0, 0, 1}, 4)...),
			append([]byte{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1, 5, 18}, bytes.Repeat([]byte{0, 0, 0, 8}, 4)...),
			[]uint32{1, 1, 1, 1}},
		{"half an edge too much", []byte{5, 8, 0, 0, 0, 1, 9, 9}, []byte{5, 8, 0, 0, 0, 8, 9, 9}, []uint32{1}},
		{"no edge", []byte{5, 2, 1, 0}, []byte{5, 2, 1, 0}, nil},
		{"behind the end of options", []byte{0, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2, 0}, []byte{0, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2, 0}, nil},
		{"length 0", []byte{5, 0, 0, 0, 0, 1, 0, 0}, []byte{5, 0, 0, 0, 0, 1, 0, 0}, nil},
		{"length 1", []byte{5, 1, 0, 0}, []byte{5, 1, 0, 0}, nil},
		{"longer than the header", []byte{5, 10, 0, 0, 0, 1, 0, 0}, []byte{5, 10, 0, 0, 0, 1, 0, 0}, nil},
		{"kind without length", []byte{1, 1, 1, 5}, []byte{1, 1, 1, 5}, nil},
		{"two options", []byte{5, 6, 0, 0, 0, 1, 5, 6, 0, 0, 0, 2}, []byte{5, 6, 0, 0, 0, 8, 5, 6, 0, 0, 0, 9}, []uint32{1, 2}},
	} {
		for _, f := range families {
			t.Run(tc.name+" "+f.name, func(t *testing.T) {
				p := withOptions(f, tc.options)
				v := parse(t, p)
				var edges []uint32
				p.MapSACK(&v, func(edge uint32) uint32 {
					edges = append(edges, edge)
					return edge + 7
				})
				verify(t, p)
				if got := p.IPPayload(&v)[20 : 20+len(tc.options)]; !bytes.Equal(got, tc.want) || !slices.Equal(edges, tc.edges) {
					t.Errorf("options % x, edges %x\nwant    % x, edges %x", got, edges, tc.want, tc.edges)
				}
				if v != parse(t, p) || string(p.Payload(&v)) != "odd" {
					t.Errorf("payload %q", p.Payload(&v))
				}
			})
		}
	}
}

func TestMapSACKOfWhatIsNotTCP(t *testing.T) {
	for _, f := range families {
		p := wrap(f, nil, false, 17, []byte{5, 10, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1}, 6)
		v := parse(t, p)
		p.MapSACK(&v, func(uint32) uint32 { t.Error("called"); return 0 })
		if _, ok := p.MSS(&v); ok {
			t.Error("a maximum segment size")
		}
	}
}

func TestMSS(t *testing.T) {
	for _, tc := range []struct {
		name    string
		options []byte
		want    uint16
		ok      bool
	}{
		{"none", nil, 0, false},
		{"first", []byte{2, 4, 0x05, 0xb4}, 1460, true},
		{"behind others", []byte{1, 3, 3, 7, 2, 4, 0x02, 0x18}, 536, true},
		{"wrong length", []byte{2, 3, 5, 0}, 0, false},
		{"cut", []byte{1, 1, 2, 4}, 0, false},
		{"behind the end of options", []byte{0, 0, 0, 0, 2, 4, 1, 1}, 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := withOptions(families[0], tc.options)
			v := parse(t, p)
			if got, ok := p.MSS(&v); got != tc.want || ok != tc.ok {
				t.Errorf("got %d, %t", got, ok)
			}
		})
	}
}
