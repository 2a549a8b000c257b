package report

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/ftpconform/ftpconform/suites"
)

// Revision is what an update makes of a baseline.
type Revision struct {
	// Text is the new text of the file.
	Text []byte
	// Changes says in sentences what is different, Left what a person has to
	// look at.
	Changes, Left []string
}

// UpdateBaseline brings a file up to date with a run; where nothing changes it
// is not written.
func UpdateBaseline(name string, rep *suites.Report, now time.Time) (*Revision, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read the baseline: %w", err)
	}
	rev, err := ReviseBaseline(text, name, rep, now)
	if err != nil || bytes.Equal(rev.Text, text) {
		return rev, err
	}
	err = ReplaceFile(name, func(w io.Writer) error { _, err := w.Write(rev.Text); return err })
	if err != nil {
		return nil, fmt.Errorf("the baseline %s could not be written: %w", name, err)
	}
	return rev, nil
}

// ReviseBaseline brings the text of a baseline up to date with a run: what is
// not listed is added, what does not deviate any more is taken out, other
// verdicts and messages are written down, and so are the facts of the run. All
// else stays as it is, octet for octet. Reasons are left to people, and so are
// entries that have expired or are about nothing.
//
// A run that cannot speak for the whole list is refused. A second revision with
// the same run changes nothing.
func ReviseBaseline(text []byte, name string, rep *suites.Report, now time.Time) (*Revision, error) {
	b, root, err := parseBaseline(text, name)
	if err != nil {
		return nil, err
	}
	c := Gate{FailOn: suites.SHOULD, Baseline: b, Now: now}.Compare(rep)
	if err := wholeRun(rep, b, c); err != nil {
		return nil, fmt.Errorf("the baseline %s is not updated: %w", name, err)
	}
	rev := &Revision{}
	e := newEditor(text, root)
	e.review(b, c, rep, rev)
	e.facts(b, rep, rev)
	rev.Text = e.apply()
	if err := rev.prove(name, rep, now); err != nil {
		return nil, err
	}
	return rev, nil
}

// wholeRun reports why a run cannot speak for a list.
func wholeRun(rep *suites.Report, b *Baseline, c *Comparison) error {
	if err := usable(rep); err != nil {
		return err
	}
	if c.OtherServer != "" {
		return fmt.Errorf("%s; name a record of %s, or the list of the other", c.OtherServer, squeeze(b.Server))
	}
	if r := LeftOut(rep); r != nil {
		return fmt.Errorf("checks were left out of the run, such as %s (%s); make a record of a whole run", r.Name(), r.Message)
	}
	for _, t := range b.Topologies {
		if !took(rep, t) {
			return fmt.Errorf("the list is about %s too, and the run is not; run with --topology %s", t, strings.Trim(strings.ReplaceAll(topologyList(b.Topologies), ", ", ","), "[]"))
		}
	}
	if len(c.NotRun) > 0 {
		m := c.NotRun[0]
		return fmt.Errorf("%s is listed and gave no answer: %s: %s; run it so that it does", m.Entry.Name(), m.Result.Verdict, squeeze(m.Result.Message))
	}
	return nil
}

// LeftOut returns a result of a check that was not selected, nil if there is
// none: a record with one is of a part of the checks.
func LeftOut(rep *suites.Report) *suites.Result {
	for i, r := range rep.Results {
		if strings.HasPrefix(r.Message, "deselected") && took(rep, r.Topology) {
			return &rep.Results[i]
		}
	}
	return nil
}

// review turns what the comparison found into edits.
func (e *editor) review(b *Baseline, c *Comparison, rep *suites.Report, rev *Revision) {
	var more []suites.Result
	renewed := map[*Entry]Entry{}
	for _, m := range slices.Concat(c.OtherMessage, c.Stale) {
		now, done := renewed[m.Entry]
		excuses := slices.ContainsFunc(c.Excused, func(x Match) bool { return x.Entry == m.Entry })
		switch {
		case !deviates(m.Result.Verdict) || m.Entry.group():
			e.remove(m.Entry)
			rev.changef("removed %s: nothing of it deviates as it says", m.Entry.Name())
		case done && now.fits(m.Result):
		case done || excuses: // the entry is right about another topology
			more = append(more, m.Result)
		default:
			now = *m.Entry
			now.Verdict, now.Message = m.Result.Verdict, StableMessage(m.Result.Message)
			renewed[m.Entry] = now
			e.renew(m.Entry, now)
			rev.changef("renewed %s: %s: %s; it was %s: %s; see whether its reason still holds: %s", m.Entry.Name(),
				now.Verdict, now.Message, m.Entry.Verdict, squeeze(m.Entry.Message), squeeze(m.Entry.Reason))
		}
	}
	for _, m := range c.Unlisted {
		more = append(more, m.Result)
	}
	taken := func(check string) bool {
		return slices.ContainsFunc(b.Entries, func(x Entry) bool { return strings.EqualFold(x.Name(), check) })
	}
	for _, entry := range entriesOf(rep, more, Entry{Reason: NotReviewed}, taken) {
		e.add(entry)
		rev.changef("added %s: %s: %s", entry.Name(), entry.Verdict, entry.Message)
	}
}

func (rev *Revision) changef(format string, args ...any) {
	rev.Changes = append(rev.Changes, Printable(fmt.Sprintf(format, args...)))
}

// facts writes down the facts of the run.
func (e *editor) facts(b *Baseline, rep *suites.Report, rev *Revision) {
	now := Baseline{Version: serverVersion(rep), Tool: rep.Tool.Version, Checks: Answers(rep), Topologies: rep.Topologies}
	then := map[string]string{}
	for _, f := range b.factLines() {
		then[f.key] = f.line
	}
	for _, f := range now.factLines() {
		if f.key == "topologies" && sameTopologies(b.Topologies, rep.Topologies) || f.line == then[f.key] {
			continue
		}
		e.fact(f)
		rev.changef("now %s", f.line)
	}
}

// prove makes sure that the new text is a baseline that fits the run, and says
// what is left to a person.
func (rev *Revision) prove(name string, rep *suites.Report, now time.Time) error {
	b, err := ParseBaseline(rev.Text, name)
	if err != nil {
		return fmt.Errorf("the baseline %s is not updated, because that would spoil it: %w; write each key on a line of its own, and every list but topologies with dashes", name, err)
	}
	c := Gate{FailOn: suites.SHOULD, Baseline: b, Now: now}.Compare(rep)
	if len(c.Unlisted)+len(c.OtherMessage)+len(c.Stale) > 0 {
		return fmt.Errorf("the baseline %s is not updated, because it would not fit the run even then; write each key on a line of its own, and every list but topologies with dashes", name)
	}
	for _, p := range c.Problems() {
		rev.Left = append(rev.Left, p.Text+"; "+p.Next)
	}
	rev.Left = append(rev.Left, c.Notes...)
	return nil
}
