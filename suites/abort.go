package suites

import (
	"bytes"
	"time"

	"github.com/ftpconform/ftpconform/fakeclient"
)

// The checks of ABOR: RFC 959 sections 4.1 and 4.1.3, RFC 1123 sections
// 4.1.3.3 and 4.1.5, RFC 854 for the Synch. A server may do without ABOR
// (conflict C-29); one that has it answers the transfer and then the ABOR.
var abortChecks = []Check{
	{
		ID: "abor-retr", Requirements: []string{"FTP-ABOR-001"}, Needs: []Need{NeedData, NeedFiles}, In: whereExtended,
		Title:    "ABOR during a RETR ends the transfer with 426 and is then answered 226 itself",
		Why:      "A client counts two replies; with one too few or too many every later answer is taken for the wrong command.",
		Conforms: []string{"426, then 226 or 225; the data connection is closed and the file incomplete (RFC 959 section 4.1.3)", "226 for the whole file, then 225 or 226: a server may defer ABOR (RFC 1123 section 4.1.3.3)"},
		Noted:    []string{"another 4yz in place of 426, or another 2yz to ABOR", "226 for a part of the file; it fails in the strict profile"},
		Fails:    []string{"one final reply, or three (RFC 959 section 4.1.3)", "any other code (RFC 959 section 4.1.3)", "the data connection stays open, or the whole file comes all the same (RFC 959 sections 3.2 and 4.1.3)", "in the strict profile: 226 for a part of the file (RFC 959 section 4.1.3)"},
		Run: func(s *Session) {
			for _, m := range s.Modes() {
				a := s.stalled(s.abortable(), m).abort()
				s.gradeAbort(a, "a RETR with "+string(m))
				s.gradeCut(a, m)
			}
		},
	},
	{
		ID: "abor-others", Requirements: []string{"FTP-ABOR-002"}, Needs: []Need{NeedData, NeedFiles},
		Title:    "ABOR during a store or a listing has two replies too",
		Why:      "Uploads are what users give up most often.",
		Conforms: []string{"426, then 226 or 225, to STOR and APPE in their middle, and to LIST, NLST and MLSD before the client has connected (RFC 959 section 4.1.3)", "226, then 225 or 226, once the client has gone on (RFC 1123 section 4.1.3.3)"},
		Noted:    []string{"another 4yz in place of 426, as 425 before the connection, or another 2yz to ABOR"},
		Fails:    []string{"one final reply, or three (RFC 959 section 4.1.3)", "any other code (RFC 959 section 4.1.3)", "the data connection of the store stays open (RFC 959 section 3.2)"},
		Run:      aborOthers,
	},
	{
		ID: "abor-idle", Requirements: []string{"FTP-ABOR-003"},
		Title:    "ABOR with nothing to abort succeeds at once",
		Why:      "The transfer may have ended while ABOR was under way; a client that is told of an error, or of nothing, cannot tell what happened.",
		Conforms: []string{"226 or 225 (RFC 959 sections 4.1.3 and 5.4, conflict C-07)"},
		Fails:    []string{"any other answer than 500 and 502, or none (RFC 959 section 4.1.3)"},
		Run: func(s *Session) {
			switch r, err := s.Login().Try("ABOR"); {
			case err != nil:
				s.Fail("ABOR with nothing to abort: %v", err)
			case r.In(500, 502):
				s.Unsupported("ABOR is not offered: %s", r)
			case !r.In(225, 226):
				s.Fail("ABOR with nothing to abort was answered %s; 226 or 225 was expected", r)
			}
		},
	},
	{
		ID: "abor-closes-connection", Requirements: []string{"FTP-ABOR-004"}, Needs: []Need{NeedPassive},
		Title:    "ABOR closes a data connection that is open and idle",
		Why:      "A connection that stays open is taken for that of the next transfer, or holds a port until a timeout.",
		Conforms: []string{"226 or 225, and FIN or RST within the bound (RFC 959 section 4.1.3)"},
		Fails:    []string{"the connection stays open (RFC 959 sections 3.2 and 4.1.3)"},
		Run: func(s *Session) {
			c := s.Login()
			d, err := c.SetUp(PASV).Dial()
			if err != nil {
				s.Inconclusive("the passive port does not accept: %v", err)
			}
			c.abortIdle()
			if d.Wait(s.Bounds.Close).Ending == fakeclient.EndNone {
				s.Fail("the data connection was still open %v after ABOR", s.Bounds.Close)
			}
		},
	},
	{
		ID: "abor-closes-listener", Requirements: []string{"FTP-ABOR-005"}, Needs: []Need{NeedPassive}, Exclusive: true,
		Title:    "ABOR closes a passive port that nobody has used",
		Why:      "Ports that stay behind use up the range and stay open to strangers.",
		Conforms: []string{"226 or 225, and the port of PASV, and of EPSV, refuses (RFC 2428 section 3, RFC 959 section 4.1.3)"},
		Fails:    []string{"the port still accepts (RFC 2428 section 3)"},
		Run: func(s *Session) {
			for _, m := range []Mode{PASV, EPSV} {
				if s.Target.Works(m) {
					s.abortsSetUp(m)
				}
			}
		},
	},
	{
		ID: "abor-keeps-session", Requirements: []string{"FTP-ABOR-006"}, Needs: []Need{NeedData, NeedFiles},
		Title:    "ABOR leaves session, directory and TYPE as they were",
		Why:      "A client goes on after an abort with what it has set; a TYPE that has changed spoils the next file in silence.",
		Conforms: []string{"NOOP is answered, PWD says what it said before, the next RETR yields the same octets, after an abort and after an idle ABOR (RFC 959 section 4.1.3)"},
		Fails:    []string{"the session ends (RFC 959 section 4.1.3)", "directory or TYPE have changed (RFC 959 section 4.1.3)"},
		Run:      aborKeepsSession,
	},
	{
		ID: "abor-next-transfer", Requirements: []string{"FTP-ABOR-007"}, Needs: []Need{NeedData, NeedFiles}, In: whereOpenExtended,
		Title:    "After an abort the next transfer works",
		Why:      "What an abort leaves behind, a reply or a flag, hits the next transfer.",
		Conforms: []string{"20 rounds of abort and transfer are all complete, without a stale reply (RFC 959 section 4.1.3)"},
		Fails:    []string{"a transfer after an abort fails or is incomplete (RFC 959 section 4.1.3)", "a reply is left over (RFC 959 section 4.2)"},
		Run:      aborNextTransfer,
	},
	{
		ID: "abor-race", Requirements: []string{"FTP-ABOR-008"}, Needs: []Need{NeedData, NeedFiles},
		Title:    "When ABOR meets the end of the transfer there are still two final replies",
		Why:      "The client cannot know who wins; only the number of replies keeps it in step.",
		Conforms: []string{"226 and then 225 or 226, or 426 and then 226, in 100 rounds; silence after them (RFC 959 section 4.1.3)"},
		Noted:    []string{"another 4yz in place of 426, or another 2yz to ABOR"},
		Fails:    []string{"one final reply, or three (RFC 959 section 4.1.3)", "any other code (RFC 959 section 4.1.3)"},
		Run:      aborRace,
	},
	{
		ID: "abor-telnet", Requirements: []string{"FTP-ABOR-009"}, Needs: []Need{NeedData, NeedFiles}, In: whereExtended,
		Title:    "ABOR is recognised behind the Telnet Synch, and the command after it is not lost",
		Why:      "That is how the document tells clients to send it, and many do; a server that takes the Telnet octets for letters never sees an ABOR.",
		Conforms: []string{"426, 226 or 225, and 200 to the NOOP behind it, with and without urgent data (RFC 959 section 4.1, RFC 854)", "226, 225 or 226, and 200: a server may defer ABOR (RFC 1123 section 4.1.3.3)"},
		Noted:    []string{"a NOOP sent together with ABOR is lost without the Synch, too, and the next one is answered"},
		Fails:    []string{"ABOR is refused or not answered (RFC 959 section 4.1)", "NOOP is not answered (RFC 854)"},
		Run:      aborTelnet,
	},
	{
		ID: "abor-plain", Requirements: []string{"FTP-ABOR-010"}, Needs: []Need{NeedData, NeedFiles},
		Title:    "ABOR without any Telnet octets is acted on or deferred, never lost",
		Why:      "Clients that cannot send urgent data have no other way.",
		Conforms: []string{"the transfer ends before its time, or ABOR is answered after it (RFC 1123 section 4.1.3.3)"},
		Fails:    []string{"the transfer runs to its end and ABOR is not answered (RFC 1123 section 4.1.3.3)", "no final reply at all (RFC 959 section 4.2)"},
		Run: func(s *Session) {
			c := s.abortable()
			switch a := s.stalled(c, s.Mode()).abort(); {
			case a.Final.Code == 0:
				s.Fail("a transfer and its ABOR have no final reply: %s", a.Transfer)
			case a.own.Code == 0 && a.resumed && a.Data.Total() >= int64(len(s.big())):
				s.Fail("ABOR was lost: %s, and no reply to ABOR", a.Transfer)
			}
		},
	},
	{
		ID: "abor-connecting", Requirements: []string{"FTP-ABOR-011"}, Needs: []Need{NeedPassive, NeedFiles},
		Title:    "ABOR works before the data connection is up",
		Why:      "A data connection that never comes is the very case in which a user gives up.",
		Conforms: []string{"426 or 425, then 226 or 225, before the server's timeout (RFC 959 section 4.1.3)"},
		Noted:    []string{"only after the timeout: a server may defer ABOR (RFC 1123 section 4.1.3.3)", "another 4yz in place of 425"},
		Fails:    []string{"no final reply, or one (RFC 959 section 4.1.3)", "any other code (RFC 959 section 4.1.3)"},
		Waits:    func(cfg *Config) time.Duration { return min(cfg.dataTimeout(), SlowWait) },
		Run:      aborConnecting,
	},
}

func aborOthers(s *Session) {
	const name = "abor-others.bin"
	defer func() {
		if c, err := s.TryLogin(); err == nil {
			_, _ = c.Try("DELE " + name) // it may not be there
		}
	}()
	for _, verb := range []string{"STOR", "APPE"} {
		c := s.abortable()
		t := c.Begin(c.SetUp(s.Mode()), "%s %s", verb, name)
		if t.Data == nil {
			s.Inconclusive("a plain store failed: %s", t)
		}
		// More than the buffers hold: the server is reading when this is gone.
		if _, err := t.Data.Send(s.big(), s.Bounds.Transfer); err != nil {
			if t.Finish(s.Bounds.Reply); verb == "APPE" && t.Final.Negative() {
				s.Note("APPE was not tried, because it is refused: %s", t.Final)
				break
			}
			s.Inconclusive("a plain store failed: %s: %v", t, err)
		}
		a := t.abortWith(func() error { return c.Send("ABOR") }, func() { _ = t.Data.CloseWrite() }).ownReply()
		well := s.gradeAbort(a, "a "+verb)
		if a.Final.Code != 0 && t.Data.Wait(s.Bounds.Close).Ending == fakeclient.EndNone {
			s.Fail("the data connection of a %s was still open %v after ABOR", verb, s.Bounds.Close)
		}
		c.End()
		if !well {
			break // the next one would cost the same wait
		}
	}
	s.abortsListings()
}

// abortsListings sends ABOR before the client has connected: a listing is too
// short to be stopped in its middle.
func (s *Session) abortsListings() {
	mode := s.Mode()
	if mode.Active() {
		s.Note("listings were not tried: they need passive mode, where the client can keep them waiting")
		return
	}
	verbs := []string{"LIST", "NLST"}
	if s.Target.Offers("MLST") { // and MLSD with it (RFC 3659 section 7.8); a refusal can be faster than ABOR
		verbs = append(verbs, "MLSD")
	}
	for _, verb := range verbs {
		c := s.abortable()
		p := c.SetUp(mode)
		t := c.Start("%s", verb)
		a := t.abortWith(func() error { return c.Send("ABOR") }, func() {
			if t.Data, _ = p.Dial(); t.Data != nil {
				t.Data.Start()
			}
		}).ownReply()
		if a.Final.Class() == 5 && a.own.Code != 0 {
			continue // not offered, or not without a connection
		}
		if !s.gradeAbort(a, "a "+verb) {
			break
		}
	}
}

func aborKeepsSession(s *Session) {
	c, m := s.Login(), s.Mode()
	before := c.MustRetrieve(m, SmallFile, nil).Data.Bytes()
	where := c.Cmd("PWD")
	unchanged := func(after string) bool {
		if !c.Alive(after) {
			return false
		}
		if r := c.Cmd("PWD"); where.Code == 257 && r.String() != where.String() {
			s.Fail("PWD was answered %s before and %s after %s", where, r, after)
		}
		if got := c.MustRetrieve(m, SmallFile, nil).Data.Bytes(); !bytes.Equal(got, before) {
			s.Fail("RETR %s yielded %d octets before and %d others after %s: TYPE has changed", SmallFile, len(before), len(got), after)
		}
		return true
	}
	c.abortIdle()
	if !unchanged("ABOR without a transfer") {
		return
	}
	a := s.stalled(c, m).abort()
	switch {
	case c.gone:
		s.Fatal("the session ended at ABOR in a RETR: %s", a)
	case !a.clean():
		s.Inconclusive("the replies to an abort are not as they should be: %s", a)
	}
	_ = a.Data.Close()
	unchanged("ABOR in a RETR")
}

func aborNextTransfer(s *Session) {
	c, m := s.Login(), s.Mode()
	want := c.MustRetrieve(m, SmallFile, nil).Data.Bytes()
	c.tryABOR()
	deferred := false
	for i := range 20 {
		if i == 10 { // a limit to the transfers of a session is the subject of another check
			c = s.abortable()
		}
		// Where ABOR is deferred a stalled transfer costs a quiet window.
		if deferred {
			c.abortIdle()
		} else {
			a := s.stalled(c, m).abort()
			if !a.clean() {
				s.Inconclusive("the replies to an abort are not as they should be: %s", a)
			}
			deferred = a.resumed
			_ = a.Data.Close()
		}
		if extra, err := c.caughtUp(); err != nil {
			s.Fatal("the session does not go on after abort %d: %v", i+1, err)
		} else if extra != nil {
			s.Fatal("after abort %d a reply was left over: %s", i+1, extra)
		}
		c.Must("TYPE I") // that it stays is the subject of another check
		t := c.Retrieve(c.SetUp(m), "RETR %s", SmallFile)
		if !t.OK() || t.Data == nil || !bytes.Equal(t.Data.Bytes(), want) {
			s.Fatal("the transfer after abort %d of 20 failed: %s", i+1, t)
		}
	}
}
