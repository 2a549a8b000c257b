package suites

import (
	"net/netip"
	"time"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/reference"
)

// The checks of what becomes of active and passive mode in each network: the
// failure case that every tutorial tells, and the cases in which nothing may
// fail. What is expected where stands in pathfacts.go, how it is found out in
// pathrun.go.
var pathChecks = []Check{
	{
		ID: "path-port", Requirements: []string{"FTP-PORT-001", "FTP-PORT-009", "FTP-PORT-015", "FTP-PORT-016", "FTP-NAT-035"}, Needs: []Need{NeedFiles},
		Title:    "PORT transfers work where the network lets the server connect, and fail cleanly elsewhere",
		Why:      "Behind a NAT active mode fails; what the user sees then, an error at once or a session that hangs, is up to the server.",
		Conforms: pathConforms("PORT", "RFC 1123 section 4.1.2.13"),
		Noted:    pathNoted,
		Fails:    append([]string{"PORT is refused, or a transfer fails, in a network that carries it (RFC 1123 section 4.1.2.13)", "data from another address than the one that the client has reached (RFC 1123 section 4.1.2.12)"}, pathFails...),
		Waits:    pathWaits, In: Topologies(), Varies: true, Network: asItIs,
		Run: func(s *Session) { s.travel(PORT) },
	},
	{
		ID: "path-eprt", Requirements: []string{"FTP-EPRT-001", "FTP-PORT-009", "FTP-PORT-015", "FTP-NAT-035"}, Needs: []Need{NeedFiles},
		Title:    "EPRT transfers work where the network lets the server connect, and fail cleanly elsewhere",
		Why:      "Clients try EPRT before PORT; each try that hangs adds to the time until they fall back to passive mode.",
		Conforms: pathConforms("EPRT", "RFC 2428 section 2"),
		Noted:    pathNoted,
		Fails:    append([]string{"EPRT is refused, or a transfer fails, in a network that carries it (RFC 2428 section 2)", "data from another address than the one that the client has reached (RFC 1123 section 4.1.2.12)"}, pathFails...),
		Waits:    pathWaits, In: Topologies(), Varies: true, Network: asItIs,
		Run: func(s *Session) { s.travel(EPRT) },
	},
	{
		ID: "path-pasv", Requirements: []string{"FTP-PASV-001", "FTP-PASV-005", "FTP-PASV-017", "FTP-NAT-034"}, Needs: []Need{NeedFiles, NeedAdvertise, NeedOpenPorts},
		Title:    "PASV transfers over the endpoint in 227 work in every network with IPv4",
		Why:      "Passive mode is the way out where active mode fails; it has to work for clients that believe what 227 says.",
		Conforms: []string{"227, a connection to the endpoint in it, a file in each direction, 226 or 250 (RFC 1123 section 4.1.2.6)", "with IPv6 5yz or 425, and the session goes on (RFC 2428 section 1)"},
		Fails:    []string{"PASV is refused, its endpoint does not answer, or a transfer fails (RFC 1123 section 4.1.2.6)", "with IPv6 another answer; that breaks a SHOULD (RFC 2428 section 1)"},
		In:       Topologies(), Varies: true, Network: asItIs,
		Run: func(s *Session) { s.travel(PASV) },
	},
	{
		ID: "path-epsv", Requirements: []string{"FTP-EPSV-001"}, Needs: []Need{NeedEPSV, NeedFiles, NeedOpenPorts},
		Title:    "EPSV transfers work in every network",
		Why:      "229 names no address, so nothing on the way has to be rewritten: it is the mode that works most often.",
		Conforms: []string{"229, a connection to its port, a file in each direction, 226 or 250 (RFC 2428 section 3)"},
		Fails:    []string{"EPSV is refused, its port does not answer, or a transfer fails (RFC 2428 section 3)"},
		In:       Topologies(), Varies: true, Network: asItIs,
		Run: func(s *Session) { s.travel(EPSV) },
	},
	{
		ID: "path-dialled", Requirements: []string{"FTP-PORT-015", "FTP-NAT-035"}, Needs: []Need{NeedFiles},
		Title:    "A server that dials what it is told gives up in bounded time when nobody answers, and passive mode works then",
		Why:      "It is what the servers of the tutorials do: the user waits, is told 425, and changes to passive mode.",
		Conforms: []string{"200 to PORT and EPRT with the client's address behind its NAT, 425 within 30 s of RETR, NOOP is answered, a PASV transfer works (RFC 959 section 4.2.1)"},
		Noted:    []string{"425 within 150 s", "426 or 451 in place of 425", "421 with the end of the session"},
		Fails:    []string{"no final reply in that time (RFC 959 section 4.2)", "success, or a permanent failure (RFC 959 section 4.2)", "the session or its next transfer fails (RFC 959 section 4.2)"},
		Waits:    pathWaits, In: []Topology{ClientNAT},
		Server: func(o *reference.Options) { o.AllowForeign, o.DataTimeout = true, 25*time.Second },
		Run:    pathDialled,
	},
	{
		ID: "path-abor", Requirements: []string{"FTP-ABOR-011", "FTP-PORT-015"}, Needs: []Need{NeedFiles},
		Title:    "ABOR works while the server dials and nobody answers",
		Why:      "It is the moment in which users give up; a server that can do nothing but dial meanwhile is not there for them.",
		Conforms: []string{"426 or 425, then 226 or 225, before the server's timeout (RFC 959 section 4.1.3)"},
		Noted:    []string{"only after the timeout: a server may defer ABOR (RFC 1123 section 4.1.3.3)", "another 4yz in place of 425"},
		Fails:    []string{"no final reply, or one (RFC 959 section 4.1.3)", "any other code (RFC 959 section 4.1.3)"},
		Waits:    pathWaits, In: []Topology{ClientNAT},
		Server: func(o *reference.Options) { o.AllowForeign = true },
		Run: func(s *Session) {
			c := s.abortable()
			l := c.Listen()
			c.Announce(PORT, l.Endpoint)
			s.abortsConnecting(c)
		},
	},
	{
		ID: "path-decoy", Requirements: []string{"FTP-NAT-035"}, Needs: []Need{NeedFiles, NeedServerSide},
		Title:    "A machine that happens to have the client's private address hears nothing from the server",
		Why:      "Private addresses are everywhere the same; the file would go to a stranger, and the client would be told 226.",
		Conforms: []string{"5yz to PORT and EPRT with the address that the client has behind its NAT, and no connection after RETR (RFC 2577 sections 3 and 4)"},
		Noted:    []string{"4yz", "200, and then a refusal of the transfer without a connection"},
		Fails:    []string{"a connection to the machine in the server's network (RFC 2577 section 4)", "a transfer that claims success, or has no final reply (RFC 959 section 4.2)"},
		In:       []Topology{ClientNAT, DoubleNAT}, Network: withDecoy,
		Run: func(s *Session) {
			s.avoidsDecoy(PORT)
			s.avoidsDecoy(EPRT)
		},
	},
	{
		ID: "path-advertised", Requirements: []string{"FTP-NAT-034"}, Needs: []Need{NeedFiles, NeedAdvertise, NeedOpenPorts},
		Title:    "A server behind a NAT names in 227 the outside address that it has been told",
		Why:      "A private address in 227 leads the client into its own network, or nowhere.",
		Conforms: []string{"the NAT's outside address and a port that works; EPSV works without naming one (RFC 1123 section 4.1.2.6)"},
		Fails:    []string{"another address (RFC 1123 section 4.1.2.6)", "no port is opened, or it does not work from outside (RFC 1123 section 4.1.2.6)"},
		In:       []Topology{ServerNAT, Hairpin}, Network: asItIs,
		Run: pathAdvertised,
	},
	{
		ID: "path-range", Requirements: []string{"FTP-PASV-023"}, Needs: []Need{NeedFiles, NeedFewPorts},
		Title:    "Every port of 227 and 229 is inside the configured range and reachable through the firewall that opens it",
		Why:      "A port outside the range works until there is a firewall, and then for some transfers only.",
		Conforms: []string{"two sessions that send PASV and EPSV more often than the range has ports get ports inside it, each of its own, that accept through the firewall (RFC 1579, Security; RFC 959 section 4.1.2)", "when all are in use, 425, 421 or 451, and a port once one is free again (RFC 959 section 4.2.1)"},
		Fails:    []string{"a port outside the range, one that does not accept, or one that another session uses (RFC 959 section 4.1.2)", "a permanent failure for want of ports, or none to be had when one is free again (RFC 959 section 4.2)"},
		In:       []Topology{ServerFirewall}, Network: withFewPorts,
		Run: pathRange,
	},
}

// pathPatience is the time after which a server that still dials is no longer
// slow, but broken (FTP-PORT-015).
const pathPatience = 150 * time.Second

func pathWaits(*Config) time.Duration { return 2 * pathPatience }

func pathConforms(verb, clause string) []string {
	return []string{verb + ", the server connects, a file in each direction, 226 or 250, where the network carries it (" + clause + ")",
		"elsewhere 5yz to " + verb + " (RFC 2577 section 3), or 425 within 30 s, or the target's own timeout, of the transfer command (RFC 959 section 4.2.1); the session goes on"}
}

var (
	pathNoted = []string{"425 within 150 s", "426 or 451 in place of 425", "421 with the end of the session", "4yz to the set-up command"}
	pathFails = []string{"where it cannot work: success without a connection, or the session ends (RFC 959 section 4.2)",
		"the same with no reply in time, a permanent failure of the transfer, or a connection to another host; these break a SHOULD (RFC 959 section 4.2.1, RFC 2577 section 4)"}
)

// asItIs leaves the network as it is; a check that has it needs the simulated
// network, because what stands between client and server has to be known.
func asItIs(*netsim.Topology) {}

// withDecoy puts a machine into the server's network that has the client's
// address.
func withDecoy(t *netsim.Topology) {
	client, _ := t.Host("client")
	server, _ := t.Host("server")
	t.Decoy = "decoy"
	t.Hosts = append(t.Hosts, netsim.Host{Name: t.Decoy, Network: server.Network, Addrs: []netip.Addr{client.Addrs[0]}})
}

// withFewPorts makes the passive range, which the firewall opens, so small that
// it can be used up.
func withFewPorts(t *netsim.Topology) {
	few := t.PassivePorts
	few.Last = few.First + 5
	rules := t.Gateways[0].Filter.Rules
	for i := range rules {
		if rules[i].Ports == t.PassivePorts {
			rules[i].Ports = few
		}
	}
	t.PassivePorts = few
}
