package suites

import (
	"errors"
	"fmt"
	"time"

	"github.com/ftpconform/ftpconform/fakeclient"
)

// skew is how much later than a reply the end of the data connection may be
// seen, because the two travel on connections of their own.
const skew = time.Second

// closesFirst compares the end of the data connection with the final reply.
func (s *Session) closesFirst(m Mode) {
	c := s.Login()
	t := c.MustRetrieve(m, SmallFile, nil)
	switch end := t.Data.End(); {
	case end.Ending == fakeclient.EndNone:
		s.Fail("in mode %s %s came and the data connection stayed open", m, t.Final)
	case end.At > t.Final.At+skew:
		s.Fail("in mode %s %s came %.1f s before the end of the data connection", m, t.Final, (end.At - t.Final.At).Seconds())
	}
}

// finalWhileStalled looks for a final reply while the client does not read:
// the server cannot have written BigFile then.
func (s *Session) finalWhileStalled() {
	c := s.Login()
	t := s.stalled(c, s.Mode())
	until := s.Client.Trace().Now() + min(s.Bounds.Quiet, s.patience())
	for t.Final.Code == 0 {
		r, err := c.Reply(max(until-s.Client.Trace().Now(), 0))
		switch {
		case errors.Is(err, fakeclient.ErrTimeout):
			t.Data.Start()
			t.Finish(s.Bounds.Transfer)
			return
		case err != nil:
			s.Inconclusive("the session ended while the client did not read: %v", err)
		case r.Preliminary():
			t.Preliminary = append(t.Preliminary, r)
		default:
			t.settle(r)
		}
	}
	if !t.Final.Positive() {
		s.Inconclusive("the transfer was given up while the client did not read: %s", t)
	}
	s.Fail("%s came when the client had read %d of %d octets; the rest cannot have been written yet", t.Final, t.Data.Total(), len(s.big()))
	c.End()
}

func reply226Or250(s *Session) {
	for _, m := range s.Modes() {
		c := s.Login()
		s.gradeCompletion(m, c.MustRetrieve(m, SmallFile, nil))
		const name = "reply-226-or-250.bin"
		t := c.Begin(c.SetUp(m), "STOR %s", name)
		if t.Data == nil {
			s.Inconclusive("a plain transfer failed: %s", t)
		}
		_, err := t.Data.Send(SmallContent, s.Bounds.Transfer)
		if err = errors.Join(err, t.Data.CloseWrite()); err != nil {
			s.Inconclusive("a plain transfer failed: %v", err)
		}
		if !t.Finish(s.Bounds.Transfer).OK() {
			s.Inconclusive("a plain transfer failed: %s", t)
		}
		// The bound is generous: a close that is late is another subject.
		t.Data.Wait(s.Bounds.Reply)
		s.gradeCompletion(m, t)
		c.ask("DELE " + name)
	}
}

func (s *Session) gradeCompletion(m Mode, t *Transfer) {
	open := t.Data.End().Ending == fakeclient.EndNone
	state := map[bool]string{true: "stays open", false: "is closed"}[open]
	switch what := fmt.Sprintf("%s in mode %s: the data connection %s after %s", verbOf(t.Command), m, state, t.Final); {
	case t.Final.Code == 250:
		s.Note("%s; 226 is the code after a close", what)
	case open:
		s.Fail("%s; 250 would say so", what)
	}
}
