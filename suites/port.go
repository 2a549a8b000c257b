package suites

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/ftpconform/ftpconform/fakeclient"
)

// The checks of PORT: RFC 959 sections 3.2, 3.3, 4.1.2 and 5.2, RFC 1123
// section 4.1.2.12.
var portChecks = []Check{
	{
		ID: "port-works", Requirements: []string{"FTP-PORT-001"}, Needs: []Need{NeedPORT, NeedFiles}, In: whereDialled,
		Title:    "A file can be fetched in active mode",
		Why:      "Active mode is in the minimum command set; clients that listen themselves, old and embedded ones above all, have no other.",
		Conforms: []string{"200 to PORT, the server connects, 1yz, the file, 226 (RFC 1123 section 4.1.2.13)"},
		Noted:    []string{"nothing; a target that is meant to be passive-only is not judged (conflict C-12)"},
		Fails:    []string{"PORT to the client's own address and a high port is refused (RFC 1123 section 4.1.2.13)", "no connection, or not the file (RFC 959 section 3.2)"},
		Run: func(s *Session) {
			s.onlyIPv4(PORT)
			c := s.Login()
			l := c.Listen()
			r := c.Cmd("%s", announcement(PORT, l.Endpoint))
			if !r.Positive() {
				s.Fatal("PORT to the client's own address was answered %s; it has to work (200)", r)
			}
			t := c.Retrieve(&Path{Mode: PORT, Endpoint: l.Endpoint, Listener: l, c: c}, "RETR %s", SmallFile)
			switch {
			case t.Data == nil:
				s.Fatal("the server did not connect to the endpoint of PORT: %s", t)
			case !t.OK() || !bytes.Equal(t.Data.Bytes(), SmallContent):
				s.Fatal("the transfer failed: %s", t)
			}
		},
	},
	{
		ID: "port-octets", Requirements: []string{"FTP-PORT-002"}, Needs: []Need{NeedPORT, NeedFiles}, In: whereDialled,
		Title:    "The server connects to port p1*256+p2 of the address in PORT",
		Why:      "A server that takes the two octets the other way round works only where both are equal.",
		Conforms: []string{"the connection arrives exactly at the endpoint named, for ports whose octets differ (RFC 959 section 5.3.2)"},
		Fails:    []string{"no connection arrives there (RFC 959 section 5.3.2)"},
		Run:      func(s *Session) { s.dialsPort(32<<8|1, 18<<8|52) },
	},
	{
		ID: "port-zero-octet", Requirements: []string{"FTP-PORT-003"}, Needs: []Need{NeedPORT, NeedFiles}, In: whereDialled,
		Title:    "A zero is taken wherever address and port are valid",
		Why:      "Addresses such as 10.0.0.7 and every 256th port hold a zero; a server that refuses them fails at random.",
		Conforms: []string{"200 and a connection to a port whose low octet is zero (RFC 959 section 5.3.2; conflict C-05: the BNF says 1 to 255, its examples use 0)"},
		Fails:    []string{"the endpoint is refused or not dialled (RFC 959 section 4.1.2)"},
		Run:      func(s *Session) { s.dialsPort(16<<8, 40<<8) },
	},
	{
		ID: "port-malformed", Requirements: []string{"FTP-PORT-004"}, Needs: []Need{NeedPORT},
		Title:    "A malformed PORT is refused with 501 and leads to no connection",
		Why:      "Lenient parsers have crashed on short arguments and dialled endpoints that nobody named.",
		Conforms: []string{"501 to each (RFC 959 section 5.4), and the session goes on"},
		Noted:    []string{"500 (RFC 959 section 5.4), and 504 for numbers out of range"},
		Fails:    []string{"any other answer: 2yz accepts it, 4yz invites to try again (RFC 959 sections 4.2 and 5.4)", "the session ends (RFC 959 section 4.2)"},
		Run:      portMalformed,
	},
	{
		ID: "port-zero-port", Requirements: []string{"FTP-PORT-005"}, Needs: []Need{NeedPORT},
		Title:    "Port zero is refused",
		Why:      "Nobody can listen on port 0; the error is clearer at PORT than at the transfer.",
		Conforms: []string{"501 or 504 (RFC 959 section 4.1.2, RFC 2577 section 3)"},
		Noted:    []string{"500, or another 5yz"},
		Fails:    []string{"the port is accepted, or the failure is called temporary (RFC 959 section 4.2)"},
		Run: func(s *Session) {
			c := s.Login()
			r := c.Cmd("PORT %s,0,0", commas(c.Local.Addr()))
			switch {
			case r.In(501, 504):
			case r.Class() == 5:
				s.Note("port 0 was answered %s; 501 names the reason", r)
			default:
				s.Fail("port 0 was answered %s; 501 was expected", r)
			}
		},
	},
	{
		ID: "port-waits-for-transfer", Requirements: []string{"FTP-PORT-007"}, Needs: []Need{NeedActive, NeedFiles}, In: whereDialled,
		Title:    "PORT only records the endpoint; the server connects when a transfer command arrives",
		Why:      "A server that dials at PORT makes its reply depend on the client's firewall, and breaks third-party set-ups and clients that listen late.",
		Conforms: []string{"200 at once, no connection in the quiet window, a connection after RETR (RFC 959 section 3.2)"},
		Fails:    []string{"a connection before the transfer command (RFC 959 section 3.2)", "an endpoint where nobody listens yet is refused (RFC 959 section 3.2)"},
		Run:      func(s *Session) { s.waitsForTransfer(PORT) },
	},
	{
		ID: "port-source-port", Requirements: []string{"FTP-PORT-008"}, Needs: []Need{NeedActive, NeedFiles},
		Title:    "Active data connections come from the port one below the control port",
		Why:      "Firewalls of active-mode clients open the way for exactly that port (20 for 21).",
		Conforms: []string{"the source port is L-1 (RFC 959 sections 3.2 and 5.2)"},
		Noted:    []string{"any other source port, as unprivileged and hardened servers use (RFC 2577 section 8, conflict C-06); it fails in the strict profile"},
		Fails:    []string{"in the strict profile: another source port (RFC 959 section 3.2)"},
		Run: func(s *Session) {
			c := s.Login()
			t := c.MustRetrieve(PORT, SmallFile, nil)
			if want := c.Remote.Port() - 1; t.Data.Remote.Port() != want {
				s.Strict("the data connection came from port %d; the default data port is %d", t.Data.Remote.Port(), want)
			}
		},
	},
	{
		ID: "port-source-address", Requirements: []string{"FTP-PORT-009"}, Needs: []Need{NeedActive, NeedFiles}, In: whereDialled,
		Title:    "Active data connections come from the address that the client dialled",
		Why:      "On a host with several addresses, or behind a forwarding gateway, a client or firewall that knows one address drops what comes from another.",
		Conforms: []string{"the source address is the server's end of the control connection, for each of its addresses (RFC 1123 section 4.1.2.12)"},
		Fails:    []string{"it is another address (RFC 1123 section 4.1.2.12)"},
		Run: func(s *Session) {
			for _, addr := range append([]netip.Addr{s.Target.Address.Addr()}, s.Target.Others...) {
				c := s.LoginFrom(s.Config.LocalAddr, netip.AddrPortFrom(addr, s.Target.Address.Port()))
				t := c.MustRetrieve(PORT, SmallFile, nil)
				if t.Data.Remote.Addr() != addr {
					s.Fail("the control connection goes to %s, the data connection came from %s", addr, t.Data.Remote.Addr())
				}
			}
		},
	},
	{
		ID: "port-replaces-port", Requirements: []string{"FTP-PORT-010"}, Needs: []Need{NeedActive, NeedFiles}, In: whereDialled,
		Title:    "A repeated PORT replaces the former one",
		Why:      "A client that gave up one port and opened another waits at the new one.",
		Conforms: []string{"the server connects to the second endpoint only (RFC 959 section 4.1.2)"},
		Fails:    []string{"it connects to the first one, or to both (RFC 959 section 4.1.2)"},
		Run: func(s *Session) {
			c := s.Login()
			first, second := s.setUpInTime(c), c.SetUp(PORT)
			s.onlyConnects(c, second, first.Listener, "the endpoint of the earlier PORT")
		},
	},
	{
		ID: "port-closes-passive", Requirements: []string{"FTP-PORT-011"}, Needs: []Need{NeedActive, NeedPassive, NeedFiles}, Exclusive: true, In: whereDialled,
		Title:    "PORT after PASV closes the listener and a connection made to it",
		Why:      "What is left open can be taken by others, and sockets run out.",
		Conforms: []string{"the old data connection is closed, its port refuses, the next transfer uses the endpoint of PORT (RFC 959 section 3.2: the server must close when the port specification is changed)"},
		Fails:    []string{"connection or listener stay open (RFC 959 section 3.2)", "the transfer does not use the new endpoint (RFC 959 section 4.1.2)"},
		Run:      func(s *Session) { s.supersedesPassive(PASV, PORT, true) },
	},
	{
		ID: "port-sticks", Requirements: []string{"FTP-PORT-012"}, Needs: []Need{NeedActive, NeedFiles},
		Title:    "Without a new PORT the last one applies to the next transfer",
		Why:      "Transfer parameters keep their values (RFC 959 section 4.1.2); a server may forget, but a client must not be left hanging.",
		Conforms: []string{"the second transfer uses the same endpoint (RFC 959 section 4.1.2)"},
		Noted:    []string{"a clean refusal, or a connection to the default data port (conflict C-28); it fails in the strict profile"},
		Fails:    []string{"no final reply (RFC 959 section 4.2)", "success without a connection (RFC 959 section 5.2)"},
		Run:      portSticks,
	},
	{
		ID: "port-and-pasv", Requirements: []string{"FTP-PORT-013"}, Needs: []Need{NeedActive, NeedPassive, NeedFiles}, Exclusive: true, In: whereDialled,
		Title:    "Of PORT and PASV the one given last decides who connects",
		Why:      "A client that falls back from one mode to the other must not meet both.",
		Conforms: []string{"after PORT, PASV the server waits; after PASV, PORT it connects and the passive port is closed (RFC 959 section 3.3, conflict C-25)"},
		Noted:    []string{"the second command is refused"},
		Fails:    []string{"the earlier command still has an effect (RFC 959 section 3.3)"},
		Run: func(s *Session) {
			s.supersedesPassive(PASV, PORT, false)
			c := s.Login()
			port := s.setUpInTime(c)
			s.onlyConnects(c, c.SetUp(PASV), port.Listener, "the endpoint of the earlier PORT")
		},
	},
	{
		ID: "port-refused-425", Requirements: []string{"FTP-PORT-014"}, Needs: []Need{NeedActive, NeedFiles}, In: whereDialled,
		Title:    "When the client's port refuses, the transfer ends with 425 and the session goes on",
		Why:      "425 tells the client that the data connection is the problem, and that trying again, or passive mode, makes sense.",
		Conforms: []string{"an optional 1yz, then 425; NOOP answers 200 (RFC 959 section 4.2.1)"},
		Noted:    []string{"426 or 451 in place of 425; 421 with the end of the session"},
		Fails:    []string{"a permanent failure or success (RFC 959 section 4.2)", "no final reply (RFC 959 section 4.2)"},
		Run: func(s *Session) {
			c := s.Login()
			c.Announce(PORT, c.Closed())
			t := c.Start("RETR %s", SmallFile).Finish(s.Config.dataTimeout())
			s.gradeNoConnection(t, "the port of the client refused")
			if !c.gone {
				c.Alive("the refused data connection")
			}
		},
	},
}

// onlyIPv4 ends a check of PORT or PASV on a target that is reached over IPv6:
// that they are refused there is the subject of port-ipv6 and pasv-ipv6.
func (s *Session) onlyIPv4(m Mode) {
	if s.Target.Address.Addr().Is6() {
		s.NotApplicable("%s cannot name an IPv6 endpoint", m)
	}
}

// commas prints an IPv4 address as PORT does.
func commas(a netip.Addr) string { return strings.ReplaceAll(a.Unmap().String(), ".", ",") }

// dialsPort lets the server connect to given ports, or ports nearby with the
// same low octet when they are taken on this machine.
func (s *Session) dialsPort(ports ...uint16) {
	s.onlyIPv4(PORT)
	for _, port := range ports {
		c := s.Login()
		l, err := s.Client.Listen(netip.AddrPortFrom(c.Local.Addr(), port))
		for i := 1; err != nil && i <= 20; i++ {
			l, err = s.Client.Listen(netip.AddrPortFrom(c.Local.Addr(), port+uint16(i)<<8))
		}
		if err != nil {
			s.Inconclusive("%v", err)
		}
		r := c.Cmd("%s", announcement(PORT, l.Endpoint))
		if r.In(500, 502) {
			s.Inconclusive("PORT is not implemented: %s", r)
		}
		if !r.Positive() {
			s.Fail("PORT for port %d (%d,%d) was answered %s", l.Endpoint.Port(), l.Endpoint.Port()>>8, l.Endpoint.Port()&0xff, r)
			continue
		}
		t := c.Retrieve(&Path{Mode: PORT, Endpoint: l.Endpoint, Listener: l, c: c}, "RETR %s", SmallFile)
		if t.Data == nil {
			s.Fail("no connection came to port %d (%d,%d): %s", l.Endpoint.Port(), l.Endpoint.Port()>>8, l.Endpoint.Port()&0xff, t)
		}
		c.End()
	}
}

// malformedPorts are arguments of PORT outside its grammar. The address in
// them is the client's own, so that nothing can leave this machine.
func malformedPorts(own netip.Addr) []string {
	h := commas(own)
	octets := strings.Split(h, ",")
	return []string{
		"", h, h + ",200", h + ",200,1,7", h + ",256,1", h + ",200,256", h + ",999,1", "256," + strings.Join(octets[1:], ",") + ",200,1",
		h + ",-1,200", h + ",+200,1", h + ",0x20,1", strings.ReplaceAll(h, ",", ".") + ",200,1", h + ",200.1", h + ",200;1", h + ",,1", h + ",200,",
		h + ",abc,def", "localhost,200,1", h + ",200,1x", h + "," + strings.Repeat("1", 1000) + ",1", strings.Repeat("1,", 400) + "1",
	}
}

func portMalformed(s *Session) {
	c := s.Login()
	for _, arg := range malformedPorts(c.Local.Addr()) {
		line := strings.TrimSuffix("PORT "+arg, " ")
		r, err := c.Try(line)
		switch {
		case errors.Is(err, fakeclient.ErrTimeout):
			s.Fatal("%.60q has no reply: %v", line, err)
		case err != nil:
			s.Fatal("%.60q ended the session: %v", line, err)
		case r.Code == 501:
		case r.Code == 502:
			s.Inconclusive("PORT is not implemented: %s", r)
		case r.Code == 500:
			s.Note("%.60q was answered %s; 501 would name the reason", line, r)
		case r.Code == 504 && strings.ContainsAny(arg, "0123456789"):
			s.Note("%.60q was answered %s", line, r)
		default:
			s.Fail("%.60q was answered %s; 501 was expected", line, r)
		}
	}
	if extra, _ := c.Quiet(s.Bounds.Quiet); len(extra) > 0 {
		s.Inconclusive("malformed PORT commands have more than one reply, which is another subject: %s", extra[0])
	}
	if !c.Alive("malformed PORT commands") || !s.Target.Works(PORT) {
		return
	}
	// An endpoint that a parser could make of the malformed ones: it must not
	// be dialled.
	l := c.Listen()
	ep := l.Endpoint
	for _, line := range []string{
		fmt.Sprintf("PORT %s,%d,%d,9", commas(ep.Addr()), ep.Port()>>8, ep.Port()&0xff),
		fmt.Sprintf("PORT %s,%d,%d ", commas(ep.Addr()), int(ep.Port()>>8)+256, ep.Port()&0xff),
	} {
		if r := c.Cmd("%s", line); r.Positive() {
			s.Fail("%.60q was answered %s; 501 was expected", line, r)
		}
	}
	t := c.Start("RETR %s", SmallFile)
	if _, err := l.Accept(s.Bounds.Quiet); err == nil {
		s.Fail("the server connected to an endpoint that only malformed commands named")
	}
	_ = l.Close()
	t.Finish(s.Config.dataTimeout())
}

// waitsForTransfer checks that an active set-up alone causes no connection.
func (s *Session) waitsForTransfer(m Mode) {
	c := s.Login()
	p := c.SetUp(m)
	if d, err := p.Listener.Accept(s.Bounds.Quiet); err == nil {
		s.Fatal("the server connected at %s, %.3f s after the trace began and before any transfer command", m, d.OpenedAt.Seconds())
	}
	t := c.Retrieve(p, "RETR %s", SmallFile)
	if t.Data == nil {
		s.Fail("no connection came after the transfer command either: %s", t)
	}
	// Nobody listens here when the command arrives: the reply must not depend
	// on that.
	if r := c.Cmd("%s", announcement(m, c.Closed())); !r.Positive() {
		s.Fail("%s to a port where nobody listens yet was answered %s; 200 was expected, because nothing is dialled before a transfer", m, r)
	}
}

// onlyConnects runs a transfer over path p and makes sure that nobody comes to
// another listener meanwhile.
func (s *Session) onlyConnects(c *Control, p *Path, other *fakeclient.Listener, name string) {
	t := c.Retrieve(p, "RETR %s", SmallFile)
	if _, err := other.Accept(s.Bounds.Quiet); err == nil {
		s.Fail("the server connected to %s", name)
		return
	}
	if !t.OK() {
		s.Fail("the transfer over the later set-up failed: %s", t)
	}
}

// supersedesPassive sets a passive connection up, optionally connects, then
// sets another path up and looks at what is left of the first.
func (s *Session) supersedesPassive(first, second Mode, connect bool) {
	c := s.Login()
	p := c.SetUp(first)
	var d *fakeclient.Data
	if connect {
		var err error
		if d, err = p.Dial(); err != nil {
			s.Inconclusive("the passive port does not accept: %v", err)
		}
	}
	q := c.SetUp(second)
	if d != nil && d.Wait(s.Bounds.Close).Ending == fakeclient.EndNone {
		s.Fail("the data connection made after %s was still open %v after %s", first, s.Bounds.Close, second)
	}
	t := c.Retrieve(q, "RETR %s", SmallFile)
	if !t.OK() || t.Data == nil {
		s.Fail("the transfer after %s, %s failed: %s", first, second, t)
	}
	if q.Endpoint.Port() != p.Endpoint.Port() && !s.Refused(p.Endpoint) {
		s.Fail("port %d of %s still accepted connections after %s", p.Endpoint.Port(), first, second)
	}
}

func portSticks(s *Session) {
	c := s.Login()
	p := c.SetUp(PORT)
	if t := c.Retrieve(p, "RETR %s", SmallFile); !t.OK() {
		s.Inconclusive("a plain transfer failed: %s", t)
	}
	fallback, err := s.Client.Listen(c.Local)
	if err != nil {
		s.Note("the default data port could not be opened beside: %v", err)
	} else {
		defer func() { _ = fallback.Close() }()
	}
	t := c.Start("RETR %s", SmallFile)
	t.AwaitConnection(p.Listener, s.Config.dataTimeout())
	if t.Data != nil {
		t.Data.Wait(s.Bounds.Transfer)
		t.Finish(s.Bounds.Reply)
		return
	}
	if fallback != nil {
		if d, err := fallback.Accept(0); err == nil {
			d.Wait(s.Bounds.Transfer)
			t.Finish(s.Bounds.Reply)
			s.Strict("the second transfer went to the default data port in place of the endpoint of PORT")
			return
		}
	}
	t.Finish(s.Config.dataTimeout())
	switch {
	case t.Final.Code == 0:
		s.Fail("a transfer without a new PORT has no final reply: %s", t)
	case t.Final.Positive():
		s.Fail("a transfer without a new PORT claims success without a connection: %s", t)
	default:
		s.Strict("the endpoint of PORT was forgotten after one transfer: %s", t.Final)
	}
}

// gradeNoConnection grades the final reply of a transfer whose data connection
// could not be made.
func (s *Session) gradeNoConnection(t *Transfer, cause string) {
	switch {
	case t.Final.Code == 0:
		s.Fail("no final reply when %s: %s", cause, t)
	case t.Final.Code == 425:
	case t.Final.In(426, 451):
		s.Note("%s where %s; 425 is the code for it", t.Final, cause)
	case t.Final.Code == 421:
		s.Note("%s ended the session where %s; 425 would keep it", t.Final, cause)
		t.c.gone = true
	default:
		s.Fail("%s where %s; 425 was expected", t.Final, cause)
	}
}
