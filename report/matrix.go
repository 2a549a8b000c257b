package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/ftpconform/ftpconform/suites"
)

// MatrixSchema names the form of the record of a matrix.
const MatrixSchema = "ftpconform-matrix/1"

// Matrix is the record of several servers that were judged by the same checks.
type Matrix struct {
	Schema     string            `json:"schema"`
	Tool       suites.Tool       `json:"tool"`
	Catalogue  suites.Edition    `json:"catalogue"`
	Topologies []suites.Topology `json:"topologies"`
	Start      time.Time         `json:"start"`
	DurationMS int64             `json:"duration_ms"`
	// Interrupted is true when it was cut short; servers without a record had
	// not been begun then.
	Interrupted bool          `json:"interrupted"`
	Servers     []MatrixEntry `json:"servers"`
}

// MatrixEntry is one server of a matrix.
type MatrixEntry struct {
	Name string `json:"name"`
	// Outcome is that of the gate; empty when there is no record.
	Outcome Outcome `json:"outcome,omitempty"`
	// Error says why there is no record, or what went wrong besides.
	Error string `json:"error,omitempty"`
	// Record is the run, with the dialogues of what does not conform only.
	Record *suites.Report `json:"record,omitempty"`
}

// WriteMatrix writes the record of a matrix as indented JSON.
func WriteMatrix(w io.Writer, m *Matrix) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(m); err != nil {
		return fmt.Errorf("write the record of the matrix: %w", err)
	}
	return nil
}

// ReadMatrix reads the record of a matrix. Another form is ErrSchema.
func ReadMatrix(r io.Reader) (*Matrix, error) {
	m := new(Matrix)
	if err := decode(r, MatrixSchema, m); err != nil {
		return nil, err
	}
	for i, e := range m.Servers {
		if e.Record != nil && e.Record.Schema != suites.Schema {
			return nil, fmt.Errorf("%w: the record of server %d has the schema %.40q, %q was expected", ErrSchema, i+1, e.Record.Schema, suites.Schema)
		}
	}
	return m, nil
}

// trimmed is the number of events that Trim keeps of a dialogue.
const trimmed = 24

// Trim returns a copy of a run record that is short enough to be kept: of the
// dialogues only the part that decided, and only for what does not conform.
func Trim(rep *suites.Report) *suites.Report {
	out := *rep
	out.Target.Log = nil
	out.Results = slices.Clone(rep.Results)
	for i, r := range out.Results {
		out.Results[i].Events = []suites.Observation{}
		switch r.Verdict {
		case suites.Fail, suites.Warn, suites.HarnessError, suites.Inconclusive:
			shown, _ := evidence(rep, r)
			out.Results[i].Events = Decisive(shown, trimmed).Events
		default:
		}
		out.Results[i].Violations = nil
	}
	return &out
}

// cells counts what a server's results came to, by topic.
func cells(rep *suites.Report) map[string]map[suites.Verdict]int {
	out := map[string]map[suites.Verdict]int{}
	for _, r := range rep.Results {
		if out[r.Topic] == nil {
			out[r.Topic] = map[suites.Verdict]int{}
		}
		out[r.Topic][r.Verdict]++
	}
	return out
}

// topics lists those in which any server has a result, in their order in the
// records.
func (m *Matrix) topics() []string {
	var out []string
	for _, e := range m.Servers {
		if e.Record == nil {
			continue
		}
		for _, r := range e.Record.Results {
			if r.Verdict != suites.NotRun && !slices.Contains(out, r.Topic) {
				out = append(out, r.Topic)
			}
		}
	}
	return out
}

// cell tells counts shortly: what is wrong, else that all is well, else that
// nothing was said.
func cell(counts map[suites.Verdict]int) (text string, worst suites.Verdict) {
	worst = suites.NotRun
	add := func(v suites.Verdict, letter string) {
		if n := counts[v]; n > 0 {
			if text != "" {
				text += " "
			} else {
				worst = v
			}
			text += fmt.Sprint(n) + letter
		}
	}
	add(suites.HarnessError, "!")
	add(suites.Fail, "F")
	add(suites.Warn, "w")
	add(suites.Inconclusive, "?")
	switch {
	case text != "":
	case counts[suites.Pass]+counts[suites.Info] > 0:
		return "ok", suites.Pass
	case counts[suites.Unsupported]+counts[suites.NotApplicable] > 0:
		return "-", worst
	}
	return text, worst
}

// letter stands for a verdict in the table of differences.
func letter(v suites.Verdict) string {
	switch v {
	case suites.Pass, suites.Info:
		return "ok"
	case suites.Fail:
		return "F"
	case suites.Warn:
		return "w"
	case suites.Inconclusive:
		return "?"
	case suites.HarnessError:
		return "!"
	case suites.Unsupported, suites.NotApplicable:
		return "-"
	default: // it was not run
		return ""
	}
}

// difference is a check, in a network, that does not have the same verdict
// everywhere.
type difference struct {
	name     string
	verdicts []suites.Verdict // by server; empty where there is no record
}

// differences lists the rows that are not the same for all servers; pass and
// info count as one, and so do the ways of having nothing to say.
func (m *Matrix) differences() []difference {
	var order []string
	rows := map[string][]suites.Verdict{}
	for i, e := range m.Servers {
		if e.Record == nil {
			continue
		}
		for _, r := range e.Record.Results {
			if rows[r.Name()] == nil {
				rows[r.Name()] = make([]suites.Verdict, len(m.Servers))
				order = append(order, r.Name())
			}
			rows[r.Name()][i] = r.Verdict
		}
	}
	var out []difference
	for _, name := range order {
		seen := map[string]bool{}
		for i, v := range rows[name] {
			if m.Servers[i].Record != nil {
				seen[letter(v)] = true
			}
		}
		if len(seen) > 1 {
			out = append(out, difference{name, rows[name]})
		}
	}
	return out
}

// MatrixLegend explains the letters of the tables.
const MatrixLegend = "F fails a MUST, w breaks a SHOULD, ? inconclusive, ! error of the harness, - unsupported or not applicable, blank: not run, or no record"

// worstFirst orders outcomes for the question what a matrix as a whole came to.
var worstFirst = []Outcome{Interrupted, Errors, Lost, Broken, Stale, Undecided}

// Outcome is that of the whole: the gravest of all servers. Where one of them has
// no record, it was not reached.
func (m *Matrix) Outcome() Outcome {
	for _, o := range worstFirst {
		if o == Interrupted && m.Interrupted {
			return o
		}
		if slices.ContainsFunc(m.Servers, func(e MatrixEntry) bool { return e.Outcome == o || o == Lost && e.Record == nil }) {
			return o
		}
	}
	return Conforms
}
