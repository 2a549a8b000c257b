package packet_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// reassemble returns the datagram that the last of the fragments completes.
func reassemble(t *testing.T, parts []*packet.Packet) *packet.Packet {
	t.Helper()
	r := packet.NewReassembler(packet.ReassemblyOptions{})
	for i, part := range parts {
		v := parse(t, part)
		whole, err := r.Add(part, &v, start)
		if err != nil {
			t.Fatalf("fragment %d: %v", i, err)
		}
		if whole != nil {
			if i+1 < len(parts) {
				t.Fatalf("complete after %d of %d", i+1, len(parts))
			}
			return whole
		}
	}
	return nil
}

// piece makes a fragment with the octets from data[from] to data[to].
func piece(f family, id uint16, data []byte, from, to int) *packet.Packet {
	more := to < len(data)
	if f.client.Addr().Is4() {
		b := wrap(f, nil, false, packet.ProtoTCP, append(make([]byte, 20), data[from:to]...), 16).Data
		b = append(b[:20], b[40:]...)
		word := uint16(from / 8)
		if more {
			word |= 0x2000
		}
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
		binary.BigEndian.PutUint16(b[4:], id)
		return packet.Of(edited(b, 6, byte(word>>8), byte(word)))
	}
	b := wrap(f, nil, true, packet.ProtoTCP, append(make([]byte, 20), data[from:to]...), 16).Data
	b = append(b[:48], b[68:]...)
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)-40))
	word := uint16(from)
	if more {
		word |= 1
	}
	binary.BigEndian.PutUint16(b[42:], word)
	binary.BigEndian.PutUint32(b[44:], uint32(id))
	return packet.Of(b)
}

// step is a fragment that comes: its place in the datagram, whether its octets
// differ from those of the others, and what Add has to say.
type step struct {
	from, to int
	other    bool
	want     error
	whole    bool
}

func TestReassembler(t *testing.T) {
	for _, tc := range []struct {
		name  string
		steps []step
	}{
		{"in order", []step{{from: 0, to: 24}, {from: 24, to: 48}, {from: 48, to: 53, whole: true}}},
		{"last first", []step{{from: 48, to: 53}, {from: 24, to: 48}, {from: 0, to: 24, whole: true}}},
		{"middle last", []step{{from: 0, to: 24}, {from: 48, to: 53}, {from: 24, to: 48, whole: true}}},
		{"duplicates", []step{{from: 24, to: 48}, {from: 24, to: 48}, {from: 48, to: 53}, {from: 48, to: 53},
			{from: 0, to: 24, whole: true}}},
		{"the same place, other octets", []step{{from: 24, to: 48}, {from: 24, to: 48, other: true, want: packet.ErrOverlap},
			{from: 0, to: 24, want: packet.ErrOverlap}, {from: 48, to: 53, want: packet.ErrOverlap}}},
		{"the same place, longer", []step{{from: 0, to: 24}, {from: 0, to: 32, want: packet.ErrOverlap}}},
		{"the same place, shorter", []step{{from: 0, to: 24}, {from: 0, to: 16, want: packet.ErrOverlap}}},
		{"overlap with the one before", []step{{from: 0, to: 24}, {from: 16, to: 40, want: packet.ErrOverlap}}},
		{"overlap with the one behind", []step{{from: 24, to: 48}, {from: 0, to: 32, want: packet.ErrOverlap}}},
		{"inside another", []step{{from: 0, to: 48}, {from: 8, to: 16, want: packet.ErrOverlap}}},
		{"around another", []step{{from: 8, to: 16}, {from: 0, to: 48, want: packet.ErrOverlap}}},
		{"last before others", []step{{from: 24, to: 48}, {from: 8, to: 53, want: packet.ErrOverlap}}},
	} {
		for _, f := range families {
			t.Run(tc.name+" "+f.name, func(t *testing.T) {
				data := segment(f, packet.ACK, nil, []byte("PORT 192,168,1,2,195,81\r\nNOOP\r\n\r\n"))
				r := packet.NewReassembler(packet.ReassemblyOptions{})
				for i, s := range tc.steps {
					p := piece(f, 9, data, s.from, s.to)
					if s.other {
						p.Data[len(p.Data)-1]++
					}
					p.Note = []string{"later", "first"}[b2i(s.from == 0)]
					v := parse(t, p)
					whole, err := r.Add(p, &v, start)
					if !errors.Is(err, s.want) || (whole != nil) != s.whole {
						t.Fatalf("fragment %d: got %v, %v", i, whole, err)
					}
					if whole != nil {
						wv := parse(t, whole)
						if !bytes.Equal(whole.IPPayload(&wv), data) || wv.Fragment() || wv.Src != f.client || whole.Note != "first" {
							t.Errorf("%v, note %q", whole, whole.Note)
						}
					}
				}
			})
		}
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestReassemblerContradictingEnds has ends that do not agree.
func TestReassemblerContradictingEnds(t *testing.T) {
	long, short := octets(64), octets(40)
	for _, f := range families {
		for name, parts := range map[string][2]*packet.Packet{
			"beyond the last":    {piece(f, 1, short, 32, 40), piece(f, 1, long, 40, 48)},
			"last before others": {piece(f, 1, long, 48, 56), piece(f, 1, short, 32, 40)},
			"two last":           {piece(f, 1, short, 32, 40), piece(f, 1, long, 56, 64)},
			"no more last":       {piece(f, 1, short, 32, 40), piece(f, 1, long, 32, 40)},
			"a last after all":   {piece(f, 1, long, 32, 40), piece(f, 1, short, 32, 40)},
		} {
			r := packet.NewReassembler(packet.ReassemblyOptions{})
			for i, want := range []error{nil, packet.ErrOverlap} {
				v := parse(t, parts[i])
				if whole, err := r.Add(parts[i], &v, start); whole != nil || !errors.Is(err, want) {
					t.Errorf("%s %s: fragment %d: got %v, %v", f.name, name, i, whole, err)
				}
			}
		}
	}
}

func TestReassemblerRefusesSizes(t *testing.T) {
	huge := octets(1 << 16)
	for i, f := range families {
		room := 65535 - []int{20, 40}[i]
		for _, tc := range []struct {
			name string
			p    *packet.Packet
			want error
		}{
			{"not a multiple of eight", piece(f, 1, huge, 8, 20), packet.ErrFragment},
			{"empty", piece(f, 2, huge, 8, 8), packet.ErrFragment},
			{"empty last", piece(f, 3, huge[:16], 16, 16), packet.ErrFragment},
			{"one octet beyond 65,535", piece(f, 4, huge[:room+1], room&^7-8, room+1), packet.ErrFragment},
			{"65,535", piece(f, 5, huge[:room], room&^7-8, room), nil},
		} {
			r := packet.NewReassembler(packet.ReassemblyOptions{})
			v := parse(t, tc.p)
			if whole, err := r.Add(tc.p, &v, start); whole != nil || !errors.Is(err, tc.want) {
				t.Errorf("%s %s: got %v, %v", f.name, tc.name, whole, err)
			}
		}
	}
}

// TestReassemblerLongestHeader: the first fragment can have more options than
// the others, and make the whole too long.
func TestReassemblerLongestHeader(t *testing.T) {
	f := families[0]
	first := wrap(f, make([]byte, 40), false, packet.ProtoTCP, octets(65464), 16)
	first = packet.Of(edited(first.Data, 4, 0, 1, 0x20, 0))
	last := piece(f, 1, octets(65500), 65464, 65500)
	r := packet.NewReassembler(packet.ReassemblyOptions{})
	v := parse(t, last)
	if whole, err := r.Add(last, &v, start); whole != nil || err != nil {
		t.Fatalf("got %v, %v", whole, err)
	}
	v = parse(t, first)
	if whole, err := r.Add(first, &v, start); whole != nil || !errors.Is(err, packet.ErrFragment) {
		t.Fatalf("got %v, %v", whole, err)
	}
}

func TestReassemblerKeepsDatagramsApart(t *testing.T) {
	data := segment(families[0], packet.ACK, nil, []byte("some octets"))
	for i, f := range families {
		other := f
		other.client = f.outside
		r := packet.NewReassembler(packet.ReassemblyOptions{})
		first := piece(f, 1, data, 0, 24)
		udp := piece(f, 1, data, 24, 31)
		if i == 0 {
			udp = packet.Of(edited(udp.Data, 9, 17))
		} else {
			udp.Data[40] = 17 // the first fragment decides
		}
		for j, p := range []*packet.Packet{first, piece(f, 2, data, 24, 31), piece(other, 1, data, 24, 31), udp} {
			v := parse(t, p)
			whole, err := r.Add(p, &v, start)
			if complete := i == 1 && j == 3; err != nil || (whole != nil) != complete {
				t.Fatalf("%s: packet %d: got %v, %v", f.name, j, whole, err)
			}
			if whole != nil {
				if v := parse(t, whole); !v.TCP {
					t.Errorf("%v", whole)
				}
			}
		}
	}
}

func TestReassemblerPassesWholePackets(t *testing.T) {
	r := packet.NewReassembler(packet.ReassemblyOptions{})
	for _, f := range families {
		p := wrap(f, nil, true, packet.ProtoTCP, segment(f, packet.ACK, nil, nil), 16)
		v := parse(t, p)
		if whole, err := r.Add(p, &v, start); whole != p || err != nil {
			t.Errorf("%s: got %v, %v", f.name, whole, err)
		}
	}
}

func TestReassemblerForgets(t *testing.T) {
	f := families[0]
	data := octets(48)
	r := packet.NewReassembler(packet.ReassemblyOptions{Life: 10 * time.Second})
	for _, s := range []struct {
		at       time.Duration
		id       uint16
		from, to int
		whole    bool
		lost     int
		want     error
	}{
		{0, 1, 0, 24, false, 0, nil},
		{5 * time.Second, 2, 0, 24, false, 0, nil},
		{9 * time.Second, 3, 0, 24, false, 0, nil},
		{9 * time.Second, 3, 16, 48, false, 0, packet.ErrOverlap},
		{10*time.Second - 1, 1, 24, 48, true, 0, nil},
		{15 * time.Second, 2, 24, 48, false, 1, nil}, // too late, the first of a new one
		{19*time.Second - 1, 3, 24, 48, false, 1, packet.ErrOverlap},
		{19 * time.Second, 3, 24, 48, false, 1, nil}, // what was refused is forgotten as well
		{19 * time.Second, 3, 0, 24, true, 1, nil},
		{25*time.Second - 1, 2, 0, 24, true, 1, nil},
	} {
		p := piece(f, s.id, data, s.from, s.to)
		v := parse(t, p)
		whole, err := r.Add(p, &v, start.Add(s.at))
		if (whole != nil) != s.whole || !errors.Is(err, s.want) || r.Lost() != s.lost {
			t.Fatalf("datagram %d after %v: got %v, %v, %d lost", s.id, s.at, whole, err, r.Lost())
		}
	}
}

func TestReassemblerBoundsMemory(t *testing.T) {
	f := families[1]
	data := octets(1008)
	add := func(r *packet.Reassembler, id uint16, from, to int) (*packet.Packet, error) {
		p := piece(f, id, data, from, to)
		v := parse(t, p)
		return r.Add(p, &v, start)
	}
	t.Run("the oldest goes", func(t *testing.T) {
		r := packet.NewReassembler(packet.ReassemblyOptions{MaxOctets: 3 * (64 + 64 + 1000)})
		for id := range uint16(4) {
			if whole, err := add(r, id, 0, 1000); whole != nil || err != nil {
				t.Fatalf("datagram %d: got %v, %v", id, whole, err)
			}
		}
		if r.Lost() != 1 {
			t.Errorf("%d lost", r.Lost())
		}
		for _, id := range []uint16{1, 2, 3} { // each makes room for itself
			if whole, err := add(r, id, 1000, 1008); (whole == nil) != (id == 1) {
				t.Errorf("datagram %d: got %v, %v", id, whole, err)
			}
		}
	})
	t.Run("one alone is too large", func(t *testing.T) {
		r := packet.NewReassembler(packet.ReassemblyOptions{MaxOctets: 1000})
		if _, err := add(r, 1, 0, 1000); !errors.Is(err, packet.ErrCrowded) || r.Lost() != 1 {
			t.Errorf("got %v, %d lost", err, r.Lost())
		}
		if whole, err := add(r, 1, 0, 504); whole != nil || err != nil {
			t.Errorf("got %v, %v", whole, err)
		}
	})
	t.Run("no room at all", func(t *testing.T) {
		r := packet.NewReassembler(packet.ReassemblyOptions{MaxOctets: 1})
		for range 3 {
			if _, err := add(r, 1, 0, 8); !errors.Is(err, packet.ErrCrowded) {
				t.Errorf("got %v", err)
			}
		}
	})
	t.Run("what is refused holds little", func(t *testing.T) {
		r := packet.NewReassembler(packet.ReassemblyOptions{MaxOctets: 2048})
		for id := range uint16(15) {
			add(r, id, 0, 1000)
			if _, err := add(r, id, 0, 992); !errors.Is(err, packet.ErrOverlap) {
				t.Fatalf("datagram %d: %v", id, err)
			}
		}
		if _, err := add(r, 0, 1000, 1008); !errors.Is(err, packet.ErrOverlap) || r.Lost() != 0 {
			t.Errorf("got %v, %d lost", err, r.Lost())
		}
	})
}

// TestReassembleShuffled fragments packets at random and gives the fragments
// in random order, some twice.
func TestReassembleShuffled(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for round := range 300 {
		p := mayFragment(make([]byte, 4*r.IntN(11)), r.IntN(4000))
		whole := bytes.Clone(p.Data)
		v := parse(t, p)
		parts := packet.Fragment(p, &v, 68+r.IntN(1000))
		r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		re := packet.NewReassembler(packet.ReassemblyOptions{})
		for i, part := range parts {
			for n := r.IntN(2); n >= 0 && i+1 < len(parts) || n == 0; n-- {
				pv := parse(t, part)
				got, err := re.Add(part.Clone(), &pv, start)
				if err != nil || (got != nil) != (i+1 == len(parts)) {
					t.Fatalf("round %d, fragment %d: got %v, %v", round, i, got, err)
				}
				if got != nil && !bytes.Equal(got.Data, whole) {
					t.Fatalf("round %d: got % x\nwant % x", round, got.Data, whole)
				}
			}
		}
	}
}
