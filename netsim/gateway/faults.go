package gateway

import "time"

// Faults are the documented ways in which the gateway can be told to be wrong,
// one field for one deviation from RFC 4787, RFC 5382 or RFC 5508, and a zero
// value that conforms. A fault that is about translation does nothing in a
// gateway without NAT.
type Faults struct {
	// Mapping

	// MapsPerDestination, if true, gives an inside endpoint another outside
	// port for every destination, so that a server cannot dial back to the port
	// that it sees. Seen in "symmetric" home routers and in carrier-grade NATs.
	MapsPerDestination bool
	// OverloadsPorts, if true, gives two inside hosts that use one port the
	// same outside port; the one that connects last gets the answers of both.
	// Seen in old home routers that always preserve the port.
	OverloadsPorts bool
	// LosesLowPorts, if true, maps a port below 1024 to one above, so that the
	// data connections of a server behind it do not come from port 20. Seen in
	// most home routers and in pf.
	LosesLowPorts bool
	// ArbitraryPool, if true, lets the connections of one inside host come from
	// different outside addresses, so that a server that compares the peers of
	// control and data connection refuses. Seen in carrier-grade NATs and
	// Kubernetes clusters.
	ArbitraryPool bool
	// LeaksInside, if true, lets a packet out untranslated whose connection has
	// been forgotten. Linux does that with nf_conntrack_tcp_loose=0.
	LeaksInside bool

	// Filtering

	// FiltersByPort, if true, lets nobody in but the very endpoint that was
	// contacted, so that active mode on the default data port fails. Linux and
	// most stateful firewalls do that.
	FiltersByPort bool
	// ResetsUnsolicited, if true, answers a SYN that nobody waits for with a RST
	// at once, which kills a simultaneous open. Linux gateways without an input
	// filter do that.
	ResetsUnsolicited bool
	// DropsSimultaneousOpen, if true, drops a SYN that comes in answer to a SYN.
	// Seen in firewalls that know the three-way handshake only.
	DropsSimultaneousOpen bool

	// Hairpinning

	// NoHairpin, if true, drops what an inside host sends to an outside address
	// of the gateway, so that a server cannot be reached by its public address
	// from its own network. Seen in many home routers.
	NoHairpin bool
	// HairpinKeepsInsideSource, if true, shows an inside server the inside
	// address of an inside client that came by the outside address; its answer
	// goes past the gateway and is not recognised. Linux does that with a DNAT
	// rule alone.
	HairpinKeepsInsideSource bool

	// Time

	// ShortTimeout, if true, forgets an established connection after 60 s
	// without a packet, in place of 2 h 4 min. Seen in home routers, in load
	// balancers, and in carrier-grade NATs.
	ShortTimeout bool
	// ShortTransitory, if true, forgets a connection that is not established yet,
	// or is closing, after 10 s without a packet, in place of 4 min. Seen in
	// home routers whose tables are small.
	ShortTransitory bool
	// ForgetsHalfClosed, if true, forgets a connection at the first FIN, so
	// that what the other end still has to send is lost. Seen in small
	// firewalls.
	ForgetsHalfClosed bool

	// Packets

	// ICMPKillsMapping, if true, ends a connection when an ICMP error about it
	// passes, which anybody can forge.
	ICMPKillsMapping bool
	// ICMPUntranslated, if true, leaves the packet that an ICMP error quotes as
	// it is; the receiver does not recognise it as its own and goes on waiting.
	ICMPUntranslated bool
	// ICMPDropped, if true, lets no ICMP error pass, so that a host never
	// learns that it cannot reach another, or that its packets are too big.
	// Firewalls with the rule "no ICMP" do that.
	ICMPDropped bool
	// SilentTooBig, if true, drops a packet that does not fit the next network
	// and must not be fragmented, and sends no ICMP error about it, so that its
	// sender goes on sending packets of that size. Seen in tunnels and in
	// routers of PPPoE lines (RFC 2923 section 2.1).
	SilentTooBig bool
	// DropsFragments, if true, drops every fragment. Seen in carrier-grade NATs
	// and many firewalls.
	DropsFragments bool
	// BadChecksum, if true, changes addresses and ports and leaves the checksum
	// of TCP as it was. Seen where checksum offloading goes wrong.
	BadChecksum bool
	// RewritesPayload, if true, puts the outside address in the place of the
	// inside one wherever its four octets stand in the text of any connection,
	// as if every protocol were its own. Seen in home routers; STUN hides the
	// addresses that it carries because of that (RFC 8489 section 14.2).
	RewritesPayload bool
}

// The timeouts of ShortTimeout and ShortTransitory.
const (
	shortTimeout    = time.Minute
	shortTransitory = 10 * time.Second
)

// withFaults returns the options of the gateway that has the faults. What is
// not an option anyway is looked up where it happens.
func (o Options) withFaults() Options {
	f := o.Faults
	if f.ResetsUnsolicited {
		o.Unknown = UnknownReset
	}
	if o.NAT == nil {
		return o
	}
	n := *o.NAT
	if f.MapsPerDestination {
		n.Mapping, n.Overload = AddressAndPortDependent, false
	}
	if f.ArbitraryPool {
		n.Pooling = Arbitrary
	}
	if f.FiltersByPort {
		n.Filtering = AddressAndPortDependent
	}
	if f.HairpinKeepsInsideSource {
		n.Hairpin = HairpinInternalSource
	}
	if f.NoHairpin {
		n.Hairpin = HairpinOff
	}
	o.NAT = &n
	return o
}
