package suites

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/ftpconform/ftpconform/ftp"
)

// The checks of the modes where there is no IPv4: RFC 2428 sections 1 and 2,
// RFC 4291 section 2.2 for the notations of addresses. Those of EPRT and EPSV
// that are not special to IPv6 are in eprt.go and epsv.go and run there, too.
var ipv6Checks = []Check{
	{
		ID: "port-ipv6", Requirements: []string{"FTP-PORT-016"}, Needs: []Need{NeedFiles}, In: []Topology{IPv6},
		Title:    "PORT is refused on an IPv6 connection, and nothing is dialled",
		Why:      "PORT has room for four octets; a client that is told 200 waits for a connection that goes somewhere else.",
		Conforms: []string{"5yz to PORT (RFC 2428 section 1), the next transfer is refused, and EPRT works in the same session (RFC 2428 section 2)"},
		Fails:    []string{"2yz, or called a temporary failure (RFC 2428 section 1, RFC 959 section 4.2)", "the next transfer claims success (RFC 959 section 5.2)", "the session, or EPRT in it, fails (RFC 2428 section 2)"},
		Run:      portIPv6,
	},
	{
		ID: "pasv-ipv6", Requirements: []string{"FTP-PASV-017"}, Needs: []Need{NeedFiles}, In: []Topology{IPv6},
		Title:    "PASV is refused on an IPv6 connection",
		Why:      "227 has room for four octets; what servers put there, zeros or a part of the address, leads clients nowhere.",
		Conforms: []string{"5yz or 425 (RFC 2428 section 1), and EPSV works in the same session (RFC 2428 section 3)"},
		Noted:    []string{"227 with an IPv4 address that can be reached"},
		Fails:    []string{"227 with an endpoint that cannot be reached, or another answer (RFC 2428 section 1)", "the session, or EPSV in it, fails (RFC 2428 section 3)"},
		Run:      pasvIPv6,
	},
	{
		ID: "eprt-notations", Requirements: []string{"FTP-EPRT-002"}, Needs: []Need{NeedEPRT, NeedPORT, NeedFiles}, In: []Topology{IPv6},
		Title:    "EPRT works with every notation of an IPv6 address",
		Why:      "The address is written by whatever library the client has; a server that compares texts refuses its own client.",
		Conforms: []string{"200, and a connection, with the address compressed, in full, in capitals and with its end in the form of IPv4 (RFC 2428 section 2, RFC 4291 section 2.2)", "5yz to an IPv4-mapped address, which is no address of this client (RFC 2577 section 3)"},
		Noted:    []string{"200 to the IPv4-mapped address, and no connection"},
		Fails:    []string{"a notation is refused or not dialled (RFC 2428 section 2)", "success after the IPv4-mapped address is claimed (RFC 959 section 5.2)"},
		Waits:    pathWaits,
		Run:      eprtNotations,
	},
	{
		ID: "eprt-other-family", Requirements: []string{"FTP-EPRT-009"}, Needs: []Need{NeedEPRT, NeedPORT, NeedFiles}, In: []Topology{IPv6},
		Title:    "EPRT with an IPv4 address on an IPv6 connection is refused, or the address is dialled",
		Why:      "A client with two addresses of different kinds may try; it has to learn that it does not work before it waits.",
		Conforms: []string{"522 with the list of protocols, or 5yz because the address is foreign (RFC 2428 section 2, RFC 2577 section 4)"},
		Noted:    []string{"4yz"},
		Fails:    []string{"200 to an address that a server without IPv4 cannot dial (RFC 2428 section 2)", "522 without the list (RFC 2428 section 2)"},
		Run: func(s *Session) {
			c := s.Login()
			line := announcement(EPRT, elsewhere)
			switch r := c.answer(line); {
			case r.Code == 522:
				s.gradeFamilies(r, EPRT)
			case r.Class() == 5:
			case r.Positive():
				s.Fail("%s was answered %s; here is no IPv4 to dial it with, and 522 was expected", line, r)
			default:
				s.Note("%s was answered %s; 522 would tell the client what to use", line, r)
			}
			c.Alive("EPRT with an IPv4 address")
		},
	},
	{
		ID: "eprt-zone", Requirements: []string{"FTP-EPRT-011"}, Needs: []Need{NeedEPRT, NeedPORT, NeedFiles}, In: []Topology{IPv6},
		Title:    "EPRT with a zone identifier is refused, or leads to a connection",
		Why:      "The zone is the name of an interface of the client; the server has none of that name, or another one.",
		Conforms: []string{"5yz (RFC 2428 section 2), or 200 and a connection to the client"},
		Noted:    []string{"4yz", "200 and a connection to the client"},
		Fails:    []string{"200 and no connection to the client (RFC 2428 section 2)"},
		Waits:    pathWaits,
		Run:      eprtZone,
	},
}

func portIPv6(s *Session) {
	c := s.Login()
	l := c.Listen()
	line := announcement(PORT, netip.AddrPortFrom(elsewhere.Addr(), l.Endpoint.Port()))
	r := c.answer(line)
	if r.Class() != 5 {
		s.Fail("%s was answered %s on an IPv6 connection; 5yz was expected", line, r)
	}
	t := c.Start("RETR %s", SmallFile)
	if t.AwaitConnection(l, s.Config.dataTimeout()); t.Data != nil {
		t.Data.Wait(s.Bounds.Transfer)
		s.Note("after %s the server connected to the port in it on the client's IPv6 address", r)
	}
	if t.Finish(s.Config.dataTimeout()); t.Final.Positive() && t.Data == nil {
		s.Fail("RETR after PORT was answered %s, and no data connection was made", t.Final)
	}
	if c.gone || !c.Alive("PORT on an IPv6 connection") || !s.Target.Works(EPRT) {
		return
	}
	if t := c.Retrieve(c.SetUp(EPRT), "RETR %s", SmallFile); !t.OK() {
		s.Fail("in the session in which PORT had been tried a transfer with EPRT failed: %s", t)
	}
}

func pasvIPv6(s *Session) {
	c := s.Login()
	switch r := c.answer("PASV"); {
	case r.Class() == 5, r.Code == 425:
	case r.Code != 227:
		s.Fail("PASV was answered %s on an IPv6 connection; 5yz was expected", r)
	default:
		ep, err := passiveEndpoint(r.Reply)
		if err != nil {
			s.Fail("PASV was answered %s on an IPv6 connection; 5yz was expected", r)
			break
		}
		if _, err := (&Path{Mode: PASV, Endpoint: ep, c: c}).Dial(); err != nil {
			s.Fail("PASV was answered %s on an IPv6 connection, and %s cannot be reached: %v; 5yz was expected", r, ep, err)
		} else {
			s.Note("PASV was answered %s on an IPv6 connection, and the endpoint can be reached", r)
		}
	}
	if !c.Alive("PASV on an IPv6 connection") || !s.Target.Works(EPSV) {
		return
	}
	if t := c.Retrieve(c.SetUp(EPSV), "RETR %s", SmallFile); !t.OK() {
		s.Fail("in the session in which PASV had been tried a transfer with EPSV failed: %s", t)
	}
}

// notation is a way to write an address.
type notation struct{ name, text string }

// notations writes an IPv6 address in the ways of RFC 4291 section 2.2.
func notations(a netip.Addr) []notation {
	full := a.StringExpanded()
	b := a.As16()
	groups := strings.Split(full, ":")
	return []notation{
		{"compressed", a.String()},
		{"in full", full},
		{"in capitals", strings.ToUpper(full)},
		{"with an end in the form of IPv4", strings.Join(groups[:6], ":") + ":" + netip.AddrFrom4([4]byte(b[12:])).String()},
	}
}

func eprtNotations(s *Session) {
	s.mustWork(EPRT)
	c := s.Login()
	for _, n := range notations(c.Local.Addr()) {
		l := c.Listen()
		line := fmt.Sprintf("EPRT |%d|%s|%d|", ftp.FamilyIPv6, n.text, l.Endpoint.Port())
		if r := c.answer(line); !r.Positive() {
			s.Fail("%s, the client's address %s, was answered %s; 200 was expected", line, n.name, r)
			continue
		}
		t := c.Retrieve(&Path{Mode: EPRT, Endpoint: l.Endpoint, Listener: l, c: c}, "RETR %s", SmallFile)
		if t.Data == nil || !t.OK() {
			s.Fatal("%s, the client's address %s, was accepted, and the transfer failed: %s", line, n.name, t)
		}
	}
	line := fmt.Sprintf("EPRT |%d|::ffff:%s|%d|", ftp.FamilyIPv6, elsewhere.Addr(), elsewhere.Port())
	switch r := c.answer(line); {
	case r.Class() == 5:
	case !r.Positive():
		s.Note("%s was answered %s; 5yz was expected", line, r)
	default:
		if t := c.Start("RETR %s", SmallFile).Finish(pathPatience); t.Final.Positive() {
			s.Fail("%s was answered %s, and RETR %s; nobody has that address", line, r, t.Final)
		} else {
			s.Note("%s was answered %s; RETR: %s", line, r, t)
		}
	}
}

func eprtZone(s *Session) {
	for _, a := range []string{"fe80::1", s.Login().Local.Addr().String()} {
		c := s.Login()
		l := c.Listen()
		line := fmt.Sprintf("EPRT |%d|%s%%lo|%d|", ftp.FamilyIPv6, a, l.Endpoint.Port())
		switch r := c.answer(line); {
		case r.Class() == 5:
			c.Alive("EPRT with a zone identifier")
			continue
		case !r.Positive():
			s.Note("%s was answered %s; 5yz was expected", line, r)
			continue
		default:
			t := c.Start("RETR %s", SmallFile)
			if t.AwaitConnection(l, pathPatience); t.Data == nil {
				s.Fail("%s was answered %s, and no connection came from the server: %s; 501 was expected", line, r, t)
				c.End()
				continue
			}
			t.Data.Wait(s.Bounds.Transfer)
			s.Note("%s was answered %s, and the transfer: %s; 501 was expected", line, r, t.Finish(s.Bounds.Reply))
		}
	}
}
