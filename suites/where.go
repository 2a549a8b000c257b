package suites

// Where checks hold. A check is left out of a topology in which the network,
// and not the server, would decide what comes of it: a NAT without a helper
// lets no server connect to a client behind it, and a helper that cannot read a
// command may not let it pass.
var (
	// whereServed are the networks with IPv4 in which a client reaches the
	// ports that the server has been told to use.
	whereServed = []Topology{Direct, ClientNAT, ClientNATALG, ServerNAT, ServerNATALG, DoubleNAT, ClientFirewall, ServerFirewall, Hairpin}
	// whereNamed are those of them in which it sees the ports that the server has
	// named: a helper on the way may take others, also before the client.
	whereNamed = []Topology{Direct, ClientNAT, ServerNAT, DoubleNAT, ClientFirewall, ServerFirewall, Hairpin}
	// whereOpen are those of the served in which it reaches all other ports too: for
	// checks that are not about the choice of the port.
	whereOpen = []Topology{Direct, ClientNAT, ClientNATALG, DoubleNAT, ClientFirewall}
	// whereDialled are those in which the server reaches what a client listens
	// on.
	whereDialled = []Topology{Direct, ClientNATALG, ServerNAT, ServerNATALG, ServerFirewall}
	// whereVerbatim are those of them, and with IPv6, in which nobody on the way
	// writes a command anew.
	whereVerbatim = []Topology{Direct, ServerNAT, ServerFirewall, IPv6}
	// The others for checks that can do with EPSV and EPRT, which know IPv6.
	whereExtended        = withIPv6(whereServed)
	whereOpenExtended    = withIPv6(whereOpen)
	whereDialledExtended = withIPv6(whereDialled)
)

func withIPv6(in []Topology) []Topology { return append(in[:len(in):len(in)], IPv6) }
