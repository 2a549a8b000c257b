package gateway_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// firewall lets everything out, and in what belongs to it.
func firewall(rules ...gateway.Rule) gateway.Options {
	return gateway.Options{Filter: &gateway.Filter{Default: gateway.Drop, Rules: append([]gateway.Rule{
		{State: gateway.StateEstablished | gateway.StateRelated}, {In: "inside", State: gateway.StateNew}}, rules...)}}
}

func TestStatefulFilter(t *testing.T) {
	l := newLab(t, firewall())
	l.want(l.tcp(outside, server, client, syn), "")
	l.want(l.tcp(inside, client, server, syn), "out: "+client+" > "+server+" SYN")
	l.want(l.tcp(outside, server, client, synAck), "in: "+server+" > "+client+" SYN ACK")
	l.want(l.tcp(inside, client, server, ack), "out: "+client+" > "+server+" ACK")
	l.want(l.tcp(outside, "218.63.1.100:20", client, syn), "")
	l.want(l.tcp(outside, server6, client6, syn), "")
	if got := l.g.Drops(); got[gateway.Filtered] != 3 {
		t.Errorf("dropped: %v", got)
	}
	if c := l.g.Table().Connections; len(c) != 1 || c[0].Client.Real != c[0].Client.Seen {
		t.Errorf("what is dropped makes no connection, got %v", c)
	}
}

// TestActions asks for a connection that a rule is against.
func TestActions(t *testing.T) {
	for _, test := range []struct {
		action gateway.Action
		want   string
	}{
		{gateway.Accept, "in: " + server + " > " + client + " SYN"},
		{gateway.Drop, ""},
		{gateway.RejectReset, "out: " + client + " > " + server + " RST ACK"},
		{gateway.RejectNet, "out: 218.63.1.5 > 218.63.1.100 ICMP net unreachable about " + server + " > " + client},
		{gateway.RejectHost, "out: 218.63.1.5 > 218.63.1.100 ICMP host unreachable about " + server + " > " + client},
		{gateway.RejectPort, "out: 218.63.1.5 > 218.63.1.100 ICMP port unreachable about " + server + " > " + client},
		{gateway.RejectAdminProhibited, "out: 218.63.1.5 > 218.63.1.100 ICMP administratively prohibited about " + server + " > " + client},
	} {
		t.Run(test.action.String(), func(t *testing.T) {
			l := newLab(t, firewall(gateway.Rule{In: "outside", Action: test.action}))
			l.want(l.tcp(outside, server, client, syn), test.want)
			rejected := l.told(gateway.PacketRejected)
			if want := test.want != "" && test.action != gateway.Accept; (len(rejected) == 1) != want {
				t.Errorf("told: %q", rejected)
			}
		})
	}
}

// TestRules matches what every field of a rule says.
func TestRules(t *testing.T) {
	for _, test := range []struct {
		name     string
		rule     gateway.Rule
		src, dst string
		flags    packet.Flags
		matches  bool
	}{
		{"nothing", gateway.Rule{}, stranger, client, syn, true},
		{"in", gateway.Rule{In: "outside"}, stranger, client, syn, true},
		{"another in", gateway.Rule{In: "inside"}, stranger, client, syn, false},
		{"out", gateway.Rule{Out: "inside"}, stranger, client, syn, true},
		{"another out", gateway.Rule{Out: "outside"}, stranger, client, syn, false},
		{"source", gateway.Rule{Src: netip.MustParsePrefix("218.63.1.200/31")}, stranger, client, syn, true},
		{"another source", gateway.Rule{Src: netip.MustParsePrefix("218.63.1.100/32")}, stranger, client, syn, false},
		{"destination", gateway.Rule{Dst: netip.MustParsePrefix("192.168.1.77/24")}, stranger, client, syn, true},
		{"another destination", gateway.Rule{Dst: netip.MustParsePrefix("192.168.2.0/24")}, stranger, client, syn, false},
		{"another family", gateway.Rule{Dst: netip.MustParsePrefix("::/0")}, stranger, client, syn, false},
		{"first port", gateway.Rule{Ports: gateway.PortRange{First: 40001, Last: 40009}}, stranger, client, syn, true},
		{"other ports", gateway.Rule{Ports: gateway.PortRange{First: 40002, Last: 40009}}, stranger, client, syn, false},
		{"new", gateway.Rule{State: gateway.StateNew}, stranger, client, syn, true},
		{"new, picked up", gateway.Rule{State: gateway.StateNew}, stranger, client, ack, true},
		{"not new", gateway.Rule{State: gateway.StateEstablished | gateway.StateRelated | gateway.StateInvalid}, stranger, client, syn, false},
		{"invalid", gateway.Rule{State: gateway.StateInvalid}, stranger, client, synAck, true},
		{"not invalid", gateway.Rule{State: gateway.StateNew | gateway.StateEstablished}, stranger, client, rst, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, gateway.Options{Filter: &gateway.Filter{Rules: []gateway.Rule{test.rule}, Default: gateway.Drop}})
			if got := l.tcp(outside, test.src, test.dst, test.flags) != ""; got != test.matches {
				t.Errorf("it passes: %v", got)
			}
		})
	}
}

// TestFilterBehindNAT sees both ends as they are, not as they are translated.
func TestFilterBehindNAT(t *testing.T) {
	l := newLab(t, gateway.Options{
		NAT: &gateway.NAT{Forwards: []gateway.Forward{{Ports: gateway.PortRange{First: 21, Last: 21}, To: ep(client).Addr(), Port: 2121}}},
		Filter: &gateway.Filter{Default: gateway.Drop, Rules: []gateway.Rule{
			{State: gateway.StateEstablished, Src: netip.MustParsePrefix("192.168.1.2/32")},
			{State: gateway.StateNew, Dst: netip.MustParsePrefix("192.168.1.2/32"), Ports: gateway.PortRange{First: 2121, Last: 2121}},
		}}})
	l.want(l.tcp(outside, stranger, "218.63.1.5:21", syn), "in: "+stranger+" > 192.168.1.2:2121 SYN")
	l.want(l.tcp(inside, "192.168.1.2:2121", stranger, synAck), "out: 218.63.1.5:21 > "+stranger+" SYN ACK")
}

// TestStrictFilter takes no connection up that it has forgotten.
func TestStrictFilter(t *testing.T) {
	for _, strict := range []bool{false, true} {
		o := firewall()
		o.Filter.Strict = strict
		l := newLab(t, o)
		l.connect(client, server)
		l.pass(3 * time.Hour)
		if got := l.tcp(inside, client, server, ack) == ""; got != strict {
			t.Errorf("strict %v: dropped %v", strict, got)
		}
	}
}

// TestFilterLimit refuses connections beyond the limit, and takes them again
// when old ones have expired.
func TestFilterLimit(t *testing.T) {
	l := newLab(t, gateway.Options{Filter: &gateway.Filter{MaxConnections: 2}})
	for _, src := range []string{"192.168.1.2:1", "192.168.1.2:2"} {
		l.want(l.tcp(inside, src, server, syn), "out: "+src+" > "+server+" SYN")
	}
	l.want(l.tcp(inside, "192.168.1.2:3", server, syn), "")
	l.pass(4 * time.Minute)
	l.want(l.tcp(inside, "192.168.1.2:3", server, syn), "out: 192.168.1.2:3 > "+server+" SYN")
}

// TestOtherProtocols are new to a filter for ever, and pass a router.
func TestOtherProtocols(t *testing.T) {
	udp := func() *packet.Packet {
		p := packet.TCP(packet.Segment{Src: ep(client), Dst: ep(server)})
		p.Data[9] = 17
		reseal(p)
		return p
	}
	for _, test := range []struct {
		name   string
		o      gateway.Options
		passes bool
	}{
		{"router", gateway.Options{}, true},
		{"allowed", firewall(), true},
		{"ports are TCP's", gateway.Options{Filter: &gateway.Filter{Default: gateway.Drop,
			Rules: []gateway.Rule{{Ports: gateway.PortRange{First: 1, Last: 65535}}}}}, false},
	} {
		l := newLab(t, test.o)
		l.send(inside, udp())
		if got := l.left() != ""; got != test.passes {
			t.Errorf("%s: passes: %v", test.name, got)
		}
		l.send(inside, packet.Of(udp().Data))
	}
}
