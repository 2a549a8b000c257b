package suites

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/ftpconform/ftpconform/fakeclient"
	"github.com/ftpconform/ftpconform/ftp"
)

// The checks of block and compressed mode: RFC 959 sections 3.4.2, 3.4.3, 4.2
// and 5.2. They judge the octets on the wire.
var dataModeChecks = []Check{
	{
		ID: "data-block-mode", Requirements: []string{"FTP-DATA-020"}, Needs: []Need{NeedModeB, NeedData, NeedFiles},
		Title:    "In block mode files travel in well-formed blocks, and one block with the EOF flag ends them",
		Why:      "The end of the file is in the blocks; without it the client cannot tell a file from a piece of one.",
		Conforms: []string{"files of 0, 1, 65535 and 65536 octets in both directions; 250 where the connection stays open, 226 where it is closed (RFC 959 sections 3.4.2 and 5.2)"},
		Noted:    []string{"250 and the connection is closed (conflict C-20)"},
		Fails: []string{"a malformed block, no EOF flag, or octets behind it (RFC 959 section 3.4.2)", "the transfer fails, or the file differs (RFC 959 section 3.4.2)",
			"226 and the connection stays open (RFC 959 section 5.2)", "a store does not end with the EOF flag (RFC 959 section 3.4.2)"},
		Run: dataBlockMode,
	},
	{
		ID: "data-block-mode-close", Requirements: []string{"FTP-DATA-021"}, Needs: []Need{NeedModeB, NeedData, NeedFiles},
		Title:    "In block mode the data connection is either closed before the final reply or used again",
		Why:      "A connection that is closed when the next command comes looks like a failure of that command.",
		Conforms: []string{"after 250 the next transfer uses the same connection; after 226 it is closed (RFC 959 section 5.2)"},
		Noted:    []string{"250 and the connection is closed at once (conflict C-20)", "150 in place of 125 for the connection that is open"},
		Fails: []string{"the connection is closed when the next command comes, or stays open and is not used (RFC 959 section 5.2)",
			"226 and it stays open (RFC 959 section 5.2)", "the second file is not whole (RFC 959 section 3.4.2)"},
		Run: dataBlockModeClose,
	},
	{
		ID: "data-compressed-mode", Requirements: []string{"FTP-DATA-022"}, Needs: []Need{NeedModeC, NeedData, NeedFiles},
		Title:    "In compressed mode files decode to what they were",
		Why:      "A run or an escape that is not what it says spoils everything after it.",
		Conforms: []string{"text with long runs, zero octets, spaces in type A and noise come and go unchanged (RFC 959 section 3.4.3)"},
		Noted:    []string{"250 and the connection is closed (conflict C-20)"},
		Fails: []string{"a malformed code, no EOF, or octets behind it (RFC 959 section 3.4.3)", "the transfer fails, or the file differs (RFC 959 section 3.4.3)",
			"226 and the connection stays open (RFC 959 section 5.2)", "a store does not end with the EOF escape (RFC 959 section 3.4.3)"},
		Run: dataCompressedMode,
	},
}

// coding is block or compressed mode.
type coding struct {
	command string // "MODE B"
	decoder func(io.Reader) io.Reader
	encoder func(io.Writer) io.WriteCloser
}

func blockCoding() coding {
	return coding{"MODE B",
		func(r io.Reader) io.Reader { return ftp.NewBlockReader(r) },
		func(w io.Writer) io.WriteCloser { return ftp.NewBlockWriter(w) }}
}

func compressedCoding(filler byte) coding {
	return coding{"MODE C",
		func(r io.Reader) io.Reader { return ftp.NewCompressedReader(r, filler) },
		func(w io.Writer) io.WriteCloser { return ftp.NewCompressedWriter(w, filler) }}
}

// encode returns a file as it goes over the wire.
func (m coding) encode(content []byte) []byte {
	var b bytes.Buffer
	w := m.encoder(&b)
	_, _ = w.Write(content) // a buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

// plainWorks makes sure that stream mode leaves the octets alone: what befalls
// them there would look like a malformed block here.
func (s *Session) plainWorks() {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	c, name := s.Login(), s.check.ID+".bin"
	defer c.ask("DELE " + name)
	c.mustHold(name, every)
	c.MustRetrieve(s.Mode(), name, every)
}

// arrived is a file that has come over the wire.
type arrived struct {
	content []byte
	// behind are the octets that followed its end.
	behind []byte
	err    error
}

// await decodes what comes over a connection from an offset on, until the end
// of the file. The connection may stay open after it, so that its end cannot
// be waited for; where it ends, or the bound does, that is the end of waiting.
func (m coding) await(d *fakeclient.Data, from int64, bound time.Duration) arrived {
	const looks = 20
	for i := 0; ; i++ {
		over := d.End().Ending != fakeclient.EndNone || i == looks
		r := bytes.NewReader(d.Bytes()[from:])
		content, err := io.ReadAll(m.decoder(r))
		if over || !errors.Is(err, io.ErrUnexpectedEOF) {
			behind, _ := io.ReadAll(r)
			return arrived{content: content, behind: behind, err: err}
		}
		d.Wait(bound / looks)
	}
}

func dataBlockMode(s *Session) {
	s.plainWorks()
	sizes := []int{0, 1, 65535, 65536}
	name := func(size int) string { return fmt.Sprintf("data-block-mode-%d.bin", size) }
	c, k := s.Login(), s.Login() // k stays in stream mode
	for _, size := range sizes {
		k.mustHold(name(size), BigContent[:size])
		defer k.ask("DELE " + name(size))
	}
	m := blockCoding()
	c.Must("%s", m.command)
	for _, size := range sizes {
		s.fetchCoded(c, m, name(size), BigContent[:size])
	}
	for _, size := range sizes {
		s.storeCoded(c, k, m.encode(BigContent[:size]), name(size)+".1", BigContent[:size])
		if size == 0 || size > 65535 {
			continue
		}
		// The EOF flag may also stand on the last block with data.
		var b bytes.Buffer
		if err := ftp.NewBlockWriter(&b).WriteBlock(ftp.BlockEOF, BigContent[:size]); err != nil {
			s.Inconclusive("%v", err)
		}
		s.storeCoded(c, k, b.Bytes(), name(size)+".2", BigContent[:size])
	}
}

// fetchCoded fetches a file and judges it octet by octet.
func (s *Session) fetchCoded(c *Control, m coding, name string, want []byte) {
	t := c.Begin(c.SetUp(s.Mode()), "RETR %s", name)
	if t.Data == nil {
		s.Inconclusive("no data connection in %s: %s", m.command, t)
	}
	t.Data.Start()
	if !t.Finish(s.Bounds.Transfer).OK() {
		s.Fatal("in %s the transfer of %d octets failed: %s", m.command, len(want), t)
	}
	got := m.await(t.Data, 0, s.Bounds.Close)
	unused := len(want) == 0 && t.Data.Total() == 0 && t.Data.End().Ending != fakeclient.EndFIN
	if !unused { // else it is the subject of data-empty-file
		s.gradeCoded(m, got, want)
		s.gradeOpen(m, t)
	}
	_ = t.Data.Close()
}

func (s *Session) gradeCoded(m coding, got arrived, want []byte) {
	switch {
	case errors.Is(got.err, io.ErrUnexpectedEOF):
		s.Fatal("in %s a file of %d octets came without an end: %d octets and no EOF flag", m.command, len(want), len(got.content))
	case got.err != nil:
		s.Fatal("in %s a file of %d octets is malformed on the wire: %v", m.command, len(want), got.err)
	case len(got.behind) > 0:
		s.Fatal("in %s %d octets follow the end of a file of %d", m.command, len(got.behind), len(want))
	case !bytes.Equal(got.content, want):
		s.Fatal("in %s a file of %d octets decodes to %d, %s", m.command, len(want), len(got.content), firstDifference(got.content, want))
	}
}

// gradeOpen compares the final reply with the state of the data connection.
func (s *Session) gradeOpen(m coding, t *Transfer) {
	switch {
	case t.Final.Code == 226 && t.Data.Wait(s.Bounds.Close).Ending == fakeclient.EndNone:
		s.underWay(s.Login(), s.Mode()) // 226 that is early in every mode is another subject
		s.Fail("in %s %s came and the data connection stays open; 250 would say so", m.command, t.Final)
	case t.Final.Code == 250 && t.Data.End().Ending != fakeclient.EndNone:
		s.Note("in %s %s came and the data connection is closed; 226 would say so", m.command, t.Final)
	}
}

// storeCoded sends a file as it stands on the wire, leaves the connection
// open, and looks at what has been stored with a session in stream mode.
func (s *Session) storeCoded(c, k *Control, wire []byte, name string, want []byte) {
	t := c.Begin(c.SetUp(s.Mode()), "STOR %s", name)
	if t.Data == nil {
		s.Inconclusive("no data connection: %s", t)
	}
	_, t.Err = t.Data.Send(wire, s.Bounds.Transfer)
	t.Data.Start()
	switch t.Finish(s.Bounds.Transfer); {
	case t.Final.Code == 0:
		s.Fatal("a store of %d octets that its EOF has ended has no final reply: %s", len(want), t)
	case !t.OK():
		s.Fatal("the store of %d octets failed: %s", len(want), t)
	}
	_ = t.Data.Close()
	var got []byte
	n, ok := k.size(name)
	if !ok || n > 0 { // of an empty file the size tells all
		got, ok = k.Content(name)
	}
	k.ask("DELE " + name)
	switch {
	case !ok:
		s.Inconclusive("what was stored cannot be fetched in stream mode")
	case !bytes.Equal(got, want):
		s.Fatal("of %d octets stored as %d on the wire %d came back in stream mode, %s", len(want), len(wire), len(got), firstDifference(got, want))
	}
}

func dataBlockModeClose(s *Session) {
	s.plainWorks()
	m := blockCoding()
	c := s.Login()
	c.Must("%s", m.command)
	t := c.Begin(c.SetUp(s.Mode()), "RETR %s", SmallFile)
	if t.Data == nil {
		s.Inconclusive("no data connection in MODE B: %s", t)
	}
	t.Data.Start()
	if !t.Finish(s.Bounds.Transfer).OK() {
		s.Inconclusive("a transfer in MODE B failed: %s", t)
	}
	if t.Final.Code == 226 {
		s.gradeOpen(m, t)
		return
	}
	if got := m.await(t.Data, 0, s.Bounds.Close); got.err != nil {
		s.Inconclusive("a file in MODE B cannot be decoded, which is another subject: %v", got.err)
	}
	if t.Data.Wait(s.Bounds.Quiet).Ending != fakeclient.EndNone {
		s.gradeOpen(m, t)
		return
	}
	before := t.Data.Total()
	next := c.Start("RETR %s", SmallFile).Finish(s.Bounds.Transfer)
	switch end := t.Data.Wait(s.Bounds.Quiet); {
	case t.Data.Total() == before && end.Ending != fakeclient.EndNone:
		s.Fatal("after %s the data connection was open for %v, and was closed when the next command came", t.Final, s.Bounds.Quiet)
	case t.Data.Total() == before || !next.OK():
		s.Fatal("after %s the next transfer did not use the connection that was open: %s", t.Final, next)
	}
	if len(next.Preliminary) > 0 && !slices.ContainsFunc(next.Preliminary, func(r Received) bool { return r.Code == 125 }) {
		s.Note("%s was said of a data connection that is open; 125 is the code for that", next.Preliminary[0])
	}
	if got := m.await(t.Data, before, s.Bounds.Close); got.err != nil || !bytes.Equal(got.content, SmallContent) {
		s.Fatal("the second file over the connection that stayed open did not arrive whole: %d octets, %v", len(got.content), got.err)
	}
}

func dataCompressedMode(s *Session) {
	s.plainWorks()
	long := strings.Repeat("a", 200) + "bb" + strings.Repeat("\x00", 500) + "c" + strings.Repeat(" ", 100) + "\x00d\x00\x00" + string(BigContent[:300]) + strings.Repeat("z", 64)
	spaces := "title" + strings.Repeat(" ", 200) + strings.Repeat("-", 70) + " and  so   on"
	c, k := s.Login(), s.Login() // k stays in stream mode
	for i, v := range []struct {
		kind    string
		filler  byte
		content []byte
	}{
		{"TYPE I", ftp.FillerImage, []byte(long)},
		{"TYPE I", ftp.FillerImage, BigContent[:32<<10]},
		{"TYPE I", ftp.FillerImage, nil},
		{"TYPE A", ftp.FillerText, []byte(spaces)}, // no line end, and so the same in type I
	} {
		name := fmt.Sprintf("data-compressed-mode-%d.bin", i)
		m := compressedCoding(v.filler)
		k.mustHold(name, v.content)
		defer k.ask("DELE " + name)
		for _, line := range []string{m.command, v.kind} {
			c.Must("%s", line)
		}
		s.fetchCoded(c, m, name, v.content)
		s.storeCoded(c, k, m.encode(v.content), name+".1", v.content)
	}
}
