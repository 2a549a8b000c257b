package gateway_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// faultTest is something that one fault changes.
type faultTest struct {
	options gateway.Options // without a NAT, the default one
	probe   func(l *lab) string
	// good is what is observed without the fault, bad with it.
	good, bad string
}

var faultTests = map[string]faultTest{
	"MapsPerDestination": {
		probe: func(l *lab) string { return fmt.Sprint(l.seen(client, server) == l.seen(client, stranger)) },
		good:  "true", bad: "false",
	},
	"OverloadsPorts": {
		probe: func(l *lab) string {
			seen := l.seen(client, server)
			other := l.seen(neighbor, server)
			return fmt.Sprint(seen == other, " ", l.tcp(outside, server, seen.String(), synAck))
		},
		good: "false in: " + server + " > " + client + " SYN ACK",
		bad:  "true in: " + server + " > " + neighbor + " SYN ACK",
	},
	"LosesLowPorts": {
		probe: func(l *lab) string { return fmt.Sprint(l.seen("192.168.1.2:20", server).Port() < 1024) },
		good:  "true", bad: "false",
	},
	"ArbitraryPool": {
		options: nat(gateway.NAT{Addresses: []netip.Addr{netip.MustParseAddr("218.63.1.6"), netip.MustParseAddr("218.63.1.7")}}),
		probe: func(l *lab) string {
			return fmt.Sprint(l.seen(client, server).Addr() == l.seen("192.168.1.2:40002", server).Addr())
		},
		good: "true", bad: "false",
	},
	"LeaksInside": {
		probe: func(l *lab) string { return l.tcp(inside, client, server, ack) },
		good:  "out: 218.63.1.5:40001 > " + server + " ACK",
		bad:   "out: " + client + " > " + server + " ACK",
	},
	"FiltersByPort": {
		probe: func(l *lab) string { return l.tcp(outside, "218.63.1.100:20", l.connect(client, server), syn) },
		good:  "in: 218.63.1.100:20 > " + client + " SYN",
	},
	"ResetsUnsolicited": {
		probe: func(l *lab) string { return l.tcp(outside, server, "218.63.1.5:1025", syn) },
		bad:   "out: 218.63.1.5:1025 > " + server + " RST ACK",
	},
	"DropsSimultaneousOpen": {
		probe: func(l *lab) string { return l.tcp(outside, server, l.seen(client, server).String(), syn) },
		good:  "in: " + server + " > " + client + " SYN",
	},
	"NoHairpin": {
		probe: func(l *lab) string { return l.tcp(inside, "192.168.1.3:7", l.connect(client, server), syn) },
		good:  "in: 218.63.1.5:7 > " + client + " SYN",
	},
	"HairpinKeepsInsideSource": {
		probe: func(l *lab) string { return l.tcp(inside, "192.168.1.3:7", l.connect(client, server), syn) },
		good:  "in: 218.63.1.5:7 > " + client + " SYN",
		bad:   "in: 192.168.1.3:7 > " + client + " SYN",
	},
	"ShortTimeout": {
		probe: func(l *lab) string {
			seen := l.connect(client, server)
			l.pass(time.Minute)
			return l.tcp(outside, server, seen, ack)
		},
		good: "in: " + server + " > " + client + " ACK",
	},
	"ShortTransitory": {
		probe: func(l *lab) string {
			seen := l.seen(client, server)
			l.pass(10 * time.Second)
			return l.tcp(outside, server, seen.String(), synAck)
		},
		good: "in: " + server + " > " + client + " SYN ACK",
	},
	"ForgetsHalfClosed": {
		probe: func(l *lab) string {
			seen := l.connect(client, server)
			fin := l.tcp(inside, client, server, finAck)
			return fin + "\n" + l.tcp(outside, server, seen, ack)
		},
		good: "out: 218.63.1.5:40001 > " + server + " FIN ACK\nin: " + server + " > " + client + " ACK",
		bad:  "out: 218.63.1.5:40001 > " + server + " FIN ACK\n",
	},
	"ICMPKillsMapping": {
		probe: func(l *lab) string {
			seen := l.connect(client, server)
			l.send(outside, errorAbout(l.t, "218.63.1.100", seen, server, packet.HostUnreachable))
			return l.left() + "\n" + l.tcp(outside, server, seen, ack)
		},
		good: "in: 218.63.1.100 > 192.168.1.2 ICMP host unreachable about " + client + " > " + server + "\nin: " + server + " > " + client + " ACK",
		bad:  "in: 218.63.1.100 > 192.168.1.2 ICMP host unreachable about " + client + " > " + server + "\n",
	},
	"ICMPUntranslated": {
		probe: icmp,
		good:  "in: 218.63.1.100 > 192.168.1.2 ICMP host unreachable about " + client + " > " + server,
		bad:   "in: 218.63.1.100 > 192.168.1.2 ICMP host unreachable about 218.63.1.5:40001 > " + server,
	},
	"ICMPDropped": {
		probe: icmp,
		good:  "in: 218.63.1.100 > 192.168.1.2 ICMP host unreachable about " + client + " > " + server,
	},
	"SilentTooBig": {
		probe: func(l *lab) string {
			l.connect(client, server)
			l.send(inside, packet.TCP(packet.Segment{Src: ep(client), Dst: ep(server), Flags: ack, Payload: make([]byte, 1461)}))
			return l.left()
		},
		good: "in: 192.168.1.1 > 192.168.1.2 ICMP packet too big about " + client + " > " + server,
	},
	"RewritesPayload": {
		probe: func(l *lab) string {
			l.connect(client, server)
			p := packet.TCP(packet.Segment{Src: ep(client), Dst: ep(server), Flags: ack, Payload: []byte("\xc0\xa8\x01\x02.\xc0\xa8\x01\x02")})
			l.send(inside, p)
			v, err := p.Parse()
			return fmt.Sprintf("%x %v", p.Payload(&v), err)
		},
		good: "c0a801022ec0a80102 <nil>", bad: "da3f01052eda3f0105 <nil>",
	},
	"DropsFragments": {
		probe: func(l *lab) string {
			p := packet.TCP(packet.Segment{Src: ep(client), Dst: ep(server), Flags: ack, Payload: make([]byte, 1000)})
			p.Data[6] &^= 0x40
			reseal(p)
			v, err := p.Parse()
			if err != nil {
				l.t.Fatal(err)
			}
			for _, f := range packet.Fragment(p, &v, 600) {
				l.send(inside, f)
			}
			return l.left()
		},
		good: "out: 218.63.1.5:40001 > " + server + " ACK",
	},
	"BadChecksum": {
		probe: func(l *lab) string {
			l.send(inside, packet.TCP(packet.Segment{Src: ep(client), Dst: ep(server), Flags: syn}))
			p := l.ends[outside].got[0]
			v, err := p.Parse()
			return fmt.Sprint(p.ChecksumOK(&v), err)
		},
		good: "true <nil>", bad: "false <nil>",
	},
}

func icmp(l *lab) string {
	seen := l.connect(client, server)
	l.send(outside, errorAbout(l.t, "218.63.1.100", seen, server, packet.HostUnreachable))
	return l.left()
}

// TestFaults shows that every fault does what it says, and that without it the
// gateway is right.
func TestFaults(t *testing.T) {
	for _, info := range gateway.FaultNames() {
		test, ok := faultTests[info.Name]
		if !ok {
			t.Errorf("%s is not tested", info.Name)
			continue
		}
		for want, faulty := range map[string]bool{test.good: false, test.bad: true} {
			t.Run(fmt.Sprintf("%s %v", info.Name, faulty), func(t *testing.T) {
				o := test.options
				if o.NAT == nil {
					o.NAT = &gateway.NAT{}
				}
				if faulty {
					if err := o.Faults.Set(strings.ToLower(info.Name)); err != nil {
						t.Fatal(err)
					}
				}
				l := newLab(t, o)
				l.damaged = o.Faults.BadChecksum
				l.want(test.probe(l), want)
			})
		}
	}
}

// TestOverloadedPort lets the connection that has lost its answers end; that of
// the other goes on.
func TestOverloadedPort(t *testing.T) {
	l := newLab(t, gateway.Options{NAT: &gateway.NAT{Timeouts: gateway.Timeouts{Close: time.Second}}, Faults: gateway.Faults{OverloadsPorts: true}})
	seen := l.connect(client, server)
	l.connect(neighbor, server)
	l.tcp(inside, client, server, rst)
	l.pass(time.Second)
	if n := len(l.g.Table().Connections); n != 1 {
		t.Errorf("%d connections", n)
	}
	l.want(l.tcp(outside, server, seen, ack), "in: "+server+" > "+neighbor+" ACK")
}

func TestFaultNames(t *testing.T) {
	for _, info := range gateway.FaultNames() {
		if !strings.HasPrefix(info.Doc, info.Name+" ") || !strings.HasSuffix(info.Doc, ".") {
			t.Errorf("the comment on %s is %q", info.Name, info.Doc)
		}
	}
	var f gateway.Faults
	if err := f.Set("hairpin"); err == nil || err.Error() != `unknown fault "hairpin"; did you mean HairpinKeepsInsideSource, NoHairpin?` {
		t.Errorf("got %v", err)
	}
	if f.Names() != nil {
		t.Errorf("it has %q", f.Names())
	}
	if err := f.Set("nohairpin"); err != nil || fmt.Sprint(f.Names()) != "[NoHairpin]" {
		t.Errorf("it has %q, %v", f.Names(), err)
	}
}

// TestFaultsLeaveOptionsAlone uses one NAT for two gateways.
func TestFaultsLeaveOptionsAlone(t *testing.T) {
	shared := gateway.NAT{}
	o := gateway.Options{NAT: &shared, Filter: &gateway.Filter{}, Faults: gateway.Faults{MapsPerDestination: true, ShortTimeout: true}}
	newLab(t, o)
	if shared.Mapping != gateway.EndpointIndependent || shared.Timeouts != (gateway.Timeouts{}) || o.Filter.Timeouts != (gateway.Timeouts{}) {
		t.Errorf("got %+v, %+v", shared, o.Filter)
	}
}

// TestShortTimeoutOfFirewall has no NAT.
func TestShortTimeoutOfFirewall(t *testing.T) {
	o := firewall()
	o.Faults.ShortTimeout = true
	l := newLab(t, o)
	l.connect(client, server)
	l.pass(time.Minute)
	l.want(l.tcp(outside, server, client, ack), "")
}
