package suites

import (
	"slices"

	"github.com/ftpconform/ftpconform/netsim"
)

// Topology is the network between client and target: the name of one of
// netsim's built-in topologies.
type Topology string

// The topologies.
const (
	Direct         Topology = "direct"          // nothing between client and target
	ClientNAT      Topology = "client-nat"      // the client behind a NAT that knows nothing of FTP
	ClientNATALG   Topology = "client-nat-alg"  // the same, with a helper for FTP
	ServerNAT      Topology = "server-nat"      // the server behind a NAT that forwards its ports
	ServerNATALG   Topology = "server-nat-alg"  // the server behind a NAT with a helper
	DoubleNAT      Topology = "double-nat"      // the client behind two NATs, one in the other
	ClientFirewall Topology = "client-firewall" // nobody may connect to the client
	ServerFirewall Topology = "server-firewall" // only port 21 and the passive range are open
	IPv6           Topology = "ipv6"            // no IPv4 at all
	Hairpin        Topology = "hairpin"         // client and server behind one NAT, by its outside address
)

// Topologies lists all topologies, in the order in which they are reported.
func Topologies() []Topology {
	return []Topology{Direct, ClientNAT, ClientNATALG, ServerNAT, ServerNATALG, DoubleNAT, ClientFirewall, ServerFirewall, IPv6, Hairpin}
}

// Title says in a sentence what the network is.
func (t Topology) Title() string {
	spec, err := netsim.Builtin(string(t))
	if err != nil {
		return ""
	}
	return spec.Title
}

// topologies are those of the run.
func (c *Config) topologies() []Topology {
	switch {
	case len(c.Topologies) > 0:
		return c.Topologies
	case c.embedded() && !c.Loopback:
		return []Topology{Direct, ClientNAT}
	}
	return []Topology{Direct}
}

// simulated reports whether a topology is one of the simulated network; the
// others are as the operating system finds them.
func (c *Config) simulated() bool { return c.embedded() && !c.Loopback }

// checkTopologies returns a usage error for topologies that cannot be had.
func (c *Config) checkTopologies() error {
	for _, t := range c.Topologies {
		switch {
		case !slices.Contains(Topologies(), t):
			return usageErrorf("unknown topology %q; there are %v, and all", t, Topologies())
		case t != Direct && !c.simulated():
			return usageErrorf("topology %s needs the simulated network, and so far only the embedded reference server lives in it", t)
		}
	}
	return nil
}
