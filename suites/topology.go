package suites

import (
	"slices"
	"strings"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/alg"
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
	case c.simulated() || c.attached():
		return []Topology{Direct, ClientNAT}
	}
	return []Topology{Direct}
}

// places are the topologies for which the record has a result of a check: those
// of the run in which it holds, or one, to say why it did not run.
func (c *Config) places(check Check) []Topology {
	var out []Topology
	for _, t := range check.Topologies() {
		if slices.Contains(c.topologies(), t) {
			out = append(out, t)
		}
	}
	switch {
	case len(out) == 0:
		return check.Topologies()[:1]
	case c.once && !check.Varies:
		return out[:1]
	}
	return out
}

// simulated reports whether everything is simulated, time as well.
func (c *Config) simulated() bool { return c.embedded() && !c.Loopback }

// checkTopologies returns a usage error for topologies that cannot be had, and
// for faults of gateways that could not show.
func (c *Config) checkTopologies() error {
	for _, t := range c.Topologies {
		switch {
		case !slices.Contains(Topologies(), t):
			return usageErrorf("unknown topology %q; there are %s, and all", t, join(Topologies()))
		case t != Direct && !c.simulated() && !c.sited(t):
			return usageErrorf("topology %s needs the simulated network, and Loopback leaves it out", t)
		}
	}
	return c.checkNetFaults()
}

func (c *Config) checkNetFaults() error {
	names := c.NetFaults.Names()
	if len(names) == 0 {
		return nil
	}
	if !c.simulated() && !slices.ContainsFunc(c.topologies(), c.sited) {
		return usageErrorf("%s is a fault of a gateway, and there is none outside the simulated network", names[0])
	}
	helped := len(c.NetFaults.ALG.Names()) > 0
	var fit []Topology
	for _, t := range Topologies() {
		spec, err := netsim.Builtin(string(t))
		if err == nil && slices.ContainsFunc(spec.Gateways, func(g netsim.Gateway) bool {
			return g.NAT != nil && (!helped || g.ALG.Profile != "" && g.ALG.Profile != alg.Off)
		}) {
			fit = append(fit, t)
		}
	}
	if !slices.ContainsFunc(c.topologies(), func(t Topology) bool { return slices.Contains(fit, t) }) {
		who := "NAT"
		if helped {
			who = "FTP helper"
		}
		return usageErrorf("%s is a fault of a gateway, and none with %s is in %s; choose among %s", names[0], who, join(c.topologies()), join(fit))
	}
	return nil
}

// join lists topologies in a sentence.
func join(all []Topology) string {
	names := make([]string, len(all))
	for i, t := range all {
		names[i] = string(t)
	}
	return strings.Join(names, ", ")
}
