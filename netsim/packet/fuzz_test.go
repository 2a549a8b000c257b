package packet_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// FuzzParse gives Parse any octets; what it takes is put through every method.
func FuzzParse(f *testing.F) {
	for i, family := range families {
		segment := packet.TCP(packet.Segment{Src: family.client, Dst: family.server, Flags: packet.ACK,
			Options: []byte{1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2, 0}, Payload: []byte("PORT 192,168,1,2,195,81\r\n")})
		v := parse(f, segment)
		f.Add(segment.Data, uint64(1))
		for _, why := range reasons {
			f.Add(packet.ICMPError(family.outside.Addr(), segment, &v, why, 1400).Data, uint64(2))
		}
		part := piece(family, 1, octets(48), 0, 24)
		f.Add(part.Data, uint64(3))
		f.Add(piece(family, 1, octets(48), 24, 48).Data, uint64(4))
		f.Add(quoting(family, []byte{3, 1}[i], 1, segment.Data[:20*(i+1)+17]).Data, uint64(5))
	}
	f.Add(mayFragment([]byte{0x94, 4, 0, 0, 7, 3, 4, 0}, 100).Data, uint64(6))
	f.Add([]byte{0x4f}, uint64(7))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 0))
		p := packet.Of(data)
		v, err := p.Parse()
		_ = p.String()
		if err != nil {
			if v != (packet.View{}) {
				t.Fatalf("a View beside %v: %+v", err, v)
			}
			return
		}
		good := p.ChecksumOK(&v)
		readAll(t, p, &v)
		for range 8 {
			e := edits[r.IntN(len(edits))]
			switch {
			case e.name == "HopDown" && v.TTL == 0, !v.TCP && e.name != "SetSrc" && e.name != "SetDst" && e.name != "HopDown":
				continue
			case e.name == "Replace" && !v.Fragment():
				good = true
			}
			e.do(r, p, &v)
			again, err := p.Parse()
			if err != nil || again != v {
				t.Fatalf("after %s: %v\n%+v\n%+v", e.name, err, v, again)
			}
			if p.ChecksumOK(&v) != good {
				t.Fatalf("%s turned the checksum from %t to %t", e.name, good, !good)
			}
		}
		readAll(t, p, &v)
		whole := bytes.Clone(p.Data)
		for _, part := range packet.Fragment(p, &v, 20+r.IntN(len(whole)+1)) {
			if pv, err := part.Parse(); err != nil || !pv.Fragment() {
				t.Fatalf("fragment %v: %v", part, err)
			}
		}
	})
}

// readAll calls the methods that read and build.
func readAll(t *testing.T, p *packet.Packet, v *packet.View) {
	t.Helper()
	_ = p.String()
	_, _ = p.MSS(v)
	if reset := packet.Reset(v); reset != nil {
		verify(t, reset)
	}
	if problem := packet.ICMPError(v.Dst.Addr(), p, v, packet.HostUnreachable, 0); problem != nil {
		verify(t, problem)
		pv := parse(t, problem)
		if _, _, _, ok := problem.Quote(&pv); ok {
			problem.SetQuote(&pv, v.Dst, v.Src)
			verify(t, problem)
		}
	}
	why, src, dst, ok := p.Quote(v)
	if !ok {
		return
	}
	good := p.ChecksumOK(v)
	p.SetQuote(v, dst, src)
	if got, s, d, ok := p.Quote(v); !ok || got != why || s != dst || d != src || p.ChecksumOK(v) != good {
		t.Fatalf("quote of %v > %v was turned into %v > %v, %t", src, dst, s, d, ok)
	}
}

// model is a Reassembler in the plainest form, without bounds.
type model map[uint16]*struct {
	parts   []modelPart
	refused bool
}

type modelPart struct {
	from, to int
	last     bool
	data     []byte
}

// add says what Add must answer.
func (m model) add(id uint16, header int, in modelPart) (whole []byte, err error) {
	if in.from == in.to || !in.last && (in.to-in.from)%8 != 0 || header+in.to > 65535 {
		return nil, packet.ErrFragment
	}
	d := m[id]
	if d == nil {
		d = &struct {
			parts   []modelPart
			refused bool
		}{}
		m[id] = d
	}
	for _, p := range d.parts {
		if p.from == in.from && p.to == in.to && p.last == in.last && bytes.Equal(p.data, in.data) && !d.refused {
			return nil, nil
		}
		if p.from < in.to && in.from < p.to || p.last && (in.last || in.to > p.to) || in.last && p.to > in.to {
			d.refused = true
		}
	}
	if d.refused {
		return nil, packet.ErrOverlap
	}
	d.parts = append(d.parts, in)
	total, octets := -1, 0
	for _, p := range d.parts {
		octets += p.to - p.from
		if p.last {
			total = p.to
		}
	}
	if octets != total {
		return nil, nil
	}
	whole = make([]byte, total)
	for _, p := range d.parts {
		copy(whole[p.from:], p.data)
	}
	delete(m, id)
	return whole, nil
}

// FuzzReassembler reads fragments out of the octets, six for each, and
// compares a Reassembler that has room and time with the model; another one
// that has little of both must only keep its promises.
func FuzzReassembler(f *testing.F) {
	f.Add([]byte{0, 0, 0, 24, 0, 1, 0, 0, 3, 24, 0, 1, 0, 0, 6, 5, 1, 1})
	f.Add([]byte{8, 0, 6, 5, 1, 1, 8, 0, 0, 24, 0, 1, 8, 0, 0, 24, 0, 1, 8, 0, 3, 24, 0, 1})
	f.Add([]byte{1, 0, 0, 24, 0, 1, 1, 0, 2, 24, 0, 1, 1, 0, 3, 24, 1, 2})
	f.Add([]byte{2, 0x1f, 0xff, 7, 1, 0, 10, 0x1f, 0xff, 7, 1, 0, 2, 0, 1, 12, 0, 0})
	f.Add([]byte{3, 0, 0, 24, 0, 1, 3, 0, 1, 8, 1, 255, 3, 0, 3, 16, 1, 255})
	f.Fuzz(func(t *testing.T, steps []byte) {
		roomy := packet.NewReassembler(packet.ReassemblyOptions{Life: time.Hour * 1e5, MaxOctets: 1 << 30})
		tight := packet.NewReassembler(packet.ReassemblyOptions{Life: 500 * time.Millisecond, MaxOctets: 600})
		models := [2]model{{}, {}}
		now := start
		for ; len(steps) >= 6; steps = steps[6:] {
			// id and family, place, length, last, filling and passing of time
			id, which := uint16(steps[0]&7), int(steps[0]>>3&1)
			from, n := (int(steps[1]&0x1f)<<8|int(steps[2]))*8, int(steps[3])
			last, fill := steps[4]&1 != 0, steps[5]
			now = now.Add(time.Duration(fill) * time.Millisecond)
			data := bytes.Repeat([]byte{fill | 0x50}, n) // a TCP header length of at least 20
			p := fragmentAt(families[which], id, from, data, last)
			v, err := p.Parse()
			if err != nil || !v.Fragment() {
				continue
			}
			if got, err := tight.Add(p.Clone(), &v, now); got != nil {
				checkWhole(t, got, err)
			}
			want, wantErr := models[which].add(id, 20+20*which, modelPart{from, from + n, last, data})
			got, err := roomy.Add(p, &v, now)
			if !errors.Is(err, wantErr) || (got == nil) != (want == nil) {
				t.Fatalf("from %d to %d, last %t: got %v, %v; want %d octets, %v", from, from+n, last, got, err, len(want), wantErr)
			}
			if got != nil {
				checkWhole(t, got, err)
				if at := 20 + 20*which; !bytes.Equal(got.Data[at:], want) {
					t.Fatalf("got % x\nwant % x", got.Data[at:], want)
				}
			}
		}
		if roomy.Lost() != 0 {
			t.Fatalf("%d lost", roomy.Lost())
		}
	})
}

// fragmentAt makes a fragment of any size at any place.
func fragmentAt(f family, id uint16, from int, data []byte, last bool) *packet.Packet {
	padded := make([]byte, from+len(data), from+len(data)+1)
	copy(padded[from:], data)
	if !last {
		padded = padded[:cap(padded)]
	}
	return piece(f, id, padded, from, from+len(data))
}

func checkWhole(t *testing.T, p *packet.Packet, err error) {
	t.Helper()
	if err != nil || len(p.Data) > 65535 {
		t.Fatalf("%d octets beside %v", len(p.Data), err)
	}
	if v, err := p.Parse(); err == nil && v.Fragment() {
		t.Fatalf("a fragment came out: %v", p)
	}
}
