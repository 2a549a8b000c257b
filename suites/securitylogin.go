package suites

import (
	"errors"
	"strings"
	"time"

	"github.com/ftpconform/ftpconform/fakeclient"
)

func securityLoginLimit(s *Session) {
	const most = 10
	// Each answer should be delayed: there must be room for ten of them.
	bound := s.Bounds.Login * 3 / 2
	tries, ended := s.failLogins(s.Connect(), most, bound)
	switch n := len(tries); {
	case ended && n > 5:
		s.Note("the session ended after %d failed logins; three to five are suggested", n)
	case ended:
	case n < most:
		s.Inconclusive("only %d failed logins were answered in %v; none of them ended the session", n, bound)
	default:
		s.Fail("the session went on after %d failed logins; three to five are suggested", n)
	}
}

func securityUserNames(s *Session) {
	ask := func(name string) (r Received, text string, took time.Duration) {
		c := s.Connect()
		began := s.Client.Trace().Now()
		r = c.Cmd("USER %s", name)
		c.End()
		return r, strings.ReplaceAll(strings.Join(r.Lines, "\n"), name, "…"), r.At - began
	}
	user := s.Target.User
	known, knownText, knownTook := ask(user)
	unknown, unknownText, unknownTook := ask(inventedUser)
	anonymous := strings.EqualFold(user, "anonymous") || strings.EqualFold(user, "ftp")
	switch {
	case known.Class() == 4 || unknown.Class() == 4:
		s.Inconclusive("USER was answered %s and %s", known, unknown)
	case anonymous && known.Code == 230 && unknown.Code != 530:
	case known.Code != unknown.Code:
		s.Strict("USER was answered %s for a name that exists, and %s for one that does not", known, unknown)
	case knownText != unknownText && !anonymous:
		s.Strict("USER was answered %q for a name that exists, and %q for one that does not", known.Text(), unknown.Text())
	case (knownTook - unknownTook).Abs() > time.Second:
		s.Note("USER was answered after %.1f s for a name that exists, and after %.1f s for one that does not", knownTook.Seconds(), unknownTook.Seconds())
	}
}

// inventedUser is a name that no server is likely to know. Failed logins use
// it, so that no real account is locked.
const inventedUser = "ftpconform-nobody"

// failedLogin is the reply to a wrong password, and how long it took.
type failedLogin struct {
	Received
	took time.Duration
}

// failLogins fails to log in until the session ends, the bound is over, or for
// most times. A 421 counts as the end. There is at least one attempt, or the
// check ends.
func (s *Session) failLogins(c *Control, most int, bound time.Duration) (tries []failedLogin, ended bool) {
	name, until := inventedUser, s.Client.Trace().Now()+bound
	for len(tries) < most && !ended && s.Client.Trace().Now() < until {
		began := s.Client.Trace().Now()
		r, err := c.Try("USER " + name)
		if err == nil && r.Class() == 5 && name == inventedUser {
			name = s.Target.User // the name alone was refused: no password could be wrong
			continue
		}
		if err == nil && r.Class() == 3 {
			began = s.Client.Trace().Now()
			r, err = c.tryLong("PASS ftpconform-wrong", s.Bounds.Login)
		}
		switch {
		case errors.Is(err, fakeclient.ErrTimeout):
			s.Inconclusive("a failed login is not answered: %v", err)
		case err != nil:
			ended = true
		case r.Positive() || r.Class() == 3:
			s.NotApplicable("the server logs in whoever comes: a wrong password was answered %s", r)
		default:
			tries = append(tries, failedLogin{r, r.At - began})
			ended = r.Code == 421
		}
	}
	if len(tries) == 0 {
		s.Inconclusive("the session ended before a login could fail")
	}
	return tries, ended
}
