package suites

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/ftpconform/ftpconform/fakeclient"
)

// The checks about the end of a data connection: RFC 959 sections 3.2, 3.4,
// 4.1.3, 4.2.1 and 5.2.
var dataEndChecks = []Check{
	{
		ID: "data-retr-closes", Requirements: []string{"FTP-DATA-003"}, Needs: []Need{NeedData, NeedFiles}, In: whereExtended,
		Title:    "What the server sends in stream mode ends with an orderly close after the last octet",
		Why:      "The close is the end of the file; a reset destroys what a slow reader has not fetched yet.",
		Conforms: []string{"every octet and then FIN, for files of 0 octets to 8 MiB, in both modes, and for a slow reader (RFC 959 section 5.2)"},
		Fails:    []string{"RST in place of FIN, or no end (RFC 959 section 5.2)", "the transfer fails, or not every octet arrives (RFC 959 section 3.4)"},
		Run:      dataRetrCloses,
	},
	{
		ID: "data-stor-complete", Requirements: []string{"FTP-DATA-004"}, Needs: []Need{NeedData, NeedFiles}, In: whereExtended,
		Title:    "The client's close ends a file that is stored, and everything before it is kept",
		Why:      "The last octets often travel together with the FIN; a server that looks at the FIN first cuts every upload.",
		Conforms: []string{"226 and every octet, whether the client closes at once or half-closes (RFC 959 section 3.4)"},
		Fails:    []string{"the store fails, or what is stored differs (RFC 959 section 3.4)"},
		Run:      dataStorComplete,
	},
	{
		ID: "data-stor-closes", Requirements: []string{"FTP-DATA-005"}, Needs: []Need{NeedData, NeedFiles}, In: whereExtended,
		Title:    "When the client has closed its side, the server closes the data connection too",
		Why:      "A half-open connection holds a port and a descriptor on both machines.",
		Conforms: []string{"FIN from the server before or right after the final reply (RFC 959 section 5.2)"},
		Noted:    []string{"RST in place of FIN"},
		Fails:    []string{"the connection stays open (RFC 959 section 5.2)"},
		Run:      dataStorCloses,
	},
	{
		ID: "data-full-disk", Requirements: []string{"FTP-DATA-006"}, Needs: []Need{NeedData, NeedFiles},
		Title:    "A full disk ends the transfer with an error and closes the data connection",
		Why:      "226 for a file that is not there makes the client delete its own copy.",
		Conforms: []string{"452, 552, 426, 451 or 551, and the connection is closed (RFC 959 section 3.2)"},
		Noted:    []string{"another 4yz or 5yz (RFC 959 section 5.4)"},
		Fails:    []string{"success (RFC 959 section 4.2)", "no final reply (RFC 959 section 4.2)", "the data connection stays open (RFC 959 section 3.2)"},
		Run:      dataFullDisk,
	},
	{
		ID: "data-reset", Requirements: []string{"FTP-DATA-007"}, Needs: []Need{NeedData, NeedFiles}, In: whereExtended,
		Title:    "When the client resets the data connection the transfer ends with 426 and the session goes on",
		Why:      "Clients abort in this way; a server that says 226 has reported a cut file as complete, and one that hangs has lost the session.",
		Conforms: []string{"426, 425 or 451, then NOOP is answered and the next transfer works (RFC 959 section 4.2.1)"},
		Noted:    []string{"another 4yz", "226 for a store, where the server cannot always tell"},
		Fails: []string{"success for a file that was not sent, or a permanent failure (RFC 959 section 4.2.1)", "no final reply (RFC 959 section 4.2)",
			"the session or its next transfer fails (RFC 959 section 3.2)"},
		Run: dataReset,
	},
}

// size asks for the size of a file; ok is false where the server does not say.
func (c *Control) size(name string) (n int64, ok bool) {
	r, err := c.Try("SIZE " + name)
	if err != nil || r.Code != 213 {
		return 0, false
	}
	n, err = strconv.ParseInt(strings.TrimSpace(r.Text()), 10, 64)
	return n, err == nil
}

// mustHold stores a file that the check is going to fetch, and makes sure that
// it is whole: that stores lose octets is the subject of other checks.
func (c *Control) mustHold(name string, content []byte) {
	c.MustStore(c.s.Mode(), name, content)
	if n, ok := c.size(name); ok && n != int64(len(content)) {
		c.s.Inconclusive("of %d octets stored for the check the target has %d", len(content), n)
	}
}

func dataRetrCloses(s *Session) {
	const one, many = "data-retr-closes-1.bin", "data-retr-closes-64k.bin"
	files := []struct {
		name    string
		content []byte
	}{{EmptyFile, nil}, {one, BigContent[:1]}, {many, BigContent[:64<<10]}, {BigFile, s.big()}}
	c := s.Login()
	defer c.ask("DELE "+one, "DELE "+many)
	c.mustHold(one, files[1].content)
	c.mustHold(many, files[2].content)
	for _, m := range s.Modes() {
		k := s.Login()
		for _, f := range files {
			// That a passive connection was reset and that it was never used
			// look alike where there is no octet.
			if len(f.content) > 0 || m.Active() {
				s.gradeEnd(k.Retrieve(k.SetUp(m), "RETR %s", f.name), f.content, "")
			}
		}
		t := s.stalled(k, m)
		s.Sleep(s.Bounds.Quiet / 2) // a slow reader: the server is done with writing long before it is
		t.Data.Wait(s.Bounds.Transfer)
		s.gradeEnd(t.Finish(s.Bounds.Reply), s.big(), " to a slow reader")
	}
}

// gradeEnd grades the end of a file that was fetched.
func (s *Session) gradeEnd(t *Transfer, want []byte, how string) {
	if t.Data == nil {
		if len(want) > 0 { // else it is the subject of data-empty-file
			s.Inconclusive("a plain transfer failed: %s", t)
		}
		return
	}
	what := fmt.Sprintf("the %d octets in mode %s%s", len(want), t.Path.Mode, how)
	switch end := t.Data.End(); {
	case end.Ending == fakeclient.EndRST:
		s.Fail("%s ended with RST after %d octets; FIN is the orderly end: %s", what, t.Data.Total(), t)
	case end.Ending == fakeclient.EndNone:
		s.Fail("%s had no end: %s", what, t)
	case !t.OK():
		s.Fail("%s did not arrive: %s", what, t)
	case !bytes.Equal(t.Data.Bytes(), want):
		s.Fail("of %s %d arrived, or they differ", what, t.Data.Total())
	}
}

func dataStorComplete(s *Session) {
	for _, m := range s.Modes() {
		c := s.Login()
		for i, v := range []struct {
			octets int
			half   bool
			how    string
		}{
			{1 << 20, false, "closed at once"}, // the FIN goes with the last of many segments
			{1, false, "closed at once"},
			{1000, true, "half-closed"},
		} {
			name, content := fmt.Sprintf("data-stor-complete-%s-%d.bin", m, i), BigContent[:v.octets]
			t := c.Begin(c.SetUp(m), "STOR %s", name)
			if t.Data == nil {
				s.Inconclusive("a plain transfer failed: %s", t)
			}
			_, t.Err = t.Data.Send(content, s.Bounds.Transfer)
			if v.half {
				_ = t.Data.CloseWrite()
			} else {
				_ = t.Data.Close()
			}
			t.Finish(s.Bounds.Transfer)
			_ = t.Data.Close()
			s.gradeStored(c, t, name, content, fmt.Sprintf("%d octets in mode %s, %s", v.octets, m, v.how))
			c.ask("DELE " + name)
		}
	}
}

// gradeStored grades a store by what can be fetched afterwards.
func (s *Session) gradeStored(c *Control, t *Transfer, name string, content []byte, what string) {
	if !t.OK() {
		s.Fail("the store of %s failed: %s", what, t)
		return
	}
	got, ok := c.Content(name)
	if ok && bytes.Equal(got, content) {
		return
	}
	n, known := c.size(name)
	if !ok && !known || known && n == int64(len(content)) && len(got) != len(content) {
		s.Inconclusive("what was stored cannot be fetched")
	}
	s.Fail("of %s %d came back, or they differ", what, len(got))
}

func dataStorCloses(s *Session) {
	for _, m := range s.Modes() {
		c := s.Login()
		const name = "data-stor-closes.bin"
		t := c.Begin(c.SetUp(m), "STOR %s", name)
		if t.Data == nil {
			s.Inconclusive("a plain transfer failed: %s", t)
		}
		_, t.Err = t.Data.Send(BigContent[:1000], s.Bounds.Transfer)
		if err := t.Data.CloseWrite(); err != nil {
			s.Inconclusive("one side alone cannot be closed here: %v", err)
		}
		// The bound is generous: a close that is a little late is the subject
		// of the checks about the final reply.
		end := t.Data.Wait(s.Bounds.Reply)
		if !t.Finish(s.Bounds.Transfer).OK() {
			s.Inconclusive("a plain transfer failed: %s", t)
		}
		switch end.Ending {
		case fakeclient.EndNone:
			s.Fail("in mode %s the server had not closed its side %v after the client: %s", m, s.Bounds.Reply, t)
		case fakeclient.EndRST:
			s.Note("in mode %s the server ended the data connection with RST after the client's FIN", m)
		case fakeclient.EndFIN, fakeclient.EndLocal:
		}
		c.ask("DELE " + name)
	}
}

// fullSize is more than a directory with less than 1 MiB free can take.
const fullSize = 2 << 20

func dataFullDisk(s *Session) {
	if s.Config.FullDir == "" {
		s.Inconclusive("needs --full-dir: a directory of the target with less than 1 MiB free")
	}
	kept := s.storeTooMuch(BigContent[:fullSize])
	if len(s.findings) > 0 || kept == 0 || kept+100 > fullSize {
		return
	}
	// So little more than there is room for that a server with a buffer finds out
	// when it closes the file.
	s.storeTooMuch(BigContent[:kept+100])
}

// storeTooMuch stores more than there is room for, and returns how much of it
// was kept.
func (s *Session) storeTooMuch(content []byte) (kept int) {
	c := s.Login()
	c.Must("CWD %s", s.Config.FullDir)
	const name = "data-full-disk.bin"
	defer c.ask("DELE " + name)
	t := c.Begin(c.SetUp(s.Mode()), "STOR %s", name)
	if t.Data == nil {
		if !t.Finish(s.Bounds.Transfer).Final.In(452, 552) { // refused beforehand is as good
			s.Inconclusive("no transfer into %s begins: %s", s.Config.FullDir, t)
		}
		return 0
	}
	if t.hearOut(); t.Final.Positive() {
		s.Inconclusive("the final reply came before the data was sent, which is another subject: %s", t)
	}
	t.Data.Start()
	if t.Final.Code == 0 { // it is not refused already
		if _, err := t.Data.Send(content, s.Bounds.Transfer); err == nil {
			_ = t.Data.CloseWrite() // else the server has closed, which is in order
		}
	}
	t.Finish(s.Bounds.Transfer)
	switch {
	case t.Final.Code == 0:
		s.Fail("a store for which there is no room has no final reply: %s", t)
	case t.Final.Positive():
		switch got, _ := c.Content(name); {
		case bytes.Equal(got, content) && len(content) < fullSize: // there was more room than the first try has found
			return 0
		case bytes.Equal(got, content):
			s.Inconclusive("%s has room for %d octets; --full-dir names a directory with less than 1 MiB free", s.Config.FullDir, fullSize)
		}
		s.Fail("a store for which there is no room was answered %s", t.Final)
	case len(t.Preliminary) == 0 && t.Final.In(500, 501, 502, 530, 550, 553):
		s.Inconclusive("no transfer into %s begins: %s", s.Config.FullDir, t)
	case !t.Final.In(426, 451, 452, 551, 552):
		s.Note("a store for which there is no room was answered %s; 452 or 552 names the reason", t.Final)
	}
	if len(t.Preliminary) > 0 && t.Data.Wait(s.Bounds.Close).Ending == fakeclient.EndNone {
		s.Fail("the data connection was still open %v after %s", s.Bounds.Close, t.Final)
	}
	if r, err := c.Try("SIZE " + name); err == nil && r.Code == 213 {
		kept, _ = strconv.Atoi(strings.TrimSpace(r.Text())) // 0 is as good as not to know
	}
	return min(max(kept, 0), fullSize)
}

func dataReset(s *Session) {
	c := s.Login()
	t := s.underWay(c, s.Mode())
	_ = t.Data.Reset()
	s.gradeReset(c, t.Finish(s.Bounds.Reply))

	c = s.Login()
	const name = "data-reset.bin"
	t = c.Begin(c.SetUp(s.Mode()), "STOR %s", name)
	if t.Data == nil {
		s.Inconclusive("a plain transfer failed: %s", t)
	}
	// So much fits into no buffer: the server is reading when it has gone out.
	if _, err := t.Data.Send(s.big(), s.Bounds.Transfer); err != nil {
		s.Inconclusive("a plain transfer failed: %v", err)
	}
	_ = t.Data.Reset()
	s.gradeReset(c, t.Finish(s.Bounds.Reply))
	c.ask("DELE " + name)
}

// gradeReset grades a transfer whose data connection the client has reset, and
// what the session is good for after it.
func (s *Session) gradeReset(c *Control, t *Transfer) {
	verb := verbOf(t.Command)
	switch {
	case t.Final.Code == 0:
		s.Fatal("%s has no final reply after the client reset the data connection: %s", verb, t)
	case t.Final.In(425, 426, 451):
	case t.Final.Positive() && strings.HasPrefix(verb, "STOR"):
		s.Note("%s was answered %s although the client reset the data connection", verb, t.Final)
	case t.Final.Class() == 4:
		s.Note("%s was answered %s after a reset of the data connection; 426 names the reason", verb, t.Final)
	default:
		s.Fail("%s was answered %s after the client reset the data connection; 426 was expected", verb, t.Final)
	}
	if !c.Alive("a reset of the data connection") {
		return
	}
	if next := c.Retrieve(c.SetUp(s.Mode()), "RETR %s", SmallFile); !next.OK() {
		s.Fail("the transfer after a reset data connection failed: %s", next)
	}
}
