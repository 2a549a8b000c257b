package suites

import (
	"bytes"
	"errors"
	"net/netip"
	"time"

	"github.com/ftpconform/ftpconform/fakeclient"
)

// told states why what was seen is right here; it changes no verdict.
func (s *Session) told(format string, args ...any) { s.state(Pass, format, args) }

// breach states that one of several requirements is broken, of which others may
// bind more: the verdict is that of its own level.
func (s *Session) breach(id, format string, args ...any) {
	v := Warn
	if r, _ := LoadCatalogue().Requirement(id); r.Level == MUST {
		v = Fail
	}
	s.state(v, format, args)
}

// travel finds out what becomes of a mode in the network of the check.
func (s *Session) travel(m Mode) {
	name := Topology(s.Scene.Topology.Name)
	f, ok := pathFactOf(name, m)
	if !ok {
		s.Inconclusive("nothing is known of %s in topology %s", m, name)
	}
	if m.Active() && s.Config.PassiveOnly {
		s.NotApplicable("the target is configured passive-only")
	}
	w := s.watchServer()
	c := s.Login()
	switch f.outcome {
	case carried:
		s.mustCarry(c, m, f)
	case lost, detour:
		s.mustFail(c, m, f)
	case refused:
		s.mustRefuse(c, m, f)
	}
	for _, to := range w.astray(c.Local.Addr()) {
		s.breach("FTP-NAT-035", "the server tried to connect to %s, which is neither the client nor what it named", to)
	}
}

// mustCarry fetches and stores a file in a network that carries the mode.
func (s *Session) mustCarry(c *Control, m Mode, f pathFact) {
	name := s.check.ID + ".bin"
	p := s.namedPath(c, m, f)
	t := c.Retrieve(p, "RETR %s", SmallFile)
	if t.Data == nil || !t.OK() || !bytes.Equal(t.Data.Bytes(), SmallContent) {
		s.Fatal("a file could not be fetched with %s and %s: %s; it has to work here: %s", m, p.Endpoint, t, f.because)
	}
	if peer := t.Data.Remote.Addr(); m.Active() && peer != c.Remote.Addr() {
		s.breach("FTP-PORT-009", "the control connection goes to %s, the data connection of %s came from %s", c.Remote.Addr(), m, peer)
	}
	c.Quit()
	c = s.Login() // a second set-up in one session is another subject
	if u := c.Store(s.namedPath(c, m, f), SmallContent, "STOR %s", name); !u.OK() {
		s.Fatal("a file could not be stored with %s: %s; it has to work here: %s", m, u, f.because)
	}
	c.ask("DELE " + name)
	s.told("%s works, between %s and %s: %s", m, t.Data.Local, t.Data.Remote, f.because)
}

// namedPath sets a path up as a client does that believes what it is told: the
// endpoint of PASV is that in 227, whatever the control connection goes to.
func (s *Session) namedPath(c *Control, m Mode, f pathFact) *Path {
	p := &Path{Mode: m, c: c}
	line := string(m)
	if m.Active() {
		p.Listener = c.Listen()
		p.Endpoint = p.Listener.Endpoint
		line = announcement(m, p.Endpoint)
	}
	r, err := c.Try(line)
	switch {
	case err != nil:
		s.Fatal("%v; %s has to work here: %s", err, m, f.because)
	case m == EPRT && r.In(500, 502):
		// Only here: where the address is a foreign one, it may be refused so.
		s.Unsupported("EPRT is not offered: %s", r)
	case !r.Positive():
		s.Fatal("%s was answered %s; it has to work here: %s", line, r, f.because)
	case m == EPSV:
		return c.extendedPath(r)
	case m == PASV:
		if p.Endpoint, err = passiveEndpoint(r.Reply); err != nil {
			s.Inconclusive("no endpoint in the reply to PASV: %v", err)
		}
	}
	return p
}

// mustFail tries an active mode in a network that does not carry it.
func (s *Session) mustFail(c *Control, m Mode, f pathFact) {
	l := c.Listen()
	line := announcement(m, l.Endpoint)
	switch r, err := c.Try(line); {
	case errors.Is(err, fakeclient.ErrTimeout):
		s.breach(f.broken, "%v; %s only names an endpoint and is answered at once", err, m)
		return
	case err != nil:
		s.Fatal("%s ended the session: %v", line, err)
	case r.Class() == 5:
		s.told("%s was answered %s; it cannot work here: %s", line, r, f.because)
	case !r.Positive():
		s.Note("%s was answered %s; it cannot work here, and trying later does not help: %s", line, r, f.because)
	default:
		if s.dialsInVain(c, m, l, f) == nil {
			return
		}
	}
	if !c.gone {
		c.Alive("a failed " + string(m))
	}
}

// dialsInVain sends a transfer command after an active set-up that leads
// nowhere, grades its end, and returns the transfer, nil when it has no end.
func (s *Session) dialsInVain(c *Control, m Mode, l *fakeclient.Listener, f pathFact) *Transfer {
	began := s.clock().Now()
	t := c.Start("RETR %s", SmallFile)
	t.AwaitConnection(l, max(pathPatience, s.Config.dataTimeout()))
	took := s.clock().Now().Sub(began)
	if t.Data != nil && f.outcome == detour {
		t.Data.Wait(s.Bounds.Transfer)
		s.Note("%s to %s was accepted, and the server took the short way: %s", m, l.Endpoint, t.Finish(s.Bounds.Reply))
		return t
	}
	switch {
	case t.Data != nil:
		s.Inconclusive("the network let a connection from %s through, and topology %s does not: %s", t.Data.Remote, s.Scene.Topology.Name, f.because)
	case t.Final.Code == 0 && c.gone:
		s.Fatal("the session ended %.1f s after RETR, when the server could not connect to %s: %s", took.Seconds(), l.Endpoint, t)
	case t.Final.Code == 0:
		s.breach(f.broken, "RETR has no final reply %v after the server was asked to connect to %s: %s; %s", took.Round(time.Second), l.Endpoint, t, f.because)
		return nil
	case t.Final.Positive():
		s.Fail("RETR was answered %s, and no data connection was made: %s", t.Final, f.because)
	case t.Final.Class() == 5:
		s.breach(f.broken, "%s %.1f s after RETR where the server could not connect to %s; 425 was expected, because another mode works", t.Final, took.Seconds(), l.Endpoint)
	case t.Final.Code == 421:
		s.Note("%s ended the session where the server could not connect to %s; 425 would keep it", t.Final, l.Endpoint)
		c.gone = true
	case took > max(s.Bounds.Dial, s.Config.dataTimeout()):
		s.Note("%s came %.1f s after RETR, which is slow", t.Final, took.Seconds())
	case !t.Final.In(425, 426, 451):
		s.Note("%s where the server could not connect to %s; 425 is the code for it", t.Final, l.Endpoint)
	default:
		s.told("%s came %.1f s after RETR; %s cannot work here: %s", t.Final, took.Seconds(), m, f.because)
	}
	return t
}

// mustRefuse tries a mode that cannot name an endpoint of this network.
func (s *Session) mustRefuse(c *Control, m Mode, f pathFact) {
	line := string(m)
	if m.Active() {
		line = announcement(m, elsewhere)
	}
	switch r, err := c.Try(line); {
	case err != nil:
		s.Fatal("%v", err)
	case r.Class() == 5 || r.Code == 425:
		s.told("%s was answered %s, as it should be: %s", line, r, f.because)
	default:
		s.breach(f.broken, "%s was answered %s; 5yz was expected: %s", line, r, f.because)
	}
	c.Alive("a refused " + string(m))
}

// elsewhere is an IPv4 endpoint that is nobody's (RFC 5737).
var elsewhere = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), 32<<8|1)
