package suites

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/ftpconform/ftpconform/fakeclient"
	"github.com/ftpconform/ftpconform/ftp"
	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/alg"
)

// The checks of what an application level gateway makes of the texts: RFC 2663
// section 7.1, RFC 3022 section 4.4, RFC 3027 section 4.1, RFC 2428 section 4.
var algChecks = []Check{
	{
		ID: "alg-port-address", Requirements: []string{"FTP-NAT-001"}, In: []Topology{ClientNATALG, DoubleNAT},
		Title:    "PORT of an inside client leaves with the outside address, and the server's connection to it arrives",
		Why:      "A server cannot connect to a private address; without the translation active mode fails behind every NAT.",
		Conforms: []string{"outside, PORT names the outside address, behind two NATs that of the outer one, and the data connection reaches the client (RFC 2663 section 7.1, RFC 3022 section 4.4)"},
		Fails:    []string{"PORT leaves with another address (RFC 2663 section 7.1)", "nobody gets through to the client (RFC 3022 section 4.4)"},
		Network:  func(t *netsim.Topology) { sameLength(t); helped(t) },
		Run:      func(s *Session) { s.translates(PORT) },
	},
	{
		ID: "alg-eprt", Requirements: []string{"FTP-NAT-013"}, In: []Topology{ClientNATALG},
		Title:    "EPRT of an inside client is translated like PORT",
		Why:      "Clients that prefer the extended commands use EPRT over IPv4, too; a helper that knows PORT alone breaks them.",
		Conforms: []string{"outside, EPRT names the outside address, and the data connection reaches the client (RFC 2428 section 4, RFC 2663 section 7.1)"},
		Fails:    []string{"EPRT leaves with the inside address (RFC 2428 section 4)", "nobody gets through to the client (RFC 2663 section 7.1)"},
		Network:  sameLength,
		Run:      func(s *Session) { s.translates(EPRT) },
	},
	{
		ID: "alg-port-number", Requirements: []string{"FTP-NAT-002"}, In: []Topology{ClientNATALG},
		Title:    "Two inside clients that announce the same port are given two ports outside, and each gets its own data",
		Why:      "Clients take their ports from the same range; one outside port for two sends the file of one to the other.",
		Conforms: []string{"outside, the two PORT commands name different ports, and each data connection reaches the client that asked (RFC 3022 section 4.4)"},
		Fails:    []string{"both name one port (RFC 3022 section 4.4)", "a data connection reaches the wrong client, or none (RFC 3022 section 4.4)"},
		Network: func(t *netsim.Topology) {
			addHost(t, "second", "home", "10.10.10.3")
			sameLength(t)
		},
		Run: algPortNumber,
	},
	{
		ID: "alg-pasv-address", Requirements: []string{"FTP-NAT-003"}, In: []Topology{ServerNATALG},
		Title:    "227 of an inside server names the outside address, where the client's connection gets through",
		Why:      "A client that trusts 227 cannot connect to a private address; one that does not would still find the port closed.",
		Conforms: []string{"227 arrives with the outside address, and a connection to the very endpoint that it names serves a transfer (RFC 3022 section 4.4)"},
		Fails:    []string{"227 names another address (RFC 3022 section 4.4)", "the connection to that endpoint does not get through (RFC 2663 section 7.1)"},
		Network:  sameLength,
		Run:      algPASVAddress,
	},
	{
		ID: "alg-epsv-untouched", Requirements: []string{"FTP-NAT-013"}, In: []Topology{ClientNATALG},
		Title:    "229 of an outside server passes unchanged",
		Why:      "229 has no address that could be wrong; a helper that changes it can only do harm.",
		Conforms: []string{"the reply to EPSV is the same on both sides, and the transfer works (RFC 2428 section 4)"},
		Noted:    []string{"the reply is printed anew with the same port, as Linux does with unusual delimiters (RFC 2428 section 3)"},
		Fails:    []string{"another port arrives, or no reply that can be read (RFC 2428 section 4)"},
		Network:  sameLength,
		Run: func(s *Session) {
			b := s.border(theGateway)
			c := s.Login()
			k := b.follow(c)
			r := c.Must("EPSV")
			said, line := k.announced(EPSV)
			switch port, _, err := ftp.ScanEPSVReply(r.Text()); {
			case line == "229 "+r.Text():
			case err == nil && port == said.Port():
				s.Note("the server said %q, and \"229 %s\" arrived; the port is the same", line, r.Text())
			default:
				s.Fatal("the server said %q, and \"229 %s\" arrived", line, r.Text())
			}
			c.settle()
			if t := c.Retrieve(c.SetUp(EPSV), "RETR %s", SmallFile); !t.OK() || !bytes.Equal(t.Data.Bytes(), SmallContent) {
				s.Inconclusive("the transfer over EPSV failed: %s", t)
			}
		},
	},
	{
		ID: "alg-epsv-all", Requirements: []string{"FTP-NAT-014"}, In: []Topology{ClientNATALG},
		Title:    "After EPSV ALL a session goes on through the helper, and a PORT that breaks the promise is left to the server",
		Why:      "EPSV ALL lets a helper step aside; it must not cut the session off, nor take answers upon itself.",
		Conforms: []string{"transfers over EPSV work, PORT is refused by the server, translated or not, and NOOP is answered (RFC 2428 section 4, RFC 3027 section 4.1)"},
		Fails:    []string{"a transfer over EPSV fails (RFC 2428 section 4)", "the session does not go on (RFC 2428 section 4)"},
		Network:  sameLength,
		Run:      algEPSVAll,
	},
	{
		ID: "alg-others-off", Requirements: []string{"FTP-NAT-021"}, In: []Topology{ClientNATALG, ClientNAT}, Varies: true,
		Title:    "What is not FTP passes octet for octet, and so does FTP where the helper is switched off",
		Why:      "Helpers for other protocols, or for whatever looks like an address, damage applications that do without (RFC 5382 section 6).",
		Conforms: []string{"texts and octets that hold addresses pass a connection to another port unchanged, in both directions, and without a helper PORT does (RFC 5382 section 6)"},
		Fails:    []string{"an octet is changed (RFC 5382 section 6)"},
		Run:      algOthersOff,
	},
}

// helped gives every gateway a helper.
func helped(t *netsim.Topology) {
	for i := range t.Gateways {
		t.Gateways[i].ALG.Profile = alg.Linux
	}
}

// settle lets a second go by and has a command pass: a helper that is slow to
// expect a connection does so then. When it must is the subject of a check of
// its own.
func (c *Control) settle() {
	c.s.Sleep(time.Second)
	c.Must("NOOP")
}

// announce sends PORT or EPRT for a listener and returns how the command stands
// outside.
func (k *talk) announce(c *Control, m Mode, ep netip.AddrPort) (outside netip.AddrPort, line string) {
	r, err := c.Try(announcement(m, ep))
	if err != nil {
		k.b.s.Inconclusive("%v", err)
	}
	outside, line = k.announced(m)
	if !r.Positive() && outside.Addr() != ep.Addr() {
		k.b.s.Inconclusive("%q was answered %s", line, r)
	}
	return outside, line
}

// mustAnnounce is announce for a check whose subject is another one.
func (k *talk) mustAnnounce(c *Control, m Mode, ep netip.AddrPort) netip.AddrPort {
	outside, line := k.announce(c, m, ep)
	if outside.Addr() != outsideAddr {
		k.b.s.Inconclusive("%s is not translated: %q", m, line)
	}
	return outside
}

// translates checks that an endpoint of the client is translated in an active
// mode, and that the server's connection to it arrives. The outermost gateway
// is the last one.
func (s *Session) translates(m Mode) {
	gateways := s.Scene.Topology.Gateways
	b := s.border(gateways[len(gateways)-1].Name)
	c := s.Login()
	k := b.follow(c)
	l := c.Listen()
	ep, line := k.announce(c, m, l.Endpoint)
	if ep.Addr() != outsideAddr {
		s.Fatal("the client announced %s, and outside the command is %q; it should name %s", l.Endpoint, line, outsideAddr)
	}
	c.settle()
	t := c.Retrieve(&Path{Mode: m, Endpoint: l.Endpoint, Listener: l, c: c}, "RETR %s", SmallFile)
	switch {
	case t.Data == nil:
		s.Fail("the server was told %s, and nobody got through to %s: %s", ep, l.Endpoint, t)
	case !t.OK() || !bytes.Equal(t.Data.Bytes(), SmallContent):
		s.Fail("the transfer failed: %s", t)
	}
}

func algPortNumber(s *Session) {
	b := s.border(theGateway)
	names := []string{SmallFile, TextFile}
	contents := [][]byte{SmallContent, TextContent}
	hosts := []netip.Addr{s.Scene.Client().Addr(outsideAddr), s.Scene.Host("second").Addr(outsideAddr)}
	const port = 50<<8 | 123
	var (
		controls []*Control
		paths    []*Path
		told     []netip.AddrPort
	)
	for _, a := range hosts {
		c := s.LoginFrom(a, s.Target.Address)
		k := b.follow(c)
		l, err := s.Client.Listen(netip.AddrPortFrom(a, port))
		if err != nil {
			s.Inconclusive("%v", err)
		}
		controls, told = append(controls, c), append(told, k.mustAnnounce(c, PORT, l.Endpoint))
		paths = append(paths, &Path{Mode: PORT, Endpoint: l.Endpoint, Listener: l, c: c})
	}
	if told[0] == told[1] {
		s.Fatal("both clients announced port %d, and outside both commands name %s", port, told[0])
	}
	for i, c := range controls {
		c.settle()
		switch t := c.Retrieve(paths[i], "RETR %s", names[i]); {
		case t.Data == nil:
			s.Fail("the server was told %s, and nobody got through to %s: %s", told[i], paths[i].Endpoint, t)
		case !bytes.Equal(t.Data.Bytes(), contents[i]):
			s.Fail("%s was asked for by %s, which got %d octets of something else: %s", names[i], hosts[i], t.Data.Total(), t)
		}
	}
}

func algPASVAddress(s *Session) {
	b := s.border(theGateway)
	c := s.Login()
	k := b.follow(c)
	c.Must("PASV")
	ep, line := k.announced(PASV)
	if ep.Addr() != outsideAddr {
		s.Fatal("227 arrives as %q; it should name %s", line, outsideAddr)
	}
	c.settle()
	t := c.Retrieve(&Path{Mode: PASV, Endpoint: ep, c: c}, "RETR %s", SmallFile)
	switch {
	case t.Data == nil:
		s.Fail("227 names %s, and a connection to that does not get through: %s", ep, t)
	case !t.OK() || !bytes.Equal(t.Data.Bytes(), SmallContent):
		s.Fail("the transfer failed: %s", t)
	}
}

func algEPSVAll(s *Session) {
	b := s.border(theGateway)
	c := s.Login()
	k := b.follow(c)
	c.Must("EPSV ALL")
	p := c.SetUp(EPSV)
	c.settle()
	if t := c.Retrieve(p, "RETR %s", SmallFile); !t.OK() || t.Data == nil || !bytes.Equal(t.Data.Bytes(), SmallContent) {
		s.Fail("after EPSV ALL a transfer over EPSV failed: %s", t)
	}
	l := c.Listen()
	r, err := c.Try(announcement(PORT, l.Endpoint))
	switch {
	case err != nil:
		_, line := k.announced(PORT)
		s.Inconclusive("after EPSV ALL %q has left the gateway, and no answer came: %v", line, err)
	case r.Positive():
		s.Inconclusive("after EPSV ALL the server accepted PORT: %s", r)
	}
	if _, line := k.announced(PORT); strings.Contains(line, commas(l.Endpoint.Addr())) {
		s.Client.Trace().Note("outside, the command is %q: the helper has stepped aside", line)
	}
	c.Alive("a PORT that breaks the promise of EPSV ALL")
}

// otherPort is one that no helper has any business with.
const otherPort = 7000

func algOthersOff(s *Session) {
	b := s.border(theGateway)
	client, stranger := s.Scene.Client().Addr(outsideAddr), s.Scene.Stranger().Addr(outsideAddr)
	near, far := s.pair(netip.AddrPortFrom(client, 0), netip.AddrPortFrom(stranger, otherPort))
	for _, a := range []netip.Addr{client, outsideAddr} {
		four := a.As4()
		text := append(fmt.Appendf(nil, "PORT %s,4,1\r\nEPRT |1|%s|1025|\r\n227 (%s,4,1).\r\nContact: %s:7000\r\n", commas(a), a, commas(a), a), four[:]...)
		for _, way := range [][2]*fakeclient.Data{{near, far}, {far, near}} {
			from, to := way[0], way[1]
			had := len(to.Bytes())
			if _, err := from.Send(text, s.Bounds.Reply); err != nil {
				s.Inconclusive("%v", err)
			}
			err := to.Read(int64(len(text)), s.Bounds.Reply)
			if got := to.Bytes()[had:]; err != nil || !bytes.Equal(got, text) {
				s.Fail("over port %d, %q was sent and %q arrived%s", otherPort, text, got, because(err))
			}
		}
	}
	if s.Scene.Topology.Gateways[0].ALG.Profile != "" {
		return
	}
	c := s.Login()
	k := b.follow(c)
	l := c.Listen()
	c.Cmd("%s", announcement(PORT, l.Endpoint))
	if ep, line := k.announced(PORT); ep != l.Endpoint {
		s.Fail("without a helper PORT for %s stands outside as %q", l.Endpoint, line)
	}
}
