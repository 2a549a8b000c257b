package gateway_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/gateway"
)

// TestExpectedBySelf connects an inside endpoint to itself by its announced
// one, which cannot be, and leaves nothing behind.
func TestExpectedBySelf(t *testing.T) {
	c := newControl(t, nat(gateway.NAT{}))
	at := c.mustExpect(gateway.Expectation{By: gateway.Client, To: ep(data), Uses: 1})
	c.want(c.tcp(inside, data, at, syn), "")
	if table := c.g.Table(); len(table.Mappings) != 1 || c.g.Drops()[gateway.Ambiguous] != 1 {
		t.Errorf("got\n%v, %v", table, c.g.Drops())
	}
}

// TestExpectedByNeighbor needs two mappings for one connection.
func TestExpectedByNeighbor(t *testing.T) {
	e := gateway.Expectation{By: gateway.Client, To: ep(data), Uses: 1}
	c := newControl(t, nat(gateway.NAT{MaxMappings: 2}))
	c.want(c.tcp(inside, neighbor, c.mustExpect(e), syn), "")
	if table := c.g.Table(); len(table.Mappings) != 1 || c.g.Drops()[gateway.Exhausted] != 1 {
		t.Errorf("got\n%v, %v", table, c.g.Drops())
	}
	c = newControl(t, nat(gateway.NAT{MaxMappings: 3}))
	if got := c.tcp(inside, neighbor, c.mustExpect(e), syn); !strings.HasSuffix(got, " > "+data+" SYN") {
		t.Errorf("got %q", got)
	}
	c.want(c.seen("192.168.1.3:7", server).String(), "invalid AddrPort")
	c.pass(4 * time.Minute)
	c.want(c.seen("192.168.1.3:7", server).String(), "218.63.1.5:7")
}

// TestExpectedAtGateway leads to the gateway itself.
func TestExpectedAtGateway(t *testing.T) {
	c := newControl(t, gateway.Linux())
	at := c.mustExpect(gateway.Expectation{By: gateway.Client, To: ep("192.168.1.1:1025"), Uses: 1})
	c.want(c.tcp(outside, "218.63.1.100:20", at, syn), "out: "+at+" > 218.63.1.100:20 RST ACK")
}

// TestTwoMappings gives an inside endpoint an announced and a random outside
// port; the end of the one is not the end of the other.
func TestTwoMappings(t *testing.T) {
	c := newControl(t, nat(gateway.NAT{Ports: gateway.Random}))
	at := c.mustExpect(gateway.Expectation{By: gateway.Client, To: ep(data), Uses: 2})
	seen := c.connect(data, server)
	for _, from := range []string{"218.63.1.100:20", "218.63.1.100:22"} {
		c.want(c.tcp(outside, from, at, syn), "in: "+from+" > "+data+" SYN")
	}
	if table := c.g.Table(); len(table.Mappings) != 3 {
		t.Errorf("got\n%v", table)
	}
	c.pass(4 * time.Minute)
	if table := c.g.Table(); len(table.Mappings) != 2 {
		t.Errorf("got\n%v", table)
	}
	c.want(c.seen(data, stranger).String(), seen)
}

// TestPortCollision announces a port that is taken (kernel-alg A.18).
func TestPortCollision(t *testing.T) {
	const want = 1025
	expectation := gateway.Expectation{By: gateway.Client, To: ep(data), From: serverAddr}
	for _, test := range []struct {
		name    string
		nat     gateway.NAT
		before  func(c *control)
		kept    bool
		choose  func(func(uint16) bool) uint16
		exactly uint16
	}{
		{name: "free", kept: true},
		{name: "own mapping", before: func(c *control) { c.seen(data, server) }, kept: true},
		{name: "another's mapping", before: func(c *control) { c.seen("192.168.1.3:1025", server) }},
		{name: "another's mapping on Linux", nat: *gateway.Linux().NAT, before: func(c *control) { c.seen("192.168.1.3:1025", server) }, kept: true},
		{name: "another's forward", nat: gateway.NAT{Forwards: []gateway.Forward{
			{Ports: gateway.PortRange{First: want, Last: want}, To: ep(neighbor).Addr()}}}},
		{name: "another's expectation", nat: *gateway.Linux().NAT, before: announce("192.168.1.3:1025", serverAddr)},
		{name: "another's for everybody", nat: *gateway.Linux().NAT, before: announce("192.168.1.3:1025", netip.Addr{})},
		{name: "another's for someone else", nat: *gateway.Linux().NAT, before: announce("192.168.1.3:1025", ep(stranger).Addr()), kept: true},
		{name: "the helper chooses", before: func(c *control) { c.seen("192.168.1.3:1025", server) }, exactly: 1027,
			choose: func(taken func(uint16) bool) uint16 {
				for port := uint16(want); ; port += 2 {
					if !taken(port) {
						return port
					}
				}
			}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newControl(t, nat(test.nat))
			if test.before != nil {
				test.before(c)
			}
			e := expectation
			e.Port = test.choose
			at := c.mustExpect(e)
			port := ep(at).Port()
			if (port == want) != test.kept || test.exactly != 0 && port != test.exactly {
				t.Errorf("it is announced as %s", at)
			}
			if again := c.mustExpect(e); again != at {
				t.Errorf("announced again, it is %s", again)
			}
			c.want(c.tcp(outside, "218.63.1.100:20", at, syn), "in: 218.63.1.100:20 > "+data+" SYN")
			c.want(c.tcp(inside, data, "218.63.1.100:20", synAck), "out: "+at+" > 218.63.1.100:20 SYN ACK")
		})
	}
}

// announce lets the neighbour announce something on a control connection of
// its own.
func announce(to string, from netip.Addr) func(c *control) {
	return func(c *control) {
		c.connect(neighbor, stranger)
		n := &control{c.lab, c.script, neighbor, stranger}
		n.mustExpect(gateway.Expectation{By: gateway.Client, To: ep(to), From: from})
	}
}

// TestReserved keeps an announced port from those who connect meanwhile.
func TestReserved(t *testing.T) {
	c := newControl(t, nat(gateway.NAT{}))
	at := c.mustExpect(gateway.Expectation{By: gateway.Client, To: ep(data)})
	if seen := c.seen("192.168.1.3:1025", server).String(); seen == at {
		t.Errorf("%s has been given away", at)
	}
	c.want(c.seen(data, stranger).String(), at) // its owner may have it
	c.want(c.tcp(outside, "218.63.1.100:20", at, syn), "in: 218.63.1.100:20 > "+data+" SYN")
}

// TestPinhole lets nobody in through the mapping of an expected connection,
// whatever the filtering, before the inside endpoint has sent to somebody.
func TestPinhole(t *testing.T) {
	c := newControl(t, nat(gateway.NAT{Filtering: gateway.EndpointIndependent}))
	at := c.mustExpect(gateway.Expectation{By: gateway.Client, To: ep(data), Uses: 1})
	c.want(c.tcp(outside, "218.63.1.100:20", at, syn), "in: 218.63.1.100:20 > "+data+" SYN")
	c.want(c.tcp(outside, "218.63.1.100:21", at, syn), "")
	c.want(c.seen(data, stranger).String(), at)
	c.want(c.tcp(outside, "218.63.1.100:22", at, syn), "in: 218.63.1.100:22 > "+data+" SYN")
}

func TestExpectErrors(t *testing.T) {
	c := newControl(t, nat(gateway.NAT{PortRange: gateway.PortRange{First: 50000, Last: 50000}}))
	for _, to := range []netip.AddrPort{{}, ep("192.168.1.2:0"), ep("[fd00:1::2]:1025")} {
		if _, err := c.expect(gateway.Expectation{To: to}); !errors.Is(err, gateway.ErrEndpoint) {
			t.Errorf("%v: %v", to, err)
		}
	}
	c.seen("192.168.1.3:1025", server)
	if _, err := c.expect(gateway.Expectation{To: ep(data), Port: func(func(uint16) bool) uint16 { return 0 }}); !errors.Is(err, gateway.ErrPorts) {
		t.Errorf("no port: %v", err)
	}
	if _, err := c.expect(gateway.Expectation{To: ep(data), Port: func(func(uint16) bool) uint16 { return 1025 }}); !errors.Is(err, gateway.ErrPorts) {
		t.Errorf("a taken port: %v", err)
	}
	c.mustExpect(gateway.Expectation{To: ep(data)}) // 50000
	c.seen("192.168.1.3:1026", server)
	if _, err := c.expect(gateway.Expectation{To: ep("192.168.1.2:1026")}); !errors.Is(err, gateway.ErrPorts) {
		t.Errorf("the range is used up: %v", err)
	}
	for i := range 5000 {
		_, err := c.expect(gateway.Expectation{To: netip.AddrPortFrom(ep(client).Addr(), uint16(2000+i)), Life: time.Minute})
		if errors.Is(err, gateway.ErrCrowded) {
			if i != 4095 {
				t.Errorf("crowded after %d", i)
			}
			c.pass(time.Minute)
			c.mustExpect(gateway.Expectation{To: ep(data)})
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Error("never crowded")
}
