package report

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/ftpconform/ftpconform/suites"
)

// NewBaseline lists everything that deviated in a run, with the reason, the
// reference and the last day of a pattern. An incomplete run is refused.
func NewBaseline(rep *suites.Report, pattern Entry) (*Baseline, error) {
	if err := usable(rep); err != nil {
		return nil, err
	}
	b := &Baseline{Server: serverName(rep), Version: serverVersion(rep), Tool: rep.Tool.Version, Checks: Answers(rep), Topologies: rep.Topologies}
	var deviating []suites.Result
	for _, r := range rep.Results {
		if deviates(r.Verdict) {
			deviating = append(deviating, r)
		}
	}
	b.Entries = entriesOf(rep, deviating, pattern, func(string) bool { return false })
	return b, nil
}

// usable reports why a list cannot be drawn from a run.
func usable(rep *suites.Report) error {
	switch {
	case rep.Interrupted:
		return errors.New("the run was interrupted; make a record of a whole run")
	case rep.TargetLost != "":
		return fmt.Errorf("the target went away during the run: %s; make a record of a whole run", rep.TargetLost)
	case rep.Summary.ByVerdict[suites.HarnessError] > 0:
		return fmt.Errorf("ftpconform itself failed in %s of the run; what it says of the server cannot be relied on", plural(rep.Summary.ByVerdict[suites.HarnessError], "check"))
	}
	return nil
}

// entriesOf makes entries of deviations: one for a check that deviates in the
// same way wherever it gave an answer, otherwise, and where the name of the check
// alone is taken, one for each topology.
func entriesOf(rep *suites.Report, deviating []suites.Result, pattern Entry, taken func(check string) bool) []Entry {
	answers, alike := map[string]int{}, map[string]int{}
	kind := func(r suites.Result) string {
		return r.Check + "\n" + string(r.Verdict) + "\n" + StableMessage(r.Message)
	}
	for _, r := range rep.Results {
		if answered(r.Verdict) && took(rep, r.Topology) {
			answers[r.Check]++
		}
	}
	for _, r := range deviating {
		alike[kind(r)]++
	}
	var out []Entry
	for _, r := range deviating {
		e := pattern
		e.Check, e.Verdict, e.Message = r.Check, r.Verdict, StableMessage(r.Message)
		if alike[kind(r)] < answers[r.Check] || taken(r.Check) {
			e.In = r.Topology
		}
		if !slices.ContainsFunc(out, func(o Entry) bool { return o.Name() == e.Name() }) {
			out = append(out, e)
		}
	}
	return out
}

// baselineHeader explains a new file.
const baselineHeader = `# Known deviations of a server. A run with --baseline and this file fails when
# something else deviates, and when the list is not true any more.
#
# Look at each entry (ftpconform explain CHECK, and the dialogue in the record),
# and say in its reason why it is known and why it may stay. A message is how
# that of the result begins, with … for what changes from run to run.
#
# ftpconform baseline update FILE RECORD keeps the list up to date; comments stay.
`

// Write writes the baseline as YAML, with comments on what to do about it.
func (b *Baseline) Write(w io.Writer) error {
	var t strings.Builder
	t.WriteString(baselineHeader)
	for _, f := range b.factLines() {
		t.WriteString(f.line + "\n")
	}
	if len(b.Entries) == 0 {
		t.WriteString("deviations: []\n")
	} else {
		t.WriteString("deviations:\n")
	}
	for i := range b.Entries {
		t.WriteString(strings.Join(b.Entries[i].lines("  "), "\n") + "\n")
	}
	if _, err := io.WriteString(w, t.String()); err != nil {
		return fmt.Errorf("write the baseline: %w", err)
	}
	return nil
}

// WriteFile writes the baseline into a file, atomically.
func (b *Baseline) WriteFile(name string) error {
	if err := ReplaceFile(name, b.Write); err != nil {
		return fmt.Errorf("the baseline %s could not be written: %w", name, err)
	}
	return nil
}

// factLine is a fact about the reviewed run, as a line of YAML.
type factLine struct{ key, line string }

func (b *Baseline) factLines() []factLine {
	var out []factLine
	add := func(key, value string) {
		if value != "" {
			out = append(out, factLine{key, key + ": " + value})
		}
	}
	quoted := func(s string) string {
		if s == "" {
			return ""
		}
		return scalar(s)
	}
	add("server", quoted(b.Server))
	add("version", quoted(b.Version))
	add("tool", quoted(b.Tool))
	if b.Checks > 0 {
		add("checks", fmt.Sprint(b.Checks))
	}
	if len(b.Topologies) > 0 {
		add("topologies", topologyList(b.Topologies))
	}
	return out
}

func topologyList(all []suites.Topology) string {
	names := make([]string, len(all))
	for i, t := range all {
		names[i] = string(t)
	}
	return "[" + strings.Join(names, ", ") + "]"
}

// lines are the entry in YAML, as an item of a list at an indentation.
func (e *Entry) lines(indent string) []string {
	var out []string
	add := func(key, value string) {
		if value == "" {
			return
		}
		lead := indent + "  "
		if len(out) == 0 {
			lead = indent + "- "
		}
		out = append(out, lead+key+": "+scalar(value))
	}
	add("check", e.Check)
	add("requirement", e.Requirement)
	add("in", string(e.In))
	if e.Max > 0 {
		out = append(out, fmt.Sprintf("%s  max: %d", indent, e.Max))
	}
	add("verdict", string(e.Verdict))
	if e.Sometimes {
		out = append(out, indent+"  sometimes: true")
	}
	add("message", e.Message)
	add("reason", cmp.Or(squeeze(e.Reason), NotReviewed))
	add("reference", squeeze(e.Reference))
	if !e.Expires.IsZero() {
		out = append(out, indent+"  expires: "+e.Expires.Format(time.DateOnly))
	}
	return out
}

// scalar is a text in YAML on one line.
func scalar(s string) string {
	for _, style := range []yaml.Style{0, yaml.DoubleQuotedStyle} {
		text, err := yaml.Marshal(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s, Style: style})
		if line := strings.TrimSuffix(string(text), "\n"); err == nil && !strings.Contains(line, "\n") {
			return line
		}
	}
	return fmt.Sprintf("%q", s) // not reached: double quotes hold everything
}
