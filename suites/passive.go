package suites

import "time"

// patience is how long a server can be expected to wait for a data connection
// at the least: half its own timeout where that is known.
func (s *Session) patience() time.Duration {
	if d := s.Config.DataTimeout; d > 0 {
		return d / 2
	}
	return s.Bounds.Quiet
}

// setUpInTime is SetUp for PORT, where the check is about what becomes of the
// endpoint later: a server that connects at once is the subject of
// port-waits-for-transfer.
func (s *Session) setUpInTime(c *Control) *Path {
	p := c.SetUp(PORT)
	if _, err := p.Listener.Accept(min(s.Bounds.Quiet, s.patience())); err == nil {
		s.Inconclusive("the server connected at PORT already, which is another subject")
	}
	return p
}

// passiveReplies collects 227 replies of one session.
func (s *Session) passiveReplies(n int) []Received {
	s.onlyIPv4(PASV)
	c := s.Login()
	var out []Received
	for range n {
		r := c.Cmd("PASV")
		if r.Code != 227 {
			s.Inconclusive("PASV was answered %s", r)
		}
		out = append(out, r)
	}
	return out
}

func pasvServesOne(s *Session) {
	c := s.Login()
	p := c.SetUp(PASV)
	if t := c.Retrieve(p, "RETR %s", SmallFile); !t.OK() {
		s.Inconclusive("a plain transfer failed: %s", t)
	}
	fallback, err := s.Client.Listen(c.Local)
	if err != nil {
		s.Note("the default data port could not be watched: %v", err)
	}
	// Its own timeout is waited for where it is known.
	bound, first := SlowWait, min(s.Config.dataTimeout(), SlowWait)/2
	if s.Config.DataTimeout > 0 {
		bound = s.Config.dataTimeout()
	}
	t := c.Start("RETR %s", SmallFile)
	if fallback != nil {
		t.AwaitConnection(fallback, first)
		if t.Data != nil {
			t.Data.Wait(s.Bounds.Transfer)
			t.Finish(s.Bounds.Reply)
			s.Note("a transfer without a new PASV went to the default data port")
			return
		}
	}
	switch t.Finish(bound - first); {
	case t.Final.Code == 425:
	case t.Final.Negative():
		s.Note("a transfer without a new PASV was answered %s; 425 is expected", t.Final)
	case t.Final.Code == 0:
		again := &Path{Mode: PASV, Endpoint: p.Endpoint, c: c}
		if d, err := again.Dial(); err == nil {
			d.Start()
			t.Data, t.Err = d, nil
			if c.gone = false; t.Finish(s.Bounds.Transfer).OK() {
				s.Note("the old passive port was served once more")
				return
			}
		}
		s.Fail("a transfer without a new PASV has no final reply within %v: %s", bound, t)
	default:
		s.Fail("a transfer without a new PASV claims success without a connection: %s", t)
	}
}

func pasvRange(s *Session) {
	r := s.Target.PassivePorts
	if r.Min == 0 {
		s.NotApplicable("the target's passive range is not known; say it with --passive-ports MIN-MAX")
	}
	size := int(r.Max-r.Min) + 1
	if size > 256 {
		s.NotApplicable("the passive range has %d ports; a range of at most 256 can be used up", size)
	}
	seen := map[uint16]bool{}
	for len(seen) <= size {
		c, err := s.TryLogin()
		if err != nil {
			s.Note("the target takes no more than %d sessions: %v", len(seen), err)
			return
		}
		reply := c.Cmd("PASV")
		if reply.Code != 227 {
			s.gradeExhausted(reply, len(seen), size)
			return
		}
		ep, err := passiveEndpoint(reply.Reply)
		if err != nil {
			s.Inconclusive("the reply cannot be read: %v", err)
		}
		switch {
		case ep.Port() < r.Min || ep.Port() > r.Max:
			s.Fatal("227 names port %d, outside of the range %d to %d", ep.Port(), r.Min, r.Max)
		case seen[ep.Port()]:
			s.Fatal("227 names port %d to two sessions at once", ep.Port())
		}
		seen[ep.Port()] = true
	}
}

func (s *Session) gradeExhausted(r Received, used, size int) {
	switch {
	case !r.In(425, 421, 451):
		s.Fail("with %d of %d passive ports in use PASV was answered %s; 425 says that trying later may help", used, size, r)
	case used < size:
		s.Note("only %d of %d ports of the range could be used: %s", used, size, r)
	}
}
