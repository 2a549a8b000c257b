package suites

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ftpconform/ftpconform/fakeclient"
	"github.com/ftpconform/ftpconform/ftp"
)

// The checks of EPRT: RFC 2428 section 2, and for its life cycle RFC 959
// section 3.2.
var eprtChecks = []Check{
	{
		ID: "eprt-works", Requirements: []string{"FTP-EPRT-001"}, Needs: []Need{NeedEPRT, NeedPORT, NeedFiles}, In: whereDialledExtended,
		Title:    "EPRT is answered 200, and the next transfer dials the address and port in it",
		Why:      "EPRT is the only form of active mode that IPv6 has; clients that prefer it use it over IPv4 too.",
		Conforms: []string{"200, a connection to that endpoint after RETR, 226 (RFC 2428 section 2)"},
		Fails:    []string{"another answer than 200 (RFC 2428 section 2)", "no connection, or the transfer fails (RFC 2428 section 2)"},
		Run: func(s *Session) {
			c := s.Login()
			l := c.Listen()
			if r := c.Cmd("%s", announcement(EPRT, l.Endpoint)); r.Code != 200 {
				s.Fatal("EPRT to the client's own address was answered %s; 200 was expected", r)
			}
			t := c.Retrieve(&Path{Mode: EPRT, Endpoint: l.Endpoint, Listener: l, c: c}, "RETR %s", SmallFile)
			switch {
			case t.Data == nil:
				s.Fail("the server did not connect to the endpoint of EPRT: %s", t)
			case !t.OK():
				s.Fail("the transfer failed: %s", t)
			}
		},
	},
	{
		ID: "eprt-delimiters", Requirements: []string{"FTP-EPRT-003"}, Needs: []Need{NeedEPRT, NeedPORT, NeedFiles}, In: whereVerbatim,
		Title:    "EPRT works with any delimiter, not only with the bar",
		Why:      "The client chooses the delimiter; a server that splits at the bar alone refuses what the document allows.",
		Conforms: []string{"200, and a connection, with !, ~, # and the comma (RFC 2428 section 2)"},
		Noted:    []string{"5yz, as servers give that know the bar alone; it fails in the strict profile"},
		Fails:    []string{"accepted and not dialled, or called a temporary failure (RFC 2428 section 2)", "in the strict profile: refused (RFC 2428 section 2)"},
		Run:      eprtDelimiters,
	},
	{
		ID: "eprt-one-space", Requirements: []string{"FTP-EPRT-004"}, Needs: []Need{NeedEPRT, NeedPORT, NeedFiles},
		Title:    "EPRT with two spaces is refused, or taken with the endpoint that it names",
		Why:      "The delimiter is the octet after the one space; a server that takes the second space for it reads another endpoint.",
		Conforms: []string{"501, or 200 and a connection to the endpoint named (RFC 2428 section 2)"},
		Noted:    []string{"another 5yz"},
		Fails:    []string{"accepted and not dialled (RFC 2428 section 2)", "called a temporary failure (RFC 959 section 4.2)"},
		Run:      eprtOneSpace,
	},
	{
		ID: "eprt-unsupported-family", Requirements: []string{"FTP-EPRT-005"}, Needs: []Need{NeedEPRT},
		Title:    "EPRT with an unknown network protocol is answered 522",
		Why:      "522 tells the client to try another protocol; after any other code it gives EPRT up.",
		Conforms: []string{"522 (RFC 2428 section 2)"},
		Noted:    []string{"500, 501 or 504: refused with another code; it fails in the strict profile"},
		Fails:    []string{"accepted, any other answer, or none (RFC 2428 section 2)", "in the strict profile: another code than 522 (RFC 2428 section 2)"},
		Run: func(s *Session) {
			c := s.Login()
			for _, line := range unknownFamilies(c.Listen().Endpoint) {
				switch r := c.answer(line); {
				case r.Code == 522:
				case r.In(500, 501, 504):
					s.Strict("%s was answered %s; 522 was expected", line, r)
				default:
					s.Fail("%s was answered %s; 522 was expected", line, r)
				}
			}
		},
	},
	{
		ID: "eprt-families-listed", Requirements: []string{"FTP-EPRT-006"}, Needs: []Need{NeedEPRT},
		Title:    "522 ends with the supported network protocols in the only pair of parentheses",
		Why:      "The list is what a client reads to choose the protocol for its next try.",
		Conforms: []string{"(1), (1,2) or the like at the end, with the protocol that works on this connection (RFC 2428 section 2)"},
		Noted:    []string{"a full stop behind the list; it fails in the strict profile"},
		Fails:    []string{"no list, words in the parentheses, or a second pair (RFC 2428 section 2)", "the protocol that works is not in it (RFC 2428 section 2)", "in the strict profile: a full stop behind the list (RFC 2428 section 2)"},
		Run:      func(s *Session) { s.gradeFamilies(s.familyRefusal(), EPRT) },
	},
	{
		ID: "eprt-family-text", Requirements: []string{"FTP-EPRT-007"}, Needs: []Need{NeedEPRT},
		Title:    "522 says in words that the network protocol is not supported",
		Why:      "The words are for the user, to whom a list of numbers says nothing.",
		Conforms: []string{"text before the list (RFC 2428 section 2)"},
		Fails:    []string{"nothing before the list (RFC 2428 section 2)"},
		Run: func(s *Session) {
			r := s.familyRefusal()
			if words, _, _ := strings.Cut(r.Text(), "("); strings.TrimSpace(words) == "" {
				s.Fail("%q has no words before its list", r)
			}
		},
	},
	{
		ID: "eprt-malformed", Requirements: []string{"FTP-EPRT-008"}, Needs: []Need{NeedEPRT, NeedPORT, NeedFiles},
		Title:    "A malformed EPRT is refused and leads to no connection",
		Why:      "Lenient parsers have crashed on missing fields, looked names up and dialled endpoints that nobody named.",
		Conforms: []string{"501 or 500 to each (RFC 2428 section 2), and the next transfer does not dial what they name"},
		Noted:    []string{"another 5yz", "200 to a digit as delimiter, which the range from 33 to 126 holds"},
		Fails:    []string{"2yz, or called a temporary failure (RFC 2428 section 2, RFC 959 section 4.2)", "the session ends (RFC 959 section 4.2)", "a connection to an endpoint that only malformed commands named (RFC 2428 section 2)"},
		Run:      eprtMalformed,
	},
	{
		ID: "eprt-life-cycle", Requirements: []string{"FTP-EPRT-010"}, Needs: []Need{NeedEPRT, NeedPORT, NeedFiles}, Exclusive: true, In: whereDialledExtended,
		Title:    "EPRT only records the endpoint, the last set-up wins, and what was open before is closed",
		Why:      "EPRT stands in for PORT; a client that mixes the two, or falls back from passive mode, relies on the same rules.",
		Conforms: []string{"a connection to the last endpoint alone, and only after RETR (RFC 2428 section 2)", "after PASV, EPRT the passive connection is closed and its port refuses (RFC 959 section 3.2)"},
		Fails:    []string{"a connection before the transfer command, or to an earlier endpoint (RFC 959 section 3.2)", "connection or listener of the earlier PASV stay open (RFC 959 section 3.2)"},
		Run:      eprtLifeCycle,
	},
}

// mustWork ends a check that takes transfers in a mode for granted where they
// did not work in the preflight: the check of the mode itself tells why.
func (s *Session) mustWork(m Mode) {
	if !s.Target.Works(m) {
		s.Inconclusive("transfers with %s do not work on this target", m)
	}
}

func eprtDelimiters(s *Session) {
	s.mustWork(EPRT)
	c := s.Login()
	for _, d := range []byte("!~#,") {
		l := c.Listen()
		line := "EPRT " + ftp.FormatExtendedWith(d, l.Endpoint)
		switch r := c.Cmd("%s", line); {
		case r.Class() == 5:
			s.Strict("%s was answered %s; 200 was expected", line, r)
			continue
		case !r.Positive():
			s.Fail("%s was answered %s; 200 was expected", line, r)
			continue
		}
		t := c.Retrieve(&Path{Mode: EPRT, Endpoint: l.Endpoint, Listener: l, c: c}, "RETR %s", SmallFile)
		if t.Data == nil {
			s.Fatal("%s was accepted, and no connection came there: %s", line, t)
		}
	}
}

func eprtOneSpace(s *Session) {
	s.mustWork(EPRT)
	c := s.Login()
	l := c.Listen()
	r := c.Cmd("EPRT  %s", ftp.FormatExtended(l.Endpoint))
	switch {
	case r.Code == 501:
		return
	case r.Class() == 5:
		s.Note("EPRT with two spaces was answered %s; 501 would name the reason", r)
		return
	case !r.Positive():
		s.Fatal("EPRT with two spaces was answered %s; 501 or 200 was expected", r)
	}
	t := c.Retrieve(&Path{Mode: EPRT, Endpoint: l.Endpoint, Listener: l, c: c}, "RETR %s", SmallFile)
	if t.Data == nil {
		s.Fail("EPRT with two spaces was answered %s, and no connection came to the endpoint in it: %s", r, t)
	}
}

// answer sends a command whose reply is the check's subject, so that silence
// fails the check.
func (c *Control) answer(line string) Received {
	r, err := c.Try(line)
	if err != nil {
		c.s.Fatal("%v", err)
	}
	return r
}

// unknownFamilies are EPRT commands with network protocols that nobody has. The
// address and port of the second one are the client's own: nothing can go
// astray if a server takes it.
func unknownFamilies(own netip.AddrPort) []string {
	return []string{"EPRT |3|x|1234|", fmt.Sprintf("EPRT |99|%s|%d|", own.Addr().Unmap(), own.Port())}
}

// familyRefusal is a 522 to an unknown network protocol; a server that answers
// otherwise is judged by another check.
func (s *Session) familyRefusal() Received {
	c := s.Login()
	for _, line := range unknownFamilies(c.Listen().Endpoint) {
		if r := c.Cmd("%s", line); r.Code == 522 {
			return r
		}
	}
	s.NotApplicable("an unknown network protocol is not answered 522, but %s", c.turns[len(c.turns)-1].Final)
	return Received{}
}

// gradeFamilies grades the list in a 522 reply to EPRT or EPSV.
func (s *Session) gradeFamilies(r Received, m Mode) {
	text := r.Text()
	list, err := ftp.ParseFamilies(strings.TrimSuffix(text, "."))
	own := ftp.FamilyOf(s.Target.Address.Addr())
	switch {
	case err != nil:
		s.Fail("%q does not end with a list of network protocols in the only pair of parentheses", text)
	case s.Target.Works(m) && !slices.Contains(list, own):
		s.Fail("%q does not list network protocol %d, with which %s works on this connection", text, own, m)
	case strings.HasSuffix(text, "."):
		s.Strict("a full stop follows the list of network protocols in %q", text)
	}
}

// malformedExtended are arguments of EPRT outside its grammar. Whatever
// endpoint a parser makes of them is the client's own.
func malformedExtended(ep netip.AddrPort) []string {
	family, addr, port := ftp.FamilyOf(ep.Addr()), ep.Addr().Unmap(), ep.Port()
	with := func(format string, args ...any) string { return fmt.Sprintf(format, args...) }
	out := []string{
		"", "|", with("|%d|%s|", family, addr),
		with("|%d|%s|%d", family, addr, port),      // no closing delimiter
		with("|%d||%d|", family, port),             // no address
		with("|%d|%s||", family, addr),             // no port
		with("|a|%s|%d|", addr, port),              // letters for the family
		with("|%d!%s|%d|", family, addr, port),     // mixed delimiters
		with("|%d|localhost|%d|", family, port),    // a name is no address
		with("|%d|%s|%d|", 3-family, addr, port),   // the family contradicts the address
		with("%d|%s|%d|", family, addr, port),      // no opening delimiter
		with("|%d|%s|%s|", family, addr, "0x8001"), // not decimal
	}
	for _, p := range []string{"0", "65536", "-1", "70000", "abc", fmt.Sprint(int(port) + 65536)} {
		out = append(out, with("|%d|%s|%s|", family, addr, p))
	}
	return out
}

func eprtMalformed(s *Session) {
	c := s.Login()
	l := c.Listen()
	accepted := false
	ask := func(arg string) (Received, string) {
		line := strings.TrimSuffix("EPRT "+arg, " ")
		r, err := c.Try(line)
		switch {
		case errors.Is(err, fakeclient.ErrTimeout):
			s.Fatal("%.60q has no reply: %v", line, err)
		case err != nil:
			s.Fatal("%.60q, or what was sent before it, ended the session: %v", line, err)
		}
		accepted = accepted || r.Positive()
		return r, line
	}
	for _, arg := range malformedExtended(l.Endpoint) {
		switch r, line := ask(arg); {
		case r.In(500, 501):
		case r.Class() == 5:
			s.Note("%.60q was answered %s; 501 would name the reason", line, r)
		default:
			s.Fail("%.60q was answered %s; 501 was expected", line, r)
		}
	}
	// The text about delimiters allows digits, which no parser could tell from
	// the fields: either answer can be defended. So can 425, of a server that has
	// understood it and connects at once, which is another subject.
	switch r, line := ask(fmt.Sprintf("9%d9%s9%s9", ftp.FamilyOf(l.Endpoint.Addr()), l.Endpoint.Addr().Unmap(), "12345")); {
	case r.In(500, 501):
	case r.Class() == 5, r.Positive(), r.In(425):
		s.Note("%.60q was answered %s; 501 was expected", line, r)
	default:
		s.Fail("%.60q was answered %s; 501 was expected", line, r)
	}
	if !c.Alive("malformed EPRT commands") || accepted {
		return // what was accepted must not be dialled: nobody knows what it is
	}
	t := c.Start("RETR %s", SmallFile)
	if _, err := l.Accept(min(s.Bounds.Quiet, s.patience())); err == nil {
		s.Fail("the server connected to an endpoint that only malformed commands named")
	}
	_ = l.Close()
	t.Finish(s.Config.dataTimeout())
}

func eprtLifeCycle(s *Session) {
	s.mustWork(EPRT)
	s.waitsForTransfer(EPRT)
	c := s.Login()
	first := EPRT
	if s.Target.Works(PORT) {
		first = PORT
	}
	a, b, last := c.SetUp(first), c.SetUp(EPRT), c.SetUp(EPRT)
	s.onlyConnects(c, last, a.Listener, fmt.Sprintf("the endpoint of the earlier %s", first))
	if _, err := b.Listener.Accept(0); err == nil {
		s.Fail("the server connected to the endpoint of the earlier EPRT")
	}
	if s.Target.Works(PASV) {
		s.supersedesPassive(PASV, EPRT, true)
	}
}
