package gateway_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// script is a helper that does what a test tells it to, within Inspect.
type script struct {
	conns []gateway.Connection
	do    func(c gateway.Connection, p *packet.Packet, v *packet.View, from gateway.Side) bool
}

// Attach implements gateway.Helper. It looks into connections with port 21 of
// the server.
func (s *script) Attach(c gateway.Connection) gateway.Inspector {
	if c.Real(gateway.Server).Port() != 21 {
		return nil
	}
	s.conns = append(s.conns, c)
	return scripted{s, c}
}

type scripted struct {
	*script
	c gateway.Connection
}

func (s scripted) Inspect(p *packet.Packet, v *packet.View, from gateway.Side) bool {
	return s.do == nil || s.do(s.c, p, v, from)
}

// control is a lab with a control connection, in which src announces.
type control struct {
	*lab
	script   *script
	src, dst string
}

func newControl(t *testing.T, o gateway.Options) *control {
	t.Helper()
	s := &script{}
	o.Helper = s
	c := &control{newLab(t, o), s, client, server}
	c.connect(client, server)
	return c
}

// expect lets the control connection announce something.
func (c *control) expect(e gateway.Expectation) (netip.AddrPort, error) {
	c.t.Helper()
	var got netip.AddrPort
	err := errors.New("nobody looked")
	c.script.do = func(conn gateway.Connection, _ *packet.Packet, _ *packet.View, _ gateway.Side) bool {
		got, err = conn.Expect(e)
		return true
	}
	c.tcp(inside, c.src, c.dst, ack)
	c.script.do = nil
	return got, err
}

// mustExpect is expect where nothing may go wrong.
func (c *control) mustExpect(e gateway.Expectation) string {
	c.t.Helper()
	got, err := c.expect(e)
	if err != nil {
		c.t.Fatal(err)
	}
	return got.String()
}

var serverAddr = netip.MustParseAddr("218.63.1.100")

const data = "192.168.1.2:1025"

// TestExpected lets the server connect to the client, once (kernel-alg A.14,
// A.16).
func TestExpected(t *testing.T) {
	for _, o := range []gateway.Options{nat(gateway.NAT{}), gateway.Linux()} {
		c := newControl(t, o)
		at := c.mustExpect(gateway.Expectation{By: gateway.Client, To: ep(data), From: serverAddr, Uses: 1, Max: 1})
		if at != "218.63.1.5:1025" {
			t.Fatalf("it is announced as %s", at)
		}
		c.told()
		c.tcp(outside, "218.63.1.200:20", at, syn) // not he
		c.want(c.tcp(outside, "218.63.1.100:1234", at, syn), "in: 218.63.1.100:1234 > "+data+" SYN")
		c.want(c.tcp(outside, "218.63.1.100:1234", at, syn), "in: 218.63.1.100:1234 > "+data+" SYN") // again
		c.want(c.tcp(inside, data, "218.63.1.100:1234", synAck), "out: "+at+" > 218.63.1.100:1234 SYN ACK")
		if got := c.tcp(outside, "218.63.1.100:1235", at, syn); strings.Contains(got, "in:") {
			t.Errorf("a second one got in: %s", got)
		}
		if used := c.told(gateway.ExpectationUsed); len(used) != 1 {
			t.Errorf("told: %q", used)
		}
	}
}

func TestExpectedInIPv6(t *testing.T) {
	for name, o := range map[string]gateway.Options{"NAT": nat(gateway.NAT{}), "firewall": firewall()} {
		t.Run(name, func(t *testing.T) {
			s := &script{}
			o.Helper = s
			c := &control{newLab(t, o), s, client6, server6}
			c.connect(client6, server6)
			at := c.mustExpect(gateway.Expectation{By: gateway.Client, To: ep("[fd00:1::2]:1025"), Uses: 1})
			want := map[string]string{"NAT": "[2001:db8:63::5]:1025", "firewall": "[fd00:1::2]:1025"}[name]
			if at != want {
				t.Errorf("it is announced as %s, not %s", at, want)
			}
			c.want(c.tcp(outside, "[2001:db8:63::100]:20", at, syn), "in: [2001:db8:63::100]:20 > [fd00:1::2]:1025 SYN")
		})
	}
}

// TestExpectedThroughFilter opens a firewall on either side of which the one is
// who has announced.
func TestExpectedThroughFilter(t *testing.T) {
	t.Run("client announces", func(t *testing.T) {
		c := newControl(t, firewall())
		at := c.mustExpect(gateway.Expectation{By: gateway.Client, To: ep(data), From: serverAddr, Uses: 1})
		c.want(at, data)
		c.want(c.tcp(outside, "218.63.1.200:20", at, syn), "")
		c.want(c.tcp(outside, "218.63.1.100:20", at, syn), "in: 218.63.1.100:20 > "+data+" SYN")
		c.want(c.tcp(outside, "218.63.1.100:21", at, syn), "")
	})
	t.Run("server announces", func(t *testing.T) {
		o := gateway.Options{Filter: &gateway.Filter{Default: gateway.RejectPort, Rules: []gateway.Rule{
			{State: gateway.StateEstablished | gateway.StateRelated},
			{In: "inside", State: gateway.StateNew, Ports: gateway.PortRange{First: 21, Last: 21}}}}}
		for _, withNAT := range []bool{false, true} {
			if withNAT {
				o.NAT = &gateway.NAT{}
			}
			c := newControl(t, o)
			if got := c.tcp(inside, data, "218.63.1.100:50000", syn); !strings.Contains(got, "ICMP") {
				t.Errorf("the filter is open: %s", got)
			}
			at := c.mustExpect(gateway.Expectation{By: gateway.Server, To: ep("218.63.1.100:50000"), From: ep(client).Addr(), Uses: 1})
			c.want(at, "218.63.1.100:50000")
			c.want(c.tcp(inside, neighbor, at, syn), "in: 192.168.1.1 > 192.168.1.3 ICMP port unreachable about "+neighbor+" > "+at)
			want := "out: " + data + " > " + at + " SYN"
			if withNAT {
				want = "out: 218.63.1.5:1025 > " + at + " SYN"
			}
			c.want(c.tcp(inside, data, at, syn), want)
		}
	})
}

// TestServerInside announces what a server behind the NAT says in 227.
func TestServerInside(t *testing.T) {
	s := &script{}
	o := nat(gateway.NAT{Forwards: []gateway.Forward{{Ports: gateway.PortRange{First: 21, Last: 21}, To: ep(client).Addr()}}})
	o.Helper = s
	c := &control{newLab(t, o), s, "192.168.1.2:21", stranger}
	c.tcp(outside, stranger, "218.63.1.5:21", syn)
	c.tcp(inside, c.src, c.dst, synAck)
	at := c.mustExpect(gateway.Expectation{By: gateway.Server, To: ep("192.168.1.2:50000"), From: ep(stranger).Addr(), Uses: 1})
	c.want(at, "218.63.1.5:50000")
	c.want(c.tcp(outside, "218.63.1.200:7", at, syn), "in: 218.63.1.200:7 > 192.168.1.2:50000 SYN")
	c.want(c.tcp(inside, "192.168.1.2:50000", "218.63.1.200:7", synAck), "out: "+at+" > 218.63.1.200:7 SYN ACK")
	// What it announces by its outside address leads to it as well.
	at = c.mustExpect(gateway.Expectation{By: gateway.Server, To: ep("218.63.1.5:50001"), Uses: 1})
	c.want(at, "218.63.1.5:50001")
	c.want(c.tcp(outside, "218.63.1.200:8", at, syn), "in: 218.63.1.200:8 > 192.168.1.2:50001 SYN")
	// An inside host comes by the outside address.
	at = c.mustExpect(gateway.Expectation{By: gateway.Server, To: ep("192.168.1.2:50002"), Uses: 1})
	c.want(c.tcp(inside, "192.168.1.3:9", at, syn), "in: 218.63.1.5:9 > 192.168.1.2:50002 SYN")
}

// TestExpectationLife ends an expectation by its time, by its successor, and
// with the entry of its control connection, but not with a FIN or RST of it
// (kernel-alg A.15, A.17).
func TestExpectationLife(t *testing.T) {
	life := gateway.Expectation{By: gateway.Client, To: ep(data), From: serverAddr, Life: 5 * time.Minute, Uses: 1, Max: 1}
	for _, test := range []struct {
		name    string
		between func(c *control)
		lives   bool
		told    gateway.Kind
	}{
		{"just before the end", func(c *control) { c.pass(5*time.Minute - 1) }, true, gateway.ExpectationUsed},
		{"its time is over", func(c *control) { c.pass(5 * time.Minute) }, false, gateway.ExpectationExpired},
		{"a FIN", func(c *control) { c.tcp(outside, server, "218.63.1.5:40001", finAck) }, true, gateway.ExpectationUsed},
		{"a RST", func(c *control) { c.tcp(outside, server, "218.63.1.5:40001", rst); c.pass(9 * time.Second) }, true, gateway.ExpectationUsed},
		{"the entry is forgotten", func(c *control) {
			c.tcp(outside, server, "218.63.1.5:40001", rst)
			c.pass(10 * time.Second)
		}, false, gateway.ExpectationExpired},
		{"the next one", func(c *control) {
			c.mustExpect(gateway.Expectation{By: gateway.Server, To: ep("218.63.1.100:50000"), Max: 1})
		}, false, gateway.ExpectationEvicted},
		{"the same again", func(c *control) { c.pass(4 * time.Minute); c.mustExpect(life); c.pass(4 * time.Minute) }, true, gateway.ExpectationUsed},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newControl(t, gateway.Linux())
			at := c.mustExpect(life)
			test.between(c)
			if got := strings.HasPrefix(c.tcp(outside, "218.63.1.100:20", at, syn), "in:"); got != test.lives {
				t.Errorf("the server gets in: %v", got)
			}
			if got := c.told(test.told); len(got) != 1 {
				t.Errorf("told: %q", got)
			}
		})
	}
}

// TestManyExpectations counts uses and expectations.
func TestManyExpectations(t *testing.T) {
	c := newControl(t, gateway.Linux())
	at := c.mustExpect(gateway.Expectation{By: gateway.Client, To: ep(data), Uses: 2, Max: 2})
	other := c.mustExpect(gateway.Expectation{By: gateway.Client, To: ep("192.168.1.2:1026"), Max: 2})
	for i, want := range []bool{true, true, false} {
		if got := strings.HasPrefix(c.tcp(outside, fmt.Sprintf("218.63.1.100:%d", 3000+i), at, syn), "in:"); got != want {
			t.Errorf("connection %d gets in: %v", i+1, got)
		}
	}
	for i := range 10 {
		if got := c.tcp(outside, fmt.Sprintf("218.63.1.200:%d", 3000+i), other, syn); !strings.HasPrefix(got, "in:") {
			t.Errorf("connection %d: %s", i+1, got)
		}
	}
}

// TestAnnouncedAgain counts two times the same announcement as one.
func TestAnnouncedAgain(t *testing.T) {
	c := newControl(t, gateway.Linux())
	e := gateway.Expectation{By: gateway.Client, To: ep(data), Uses: 1}
	at := c.mustExpect(e)
	c.want(c.mustExpect(e), at)
	for i, want := range []bool{true, false} {
		if got := strings.HasPrefix(c.tcp(outside, fmt.Sprintf("218.63.1.100:%d", 3000+i), at, syn), "in:"); got != want {
			t.Errorf("connection %d gets in: %v", i+1, got)
		}
	}
}

// TestExpiryIsToldOnce ends two expectations with their control connection.
func TestExpiryIsToldOnce(t *testing.T) {
	c := newControl(t, nat(gateway.NAT{}))
	for _, from := range []netip.Addr{serverAddr, ep(stranger).Addr()} {
		c.mustExpect(gateway.Expectation{By: gateway.Client, To: ep(data), From: from})
	}
	c.pass(3 * time.Hour)
	c.tcp(outside, "218.63.1.100:20", "218.63.1.5:1025", syn)
	if told := c.told(gateway.ConnectionExpired, gateway.ExpectationExpired); len(told) != 3 {
		t.Errorf("told: %q", told)
	}
}

// TestExpiredInTable looks at a table whose expectation is over.
func TestExpiredInTable(t *testing.T) {
	c := newControl(t, nat(gateway.NAT{}))
	c.mustExpect(gateway.Expectation{By: gateway.Client, To: ep(data), Life: time.Minute})
	c.pass(time.Minute)
	if table := c.g.Table(); len(table.Expectations) != 0 || len(table.Connections) != 1 {
		t.Errorf("got\n%v", table)
	}
}
