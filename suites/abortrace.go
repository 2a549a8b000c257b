package suites

import (
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ftpconform/ftpconform/ftp"
)

func aborRace(s *Session) {
	s.Login().abortIdle() // its reply comes here whenever the transfer wins
	m := s.Mode()
	noise := rand.New(rand.NewPCG(959, 1123)) // the same delays in every run
	var told []int
	var c *Control
	for i := range 100 {
		if i%25 == 0 { // a limit to the transfers of a session is the subject of another check
			if c != nil {
				c.End()
			}
			c = s.abortable()
		}
		a := c.raceWithABOR(m, time.Duration(noise.IntN(5000))*time.Microsecond, i%2 == 0)
		switch {
		case a.Final.Code == 0:
			s.Fatal("no final reply in round %d of 100: %s", i+1, a)
		case a.own.Code == 0:
			s.Fatal("one final reply in round %d of 100, where two were expected: %s", i+1, a)
		case !a.clean():
			s.Fatal("the replies in round %d of 100 are %s and %s; 226 and 225, or 426 and 226 were expected", i+1, a.Final, a.own)
		}
		for _, r := range []Received{a.Final, a.own} {
			if !r.In(225, 226, 250, 426) && !slices.Contains(told, r.Code) {
				told = append(told, r.Code)
				s.Note("a reply in the race of ABOR with the end of a transfer was %s", r)
			}
		}
		if extra, err := c.caughtUp(); err != nil {
			s.Fatal("the session does not go on after round %d of 100: %v", i+1, err)
		} else if extra != nil {
			s.Fatal("three final replies in round %d of 100, where two were expected: %s and %s", i+1, a, extra)
		}
	}
	if extra, err := c.Quiet(s.Bounds.Quiet); err == nil && len(extra) > 0 {
		s.Fail("after the two final replies came %s", extra[0])
	}
}

// raceWithABOR runs a short RETR with an ABOR close behind, in the same segment or
// after a delay, and collects both replies.
func (c *Control) raceWithABOR(m Mode, delay time.Duration, together bool) *aborted {
	s := c.s
	p := c.SetUp(m)
	t := &Transfer{Command: "RETR " + SmallFile, Path: p, c: c}
	if !m.Active() {
		if t.Data, t.Err = p.Dial(); t.Err != nil {
			s.Inconclusive("the passive port does not accept: %v", t.Err)
		}
		t.Data.Start()
	}
	c.pending = true
	if together {
		t.Err = c.SendOctets([]byte(t.Command + "\r\nABOR\r\n"))
	} else if t.Err = c.Send(t.Command); t.Err == nil {
		s.Sleep(delay) // so that ABOR meets the transfer at another point each time
		t.Err = c.Send("ABOR")
	}
	if t.Err != nil {
		s.Inconclusive("%v", t.Err)
	}
	if m.Active() {
		t.AwaitConnection(p.Listener, s.Bounds.Dial)
		if t.Data != nil {
			t.Data.Start()
		}
		_ = p.Listener.Close()
	}
	a := (&aborted{Transfer: t.Finish(s.Bounds.Transfer)}).ownReply()
	if t.Data != nil {
		_ = t.Data.Close()
	}
	return a
}

func aborTelnet(s *Session) {
	synch, behind := []byte{ftp.IAC, ftp.IP, ftp.IAC, ftp.DM}, []byte("ABOR\r\nNOOP\r\n")
	s.abortsBehindSynch("without urgent data", func(c *Control) error { return c.SendOctets(slices.Concat(synch, behind)) })
	s.abortsBehindSynch("with urgent data", func(c *Control) error { return errors.Join(c.SendUrgent(synch), c.SendOctets(behind)) })
}

// abortsBehindSynch checks one way to send the Synch, ABOR and NOOP.
func (s *Session) abortsBehindSynch(how string, send func(*Control) error) {
	c, m := s.abortable(), s.Mode()
	t := s.stalled(c, m)
	a := t.abortWith(func() error { return send(c) }, t.Data.Start)
	if a.Final.Code == 0 {
		s.Fail("no final reply to a transfer with ABOR behind the Synch %s: %s", how, t)
		return
	}
	first, err := c.Next(s.Bounds.Abort)
	switch {
	case err != nil:
		s.Fail("neither ABOR behind the Synch %s nor the NOOP after it was answered: %s: %v", how, t, err)
		return
	case !first.Positive():
		s.Fail("ABOR behind the Synch %s was not recognised: %s, then %s", how, t, first)
		return
	}
	second, err := c.Next(s.Bounds.Reply)
	switch {
	case err == nil && (second.In(225, 226) || !second.Positive()):
		s.Fail("the NOOP after ABOR behind the Synch %s was answered %s; 200 was expected", how, second)
	case err == nil:
	case !first.In(225, 226) && a.resumed && t.Data.Total() >= int64(len(s.big())):
		s.Fail("ABOR behind the Synch %s was not answered: %s, and %s to the NOOP", how, t, first)
	case !first.In(225, 226):
		s.Inconclusive("an abort has one reply, which another check is about: %s, and %s to a NOOP", t, first)
	case s.repliesToABOR(m) == 3:
		s.Fail("the NOOP after ABOR behind the Synch %s was not answered: %v", how, err)
	default:
		// The Synch is not the reason; it must not cost the next command all
		// the same.
		err = c.Send("NOOP")
		if err == nil {
			_, err = c.Next(s.Bounds.Reply)
		}
		if err != nil {
			s.Fail("after ABOR behind the Synch %s no command is answered any more: %v", how, err)
			return
		}
		s.Note("a NOOP that was sent together with ABOR %s was lost, as it is without the Synch: commands close behind each other are the subject of another check", how)
	}
}

// repliesToABOR counts the final replies to a stalled RETR, a plain ABOR and a
// NOOP, three if all is well: to find out whether what is missing elsewhere
// has its reason there.
func (s *Session) repliesToABOR(m Mode) int {
	c := s.abortable()
	t := s.stalled(c, m)
	a := t.abortWith(func() error { return c.SendOctets([]byte("ABOR\r\nNOOP\r\n")) }, t.Data.Start)
	if a.Final.Code == 0 {
		return 0
	}
	for n := 1; ; n++ {
		if _, err := c.Next(s.Bounds.Quiet); err != nil {
			return n
		}
	}
}

func aborConnecting(s *Session) {
	c := s.abortable()
	c.SetUp(PASV)
	s.abortsConnecting(c)
}

// abortsConnecting sends ABOR while a transfer waits for a data connection that
// does not come.
func (s *Session) abortsConnecting(c *Control) {
	t := c.Start("RETR %s", SmallFile)
	t.hear(s.patience()) // most servers say 1yz now; others wait for the connection
	if t.Final.Code != 0 {
		s.Inconclusive("the transfer did not wait for a connection: %s", t)
	}
	if err := c.Send("ABOR"); err != nil {
		s.Inconclusive("%v", err)
	}
	if bound, proves := s.stallBound(); !t.ended(bound) && !proves && !c.gone {
		s.Inconclusive("a transfer that waits for its connection, and ABOR, have no reply within %v; run with --slow to wait longer, or say the target's own timeout with --data-timeout", bound)
	}
	a := (&aborted{Transfer: t}).ownReply()
	switch {
	case a.Final.Code == 0:
		s.Fail("no final reply to a transfer that was waiting for its connection, nor to ABOR: %s", a)
	case a.own.Code == 0 && s.repliesToABOR(s.Mode()) < 3:
		s.Inconclusive("ABOR has no reply of its own, as in another check: %s", a)
	case a.own.Code == 0:
		s.Fail("one final reply to a transfer that was waiting for its connection with ABOR, where two were expected: %s", a)
	case !a.clean() || a.OK():
		s.Fail("the replies to a transfer that was waiting for its connection with ABOR are %s and %s; 425 or 426 and 226 were expected", a.Final, a.own)
	case !a.Final.In(425, 426):
		s.Note("a transfer that was waiting for its connection was aborted with %s; 426 or 425 is the code for it", a.Final)
	}
}
