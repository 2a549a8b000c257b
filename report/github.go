package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ftpconform/ftpconform/suites"
)

// SummaryLimit is how many octets GitHub takes as the job summary of a step; of
// a longer one it shows nothing at all.
const SummaryLimit = 1 << 20

// minSummary is the least room that is worth writing into: the outcome and what
// is left out.
const minSummary = 4096

const (
	// longText is the most characters that are told of a message in a pipeline;
	// the record has all of it.
	longText = 600
	// eventWidth is where lines of a dialogue are cut there.
	eventWidth = 160
)

// FullError says that there is no room for a summary.
type FullError struct{ Room int }

func (e *FullError) Error() string {
	return fmt.Sprintf("this run is not in the job summary: %d octets of %d are left in that of this step; give the run a step of its own", max(e.Room, 0), SummaryLimit)
}

// WriteSummary writes a run as a job summary of GitHub: the outcome, the counts,
// what is wrong with the baseline, the deviations by requirement, and the known
// ones folded. What does not fit into room octets is left out, with a word about
// it; where nothing does, the error is a *FullError.
func WriteSummary(w io.Writer, rep *suites.Report, g Gate, room int) error {
	c := g.Compare(rep)
	head := fmt.Sprintf("## ftpconform: %s\n\n%s\n", escape(Text{Gate: g}.outcomeText(rep, g.Outcome(rep))), summaryHead(rep))
	if lost := rep.TargetLost; lost != "" {
		head += "\nThe target went away: " + span(shorten(lost)) + "\n"
	}
	s := summary{head: head + problemList(c)}
	for _, b := range breaches(rep, c) {
		s.blocks = append(s.blocks, b.markdown(rep))
	}
	if len(c.Excused) > 0 {
		s.blocks = append(s.blocks, knownList(c))
	}
	return s.write(w, room)
}

// WriteSummary writes a matrix as a job summary of GitHub: its tables, and of
// each server that does not pass its gate, the one of its name, what is wrong.
func (m *Matrix) WriteSummary(w io.Writer, gates map[string]Gate, room int) error {
	var tables strings.Builder
	if err := m.WriteMarkdown(&tables); err != nil {
		return err
	}
	s := summary{head: "## ftpconform: " + plural(len(m.Servers), "server") + "\n\n" + tables.String()}
	for _, e := range m.Servers {
		if e.Record == nil || e.Outcome == Conforms {
			continue
		}
		g := gates[e.Name]
		c := g.Compare(e.Record)
		s.blocks = append(s.blocks, fmt.Sprintf("\n### %s\n\n%s\n%s", e.Name, escape(Text{Gate: g}.LastLine(e.Record)), problemList(c)))
		for _, b := range breaches(e.Record, c) {
			if b.breaks(g) {
				s.blocks = append(s.blocks, b.markdown(e.Record))
			}
		}
	}
	return s.write(w, room)
}

// SummarizeFailure writes a job summary of GitHub for a run, or a matrix, that
// came to no record: why.
func SummarizeFailure(w io.Writer, why string, room int) error {
	return summary{head: "## ftpconform: no record\n\n" + span(shorten(why)) + "\n"}.write(w, room)
}

// summary is a page with blocks that can be left out.
type summary struct {
	head   string
	blocks []string
}

// write writes as many blocks as there is room for.
func (s summary) write(w io.Writer, room int) error {
	const note = "\n**Cut here:** %d of %d parts are left out, because GitHub takes no more than 1 MiB a step. The run record has everything.\n"
	left := room - len(fmt.Sprintf(note, len(s.blocks), len(s.blocks)))
	if room < minSummary {
		return &FullError{room}
	}
	var b strings.Builder
	if len(s.head) <= left {
		b.WriteString(s.head)
	} else {
		s.blocks = slices.Insert(s.blocks, 0, s.head) // which does not fit either
	}
	for i, block := range s.blocks {
		if b.Len()+len(block) > left {
			fmt.Fprintf(&b, note, len(s.blocks)-i, len(s.blocks))
			break
		}
		b.WriteString(block)
	}
	if _, err := io.WriteString(w, b.String()+"\n"); err != nil {
		return fmt.Errorf("write the job summary: %w", err)
	}
	return nil
}

// summaryHead is what was judged, and the table of verdicts by level.
func summaryHead(rep *suites.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s, catalogue %d, %s", rep.Tool.Name, rep.Tool.Version, rep.Catalogue.Version, span(shorten(rep.Target.Address)))
	if rep.Target.Banner != "" {
		fmt.Fprintf(&b, ", greeting %s", span(shorten(rep.Target.Banner)))
	}
	b.WriteString("\n\n")
	var columns []suites.Verdict
	for _, v := range suites.Verdicts {
		if rep.Summary.ByVerdict[v] > 0 {
			columns = append(columns, v)
		}
	}
	row := func(name string, cell func(suites.Verdict) string) {
		cells := []string{name}
		for _, v := range columns {
			cells = append(cells, cell(v))
		}
		markdownRow(&b, cells)
	}
	row("", func(v suites.Verdict) string { return string(v) })
	row("---", func(suites.Verdict) string { return "---:" })
	for _, level := range []suites.Level{suites.MUST, suites.SHOULD, suites.MAY} {
		if counts := rep.Summary.ByLevel[level]; counts != nil {
			row(string(level), func(v suites.Verdict) string { return fmt.Sprint(counts[v]) })
		}
	}
	row("all", func(v suites.Verdict) string { return fmt.Sprint(rep.Summary.ByVerdict[v]) })
	return strings.TrimSuffix(b.String(), "\n")
}

// problemList is what is wrong with the baseline or the number of answers.
func problemList(c *Comparison) string {
	var b strings.Builder
	for _, p := range c.Problems() {
		fmt.Fprintf(&b, "- **%s**: %s  \n  next: %s\n", p.Kind, span(shorten(p.Text)), escape(shorten(p.Next)))
	}
	if b.Len() == 0 {
		return ""
	}
	name := "Answers"
	if known := c.gate.Baseline; known != nil {
		name = "Baseline " + span(known.Path)
	}
	return "\n### " + name + "\n\n" + b.String()
}

// knownList is what is excused, folded.
func knownList(c *Comparison) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n<details><summary>%s</summary>\n\n", plural(len(c.Excused), "known deviation"))
	for _, m := range c.Excused {
		fmt.Fprintf(&b, "- %s %s: %s  \n  %s\n", m.Result.Verdict, span(m.Result.Name()), span(shorten(headline(m.Result.Verdict, m.Result.Message))), escape(shorten(m.Entry.known())))
	}
	b.WriteString("\n</details>\n")
	return b.String()
}

// breach is a requirement that results of a run deviate from, and are not
// excused.
type breach struct {
	requirement suites.Requirement // only with an ID where the catalogue does not know it
	results     []suites.Result
}

// breaches groups what deviates, and what the harness failed at, by the first
// requirement: those that make the run fail, then the others.
func breaches(rep *suites.Report, c *Comparison) []*breach {
	var out []*breach
	for _, r := range rep.Results {
		if r.Verdict != suites.HarnessError && (!deviates(r.Verdict) || c.excuse(r) != nil) {
			continue
		}
		id := r.Check
		if len(r.Requirements) > 0 {
			id = r.Requirements[0]
		}
		at := slices.IndexFunc(out, func(b *breach) bool { return b.requirement.ID == id })
		if at < 0 {
			at = len(out)
			req, ok := suites.LoadCatalogue().Requirement(id)
			if !ok {
				req = suites.Requirement{ID: id}
			}
			out = append(out, &breach{requirement: req})
		}
		out[at].results = append(out[at].results, r)
	}
	slices.SortStableFunc(out, func(a, b *breach) int {
		switch x, y := a.breaks(c.gate), b.breaks(c.gate); {
		case x == y:
			return 0
		case x:
			return -1
		}
		return 1
	})
	return out
}

// breaks reports whether it makes the run fail.
func (b *breach) breaks(g Gate) bool {
	return slices.ContainsFunc(b.results, func(r suites.Result) bool { return g.Breaks(r.Verdict) || r.Verdict == suites.HarnessError })
}

// title is the requirement with its level and clause.
func (b *breach) title() string {
	if b.requirement.RFC == 0 {
		return b.requirement.ID
	}
	return fmt.Sprintf("%s, %s, %s", b.requirement.ID, b.requirement.Level, b.requirement.Clause())
}

// markdown tells each result with the decisive part of its dialogue.
func (b *breach) markdown(rep *suites.Report) string {
	var out strings.Builder
	fmt.Fprintf(&out, "\n### %s\n\n%s\n", escape(b.title()), escape(cmp.Or(b.requirement.Summary, b.results[0].Title)))
	for _, r := range b.results {
		fmt.Fprintf(&out, "\n**%s** %s: %s\n", r.Verdict, span(r.Name()), span(shorten(headline(r.Verdict, r.Message))))
		shown, other := evidence(rep, r)
		if other != "" {
			other = " of " + escape(other)
		}
		fmt.Fprintf(&out, "\n<details><summary>dialogue%s</summary>\n\n```\n", other)
		for _, o := range Decisive(shown, excerptLines).Events {
			line := Style{Width: eventWidth}.Cut(strings.TrimRight(eventLine(o), " "))
			fmt.Fprintln(&out, strings.ReplaceAll(line, "```", "'''"))
		}
		fmt.Fprintf(&out, "```\n\n</details>\n\nnext: %s\n", span(nextStep(r)))
	}
	return out.String()
}

// shorten bounds a text that a server may have made long.
func shorten(s string) string { return Style{Width: longText}.Cut(Printable(s)) }
