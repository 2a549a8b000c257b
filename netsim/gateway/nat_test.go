package gateway_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

const (
	syn    = packet.SYN
	ack    = packet.ACK
	synAck = packet.SYN | packet.ACK
	rst    = packet.RST
	finAck = packet.FIN | packet.ACK
)

// TestTranslation follows a connection in both families through its handshake.
func TestTranslation(t *testing.T) {
	for _, test := range []struct{ client, server, seen string }{
		{client, server, "218.63.1.5:40001"},
		{client6, server6, "[2001:db8:63::5]:40001"},
	} {
		t.Run(test.client, func(t *testing.T) {
			l := newLab(t, nat(gateway.NAT{}))
			l.want(l.tcp(inside, test.client, test.server, syn), "out: "+test.seen+" > "+test.server+" SYN")
			l.want(l.tcp(outside, test.server, test.seen, synAck), "in: "+test.server+" > "+test.client+" SYN ACK")
			l.want(l.tcp(inside, test.client, test.server, ack), "out: "+test.seen+" > "+test.server+" ACK")
			l.want(l.tcp(outside, test.server, test.seen, ack), "in: "+test.server+" > "+test.client+" ACK")
		})
	}
}

// TestMapping connects three times from one port (RFC 4787 section 4.1).
func TestMapping(t *testing.T) {
	for _, test := range []struct {
		mapping                gateway.Behaviour
		otherPort, otherServer bool // get the same outside port
	}{
		{gateway.EndpointIndependent, true, true},
		{gateway.AddressDependent, true, false},
		{gateway.AddressAndPortDependent, false, false},
	} {
		for _, ports := range []gateway.PortPolicy{gateway.Preserve, gateway.Random, gateway.Sequential} {
			t.Run(test.mapping.String()+" "+ports.String(), func(t *testing.T) {
				l := newLab(t, nat(gateway.NAT{Mapping: test.mapping, Ports: ports}))
				first := l.seen(client, server)
				if got := l.seen(client, "218.63.1.100:2121") == first; got != test.otherPort {
					t.Errorf("another port of the server is shown the same port: %v", got)
				}
				if got := l.seen(client, stranger) == first; got != test.otherServer {
					t.Errorf("another server is shown the same port: %v", got)
				}
				if again := l.seen(client, server); again != first {
					t.Errorf("the repeated SYN shows %v, not %v", again, first)
				}
			})
		}
	}
}

// TestFiltering lets three strangers to a mapping in, or not (RFC 4787 section
// 5), whatever the mapping is.
func TestFiltering(t *testing.T) {
	for _, test := range []struct {
		filtering              gateway.Behaviour
		otherPort, otherServer bool // get in
	}{
		{gateway.EndpointIndependent, true, true},
		{gateway.AddressDependent, true, false},
		{gateway.AddressAndPortDependent, false, false},
	} {
		for _, mapping := range []gateway.Behaviour{gateway.EndpointIndependent, gateway.AddressDependent, gateway.AddressAndPortDependent} {
			t.Run(fmt.Sprintf("%v, mapping %v", test.filtering, mapping), func(t *testing.T) {
				l := newLab(t, nat(gateway.NAT{Mapping: mapping, Filtering: test.filtering}))
				seen := l.connect(client, server)
				for from, in := range map[string]bool{"218.63.1.100:20": test.otherPort, "218.63.1.200:20": test.otherServer} {
					want := ""
					if in {
						want = "in: " + from + " > " + client + " SYN"
					}
					l.want(l.tcp(outside, from, seen, syn), want)
				}
			})
		}
	}
}

// TestFilteringForgets lets nobody in any more whose connection has expired,
// and keeps the others apart from it.
func TestFilteringForgets(t *testing.T) {
	for _, swept := range []bool{false, true} {
		l := newLab(t, nat(gateway.NAT{Filtering: gateway.AddressDependent, Timeouts: gateway.Timeouts{Close: 10 * time.Second}}))
		for i := range 4 {
			l.connect(client, fmt.Sprintf("218.63.1.10%d:21", i))
		}
		l.tcp(inside, client, "218.63.1.101:21", rst)
		l.pass(10 * time.Second)
		if swept {
			l.g.Table()
		}
		for i := range 4 {
			from, want := fmt.Sprintf("218.63.1.10%d:20", i), ""
			if i != 1 {
				want = "in: " + from + " > " + client + " SYN"
			}
			l.want(l.tcp(outside, from, "218.63.1.5:40001", syn), want)
		}
		l.pass(3 * time.Hour)
		l.want(l.g.Table().String(), "")
	}
}

func TestPortPolicies(t *testing.T) {
	third := "192.168.1.4:40001"
	for _, test := range []struct {
		name  string
		nat   gateway.NAT
		from  []string
		ports []string // exact, or "low", "high", "other"
	}{
		{"kept", gateway.NAT{}, []string{client}, []string{"40001"}},
		{"taken", gateway.NAT{}, []string{client, neighbor}, []string{"40001", "high"}},
		{"low stays low", gateway.NAT{}, []string{"192.168.1.2:20"}, []string{"20"}},
		{"low and taken", gateway.NAT{}, []string{"192.168.1.2:20", "192.168.1.3:20"}, []string{"20", "low"}},
		{"range is for others", gateway.NAT{PortRange: gateway.PortRange{First: 50000, Last: 50000}},
			[]string{client, neighbor, third}, []string{"40001", "50000", "none"}},
		{"sequential", gateway.NAT{Ports: gateway.Sequential, PortRange: gateway.PortRange{First: 50000, Last: 50001}},
			[]string{client, neighbor, third}, []string{"50000", "50001", "none"}},
		{"random", gateway.NAT{Ports: gateway.Random}, []string{client, "192.168.1.2:20"}, []string{"high", "high"}},
		{"forwarded ports are not taken", gateway.NAT{Forwards: []gateway.Forward{
			{Ports: gateway.PortRange{First: 40001, Last: 40001}, To: netip.MustParseAddr("192.168.1.9")}}},
			[]string{client}, []string{"high"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, nat(test.nat))
			given := map[uint16]bool{}
			for i, from := range test.from {
				seen := l.seen(from, server)
				port := seen.Port()
				ok := false
				switch test.ports[i] {
				case "none":
					ok = !seen.IsValid()
				case "low":
					ok = port > 0 && port < 1024
				case "high":
					ok = port >= 1024 && port != ep(from).Port()
				default:
					ok = fmt.Sprint(port) == test.ports[i]
				}
				if !ok || given[port] {
					t.Errorf("%s gets %v, wanted %s", from, seen, test.ports[i])
				}
				given[port] = true
			}
		})
	}
}

// TestOverload shares an outside port as Linux does: not towards one server.
func TestOverload(t *testing.T) {
	for _, mapping := range []gateway.Behaviour{gateway.EndpointIndependent, gateway.AddressAndPortDependent} {
		t.Run(mapping.String(), func(t *testing.T) {
			l := newLab(t, nat(gateway.NAT{Overload: true, Mapping: mapping, Filtering: gateway.AddressAndPortDependent}))
			first, other, same := l.seen(client, server), l.seen(neighbor, stranger), l.seen(neighbor, server)
			if first != other || first == same || !same.IsValid() {
				t.Errorf("%v, then %v to another server, and %v to the same one", first, other, same)
			}
			l.want(l.tcp(outside, server, first.String(), synAck), "in: "+server+" > "+client+" SYN ACK")
			l.want(l.tcp(outside, stranger, other.String(), synAck), "in: "+stranger+" > "+neighbor+" SYN ACK")
			l.want(l.tcp(outside, server, same.String(), synAck), "in: "+server+" > "+neighbor+" SYN ACK")
		})
	}
}

func TestPooling(t *testing.T) {
	pool := []netip.Addr{netip.MustParseAddr("218.63.1.6"), netip.MustParseAddr("218.63.1.7")}
	for _, test := range []struct {
		pooling gateway.Pooling
		one     bool // address for an inside host
	}{{gateway.Paired, true}, {gateway.Arbitrary, false}} {
		t.Run(test.pooling.String(), func(t *testing.T) {
			l := newLab(t, nat(gateway.NAT{Addresses: pool, Pooling: test.pooling}))
			addrs := map[netip.Addr]bool{}
			for i := range 6 {
				addrs[l.seen(fmt.Sprintf("192.168.1.2:%d", 40000+i), server).Addr()] = true
			}
			if (len(addrs) == 1) != test.one || addrs[netip.MustParseAddr("218.63.1.5")] {
				t.Errorf("it was seen as %v", addrs)
			}
			if test.one && addrs[l.seen(neighbor, server).Addr()] {
				t.Errorf("its neighbour has the same address, though there are two")
			}
		})
	}
}

// TestPoolWithoutFamily routes IPv6 where only IPv4 is translated.
func TestPoolWithoutFamily(t *testing.T) {
	l := newLab(t, nat(gateway.NAT{Addresses: []netip.Addr{netip.MustParseAddr("218.63.1.5")}}))
	l.want(l.tcp(inside, client6, server6, syn), "out: "+client6+" > "+server6+" SYN")
	l.want(l.tcp(outside, server6, client6, synAck), "in: "+server6+" > "+client6+" SYN ACK")
}

// TestHairpin connects inside hosts by their outside endpoints (RFC 5382
// REQ-8).
func TestHairpin(t *testing.T) {
	forward := []gateway.Forward{{Ports: gateway.PortRange{First: 21, Last: 21}, To: ep(neighbor).Addr()}}
	for _, test := range []struct {
		hairpin      gateway.Hairpin
		mapped, port string // who comes to the neighbour
	}{
		{gateway.HairpinOn, "in: 218.63.1.5:40000 > 192.168.1.3:40001 SYN", "in: 218.63.1.5:40000 > 192.168.1.3:21 SYN"},
		{gateway.HairpinInternalSource, "in: 192.168.1.2:40000 > 192.168.1.3:40001 SYN", "in: 192.168.1.2:40000 > 192.168.1.3:21 SYN"},
		{gateway.HairpinOff, "", ""},
	} {
		t.Run(test.hairpin.String(), func(t *testing.T) {
			l := newLab(t, nat(gateway.NAT{Hairpin: test.hairpin, Forwards: forward}))
			mapped := l.connect(neighbor, server)
			l.want(l.tcp(inside, "192.168.1.2:40000", mapped, syn), test.mapped)
			l.want(l.tcp(inside, "192.168.1.2:40000", "218.63.1.5:21", syn), test.port)
			if test.hairpin == gateway.HairpinOn {
				l.want(l.tcp(inside, "192.168.1.3:21", "218.63.1.5:40000", synAck), "in: 218.63.1.5:21 > 192.168.1.2:40000 SYN ACK")
				l.want(l.tcp(inside, "192.168.1.2:40000", "218.63.1.5:21", ack), "in: 218.63.1.5:40000 > 192.168.1.3:21 ACK")
			}
		})
	}
}

// TestHairpinToItself is refused: the answers could not be told from the
// questions.
func TestHairpinToItself(t *testing.T) {
	l := newLab(t, nat(gateway.NAT{}))
	seen := l.connect(client, server)
	l.want(l.tcp(inside, client, seen, syn), "")
	if got := l.g.Drops(); got[gateway.Ambiguous] != 1 {
		t.Errorf("dropped: %v", got)
	}
}

func TestForwards(t *testing.T) {
	l := newLab(t, nat(gateway.NAT{Forwards: []gateway.Forward{
		{Ports: gateway.PortRange{First: 21, Last: 21}, To: netip.MustParseAddr("192.168.1.2"), Port: 2121},
		{Ports: gateway.PortRange{First: 50000, Last: 50009}, To: netip.MustParseAddr("192.168.1.3"), Port: 60000},
		{Ports: gateway.PortRange{First: 22, Last: 22}, To: netip.MustParseAddr("192.168.1.3"), Addr: netip.MustParseAddr("218.63.1.6")},
		{Ports: gateway.PortRange{First: 21, Last: 21}, To: netip.MustParseAddr("fd00:1::2")},
	}}))
	for _, test := range []struct{ to, at string }{
		{"218.63.1.5:21", "192.168.1.2:2121"},
		{"218.63.1.5:50003", "192.168.1.3:60003"},
		{"218.63.1.6:22", "192.168.1.3:22"},
	} {
		l.want(l.tcp(outside, stranger, test.to, syn), "in: "+stranger+" > "+test.at+" SYN")
		l.want(l.tcp(inside, test.at, stranger, synAck), "out: "+test.to+" > "+stranger+" SYN ACK")
	}
	l.want(l.tcp(outside, server6, "[2001:db8:63::5]:21", syn), "in: "+server6+" > [fd00:1::2]:21 SYN")
	l.want(l.tcp(outside, stranger, "218.63.1.5:22", syn), "") // the forward is of another address
	// What the server itself begins shows the forwarded port.
	l.want(l.tcp(inside, "192.168.1.3:60003", server, syn), "out: 218.63.1.5:50003 > "+server+" SYN")
	// A connection that the gateway has forgotten goes on.
	l.want(l.tcp(outside, server, "218.63.1.5:21", ack), "in: "+server+" > 192.168.1.2:2121 ACK")
	// From inside, port 21 of the gateway's inside address is not forwarded.
	l.want(l.tcp(inside, client, "192.168.1.1:21", syn), "in: 192.168.1.1:21 > "+client+" RST ACK")
}

func TestSimultaneousOpen(t *testing.T) {
	l := newLab(t, nat(gateway.NAT{Filtering: gateway.AddressAndPortDependent}))
	seen := l.seen(client, server).String()
	l.want(l.tcp(outside, server, seen, syn), "in: "+server+" > "+client+" SYN")
	l.want(l.tcp(inside, client, server, synAck), "out: "+seen+" > "+server+" SYN ACK")
	l.want(l.tcp(outside, server, seen, synAck), "in: "+server+" > "+client+" SYN ACK")
	if c := l.g.Table().Connections; len(c) != 1 || c[0].Phase != gateway.PhaseEstablished {
		t.Errorf("got %v", c)
	}
}

// TestUntranslatable drops what has no ports to translate, and what comes from
// outside to an inside address.
func TestUntranslatable(t *testing.T) {
	l := newLab(t, nat(gateway.NAT{}))
	p := packet.TCP(packet.Segment{Src: ep(client), Dst: ep(server), Flags: syn})
	p.Data[9] = 17
	reseal(p)
	l.send(inside, p)
	l.want(l.left(), "")
	l.want(l.tcp(outside, stranger, client, syn), "")
	l.want(l.tcp(outside, stranger, "192.168.1.1:22", syn), "")
	if got := l.g.Drops(); got[gateway.Protocol] != 1 || got[gateway.Unsolicited] != 2 {
		t.Errorf("dropped: %v", got)
	}
}
