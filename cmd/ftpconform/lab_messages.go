package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ftpconform/ftpconform/internal/lab"
)

// sheet is the page on which the messages of an act stand: a column of times,
// the ladder, the addresses on the left and on the right end of each wire, and
// what is said.
type sheet struct {
	*storyteller
	*ladder
	act         *lab.ActStory
	left, right int                 // widths of the addresses
	before      map[string][]string // the last table of each gateway that was printed
	remarked    map[int]bool        // messages whose notes were printed
}

// timeWidth is that of the column of times.
const timeWidth = 9

// leastText is the number of columns into which the text of a message may be
// wrapped.
const leastText = 22

// messages prints the messages of an act. The login and the end are folded
// where they are as in an act before.
func (t *storyteller) messages(a *lab.ActStory) error {
	s := &sheet{storyteller: t, ladder: newLadder(a.Nodes), act: a, before: map[string][]string{}, remarked: map[int]bool{}}
	for _, m := range a.Messages {
		l, r := s.ends(m)
		s.left, s.right = max(s.left, len(l)), max(s.right, len(r))
	}
	s.nodes(a.Nodes)
	s.line(s.Faint(s.margin() + s.heading()))
	login, end := s.known(lab.Login), s.known(lab.End)
	if login {
		s.fold(lab.Login, "connect and log in")
	}
	for i, m := range a.Messages {
		if login && m.Part == lab.Login || end && m.Part == lab.End {
			continue
		}
		s.message(i)
		if err := s.rest(); err != nil {
			return err
		}
	}
	if end {
		s.fold(lab.End, "QUIT, and good-bye")
	}
	return nil
}

// margin is what stands left of the ladder where there is no time.
func (s *sheet) margin() string { return strings.Repeat(" ", timeWidth+2) }

// nodes prints who has which addresses.
func (s *sheet) nodes(nodes []lab.Node) {
	var parts []string
	for _, n := range nodes {
		parts = append(parts, n.Name+" "+whereabouts(n))
	}
	s.paragraph(s.margin(), plain, strings.Join(parts, "; "))
}

// whereabouts lists the addresses of a node.
func whereabouts(n lab.Node) string {
	if !n.Gateway {
		return join(n.Addrs)
	}
	return join(n.Addrs) + " inside, " + join(n.Outside) + " outside"
}

func join(addrs []netip.Addr) string {
	var out []string
	for _, a := range addrs {
		out = append(out, a.String())
	}
	return strings.Join(out, " and ")
}

// ends are the addresses at the left and at the right end of a wire.
func (s *sheet) ends(m lab.Message) (left, right string) {
	left, right = lab.Endpoint(m.Src), lab.Endpoint(m.Dst)
	if s.leftward(m) {
		left, right = right, left
	}
	return left, right
}

// message prints a message with what it brings about.
func (s *sheet) message(i int) {
	m := s.act.Messages[i]
	s.row(m, s.passed(i), i > 0 && s.act.Messages[i-1].Text == m.Text)
	s.note(m)
	if len(m.Again) > 0 {
		s.remark(again(m))
	}
	s.changes(i)
}

// passed reports whether a message goes on as it came.
func (s *sheet) passed(i int) bool {
	m := s.act.Messages[i]
	return m.Translated != "" && slices.ContainsFunc(s.act.Messages[:i], func(before lab.Message) bool {
		return before.To == m.From && before.Text == m.Text
	})
}

// row prints the line of a message; its text gets lines of its own where there
// is no room beside the addresses, and only ditto marks where it is also that of
// the line before. What has passed a gateway unchanged is of second rank, what
// one has changed stands out.
func (s *sheet) row(m lab.Message, passed, ditto bool) {
	emphasis := plain
	switch {
	case m.Lost:
		emphasis = s.Loud
	case passed:
		emphasis = s.Faint
	case m.Translated != "":
		emphasis = s.Strong
	}
	left, right := s.ends(m)
	arrow := "──>"
	if s.leftward(m) {
		arrow = "<──"
	}
	head := fmt.Sprintf("%*s  %s  %-*s %s %-*s  ", timeWidth, since(m.At), s.arrow(m), s.left, left, arrow, s.right, right)
	column := utf8.RuneCountInString(head)
	if room := s.columns() - column; room < leastText && utf8.RuneCountInString(m.Text) > room {
		if passed && ditto {
			s.line(head + s.Faint("″"))
			return
		}
		s.line(head)
		s.aside("  ", emphasis, m.Text)
		return
	}
	for i, l := range s.wrap(column, m.Text) {
		if i > 0 {
			head = s.margin() + s.blank()
			head += strings.Repeat(" ", column-utf8.RuneCountInString(head))
		}
		s.line(head + emphasis(l))
	}
}

// changes prints what a gateway that has got a message does to it, and what it
// remembers afterwards.
func (s *sheet) changes(i int) {
	got := s.act.Messages[i]
	for _, t := range s.act.Tables {
		if t.After != got.Number {
			continue
		}
		for _, m := range s.act.Messages[i+1:] {
			if m.From == t.Gateway && m.At == t.At {
				s.note(m)
			}
		}
		s.table(t)
	}
}

// note prints what was noted about a message, once.
func (s *sheet) note(m lab.Message) {
	if m.Note == "" || s.remarked[m.Number] {
		return
	}
	s.remarked[m.Number] = true
	note := m.Note
	if isRewriting(note) {
		note = m.From + ": " + note
	}
	s.remark(note)
}

// remark prints what is of second rank, each part of it on its own line.
func (s *sheet) remark(text string) {
	parts := strings.Split(text, "; ")
	rewritten := slices.ContainsFunc(parts, isRewriting)
	for _, part := range parts {
		if !rewritten || isRewriting(part) { // of what is opened, the table tells
			s.aside("  ", s.Faint, part)
		}
	}
}

func isRewriting(remark string) bool { return strings.Contains(remark, " becomes ") }

// aside prints text beside the lanes; lines after the first are indented more.
func (s *sheet) aside(mark string, style func(string) string, text string) {
	const more = "  "
	indent := s.margin() + s.blank() + "  "
	for i, l := range s.wrap(utf8.RuneCountInString(indent+mark+more), text) {
		if i == 1 {
			mark = strings.Repeat(" ", len(mark)) + more
		}
		s.line(indent + style(mark+l))
	}
}

// table prints what a gateway remembers, if that shows a change: + is new, - is
// gone.
func (s *sheet) table(t lab.Snapshot) {
	var now []string
	read := map[string]bool{}
	for _, e := range t.Entries {
		if e.Kind != lab.KindMapping { // the connections tell it
			now = append(now, e.Text)
			read[e.Text] = e.Helped
		}
	}
	before := s.before[t.Gateway]
	if slices.Equal(before, now) {
		return
	}
	s.before[t.Gateway] = now
	s.aside("  ", s.Faint, "table of "+t.Gateway+":")
	for _, e := range before {
		if !slices.Contains(now, e) {
			s.aside("- ", s.Faint, e)
		}
	}
	for _, e := range now {
		if slices.Contains(before, e) {
			s.aside("  ", s.Faint, e)
			continue
		}
		s.aside("+ ", s.Faint, e)
		if read[e] {
			s.aside("    ", s.Faint, "and the helper reads it")
		}
	}
}

// again says when a message was sent again.
func again(m lab.Message) string {
	var gaps []string
	before := time.Duration(0)
	for _, at := range m.Again {
		if gap := at - before; gap < time.Millisecond {
			gaps = append(gaps, "nothing")
		} else {
			gaps = append(gaps, rounded(gap))
		}
		before = at
	}
	if m.Again[len(m.Again)-1] < time.Millisecond {
		return fmt.Sprintf("%d times", 1+len(m.Again))
	}
	const most = 6
	if len(gaps) > most {
		gaps = append(gaps[:most], "…")
	}
	return fmt.Sprintf("sent again after %s: %d times in all", strings.Join(gaps, ", "), 1+len(m.Again))
}

// rounded is a time in milliseconds, or in seconds with a tenth where it is not
// 0.
func rounded(d time.Duration) string {
	if d = d.Round(time.Millisecond); d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return strconv.FormatFloat(d.Round(100*time.Millisecond).Seconds(), 'f', -1, 64) + " s"
}

// part are the messages of a part.
func (s *sheet) part(p lab.Part) []lab.Message {
	return slices.DeleteFunc(slices.Clone(s.act.Messages), func(m lab.Message) bool { return m.Part != p })
}

// known reports whether a part like this has been told in an earlier act, and
// takes note of it.
func (s *sheet) known(p lab.Part) bool {
	var b strings.Builder
	for _, m := range s.part(p) {
		fmt.Fprintln(&b, m.From, m.To, m.Src, m.Dst, m.Text, m.Lost, len(m.Again))
	}
	defer func() { s.told[b.String()] = true }()
	return s.told[b.String()]
}

// fold tells a part in a line, with the tables that it leaves.
func (s *sheet) fold(p lab.Part, what string) {
	messages := s.part(p)
	if len(messages) == 0 {
		return
	}
	s.aside("", s.Faint, fmt.Sprintf("(%s as before: %d messages)", what, len(messages)))
	for _, m := range messages {
		for _, t := range s.act.Tables {
			if t.After == m.Number {
				s.table(t)
			}
		}
	}
}
