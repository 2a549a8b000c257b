package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"

	"github.com/ftpconform/ftpconform/suites"
)

// Problem is something that is wrong with the baseline, or with the number of
// answers, and keeps a run from passing the gate.
type Problem struct {
	// Kind is one of ProblemKinds.
	Kind string
	// Text says what is wrong, Next what to do about it.
	Text, Next string
}

// The kinds of problems.
const (
	kindServer    = "server"
	kindOther     = "other"
	kindStale     = "stale"
	kindNotRun    = "no-answer"
	kindUnmatched = "unmatched"
	kindExpired   = "expired"
	kindTooFew    = "too-few"
)

// ProblemKinds lists the kinds of problems in the order in which they are told.
func ProblemKinds() []string {
	return []string{kindServer, kindOther, kindStale, kindNotRun, kindUnmatched, kindExpired, kindTooFew}
}

// Problems lists what is wrong apart from deviations that are not listed.
func (c *Comparison) Problems() []Problem {
	var out []Problem
	add := func(kind, text, next string) {
		out = append(out, Problem{kind, Printable(text), Printable(next)})
	}
	if c.OtherServer != "" {
		add(kindServer, c.OtherServer, "name the list of this server; if it is that, correct its key server")
	}
	for _, m := range c.OtherMessage {
		add(kindOther, fmt.Sprintf("%s is %s now: %s; %s says %s: %s", m.Result.Name(), m.Result.Verdict, squeeze(m.Result.Message), c.place(m.Entry),
			m.Entry.Verdict, cmp.Or(squeeze(m.Entry.Message), ellipsis)),
			nextStep(m.Result)+"; if that is known as well, "+c.updated())
	}
	for _, m := range c.Stale {
		text, next := fmt.Sprintf("nothing of %s deviates as %s says", m.Entry.Name(), c.place(m.Entry)), "remove the entry, or "+c.updated()
		switch {
		case m.Result.Check == "":
			text = fmt.Sprintf("other entries are about everything that %s, %s, is about", m.Entry.Name(), c.place(m.Entry))
		case deviates(m.Result.Verdict) && !m.Entry.group():
			text = fmt.Sprintf("%s is %s now, and %s says %s: %s", m.Result.Name(), m.Result.Verdict, c.place(m.Entry), m.Entry.Verdict, squeeze(m.Result.Message))
			next = "change the entry, or " + c.updated()
		case !m.Entry.group():
			text = fmt.Sprintf("%s is %s now, and %s says %s", m.Result.Name(), m.Result.Verdict, c.place(m.Entry), m.Entry.Verdict)
		}
		add(kindStale, text, next)
	}
	for _, m := range c.NotRun {
		add(kindNotRun, fmt.Sprintf("%s, %s, has no answer: %s: %s", m.Entry.Name(), c.place(m.Entry), m.Result.Verdict, squeeze(m.Result.Message)),
			"run the check; while it has no answer nobody knows whether the entry is true")
	}
	for _, e := range c.Unmatched {
		add(kindUnmatched, fmt.Sprintf("%s, %s, is about nothing in the run", e.Name(), c.place(e)), "correct the id: ftpconform list has those of the checks")
	}
	for _, m := range c.Expired {
		add(kindExpired, fmt.Sprintf("%s, %s, has expired on %s and excuses nothing any more", m.Entry.Name(), c.place(m.Entry), m.Entry.Expires.Format("2006-01-02")),
			"review it again, and give it another day or none")
	}
	for _, text := range c.TooFew {
		add(kindTooFew, text, "find those that have lost theirs: ftpconform report diff OLD-RECORD RECORD")
	}
	return out
}

// place is where an entry stands.
func (c *Comparison) place(e *Entry) string {
	if e.Line == 0 {
		return "the baseline"
	}
	return fmt.Sprintf("line %d", e.Line)
}

// updated is the command that writes what is so now into the list.
func (c *Comparison) updated() string {
	return "ftpconform baseline update " + cmp.Or(c.gate.Baseline.Path, "FILE") + " RECORD"
}

// gateSection prints what is wrong with the baseline, and the notes.
func (t Text) gateSection(w io.Writer, c *Comparison) {
	problems := c.Problems()
	if len(problems)+len(c.Notes) == 0 {
		return
	}
	name := "answers"
	if b := t.Baseline; b != nil {
		name = "baseline " + Printable(b.Path)
	}
	fmt.Fprintln(w, t.Strong(name))
	for _, p := range problems {
		fmt.Fprintln(w, t.Loud(p.Kind))
		fmt.Fprintln(w, t.Wrap(indent, p.Text))
		fmt.Fprintln(w, t.Wrap(indent, "next: "+p.Next))
	}
	for _, note := range c.Notes {
		fmt.Fprintln(w, "note")
		fmt.Fprintln(w, t.Wrap(indent, Printable(note)))
	}
	fmt.Fprintln(w)
}

// excused prints a known deviation in a line.
func (t Text) excused(w io.Writer, r suites.Result, e *Entry) {
	name := fmt.Sprintf("%-5s", r.Verdict)
	line := t.Cut(name + " " + r.Name() + "  " + e.known())
	fmt.Fprintln(w, t.Verdict(r.Verdict, name)+line[len(name):])
}

// WriteComparison prints how a run compares with the gate: the deviations that
// are not listed, what is wrong with the list, and the outcome in one line;
// in verbose mode the known deviations too.
func (t Text) WriteComparison(w io.Writer, rep *suites.Report) error {
	b := bufio.NewWriter(w)
	c := t.Compare(rep)
	if t.Verbose {
		for _, m := range c.Excused {
			t.excused(b, m.Result, m.Entry)
		}
	}
	for _, m := range c.Unlisted {
		fmt.Fprintf(b, "%s %s\n", t.Verdict(m.Result.Verdict, fmt.Sprintf("%-5s", m.Result.Verdict)), t.Strong(m.Result.Name()))
		fmt.Fprintln(b, t.Wrap(indent, "not listed: "+headline(m.Result.Verdict, m.Result.Message)))
		if m.Entry != nil {
			fmt.Fprintln(b, t.Wrap(indent, fmt.Sprintf("%s has room for %d only", m.Entry.Name(), m.Entry.Max)))
		}
		fmt.Fprintln(b, indent+"next: "+nextStep(m.Result))
	}
	if !t.Quiet {
		t.gateSection(b, c)
	}
	fmt.Fprintln(b, t.LastLine(rep))
	if err := b.Flush(); err != nil {
		return fmt.Errorf("print the comparison: %w", err)
	}
	return nil
}
