package alg_test

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/clock"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// lan is a real gateway between two networks. What leaves it is collected.
type lan struct {
	t   *testing.T
	g   *gateway.Gateway
	out [2][]*packet.Packet
}

type collector struct{ to *[]*packet.Packet }

func (c collector) Input(p *packet.Packet) { *c.to = append(*c.to, p) }

func newLAN(t *testing.T, profile alg.Profile, forwards ...gateway.Forward) *lan {
	t.Helper()
	h, err := alg.New(alg.Options{Profile: profile, Rand: rand.New(rand.NewPCG(5, 6))})
	if err != nil {
		t.Fatal(err)
	}
	o := gateway.Linux()
	o.Helper, o.NAT.Forwards = h, forwards
	o.Interfaces = []gateway.Interface{{Addrs: []netip.Prefix{netip.MustParsePrefix("192.168.1.1/24")}},
		{Addrs: []netip.Prefix{netip.MustParsePrefix("218.63.1.5/24")}, Outside: true}}
	g, err := gateway.New(clock.New(clock.Options{}).Node(), o)
	if err != nil {
		t.Fatal(err)
	}
	l := &lan{t: t, g: g}
	for i := range l.out {
		g.Connect(i, collector{&l.out[i]})
	}
	return l
}

// send puts a segment into the inside or outside interface and returns what
// leaves the other one.
func (l *lan) send(i int, src, dst string, s packet.Segment) []out {
	l.t.Helper()
	s.Src, s.Dst = netip.MustParseAddrPort(src), netip.MustParseAddrPort(dst)
	s.Window = 65535
	l.out = [2][]*packet.Packet{}
	l.g.Interface(i).Input(packet.TCP(s))
	return l.read(1 - i)
}

func (l *lan) read(i int) []out {
	l.t.Helper()
	var outs []out
	for _, p := range l.out[i] {
		v, err := p.Parse()
		if err != nil || !p.ChecksumOK(&v) {
			l.t.Fatalf("a bad packet leaves: %v %v", p, err)
		}
		outs = append(outs, out{v, string(p.Payload(&v))})
	}
	return outs
}

// session opens a control connection from the side of an interface and logs in;
// say then sends text of the client and reply one of the server.
func (l *lan) session(i int, client, dial, server string) (say, reply func(text string) []out) {
	l.t.Helper()
	syn := l.send(i, client, dial, packet.Segment{Seq: 99, Flags: packet.SYN})
	if len(syn) != 1 || syn[0].Dst.String() != server {
		l.t.Fatalf("the SYN becomes %+v", syn)
	}
	seen := syn[0].Src.String()
	l.send(1-i, server, seen, packet.Segment{Seq: 199, Ack: 100, Flags: packet.SYN | packet.ACK})
	next := [2]uint32{100, 200}
	say = func(text string) []out {
		outs := l.send(i, client, dial, packet.Segment{Seq: next[0], Ack: next[1], Flags: packet.ACK, Payload: []byte(text)})
		next[0] += uint32(len(text))
		return outs
	}
	reply = func(text string) []out {
		outs := l.send(1-i, server, seen, packet.Segment{Seq: next[1], Ack: 100, Flags: packet.ACK, Payload: []byte(text)})
		next[1] += uint32(len(text))
		return outs
	}
	say("")
	reply("220 ready\r\n")
	say("USER x\r\n")
	return say, reply
}

const ftpServer = "218.63.1.100:21"

func TestGatewayActive(t *testing.T) {
	for _, profile := range engines {
		t.Run(string(profile), func(t *testing.T) {
			l := newLAN(t, profile)
			one, _ := l.session(0, "192.168.1.2:41001", ftpServer, ftpServer)
			two, _ := l.session(0, "192.168.1.3:41001", ftpServer, ftpServer)
			if got := texts(one(inPORT)); got != outPORT {
				t.Errorf("the first client's PORT becomes %q", got)
			}
			second := texts(two("PORT 192,168,1,3,4,1\r\n"))
			if second == outPORT || !strings.HasPrefix(second, "PORT 218,63,1,5,") {
				t.Errorf("the second client's PORT becomes %q", second)
			}
			for _, e := range l.g.Table().Expectations {
				outs := l.send(1, "218.63.1.100:20", e.To.String(), packet.Segment{Flags: packet.SYN})
				if len(outs) != 1 || outs[0].Dst != netip.AddrPortFrom(e.By.Addr(), 1025) || outs[0].Src.String() != "218.63.1.100:20" {
					t.Errorf("the server's SYN for %v becomes %+v", e, outs)
				}
			}
			if left := l.g.Table().Expectations; len(left) != 0 {
				t.Errorf("expected after use: %v", left)
			}
		})
	}
}

func TestGatewayPassive(t *testing.T) {
	for _, profile := range engines {
		t.Run(string(profile), func(t *testing.T) {
			l := newLAN(t, profile, gateway.Forward{Ports: gateway.PortRange{First: 21, Last: 21}, To: netip.MustParseAddr("192.168.1.2")})
			say, reply := l.session(1, "218.63.1.100:41001", "218.63.1.5:21", "192.168.1.2:21")
			say("PASV\r\n")
			if got := texts(reply("227 ok (192,168,1,2,195,81)\r\n")); got != "227 ok (218,63,1,5,195,81)\r\n" {
				t.Errorf("227 becomes %q", got)
			}
			outs := l.send(1, "218.63.1.100:45000", "218.63.1.5:50001", packet.Segment{Flags: packet.SYN})
			if len(outs) != 1 || outs[0].Dst.String() != "192.168.1.2:50001" {
				t.Errorf("the client's SYN becomes %+v", outs)
			}
		})
	}
}

// TestGatewayHolds sees that what the helper says in a host's name reaches the
// other with the right addresses.
func TestGatewayHolds(t *testing.T) {
	l := newLAN(t, alg.Reassembling)
	say, reply := l.session(0, "192.168.1.2:41001", ftpServer, ftpServer)
	reply("331 ok\r\n") // the server acknowledges nothing yet
	if got := say("PO"); len(got) > 1 || len(got) == 1 && got[0].text != "" {
		t.Errorf("%q passes", texts(got))
	}
	back := l.send(1, ftpServer, "218.63.1.5:41001", packet.Segment{Seq: 219, Ack: 108, Flags: packet.ACK})
	if len(back) != 1 || back[0].Ack != 110 {
		t.Errorf("the client gets %+v", back)
	}
	say("RT ")
	if back := l.read(0); len(back) != 1 || back[0].Ack != 113 || back[0].Src.String() != ftpServer || back[0].Dst.String() != "192.168.1.2:41001" {
		t.Errorf("the client gets %+v", back)
	}
	if got := say("192,168,1,2,4,1\r\n"); texts(got) != outPORT || got[0].Src.String() != "218.63.1.5:41001" {
		t.Errorf("the server gets %q from %v", texts(got), got[0].Src)
	}
}
