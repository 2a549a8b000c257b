package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/ftpconform/ftpconform/suites"
)

// The elements of a JUnit report, as far as its readers agree on them.
type (
	junitRun struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		junitCounts
		Suites []junitSuite `xml:"testsuite"`
	}
	junitCounts struct {
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Time     string `xml:"time,attr"`

		took int64 // milliseconds
	}
	junitSuite struct {
		Name string `xml:"name,attr"`
		junitCounts
		Timestamp  string          `xml:"timestamp,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class     string       `xml:"classname,attr"`
		Name      string       `xml:"name,attr"`
		Time      string       `xml:"time,attr"`
		Failure   *junitDetail `xml:"failure"`
		Error     *junitDetail `xml:"error"`
		Skipped   *junitDetail `xml:"skipped"`
		SystemOut *junitText   `xml:"system-out"`
	}
	junitDetail struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",cdata"`
	}
	junitText struct {
		Text string `xml:",cdata"`
	}
)

// WriteJUnit writes the run as JUnit XML: a suite for each topic, a case for
// each check, with names that stay the same whatever the target and the
// options. What breaks the gate is a failure, harness errors are errors, and a
// check without an answer is skipped with its reason. So is a known deviation
// that would break the gate: to call it passed would say that the server conforms.
// A last suite, where there is more to the gate than levels, has a case for each
// thing that can be wrong with the baseline.
func WriteJUnit(w io.Writer, rep *suites.Report, g Gate) error {
	run := junitRun{Name: "ftpconform"}
	compared := g.Compare(rep)
	at := map[string]int{}
	for _, r := range rep.Results {
		name := "ftpconform." + string(r.Topology) + "." + r.Topic
		i, ok := at[name]
		if !ok {
			i = len(run.Suites)
			at[name] = i
			run.Suites = append(run.Suites, junitSuiteOf(rep, name))
		}
		s := &run.Suites[i]
		c := junitCaseOf(rep, r, g, compared.excuse(r))
		c.Class = name
		s.Cases = append(s.Cases, c)
		s.count(c, r.DurationMS)
		run.count(c, r.DurationMS)
	}
	if g.guarded() {
		s := junitSuiteOf(rep, "ftpconform.baseline")
		for _, c := range junitProblems(compared.Problems()) {
			c.Class = s.Name
			s.Cases = append(s.Cases, c)
			s.count(c, 0)
			run.count(c, 0)
		}
		run.Suites = append(run.Suites, s)
	}
	for i := range run.Suites {
		run.Suites[i].Time = seconds(run.Suites[i].took)
	}
	run.Time = seconds(rep.DurationMS) // checks run side by side
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(run); err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func junitSuiteOf(rep *suites.Report, name string) junitSuite {
	return junitSuite{Name: name, Timestamp: rep.Start.UTC().Format("2006-01-02T15:04:05"), Properties: junitFacts(rep)}
}

// junitProblems makes a case of each kind of problem, whether there is one or
// not, so that the names of cases stay the same.
func junitProblems(problems []Problem) []junitCase {
	var out []junitCase
	for _, kind := range ProblemKinds() {
		c := junitCase{Name: kind, Time: seconds(0)}
		for _, p := range problems {
			switch {
			case p.Kind != kind:
				continue
			case c.Failure == nil:
				c.Failure = &junitDetail{Message: p.Text, Type: kind}
			}
			c.Failure.Text += p.Text + "\nnext: " + p.Next + "\n"
		}
		out = append(out, c)
	}
	return out
}

func (n *junitCounts) count(c junitCase, ms int64) {
	n.Tests++
	n.took += ms
	switch {
	case c.Failure != nil:
		n.Failures++
	case c.Error != nil:
		n.Errors++
	case c.Skipped != nil:
		n.Skipped++
	}
}

func junitCaseOf(rep *suites.Report, r suites.Result, g Gate, known *Entry) junitCase {
	c := junitCase{Name: r.Check, Time: seconds(r.DurationMS)}
	message := headline(r.Verdict, r.Message)
	detail := &junitDetail{Message: message, Type: string(r.Verdict)}
	switch {
	case g.Breaks(r.Verdict) && known != nil:
		c.Skipped = &junitDetail{Message: known.known(), Text: junitBody(rep, r)}
	case g.Breaks(r.Verdict):
		c.Failure, detail.Text = detail, junitBody(rep, r)
	case r.Verdict == suites.HarnessError:
		c.Error, detail.Text = detail, junitBody(rep, r)
	case r.Verdict == suites.Pass:
	case r.Verdict == suites.Warn, r.Verdict == suites.Info:
		c.SystemOut = &junitText{junitBody(rep, r)}
	default:
		c.Skipped = &junitDetail{Message: string(r.Verdict) + ": " + message}
	}
	return c
}

// junitBody is what stands beside a case: the findings with their clauses, the
// dialogue, and where to read on.
func junitBody(rep *suites.Report, r suites.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n", r.Title, clauses(r))
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s: %s\n", f.Verdict, f.Message)
	}
	shown, name := evidence(rep, r)
	if name != "" {
		fmt.Fprintf(&b, "dialogue of %s:\n", name)
	}
	for _, e := range shown.Events {
		b.WriteString(eventLine(e) + "\n")
	}
	fmt.Fprintf(&b, "next: %s\n", nextStep(r))
	return xmlText(b.String())
}

func junitFacts(rep *suites.Report) []junitProperty {
	facts := []junitProperty{
		{"target", rep.Target.Address},
		{"version", rep.Tool.Version},
		{"catalogue", fmt.Sprintf("%d %s", rep.Catalogue.Version, rep.Catalogue.SHA256)},
	}
	if len(rep.Target.Faults) > 0 {
		facts = append(facts, junitProperty{"faults", strings.Join(rep.Target.Faults, " ")})
	}
	if rep.Interrupted {
		facts = append(facts, junitProperty{"interrupted", "true"})
	}
	for i := range facts {
		facts[i].Value = xmlText(facts[i].Value)
	}
	return facts
}

func seconds(ms int64) string { return fmt.Sprintf("%.3f", float64(ms)/1000) }
