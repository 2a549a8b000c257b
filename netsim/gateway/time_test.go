package gateway_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// TestTimeouts lets connections of every phase live just as long as they may
// (RFC 5382 REQ-5).
func TestTimeouts(t *testing.T) {
	const second = time.Second
	linux := gateway.Linux()
	for _, test := range []struct {
		name    string
		options gateway.Options
		end     func(l *lab, seen string) // after the connection is established; nil before
		phase   gateway.Phase
		life    time.Duration
	}{
		{"opening", nat(gateway.NAT{}), nil, gateway.PhaseOpening, 4 * time.Minute},
		{"established", nat(gateway.NAT{}), func(*lab, string) {}, gateway.PhaseEstablished, 2*time.Hour + 4*time.Minute},
		{"half-closed", nat(gateway.NAT{}), func(l *lab, seen string) {
			l.tcp(outside, server, seen, finAck)
		}, gateway.PhaseHalfClosed, 2*time.Hour + 4*time.Minute},
		{"closing", nat(gateway.NAT{}), func(l *lab, seen string) {
			l.tcp(outside, server, seen, finAck)
			l.tcp(inside, client, server, finAck)
		}, gateway.PhaseClosing, 4 * time.Minute},
		{"reset", nat(gateway.NAT{}), func(l *lab, seen string) {
			l.tcp(outside, server, seen, rst)
		}, gateway.PhaseReset, 4 * time.Minute},
		{"Linux, opening", linux, nil, gateway.PhaseOpening, 120 * second},
		{"Linux, established", linux, func(*lab, string) {}, gateway.PhaseEstablished, 5 * 24 * time.Hour},
		{"Linux, reset", linux, func(l *lab, seen string) {
			l.tcp(inside, client, server, rst)
		}, gateway.PhaseReset, 10 * second},
		{"own", nat(gateway.NAT{Timeouts: gateway.Timeouts{Established: 5 * second}}), func(*lab, string) {},
			gateway.PhaseEstablished, 5 * second},
		{"filter", gateway.Options{Filter: &gateway.Filter{Timeouts: gateway.Timeouts{Transitory: 7 * second}}}, nil,
			gateway.PhaseOpening, 7 * second},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := test.options
			l := newLabWith(t, o, test.life+time.Hour)
			if test.end == nil {
				l.seen(client, server)
			} else {
				test.end(l, l.connect(client, server))
			}
			l.pass(test.life - time.Nanosecond)
			if c := l.g.Table().Connections; len(c) != 1 || c[0].Phase != test.phase {
				t.Fatalf("just before the end, wanted it to be %v:\n%v", test.phase, l.g.Table())
			}
			l.pass(time.Nanosecond)
			if table := l.g.Table(); len(table.Connections)+len(table.Mappings) != 0 {
				t.Errorf("after %v there is still\n%v", test.life, table)
			}
		})
	}
}

// TestTrafficKeepsAlive sends once in a while, in both directions.
func TestTrafficKeepsAlive(t *testing.T) {
	l := newLab(t, nat(gateway.NAT{}))
	seen := l.connect(client, server)
	for range 5 {
		l.pass(2 * time.Hour)
		l.want(l.tcp(outside, server, seen, ack), "in: "+server+" > "+client+" ACK")
		l.pass(2 * time.Hour)
		l.want(l.tcp(inside, client, server, ack), "out: "+seen+" > "+server+" ACK")
	}
}

// TestReset goes on with a connection after a RST, which may have been forged.
func TestReset(t *testing.T) {
	l := newLab(t, nat(gateway.NAT{}))
	seen := l.connect(client, server)
	l.tcp(outside, server, seen, rst)
	for range 3 {
		l.pass(3 * time.Minute)
		l.want(l.tcp(inside, client, server, ack), "out: "+seen+" > "+server+" ACK")
	}
	if c := l.g.Table().Connections; len(c) != 1 || c[0].Phase != gateway.PhaseReset {
		t.Errorf("got %v", c)
	}
}

// TestForgotten sends after the gateway has forgotten the connection.
func TestForgotten(t *testing.T) {
	for _, test := range []struct {
		name             string
		strict           bool
		unknown          gateway.Unknown
		inbound, outward string
	}{
		{"loose", false, gateway.UnknownHold, "", "out: 218.63.1.5:40001 > " + server + " ACK"},
		{"loose, resets", false, gateway.UnknownReset, "out: 218.63.1.5:40001 > " + server + " RST", "out: 218.63.1.5:40001 > " + server + " ACK"},
		{"strict", true, gateway.UnknownDrop, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, gateway.Options{NAT: &gateway.NAT{Strict: test.strict}, Unknown: test.unknown})
			seen := l.connect(client, server)
			l.pass(3 * time.Hour)
			l.want(l.tcp(outside, server, seen, ack), test.inbound)
			l.want(l.tcp(inside, client, server, packet.FIN|ack), "") // makes no connection
			l.want(l.tcp(inside, client, server, synAck), "")
			l.want(l.tcp(inside, client, server, ack), test.outward)
			if test.outward != "" {
				l.want(l.tcp(outside, server, seen, ack), "in: "+server+" > "+client+" ACK")
			}
		})
	}
}

// TestSameEndpointsAgain opens a connection again that has been closed, from
// either side, before it is forgotten. The strictest filter lets the server do
// it, which it does in active mode on the default data port.
func TestSameEndpointsAgain(t *testing.T) {
	for _, closing := range []struct {
		name string
		do   func(l *lab, seen string)
	}{
		{"closed", func(l *lab, seen string) {
			l.tcp(inside, client, server, finAck)
			l.tcp(outside, server, seen, finAck)
		}},
		{"reset", func(l *lab, seen string) { l.tcp(inside, client, server, rst) }},
	} {
		t.Run(closing.name, func(t *testing.T) {
			l := newLab(t, nat(gateway.NAT{Filtering: gateway.AddressAndPortDependent, MaxMappings: 1}))
			seen := l.connect(client, server)
			closing.do(l, seen)
			l.want(l.tcp(inside, client, server, syn), "out: "+seen+" > "+server+" SYN")
			l.tcp(outside, server, seen, synAck)
			closing.do(l, seen)
			l.want(l.tcp(outside, server, seen, syn), "in: "+server+" > "+client+" SYN")
			if c := l.g.Table().Connections; len(c) != 1 || c[0].Phase != gateway.PhaseOpening || c[0].Client.Real != ep(server) {
				t.Errorf("got %v", c)
			}
		})
	}
}

// TestHold keeps silent after an unsolicited SYN (RFC 5382 REQ-4).
func TestHold(t *testing.T) {
	const answer = "out: 218.63.1.5 > 218.63.1.100 ICMP port unreachable about " + server + " > 218.63.1.5:40001"
	t.Run("nobody", func(t *testing.T) {
		l := newLab(t, nat(gateway.NAT{}))
		l.want(l.tcp(outside, server, "218.63.1.5:40001", syn), "")
		l.pass(3 * time.Second)
		l.want(l.tcp(outside, server, "218.63.1.5:40001", syn), "") // once more
		l.pass(3*time.Second - time.Nanosecond)
		l.want(l.left(), "")
		l.pass(2 * time.Nanosecond)
		l.want(l.left(), answer)
		l.pass(time.Minute)
		l.want(l.left(), "")
		l.want(l.tcp(outside, server, "218.63.1.5:40001", syn), "")
		l.pass(time.Minute)
		l.want(l.left(), answer)
	})
	t.Run("meanwhile the client connects", func(t *testing.T) {
		l := newLab(t, nat(gateway.NAT{}))
		l.want(l.tcp(outside, server, "218.63.1.5:40001", syn), "")
		l.pass(time.Second)
		l.want(l.tcp(inside, client, server, syn), "out: 218.63.1.5:40001 > "+server+" SYN")
		l.pass(time.Minute)
		l.want(l.left(), "")
	})
	t.Run("a flood", func(t *testing.T) {
		l := newLab(t, nat(gateway.NAT{}))
		for i := range 5000 {
			l.tcp(outside, fmt.Sprintf("218.63.1.100:%d", 1024+i), "218.63.1.5:40001", syn)
		}
		l.pass(time.Minute)
		if n := len(l.ends[outside].got); n != 1024 {
			t.Errorf("%d answers", n)
		}
	})
}

func TestUnknown(t *testing.T) {
	const to = "218.63.1.5:1025"
	for _, test := range []struct {
		unknown gateway.Unknown
		flags   packet.Flags
		want    string
	}{
		{gateway.UnknownHold, ack, ""},
		{gateway.UnknownDrop, syn, ""},
		{gateway.UnknownReset, syn, "out: 218.63.1.5:1025 > " + server + " RST ACK"},
		{gateway.UnknownReset, ack, "out: 218.63.1.5:1025 > " + server + " RST"},
		{gateway.UnknownReset, rst, ""},
		{gateway.UnknownICMP, syn, "out: 218.63.1.5 > 218.63.1.100 ICMP port unreachable about " + server + " > " + to},
		{gateway.UnknownICMP, rst, ""},
	} {
		t.Run(fmt.Sprint(test.unknown, " ", test.flags), func(t *testing.T) {
			l := newLab(t, gateway.Options{Unknown: test.unknown, NAT: &gateway.NAT{}})
			l.want(l.tcp(outside, server, to, test.flags), test.want)
			if got := l.g.Drops(); got[gateway.Unexpected] != 1 {
				t.Errorf("dropped: %v", got)
			}
			// From inside, the gateway answers like any host.
			l.want(l.tcp(inside, client, "192.168.1.1:22", syn), "in: 192.168.1.1:22 > "+client+" RST ACK")
			l.want(l.tcp(inside, client, to, syn), "in: "+to+" > "+client+" RST ACK")
		})
	}
}
