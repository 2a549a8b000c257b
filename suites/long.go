package suites

import (
	"net/netip"
	"strings"

	"github.com/ftpconform/ftpconform/ftp"
)

// The checks of LPRT and LPSV: RFC 1639, which RFC 5797 section 2.5 calls
// historic. A server without them loses nothing; one that has them ought to
// have them right.
var longChecks = []Check{
	{
		ID: "lprt-works", Requirements: []string{"FTP-PORT-019"}, Needs: []Need{NeedPORT, NeedActive, NeedFiles},
		Title:    "LPRT is answered 200, and the next transfer dials the address and port in it",
		Why:      "What is announced by an old command and read wrongly goes to an endpoint that nobody named.",
		Conforms: []string{"200 and a connection to that endpoint (RFC 1639 section 2)", "501 to wrong lengths and counts (RFC 1639 section 2)"},
		Noted:    []string{"another 5yz to wrong lengths and counts"},
		Fails:    []string{"a good LPRT is refused with another code than 500 or 502 (RFC 1639 section 2)", "no connection, or the transfer fails (RFC 1639 section 2)", "wrong lengths or counts are accepted, called a temporary failure or left without an answer (RFC 959 section 4.2)"},
		Run:      lprtWorks,
	},
	{
		ID: "lprt-unsupported-family", Requirements: []string{"FTP-PORT-020"}, Needs: []Need{NeedPORT},
		Title:    "LPRT with an unknown address family is answered 521 and the list of families",
		Why:      "The list is what a client reads to choose the family for its next try.",
		Conforms: []string{"521 with the numbers in parentheses (RFC 1639 section 4)"},
		Noted:    []string{"500, 501 or 502: refused with another code; it fails in the strict profile"},
		Fails:    []string{"accepted, any other answer, or none (RFC 1639 section 4)", "521 without the list (RFC 1639 section 4)", "in the strict profile: another code than 521 (RFC 1639 section 4)"},
		Run: func(s *Session) {
			c := s.Login()
			l := c.Listen()
			good := ftp.FormatLongHostPort(l.Endpoint)
			c.offersLong("LPRT " + good)
			// The address stays the client's own, so that nothing goes astray
			// if a server takes it.
			r := c.answer("LPRT 16" + good[strings.IndexByte(good, ','):])
			switch {
			case r.Code == 521:
				// The document writes its list with spaces.
				if _, err := ftp.ParseFamilies(strings.TrimSuffix(strings.ReplaceAll(r.Text(), " ", ""), ".")); err != nil {
					s.Fail("no list of address families in %q", r.Text())
				}
			case r.In(500, 501, 502):
				s.Strict("an unknown address family was answered %s; 521 was expected", r)
			default:
				s.Fail("an unknown address family was answered %s; 521 was expected", r)
			}
		},
	},
	{
		ID: "lpsv-works", Requirements: []string{"FTP-PASV-021"}, Needs: []Need{NeedPassive, NeedFiles},
		Title:    "LPSV is answered 228 with an endpoint that works",
		Why:      "A client that uses it has nothing but the numbers in 228 to go by.",
		Conforms: []string{"228 with family, lengths, address and port; a transfer over that port (RFC 1639 section 3)"},
		Noted:    []string{"numbers without parentheses, and text behind them"},
		Fails:    []string{"a refusal with another code than 500 or 502 (RFC 1639 section 3)", "no endpoint can be read from 228 (RFC 1639 section 3)", "nobody listens there, or the transfer fails (RFC 1639 section 3)"},
		Run: func(s *Session) {
			c := s.Login()
			r := c.offersLong("LPSV")
			switch {
			case r.In(421, 425, 451):
				s.Inconclusive("there is no port to be had: LPSV was answered %s", r)
			case r.Code != 228:
				s.Fatal("LPSV was answered %s; 228 was expected", r)
			}
			ep, odd, err := ftp.ScanLPSVReply(r.Text())
			if err != nil {
				s.Fatal("no endpoint can be read from %q: %v", r.Text(), err)
			}
			if len(odd) > 0 {
				s.Note("%s in %q", odd, r.Text())
			}
			p := &Path{Mode: PASV, Endpoint: netip.AddrPortFrom(c.Remote.Addr(), ep.Port()), c: c}
			if t := c.Retrieve(p, "RETR %s", SmallFile); !t.OK() {
				s.Fail("the transfer over port %d of 228 failed: %s", ep.Port(), t)
			}
		},
	},
}

// offersLong sends a command of RFC 1639 and ends the check where the server
// does not know it.
func (c *Control) offersLong(line string) Received {
	r := c.Cmd("%s", line)
	if r.In(500, 502) {
		c.s.Unsupported("%s is not offered: %s", line[:4], r)
	}
	return r
}

func lprtWorks(s *Session) {
	c := s.Login()
	l := c.Listen()
	for l.Endpoint.Port()>>8 == l.Endpoint.Port()&0xff { // octets in the wrong order must show
		_ = l.Close()
		l = c.Listen()
	}
	good := ftp.FormatLongHostPort(l.Endpoint)
	if r := c.offersLong("LPRT " + good); r.Code != 200 {
		s.Fatal("LPRT to the client's own address was answered %s; 200 was expected", r)
	}
	t := c.Retrieve(&Path{Mode: PORT, Endpoint: l.Endpoint, Listener: l, c: c}, "RETR %s", SmallFile)
	switch {
	case t.Data == nil:
		s.Fatal("the server did not connect to the endpoint of LPRT: %s", t)
	case !t.OK():
		s.Fatal("the transfer failed: %s", t)
	}
	fields := strings.Split(good, ",")
	last := len(fields) - 1
	for _, arg := range []string{
		"", fields[0], strings.Join(fields[:last], ","), good + ",1",
		fields[0] + ",3," + strings.Join(fields[2:], ","),                               // the address is longer than its length says
		strings.Join(fields[:last-2], ",") + ",3," + strings.Join(fields[last-1:], ","), // the port is shorter
		strings.Join(fields[:last], ",") + ",256", strings.Join(fields[:last], ",") + ",x",
	} {
		line := strings.TrimSuffix("LPRT "+arg, " ")
		switch r := c.answer(line); {
		case r.Code == 501:
		case r.Class() == 5:
			s.Note("%s was answered %s; 501 would name the reason", line, r)
		default:
			s.Fail("%s was answered %s; 501 was expected", line, r)
		}
	}
}
