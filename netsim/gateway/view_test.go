package gateway_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

func TestTableText(t *testing.T) {
	s := &script{}
	o := nat(gateway.NAT{Forwards: []gateway.Forward{{Ports: gateway.PortRange{First: 80, Last: 80}, To: ep(neighbor).Addr(), Port: 8080}}})
	o.Helper = s
	c := &control{newLab(t, o), s, client, server}
	c.connect(client, server)
	c.tcp(outside, stranger, "218.63.1.5:80", syn)
	c.pass(1500 * time.Millisecond)
	c.mustExpect(gateway.Expectation{By: gateway.Client, To: ep(data), From: serverAddr, Life: 5 * time.Minute, Uses: 1})
	c.mustExpect(gateway.Expectation{By: gateway.Server, To: ep("218.63.1.100:50000"), Uses: 3})
	c.tcp(outside, "218.63.1.100:20", "218.63.1.5:1025", syn)
	c.mustExpect(gateway.Expectation{By: gateway.Client, To: ep("192.168.1.2:1026"), From: serverAddr, Life: 400 * time.Millisecond})
	want := `mapping 192.168.1.2:1025 <-> 218.63.1.5:1025
mapping 192.168.1.2:40001 <-> 218.63.1.5:40001
tcp 192.168.1.2:40001 <-> 218.63.1.5:40001  218.63.1.100:21  established, helper, 2h4m0s left
tcp 218.63.1.100:20  192.168.1.2:1025 <-> 218.63.1.5:1025  opening, expected, 4m0s left
tcp 218.63.1.200:21  192.168.1.3:8080 <-> 218.63.1.5:80  opening, 3m59s left
expect 218.63.1.100 > 218.63.1.5:1026 for 192.168.1.2:1026, 400ms left, announced by 192.168.1.2:40001 to 218.63.1.100:21
expect anybody > 218.63.1.100:50000, 3 times, announced by 218.63.1.100:21 to 192.168.1.2:40001
`
	if got := c.g.Table().String(); got != want {
		t.Errorf("got\n%swanted\n%s", got, want)
	}
	for behaviour, want := range map[gateway.Behaviour]string{
		gateway.AddressDependent:        "mapping 192.168.1.2:40001 <-> 218.63.1.5:40001  for 218.63.1.100\n",
		gateway.AddressAndPortDependent: "mapping 192.168.1.2:40001 <-> 218.63.1.5:40001  for 218.63.1.100:21\n",
	} {
		l := newLab(t, nat(gateway.NAT{Mapping: behaviour}))
		l.connect(client, server)
		if got := l.g.Table().String(); !strings.HasPrefix(got, want) {
			t.Errorf("got\n%s", got)
		}
	}
}

// TestObserve hears of everything, in order, with the mutex free.
func TestObserve(t *testing.T) {
	s := &script{}
	o := nat(gateway.NAT{})
	o.Helper = s
	c := &control{newLab(t, o), s, client, server}
	var told []string
	c.g.Observe(func(ch gateway.Change) {
		c.g.Table() // the mutex is free, or this would hang
		told = append(told, ch.String())
	})
	c.connect(client, server)
	c.mustExpect(gateway.Expectation{By: gateway.Client, To: ep(data), From: serverAddr, Uses: 1, Max: 1})
	c.tcp(outside, "218.63.1.100:20", "218.63.1.5:1025", syn)
	c.tcp(outside, stranger, "218.63.1.5:1025", ack)
	c.pass(3 * time.Hour)
	c.g.Table()
	want := []string{
		"mapping made: mapping 192.168.1.2:40001 <-> 218.63.1.5:40001",
		"connection made: tcp 192.168.1.2:40001 <-> 218.63.1.5:40001  218.63.1.100:21  opening, 4m0s left",
		"expectation made: expect 218.63.1.100 > 218.63.1.5:1025 for 192.168.1.2:1025, once, announced by 192.168.1.2:40001 to 218.63.1.100:21",
		"expectation used: expect 218.63.1.100 > 218.63.1.5:1025 for 192.168.1.2:1025, once, announced by 192.168.1.2:40001 to 218.63.1.100:21",
		"mapping made: mapping 192.168.1.2:1025 <-> 218.63.1.5:1025",
		"connection made: tcp 218.63.1.100:20  192.168.1.2:1025 <-> 218.63.1.5:1025  opening, expected, 4m0s left",
		"packet dropped: nobody expects it: 218.63.1.200:21 > 218.63.1.5:1025 ACK seq 1000 ack 2000",
		"connection expired: tcp 192.168.1.2:40001 <-> 218.63.1.5:40001  218.63.1.100:21  established, helper, 0s left",
		"mapping expired: mapping 192.168.1.2:40001 <-> 218.63.1.5:40001",
		"connection expired: tcp 218.63.1.100:20  192.168.1.2:1025 <-> 218.63.1.5:1025  opening, expected, 0s left",
		"mapping expired: mapping 192.168.1.2:1025 <-> 218.63.1.5:1025",
	}
	if !slices.Equal(told, want) {
		t.Errorf("told:\n%s", strings.Join(told, "\n"))
	}
	for i, change := range c.changes {
		if i > 0 && change.At.Before(c.changes[i-1].At) {
			t.Errorf("%v came before %v", change, c.changes[i-1])
		}
	}
}

// TestObserverLooks has an observer whose own look at the table brings changes
// about: they come after those that are being told.
func TestObserverLooks(t *testing.T) {
	l := newLab(t, nat(gateway.NAT{}))
	l.connect(client, server)
	l.pass(3 * time.Hour)
	l.changes = nil
	l.g.Observe(func(gateway.Change) { l.g.Table() })
	l.seen("192.168.1.3:7", stranger)
	var kinds []gateway.Kind
	for _, c := range l.changes {
		kinds = append(kinds, c.Kind)
	}
	want := []gateway.Kind{gateway.MappingMade, gateway.ConnectionMade, gateway.ConnectionExpired, gateway.MappingExpired}
	if !slices.Equal(kinds, want) {
		t.Errorf("told: %v", kinds)
	}
}

// TestNotes marks what a gateway sends of its own.
func TestNotes(t *testing.T) {
	l := newLab(t, gateway.Options{Unknown: gateway.UnknownReset, NAT: &gateway.NAT{}})
	l.send(outside, packet.TCP(packet.Segment{Src: ep(server), Dst: ep("218.63.1.5:1025"), Flags: syn}))
	if got := l.ends[outside].got[0].Note; got != "gw: nobody expects it" {
		t.Errorf("got %q", got)
	}
}
