package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/ftpconform/ftpconform/suites"
)

// annotation is a remark that GitHub shows beside a run.
type annotation struct{ level, title, text string }

// The levels of annotations.
const (
	asError   = "error"
	asWarning = "warning"
)

// toldResults is how many results one annotation tells; GitHub cuts long ones.
const toldResults = 8

// WriteAnnotations writes workflow commands of GitHub: one for each kind of
// problem with the baseline and one for each requirement that results deviate
// from, however many. What makes the run fail is an error, everything else a
// warning; known deviations are left out.
//
// GitHub shows ten errors and ten warnings of a step, so that the errors come
// first, and of them those about the whole run.
func WriteAnnotations(w io.Writer, rep *suites.Report, g Gate) error {
	c := g.Compare(rep)
	errs := append(ofOutcome(rep, g), ofProblems(c)...)
	var warnings []annotation
	for _, b := range breaches(rep, c) {
		if b.breaks(g) {
			errs = append(errs, b.annotation(asError))
		} else {
			warnings = append(warnings, b.annotation(asWarning))
		}
	}
	return writeAnnotations(w, append(errs, warnings...))
}

// WriteAnnotations writes one for each server that does not pass its gate, the
// one of its name.
func (m *Matrix) WriteAnnotations(w io.Writer, gates map[string]Gate) error {
	var all []annotation
	for _, e := range m.Servers {
		switch {
		case e.Record == nil:
			all = append(all, annotation{asError, e.Name, "no record: " + shorten(e.Error)})
		case e.Outcome != Conforms:
			a := annotation{asError, e.Name, Text{Gate: gates[e.Name]}.LastLine(e.Record)}
			for _, p := range ofProblems(gates[e.Name].Compare(e.Record)) {
				a.text += "\n" + p.text
			}
			all = append(all, a)
		}
	}
	return writeAnnotations(w, all)
}

// AnnotateFailure writes one for a run, or a matrix, that came to no record: why.
func AnnotateFailure(w io.Writer, why string) error {
	return writeAnnotations(w, []annotation{{asError, "ftpconform", shorten(why)}})
}

func writeAnnotations(w io.Writer, all []annotation) error {
	var b strings.Builder
	for _, a := range all {
		fmt.Fprintf(&b, "::%s title=%s::%s\n", a.level, commandProperty(a.title), commandData(a.text))
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print the annotations: %w", err)
	}
	return nil
}

// ofOutcome tells why a run says little or nothing.
func ofOutcome(rep *suites.Report, g Gate) []annotation {
	switch o := g.Outcome(rep); o {
	case Interrupted:
		return []annotation{{asError, string(o), "the run was cut short; what was found before stands"}}
	case Lost:
		return []annotation{{asError, string(o), "the target went away during the run: " + shorten(rep.TargetLost)}}
	case Undecided:
		return []annotation{{asError, string(o), "no check has an answer, so nothing is known of the server"}}
	default:
		return nil
	}
}

// ofProblems makes one of all problems of a kind.
func ofProblems(c *Comparison) []annotation {
	var out []annotation
	problems := c.Problems()
	for _, kind := range ProblemKinds() {
		var lines []string
		for _, p := range problems {
			if p.Kind == kind {
				lines = append(lines, shorten(p.Text)+"\nnext: "+shorten(p.Next))
			}
		}
		title := "baseline: " + kind
		if kind == kindTooFew {
			title = "too few answers"
		}
		if len(lines) > 0 {
			out = append(out, annotation{asError, title, told(lines)})
		}
	}
	return out
}

// annotation tells all results of a requirement.
func (b *breach) annotation(level string) annotation {
	var lines []string
	for _, r := range b.results {
		lines = append(lines, fmt.Sprintf("%s %s: %s\nnext: %s", r.Verdict, r.Name(), shorten(headline(r.Verdict, r.Message)), nextStep(r)))
	}
	return annotation{level, b.title(), told(lines)}
}

// told joins what is not too much.
func told(lines []string) string {
	if more := len(lines) - toldResults; more > 0 {
		lines = append(lines[:toldResults:toldResults], fmt.Sprintf("and %d more: see the summary of the job, or the run record", more))
	}
	return strings.Join(lines, "\n")
}

// commandData and commandProperty escape what would end a workflow command, or
// a part of it, as GitHub's own toolkit does.
func commandData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func commandProperty(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(commandData(s))
}
