package suites

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/ftpconform/ftpconform/fakeclient"
	"github.com/ftpconform/ftpconform/ftp"
)

// The checks about what travels on a data connection, be it nothing: RFC 959
// sections 3.1.1.3, 3.4, 4.1.2 and 4.1.3, RFC 1123 section 4.1.2.9.
var dataContentChecks = []Check{
	{
		ID: "data-empty-file", Requirements: []string{"FTP-DATA-011"}, Needs: []Need{NeedData, NeedFiles},
		Title:    "An empty file is a data connection that is opened and closed",
		Why:      "A client that waits for the connection hangs when none comes.",
		Conforms: []string{"a connection, no octet, its close, 226; a store of nothing makes an empty file (RFC 959 section 3.4)"},
		Fails:    []string{"no connection, or one that is not closed (RFC 959 section 3.4)", "the transfer fails, or the file has octets or is missing (RFC 959 section 3.4)"},
		Run:      dataEmptyFile,
	},
	{
		ID: "data-empty-directory", Requirements: []string{"FTP-DATA-012"}, Needs: []Need{NeedData},
		Title:    "The listing of an empty directory succeeds over a data connection",
		Why:      "An empty directory is no error, and a client that waits for the connection hangs when none comes.",
		Conforms: []string{"a connection, no entry, its close, 226, for LIST, NLST and MLSD (RFC 959 section 4.1.3)"},
		Noted:    []string{"450 or 550 to NLST, as listings by way of ls gave it", "lines that are no entry of the directory itself"},
		Fails:    []string{"no connection, or one that is not closed (RFC 959 section 3.4)", "the listing fails (RFC 959 section 4.1.3)"},
		Run:      dataEmptyDirectory,
	},
	{
		ID: "data-type-at-transfer", Requirements: []string{"FTP-DATA-017"}, Needs: []Need{NeedData, NeedFiles},
		Title:    "The TYPE in force at the transfer command counts, not the one at the set-up",
		Why:      "Clients that set TYPE last get binaries with converted line ends.",
		Conforms: []string{"PASV, TYPE A, RETR sends text; PORT, TYPE I, RETR sends octets; and the other way round (RFC 959 section 4.1.2)"},
		Fails:    []string{"the representation is that of the TYPE at the set-up (RFC 959 section 4.1.2)", "the transfer fails"},
		Run:      dataTypeAtTransfer,
	},
	{
		ID: "data-stor-replaces", Requirements: []string{"FTP-DATA-018"}, Needs: []Need{NeedData, NeedFiles},
		Title:    "STOR replaces a file, APPE adds to it or makes it, RETR leaves it alone",
		Why:      "An old file that shines through a new one is corrupt, and nobody is told.",
		Conforms: []string{"after STOR of 10 octets and of 5 the file has those 5, after APPE of 3 it has 8, APPE to a new name makes 3, and RETR twice gives the same (RFC 959 section 4.1.3)"},
		Noted:    []string{"APPE is refused"},
		Fails:    []string{"the contents are others (RFC 959 section 4.1.3)"},
		Run:      dataStorReplaces,
	},
	{
		ID: "data-stou-name", Requirements: []string{"FTP-DATA-019"}, Needs: []Need{NeedData, NeedFiles},
		Title:    "STOU announces the name that it has chosen in its preliminary reply",
		Why:      "Without the name the client cannot find its file again.",
		Conforms: []string{"125 or 150 with the text \"FILE: name\", twice with different names, and the files are there (RFC 1123 section 4.1.2.9, conflict C-03)"},
		Fails:    []string{"the preliminary reply does not have this form (RFC 1123 section 4.1.2.9)", "both names are the same, or there is no such file (RFC 959 section 4.1.3)"},
		Run:      dataStouName,
	},
	{
		ID: "data-octets", Requirements: []string{"FTP-DATA-025"}, Needs: []Need{NeedData, NeedFiles},
		Title:    "All octets pass the data connection unchanged in image type",
		Why:      "A server that treats data like the control connection drops or doubles octets 255, or changes line ends, in every binary.",
		Conforms: []string{"a file with every pair of octets comes back as it was stored (RFC 959 section 3.1.1.3)"},
		Fails:    []string{"it differs (RFC 959 section 3.1.1.3)"},
		Run:      dataOctets,
	},
}

func dataEmptyFile(s *Session) {
	for _, m := range s.Modes() {
		t := s.Login().fetchNothing(m, "RETR "+EmptyFile)
		if s.gradeNothing(t) && t.Data.Total() > 0 {
			s.Fail("an empty file came as %d octets", t.Data.Total())
		}
		c := s.Login()
		name := fmt.Sprintf("data-empty-file-%s.bin", m)
		if t := c.Store(c.SetUp(m), nil, "STOR %s", name); !t.OK() {
			s.Fail("the store of an empty file in mode %s failed: %s", m, t)
			continue
		}
		n, known := c.size(name)
		if !known {
			got, ok := c.Content(name)
			n, known = int64(len(got)), ok
		}
		switch {
		case !known:
			s.Fail("a file stored empty in mode %s is not there", m)
		case n > 0:
			s.Fail("a file stored empty in mode %s has %d octets", m, n)
		}
		c.ask("DELE " + name)
	}
}

// fetchNothing carries out a transfer of no octets. It waits for the final
// reply first: a connection that the server does not use may never end.
func (c *Control) fetchNothing(m Mode, line string) *Transfer {
	t := c.Begin(c.SetUp(m), "%s", line)
	if t.Data == nil {
		return t.Finish(c.s.Bounds.Transfer)
	}
	t.Data.Start()
	if t.Finish(c.s.Bounds.Transfer); t.OK() {
		t.Data.Wait(c.s.Bounds.Reply)
	}
	return t
}

// gradeNothing grades the data connection of a transfer without octets, and
// reports whether there was one.
func (s *Session) gradeNothing(t *Transfer) bool {
	what := fmt.Sprintf("%s in mode %s", verbOf(t.Command), t.Path.Mode)
	switch {
	case !t.OK():
		s.Fail("%s failed: %s", what, t)
	case t.Data == nil:
		s.Fail("%s made no data connection: %s", what, t)
	case t.Data.End().Ending == fakeclient.EndNone,
		// A listener that is closed resets what it has not accepted.
		t.Data.End().Ending == fakeclient.EndRST && len(t.Preliminary) == 0:
		s.Fail("%s did not use the data connection: %s", what, t)
	default:
		return true
	}
	return false
}

func dataEmptyDirectory(s *Session) {
	const dir = "data-empty-directory"
	c := s.Login()
	_, _ = c.Try("RMD " + dir) // it may be left from an earlier run
	c.Must("MKD %s", dir)
	defer c.ask("RMD " + dir)
	for _, m := range s.Modes() {
		s.listNothing(m, dir)
	}
}

// listNothing lists an empty directory in every way; the first that fails is
// enough.
func (s *Session) listNothing(m Mode, dir string) {
	for _, verb := range []string{"LIST", "NLST", "MLSD"} {
		t := s.Login().fetchNothing(m, verb+" "+dir)
		switch {
		case verb == "MLSD" && t.Final.In(500, 502): // it is optional
		case verb == "NLST" && t.Final.In(500, 502):
			s.Note("NLST is not offered, which RFC 1123 section 4.1.2.13 asks for: %s", t.Final)
		case verb == "NLST" && t.Final.In(450, 550):
			s.Note("NLST of an empty directory in mode %s was answered %s", m, t.Final)
		case !s.gradeNothing(t):
			return
		default:
			if line := entry(t.Data.Bytes()); line != "" {
				s.Note("%s of an empty directory in mode %s shows %q", verb, m, line)
			}
		}
	}
}

// entry finds the first line of a listing that stands for something else than
// the directory, its parent, or the sum of the sizes in it.
func entry(listing []byte) string {
	for line := range strings.Lines(string(listing)) {
		line = strings.TrimRight(line, "\r\n")
		fields := strings.Fields(line)
		lower := strings.ToLower(line)
		switch {
		case len(fields) == 0, fields[0] == "total", strings.Contains(lower, "type=cdir"), strings.Contains(lower, "type=pdir"):
		case strings.HasSuffix("/"+fields[len(fields)-1], "/."), strings.HasSuffix("/"+fields[len(fields)-1], "/.."):
		default:
			return line
		}
	}
	return ""
}

func dataTypeAtTransfer(s *Session) {
	const name = "data-type-at-transfer.txt"
	c := s.Login()
	defer c.ask("DELE " + name)
	c.mustHold(name, []byte("one\ntwo\nthree\n"))
	// What the server makes of a text is its own affair here; only that the
	// two representations can be told apart matters.
	image := c.MustRetrieve(s.Mode(), name, nil).Data.Bytes()
	c.Must("TYPE A")
	text := c.MustRetrieve(s.Mode(), name, nil).Data.Bytes()
	if bytes.Equal(image, text) {
		s.NotApplicable("the target sends a text alike in the types A and I")
	}
	for _, m := range s.Modes() {
		for _, v := range []struct {
			setup, transfer string
			want            []byte
		}{{"TYPE I", "TYPE A", text}, {"TYPE A", "TYPE I", image}} {
			c := s.Login()
			c.Must("%s", v.setup)
			p := c.SetUp(m)
			c.Must("%s", v.transfer)
			t := c.Retrieve(p, "RETR %s", name)
			switch {
			case !t.OK() || t.Data == nil:
				s.Fail("the transfer after %s, %s, %s failed: %s", v.setup, m, v.transfer, t)
			case !bytes.Equal(t.Data.Bytes(), v.want):
				s.Fail("after %s, %s, %s RETR sent %.40q; %.40q is what %s makes of the file", v.setup, m, v.transfer, t.Data.Bytes(), v.want, v.transfer)
			}
		}
	}
}

func dataStorReplaces(s *Session) {
	const name, fresh = "data-stor-replaces.bin", "data-stor-replaces-new.bin"
	c := s.Login()
	c.ask("DELE "+name, "DELE "+fresh) // they may be left from an earlier run
	defer c.ask("DELE "+name, "DELE "+fresh)
	holds := func(file, want, after string) {
		for range 2 {
			if got, ok := c.Content(file); !ok || string(got) != want {
				s.Fatal("after %s the file holds %.40q; it should hold %q", after, got, want)
			}
		}
	}
	c.MustStore(s.Mode(), name, []byte("0123456789"))
	if got, ok := c.Content(name); !ok || string(got) != "0123456789" {
		s.Inconclusive("10 octets stored as a new file came back as %.40q", got)
	}
	c.MustStore(s.Mode(), name, []byte("abcde"))
	holds(name, "abcde", "STOR of 10 octets and STOR of 5")
	for _, v := range []struct{ file, want string }{{name, "abcdeXYZ"}, {fresh, "XYZ"}} {
		t := c.Store(c.SetUp(s.Mode()), []byte("XYZ"), "APPE %s", v.file)
		switch {
		case t.OK():
			holds(v.file, v.want, "APPE of 3 octets")
		case t.Final.Negative() && len(t.Preliminary) == 0:
			s.Note("APPE was answered %s", t.Final)
		default:
			s.Inconclusive("a plain transfer failed: %s", t)
		}
	}
}

func dataStouName(s *Session) {
	c := s.Login()
	var names []string
	for i := range 2 {
		content := BigContent[:100+i]
		t := c.Store(c.SetUp(s.Mode()), content, "STOU")
		switch {
		case len(names) == 0 && t.Final.In(500, 502, 504):
			s.Unsupported("STOU is not offered: %s", t.Final)
		case !t.OK():
			s.Inconclusive("STOU failed: %s", t)
		case len(t.Preliminary) == 0:
			s.Inconclusive("STOU has no preliminary reply, in which the name would stand: %s", t)
		}
		name, err := ftp.ParseSTOUName(t.Preliminary[0].Text())
		if err != nil {
			s.Fatal("STOU was answered %q; 125 or 150 with the text \"FILE: name\" was expected", t.Preliminary[0])
		}
		names = append(names, name)
		defer c.ask("DELE " + name)
		if _, ok := c.Content(name); !ok {
			s.Fail("there is no file of the name %q that STOU announced", name)
		}
	}
	if names[0] == names[1] {
		s.Fail("STOU chose the name %q twice", names[0])
	}
}

func dataOctets(s *Session) {
	const name = "data-octets.bin"
	content := make([]byte, 0, 2<<16)
	for a := range 256 {
		for b := range 256 {
			content = append(content, byte(a), byte(b))
		}
	}
	c := s.Login()
	defer c.ask("DELE " + name)
	c.MustStore(s.Mode(), name, content)
	got, ok := c.Content(name)
	switch {
	case !ok:
		s.Inconclusive("what was stored cannot be fetched")
	case bytes.Equal(got, content):
	case bytes.HasPrefix(content, got):
		s.Inconclusive("only the first %d of %d octets came back; that the end is missing is another subject", len(got), len(content))
	default:
		s.Fail("of %d octets stored in image type %d came back, %s", len(content), len(got), firstDifference(got, content))
	}
}

// firstDifference says where two contents part.
func firstDifference(got, want []byte) string {
	i := 0
	for i < min(len(got), len(want)) && got[i] == want[i] {
		i++
	}
	if i == min(len(got), len(want)) {
		return fmt.Sprintf("the first %d are the same", i)
	}
	return fmt.Sprintf("the first difference is at offset %d: %#02x in place of %#02x", i, got[i], want[i])
}
