package main

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ftpconform/ftpconform/internal/lab"
	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

// storyteller prints stories for people.
type storyteller struct {
	report.Style
	w *bufio.Writer
	// pause waits for the reader; nil goes on at once.
	pause func() error
	told  map[string]bool // what is the same in several acts, and has been told
}

// widest is how many columns the text takes.
const widest = 100

// columns is how many there are.
func (t *storyteller) columns() int {
	if t.Width > 0 {
		return min(t.Width, widest)
	}
	return widest
}

// wrap breaks a text into lines that fit behind an indentation.
func (t *storyteller) wrap(indent int, text string) []string {
	s := report.Style{Width: t.columns()}
	lines := strings.Split(s.Wrap(strings.Repeat(" ", indent), report.Printable(text)), "\n")
	for i := range lines {
		lines[i] = strings.TrimLeft(lines[i], " ")
	}
	return lines
}

func (t *storyteller) line(text string) { fmt.Fprintln(t.w, strings.TrimRight(text, " ")) }

// paragraph prints a text with an indentation, in a style.
func (t *storyteller) paragraph(indent string, style func(string) string, text string) {
	for _, l := range t.wrap(utf8.RuneCountInString(indent), text) {
		t.line(indent + style(l))
	}
}

func plain(s string) string { return s }

// rest lets the reader read.
func (t *storyteller) rest() error {
	if t.pause == nil {
		return nil
	}
	if err := t.w.Flush(); err != nil {
		return err
	}
	return t.pause()
}

// story prints all acts, and what they come to.
func (t *storyteller) story(s *lab.Story) error {
	t.told = map[string]bool{}
	t.paragraph("", t.Strong, s.Title)
	if on := played(s); on != "" {
		t.paragraph("", t.Faint, on)
	}
	for i := range s.Acts {
		t.line("")
		err := t.act(i+1, &s.Acts[i])
		if errors.Is(err, errEnough) {
			return t.w.Flush()
		}
		if err != nil {
			return err
		}
	}
	t.line("")
	t.summary(s)
	if s.Scenario == lab.NATPort {
		t.line("")
		t.line("next: ftpconform lab --list             other networks, and helpers for their gateways")
		t.line("      ftpconform run --topology all     what the server makes of all of them")
	}
	return t.w.Flush()
}

// played says what of a story is real; empty if all is simulated.
func played(s *lab.Story) string {
	var parts []string
	if s.Kernel != "" {
		parts = append(parts, "the gateways are Linux "+s.Kernel)
	}
	if s.Command != "" {
		parts = append(parts, "the server is "+s.Command)
	}
	if len(parts) == 0 {
		return ""
	}
	text := strings.Join(parts, ", ")
	text = strings.ToUpper(text[:1]) + text[1:] + "."
	if len(s.Differences) > 0 {
		text += " Linux has its own way with what the topologies ask for: " + strings.Join(s.Differences, "; ") + "."
	}
	return text
}

// body is the indentation of what stands below the heading of an act.
const body = "   "

func (t *storyteller) act(n int, a *lab.ActStory) error {
	t.line(t.Strong(fmt.Sprintf("%d  %s", n, a.Title)))
	if a.Text != "" {
		t.paragraph(body, plain, a.Text)
	}
	if !a.Brief {
		t.line("")
		if err := t.messages(a); err != nil {
			return err
		}
		t.line("")
	}
	t.outcome(a)
	return t.rest()
}

// outcome prints how an act ended and why.
func (t *storyteller) outcome(a *lab.ActStory) {
	how := string(a.Outcome) + " " + after(a)
	if a.Reply != "" {
		how += "; the server's last word: " + a.Reply
	}
	for i, l := range t.wrap(len(body), how) {
		if rest, ok := strings.CutPrefix(l, string(a.Outcome)); ok && i == 0 {
			l = t.Verdict(verdictOf(a.Outcome), string(a.Outcome)) + rest
		}
		t.line(body + l)
	}
	t.paragraph(body, t.Strong, a.Reason)
}

func verdictOf(o lab.Outcome) suites.Verdict {
	if o == lab.Works {
		return suites.Pass
	}
	return suites.Fail
}

// after says how long a transfer took.
func after(a *lab.ActStory) string {
	preposition := "after"
	if a.Outcome == lab.Works {
		preposition = "in"
	}
	return preposition + " " + rounded(time.Duration(a.Seconds*float64(time.Second)))
}

// since prints a time in the column of times.
func since(d time.Duration) string {
	if d.Round(100*time.Microsecond) < time.Second {
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.3f s", d.Seconds())
}

// leastReason is the number of columns into which a reason may be wrapped in the
// table; where there are fewer, it stands below its row.
const leastReason = 30

// summary prints all outcomes in a table.
func (t *storyteller) summary(s *lab.Story) {
	rows := [][]string{{" ", "MODE", "NETWORK", "SERVER", "OUTCOME"}}
	for i, a := range s.Acts {
		rows = append(rows, []string{fmt.Sprint(i + 1), string(a.Mode), a.Network, string(a.Server), string(a.Outcome)})
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	indent := 0
	for _, w := range widths {
		indent += w + len("  ")
	}
	below := t.columns()-indent < leastReason
	for r, row := range rows {
		line := ""
		for i, cell := range row {
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+len("  "))
			if i == len(row)-1 && r > 0 {
				cell = t.Verdict(verdictOf(s.Acts[r-1].Outcome), cell)
			}
			line += cell + space
		}
		switch {
		case r == 0 && below:
			t.line(t.Strong(line))
		case r == 0:
			t.line(t.Strong(line + "REASON"))
		case below:
			t.line(line)
			t.paragraph(body, plain, s.Acts[r-1].Reason)
		default:
			t.beside(line, indent, s.Acts[r-1].Reason)
		}
	}
}

// beside prints a text to the right of a line.
func (t *storyteller) beside(line string, indent int, text string) {
	for _, part := range t.wrap(indent, text) {
		t.line(line + part)
		line = strings.Repeat(" ", indent)
	}
}
