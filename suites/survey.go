package suites

import (
	"github.com/ftpconform/ftpconform/ftp"
)

// unknownVerb is a command that nobody has defined. Its answer, 5yz, can be
// told from those of commands that succeed.
const unknownVerb = "ZZZZ"

// survey makes a dialogue with something of everything, so that an invariant
// has something to judge. A command without an answer ends its group and its
// session, because nothing after it could be told apart; silence is the
// subject of other checks.
func (s *Session) survey() {
	c := s.Connect() // without login
	if c.ask(append(s.setupLines(c), unknownVerb)...) {
		c.Quit()
	}
	c = s.Login()
	for i, group := range []func(*Control){
		func(c *Control) {
			c.ask("PWD", "CWD .", "TYPE A", "TYPE I", "MODE S", "STRU F", "NOOP", "ALLO 1", "DELE "+MissingFile, unknownVerb)
		},
		func(c *Control) { c.ask(s.setupLines(c)...) },
		s.transfers, // in a session of its own: some servers answer later to a set-up that nobody uses
		// SYST stands last: a reply too many would spoil what follows.
		func(c *Control) { c.ask("HELP", "FEAT", "STAT", "STAT .", "SYST") },
	} {
		if c.gone || c.raw || i == 2 {
			c = s.Login()
		}
		group(c)
	}
}

// ask sends commands one by one and reports whether all were answered.
func (c *Control) ask(lines ...string) bool {
	for _, line := range lines {
		if _, err := c.Try(line); err != nil {
			return false
		}
	}
	return true
}

// setupLines are the set-up commands. The endpoints in them are our own, and
// open: some servers connect at once.
func (s *Session) setupLines(c *Control) []string {
	lines := []string{"PASV", "EPSV"}
	if s.Config.PassiveOnly {
		return lines
	}
	ep := c.Listen().Endpoint
	if ep.Addr().Is4() {
		lines = append(lines, announcement(PORT, ep))
	}
	return append(lines, "EPRT "+ftp.FormatExtended(ep))
}

// transfers makes a few small transfers in both directions, where that works.
func (s *Session) transfers(c *Control) {
	if _, lacks := s.Target.Lacks(NeedFiles); lacks {
		return
	}
	name := s.check.ID + ".bin"
	for _, m := range s.Modes() {
		for _, act := range []func(*Path) *Transfer{
			func(p *Path) *Transfer { return c.Retrieve(p, "RETR %s", SmallFile) },
			func(p *Path) *Transfer { return c.Retrieve(p, "LIST") },
			func(p *Path) *Transfer { return c.Store(p, SmallContent, "STOR %s", name) },
		} {
			if !act(c.SetUp(m)).OK() {
				return // the subject of other checks, and slow
			}
		}
	}
	c.ask("DELE " + name)
}

// replyUnsolicited brings sessions into states in which servers have spoken
// unasked, and listens to all of them for one quiet window.
func replyUnsolicited(s *Session) {
	type state struct {
		c     *Control
		after string
	}
	var states []state
	in := func(after string, prepare func(c *Control) bool) {
		if c := s.Login(); prepare(c) {
			states = append(states, state{c, after})
		}
	}
	in("login and SYST", func(c *Control) bool { return c.ask("SYST") })
	in("a PASV that was not used", func(c *Control) bool { return c.ask("PASV") })
	if s.Target.Works(PORT) {
		in("a refused data connection", func(c *Control) bool {
			// A server that dials at PORT says already there what it has to say.
			return c.ask(announcement(PORT, c.Closed())) && c.Start("RETR %s", SmallFile).Finish(s.Bounds.Dial).Final.Code != 0
		})
	}
	if _, lacks := s.Target.Lacks(NeedStranger); !lacks && s.Target.Works(PASV) {
		in("a stranger's connection to the passive port", s.touched)
	}
	if _, lacks := s.Target.Lacks(NeedFiles); !lacks {
		in("a transfer", func(c *Control) bool {
			return c.Retrieve(c.SetUp(s.Mode()), "RETR %s", SmallFile).Final.Code != 0
		})
	}
	s.Sleep(s.Bounds.Quiet) // one window for all of them
	for _, st := range states {
		s.spoke(st.c, st.after)
	}
}

// touched lets a stranger connect to a passive port and go away.
func (s *Session) touched(c *Control) bool {
	p := c.SetUp(PASV)
	d, err := s.strangerDials(p.Endpoint)
	if err == nil {
		_ = d.Close()
	}
	return err == nil
}

// spoke fails the check when a reply has come on a quiet session. A session
// that has ended without a word is none of its business.
func (s *Session) spoke(c *Control, after string) {
	extra, err := c.Quiet(0)
	if err != nil {
		c.gone = true
	}
	switch {
	case len(extra) == 0:
	case extra[0].Code == 421 && (c.gone || c.WaitClosed(s.Bounds.Close)):
		c.gone = true
		s.Note("after %s the session was ended with %s", after, extra[0])
	default:
		c.raw = true // said once is enough
		s.Fail("after %s came %s without a command that asked for it", after, extra[0])
	}
}
