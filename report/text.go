package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ftpconform/ftpconform/suites"
)

// Text prints a run for people.
type Text struct {
	Style
	Gate
	// Quiet prints the last line only; Verbose the dialogue of every check.
	Quiet, Verbose bool
}

// excerptLines is the number of events that are shown of the dialogue of a
// broken requirement.
const excerptLines = 14

// maxFindings is the number of findings of one check that are told.
const maxFindings = 4

// Write prints the run: what was checked, counts by verdict and level, every
// broken requirement with its clause, evidence and next step, or in a line where
// it is known, what has no answer and why, what is wrong with the baseline, and
// the outcome in one line.
func (t Text) Write(w io.Writer, rep *suites.Report) error {
	b := bufio.NewWriter(w)
	if !t.Quiet {
		c := t.Compare(rep)
		t.heading(b, rep)
		t.counts(b, rep)
		t.results(b, rep, c)
		t.unanswered(b, rep)
		t.gateSection(b, c)
	}
	fmt.Fprintln(b, t.LastLine(rep))
	if err := b.Flush(); err != nil {
		return fmt.Errorf("print the results: %w", err)
	}
	return nil
}

// heading says what was checked.
func (t Text) heading(w io.Writer, rep *suites.Report) {
	fmt.Fprintln(w, t.Wrap("", fmt.Sprintf("%s %s, catalogue %d (%.8s), %s", rep.Tool.Name, rep.Tool.Version,
		rep.Catalogue.Version, rep.Catalogue.SHA256, Printable(rep.Target.Address))))
	fact := func(name, text string) {
		if text != "" {
			fmt.Fprintln(w, t.Cut(fmt.Sprintf("%-8s %s", name, Printable(text))))
		}
	}
	if s := rep.Target.Server; s != nil {
		fact("server", fmt.Sprintf("%s, version %s, image %s", s.Title, s.Version, s.Image))
	}
	fact("banner", rep.Target.Banner)
	fact("system", rep.Target.SYST)
	fact("features", strings.Join(rep.Target.FEAT, ", "))
	if len(rep.Topologies) > 1 || len(rep.Topologies) == 1 && rep.Topologies[0] != suites.Direct {
		names := make([]string, len(rep.Topologies))
		for i, t := range rep.Topologies {
			names[i] = string(t)
		}
		fact("networks", strings.Join(names, ", "))
	}
	if rep.Kernel != "" {
		fact("gateways", "Linux "+rep.Kernel)
	}
	if rep.Strict {
		fact("profile", "strict")
	}
	if len(rep.Target.Faults) > 0 {
		fmt.Fprintln(w, t.Loud(fmt.Sprintf("%-8s %s", "faults", strings.Join(rep.Target.Faults, ", "))))
	}
	fmt.Fprintln(w)
}

// counts prints the table of verdicts by level. Columns without a count are
// left out, except those that everybody looks for.
func (t Text) counts(w io.Writer, rep *suites.Report) {
	var columns []suites.Verdict
	for _, v := range suites.Verdicts {
		if rep.Summary.ByVerdict[v] > 0 || v == suites.Pass || v == suites.Warn || v == suites.Fail {
			columns = append(columns, v)
		}
	}
	row := func(name string, counts map[suites.Verdict]int) {
		fmt.Fprintf(w, "%-6s", name)
		for _, v := range columns {
			cell := fmt.Sprintf("%*d", len(v)+2, counts[v])
			if counts[v] > 0 {
				cell = t.Verdict(v, cell)
			}
			fmt.Fprint(w, cell)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "%-6s", "")
	for _, v := range columns {
		fmt.Fprintf(w, "  %s", v)
	}
	fmt.Fprintln(w)
	for _, level := range []suites.Level{suites.MUST, suites.SHOULD, suites.MAY} {
		if rep.Summary.ByLevel[level] != nil {
			row(string(level), rep.Summary.ByLevel[level])
		}
	}
	row("all", rep.Summary.ByVerdict)
	fmt.Fprintln(w)
}

// results prints what is broken, in verbose mode everything that has run. The
// known deviations stand together in the end.
func (t Text) results(w io.Writer, rep *suites.Report, c *Comparison) {
	for _, r := range rep.Results {
		known := c.excuse(r)
		broken := deviates(r.Verdict) && known == nil || r.Verdict == suites.HarnessError
		if broken || t.Verbose && r.Verdict != suites.NotRun {
			t.result(w, rep, r, known)
		}
	}
	if t.Verbose || len(c.Excused) == 0 {
		return
	}
	for _, m := range c.Excused {
		t.excused(w, m.Result, m.Entry)
	}
	fmt.Fprintln(w)
}

// indent is that of what stands below the line of a result.
const indent = "      "

func (t Text) result(w io.Writer, rep *suites.Report, r suites.Result, known *Entry) {
	name := fmt.Sprintf("%-5s", r.Verdict)
	fmt.Fprintf(w, "%s %s\n", t.Verdict(r.Verdict, name), t.Strong(r.Name()))
	fmt.Fprintln(w, t.Wrap(indent, r.Title))
	fmt.Fprintln(w, t.Faint(t.Wrap(indent, clauses(r))))
	findings := r.Findings
	if len(findings) == 0 && r.Verdict != suites.Pass {
		findings = []suites.Finding{{Verdict: r.Verdict, Message: r.Message}}
	}
	for i, f := range findings {
		if i == maxFindings && !t.Verbose {
			fmt.Fprintln(w, t.Wrap(indent, fmt.Sprintf("and %s, see --verbose", plural(len(findings)-i, "further finding"))))
			break
		}
		message := headline(f.Verdict, f.Message)
		if f.Verdict != r.Verdict {
			message = string(f.Verdict) + ": " + message
		}
		fmt.Fprintln(w, t.Wrap(indent, message))
	}
	if known != nil {
		fmt.Fprintln(w, t.Wrap(indent, known.known()))
	}
	shown, other := evidence(rep, r)
	if other != "" {
		fmt.Fprintln(w, indent+"dialogue of "+other+":")
	}
	if t.Verbose {
		t.Excerpt(w, indent, Excerpt{Events: shown.Events})
	} else {
		t.Excerpt(w, indent, Decisive(shown, excerptLines))
	}
	if r.Verdict != suites.Pass {
		fmt.Fprintln(w, indent+"next: "+nextStep(r))
	}
	fmt.Fprintln(w)
}

// Excerpt prints part of a dialogue and says how much is left out.
func (t Text) Excerpt(w io.Writer, indent string, x Excerpt) {
	left := func(n int, where string) {
		if n > 0 {
			fmt.Fprintln(w, t.Faint(fmt.Sprintf("%s… %s %s", indent, plural(n, "event"), where)))
		}
	}
	left(x.Before, "before")
	for _, e := range x.Events {
		fmt.Fprintln(w, t.Cut(indent+eventLine(e)))
	}
	left(x.After, "after")
}

// unanswered groups the checks without an answer by their reason. Those that
// were deselected are only counted: the user knows.
func (t Text) unanswered(w io.Writer, rep *suites.Report) {
	type group struct{ verdict, reason string }
	var order []group
	members := map[group][]suites.Result{}
	for _, v := range []suites.Verdict{suites.Unsupported, suites.NotApplicable, suites.Inconclusive, suites.NotRun} {
		for _, r := range rep.Results {
			if r.Verdict != v || strings.HasPrefix(r.Message, "deselected") {
				continue
			}
			g := group{string(v), r.Message}
			if members[g] == nil {
				order = append(order, g)
			}
			members[g] = append(members[g], r)
		}
	}
	for _, g := range order {
		fmt.Fprintf(w, "%s (%d)\n", t.Verdict(suites.Verdict(g.verdict), g.verdict), len(members[g]))
		fmt.Fprintln(w, t.Wrap(indent, Printable(g.reason)))
		fmt.Fprintln(w, t.Faint(t.Wrap(indent, t.names(members[g]))))
	}
	if len(order) > 0 {
		fmt.Fprintln(w)
	}
}

// maxNames is how many checks without an answer are named for one reason; of
// more only the topics are.
const maxNames = 12

// names are those of the checks that have a reason in common.
func (t Text) names(results []suites.Result) string {
	var names, topics []string
	counts := map[string]int{}
	for _, r := range results {
		names = append(names, r.Name())
		if counts[r.Topic]++; counts[r.Topic] == 1 {
			topics = append(topics, r.Topic)
		}
	}
	if t.Verbose || len(names) <= maxNames {
		return strings.Join(names, ", ")
	}
	for i, topic := range topics {
		topics[i] = fmt.Sprintf("%s (%d)", topic, counts[topic])
	}
	return strings.Join(topics, ", ") + "; --verbose names them"
}

// LastLine is the outcome in one line.
func (t Text) LastLine(rep *suites.Report) string {
	outcome := t.Outcome(rep)
	colour := map[Outcome]suites.Verdict{Conforms: suites.Pass, Broken: suites.Fail, Errors: suites.HarnessError, Interrupted: suites.Warn, Lost: suites.Fail,
		Stale: suites.Warn, Undecided: suites.Warn}[outcome]
	var counts []string
	for _, v := range suites.Verdicts {
		if n := rep.Summary.ByVerdict[v]; n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, v))
		}
	}
	took := (time.Duration(rep.DurationMS) * time.Millisecond).Round(100 * time.Millisecond)
	return fmt.Sprintf("%s: %s; %s in %s", t.Verdict(colour, t.outcomeText(rep, outcome)), strings.Join(counts, ", "), plural(rep.Summary.Total, "check"), took)
}

// outcomeText is the outcome, with what the baseline has to do with it.
func (t Text) outcomeText(rep *suites.Report, o Outcome) string {
	if !t.guarded() {
		return string(o)
	}
	c := t.Compare(rep)
	switch {
	case o == Conforms && len(c.Excused) > 0:
		return "conforms but for " + plural(len(c.Excused), "known deviation")
	case o == Stale && len(c.Problems()) == len(c.TooFew):
		return "too few answers"
	case o == Stale:
		return string(o) + ", " + plural(len(c.Problems()), "problem")
	}
	return string(o)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
