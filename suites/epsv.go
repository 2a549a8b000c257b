package suites

import (
	"net/netip"
	"strings"
	"time"

	"github.com/ftpconform/ftpconform/ftp"
)

// The checks of EPSV: RFC 2428 sections 3 and 4, and for its life cycle RFC
// 959 section 3.2.
var epsvChecks = []Check{
	{
		ID: "epsv-works", Requirements: []string{"FTP-EPSV-001"}, Needs: []Need{NeedEPSV, NeedFiles}, In: whereOpenExtended,
		Title:    "EPSV is answered 229, and a connection made at once to its port serves the transfer",
		Why:      "Most clients try EPSV first; one that fails halfway costs them a timeout before PASV.",
		Conforms: []string{"229, the port accepts before any transfer command, the file, 226 (RFC 2428 section 3)"},
		Fails:    []string{"another answer than 229 (RFC 2428 section 3)", "the port refuses (RFC 2428 section 3)", "the transfer fails (RFC 2428 section 3)"},
		Run: func(s *Session) {
			c := s.Login()
			r := c.Cmd("EPSV")
			switch {
			case r.In(421, 425, 451):
				s.Inconclusive("there is no port to be had: EPSV was answered %s", r)
			case r.Code == 522:
				s.Inconclusive("EPSV does not take the network protocol of this connection, which another check is about: %s", r)
			case r.Code != 229:
				s.Fatal("EPSV was answered %s; 229 was expected", r)
			}
			p := c.extendedPath(r)
			if _, err := p.Dial(); err != nil {
				s.Fatal("port %d of 229 does not accept a connection: %v", p.Endpoint.Port(), err)
			}
			if t := c.Retrieve(p, "RETR %s", SmallFile); !t.OK() {
				s.Fail("the transfer over port %d of 229 failed: %s", p.Endpoint.Port(), t)
			}
		},
	},
	{
		ID: "epsv-reply-grammar", Requirements: []string{"FTP-EPSV-002"}, Needs: []Need{NeedEPSV},
		Title:    "The text of 229 ends in (|||port|), with protocol and address left empty",
		Why:      "Clients and NAT helpers look for exactly three delimiters; what is filled in shifts the port out of its place.",
		Conforms: []string{"(, one delimiter three times, a port from 1 to 65535, the delimiter, ) (RFC 2428 section 3)"},
		Noted:    []string{"another delimiter than the bar, leading zeros, a full stop behind", "other text behind the parenthesis; it fails in the strict profile"},
		Fails:    []string{"protocol or address filled in, other parentheses before, no port (RFC 2428 section 3)", "in the strict profile: text behind the parenthesis (RFC 2428 section 3)"},
		Run: func(s *Session) {
			r := s.Login().Cmd("EPSV")
			if r.Code != 229 {
				s.Inconclusive("EPSV was answered %s", r)
			}
			_, odd, err := ftp.ScanEPSVReply(r.Text())
			switch {
			case err != nil:
				s.Fail("no port can be read from %q: %v", r.Text(), err)
			case !strings.HasSuffix(strings.TrimSuffix(r.Text(), "."), ")"):
				s.Strict("%s in %q", odd, r.Text())
			case len(odd) > 0:
				s.Note("%s in %q", odd, r.Text())
			}
		},
	},
	{
		ID: "epsv-address", Requirements: []string{"FTP-EPSV-003"}, Needs: []Need{NeedEPSV}, In: whereOpenExtended,
		Title:    "The port of 229 is open on the address that the client has reached",
		Why:      "229 names no address, so the client goes where its control connection goes; on a host with several addresses a listener elsewhere is out of reach.",
		Conforms: []string{"a connection to the server's end of the control connection is accepted, for each of its addresses (RFC 2428 section 3)"},
		Fails:    []string{"it is refused (RFC 2428 section 3)"},
		Run: func(s *Session) {
			s.mustWork(EPSV)
			for _, addr := range append([]netip.Addr{s.Target.Address.Addr()}, s.Target.Others...) {
				c := s.LoginFrom(s.Config.LocalAddr, netip.AddrPortFrom(addr, s.Target.Address.Port()))
				p := c.SetUp(EPSV)
				if _, err := p.Dial(); err != nil {
					s.Fail("the control connection goes to %s, where port %d of 229 does not accept: %v", addr, p.Endpoint.Port(), err)
				}
			}
		},
	},
	{
		ID: "epsv-ipv4", Requirements: []string{"FTP-EPSV-004"}, Needs: []Need{NeedEPSV},
		Title:    "EPSV works over IPv4 too",
		Why:      "Translators between IPv6 and IPv4 and clients that know nothing but EPSV depend on it.",
		Conforms: []string{"229 on an IPv4 connection (RFC 2428 section 3)"},
		Fails:    []string{"a refusal, 522 above all (RFC 2428 section 3)"},
		Run: func(s *Session) {
			if !s.Target.Address.Addr().Is4() {
				s.NotApplicable("the target is not reached over IPv4")
			}
			switch r := s.Login().Cmd("EPSV"); {
			case r.In(421, 425, 451):
				s.Inconclusive("there is no port to be had: EPSV was answered %s", r)
			case r.Code != 229:
				s.Fail("EPSV over IPv4 was answered %s; 229 was expected", r)
			}
		},
	},
	{
		ID: "epsv-family", Requirements: []string{"FTP-EPSV-005"}, Needs: []Need{NeedEPSV, NeedFiles}, In: whereOpenExtended,
		Title:    "EPSV with the network protocol of the connection opens a port of that protocol",
		Why:      "A client that knows which protocol it can use asks for it.",
		Conforms: []string{"229 and a port that works for the protocol of the connection; 229 or 522 for the other one (RFC 2428 section 3)"},
		Noted:    []string{"another 5yz, or 425, 421 or 451 for want of a port, for the other protocol (conflict C-11)"},
		Fails:    []string{"the own protocol is refused, or its port does not work (RFC 2428 section 3)", "the other protocol gets another kind of answer (RFC 2428 section 3)"},
		Run:      epsvFamily,
	},
	{
		ID: "epsv-unsupported-family", Requirements: []string{"FTP-EPSV-006"}, Needs: []Need{NeedEPSV},
		Title:    "EPSV with an unknown network protocol is answered 522 and the list of those that are known",
		Why:      "A server that ignores the number opens a port of a protocol that the client has just said it does not want.",
		Conforms: []string{"522 with the list at its end (RFC 2428 sections 2 and 3)"},
		Noted:    []string{"500, 501 or 504: refused with another code, or a full stop behind the list; both fail in the strict profile"},
		Fails:    []string{"229: the argument was ignored (RFC 2428 section 3)", "any other answer or none, or 522 without the list (RFC 2428 sections 2 and 3)", "in the strict profile: another code than 522, or a full stop behind the list (RFC 2428 sections 2 and 3)"},
		Run: func(s *Session) {
			c := s.Login()
			for _, line := range []string{"EPSV 3", "EPSV 99"} {
				switch r := c.answer(line); {
				case r.Code == 522:
					s.gradeFamilies(r, EPSV)
				case r.In(500, 501, 504):
					s.Strict("%s was answered %s; 522 was expected", line, r)
				case r.Code == 229:
					s.Fail("%s was answered %s: the argument was ignored", line, r)
				default:
					s.Fail("%s was answered %s; 522 was expected", line, r)
				}
			}
		},
	},
	{
		ID: "epsv-malformed", Requirements: []string{"FTP-EPSV-007"}, Needs: []Need{NeedEPSV},
		Title:    "EPSV with an argument that means nothing is refused",
		Why:      "An argument that is ignored hides the mistake, and may have been ALL with a slip of the pen.",
		Conforms: []string{"501 or 500 (RFC 2428 section 3); 522 or 504"},
		Noted:    []string{"another 5yz"},
		Fails:    []string{"accepted, called a temporary failure or left without an answer (RFC 959 sections 4.2 and 5.4)"},
		Run: func(s *Session) {
			c := s.Login()
			for _, line := range []string{"EPSV foo", "EPSV 1 2", "EPSV -1"} {
				switch r := c.answer(line); {
				case r.In(500, 501, 504, 522):
				case r.Class() == 5:
					s.Note("%s was answered %s; 501 would name the reason", line, r)
				default:
					s.Fail("%s was answered %s; 501 was expected", line, r)
				}
			}
		},
	},
	{
		ID: "epsv-all", Requirements: []string{"FTP-EPSV-008"}, Needs: []Need{NeedEPSV}, In: whereExtended,
		Title:    "EPSV ALL is accepted, in capitals and in small letters, and opens no port",
		Why:      "It lets a NAT on the way stop looking at the connection; a client that announces it early must not be turned away.",
		Conforms: []string{"200 (RFC 2428 section 3, conflict C-08: it names no code)"},
		Noted:    []string{"another 2yz than 229"},
		Fails:    []string{"229: ALL was taken for nothing, and a port opened (RFC 2428 section 3)", "a refusal, or no answer (RFC 2428 section 3)"},
		Run: func(s *Session) {
			for _, line := range []string{"EPSV ALL", "EPSV all"} {
				switch r := s.Login().answer(line); {
				case r.Code == 200:
				case r.Code == 229:
					s.Fail("%s was answered %s: the argument was ignored", line, r)
				case r.Positive():
					s.Note("%s was answered %s; 200 is usual", line, r)
				default:
					s.Fail("%s was answered %s; 200 was expected", line, r)
				}
			}
		},
	},
	{
		ID: "epsv-all-locks", Requirements: []string{"FTP-EPSV-009"}, Needs: []Need{NeedEPSV, NeedFiles},
		Title:    "After EPSV ALL every other set-up command is refused for the rest of the session",
		Why:      "A NAT that relies on the announcement no longer translates the addresses in PORT and PASV: what they name cannot be reached, or is another host.",
		Conforms: []string{"5yz to PORT, EPRT, PASV, LPRT and LPSV, also after a failed transfer and ABOR (RFC 2428 section 3, conflict C-09: no code is named)", "the next transfer does not dial what was refused (RFC 2428 section 3)"},
		Fails:    []string{"one of them is accepted, called a temporary failure or left without an answer (RFC 2428 section 3)", "an endpoint that was refused is dialled (RFC 2428 section 3)", "the session ends (RFC 959 section 4.2)"},
		Run:      epsvAllLocks,
	},
	{
		ID: "epsv-all-keeps-epsv", Requirements: []string{"FTP-EPSV-010"}, Needs: []Need{NeedEPSV, NeedFiles},
		Title:    "After EPSV ALL transfers with EPSV work, again and again",
		Why:      "EPSV is all that the client has left in this session.",
		Conforms: []string{"229 and a transfer three times, then 229 to EPSV with the protocol of the connection (RFC 2428 section 3)"},
		Fails:    []string{"EPSV is refused, or a transfer fails (RFC 2428 section 3)"},
		Run:      epsvAllKeeps,
	},
	{
		ID: "epsv-all-no-default-port", Requirements: []string{"FTP-EPSV-011"}, Needs: []Need{NeedEPSV, NeedFiles},
		Title:    "After EPSV ALL a transfer without EPSV does not fall back to the default data port",
		Why:      "The client has announced that the server need never dial; a NAT on the way would not let it through.",
		Conforms: []string{"425 or 503, and no connection (RFC 2428 section 4)"},
		Noted:    []string{"another refusal", "a connection to the default data port, which is no set-up command; it fails in the strict profile"},
		Fails:    []string{"no final reply (RFC 959 section 4.2)", "success without a connection (RFC 959 section 5.2)", "in the strict profile: a connection to the default data port (RFC 2428 section 4)"},
		Waits:    func(cfg *Config) time.Duration { return min(cfg.dataTimeout(), SlowWait) },
		Run:      epsvAllNoDefault,
	},
	{
		ID: "epsv-abor", Requirements: []string{"FTP-EPSV-012"}, Needs: []Need{NeedEPSV}, Exclusive: true, In: whereExtended,
		Title:    "ABOR closes the port of an unused EPSV",
		Why:      "A client that cannot use the protocol offered gives the port back with ABOR and asks for another one.",
		Conforms: []string{"225 or 226, and the port refuses (RFC 2428 section 3, RFC 959 section 4.1.3)"},
		Fails:    []string{"the port still accepts (RFC 2428 section 3)"},
		Run: func(s *Session) {
			s.mustWork(EPSV)
			s.abortsSetUp(EPSV)
		},
	},
	{
		ID: "epsv-superseded", Requirements: []string{"FTP-EPSV-013"}, Needs: []Need{NeedEPSV, NeedFiles}, Exclusive: true, In: whereExtended,
		Title:    "A later EPSV, PASV or PORT closes the port of an earlier EPSV and takes its place",
		Why:      "Ports that stay behind use up the range and stay open to strangers.",
		Conforms: []string{"the earlier port refuses, the transfer uses the later set-up (RFC 2428 section 3, RFC 959 section 3.2)"},
		Fails:    []string{"the earlier port still accepts (RFC 959 section 3.2)", "the transfer over the later set-up fails (RFC 959 section 4.1.2)"},
		Run: func(s *Session) {
			s.mustWork(EPSV)
			for _, m := range []Mode{EPSV, PASV, PORT} {
				if s.Target.Works(m) {
					s.supersedesPassive(EPSV, m, false)
				}
			}
		},
	},
}

// extendedPath is the path that a 229 reply describes. A port that cannot be
// read ends the check: the grammar has a check of its own.
func (c *Control) extendedPath(r Received) *Path {
	port, _, err := ftp.ScanEPSVReply(r.Text())
	if err != nil {
		c.s.Inconclusive("no port in the reply to EPSV: %v", err)
	}
	return &Path{Mode: EPSV, Endpoint: netip.AddrPortFrom(c.Remote.Addr(), port), c: c}
}

func epsvFamily(s *Session) {
	s.mustWork(EPSV)
	c := s.Login()
	own := ftp.FamilyOf(c.Remote.Addr())
	switch r := c.Cmd("EPSV %d", own); {
	case r.In(421, 425, 451):
		s.Inconclusive("there is no port to be had: EPSV %d was answered %s", own, r)
	case r.Code != 229:
		s.Fail("EPSV %d was answered %s; it is the protocol of this connection and 229 was expected", own, r)
	default:
		if t := c.Retrieve(c.extendedPath(r), "RETR %s", SmallFile); !t.OK() {
			s.Fail("the transfer after EPSV %d failed: %s", own, t)
		}
	}
	other := 3 - own
	switch r := c.Cmd("EPSV %d", other); {
	case r.In(229, 522):
	case r.Class() == 5, r.In(421, 425, 451):
		s.Note("EPSV %d was answered %s; 522 would name the reason", other, r)
	default:
		s.Fail("EPSV %d was answered %s; 229 or 522 was expected", other, r)
	}
}

// epsvAll sends EPSV ALL. A server that refuses it is judged by another check,
// and after the refusal nothing is barred.
func (c *Control) epsvAll() Received {
	r := c.Cmd("EPSV ALL")
	if !r.Positive() {
		c.s.Inconclusive("EPSV ALL is not supported: %s", r)
	}
	return r
}

// onlyEPSV sends EPSV ALL and expects that it was understood: 229 says that
// the argument was ignored.
func (c *Control) onlyEPSV() {
	if r := c.epsvAll(); r.Code == 229 {
		c.s.Inconclusive("EPSV ALL was taken for EPSV: %s", r)
	}
}

func epsvAllLocks(s *Session) {
	c := s.Login()
	c.epsvAll()
	l := c.Listen()
	lines := []string{announcement(EPRT, l.Endpoint), "LPRT " + ftp.FormatLongHostPort(l.Endpoint), "PASV", "LPSV"}
	if l.Endpoint.Addr().Is4() {
		lines = append([]string{announcement(PORT, l.Endpoint)}, lines...)
	}
	locked := true
	for _, line := range lines {
		if !s.barred(c, line, "EPSV ALL") {
			locked = false
		}
		if !c.Alive(line[:4] + " after EPSV ALL") {
			return
		}
	}
	if !locked {
		return
	}
	t := c.Start("RETR %s", SmallFile)
	if t.AwaitConnection(l, s.Bounds.Quiet); t.Data != nil {
		s.Fail("the server connected to the endpoint of commands that it had refused: %s", t)
	}
	c.End()

	if !s.Target.Works(EPSV) {
		return
	}
	// The lock is for the session: what ends a transfer must not lift it.
	c = s.Login()
	c.epsvAll()
	c.Begin(c.SetUp(EPSV), "RETR %s", MissingFile).Finish(s.Bounds.Transfer)
	c.Cmd("ABOR") // whether it is implemented does not matter
	s.barred(c, "PASV", "EPSV ALL, a failed transfer and ABOR")
}

// barred sends a set-up command that has to be refused, and reports whether it
// was.
func (s *Session) barred(c *Control, line, after string) bool {
	switch r, err := c.Try(line); {
	case err != nil:
		s.Fatal("%s after %s: %v", line[:4], after, err)
	case r.Class() != 5:
		s.Fail("%s after %s was answered %s; a refusal was expected", line[:4], after, r)
		return false
	}
	return true
}

func epsvAllKeeps(s *Session) {
	s.mustWork(EPSV)
	c := s.Login()
	c.onlyEPSV()
	for i := range 3 {
		r := c.Cmd("EPSV")
		switch {
		case r.In(421, 425, 451):
			s.Inconclusive("there is no port to be had: EPSV was answered %s", r)
		case r.Code != 229:
			s.Fatal("EPSV after EPSV ALL was answered %s; 229 was expected", r)
		}
		if t := c.Retrieve(c.extendedPath(r), "RETR %s", SmallFile); !t.OK() {
			s.Fatal("transfer %d of 3 after EPSV ALL failed: %s", i+1, t)
		}
	}
	line := "EPSV 1"
	if !c.Remote.Addr().Is4() {
		line = "EPSV 2"
	}
	if r := c.Cmd("%s", line); r.Class() == 5 {
		// Whether a protocol may be named at all is the subject of another
		// check.
		if plain := s.Login().Cmd("%s", line); plain.Code == 229 {
			s.Fail("%s after EPSV ALL was answered %s; without EPSV ALL it is answered %s", line, r, plain)
		}
	}
}

func epsvAllNoDefault(s *Session) {
	c := s.Login()
	c.onlyEPSV()
	fallback, err := s.Client.Listen(c.Local)
	if err != nil {
		s.Inconclusive("the default data port cannot be watched: %v", err)
	}
	t := c.Start("RETR %s", SmallFile)
	bound, proves := s.stallBound()
	t.AwaitConnection(fallback, bound)
	switch {
	case t.Data != nil:
		t.Data.Wait(s.Bounds.Transfer)
		t.Finish(s.Bounds.Reply)
		s.Strict("a transfer without EPSV after EPSV ALL went to the default data port")
	case t.Final.Code == 0 && !proves && !c.gone:
		s.Inconclusive("a transfer without EPSV after EPSV ALL has no final reply within %v; run with --slow to wait longer, or say the target's own timeout with --data-timeout", bound)
	case t.Final.Code == 0:
		s.Fail("a transfer without EPSV after EPSV ALL has no final reply: %s", t)
	case t.Final.Positive():
		s.Fail("a transfer without EPSV after EPSV ALL claims success without a connection: %s", t)
	case !t.Final.In(425, 503):
		s.Note("a transfer without EPSV after EPSV ALL was answered %s; 425 or 503 is expected", t.Final)
	}
}
