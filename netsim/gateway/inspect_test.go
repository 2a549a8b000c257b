package gateway_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// TestInspector sees every segment in the sender's addresses, and may change
// it.
func TestInspector(t *testing.T) {
	s := &script{}
	o := nat(gateway.NAT{})
	o.Helper = s
	l := newLab(t, o)
	var saw []string
	s.do = func(c gateway.Connection, p *packet.Packet, v *packet.View, from gateway.Side) bool {
		text := from.String() + ": " + p.String()
		if c.Established() {
			text += ", established"
		}
		saw = append(saw, text)
		if i := bytes.Index(p.Payload(v), []byte("no")); i >= 0 {
			c.Note("refused")
			return false
		}
		if i := bytes.Index(p.Payload(v), []byte("long")); i >= 0 {
			p.Replace(v, i, 4, []byte("longer"))
			c.Note("%q is %q", "long", "longer")
		}
		return true
	}
	seen := l.connect(client, server)
	say := func(text string) {
		l.send(inside, packet.TCP(packet.Segment{Src: ep(client), Dst: ep(server), Flags: ack, Payload: []byte(text)}))
	}
	l.left()
	l.told()
	say("long live")
	out := l.ends[outside].got[0]
	v, err := out.Parse()
	if err != nil || string(out.Payload(&v)) != "longer live" || v.Src.String() != seen || out.Note != `"long" is "longer"` {
		t.Errorf("%v left, %q, with the note %q, %v", out, out.Payload(&v), out.Note, err)
	}
	l.want(l.told(gateway.PacketRewritten)[0], `packet rewritten: "long" is "longer"`)
	l.left()
	say("no")
	l.want(l.left(), "")
	l.want(l.told(gateway.PacketDropped)[0], "packet dropped: helper: "+client+" > "+server+" ACK seq 0 ack 0 2 octets (refused)")
	want := []string{
		"client: " + client + " > " + server + " SYN seq 0",
		"server: " + server + " > " + seen + " SYN ACK seq 1000 ack 2000, established",
		"client: " + client + " > " + server + " ACK seq 1000 ack 2000, established",
		"client: " + client + " > " + server + " ACK seq 0 ack 0 9 octets, established",
		"client: " + client + " > " + server + " ACK seq 0 ack 0 2 octets, established",
	}
	if !slices.Equal(saw, want) {
		t.Errorf("it saw %q", saw)
	}
	c := s.conns[0]
	if c.Real(gateway.Client) != ep(client) || c.Seen(gateway.Client) != ep(seen) || c.Seen(gateway.Server) != ep(server) {
		t.Errorf("the client is %v, seen as %v", c.Real(gateway.Client), c.Seen(gateway.Client))
	}
	if !c.Now().Equal(l.clock.Now()) {
		t.Errorf("it is %v, not %v", c.Now(), l.clock.Now())
	}
}

// TestSend lets the inspector speak for each side, before the segment that it
// looks at.
func TestSend(t *testing.T) {
	s := &script{}
	o := nat(gateway.NAT{})
	o.Helper = s
	l := newLab(t, o)
	seen := l.connect(client, server)
	s.do = func(c gateway.Connection, _ *packet.Packet, v *packet.View, _ gateway.Side) bool {
		c.Send(packet.TCP(packet.Segment{Src: c.Real(gateway.Client), Dst: c.Seen(gateway.Server), Flags: ack | packet.PSH}), gateway.Server)
		c.Send(packet.TCP(packet.Segment{Src: c.Real(gateway.Server), Dst: c.Seen(gateway.Client), Flags: ack}), gateway.Client)
		// These are not the connection's.
		c.Send(packet.TCP(packet.Segment{Src: c.Real(gateway.Client), Dst: c.Seen(gateway.Server)}), gateway.Client)
		c.Send(packet.Of([]byte("what?")), gateway.Client)
		big := packet.TCP(packet.Segment{Src: c.Real(gateway.Client), Dst: c.Seen(gateway.Server), Payload: make([]byte, 2000)})
		c.Send(big, gateway.Server)
		return true
	}
	l.want(l.tcp(inside, client, server, ack), "in: "+server+" > "+client+" ACK\n"+
		"out: "+seen+" > "+server+" PSH ACK\nout: "+seen+" > "+server+" ACK")
	if got := l.g.Drops(); got[gateway.ByHelper] != 2 || got[gateway.TooBig] != 1 {
		t.Errorf("dropped: %v", got)
	}
}

// TestGrowthBeyondMTU tells the sender in its own sequence numbers, and so that
// what it sends next fits after it has grown.
func TestGrowthBeyondMTU(t *testing.T) {
	for _, test := range []struct{ size, grow, mtu int }{{1460, 10, 1490}, {1460, -10, 0}, {1600, -10, 1500}} {
		s := &script{}
		o := nat(gateway.NAT{})
		o.Helper = s
		l := newLab(t, o)
		l.connect(client, server)
		s.do = func(_ gateway.Connection, p *packet.Packet, v *packet.View, _ gateway.Side) bool {
			p.SetSeq(v, v.Seq+100)
			return p.Replace(v, 0, 20, make([]byte, 20+test.grow))
		}
		l.send(inside, packet.TCP(packet.Segment{Src: ep(client), Dst: ep(server), Flags: ack, Seq: 77, Payload: make([]byte, test.size)}))
		if test.mtu == 0 {
			l.want(l.left(), "out: 218.63.1.5:40001 > "+server+" ACK")
			continue
		}
		p := l.ends[inside].got[0]
		l.want(l.left(), "in: 192.168.1.1 > 192.168.1.2 ICMP packet too big about "+client+" > "+server)
		icmp := p.Data[20:]
		if mtu, seq := binary.BigEndian.Uint32(icmp[4:]), binary.BigEndian.Uint32(icmp[8+20+4:]); mtu != uint32(test.mtu) || seq != 77 {
			t.Errorf("it says that the MTU is %d, about octet %d", mtu, seq)
		}
	}
}

// TestHelperWithoutNAT looks into the connections of a plain router, too.
func TestHelperWithoutNAT(t *testing.T) {
	c := newControl(t, gateway.Options{})
	if len(c.script.conns) != 1 {
		t.Error("nobody asked the helper")
	}
	c.tcp(inside, neighbor, "218.63.1.100:22", syn) // none of its business
	if len(c.script.conns) != 1 {
		t.Error("the helper looks into everything")
	}
	if at := c.mustExpect(gateway.Expectation{By: gateway.Client, To: ep(data), Life: time.Minute}); at != data {
		t.Errorf("it is announced as %s", at)
	}
}
