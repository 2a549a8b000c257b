package suites

import (
	"bytes"
	"net/netip"

	"github.com/ftpconform/ftpconform/netsim"
)

// The checks of how a NAT maps endpoints: RFC 5382 sections 4.1, 7.1 and 7.2,
// RFC 4787 sections 4 and 6.
var natMappingChecks = []Check{
	{
		ID: "nat-mapping", Requirements: []string{"FTP-NAT-016"}, In: []Topology{ClientNAT},
		Title:    "One inside endpoint has one outside endpoint, whomever it connects to",
		Why:      "A server that dials back to the port that the control connection comes from, and every peer that was told an endpoint by a third one, relies on it.",
		Conforms: []string{"connections from one inside port to three endpoints come from one outside endpoint (RFC 5382 section 4.1)"},
		Fails:    []string{"they come from several (RFC 5382 section 4.1)"},
		Run:      natMapping,
	},
	{
		ID: "nat-no-overload", Requirements: []string{"FTP-NAT-022"}, In: []Topology{ClientNAT},
		Title:    "Two inside hosts that use one port for one server have two outside endpoints",
		Why:      "With one for both, the answers to one reach the other, or nobody.",
		Conforms: []string{"the two connections come from different outside endpoints, and both work (RFC 5382 section 7.1)"},
		Fails:    []string{"they come from one (RFC 5382 section 7.1)", "one of them does not work (RFC 5382 section 7.1)"},
		Network:  func(t *netsim.Topology) { addHost(t, "second", "home", "192.168.1.3") },
		Run:      natNoOverload,
	},
	{
		ID: "nat-pooling", Requirements: []string{"FTP-NAT-025"}, In: []Topology{ClientNAT},
		Title:    "Of several outside addresses, an inside host keeps one",
		Why:      "A server takes a data connection from another address than the control connection's for an attack, and refuses it.",
		Conforms: []string{"the control connection and five passive data connections come from one address (RFC 4787 section 4.1)"},
		Fails:    []string{"they come from several (RFC 4787 section 4.1)"},
		Network: func(t *netsim.Topology) {
			for _, a := range []string{"218.63.1.6", "218.63.1.7", "218.63.1.8"} {
				t.Gateways[0].NAT.Addresses = append(t.Gateways[0].NAT.Addresses, netip.MustParseAddr(a))
			}
		},
		Run: natPooling,
	},
	{
		ID: "nat-low-ports", Requirements: []string{"FTP-NAT-026"}, In: []Topology{ServerNAT},
		Title:    "A port below 1024 is mapped to one below 1024",
		Why:      "The data connections of a server come from port 20; the firewalls of its clients let in what comes from there.",
		Conforms: []string{"a data connection from port 20 of the server comes from a port below 1024 outside (RFC 4787 section 4.2.1)"},
		Noted:    []string{"it is not 20, so that a client that insists on that refuses it (RFC 959 section 5.2)"},
		Fails:    []string{"the port is 1024 or above (RFC 4787 section 4.2.1)"},
		Run:      natLowPorts,
	},
	{
		ID: "nat-hairpin", Requirements: []string{"FTP-NAT-023"}, In: []Topology{Hairpin},
		Title:    "An inside client reaches an inside server by its outside address, and is seen with an outside address itself",
		Why:      "The public name of a server works at home, too; with the inside address as source, the answers go past the gateway and nobody knows them.",
		Conforms: []string{"control and data connection arrive at the server from the outside address, and the transfer works (RFC 5382 section 7.2)"},
		Fails:    []string{"a connection does not arrive (RFC 5382 section 7.2)", "it comes from another address (RFC 5382 section 7.2)"},
		Run:      natHairpin,
	},
}

func natMapping(s *Session) {
	b := s.border(theGateway)
	from := netip.AddrPortFrom(s.Scene.Client().Addr(outsideAddr), 40001)
	stranger := netip.AddrPortFrom(s.Scene.Stranger().Addr(outsideAddr), otherPort)
	l, err := s.Client.Listen(stranger)
	if err != nil {
		s.Inconclusive("%v", err)
	}
	defer func() { _ = l.Close() }()
	seen := map[netip.AddrPort]netip.AddrPort{}
	targets := []netip.AddrPort{s.Target.Address, netip.AddrPortFrom(s.Target.Others[0], controlPort), stranger}
	for _, to := range targets {
		if _, err := s.Client.DialData(from, to); err != nil {
			s.Inconclusive("no connection: %v", err)
		}
		seen[to] = b.outside.syns(to)[0].View.Src
	}
	for _, to := range targets[1:] {
		if first := targets[0]; seen[to] != seen[first] {
			s.Fatal("%s connects to %s as %s and to %s as %s", from, first, seen[first], to, seen[to])
		}
	}
}

func natNoOverload(s *Session) {
	b := s.border(theGateway)
	const port = 40001
	for _, host := range []string{"client", "second"} {
		from := netip.AddrPortFrom(s.Scene.Host(host).Addr(outsideAddr), port)
		d, err := s.Client.DialData(from, s.Target.Address)
		if err == nil {
			err = d.Read(int64(len("220 ")), s.Bounds.Greet)
		}
		switch {
		case err != nil && host == "client":
			s.Inconclusive("no session: %v", err)
		case err != nil:
			s.Fail("beside a connection of another host from the same port, %s gets none: %v", from, err)
		}
	}
	from := map[netip.AddrPort]bool{}
	came := b.outside.syns(s.Target.Address)
	for _, x := range came {
		from[x.View.Src] = true
	}
	if len(from) < 2 {
		s.Fail("both hosts connect from port %d to %s, and both connections come from %s", port, s.Target.Address, came[0].View.Src)
	}
}

func natPooling(s *Session) {
	b := s.border(theGateway)
	c := s.Login()
	for range 5 {
		_, _ = c.SetUp(PASV).Dial() // a server that minds where it comes from ends it again
	}
	var first netip.AddrPort
	for _, x := range b.outside.all(func(x passage) bool { return x.Sent && x.Err == nil && x.View.TCP }) {
		switch src := x.View.Src; {
		case !first.IsValid():
			first = src
		case src.Addr() != first.Addr():
			s.Fatal("the control connection comes from %s, and a data connection from %s", first, src)
		}
	}
}

func natLowPorts(s *Session) {
	b := s.border(theGateway)
	c := s.Login()
	p := c.SetUp(PORT)
	t := c.Retrieve(p, "RETR %s", SmallFile)
	inside, outside := b.inside.syns(p.Endpoint), b.outside.syns(p.Endpoint)
	switch {
	case len(inside) == 0 || inside[0].View.Src.Port() >= 1024:
		s.Inconclusive("the server did not connect from a port below 1024: %s", t)
	case len(outside) == 0:
		s.Inconclusive("the server's connection has not left the gateway: %s", t)
	case outside[0].View.Src.Port() >= 1024:
		s.Fail("the server connects from %s, and outside that is %s", inside[0].View.Src, outside[0].View.Src)
	case outside[0].View.Src.Port() != inside[0].View.Src.Port():
		s.Note("the server connects from %s, and outside that is %s", inside[0].View.Src, outside[0].View.Src)
	}
}

func natHairpin(s *Session) {
	s.border(theGateway)
	server := s.Scene.record("server")
	inside := netip.AddrPortFrom(s.Scene.Server().Addr(outsideAddr), controlPort)
	c, err := s.TryLogin()
	arrived := func(to netip.AddrPort, what string) {
		came := server.syns(to)
		switch {
		case len(came) == 0:
			s.Fatal("the client's %s connection to %s does not reach the server", what, netip.AddrPortFrom(outsideAddr, to.Port()))
		case came[0].View.Src.Addr() != outsideAddr:
			s.Fatal("the client's %s connection reaches the server from %s; it should come from %s", what, came[0].View.Src, outsideAddr)
		}
	}
	arrived(inside, "control")
	if err != nil {
		s.Inconclusive("no session: %v", err)
	}
	r := c.Must("PASV")
	ep, err := passiveEndpoint(r.Reply)
	if err != nil || ep.Addr() != outsideAddr {
		s.Inconclusive("the server was to name %s in %s%s", outsideAddr, r, because(err))
	}
	t := c.Retrieve(&Path{Mode: PASV, Endpoint: ep, c: c}, "RETR %s", SmallFile)
	arrived(netip.AddrPortFrom(inside.Addr(), ep.Port()), "data")
	if t.Data == nil || !t.OK() || !bytes.Equal(t.Data.Bytes(), SmallContent) {
		s.Fail("the transfer failed: %s", t)
	}
}
