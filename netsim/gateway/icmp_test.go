package gateway_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// errorAbout is what somebody says about a segment.
func errorAbout(t *testing.T, from, src, dst string, why packet.Unreachable) *packet.Packet {
	t.Helper()
	about := packet.TCP(packet.Segment{Src: ep(src), Dst: ep(dst), Flags: packet.SYN, Payload: make([]byte, 100)})
	v, err := about.Parse()
	if err != nil {
		t.Fatal(err)
	}
	return packet.ICMPError(netip.MustParseAddr(from), about, &v, why, 1400)
}

// TestICMP translates errors of hosts and of routers on the way (RFC 5508
// section 4, RFC 5382 REQ-10), and goes on with the connection (REQ-9).
func TestICMP(t *testing.T) {
	forward := []gateway.Forward{{Ports: gateway.PortRange{First: 21, Last: 21}, To: netip.MustParseAddr("192.168.1.3")}}
	for _, test := range []struct {
		name, from, src, dst string
		side                 int
		want                 string
	}{
		{"the server answers the client", "218.63.1.100", "218.63.1.5:40001", server, outside,
			"in: 218.63.1.100 > 192.168.1.2 ICMP port unreachable about " + client + " > " + server},
		{"a router answers the client", "10.0.0.1", "218.63.1.5:40001", server, outside,
			"in: 10.0.0.1 > 192.168.1.2 ICMP port unreachable about " + client + " > " + server},
		{"an inside server answers", "192.168.1.3", stranger, "192.168.1.3:21", inside,
			"out: 218.63.1.5 > 218.63.1.200 ICMP port unreachable about " + stranger + " > 218.63.1.5:21"},
		{"an inside router answers", "192.168.1.77", stranger, "192.168.1.3:21", inside,
			"out: 218.63.1.5 > 218.63.1.200 ICMP port unreachable about " + stranger + " > 218.63.1.5:21"},
		{"IPv6", "2001:db8:63::100", "[2001:db8:63::5]:40001", server6, outside,
			"in: 2001:db8:63::100 > fd00:1::2 ICMP port unreachable about " + client6 + " > " + server6},
		{"about nothing known", "218.63.1.100", "218.63.1.5:40002", server, outside, ""},
		{"to somebody else", "218.63.1.100", client, server, outside, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, nat(gateway.NAT{Forwards: forward}))
			seen := l.connect(client, server)
			l.connect(client6, server6)
			l.tcp(outside, stranger, "218.63.1.5:21", syn)
			for range 2 {
				l.send(test.side, errorAbout(t, test.from, test.src, test.dst, packet.PortUnreachable))
				l.want(l.left(), test.want)
			}
			l.want(l.tcp(outside, server, seen, ack), "in: "+server+" > "+client+" ACK")
		})
	}
}

// TestICMPDamaged drops an error with a wrong checksum (RFC 5508 REQ-3), and
// one from the wrong side.
func TestICMPDamaged(t *testing.T) {
	l := newLab(t, nat(gateway.NAT{}))
	l.connect(client, server)
	p := errorAbout(t, "218.63.1.100", "218.63.1.5:40001", server, packet.HostUnreachable)
	p.Data[len(p.Data)-1] ^= 1
	l.send(outside, p)
	l.send(inside, errorAbout(t, "192.168.1.2", "218.63.1.5:40001", server, packet.HostUnreachable))
	l.send(outside, errorAbout(t, "192.168.1.3", "218.63.1.5:40001", server, packet.HostUnreachable))
	l.want(l.left(), "")
	if got := l.g.Drops(); got[gateway.BadChecksum] != 1 || got[gateway.Martian] != 2 {
		t.Errorf("dropped: %v", got)
	}
}

// TestICMPMisdirected drops errors that are not for the sender of what they
// quote, and that come when the connection is forgotten.
func TestICMPMisdirected(t *testing.T) {
	l := newLab(t, nat(gateway.NAT{Addresses: []netip.Addr{netip.MustParseAddr("218.63.1.4"), netip.MustParseAddr("218.63.1.5")}}))
	seen := l.connect(neighbor, server)
	p := errorAbout(t, "218.63.1.100", seen, server, packet.HostUnreachable)
	p.Data[19] ^= 1 // the other address of the pool
	reseal(p)
	l.send(outside, p)
	l.want(l.left(), "")
	l.send(outside, errorAbout(t, "218.63.1.100", seen, server, packet.HostUnreachable))
	l.want(l.left(), "in: 218.63.1.100 > 192.168.1.3 ICMP host unreachable about "+neighbor+" > "+server)
	l.pass(3 * time.Hour)
	l.send(outside, errorAbout(t, "218.63.1.100", seen, server, packet.HostUnreachable))
	l.want(l.left(), "")
}

// TestICMPThroughRouter passes errors on, and asks the filter about them.
func TestICMPThroughRouter(t *testing.T) {
	const about = "out: 192.168.1.2 > 218.63.1.200 ICMP port unreachable about " + stranger + " > " + client
	router := newLab(t, gateway.Options{})
	router.send(inside, errorAbout(t, "192.168.1.2", stranger, client, packet.PortUnreachable))
	router.want(router.left(), about)

	related := gateway.Options{Filter: &gateway.Filter{Default: gateway.Drop, Rules: []gateway.Rule{
		{State: gateway.StateNew, In: "outside"}, {State: gateway.StateRelated}}}}
	firewall := newLab(t, related)
	firewall.send(inside, errorAbout(t, "192.168.1.2", stranger, client, packet.PortUnreachable))
	firewall.want(firewall.left(), "") // nothing is known of that
	firewall.tcp(outside, stranger, client, syn)
	firewall.send(inside, errorAbout(t, "192.168.1.2", stranger, client, packet.PortUnreachable))
	firewall.want(firewall.left(), about)
}
