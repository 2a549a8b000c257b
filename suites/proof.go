package suites

import (
	"context"
	_ "embed" // the table of faults is part of the package
	"fmt"
	"maps"
	"slices"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/ftpconform/ftpconform/reference"
)

//go:embed catalogue/faults.yaml
var faultsYAML []byte

// faultTable names, for each fault of the reference server, the checks that
// it breaks: all of these, and no others.
var faultTable = sync.OnceValue(func() map[string][]string {
	var out map[string][]string
	if err := yaml.Unmarshal(faultsYAML, &out); err != nil {
		panic("suites: the built-in table of faults cannot be read: " + err.Error())
	}
	return out
})

// FaultTable lists the names that have a row in the table, sorted.
func FaultTable() []string { return slices.Sorted(maps.Keys(faultTable())) }

// BrokenBy lists the checks that a fault of the reference server breaks.
func BrokenBy(fault string) []string { return faultTable()[fault] }

// KilledBy lists the faults of the reference server that break a check in the
// strict profile, those that break few others first: the best examples. The
// name of a tolerance stands among them where that profile calls it a failure.
func KilledBy(check string) []string {
	var out []string
	for _, f := range slices.Concat(reference.FaultNames(), reference.ToleranceNames()) {
		if slices.Contains(faultTable()[f.Name], check) {
			out = append(out, f.Name)
		}
	}
	slices.SortStableFunc(out, func(a, b string) int { return len(faultTable()[a]) - len(faultTable()[b]) })
	return out
}

// ProveOptions say what to prove; the zero value is everything.
type ProveOptions struct {
	// Faults and Tolerances select by name; empty means all, unless the other
	// one is given.
	Faults, Tolerances []string
	// Parallel is the number of embedded targets at a time; default 6: most checks wait most of the time.
	Parallel int
	// Jobs is the number of checks at a time for each; default EmbeddedJobs.
	Jobs int
	// TimeoutScale multiplies every bound; default 1.
	TimeoutScale float64
	// Progress, if set, is told of every row as it is made.
	Progress func(done, total int, row ProofRow)
}

// Proof is the fault × check matrix.
type Proof struct {
	Rows []ProofRow `json:"rows"`
	// Unproven are checks that no fault breaks.
	Unproven []string `json:"unproven"`
}

// ProofRow is one server: the correct one, one with a fault, or one with a
// tolerance.
type ProofRow struct {
	// Kind is "correct", "fault", "tolerance", or "strict" for a tolerance
	// that the strict profile calls a failure.
	Kind string `json:"kind"`
	Name string `json:"name,omitempty"`
	ID   string `json:"id,omitempty"`
	// Broken are the checks that failed or warned.
	Broken []string `json:"broken"`
	// Missed are checks that should have been broken and were not; Extra are
	// checks that were broken and should not have been.
	Missed []string `json:"missed"`
	Extra  []string `json:"extra"`
	// DurationMS is how long the run took.
	DurationMS int64 `json:"duration_ms"`
	// Messages tells what each broken check said.
	Messages map[string]string `json:"messages"`
	// Error says why there is no row.
	Error string `json:"error,omitempty"`
}

// OK reports whether the row is as it should be.
func (r ProofRow) OK() bool { return r.Error == "" && len(r.Missed) == 0 && len(r.Extra) == 0 }

// OK reports whether every row is as it should be and every check is proven.
func (p *Proof) OK() bool {
	return len(p.Unproven) == 0 && !slices.ContainsFunc(p.Rows, func(r ProofRow) bool { return !r.OK() })
}

// Prove runs all checks against the reference server without a fault, with
// each fault in the strict profile, and with each tolerance in the default
// profile. A fault must break the checks that the table names for it and no
// others, a tolerance none. What the strict profile makes of a tolerance, where
// the table names checks for it, is a row of its own.
func Prove(ctx context.Context, o ProveOptions) (*Proof, error) {
	rows, err := proofRows(o)
	if err != nil {
		return nil, err
	}
	if o.Parallel <= 0 {
		o.Parallel = 6
	}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		work = make(chan *ProofRow)
		done int
	)
	for range o.Parallel {
		wg.Go(func() {
			for row := range work {
				row.fill(ctx, o)
				if ctx.Err() != nil {
					continue // what was cut short proves nothing
				}
				mu.Lock()
				done++
				if o.Progress != nil {
					o.Progress(done, len(rows), *row)
				}
				mu.Unlock()
			}
		})
	}
	for i := range rows {
		work <- &rows[i]
	}
	close(work)
	wg.Wait()
	p := &Proof{Rows: rows}
	if len(o.Faults)+len(o.Tolerances) == 0 {
		p.Unproven = unproven(rows)
	}
	return p, ctx.Err()
}

func proofRows(o ProveOptions) ([]ProofRow, error) {
	all := len(o.Faults)+len(o.Tolerances) == 0
	rows := []ProofRow{{Kind: "correct"}}
	chosen := func(kind string, infos []reference.FaultInfo, names []string) error {
		for _, name := range names {
			if !slices.ContainsFunc(infos, func(f reference.FaultInfo) bool { return f.Name == name || f.ID != "" && f.ID == name }) {
				return usageErrorf("unknown %s %q", kind, name)
			}
		}
		for _, f := range infos {
			if kind == "tolerance" && all && len(faultTable()[f.Name]) > 0 {
				rows = append(rows, ProofRow{Kind: "strict", Name: f.Name})
			}
			if all || slices.Contains(names, f.Name) || f.ID != "" && slices.Contains(names, f.ID) {
				rows = append(rows, ProofRow{Kind: kind, Name: f.Name, ID: f.ID})
			}
		}
		return nil
	}
	if err := chosen("fault", reference.FaultNames(), o.Faults); err != nil {
		return nil, err
	}
	if err := chosen("tolerance", reference.ToleranceNames(), o.Tolerances); err != nil {
		return nil, err
	}
	return rows, nil
}

// fill runs the checks for one row.
func (r *ProofRow) fill(ctx context.Context, o ProveOptions) {
	cfg := Config{Jobs: o.Jobs, TimeoutScale: o.TimeoutScale, Strict: r.Kind != "tolerance"}
	var err error
	switch r.Kind {
	case "fault":
		err = cfg.Faults.Set(r.Name)
	case "tolerance", "strict":
		err = cfg.Tolerances.Set(r.Name)
	}
	var rep *Report
	if err == nil {
		rep, err = Verify(ctx, cfg)
	}
	if err != nil {
		r.Error = err.Error()
		return
	}
	r.Messages, r.DurationMS = map[string]string{}, rep.DurationMS
	for _, res := range rep.Results {
		if res.Verdict == Fail || res.Verdict == Warn || res.Verdict == HarnessError {
			r.Broken = append(r.Broken, res.Check)
			r.Messages[res.Check] = fmt.Sprintf("%s: %s", res.Verdict, res.Message)
		}
	}
	want := faultTable()[r.Name]
	if r.Kind == "tolerance" {
		want = nil
	}
	for _, c := range want {
		if !slices.Contains(r.Broken, c) {
			r.Missed = append(r.Missed, c)
		}
	}
	for _, c := range r.Broken {
		if !slices.Contains(want, c) {
			r.Extra = append(r.Extra, c)
		}
	}
}

// unproven lists the checks that no row of a fault has broken.
func unproven(rows []ProofRow) []string {
	var out []string
	for _, c := range Checks() {
		if !slices.ContainsFunc(rows, func(r ProofRow) bool {
			return (r.Kind == "fault" || r.Kind == "strict") && slices.Contains(r.Broken, c.ID)
		}) {
			out = append(out, c.ID)
		}
	}
	return out
}
