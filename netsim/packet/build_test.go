package packet_test

import (
	"bytes"
	"testing"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

func TestTCP(t *testing.T) {
	for _, f := range families {
		s := packet.Segment{Src: f.client, Dst: f.server, Seq: 0xfffffff0, Ack: 0x80000000,
			Flags: packet.FIN | packet.PSH | packet.ACK, Window: 4096, Options: []byte{1, 1, 1, 0}, Payload: []byte("QUIT\r\n!")}
		p := packet.TCP(s)
		verify(t, p)
		v := parse(t, p)
		if v.Src != s.Src || v.Dst != s.Dst || v.Seq != s.Seq || v.Ack != s.Ack || v.Flags != s.Flags ||
			v.Window != s.Window || v.Urgent != 0 || v.TTL != packet.TTL || !v.DontFragment {
			t.Errorf("%s: %+v", f.name, v)
		}
		if !bytes.Equal(p.Payload(&v), s.Payload) || !bytes.Equal(p.IPPayload(&v)[20:24], s.Options) {
			t.Errorf("%s: % x", f.name, p.Data)
		}
	}
}

// TestPooledPacketsAreClean builds in a buffer that has been used before.
func TestPooledPacketsAreClean(t *testing.T) {
	dirty := packet.New(200)
	for i := range dirty.Data {
		dirty.Data[i] = 0xff
	}
	dirty.Note = "of the packet before"
	for _, f := range families {
		s := packet.Segment{Src: f.client, Dst: f.server, Flags: packet.SYN}
		want := bytes.Clone(packet.TCP(s).Data)
		dirty.Release()
		if p := packet.TCP(s); !bytes.Equal(p.Data, want) || p.Note != "" {
			t.Errorf("%s: %q\n% x\n% x", f.name, p.Note, p.Data, want)
		}
		dirty = packet.Of(bytes.Repeat([]byte{0xff}, 200))
	}
}

func TestCloneIsApart(t *testing.T) {
	p := packet.Of([]byte("IP"))
	p.Note = "translated"
	c := p.Clone()
	p.Data[0], p.Note = 'X', ""
	if string(c.Data) != "IP" || c.Note != "translated" {
		t.Errorf("%q %q", c.Data, c.Note)
	}
	c.Release()
	(&packet.Packet{Data: make([]byte, 4)}).Release() // too small for the pool
	if p := packet.New(1 << 16); len(p.Data) != 1<<16 {
		t.Errorf("%d octets", len(p.Data))
	}
}

func TestReset(t *testing.T) {
	for _, tc := range []struct {
		name     string
		flags    packet.Flags
		payload  string
		want     packet.Flags
		seq, ack uint32
	}{
		{"SYN", packet.SYN, "", packet.RST | packet.ACK, 0, 101},
		{"SYN with data", packet.SYN, "data", packet.RST | packet.ACK, 0, 105},
		{"FIN without ACK", packet.FIN, "data", packet.RST | packet.ACK, 0, 105},
		{"nothing set", 0, "", packet.RST | packet.ACK, 0, 100},
		{"ACK", packet.ACK, "data", packet.RST, 900, 0},
		{"SYN ACK", packet.SYN | packet.ACK, "", packet.RST, 900, 0},
		{"FIN ACK", packet.FIN | packet.ACK, "", packet.RST, 900, 0},
	} {
		for _, f := range families {
			t.Run(tc.name+" "+f.name, func(t *testing.T) {
				v := parse(t, packet.TCP(packet.Segment{Src: f.client, Dst: f.server, Seq: 100, Ack: 900,
					Flags: tc.flags, Payload: []byte(tc.payload)}))
				p := packet.Reset(&v)
				verify(t, p)
				got := parse(t, p)
				if got.Src != f.server || got.Dst != f.client || got.Flags != tc.want || got.Seq != tc.seq || got.Ack != tc.ack || got.Len() != 0 {
					t.Errorf("%v", p)
				}
			})
		}
	}
}

func TestResetIsNotSentForEverything(t *testing.T) {
	f := families[0]
	data := packet.TCP(packet.Segment{Src: f.client, Dst: f.server, Flags: packet.ACK}).Data
	for name, p := range map[string]*packet.Packet{
		"reset":     packet.TCP(packet.Segment{Src: f.client, Dst: f.server, Flags: packet.RST}),
		"reset ack": packet.TCP(packet.Segment{Src: f.client, Dst: f.server, Flags: packet.RST | packet.ACK}),
		"fragment":  packet.Of(edited(data, 6, 0x20)),
		"later":     packet.Of(edited(data, 6, 0, 9)),
		"UDP":       wrap(f, nil, false, 17, make([]byte, 8), 6),
	} {
		if v := parse(t, p); packet.Reset(&v) != nil {
			t.Errorf("%s is answered", name)
		}
	}
}

func TestString(t *testing.T) {
	f, g := families[0], families[1]
	syn := packet.TCP(packet.Segment{Src: f.client, Dst: f.server, Seq: 7, Flags: packet.SYN})
	v := parse(t, syn)
	data := packet.TCP(packet.Segment{Src: g.client, Dst: g.server, Seq: 8, Ack: 9, Flags: packet.PSH | packet.ACK, Payload: []byte("NOOP\r\n")})
	for _, tc := range []struct {
		p    *packet.Packet
		want string
	}{
		{syn, "192.168.1.2:50001 > 198.51.100.7:21 SYN seq 7"},
		{data, "[fd00::2]:50001 > [2001:db8:7::7]:21 PSH ACK seq 8 ack 9 6 octets"},
		{packet.TCP(packet.Segment{Src: f.client, Dst: f.server}), "192.168.1.2:50001 > 198.51.100.7:21 no flag seq 0"},
		{packet.ICMPError(f.outside.Addr(), syn, &v, packet.AdminProhibited, 0),
			"203.0.113.5 > 192.168.1.2 ICMP administratively prohibited about 192.168.1.2:50001 > 198.51.100.7:21"},
		{wrap(f, nil, false, 17, make([]byte, 9), 6), "192.168.1.2 > 198.51.100.7 protocol 17, 9 octets"},
		{packet.Of(edited(syn.Data, 6, 0x20, 3)), "192.168.1.2 > 198.51.100.7 protocol 6, 20 octets at 24 of datagram 0"},
		{packet.Of([]byte{0x45}), "1 octets: packet: too short for its headers"},
	} {
		if got := tc.p.String(); got != tc.want {
			t.Errorf("got  %s\nwant %s", got, tc.want)
		}
	}
}
