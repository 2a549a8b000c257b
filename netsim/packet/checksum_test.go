package packet_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// randomPacket makes a TCP packet with right checksums, with and without IP
// options, an atomic fragment header, TCP options and a payload of any parity.
func randomPacket(r *rand.Rand) *packet.Packet {
	f := families[r.IntN(2)]
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		if r.IntN(4) == 0 { // many zeros make the corners of the arithmetic likely
			clear(b)
		}
		return b
	}
	data := segment(f, packet.Flags(r.UintN(64)), random(4*r.IntN(11)), random(r.IntN(64)))
	copy(data, random(12)) // ports and numbers
	return wrap(f, random(4*r.IntN(11)), r.IntN(2) == 0, packet.ProtoTCP, data, 16)
}

// edits are the changes that must keep checksums right.
var edits = []struct {
	name string
	do   func(r *rand.Rand, p *packet.Packet, v *packet.View)
}{
	{"SetSrc", func(r *rand.Rand, p *packet.Packet, v *packet.View) { p.SetSrc(v, randomEndpoint(r, v)) }},
	{"SetDst", func(r *rand.Rand, p *packet.Packet, v *packet.View) { p.SetDst(v, randomEndpoint(r, v)) }},
	{"SetSeq", func(r *rand.Rand, p *packet.Packet, v *packet.View) { p.SetSeq(v, r.Uint32()) }},
	{"SetAck", func(r *rand.Rand, p *packet.Packet, v *packet.View) { p.SetAck(v, r.Uint32()&0xffff) }},
	{"SetUrgent", func(r *rand.Rand, p *packet.Packet, v *packet.View) { p.SetUrgent(v, uint16(r.IntN(3))) }},
	{"HopDown", func(_ *rand.Rand, p *packet.Packet, v *packet.View) { p.HopDown(v) }},
	{"MapSACK", func(r *rand.Rand, p *packet.Packet, v *packet.View) {
		p.MapSACK(v, func(uint32) uint32 { return r.Uint32() })
	}},
	{"Replace", func(r *rand.Rand, p *packet.Packet, v *packet.View) {
		off := r.IntN(v.Len() + 1)
		p.Replace(v, off, r.IntN(v.Len()-off+1), make([]byte, r.IntN(40)))
	}},
}

func randomEndpoint(r *rand.Rand, v *packet.View) netip.AddrPort {
	var b [16]byte
	for i := range b {
		b[i] = byte(r.Uint32()) * byte(r.UintN(2))
	}
	if v.Version == 4 {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[:4])), uint16(r.Uint32()))
	}
	return netip.AddrPortFrom(netip.AddrFrom16(b), uint16(r.Uint32()))
}

func TestEditsKeepChecksumsAndViewRight(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		p := randomPacket(r)
		v := parse(t, p)
		for range 1 + r.IntN(6) {
			e := edits[r.IntN(len(edits))]
			e.do(r, p, &v)
			verify(t, p)
			if again := parse(t, p); again != v {
				t.Errorf("%s: the View did not follow:\n%+v\n%+v", e.name, v, again)
			}
			if t.Failed() {
				t.Fatalf("after %s", e.name)
			}
		}
	}
}

// TestAdjustIsRecompute runs through all values of a checksum, the two zeros
// included: the result of an adjustment is that of a new computation.
func TestAdjustIsRecompute(t *testing.T) {
	for _, f := range families {
		p := packet.TCP(packet.Segment{Src: f.client, Dst: f.server, Flags: packet.ACK})
		v := parse(t, p)
		seen := map[uint16]bool{}
		for port := range 1 << 16 {
			p.SetSrc(&v, netip.AddrPortFrom(f.client.Addr(), uint16(port)))
			check := p.Data[ipPayload(p)+16:]
			got := binary.BigEndian.Uint16(check)
			check[0], check[1] = 0, 0
			_, sum := covered(p)
			putSum(check, sum)
			if want := binary.BigEndian.Uint16(check); got != want {
				t.Fatalf("%s: port %d: adjusted to %#04x, computed %#04x", f.name, port, got, want)
			}
			seen[got] = true
		}
		if !seen[0] || seen[0xffff] || len(seen) != 0xffff {
			t.Errorf("%s: %d checksums, 0x0000 %t, 0xffff %t", f.name, len(seen), seen[0], seen[0xffff])
		}
	}
}

// TestOtherZero has a sender that writes 0xffff where 0x0000 is usual.
func TestOtherZero(t *testing.T) {
	f := families[0]
	p := packet.TCP(packet.Segment{Src: f.client, Dst: f.server, Flags: packet.ACK})
	v := parse(t, p)
	check := p.Data[36:38]
	p.SetSrc(&v, netip.AddrPortFrom(f.client.Addr(), v.Src.Port()+binary.BigEndian.Uint16(check)))
	if !bytes.Equal(check, []byte{0, 0}) {
		t.Fatalf("the checksum is % x, and was to be zero", check)
	}
	check[0], check[1] = 0xff, 0xff
	verify(t, p)
	for _, port := range []uint16{0xffff, 0, 1, 0xfffe, v.Src.Port()} {
		p.SetSrc(&v, netip.AddrPortFrom(f.client.Addr(), port))
		verify(t, p)
	}
}

func TestWrongChecksumStaysWrong(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		p := randomPacket(r)
		v := parse(t, p)
		p.Data[ipPayload(p)+17] += byte(1 + r.UintN(255))
		_, before := covered(p)
		for _, e := range edits {
			if e.name == "Replace" { // computes anew
				continue
			}
			e.do(r, p, &v)
			if _, after := covered(p); after != before {
				t.Fatalf("%s: the sum was %#04x and is %#04x", e.name, before, after)
			}
		}
	}
}
