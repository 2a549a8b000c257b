package suites

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/ftpconform/ftpconform/fakeclient"
)

// The checks of replies and their order that need a dialogue of their own:
// RFC 959 sections 4.2, 5.2 and 5.4, RFC 1123 section 4.1.2.11. What holds for
// every reply is an invariant.
var replyChecks = []Check{
	{
		ID: "reply-multiline-ends", Requirements: []string{"FTP-REPLY-003"},
		Title:    "A multi-line reply ends with its own code and a space",
		Why:      "A client waits for exactly that line; with another code it waits for ever.",
		Conforms: []string{"HELP, STAT, FEAT and STAT of a directory end with the code with which they began (RFC 959 section 4.2)"},
		Fails:    []string{"a reply that begins with a hyphen after its code and does not end within the bound (RFC 959 section 4.2)"},
		Run:      replyMultilineEnds,
	},
	{
		ID: "reply-inner-lines", Requirements: []string{"FTP-REPLY-004"}, Needs: []Need{NeedData},
		Title:    "File names that look like the end of a reply do not end it",
		Why:      "Whoever may store a file could otherwise forge the replies that other clients see.",
		Conforms: []string{"STAT and MLST with files named \"211 x\", \"212 x\" and \"213 x\" are one reply each, and the next command is answered in step (RFC 959 section 4.2)"},
		Noted:    []string{"STAT of a directory or MLST is not supported"},
		Fails:    []string{"the reply to the next command comes out of step (RFC 959 section 4.2)"},
		Run:      replyInnerLines,
	},
	{
		ID: "reply-each-once", Requirements: []string{"FTP-REPLY-006"},
		Title:    "Every command gets exactly one final reply, in order",
		Why:      "A client pairs replies with commands by counting; one too many or too few and all that follow are taken for something else.",
		Conforms: []string{"50 commands in one go, 50 final replies in their order, then silence (RFC 959 section 4.2)"},
		Fails:    []string{"a reply missing, one too many, or out of order (RFC 959 section 4.2)"},
		Run:      replyEachOnce,
	},
	{
		ID: "reply-queue", Requirements: []string{"FTP-REPLY-010"}, Needs: []Need{NeedData, NeedFiles}, In: whereExtended,
		Title:    "Commands that arrive during a transfer are answered in order, once each",
		Why:      "Clients that send a keep-alive or the next command early wait for its answer for ever if it is thrown away.",
		Conforms: []string{"TYPE, PWD and NOOP sent during a transfer are answered after it, or at once, in their order (RFC 959 section 4.2, RFC 1123 section 4.1.2.10)"},
		Noted:    []string{"a refusal, 450 or 503, one for each"},
		Fails:    []string{"a command without an answer, or answers out of order (RFC 959 section 4.2)"},
		Run:      replyQueue,
	},
	{
		ID: "reply-transient", Requirements: []string{"FTP-REPLY-012"}, Needs: []Need{NeedFiles},
		Title:    "A data connection that cannot be made is a transient failure, 4yz",
		Why:      "5yz tells the client not to try again; a mirror then drops the file although the next attempt would work.",
		Conforms: []string{"4yz when the client's port refuses, and when nobody comes to the passive port (RFC 1123 section 4.1.2.11, RFC 959 section 4.2.1)"},
		Fails:    []string{"5yz (RFC 959 section 4.2.1)"},
		Waits: func(cfg *Config) time.Duration {
			if cfg.DataTimeout == 0 {
				return 0 // nothing is waited for then
			}
			return cfg.dataTimeout()
		},
		Run: replyTransient,
	},
	{
		ID: "reply-421-closes", Requirements: []string{"FTP-REPLY-013"},
		Title:    "After 421 the server closes the control connection",
		Why:      "Clients take 421 for the end and open a new session; the old one stays and counts against the limits.",
		Conforms: []string{"the connection ends after the 421 that repeated failed logins lead to (RFC 959 section 4.2.1)"},
		Fails:    []string{"the connection stays open (RFC 959 section 4.2.1)"},
		Run:      reply421Closes,
	},
	{
		ID: "reply-preliminary", Requirements: []string{"FTP-REPLY-014"}, Needs: []Need{NeedData, NeedFiles},
		Title:    "Every transfer that succeeds is announced with 125 or 150",
		Why:      "Clients read one 1yz before they look at the data connection, and hang or give up without it.",
		Conforms: []string{"a 1yz before the final 2yz for RETR, STOR, APPE, STOU, LIST, NLST and MLSD (RFC 959 section 5.4)"},
		Noted:    []string{"a transfer command that is refused"},
		Fails:    []string{"a final 2yz without a 1yz before it (RFC 959 section 5.4)"},
		Run:      replyPreliminary,
	},
	{
		ID: "reply-226-after-close", Requirements: []string{"FTP-REPLY-015"}, Needs: []Need{NeedData, NeedFiles},
		Title:    "226 comes when the data connection is closed, not before",
		Why:      "A client that takes 226 for the end stops reading and keeps a truncated file.",
		Conforms: []string{"the end of the data connection is seen before 226, or one second after it at the most (RFC 959 section 5.2)", "no 226 while the client does not read (RFC 959 section 5.2)"},
		Fails:    []string{"226 more than one second before the end of the data connection, or while data cannot have been written (RFC 959 section 5.2)"},
		Run: func(s *Session) {
			for _, m := range s.Modes() {
				s.closesFirst(m)
			}
			s.finalWhileStalled()
		},
	},
	{
		ID: "reply-226-or-250", Requirements: []string{"FTP-REPLY-016"}, Needs: []Need{NeedData, NeedFiles},
		Title:    "226 says that the data connection is closed, 250 that it stays open",
		Why:      "A client that believes the reply reuses the connection, or waits for an end that does not come.",
		Conforms: []string{"in stream mode 226, and the data connection is closed (RFC 959 section 4.2.1)"},
		Noted:    []string{"250 in place of 226 (conflict C-20)"},
		Fails:    []string{"226 and the data connection stays open (RFC 959 section 4.2.1)"},
		Run:      reply226Or250,
	},
}

func replyMultilineEnds(s *Session) {
	c := s.Login()
	for _, line := range []string{"HELP", "STAT", "FEAT", "STAT ."} {
		before := len(c.Lines())
		_, err := c.Try(line)
		if err == nil {
			continue
		}
		lines := c.Lines()[before:]
		if replies := wireReplies(lines); len(replies) == 0 || !replies[len(replies)-1].open {
			s.Inconclusive("%v", err)
		}
		s.Fail("the reply to %s begins with %.60q and has no last line with that code within %v", line, lines[0], s.Bounds.Reply)
		c.End()
		c = s.Login()
	}
}

func replyInnerLines(s *Session) {
	c := s.Login()
	names := []string{"211 x", "212 x", "213 x"}
	leave := c.within("reply-inner-lines")
	defer func() { leave(names...) }()
	for _, name := range names {
		c.MustStore(s.Mode(), name, []byte("x"))
	}
	for _, line := range []string{"STAT .", "MLST 211 x", "MLST 213 x"} {
		r := c.Cmd("%s", line)
		if r.Negative() {
			s.Note("%s was answered %s", line, r)
		}
		// If the reply was cut in two, its rest takes the place of this 5yz.
		if next := c.Cmd(unknownVerb); next.Class() != 5 {
			c.End()
			s.Fatal("after %s → %s an unknown command was answered %s: a file name has ended the reply", line, r, next)
		}
	}
}

func replyEachOnce(s *Session) {
	// SYST stands last: a reply too many must not spoil what is learnt here.
	batch := []string{"NOOP", "PWD", "TYPE I", unknownVerb, "MODE S", "PWD", "STRU F", "TYPE A", unknownVerb, "SYST"}
	alone := map[string]int{}
	c := s.Login()
	for _, line := range batch {
		if alone[line] == 0 {
			alone[line] = c.Cmd("%s", line).Class()
		}
	}
	c.End()
	lines := slices.Concat(batch, batch, batch, batch, batch)
	lines[len(lines)-1] = "NOOP"
	c = s.Login()
	c.Raw([]byte(strings.Join(lines, "\r\n") + "\r\n"))
	for i, line := range lines {
		r, err := c.finalRaw(s.Bounds.Reply)
		switch {
		case errors.Is(err, fakeclient.ErrTimeout), errors.Is(err, fakeclient.ErrClosed):
			s.Fatal("of %d commands sent in one go only %d were answered: %v", len(lines), i, err)
		case err != nil:
			s.Inconclusive("%v", err)
		case r.Class() != alone[line]:
			s.Fatal("of %d commands sent in one go command %d, %s, was answered %s; alone the answer was %dyz: the replies are out of step", len(lines), i+1, line, r, alone[line])
		}
	}
	if extra, _ := c.Quiet(s.Bounds.Quiet); len(extra) > 0 {
		s.Fail("after the replies to %d commands came %s", len(lines), extra[0])
	}
}

// finalRaw is the next reply that is not preliminary, for checks that have
// taken the dialogue into their own hands.
func (c *Control) finalRaw(bound time.Duration) (Received, error) {
	for {
		if r, err := c.Next(bound); err != nil || !r.Preliminary() {
			return r, err
		}
	}
}

func replyQueue(s *Session) {
	c := s.Login()
	lines := []string{"TYPE I", "PWD", "NOOP"}
	want := []Received{c.Must("TYPE I"), c.Must("PWD"), c.Must("NOOP")}
	t := s.stalled(c, s.Mode())
	for _, line := range lines {
		c.Raw([]byte(line + "\r\n"))
	}
	t.Data.Start()
	var got []Received
	for ended := t.Final.Code != 0; len(got) < len(lines) || !ended; {
		bound := s.Bounds.Transfer
		if ended {
			bound = s.Bounds.Reply
		}
		r, err := c.finalRaw(bound)
		switch {
		case err != nil && !ended:
			s.Inconclusive("the transfer has no final reply: %v", err)
		case err != nil:
			s.Fatal("of TYPE, PWD and NOOP sent during a transfer only %d were answered: %v", len(got), err)
		case !ended && (r.In(226, 250, 425, 426, 451) || len(got) == len(lines)):
			ended = true
		default:
			got = append(got, r)
		}
	}
	for i, r := range got {
		switch {
		case r.Code == want[i].Code:
		case r.Negative():
			s.Note("%s during a transfer was answered %s", lines[i], r)
		default:
			s.Fail("%s sent during a transfer was answered %s; alone the answer was %s: the replies are out of order", lines[i], r, want[i])
		}
	}
}

// stalled begins to fetch BigFile and stops reading, so that the transfer
// goes on until the check reads the rest.
func (s *Session) stalled(c *Control, m Mode) *Transfer {
	t := c.Begin(c.SetUp(m), "RETR %s", BigFile)
	if t.Data == nil {
		s.Inconclusive("a plain transfer failed: %s", t)
	}
	t.Data.Shrink(4096)
	if err := t.Data.Read(64<<10, s.Bounds.Transfer); err != nil {
		s.Inconclusive("a plain transfer does not begin: %s: %v", t, err)
	}
	return t
}

func replyTransient(s *Session) {
	tried := false
	if s.Target.Works(PORT) {
		tried = true
		c := s.Login()
		switch r := c.Cmd("%s", announcement(PORT, c.Closed())); {
		case r.Positive():
			s.gradeTransient(c.Start("RETR %s", SmallFile).Finish(s.Bounds.Dial), "the port of the client refused")
		case r.Class() != 4: // 4yz comes from a server that dials at PORT: transient it is
			s.Inconclusive("PORT was answered %s", r)
		}
	}
	if s.Target.Works(PASV) && s.Config.DataTimeout > 0 {
		tried = true
		c := s.Login()
		c.SetUp(PASV)
		s.gradeTransient(c.Start("RETR %s", SmallFile).Finish(s.Config.dataTimeout()), "nobody connected to the passive port")
	}
	if !tried {
		s.Inconclusive("active mode does not work here, and the target's data timeout is not known; say it with --data-timeout")
	}
}

func (s *Session) gradeTransient(t *Transfer, cause string) {
	switch t.Final.Class() {
	case 4:
	case 5:
		s.Fail("%s where %s; 4yz says that trying again may help", t.Final, cause)
	default:
		s.Inconclusive("when %s the transfer ended otherwise: %s", cause, t)
	}
}

func reply421Closes(s *Session) {
	c := s.Connect()
	tries, ended := s.failLogins(c, 10, s.Bounds.Login)
	last := tries[len(tries)-1]
	switch {
	case last.Code != 421 && ended:
		s.NotApplicable("after %d failed logins the server closed without a 421; there was none to look at", len(tries))
	case last.Code != 421:
		s.NotApplicable("%d failed logins led to no 421; there was none to look at", len(tries))
	case !c.WaitClosed(s.Bounds.Close):
		s.Fail("the connection was still open %v after %s", s.Bounds.Close, last)
	}
	c.gone = true
}

func replyPreliminary(s *Session) {
	for _, m := range s.Modes() {
		c := s.Login()
		leave := c.within("reply-preliminary")
		names := []string{"a", "b"}
		c.MustStore(m, "a", SmallContent) // something to list and to fetch
		for _, line := range []string{"RETR a", "STOR b", "APPE b", "STOU", "LIST", "NLST", "MLSD"} {
			var t *Transfer
			if slices.Contains([]string{"STOR b", "APPE b", "STOU"}, line) {
				t = c.Store(c.SetUp(m), SmallContent, "%s", line)
			} else {
				t = c.Retrieve(c.SetUp(m), "%s", line)
			}
			if line == "NLST" && t.Data != nil { // it tells what STOU has stored
				names = strings.Fields(string(t.Data.Bytes()))
			}
			switch {
			case t.Final.Code == 0:
				s.Inconclusive("a plain transfer failed: %s", t)
			case !t.Final.Positive():
				s.Note("%s was answered %s", line, t.Final)
			case len(t.Preliminary) == 0:
				s.Fail("%s in mode %s was answered %s without 125 or 150 before it", line, m, t.Final)
			}
		}
		leave(names...)
		c.End()
	}
}

// within makes a directory for the check's files and goes there. The function
// that it returns removes it with the files named, in a session of its own: the
// check's may be out of step by then.
func (c *Control) within(dir string) (leave func(names ...string)) {
	_, _ = c.Try("MKD " + dir) // it may be left from an earlier run
	c.Must("CWD %s", dir)
	return func(names ...string) {
		k, err := c.s.TryLogin()
		if err != nil {
			return
		}
		if r, err := k.Try("CWD " + dir); err != nil || !r.Positive() {
			return
		}
		for _, name := range names {
			_, _ = k.Try("DELE " + name)
		}
		k.ask("CDUP", "RMD "+dir)
	}
}
