package gateway

import (
	"net/netip"
	"time"
)

// Options of a Gateway. Only Interfaces are needed; without NAT and Filter it
// is a plain router.
type Options struct {
	// Name is used in texts and seeds its randomness.
	Name       string
	Interfaces []Interface
	// Routes lead to what is not connected. The longest prefix wins; connected
	// networks need no route.
	Routes []Route
	// NAT translates what goes from an inside to an outside interface.
	NAT *NAT
	// Filter decides what may pass.
	Filter *Filter
	// Helper is asked about every new connection.
	Helper Helper
	// Unknown is what TCP for the gateway's own address meets that comes in by
	// an outside interface and is expected by nobody. From inside, the
	// gateway answers with a RST, as a host does.
	Unknown Unknown
	// Loopback, if true, makes addresses of 127.0.0.0/8 like any other, as
	// route_localnet does on Linux: for networks that go on in this machine.
	Loopback bool
	// Taken, if set, says whether somebody else uses an endpoint of the gateway,
	// at which the server could not be let in, so that a helper needs another: for
	// the same networks. It may not wait.
	Taken  func(outside netip.AddrPort) bool
	Faults Faults
}

// Interface is a place where the gateway meets a network.
type Interface struct {
	// Name is what filter rules call it; default "if0", "if1", ….
	Name string
	// Addrs are the gateway's addresses there, with the networks that are
	// connected.
	Addrs []netip.Prefix
	// MTU is in octets; default 1500.
	MTU int
	// Outside interfaces are on the far side of the translation.
	Outside bool
}

// Route sends packets to a network out of an interface, by its number in
// Options.
type Route struct {
	To        netip.Prefix
	Interface int
}

// Unknown is what the gateway does about a segment that nobody expects.
type Unknown uint8

// The values of Unknown.
const (
	// UnknownHold says nothing for Timeouts.Hold after a SYN. Then it sends an
	// ICMP port unreachable, unless the connection has come about meanwhile
	// (RFC 5382 REQ-4). Segments that are not SYN get no answer.
	UnknownHold Unknown = iota
	// UnknownDrop says nothing.
	UnknownDrop
	// UnknownReset answers with a RST, as a host without a filter does.
	UnknownReset
	// UnknownICMP answers with ICMP port unreachable at once.
	UnknownICMP
)

// NAT is how addresses and ports are translated (RFC 3022, NAPT). The zero
// value translates to the addresses of the outside interfaces and does what
// RFC 5382 and RFC 4787 ask for.
type NAT struct {
	// Addresses are the outside addresses, IPv4 or IPv6 or both; default those
	// of the outside interfaces. A family without an address is routed as it
	// is.
	Addresses []netip.Addr
	// Mapping says when two connections of one inside endpoint get the same
	// outside endpoint, Filtering who may connect to one.
	Mapping, Filtering Behaviour
	Ports              PortPolicy
	// PortRange is where the ports come from that are not preserved; default
	// 1024 to 65535.
	PortRange PortRange
	// Overload, if true, gives an outside endpoint to several inside endpoints
	// as long as the remote endpoints differ, as Linux does.
	Overload bool
	Pooling  Pooling
	Hairpin  Hairpin
	Timeouts Timeouts
	// Forwards lead from outside ports to inside hosts (DNAT).
	Forwards []Forward
	// MaxMappings bounds the mappings and the connections; default 65,536. When
	// it is reached, new connections are dropped.
	MaxMappings int
	// Strict, if true, drops a segment from inside that belongs to no
	// connection and is not a SYN. Otherwise it makes a connection, as Linux
	// does with nf_conntrack_tcp_loose=1.
	Strict bool
	// Windows, if true, follows the numbers and windows of TCP, as Linux does: a
	// segment that acknowledges what was never sent, or that lies beyond the
	// receiver's window, is invalid.
	Windows bool
	// PassInvalid, if true, lets invalid segments take their way as they are,
	// as Linux does: to the gateway itself, or out with the inside address.
	// Otherwise they are dropped.
	PassInvalid bool
}

// Behaviour says what a mapping or a filter depends on (RFC 4787 sections 4.1
// and 5).
type Behaviour uint8

// The behaviours.
const (
	EndpointIndependent Behaviour = iota
	AddressDependent
	AddressAndPortDependent
)

// PortPolicy says which outside port a new mapping gets.
type PortPolicy uint8

// The port policies.
const (
	// Preserve takes the inside port if it is free. Otherwise the port is one
	// at random, below 1024 if the inside port is (RFC 4787 REQ-3a).
	Preserve PortPolicy = iota
	// Random takes any port.
	Random
	// Sequential takes one port after the other.
	Sequential
)

// Pooling says which of several outside addresses a mapping gets (RFC 4787
// section 4.1).
type Pooling uint8

// The kinds of pooling.
const (
	// Paired gives an inside address always the same outside address.
	Paired Pooling = iota
	// Arbitrary takes one address after the other.
	Arbitrary
)

// Hairpin says what happens when an inside host sends to an outside endpoint
// of another (RFC 4787 section 6, RFC 5382 REQ-8).
type Hairpin uint8

// The kinds of hairpinning.
const (
	// HairpinOn shows the receiver the sender's outside endpoint.
	HairpinOn Hairpin = iota
	// HairpinInternalSource shows the receiver the sender's inside endpoint.
	HairpinInternalSource
	// HairpinOff drops the packet.
	HairpinOff
)

// Timeouts say how long a connection is remembered after its last packet; zero
// values mean the defaults.
type Timeouts struct {
	// Established is from when both ends have sent an ACK until both have sent
	// a FIN; default 2 h 4 min (RFC 5382 REQ-5).
	Established time.Duration
	// Transitory is before and after that; default 4 min.
	Transitory time.Duration
	// Close is after a RST; default Transitory.
	Close time.Duration
	// Hold is how long UnknownHold says nothing; default 6 s.
	Hold time.Duration
}

// PortRange is a range of ports with both its ends. The zero value stands for
// the default of its field.
type PortRange struct{ First, Last uint16 }

// Contains reports whether the port is in the range.
func (r PortRange) Contains(port uint16) bool { return r.First <= port && port <= r.Last }

func (r PortRange) size() int { return int(r.Last) - int(r.First) + 1 }

// Forward leads from ports of an outside address to an inside host. The
// connections that an inside server makes from a forwarded port show the
// outside one, and no mapping takes it.
type Forward struct {
	// Addr is the outside address; the zero value stands for all of them.
	Addr  netip.Addr
	Ports PortRange
	// To is the inside host, Port the port there that the first of Ports leads
	// to; 0 leaves the ports as they are.
	To   netip.Addr
	Port uint16
}

// RFC5382 returns the options of a NAT that does what RFC 5382 and RFC 4787
// ask for: the zero value, written out.
func RFC5382() Options {
	return Options{Unknown: UnknownHold, NAT: &NAT{
		Mapping: EndpointIndependent, Filtering: EndpointIndependent, Ports: Preserve,
		PortRange: defaultPorts, Pooling: Paired, Hairpin: HairpinOn, MaxMappings: defaultMax,
		Timeouts: Timeouts{Established: 2*time.Hour + 4*time.Minute, Transitory: 4 * time.Minute,
			Close: 4 * time.Minute, Hold: 6 * time.Second},
	}}
}

// Linux returns the options of a Linux gateway with masquerading, as measured
// on kernel 6.18: a port is kept unless the very connection exists already,
// only what belongs to a connection or is expected gets in, and the gateway
// itself answers all else.
func Linux() Options {
	return Options{Unknown: UnknownReset, NAT: &NAT{
		Mapping: AddressAndPortDependent, Filtering: AddressAndPortDependent, Ports: Preserve, Overload: true,
		Windows: true, PassInvalid: true,
		Timeouts: Timeouts{Established: 5 * 24 * time.Hour, Transitory: 2 * time.Minute, Close: 10 * time.Second},
	}}
}
