package suites

import "slices"

// outcome is what comes of a mode in a network when server and client are
// correct.
type outcome int

const (
	carried outcome = iota // transfers work
	lost                   // nothing from the server arrives where the client listens
	detour                 // the same, unless the server dials what it has to take for a foreign address
	refused                // the mode cannot name an endpoint of this network
)

// pathFact is what must come of some modes in some networks.
type pathFact struct {
	in    []Topology
	modes []Mode
	outcome
	// broken is the requirement that a server breaks for which it is otherwise;
	// empty where transfers have to work, which the mode itself demands.
	broken string
	// because is the reason, as a part of a sentence.
	because string
}

var (
	activeModes  = []Mode{PORT, EPRT}
	passiveModes = []Mode{PASV, EPSV}
)

// pathFacts is the story of active and passive mode in every network.
var pathFacts = []pathFact{
	{in: []Topology{Direct}, modes: []Mode{PORT, EPRT, PASV, EPSV},
		because: "nothing stands between client and server"},

	{in: []Topology{ClientNAT, DoubleNAT}, modes: activeModes, outcome: lost, broken: "FTP-NAT-035",
		because: "the client names its address behind the NAT, to which nothing finds the way from outside"},
	{in: []Topology{ClientNATALG}, modes: activeModes,
		because: "the helper of the client's NAT puts the outside address in the command and lets the connection in"},
	{in: []Topology{ClientNAT, ClientNATALG, DoubleNAT}, modes: passiveModes,
		because: "the client connects, and its NAT lets it out"},

	{in: []Topology{ServerNAT, ServerNATALG}, modes: activeModes,
		because: "the server connects, and its NAT lets it out"},
	{in: []Topology{ServerNAT}, modes: []Mode{PASV},
		because: "the server names the outside address of its NAT, which forwards the passive ports"},
	{in: []Topology{ServerNAT}, modes: []Mode{EPSV},
		because: "the client connects to the address that it knows, and the server's NAT forwards the passive ports"},
	{in: []Topology{ServerNATALG}, modes: []Mode{PASV},
		because: "the helper of the server's NAT puts the outside address in the reply and lets the connection in"},
	{in: []Topology{ServerNATALG}, modes: []Mode{EPSV},
		because: "the helper of the server's NAT reads the port in the reply and lets the connection in"},

	{in: []Topology{ClientFirewall}, modes: activeModes, outcome: lost, broken: "FTP-PORT-015",
		because: "the client's firewall drops the server's connection and says nothing"},
	{in: []Topology{ClientFirewall}, modes: passiveModes,
		because: "the client connects, and its firewall lets it out"},
	{in: []Topology{ServerFirewall}, modes: activeModes,
		because: "the server connects, and its firewall lets it out"},
	{in: []Topology{ServerFirewall}, modes: passiveModes,
		because: "the server's firewall has the passive ports open"},

	{in: []Topology{IPv6}, modes: []Mode{PORT}, outcome: refused, broken: "FTP-PORT-016",
		because: "PORT has no room for the client's IPv6 address"},
	{in: []Topology{IPv6}, modes: []Mode{PASV}, outcome: refused, broken: "FTP-PASV-017",
		because: "227 has no room for the server's IPv6 address"},
	{in: []Topology{IPv6}, modes: []Mode{EPRT, EPSV},
		because: "EPRT and EPSV know IPv6, and nothing stands between client and server"},

	{in: []Topology{Hairpin}, modes: activeModes, outcome: detour, broken: "FTP-NAT-035",
		because: "the server knows the client by the outside address of their NAT, and the client names another"},
	{in: []Topology{Hairpin}, modes: passiveModes,
		because: "their NAT sends back what the client sends to its outside address"},
}

// pathFactOf finds the fact about a mode in a network.
func pathFactOf(t Topology, m Mode) (pathFact, bool) {
	i := slices.IndexFunc(pathFacts, func(f pathFact) bool { return slices.Contains(f.in, t) && slices.Contains(f.modes, m) })
	if i < 0 {
		return pathFact{}, false
	}
	return pathFacts[i], true
}
