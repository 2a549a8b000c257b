package suites

// Where checks hold. A check is left out of a topology in which the network,
// and not the server, would decide what comes of it: a NAT without a helper
// lets no server connect to a client behind it, and a helper that cannot read a
// command may not let it pass.
var (
	// whereServed are the networks with IPv4 in which a client reaches what the
	// server listens on.
	whereServed = []Topology{Direct, ClientNAT, ClientNATALG, ServerNAT, ServerNATALG, DoubleNAT, ClientFirewall, ServerFirewall, Hairpin}
	// whereListens are those of them in which no helper has to open the way.
	whereListens = []Topology{Direct, ClientNAT, ClientNATALG, ServerNAT, DoubleNAT, ClientFirewall, ServerFirewall, Hairpin}
	// whereDialled are those in which the server reaches what a client listens
	// on.
	whereDialled = []Topology{Direct, ClientNATALG, ServerNAT, ServerNATALG, ServerFirewall}
	// whereExtended and whereDialledExtended are the same for EPSV and EPRT,
	// which know IPv6 too.
	whereExtended        = append(whereServed[:len(whereServed):len(whereServed)], IPv6)
	whereDialledExtended = append(whereDialled[:len(whereDialled):len(whereDialled)], IPv6)
)
