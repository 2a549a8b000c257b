package suites

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/ftpconform/ftpconform/fakeclient"
	"github.com/ftpconform/ftpconform/ftp"
)

// The checks of security: RFC 2577 sections 3 to 5, 7 and 8, RFC 959 section
// 4.1.2. No endpoint in them belongs to anybody but the client and its second
// address.
var securityChecks = []Check{
	{
		ID: "security-low-ports", Requirements: []string{"FTP-SEC-001"}, Needs: []Need{NeedPORT, NeedFiles},
		Title:    "The server does not connect to ports below 1024",
		Why:      "There live the services, mail above all; an FTP server that connects to them speaks in the name of whoever has stored a file.",
		Conforms: []string{"PORT and EPRT to port 25 or 1023 are refused with 504 or another 5yz, or the transfer is with 425 or 5yz (RFC 2577 section 3)"},
		Noted:    []string{"a refusal with 4yz", "accepted at the set-up and refused at the transfer, where nobody may listen on the port to see whether it was dialled"},
		Fails:    []string{"a connection, or a transfer that claims success (RFC 2577 section 3)"},
		Run:      securityLowPorts,
	},
	{
		ID: "security-foreign-port", Requirements: []string{"FTP-SEC-002"}, Needs: []Need{NeedPORT, NeedStranger, NeedFiles},
		Title:    "PORT with the address of another host is refused",
		Why:      "Without that the server scans ports and sends files in its own name for whoever asks: the bounce attack (CERT CA-1997-27).",
		Conforms: []string{"5yz to PORT, and no connection (RFC 2577 section 3, conflict C-13)"},
		Noted:    []string{"4yz", "200, and then 4yz or 5yz to the transfer without a connection"},
		Fails:    []string{"a connection to the other host, or a transfer that claims success (RFC 2577 section 3)"},
		Run: func(s *Session) {
			s.refusesForeign("PORT", func(ep netip.AddrPort) string { return announcement(PORT, ep) })
		},
	},
	{
		ID: "security-foreign-eprt", Requirements: []string{"FTP-SEC-003"}, Needs: []Need{NeedPORT, NeedEPRT, NeedStranger, NeedFiles},
		Title:    "EPRT and LPRT with the address of another host are refused, in each notation",
		Why:      "Servers that check PORT have forgotten its younger relatives, and the IPv4-mapped notation.",
		Conforms: []string{"5yz to each, and no connection (RFC 2577 section 3)"},
		Noted:    []string{"4yz", "200, and then 4yz or 5yz to the transfer without a connection"},
		Fails:    []string{"a connection to the other host, or a transfer that claims success (RFC 2577 section 3)"},
		Run: func(s *Session) {
			s.refusesForeign("EPRT", func(ep netip.AddrPort) string { return announcement(EPRT, ep) })
			if !s.Stranger().Is4() {
				return
			}
			s.refusesForeign("EPRT with an IPv4-mapped address", func(ep netip.AddrPort) string {
				return fmt.Sprintf("EPRT |2|::ffff:%s|%d|", ep.Addr(), ep.Port())
			})
			s.refusesForeign("LPRT", func(ep netip.AddrPort) string { return "LPRT " + ftp.FormatLongHostPort(ep) })
		},
	},
	{
		ID: "security-refused-port", Requirements: []string{"FTP-SEC-004"}, Needs: []Need{NeedActive, NeedStranger, NeedFiles}, In: whereDialled,
		Title:    "A refused PORT leaves nothing behind",
		Why:      "A server that stores the endpoint first and checks it then carries out the bounce attack at the next transfer.",
		Conforms: []string{"after a good PORT and a refused one the transfer is refused (RFC 2577 section 3)"},
		Noted:    []string{"the endpoint of the good PORT is used; it fails in the strict profile"},
		Fails:    []string{"a connection to the refused endpoint (RFC 2577 section 3)", "in the strict profile: a connection to the older endpoint (RFC 959 section 4.1.2)"},
		Run:      securityRefusedPort,
	},
	{
		ID: "security-special-addresses", Requirements: []string{"FTP-SEC-005"}, Needs: []Need{NeedPORT},
		Title:    "Unspecified, broadcast and multicast addresses are refused",
		Why:      "To connect to 0.0.0.0 is to connect to the server itself, past its firewall; the others are nobody's.",
		Conforms: []string{"5yz to PORT and EPRT (RFC 2577 section 3)"},
		Noted:    []string{"4yz"},
		Fails:    []string{"the address is accepted (RFC 2577 section 3)"},
		Run:      securitySpecial,
	},
	{
		ID: "security-passive-peer", Requirements: []string{"FTP-SEC-006"}, Needs: []Need{NeedPassive, NeedStranger, NeedFiles},
		Title:    "A stranger who connects to the passive port first gets no data",
		Why:      "Passive ports can be guessed; whoever is first would read the file or forge the one that is stored.",
		Conforms: []string{"no octet for the stranger, the file for the client (RFC 2577 section 4)"},
		Noted:    []string{"425, 426 or another refusal for the client in place of the file"},
		Fails:    []string{"an octet for the stranger (RFC 2577 section 4)", "no final reply, or success without the file (RFC 2577 section 4)", "the session ends (RFC 2577 section 4)"},
		Run:      securityPassivePeer,
	},
	{
		ID: "security-one-connection", Requirements: []string{"FTP-SEC-007"}, Needs: []Need{NeedPassive, NeedFiles}, In: whereServed,
		Title:    "Of two connections to one passive port only one carries data",
		Why:      "A copy for the second connection is a copy for whoever guesses the port.",
		Conforms: []string{"the file on one of them, nothing on the other (RFC 2577 section 8)"},
		Fails:    []string{"data on both (RFC 2577 section 8)"},
		Run:      securityOneConnection,
	},
	{
		ID: "security-random-ports", Requirements: []string{"FTP-SEC-008"}, Needs: []Need{NeedPassive},
		Title:    "Passive ports cannot be told from earlier ones",
		Why:      "Whoever knows the next port can connect to it before the client does.",
		Conforms: []string{"200 ports without a pattern, and another session with other ports (RFC 2577 section 8)"},
		Fails:    []string{"a constant step, an order that only rises or falls, a cycle, or the same ports in two sessions (RFC 2577 section 8)"},
		Run:      securityRandomPorts,
	},
	{
		ID: "security-login-limit", Requirements: []string{"FTP-SEC-009"},
		Title:    "After a few failed logins the session ends",
		Why:      "Passwords can be guessed as fast as the server answers; the limit makes each few guesses cost a connection.",
		Conforms: []string{"421 and close, or close, after five attempts at the most (RFC 2577 section 5)"},
		Noted:    []string{"six to ten attempts"},
		Fails:    []string{"more than ten attempts in one session (RFC 2577 section 5)"},
		Run:      securityLoginLimit,
	},
	{
		ID: "security-login-delay", Requirements: []string{"FTP-SEC-010"},
		Title:    "A wrong password is answered after a delay",
		Why:      "The delay bounds the number of guesses in a given time.",
		Conforms: []string{"one second or more; five are suggested (RFC 2577 section 5)"},
		Fails:    []string{"an answer in less than a second (RFC 2577 section 5)"},
		Run: func(s *Session) {
			tries, _ := s.failLogins(s.Connect(), 1, s.Bounds.Login)
			if t := tries[0]; t.took < time.Second {
				s.Fail("the failed login was answered %s after %.3f s; one second at the least is asked for", t, t.took.Seconds())
			}
		},
	},
	{
		ID: "security-user-names", Requirements: []string{"FTP-SEC-011"},
		Title:    "USER is answered alike for names that exist and names that do not",
		Why:      "A different answer tells which names are worth a password.",
		Conforms: []string{"331 for both, with one text (RFC 2577 section 7)"},
		Noted:    []string{"530 for the unknown name, which RFC 959 allows (conflict C-31), another code, or another text; each fails in the strict profile", "times that differ by more than a second"},
		Fails:    []string{"in the strict profile: answers that differ (RFC 2577 section 7)"},
		Run:      securityUserNames,
	},
	{
		ID: "security-idle-listeners", Requirements: []string{"FTP-SEC-014"}, Needs: []Need{NeedPassive}, Exclusive: true,
		Title:    "Passive ports that nobody uses do not pile up",
		Why:      "One client could use up the ports of all, and what stays open can be taken by strangers.",
		Conforms: []string{"of 200 PASV only the last port is open, after QUIT none is, and another session gets a port (RFC 959 section 4.1.2)"},
		Fails:    []string{"PASV is refused for want of ports, or an earlier port still accepts (RFC 959 sections 3.2 and 4.1.2)", "a port accepts after the session has ended (RFC 959 section 3.2)"},
		Run:      securityIdleListeners,
	},
}

func securityLowPorts(s *Session) {
	s.refusesLowPort(PORT, 25)
	s.refusesLowPort(PORT, 1023)
	if _, lacks := s.Target.Lacks(NeedEPRT); !lacks {
		s.refusesLowPort(EPRT, 25)
		s.refusesLowPort(EPRT, 1023)
	}
}

// lowPorts is held while a low port is listened on: other runs in this process
// want the same one.
var lowPorts sync.Mutex

// refusesLowPort names a low port of the client's own address.
func (s *Session) refusesLowPort(m Mode, port uint16) {
	c := s.Login()
	ep := netip.AddrPortFrom(c.Local.Addr(), port)
	if m == PORT && !ep.Addr().Is4() {
		return
	}
	r := c.Cmd("%s", announcement(m, ep))
	switch {
	case r.Class() == 5:
		c.Quit()
		return
	case !r.Positive():
		s.Note("%s for port %d was answered %s; 504 was expected", m, port, r)
		return
	}
	lowPorts.Lock()
	defer lowPorts.Unlock()
	l, err := s.Client.Listen(ep) // may need privileges
	t := c.Start("RETR %s", SmallFile)
	if err == nil {
		t.AwaitConnection(l, s.Bounds.Dial)
		defer func() { _ = l.Close() }()
	}
	switch t.Finish(s.Bounds.Dial); {
	case t.Data != nil:
		s.Fail("%s for port %d was answered %s and the server connected to it; 504 was expected", m, port, r)
	case t.OK():
		s.Fail("%s for port %d was answered %s, and the transfer %s; 504 was expected", m, port, r, t.Final)
	case t.Final.Code == 0:
		s.Inconclusive("the transfer to port %d has no final reply: %s", port, t)
	case err != nil:
		s.Note("%s for port %d was answered %s, the transfer %s; whether the port was dialled cannot be seen here: %v", m, port, r, t.Final, err)
	}
}

// refusesForeign asks for a data connection to a stranger's port.
func (s *Session) refusesForeign(what string, line func(netip.AddrPort) string) {
	if strings.HasPrefix(what, "PORT") && !s.Stranger().Is4() {
		s.NotApplicable("the stranger's address %s is no IPv4 address", s.Stranger())
	}
	l := s.strangerListens()
	defer func() { _ = l.Close() }()
	c := s.Login()
	r := c.Cmd("%s", line(l.Endpoint))
	if !r.Positive() {
		if r.Class() != 5 {
			s.Note("%s to another host was answered %s; 5yz was expected", what, r)
		}
		if _, err := l.Accept(0); err == nil {
			s.Fail("%s to another host was answered %s, and the server had connected to it", what, r)
		}
		return
	}
	t := c.Start("RETR %s", SmallFile)
	t.AwaitConnection(l, s.Bounds.Dial)
	switch {
	case t.Data != nil:
		_ = t.Data.Close()
		s.Fail("%s to another host was answered %s, and the server connected to it; 5yz was expected", what, r)
		c.End()
	case t.Final.Code == 0:
		s.Inconclusive("the transfer to another host has no final reply: %s", t)
	case t.Final.Positive():
		s.Fail("%s to another host was answered %s, and the transfer %s; 5yz was expected", what, r, t.Final)
	default:
		s.Note("%s to another host was answered %s; only the transfer was refused: %s", what, r, t.Final)
	}
}

// strangerListens opens a port on the stranger's address.
func (s *Session) strangerListens() *fakeclient.Listener {
	l, err := s.Client.Listen(netip.AddrPortFrom(s.Stranger(), 0))
	if err != nil {
		s.Inconclusive("%v", err)
	}
	return l
}

// strangerDials connects from the stranger's address.
func (s *Session) strangerDials(ep netip.AddrPort) (*fakeclient.Data, error) {
	return s.Client.DialData(netip.AddrPortFrom(s.Stranger(), 0), ep)
}

func securityRefusedPort(s *Session) {
	foreign := s.strangerListens()
	modes := []Mode{PORT}
	if _, lacks := s.Target.Lacks(NeedEPRT); !lacks {
		modes = append(modes, EPRT)
	}
	for _, m := range modes {
		c := s.Login()
		p := c.SetUp(PORT)
		r := c.Cmd("%s", announcement(m, foreign.Endpoint))
		switch {
		case !r.Positive():
		case m == PORT:
			s.NotApplicable("PORT to another host was answered %s: there is no refused PORT to look at", r)
		default:
			s.Note("%s to another host was answered %s: there is nothing refused to look at", m, r)
			continue
		}
		_, _ = p.Listener.Accept(0) // a server that connected at PORT already is another subject
		t := c.Start("RETR %s", SmallFile)
		t.AwaitConnection(p.Listener, s.Bounds.Dial)
		if t.Data != nil {
			t.Data.Wait(s.Bounds.Transfer)
			if t.Finish(s.Bounds.Reply).OK() {
				s.Strict("after a refused %s the transfer used the endpoint of the PORT before it", m)
			}
		}
	}
	if _, err := foreign.Accept(s.Bounds.Quiet); err == nil {
		s.Fail("the server connected to an endpoint that it had refused")
	}
}

func securitySpecial(s *Session) {
	c := s.Login()
	port := c.Listen().Endpoint.Port() // open: some servers connect at once
	var lines []string
	for _, a := range []string{"0.0.0.0", "255.255.255.255", "224.0.0.1"} {
		lines = append(lines, announcement(PORT, netip.AddrPortFrom(netip.MustParseAddr(a), port)))
	}
	if _, lacks := s.Target.Lacks(NeedEPRT); !lacks {
		for _, a := range []string{"0.0.0.0", "::", "ff02::1"} {
			lines = append(lines, announcement(EPRT, netip.AddrPortFrom(netip.MustParseAddr(a), port)))
		}
	}
	for _, line := range lines {
		switch r := c.Cmd("%s", line); {
		case r.Class() == 5:
		case r.Positive():
			s.Fail("%s was answered %s; 5yz was expected", line, r)
		default:
			s.Note("%s was answered %s; 5yz was expected", line, r)
		}
	}
	c.Quit() // no transfer may follow
}

func securityPassivePeer(s *Session) {
	c := s.Login()
	p := c.SetUp(PASV)
	stranger, err := s.strangerDials(p.Endpoint)
	if err != nil {
		s.Note("the passive port does not accept a stranger: %v", err)
		return
	}
	stranger.Start()
	// The server gets time to notice. What it says now is the subject of
	// reply-unsolicited, and must not be taken for the answer to RETR.
	if extra, err := c.Quiet(s.Bounds.Quiet); err != nil {
		c.gone = true
		s.Fatal("the session ended when a stranger connected to the passive port: %v", err)
	} else if len(extra) > 0 {
		s.Note("a stranger's connection led to %s", extra[0])
	}
	t := c.Begin(p, "RETR %s", SmallFile)
	if t.Data == nil && !c.pending {
		s.Note("the passive port was closed after a stranger had connected: %v", t.Err)
		t = c.Start("RETR %s", SmallFile)
	}
	if t.Data != nil {
		t.Data.Start()
	}
	t.Finish(s.Bounds.Dial)
	if t.OK() && t.Data != nil {
		t.Data.Wait(s.Bounds.Close)
	}
	if t.OK() && (t.Data == nil || t.Data.Total() == 0) {
		stranger.Wait(s.Bounds.Close) // somebody has got it, and the reply may be faster
	}
	switch {
	case stranger.Total() > 0:
		s.Fail("a stranger who connected to the passive port first got %d octets of the file", stranger.Total())
	case t.Final.Code == 0:
		s.Fatal("after a stranger had connected to the passive port the transfer has no final reply: %s", t)
	case t.Final.Negative():
		s.Note("after a stranger had connected the client was refused: %s; to go on waiting for the client is better", t.Final)
	case t.Data == nil || t.Data.Total() == 0:
		s.Fail("after a stranger had connected to the passive port the client did not get the file: %s", t)
	}
	c.Alive("a stranger's connection to the passive port")
}

func securityOneConnection(s *Session) {
	c := s.Login()
	p := c.SetUp(PASV)
	second, err := s.Client.DialData(s.dataLocal(p.Endpoint), p.Endpoint)
	if err != nil {
		s.Inconclusive("the passive port does not accept: %v", err)
	}
	second.Start()
	t := c.Begin(p, "RETR %s", SmallFile)
	switch {
	case t.Data != nil:
		t.Data.Start()
	case c.pending:
		s.Inconclusive("the transfer could not be begun: %v", t.Err)
	default: // the port was closed after the first connection, as it may be
		t = c.Start("RETR %s", SmallFile)
	}
	if t.Finish(s.Bounds.Transfer); t.Final.Code == 0 {
		s.Inconclusive("the transfer has no final reply: %s", t)
	}
	// Nothing has to end here: what was sent on either arrives in the window.
	s.Sleep(s.Bounds.Quiet)
	if t.Data != nil && t.Data.Total() > 0 && second.Total() > 0 {
		s.Fail("two connections to one passive port got %d and %d octets of one transfer", second.Total(), t.Data.Total())
	}
}
