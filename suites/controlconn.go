package suites

import (
	"slices"

	"github.com/ftpconform/ftpconform/fakeclient"
)

// The checks of the control connection as the keeper of transfers: RFC 959
// sections 2.3, 3.2 and 4.1.1.
var controlChecks = []Check{
	{
		ID: "control-quit", Requirements: []string{"FTP-CTRL-022"}, Needs: []Need{NeedData, NeedFiles}, In: whereExtended,
		Title:    "QUIT is answered 221 and the connection closed, after the result of a running transfer",
		Why:      "Clients that send QUIT behind their last command lose the end of the file when it cuts the transfer off.",
		Conforms: []string{"221 and the close; in the middle of RETR the whole file, 226 or 250, 221 and the close (RFC 959 section 4.1.1)", "221 before 226 when both arrive and the file is whole"},
		Fails: []string{"QUIT has no reply, or not 221 (RFC 959 section 4.1.1)", "the connection is not closed (RFC 959 section 4.1.1)",
			"the transfer is cut, or its final reply is missing (RFC 959 section 4.1.1)"},
		Run: controlQuit,
	},
	{
		ID: "control-loss", Requirements: []string{"FTP-CTRL-023"}, Needs: []Need{NeedData, NeedFiles}, Exclusive: true, In: whereExtended,
		Title:    "The loss of the control connection ends the data connection and the passive listener",
		Why:      "What outlives its session holds ports and sends to nobody, and nobody can stop it.",
		Conforms: []string{"after FIN and after RST on the control connection the stalled transfer is ended, and an unused passive port refuses (RFC 959 sections 3.2 and 4.1.1)"},
		Fails:    []string{"the transfer goes on, or its connection stays open (RFC 959 section 3.2)", "the passive port still accepts (RFC 959 section 4.1.1)"},
		Run:      controlLoss,
	},
}

func controlQuit(s *Session) {
	c := s.Login()
	r, err := c.Try("QUIT")
	switch {
	case err != nil:
		s.Fail("QUIT has no reply: %v", err)
	case r.Code != 221:
		s.Fail("QUIT was answered %s; 221 was expected", r)
	case !c.WaitClosed(s.Bounds.Close):
		s.Fail("the connection was still open %v after %s", s.Bounds.Close, r)
	}
	c.End()

	c = s.Login()
	t := s.underWay(c, s.Mode())
	if err := c.Send("QUIT"); err != nil {
		s.Inconclusive("%v", err)
	}
	// A server that looks up from its transfer has the time to do so.
	replies, err := c.Quiet(s.Bounds.Quiet)
	replies = slices.DeleteFunc(replies, preliminary)
	if s.damaged(t) {
		s.Fatal("QUIT during a transfer cut it off: %d of %d octets, end %s", t.Data.Total(), len(s.big()), t.Data.End().Ending)
	}
	if err == nil {
		replies = append(replies, c.finals(2-len(replies), s.Bounds.Reply)...)
	}
	result := slices.IndexFunc(replies, func(r Received) bool { return r.In(226, 250) })
	bye := slices.IndexFunc(replies, func(r Received) bool { return r.Code == 221 })
	switch {
	case result < 0:
		s.Fail("QUIT during a transfer took the final reply of the transfer; the replies were %v", replies)
	case bye < 0 && !c.gone && c.forgot():
		s.Inconclusive("QUIT during a transfer was forgotten; that commands wait in a queue is another subject")
	case bye < 0:
		s.Fail("QUIT during a transfer has no reply 221; the replies were %v", replies)
	case err == nil && !c.WaitClosed(s.Bounds.Close):
		s.Fail("the connection was still open %v after the transfer and %s", s.Bounds.Close, replies[bye])
	}
	if result >= 0 && bye >= 0 {
		t.settle(replies[result])
		c.file("QUIT", nil, replies[bye])
	}
	c.End()
}

func controlLoss(s *Session) {
	type loss struct {
		how  string
		lose func(c *Control)
		t    *Transfer
		p    *Path
	}
	runs := []*loss{
		{how: "FIN", lose: func(c *Control) { _ = c.Close() }},
		{how: "RST", lose: func(c *Control) { _ = c.Reset() }},
	}
	announced := map[uint16]int{}
	for _, r := range runs {
		c := s.Login()
		r.t = s.underWay(c, s.Mode())
		announced[r.t.Path.Endpoint.Port()]++
		r.lose(c)
		c.gone = true
		if s.Target.Works(PASV) {
			c := s.Login()
			r.p = c.SetUp(PASV)
			announced[r.p.Endpoint.Port()]++
			r.lose(c)
			c.gone = true
		}
	}
	// The transfers stand still until the server has had its time: it must not
	// need them to go on to notice the loss.
	s.Sleep(s.Bounds.Close)
	for _, r := range runs {
		end := r.t.Data.Wait(s.Bounds.Close)
		switch {
		case r.t.Data.Total() >= int64(len(s.big())):
			s.Fail("after %s on the control connection the transfer went on to its end", r.how)
		case end.Ending == fakeclient.EndNone:
			s.Fail("after %s on the control connection the data connection was still open %v later, and %d octets had come", r.how, 2*s.Bounds.Close, r.t.Data.Total())
		}
		// What is announced twice was free in between, and the later session may
		// still listen: some servers do while they transfer.
		if r.p != nil && announced[r.p.Endpoint.Port()] == 1 && !s.Refused(r.p.Endpoint) {
			s.Fail("after %s on the control connection port %d of its PASV still accepted connections", r.how, r.p.Endpoint.Port())
		}
	}
}
