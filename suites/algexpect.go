package suites

import (
	"errors"
	"net/netip"
	"time"
)

// The checks of the state that a helper makes for the data connection: RFC 2663
// section 7.1.
var algExpectChecks = []Check{
	{
		ID: "alg-expects-in-time", Requirements: []string{"FTP-NAT-004"}, In: []Topology{ClientNATALG, ServerNATALG}, Varies: true,
		Title:    "The first SYN of the data connection gets through, however soon it follows the announcement",
		Why:      "A server may dial in the very moment in which it has read PORT; a SYN that comes too early costs a second at best, and the transfer where it is answered with a RST.",
		Conforms: []string{"with the transfer command right behind PORT, and a connection at once after 227, the first SYN passes the gateway as it comes (RFC 2663 section 7.1)"},
		Fails:    []string{"a SYN to the announced endpoint is held back or refused (RFC 2663 section 7.1)"},
		Network:  sameLength,
		Run:      algExpectsInTime,
	},
	{
		ID: "alg-expects-the-peer", Requirements: []string{"FTP-NAT-004"}, In: []Topology{ClientNATALG},
		Title:    "The way that PORT opens is open to the server alone",
		Why:      "Who gets in between takes the client's data, or gives it other data; an open port of the client is what the NAT was to spare it.",
		Conforms: []string{"a stranger who connects to the announced endpoint does not reach the client, and the server does after that (RFC 2663 section 7.1, RFC 5382 section 4.3)"},
		Noted:    []string{"the stranger's attempt uses up what was opened, as it does where a SYN counts without regard to its source"},
		Fails:    []string{"a stranger reaches the client (RFC 2663 section 7.1)"},
		Network:  sameLength,
		Run:      algExpectsThePeer,
	},
}

// soon is what a gateway may take for a packet; the first repetition of a SYN
// comes much later.
const soon = 100 * time.Millisecond

func algExpectsInTime(s *Session) {
	b := s.border(theGateway)
	c := s.Login()
	k := b.follow(c)
	var to netip.AddrPort
	var t *Transfer
	if s.clientHelped() {
		t = s.announcedAndUsed(c)
		to, _ = k.announced(PORT)
	} else {
		c.Must("PASV")
		to, _ = k.announced(PASV)
		t = c.Retrieve(&Path{Mode: PASV, Endpoint: to, c: c}, "RETR %s", SmallFile)
	}
	came := b.outside.all(func(x passage) bool { return !x.Sent && x.opens(to) })
	if len(came) == 0 {
		s.Inconclusive("nobody has connected to %s: %s", to, t)
	}
	passed := b.inside.all(func(x passage) bool {
		return x.Sent && x.Err == nil && x.View.Src == came[0].View.Src && x.opens(x.View.Dst)
	})
	switch {
	case len(passed) == 0:
		s.Fail("%d SYN came from %s to %s, and none got through: %s", len(came), came[0].View.Src, to, t)
	case passed[0].At.Sub(came[0].At) > soon:
		s.Fail("the first SYN from %s to %s was not let through; one got through %v later", came[0].View.Src, to, passed[0].At.Sub(came[0].At).Round(time.Millisecond))
	}
}

// announcedAndUsed sends PORT and, without waiting for its reply, the transfer
// command.
func (s *Session) announcedAndUsed(c *Control) *Transfer {
	l := c.Listen()
	line := announcement(PORT, l.Endpoint)
	t := &Transfer{Command: "RETR " + SmallFile, c: c}
	if err := errors.Join(c.Send(line), c.Send(t.Command)); err != nil {
		s.Inconclusive("%v", err)
	}
	if r, err := c.await(line, s.Bounds.Reply); err != nil || !r.Positive() {
		s.Inconclusive("PORT was answered %s%s", r, because(err))
	}
	c.pending = true
	t.AwaitConnection(l, s.Bounds.Dial)
	if t.Data != nil {
		t.Data.Wait(s.Bounds.Transfer)
	}
	return t.Finish(s.Bounds.Dial)
}

func algExpectsThePeer(s *Session) {
	b := s.border(theGateway)
	c := s.Login()
	k := b.follow(c)
	l := c.Listen()
	to := k.mustAnnounce(c, PORT, l.Endpoint)
	c.settle()
	stranger := s.Scene.Stranger().Addr(to.Addr())
	_, err := s.Client.DialData(netip.AddrPortFrom(stranger, 0), to)
	if _, none := l.Accept(s.Bounds.Quiet); none == nil || err == nil {
		s.Fatal("after PORT a connection of %s, who has nothing to do with the session, to %s was let in", stranger, to)
	}
	t := c.Retrieve(&Path{Mode: PORT, Endpoint: l.Endpoint, Listener: l, c: c}, "RETR %s", SmallFile)
	if t.Data == nil || !t.OK() {
		s.Note("after the attempt of %s the server did not get through either: %s", stranger, t)
	}
}
