package reference

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/ftpconform/ftpconform/ftp"
)

// listEntries returns what a listing of name shows: the contents of a
// directory, or the one entry of a file.
func (s *session) listEntries(name string) (entries []fs.FileInfo, dir bool, err error) {
	info, err := s.o.Files.Stat(name)
	if err != nil {
		return nil, false, err
	}
	if !info.IsDir() {
		return []fs.FileInfo{info}, false, nil
	}
	entries, err = s.o.Files.ReadDir(name)
	return entries, true, err
}

// cmdLIST shows a directory to people (RFC 959 section 4.1.3).
func (s *session) cmdLIST(cmd ftp.Command) {
	s.list("LIST", cmd.Arg, s.longLine)
}

// cmdNLST shows names that RETR takes as they are: with the directory in
// front when one was named.
func (s *session) cmdNLST(cmd ftp.Command) {
	s.list("NLST", cmd.Arg, func(info fs.FileInfo, dir bool) string {
		switch {
		case cmd.Arg == "":
			return info.Name()
		case !dir:
			return cmd.Arg
		}
		return strings.TrimSuffix(cmd.Arg, "/") + "/" + info.Name()
	})
}

// list sends one line for every entry. Listings are text whatever the TYPE
// (RFC 1123 section 4.1.2.7).
func (s *session) list(verb, arg string, format func(info fs.FileInfo, dir bool) string) {
	if s.preempted() {
		return
	}
	s.takeRestart()
	entries, dir, err := s.listEntries(s.resolve(arg))
	if err != nil {
		s.failTransfer(450, "No such file or directory.")
		return
	}
	lines := make([]string, len(entries))
	for i, info := range entries {
		lines[i] = format(info, dir)
	}
	s.sendListing(verb, lines)
}

// sendListing begins the transfer of lines.
func (s *session) sendListing(verb string, lines []string) {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l)
		b.WriteString("\r\n")
	}
	s.begin(&job{verb: verb, text: "Opening data connection for a listing.",
		source: strings.NewReader(b.String()), listing: true, empty: b.Len() == 0})
}

// longLine prints an entry in the form that clients have learnt to read.
func (s *session) longLine(info fs.FileInfo, _ bool) string {
	mode := "-rw-r--r--"
	if info.IsDir() {
		mode = "drwxr-xr-x"
	}
	t := info.ModTime().UTC()
	stamp := t.Format("Jan _2 15:04")
	if age := s.now().Sub(t); age > 180*24*time.Hour || age < -24*time.Hour {
		stamp = t.Format("Jan _2  2006")
	}
	return fmt.Sprintf("%s 1 ftp ftp %12d %s %s", mode, info.Size(), stamp, info.Name())
}

// cmdMLSD is RFC 3659 section 7.
func (s *session) cmdMLSD(cmd ftp.Command) {
	if s.preempted() {
		return
	}
	s.takeRestart()
	name := s.resolve(cmd.Arg)
	entries, dir, err := s.listEntries(name)
	switch {
	case err != nil:
		s.failTransfer(550, "No such directory.")
		return
	case !dir:
		s.failTransfer(501, "Not a directory.")
		return
	}
	lines := make([]string, len(entries))
	for i, info := range entries {
		lines[i] = ftp.FormatEntry(s.entryFacts(path.Join(name, info.Name()), info), info.Name())
	}
	s.sendListing("MLSD", lines)
}
