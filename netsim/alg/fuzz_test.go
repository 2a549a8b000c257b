package alg_test

import (
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// fuzzPackets feeds an inspector with segments that the input describes: flags,
// numbers near those that are due, options and text. Whatever comes out has
// good checksums, and what the inspector keeps is bounded.
func fuzzPackets(t *testing.T, profile alg.Profile, script []byte) {
	t.Helper()
	const most = 1 << 18 // octets that an inspector may keep
	c := &connection{ends: both, established: true, taken: map[uint16]bool{1026: true}}
	insp := attach(t, alg.Options{Profile: profile, Rand: rand.New(rand.NewPCG(3, 4))}, c)
	next := [2]uint32{0xffff_ff00, 5}
	look := func(p *packet.Packet) {
		v, err := p.Parse()
		if err != nil || !p.ChecksumOK(&v) {
			t.Fatalf("a bad packet comes out: %v %v", p, err)
		}
	}
	for len(script) >= 6 {
		from, n := gateway.Side(script[0]&1), int(script[1])
		s := packet.Segment{Src: c.real[from], Dst: c.seen[from.Other()], Flags: packet.Flags(script[0]>>1) & 0x1f, Window: 1000,
			Seq: next[from] + uint32(int8(script[2])), Ack: next[from.Other()] + uint32(int8(script[3]))}
		urgent := uint16(script[4])
		if script[5]&1 != 0 {
			s.Seq += uint32(script[5]) << 22 // far away
		}
		if script[5]&2 != 0 {
			s.Options = append(s.Options, 1, 1, 5, 10)
			s.Options = binary.BigEndian.AppendUint32(s.Options, s.Ack+uint32(script[4]))
			s.Options = binary.BigEndian.AppendUint32(s.Options, s.Ack+uint32(script[3]))
		}
		if script[5]&4 != 0 {
			s.Options = append(s.Options, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2)
		}
		script = script[6:]
		n = min(n, len(script))
		s.Payload, script = script[:n], script[n:]
		p := packet.TCP(s)
		v, err := p.Parse()
		if err != nil {
			t.Fatal(err)
		}
		p.SetUrgent(&v, urgent)
		if s.Seq == next[from] {
			next[from] = v.Next()
		}
		c.sent = nil
		if insp.Inspect(p, &v, from) {
			look(p)
		}
		for _, q := range c.sent {
			look(q.p)
		}
		c.expected = nil
	}
	if n := kept(reflect.ValueOf(insp)); n > most {
		t.Errorf("the inspector keeps %d octets", n)
	}
}

// kept counts the octets of the slices that hang on a value, interfaces and
// what is behind the connection left out.
func kept(v reflect.Value) int {
	n := 0
	switch k := v.Kind(); {
	case k == reflect.Pointer && !v.IsNil() && v.Type().Elem().Kind() == reflect.Struct && v.Type().Elem().Name() != "helper":
		n += kept(v.Elem())
	case k == reflect.Struct:
		for _, f := range v.Fields() {
			n += kept(f)
		}
	case k == reflect.Array, k == reflect.Slice:
		if k == reflect.Slice {
			n += v.Cap() * int(v.Type().Elem().Size())
		}
		if v.Type().Elem().Kind() == reflect.Struct {
			for i := range v.Len() {
				n += kept(v.Index(i))
			}
		}
	}
	return n
}

// step describes one segment of a fuzz input.
func step(head [6]byte, text string) []byte {
	head[1] = byte(len(text))
	return append(head[:], text...)
}

func seeds(f *testing.F) {
	f.Helper()
	const client, server, ack = 0, 1, 16 << 1
	join := func(steps ...[]byte) []byte {
		var all []byte
		for _, s := range steps {
			all = append(all, s...)
		}
		return all
	}
	f.Add([]byte{})
	f.Add(join(step([6]byte{client | ack}, "USER x\r\n"), step([6]byte{client | ack}, inPORT), step([6]byte{server | ack}, "200 ok\r\n"),
		step([6]byte{client | ack}, "PO"), step([6]byte{client | ack}, "RT 192,168,1,2,4,1\r\nNOOP\r\n"), step([6]byte{client | ack, 0, 0xec}, "2,4,1\r\n")))
	f.Add(join(step([6]byte{server | ack, 0, 0, 0, 0, 2}, "220 x\r\n227-x\r\n"), step([6]byte{server | ack, 0, 20, 0, 3, 4}, "227 (10,9,0,100,4,2)\r\n"),
		step([6]byte{server | ack | 1<<1}, "229 (|||1026|)\r\n229 (|"), step([6]byte{server | ack, 0, 0, 0, 0, 1}, "229 x")))
	f.Add(join(step([6]byte{client | 2<<1}, ""), step([6]byte{server | 18<<1}, ""), step([6]byte{client | ack}, "AUTH TLS\r\n"),
		step([6]byte{server | ack}, "234 ok\r\n"), step([6]byte{client | ack, 0, 9}, "\x16\x03\x01"), step([6]byte{client | 4<<1}, "")))
	f.Add(join(step([6]byte{client | ack}, "\n"), step([6]byte{client | ack}, "EPRT |1|192.168.1.2|99999|\r\n"), step([6]byte{client | ack}, "EPRT .1.192.168.1.2.5."),
		step([6]byte{client | ack}, "\xff\xf4\xff"), step([6]byte{client | ack | 1<<1, 0, 0, 0, 2}, "\xf2PORT 1")))
}

func FuzzLinux(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, script []byte) {
		fuzzPackets(t, alg.Linux, script)
	})
}

func FuzzReassembling(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, script []byte) {
		fuzzPackets(t, alg.Reassembling, script)
		fuzzPackets(t, alg.InsideFileNames, script)
	})
}

// TestBounded floods an inspector with what it might keep.
func TestBounded(t *testing.T) {
	var script []byte
	for i := range 3000 {
		script = append(script, step([6]byte{16 << 1, 0, byte(i % 3), 0}, "PORT 192,168,1,2,4,1\r\nPORT 192,168,1,2,4,1\r\nP")...)
		script = append(script, step([6]byte{16 << 1, 0, 100, 0}, "PORT 192,168,1,2,4,1\r\nPORT 192,168,1,2,4,1\r\nPORT 192,168,1,2,4,1\r\n")...)
	}
	for _, p := range alg.Profiles()[1:] {
		fuzzPackets(t, p, script)
	}
}
