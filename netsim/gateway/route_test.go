package gateway_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// TestLongestPrefix sends by the most specific route.
func TestLongestPrefix(t *testing.T) {
	l := newLab(t, gateway.Options{
		Interfaces: []gateway.Interface{{Addrs: prefixes("10.0.0.1/8")}, {Addrs: prefixes("10.1.0.1/16")}, {Addrs: prefixes("10.1.2.1/24")}},
		Routes:     []gateway.Route{{To: netip.MustParsePrefix("10.9.9.0/24"), Interface: 2}},
	})
	for dst, want := range map[string]string{"10.7.7.7": "in", "10.1.7.7": "out", "10.1.2.7": "third", "10.9.9.9": "third", "8.8.8.8": "out"} {
		l.want(l.tcp(0, "10.3.3.3:1", dst+":2", syn), fmt.Sprintf("%s: 10.3.3.3:1 > %s:2 SYN", want, dst))
	}
}

func TestHopLimit(t *testing.T) {
	for _, o := range []gateway.Options{{}, nat(gateway.NAT{})} {
		l := newLab(t, o)
		for _, test := range []struct{ src, dst, want string }{
			{client, server, "in: 192.168.1.1 > 192.168.1.2 ICMP time exceeded about " + client + " > " + server},
			{client6, server6, "in: fd00:1::1 > fd00:1::2 ICMP time exceeded about " + client6 + " > " + server6},
		} {
			p := packet.TCP(packet.Segment{Src: ep(test.src), Dst: ep(test.dst), Flags: syn})
			for range packet.TTL - 1 {
				v, err := p.Parse()
				if err != nil {
					t.Fatal(err)
				}
				p.HopDown(&v)
			}
			l.send(inside, p)
			l.want(l.left(), test.want)
		}
		if n := len(l.g.Table().Connections); n != 0 {
			t.Errorf("%d connections", n)
		}
	}
}

func TestHopLimitIsDecremented(t *testing.T) {
	l := newLab(t, nat(gateway.NAT{}))
	l.send(inside, packet.TCP(packet.Segment{Src: ep(client), Dst: ep(server), Flags: syn}))
	v, err := l.ends[outside].got[0].Parse()
	if err != nil || v.TTL != packet.TTL-1 {
		t.Errorf("it left with %d, %v", v.TTL, err)
	}
}

func TestNoRoute(t *testing.T) {
	l := newLab(t, gateway.Options{})
	l.want(l.tcp(inside, client6, "[2001:db8:99::1]:21", syn),
		"in: fd00:1::1 > fd00:1::2 ICMP net unreachable about "+client6+" > [2001:db8:99::1]:21")
	l.want(l.tcp(inside, client, "224.0.0.1:21", syn), "") // no error about a multicast (RFC 1122 section 3.2.2)
}

// TestMTU has a line of 600 octets.
func TestMTU(t *testing.T) {
	narrow := func(o gateway.Options) gateway.Options {
		o.Interfaces = []gateway.Interface{{Name: "inside", Addrs: prefixes("192.168.1.1/24", "fd00:1::1/64")},
			{Name: "outside", Addrs: prefixes("218.63.1.5/24", "2001:db8:63::5/64"), Outside: true, MTU: 600}}
		return o
	}
	big := func(src, dst string) *packet.Packet {
		return packet.TCP(packet.Segment{Src: ep(src), Dst: ep(dst), Flags: ack, Payload: make([]byte, 1000)})
	}
	for name, o := range map[string]gateway.Options{"router": {}, "NAT": nat(gateway.NAT{})} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, narrow(o))
			l.send(inside, big(client, server))
			l.want(l.left(), "in: 192.168.1.1 > 192.168.1.2 ICMP packet too big about "+client+" > "+server)
			l.send(inside, big(client6, server6))
			l.want(l.left(), "in: fd00:1::1 > fd00:1::2 ICMP packet too big about "+client6+" > "+server6)
			p := big(client, server)
			p.Data[6] &^= 0x40
			reseal(p)
			l.send(inside, p)
			if n := len(l.ends[outside].got); n != 2 {
				t.Errorf("%d fragments", n)
			}
		})
	}
}

// TestFragments reassembles before it translates, in any order, and leaves
// fragments alone in a plain router (RFC 2663 section 8.4).
func TestFragments(t *testing.T) {
	pieces := func() []*packet.Packet {
		p := packet.TCP(packet.Segment{Src: ep(client), Dst: ep(server), Flags: ack, Payload: make([]byte, 1000)})
		p.Data[6] &^= 0x40
		reseal(p)
		v, err := p.Parse()
		if err != nil {
			t.Fatal(err)
		}
		return packet.Fragment(p, &v, 500)
	}
	l := newLab(t, nat(gateway.NAT{}))
	parts := pieces()
	for i := len(parts) - 1; i >= 0; i-- {
		l.want(l.left(), "")
		l.send(inside, parts[i])
	}
	l.want(l.left(), "out: 218.63.1.5:40001 > "+server+" ACK")

	router := newLab(t, gateway.Options{})
	for _, p := range pieces() {
		router.send(inside, p)
	}
	if n := len(router.ends[outside].got); n != len(parts) {
		t.Errorf("%d fragments left, not %d", n, len(parts))
	}

	l.send(inside, pieces()[1])
	l.pass(time.Hour)
	for _, p := range pieces()[2:] { // the other one is too old by now
		l.send(inside, p)
	}
	l.want(l.left(), "")
}

// TestMartians drops packets with an impossible source.
func TestMartians(t *testing.T) {
	for _, test := range []struct {
		name, src, dst string
		from           int
		dropped        gateway.Reason
	}{
		{"the gateway's own", "218.63.1.5:1", server, inside, gateway.Martian},
		{"multicast", "224.0.0.5:1", server, inside, gateway.Martian},
		{"everybody", "255.255.255.255:1", server, inside, gateway.Martian},
		{"nobody", "0.0.0.0:1", server, inside, gateway.Martian},
		{"loopback", "127.0.0.1:1", server, inside, gateway.Martian},
		{"mapped", "[::ffff:192.168.1.2]:1", server6, inside, gateway.Martian},
		{"inside source from outside", "192.168.1.2:1", "218.63.1.5:21", outside, gateway.Martian},
		{"outside source from inside", "218.63.1.200:1", "192.168.1.3:21", inside, gateway.Martian},
		{"port 0", "192.168.1.2:0", server, inside, gateway.Martian},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, nat(gateway.NAT{}))
			l.want(l.tcp(test.from, test.src, test.dst, syn), "")
			if got := l.g.Drops(); got[test.dropped] != 1 {
				t.Errorf("dropped: %v", got)
			}
		})
	}
	t.Run("a connection's other side", func(t *testing.T) {
		l := newLab(t, nat(gateway.NAT{}))
		l.connect(client, server)
		l.want(l.tcp(outside, client, server, ack), "")
		if got := l.g.Drops(); got[gateway.Martian] != 1 {
			t.Errorf("dropped: %v", got)
		}
	})
}

// TestMalformed gives the gateway what is no packet, or a damaged one.
func TestMalformed(t *testing.T) {
	l := newLab(t, nat(gateway.NAT{}))
	l.connect(client, server)
	for _, data := range []string{"", "E", "\x45\x00", "hello, world, this is no packet at all"} {
		l.send(inside, packet.Of([]byte(data)))
	}
	for _, f := range []packet.Flags{syn, finAck} { // one begins, the other belongs to a connection
		p := packet.TCP(packet.Segment{Src: ep(client), Dst: ep(map[bool]string{true: stranger, false: server}[f == syn]), Flags: f})
		p.Data[len(p.Data)-1] ^= 1
		l.send(inside, p)
	}
	l.want(l.left(), "")
	if got := l.g.Drops(); got[gateway.Malformed] != 4 || got[gateway.BadChecksum] != 2 {
		t.Errorf("dropped: %v", got)
	}
}

// TestDamagedSegments are dropped where they would be read or change something;
// other ones stay damaged.
func TestDamagedSegments(t *testing.T) {
	for _, test := range []struct {
		name    string
		helper  gateway.Helper
		connect func(l *lab)
		flags   packet.Flags
		passes  bool
	}{
		{"opening", nil, func(l *lab) { l.seen(client, server) }, ack, false},
		{"established", nil, func(l *lab) { l.connect(client, server) }, ack, true},
		{"a FIN", nil, func(l *lab) { l.connect(client, server) }, finAck, false},
		{"a RST", nil, func(l *lab) { l.connect(client, server) }, rst, false},
		{"read by a helper", &script{}, func(l *lab) { l.connect(client, server) }, ack, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := nat(gateway.NAT{})
			o.Helper = test.helper
			l := newLab(t, o)
			test.connect(l)
			l.damaged = true
			p := packet.TCP(packet.Segment{Src: ep(client), Dst: ep(server), Flags: test.flags, Payload: []byte("x")})
			p.Data[len(p.Data)-1] ^= 1
			l.send(inside, p)
			if got := l.g.Drops()[gateway.BadChecksum] == 0; got != test.passes {
				t.Errorf("it passes: %v", got)
			}
			for _, p := range l.ends[outside].got {
				if v, err := p.Parse(); err != nil || p.ChecksumOK(&v) {
					t.Errorf("it has been repaired: %v %v", p, err)
				}
			}
		})
	}
}

// TestTrailingOctets are no part of the packet.
func TestTrailingOctets(t *testing.T) {
	l := newLab(t, nat(gateway.NAT{}))
	p := packet.TCP(packet.Segment{Src: ep(client), Dst: ep(server), Flags: syn})
	p.Data = append(p.Data, make([]byte, 1600)...)
	l.send(inside, p)
	l.want(l.left(), "out: 218.63.1.5:40001 > "+server+" SYN")
}

// TestUnconnected drops what should leave by an interface that leads nowhere.
func TestUnconnected(t *testing.T) {
	l := newLab(t, gateway.Options{})
	l.g.Connect(outside, nil)
	l.want(l.tcp(inside, client, server, syn), "")
	if got := l.g.Drops(); got[gateway.Unconnected] != 1 {
		t.Errorf("dropped: %v", got)
	}
}
