package suites

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/ftpconform/ftpconform/ftp"
)

// Dialogue is one control connection as the invariants see it.
type Dialogue struct {
	Turns []Turn
	// Lines are the raw lines of the server, line ends included.
	Lines []string
}

// Violation is a breach of an invariant, seen while some check was running.
type Violation struct {
	Check   string `json:"check"`   // the invariant's id
	Message string `json:"message"` // what was seen
	// Remark marks a deviation that is only noted, except in the strict
	// profile.
	Remark bool   `json:"remark,omitempty"`
	Within string `json:"within"` // the check during which it was seen
}

// maxViolations bounds what one check contributes to one invariant: a server
// that breaks it once a line is told so once.
const maxViolations = 3

// watch applies all invariants to the dialogues of the session.
func (s *Session) watch() []Violation {
	var out []Violation
	for _, c := range s.controls {
		d := &Dialogue{Turns: c.turns, Lines: c.Lines()}
		for _, inv := range Checks() {
			if inv.Watch == nil {
				continue
			}
			found := inv.Watch(d)
			for _, v := range found[:min(len(found), maxViolations)] {
				v.Check = inv.ID
				out = append(out, v)
			}
		}
	}
	return out
}

var sixNumbers = regexp.MustCompile(`\d+,\d+,\d+,\d+,\d+,\d+`)

// passiveEndpoint finds the endpoint of a 227 reply even in a text that
// breaks the rule of the first digit: that is the subject of one check, and no
// reason for others to fail.
func passiveEndpoint(r ftp.Reply) (netip.AddrPort, error) {
	text, _ := passiveText(r)
	ep, _, err := ftp.ScanPASVReply(text)
	if err == nil {
		return ep, nil
	}
	if tuple := sixNumbers.FindString(text); tuple != "" {
		if ep, perr := ftp.ParseHostPort(tuple); perr == nil {
			return ep, nil
		}
	}
	return netip.AddrPort{}, err
}

// passiveText is the line of a 227 reply in which the six numbers stand, and
// which one it is, counted from 1. Any reply may have several lines (RFC 959
// section 4.2), though most servers give 227 one.
func passiveText(r ftp.Reply) (text string, line int) {
	for i, text := range r.Lines {
		if sixNumbers.MatchString(text) {
			return text, i + 1
		}
	}
	return r.Text(), 1
}

// codeOf returns the code at the start of a line, 0 if there is none.
func codeOf(line string) int {
	if len(line) < 3 {
		return 0
	}
	n, err := strconv.Atoi(line[:3])
	if err != nil || strings.HasPrefix(line, "-") || strings.HasPrefix(line, "+") {
		return 0
	}
	return n
}
