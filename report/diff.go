package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/ftpconform/ftpconform/suites"
)

// Diff is what is different between two runs, A and B.
type Diff struct {
	// Facts are what else is different: versions, the greeting, the networks.
	Facts []FactChange `json:"facts"`
	// Appeared are deviations of B that A does not have, Disappeared those of A
	// whose check conforms in B, and Changed all other results with another verdict,
	// or deviations with another message.
	Appeared    []ResultChange `json:"appeared"`
	Disappeared []ResultChange `json:"disappeared"`
	Changed     []ResultChange `json:"changed"`
	// OnlyA and OnlyB are the names of results that only one of the runs has.
	OnlyA []string `json:"only_a"`
	OnlyB []string `json:"only_b"`
}

// FactChange is a fact about the runs that is different.
type FactChange struct {
	Name string `json:"name"`
	A    string `json:"a"`
	B    string `json:"b"`
}

// ResultChange is a result that is different. A verdict is empty where the run
// does not have the result.
type ResultChange struct {
	Check    string          `json:"check"`
	Topology suites.Topology `json:"topology"`
	A        Side            `json:"a"`
	B        Side            `json:"b"`
}

// Side is the result of one of the runs.
type Side struct {
	Verdict suites.Verdict `json:"verdict"`
	Message string         `json:"message"`
}

// Name is the check, with its topology where that is not Direct.
func (c ResultChange) Name() string {
	return suites.Result{Check: c.Check, Topology: c.Topology}.Name()
}

// Differs reports whether results are different. Facts do not count: another
// version that behaves in the same way is what one hopes for.
func (d *Diff) Differs() bool {
	return len(d.Appeared)+len(d.Disappeared)+len(d.Changed)+len(d.OnlyA)+len(d.OnlyB) > 0
}

// NewDiff compares two runs. Of messages the stable parts are compared.
func NewDiff(a, b *suites.Report) *Diff {
	d := &Diff{Facts: factChanges(a, b), Appeared: []ResultChange{}, Disappeared: []ResultChange{}, Changed: []ResultChange{}, OnlyA: []string{}, OnlyB: []string{}}
	type key struct {
		check string
		in    suites.Topology
	}
	ofA, ofB := map[key]suites.Result{}, map[key]bool{}
	for _, r := range a.Results {
		ofA[key{r.Check, r.Topology}] = r
	}
	for _, r := range b.Results {
		ofB[key{r.Check, r.Topology}] = true
		before, both := ofA[key{r.Check, r.Topology}]
		if !both {
			d.OnlyB = append(d.OnlyB, r.Name())
		}
		d.result(ResultChange{r.Check, r.Topology, Side{before.Verdict, before.Message}, Side{r.Verdict, r.Message}}, both)
	}
	for _, r := range a.Results {
		if !ofB[key{r.Check, r.Topology}] {
			d.OnlyA = append(d.OnlyA, r.Name())
		}
	}
	return d
}

func (d *Diff) result(c ResultChange, both bool) {
	was, is := deviates(c.A.Verdict), deviates(c.B.Verdict)
	switch {
	case is && !was:
		d.Appeared = append(d.Appeared, c)
	case !both:
	case was && !is && answered(c.B.Verdict):
		d.Disappeared = append(d.Disappeared, c)
	case c.A.Verdict != c.B.Verdict || was && StableMessage(c.A.Message) != StableMessage(c.B.Message):
		d.Changed = append(d.Changed, c)
	}
}

func factChanges(a, b *suites.Report) []FactChange {
	out := []FactChange{}
	fact := func(name, a, b string) {
		if a != b {
			out = append(out, FactChange{name, a, b})
		}
	}
	catalogue := func(e suites.Edition) string { return fmt.Sprintf("%d (%.8s)", e.Version, e.SHA256) }
	fact("server", serverName(a), serverName(b))
	fact("version", serverVersion(a), serverVersion(b))
	fact("banner", a.Target.Banner, b.Target.Banner)
	fact("system", a.Target.SYST, b.Target.SYST)
	fact("features", strings.Join(a.Target.FEAT, ", "), strings.Join(b.Target.FEAT, ", "))
	fact("faults", strings.Join(a.Target.Faults, ", "), strings.Join(b.Target.Faults, ", "))
	fact("ftpconform", a.Tool.Version, b.Tool.Version)
	fact("catalogue", catalogue(a.Catalogue), catalogue(b.Catalogue))
	fact("profile", profile(a), profile(b))
	fact("gateways", a.Kernel, b.Kernel)
	if !sameTopologies(a.Topologies, b.Topologies) {
		fact("networks", topologyList(a.Topologies), topologyList(b.Topologies))
	}
	return out
}

func profile(rep *suites.Report) string {
	if rep.Strict {
		return "strict"
	}
	return "default"
}

// DiffFormat names a form in which differences are written.
type DiffFormat string

// The forms.
const (
	DiffText     DiffFormat = "text"
	DiffJSON     DiffFormat = "json"
	DiffMarkdown DiffFormat = "markdown"
)

// DiffFormats lists the forms.
func DiffFormats() []DiffFormat { return []DiffFormat{DiffText, DiffJSON, DiffMarkdown} }

// Write writes the differences; the style is for text.
func (d *Diff) Write(w io.Writer, format DiffFormat, style Style) error {
	var b strings.Builder
	switch format {
	case DiffJSON:
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(d); err != nil {
			return fmt.Errorf("write the differences: %w", err)
		}
	case DiffMarkdown:
		d.markdown(&b)
	case DiffText:
		d.text(&b, style)
	default:
		return fmt.Errorf("unknown format %q; the formats are text, json and markdown", format)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the differences: %w", err)
	}
	return nil
}

// groups are the changes of results by kind, in the order in which they are told.
func (d *Diff) groups() []changeGroup {
	return []changeGroup{{"appeared", d.Appeared}, {"disappeared", d.Disappeared}, {"changed", d.Changed}}
}

// only are the names of results that one run has and the other has not.
func (d *Diff) only() []nameGroup { return []nameGroup{{"only in A", d.OnlyA}, {"only in B", d.OnlyB}} }

type nameGroup struct {
	name string
	of   []string
}

type changeGroup struct {
	name    string
	changes []ResultChange
}

// lastLine counts the differences.
func (d *Diff) lastLine() string {
	if !d.Differs() {
		return "no difference in the results"
	}
	var parts []string
	for _, g := range d.groups() {
		if n := len(g.changes); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, g.name))
		}
	}
	for _, only := range d.only() {
		if n := len(only.of); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, only.name))
		}
	}
	return strings.Join(parts, ", ")
}

// verdictOr is a verdict, or a word for a result that is not there.
func (s Side) verdictOr() string { return cmp.Or(string(s.Verdict), "absent") }
