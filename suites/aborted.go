package suites

import (
	"fmt"
	"time"

	"github.com/ftpconform/ftpconform/fakeclient"
)

// abortable logs in and makes sure that the server knows ABOR.
func (s *Session) abortable() *Control {
	c := s.Login()
	c.tryABOR()
	return c
}

// tryABOR sends ABOR where no transfer runs. A server may do without ABOR
// (conflict C-29), and nothing else can be checked then.
func (c *Control) tryABOR() Received {
	r := c.Cmd("ABOR")
	if r.In(500, 502) {
		c.s.Unsupported("ABOR is not offered: %s", r)
	}
	return r
}

// abortIdle sends ABOR where no transfer runs and expects success; its reply
// is the subject of another check.
func (c *Control) abortIdle() {
	if r := c.tryABOR(); !r.Positive() {
		c.s.Inconclusive("ABOR without a transfer was answered %s", r)
	}
}

// abortsSetUp checks that ABOR closes the port of a passive set-up.
func (s *Session) abortsSetUp(m Mode) {
	c := s.Login()
	p := c.SetUp(m)
	c.abortIdle()
	if !s.Refused(p.Endpoint) {
		s.Fail("port %d of %s still accepted connections after ABOR", p.Endpoint.Port(), m)
	}
}

// aborted is a transfer with an ABOR in it.
type aborted struct {
	*Transfer
	// own is the reply to ABOR, Code 0 when none came.
	own Received
	// resumed tells that nothing came before the client went on, so that the
	// server may have been blocked in the transfer.
	resumed bool
}

// abort sends a plain ABOR into a stalled RETR and collects both replies.
func (t *Transfer) abort() *aborted {
	return t.abortWith(func() error { return t.c.Send("ABOR") }, t.Data.Start).ownReply()
}

// abortWith sends an ABOR and waits for the final reply of the transfer. When
// none comes in the quiet window the server may be blocked in the transfer and
// can only defer ABOR (RFC 1123 section 4.1.3.3): resume lets it go on. The
// data connection is read from then on.
func (t *Transfer) abortWith(send func() error, resume func()) *aborted {
	c := t.c
	began := c.s.Client.Trace().Now()
	if err := send(); err != nil {
		c.s.Inconclusive("%v", err)
	}
	c.owed++
	a := &aborted{Transfer: t}
	if !t.ended(c.s.Bounds.Quiet) && !c.gone {
		a.resumed = true
		resume()
		t.Finish(c.s.Bounds.Transfer)
	}
	if t.Data != nil {
		t.Data.Start() // a server may wait for its last octets to be taken
	}
	if t.Final.Code != 0 && t.Final.At < began {
		c.s.Inconclusive("the final reply came before ABOR was sent: %s", t)
	}
	return a
}

// ended waits for the final reply of a transfer that may still be running; that
// there is none yet is no error.
func (t *Transfer) ended(bound time.Duration) bool {
	for heard := -1; t.Final.Code == 0 && !t.c.gone && heard < len(t.Preliminary); {
		heard = len(t.Preliminary)
		t.hear(bound)
	}
	return t.Final.Code != 0
}

// ownReply waits for the reply to ABOR, which follows that of the transfer.
func (a *aborted) ownReply() *aborted {
	if a.Final.Code != 0 && !a.c.gone {
		var err error
		if a.own, err = a.c.await("ABOR", a.c.s.Bounds.Abort); err != nil {
			a.Err = fmt.Errorf("no reply to ABOR: %w", err)
		} else {
			a.c.owed--
		}
	}
	return a
}

// String tells what came of it: "RETR big.bin: 150, 426 aborted; ABOR: 226 ok".
func (a *aborted) String() string {
	if a.own.Code == 0 {
		return a.Transfer.String() // with the reason, in Err
	}
	return a.Transfer.String() + "; ABOR: " + a.own.String()
}

// clean reports whether the two replies are of the kinds that they have to be.
func (a *aborted) clean() bool {
	return (a.Final.Class() == 4 || a.OK()) && a.own.Positive()
}

// gradeAbort grades the replies of an abort, looks for one too many, and
// reports whether there were two.
func (s *Session) gradeAbort(a *aborted, what string) bool {
	switch {
	case a.Final.Code == 0:
		s.Fail("no final reply to %s with ABOR: %s", what, a)
		return false
	case a.own.Code == 0:
		s.Fail("one final reply to %s with ABOR, where two were expected: %s", what, a)
		return false
	case !a.clean():
		s.Fail("the replies to %s with ABOR are %s and %s; 426 and 226 were expected", what, a.Final, a.own)
	case a.Final.Class() == 4 && a.Final.Code != 426:
		s.Note("%s was aborted with %s; 426 is the code for it", what, a.Final)
	}
	if a.own.Positive() && !a.own.In(225, 226) {
		s.Note("ABOR in %s was answered %s; 226 is usual", what, a.own)
	}
	switch extra, err := a.c.caughtUp(); {
	case err != nil:
		s.Fail("the session does not go on after ABOR in %s: %v", what, err)
		return false
	case extra != nil:
		s.Fail("three final replies to %s with ABOR, where two were expected: %s and %s", what, a, extra)
		return false
	}
	return true
}

// caughtUp sends NOOP and returns the reply before its own, if there is one: a
// reply too many. That NOOP has an odd reply is the subject of another check.
func (c *Control) caughtUp() (*Received, error) {
	r, err := c.Try("NOOP")
	if err != nil || !r.In(225, 226, 250, 425, 426, 450, 451) {
		return nil, err
	}
	if _, err := c.Next(c.s.Bounds.Quiet); err != nil {
		return nil, nil
	}
	return &r, nil
}

// gradeCut looks at the data connection of an aborted RETR.
func (s *Session) gradeCut(a *aborted, m Mode) {
	if a.Final.Code == 0 {
		return
	}
	switch end := a.Data.Wait(s.Bounds.Close); {
	case end.Ending == fakeclient.EndNone:
		s.Fail("the data connection of a RETR with %s was still open %v after ABOR", m, s.Bounds.Close)
	case a.Final.Code == 426 && a.Data.Total() >= int64(len(s.big())):
		s.Fail("a RETR with %s was answered %s, but the whole file came", m, a.Final)
	case a.OK() && a.Data.Total() < int64(len(s.big())) && a.own.Code != 0:
		// Some servers say 226 long before the end, ABOR or not.
		if t := s.stalled(s.Login(), m); t.ended(s.Bounds.Quiet) {
			s.Inconclusive("without ABOR the final reply comes before the end of the data, too, which another check is about: %s", t)
		}
		s.Strict("a RETR with %s was answered %s after %d of %d octets; 426 was expected", m, a.Final, a.Data.Total(), len(s.big()))
	}
}
