package gateway_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/clock"
	"github.com/ftpconform/ftpconform/netsim/gateway"
)

func TestOptionsErrors(t *testing.T) {
	two := func() []gateway.Interface {
		return []gateway.Interface{{Addrs: prefixes("192.168.1.1/24")}, {Addrs: prefixes("218.63.1.5/24"), Outside: true}}
	}
	with := func(change func(o *gateway.Options)) gateway.Options {
		o := gateway.Options{Name: "gw", Interfaces: two(), NAT: &gateway.NAT{}, Filter: &gateway.Filter{}}
		change(&o)
		return o
	}
	rule := func(r gateway.Rule) gateway.Options {
		return with(func(o *gateway.Options) { o.Filter.Rules = []gateway.Rule{{}, r} })
	}
	forward := func(f gateway.Forward) gateway.Options {
		return with(func(o *gateway.Options) { o.NAT.Forwards = []gateway.Forward{f} })
	}
	to, ports := netip.MustParseAddr("192.168.1.2"), gateway.PortRange{First: 21, Last: 21}
	for want, o := range map[string]gateway.Options{
		"it has no interface":                        {},
		"two interfaces are called \"if1\"":          with(func(o *gateway.Options) { o.Interfaces[0].Name = "if1" }),
		"an MTU of 67 is not between":                with(func(o *gateway.Options) { o.Interfaces[0].MTU = 67 }),
		"two interfaces have the address 218.63.1.5": with(func(o *gateway.Options) { o.Interfaces[0].Addrs = o.Interfaces[1].Addrs }),
		"is not an address with the length":          with(func(o *gateway.Options) { o.Interfaces[0].Addrs = []netip.Prefix{{}} }),
		"leads nowhere: there are 2 interfaces": with(func(o *gateway.Options) {
			o.Routes = []gateway.Route{{To: netip.MustParsePrefix("::/0"), Interface: 2}}
		}),
		"there is no Unknown 4":                                     with(func(o *gateway.Options) { o.Unknown = 4 }),
		"NAT: no interface is outside":                              with(func(o *gateway.Options) { o.Interfaces[1].Outside = false }),
		"NAT: there is no outside address":                          with(func(o *gateway.Options) { o.Interfaces[1].Addrs = nil }),
		"there is no behaviour 3":                                   with(func(o *gateway.Options) { o.NAT.Filtering = 3 }),
		"there is no port policy 3":                                 with(func(o *gateway.Options) { o.NAT.Ports = 3 }),
		"there is no pooling 2":                                     with(func(o *gateway.Options) { o.NAT.Pooling = 2 }),
		"there is no hairpinning 3":                                 with(func(o *gateway.Options) { o.NAT.Hairpin = 3 }),
		"at most -1 mappings are too few":                           with(func(o *gateway.Options) { o.NAT.MaxMappings = -1 }),
		"0.0.0.0 cannot be an outside address":                      with(func(o *gateway.Options) { o.NAT.Addresses = []netip.Addr{netip.IPv4Unspecified()} }),
		"50-40 is not a range of ports":                             with(func(o *gateway.Options) { o.NAT.PortRange = gateway.PortRange{First: 50, Last: 40} }),
		"a timeout of -1s has passed":                               with(func(o *gateway.Options) { o.NAT.Timeouts.Close = -time.Second }),
		"filter: there is no action 7":                              with(func(o *gateway.Options) { o.Filter.Default = 7 }),
		"at most -1 connections are too few":                        with(func(o *gateway.Options) { o.Filter.MaxConnections = -1 }),
		"filter: rule 2: there is no interface \"x\"":               rule(gateway.Rule{Out: "x"}),
		"there is no action 9":                                      rule(gateway.Rule{Action: 9}),
		"there is no state 0x10":                                    rule(gateway.Rule{State: 16}),
		"source and destination are of two families":                rule(gateway.Rule{Src: netip.MustParsePrefix("::/0"), Dst: netip.MustParsePrefix("0.0.0.0/0")}),
		"0-7 is not a range of ports":                               rule(gateway.Rule{Ports: gateway.PortRange{Last: 7}}),
		"which ports?":                                              forward(gateway.Forward{To: to}),
		"forward of ports 21 to invalid IP: that is not an address": forward(gateway.Forward{Ports: ports}),
		"::1 is of another family":                                  forward(gateway.Forward{Ports: ports, To: to, Addr: netip.IPv6Loopback()}),
		"the ports from 65535 on go beyond 65535":                   forward(gateway.Forward{Ports: gateway.PortRange{First: 1, Last: 2}, To: to, Port: 65535}),
	} {
		_, err := gateway.New(clock.New(clock.Options{}).Node(), o)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("wanted %q, got %v", want, err)
		}
	}
}

// TestPresets makes gateways of them, and finds that RFC5382 is the zero value.
func TestPresets(t *testing.T) {
	for _, o := range []gateway.Options{gateway.RFC5382(), gateway.Linux()} {
		l := newLab(t, o)
		l.connect(client, server)
	}
	written, zero := newLab(t, gateway.RFC5382()), newLab(t, nat(gateway.NAT{}))
	for _, l := range []*lab{written, zero} {
		l.connect(client, server)
		l.seen(neighbor, server)
	}
	if a, b := written.g.Table().String(), zero.g.Table().String(); a != b {
		t.Errorf("got\n%sand\n%s", a, b)
	}
}

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		gateway.AddressDependent.String():                               "address-dependent",
		gateway.Behaviour(7).String():                                   "7",
		gateway.HairpinInternalSource.String():                          "internal-source",
		gateway.UnknownICMP.String():                                    "icmp",
		gateway.RejectAdminProhibited.String():                          "reject-admin-prohibited",
		(gateway.StateRelated | gateway.StateEstablished).String():      "established,related",
		gateway.State(0).String():                                       "any",
		gateway.PortRange{First: 50000, Last: 50100}.String():           "50000-50100",
		gateway.PortRange{First: 21, Last: 21}.String():                 "21",
		gateway.Arbitrary.String() + " " + gateway.Sequential.String():  "arbitrary sequential",
		gateway.Client.String() + " " + gateway.Client.Other().String(): "client server",
	} {
		if got != want {
			t.Errorf("got %q, wanted %q", got, want)
		}
	}
}
