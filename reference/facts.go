package reference

import (
	"fmt"
	"hash/fnv"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/ftpconform/ftpconform/ftp"
)

// allFacts are the facts of MLST and MLSD, in the order in which they are
// sent (RFC 3659 section 7.5).
func allFacts() []string { return []string{"type", "size", "modify", "perm", "unique"} }

// entryFacts returns the facts that the client wants of an object.
func (s *session) entryFacts(name string, info fs.FileInfo) []ftp.Fact {
	typ, perm := "file", "adfrw"
	if info.IsDir() {
		typ, perm = "dir", "cdeflmp"
	}
	if name == "/" {
		perm = "celmp"
	}
	var out []ftp.Fact
	for _, fact := range s.facts {
		value := ""
		switch fact {
		case "type":
			value = typ
		case "size":
			if info.IsDir() {
				continue
			}
			value = strconv.FormatInt(info.Size(), 10)
		case "modify":
			value = ftp.FormatTime(info.ModTime())
		case "perm":
			value = perm
		case "unique":
			value = unique(name, info)
		}
		out = append(out, ftp.Fact{Name: fact, Value: value})
	}
	return out
}

// unique identifies an object whatever its name (RFC 3659 section 7.5.2). A
// FileSystem that has nothing better is taken to have no links.
func unique(name string, info fs.FileInfo) string {
	if u, ok := info.(interface{ Unique() string }); ok {
		return u.Unique()
	}
	if id, ok := inode(info.Sys()); ok {
		return id
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return fmt.Sprintf("h%x", h.Sum64())
}

// cmdMLST describes one object over the control connection. Its line has
// exactly one leading space (RFC 3659 section 7.2).
func (s *session) cmdMLST(cmd ftp.Command) {
	name := s.resolve(cmd.Arg)
	info, err := s.o.Files.Stat(name)
	if err != nil {
		s.reply(550, "No such file or directory.")
		return
	}
	s.reply(250, "Listing follows.", " "+ftp.FormatEntry(s.entryFacts(name, info), name), "End of listing.")
}

// factList prints the facts for FEAT: the ones in use have an asterisk (RFC
// 3659 section 7.8).
func (s *session) factList() string {
	var b strings.Builder
	for _, fact := range allFacts() {
		b.WriteString(fact)
		if slices.Contains(s.facts, fact) {
			b.WriteByte('*')
		}
		b.WriteByte(';')
	}
	return b.String()
}

// optsMLST chooses the facts. Unknown ones are left out of the choice; a
// syntax error changes nothing (RFC 3659 section 7.9).
func (s *session) optsMLST(arg string) {
	if strings.ContainsFunc(arg, func(r rune) bool { return r <= ' ' || r == '=' || r > '~' }) {
		s.reply(501, "OPTS MLST needs facts, each with a semicolon behind it.")
		return
	}
	wanted := strings.Split(strings.ToLower(arg), ";")
	s.facts = slices.DeleteFunc(allFacts(), func(fact string) bool { return !slices.Contains(wanted, fact) })
	text := "MLST OPTS"
	for i, fact := range s.facts {
		if i == 0 {
			text += " "
		}
		text += fact + ";"
	}
	s.reply(200, text)
}
