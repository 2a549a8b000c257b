// Package netsim is a network in a process: hosts with TCP/IP stacks of their
// own, wires, and gateways that route, filter and translate, all on one clock
// that is virtual or real. A Topology says what there is, as a Go value, as one
// of those that are built in, or as a YAML file (docs/scenarios.md); Build makes
// a World of it, whose hosts fit the interfaces of internal/host.
//
// In virtual time, one topology, one seed and the same actors give the same
// packets at the same times. The gateways follow RFC 4787, RFC 5382 and
// RFC 5508, see package gateway, and their helpers for FTP are in package alg.
//
// A World may be used from several goroutines; building, running and closing it
// is for one.
package netsim

import (
	"net/netip"

	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/wire"
)

// Topology is a network as data: what there is and how it hangs together. It
// is written as YAML, see Read, or as a Go value.
type Topology struct {
	// Name is how it is called on the command line, Title what it is in one
	// sentence.
	Name, Title string
	Networks    []Network
	Hosts       []Host
	Gateways    []Gateway
	// Wires are those that are not as wire.Spec's zero value; see Wire.Name.
	Wires []Wire

	// Client, Server and Stranger are the hosts that play these parts;
	// defaults "client", "server" and, if there is one, "stranger". The
	// stranger sits where it can reach the server.
	Client, Server, Stranger string
	// Decoy is a host in the server's network that has the client's address;
	// empty if there is none.
	Decoy string
	// Dial is the address at which the client reaches the server; default the
	// server's own.
	Dial netip.Addr
	// Advertise is what the server has been told to name in 227 replies; the
	// zero value lets it name its own address.
	Advertise netip.Addr
	// PassivePorts is the range that the server has been told to use and that
	// is forwarded or allowed; zero for the server's choice.
	PassivePorts gateway.PortRange
	// Loopback, if true, lets addresses of 127.0.0.0/8 be those of nodes: for
	// networks that go on in this machine, see package portal.
	Loopback bool
}

// Network is a segment: everybody on it reaches everybody else directly, by
// address.
type Network struct {
	Name   string
	Prefix netip.Prefix
	// Via is the gateway that takes what is for elsewhere. Without one, Silent
	// says that such packets vanish; otherwise the network answers that the
	// destination is unreachable.
	Via    string
	Silent bool
	// Open, if true, lets nodes have addresses outside of Prefix, as on one that
	// stands for many networks.
	Open bool
}

// Host is a machine.
type Host struct {
	Name    string
	Network string
	// Addrs are its addresses; the first of a family is the usual one.
	Addrs []netip.Addr
}

// Gateway joins two networks.
type Gateway struct {
	Name string
	// Inside and Outside are its two sides; without NAT they differ in nothing.
	Inside, Outside Side
	// NAT is nil for a plain router or firewall.
	NAT    *gateway.NAT
	Filter *gateway.Filter
	// Unknown is what happens to packets that nobody waits for.
	Unknown gateway.Unknown
	// ALG is the helper for FTP; the zero value is none.
	ALG alg.Options
}

// Side is a gateway's interface to a network.
type Side struct {
	Network string
	Addrs   []netip.Addr
}

// Wire says what the wire of a node is like.
type Wire struct {
	// Name is that of a host, or of a gateway's side: "gw/inside".
	Name string
	// Out is the direction away from the node, In the one to it.
	Out, In wire.Spec
}

// Host finds a host by its name.
func (t *Topology) Host(name string) (Host, bool) {
	for _, h := range t.Hosts {
		if h.Name == name {
			return h, true
		}
	}
	return Host{}, false
}

// wire is what the wire of a node is like.
func (t *Topology) wire(name string) Wire {
	for _, w := range t.Wires {
		if w.Name == name {
			return w
		}
	}
	return Wire{Name: name}
}

// prefixes gives addresses on a network the length of its prefix; those that
// are not in it stand for themselves.
func (t *Topology) prefixes(network string, addrs []netip.Addr) []netip.Prefix {
	out := make([]netip.Prefix, len(addrs))
	for i, a := range addrs {
		out[i] = netip.PrefixFrom(a, a.BitLen())
		for _, n := range t.Networks {
			if n.Name == network && n.Prefix.Contains(a) {
				out[i] = netip.PrefixFrom(a, n.Prefix.Bits())
			}
		}
	}
	return out
}

// gateway is a gateway as package gateway wants it, without what is random.
func (t *Topology) gateway(g Gateway) gateway.Options {
	o := gateway.Options{Name: g.Name, NAT: g.NAT, Filter: g.Filter, Unknown: g.Unknown, Loopback: t.Loopback}
	for i, s := range []Side{g.Inside, g.Outside} {
		o.Interfaces = append(o.Interfaces, gateway.Interface{Name: sides[i], Outside: i == outside,
			Addrs: t.prefixes(s.Network, s.Addrs), MTU: t.wire(g.Name + "/" + sides[i]).Out.MTU})
	}
	// What is not on the inside network is outside.
	for _, all := range []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		o.Routes = append(o.Routes, gateway.Route{To: netip.PrefixFrom(all, 0), Interface: outside})
	}
	return o
}
