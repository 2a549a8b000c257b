package suites

import (
	"context"
	_ "embed" // the table of faults is part of the package
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/ftpconform/ftpconform/netsim"
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

// BrokenBy lists the checks that a fault of the reference server or of a
// gateway breaks.
func BrokenBy(fault string) []string { return faultTable()[fault] }

// KilledBy lists the faults of the reference server or of a gateway that break
// a check in the
// strict profile, those that break few others first: the best examples. The
// name of a tolerance stands among them where that profile calls it a failure.
func KilledBy(check string) []string {
	var out []string
	for _, f := range slices.Concat(reference.FaultNames(), netsim.FaultNames(), reference.ToleranceNames()) {
		if slices.Contains(faultTable()[f.Name], check) {
			out = append(out, f.Name)
		}
	}
	slices.SortStableFunc(out, func(a, b string) int { return len(faultTable()[a]) - len(faultTable()[b]) })
	return out
}

// ProveOptions say what to prove; the zero value is everything.
type ProveOptions struct {
	// Faults and Tolerances select by name, faults of gateways among them;
	// empty means all, unless the other one is given.
	Faults, Tolerances []string
	// Part and Parts share the work out among processes, because simulated
	// networks run one at a time in each: of the rows, counted from 0, only
	// those that leave the rest Part when divided by Parts. Parts 0 is all.
	Part, Parts int
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
	// Kind is "correct", "fault", "gateway" for a fault of a gateway,
	// "tolerance", or "strict" for a tolerance that the strict profile calls a
	// failure.
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

// Prove runs the checks in the simulated network: against the reference server
// without a fault, with each fault in the strict profile, with each tolerance
// in the default profile, and, those of gateways, with each fault of a
// gateway. A fault must break the checks that the table names for it and no
// others, a tolerance none. What the strict profile makes of a tolerance, where
// the table names checks for it, is a row of its own.
//
// The checks of servers are not asked about a gateway's faults: they would
// blame the server for what the gateway does, as anybody at its far end must.
func Prove(ctx context.Context, o ProveOptions) (*Proof, error) {
	rows, err := proofRows(o)
	if err != nil {
		return nil, err
	}
	total := len(rows)
	if o.Parts > 0 {
		var own []ProofRow
		for i := o.Part; i < total; i += o.Parts {
			own = append(own, rows[i])
		}
		rows = own
	}
	for i := range rows {
		rows[i].fill(ctx)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx) // what was cut short proves nothing
		}
		if o.Progress != nil {
			o.Progress(i+1, total, rows[i])
		}
	}
	return NewProof(o, rows), nil
}

// ProofSize is the number of rows that there will be.
func ProofSize(o ProveOptions) (int, error) {
	rows, err := proofRows(o)
	return len(rows), err
}

// NewProof puts rows together that several processes have made.
func NewProof(o ProveOptions, rows []ProofRow) *Proof {
	p := &Proof{Rows: rows}
	if len(o.Faults)+len(o.Tolerances)+o.Parts == 0 {
		p.Unproven = unproven(rows)
	}
	return p
}

func proofRows(o ProveOptions) ([]ProofRow, error) {
	var rows []ProofRow
	all := len(o.Faults)+len(o.Tolerances) == 0
	is := func(f reference.FaultInfo, name string) bool {
		return strings.EqualFold(f.Name, name) || f.ID != "" && strings.EqualFold(f.ID, name)
	}
	known := map[string]bool{}
	add := func(kind string, infos []reference.FaultInfo, names []string) {
		for _, f := range infos {
			wanted := all
			for _, name := range names {
				if is(f, name) {
					wanted, known[name] = true, true
				}
			}
			if wanted {
				rows = append(rows, ProofRow{Kind: kind, Name: f.Name, ID: f.ID})
			}
			if kind == "tolerance" && all && len(faultTable()[f.Name]) > 0 {
				rows = append(rows, ProofRow{Kind: "strict", Name: f.Name})
			}
		}
	}
	rows = append(rows, ProofRow{Kind: "correct"})
	add("fault", reference.FaultNames(), o.Faults)
	add("gateway", netsim.FaultNames(), o.Faults)
	add("tolerance", reference.ToleranceNames(), o.Tolerances)
	for _, name := range slices.Concat(o.Faults, o.Tolerances) {
		if !known[name] {
			return nil, usageErrorf("nothing to prove is called %q; see ftpconform serve --list-faults", name)
		}
	}
	return rows, nil
}

// fill runs the checks for one row.
func (r *ProofRow) fill(ctx context.Context) {
	cfg := Config{Topologies: Topologies(), Strict: r.Kind != "tolerance", once: true}
	var err error
	switch r.Kind {
	case "fault":
		err, cfg.Only = cfg.Faults.Set(r.Name), []string{"role:server"}
	case "gateway":
		err, cfg.Only = cfg.NetFaults.Set(r.Name), []string{"role:nat"}
	case "tolerance", "strict":
		err = cfg.Tolerances.Set(r.Name)
	}
	began := time.Now()
	var rep *Report
	if err == nil {
		rep, err = Verify(ctx, cfg)
	}
	if err != nil {
		r.Error = err.Error()
		return
	}
	r.Messages, r.DurationMS = map[string]string{}, time.Since(began).Milliseconds()
	for _, res := range rep.Results {
		switch res.Verdict {
		case Fail, Warn, HarnessError:
			if !slices.Contains(r.Broken, res.Check) {
				r.Broken = append(r.Broken, res.Check)
			}
			if r.Messages[res.Check] == "" {
				r.Messages[res.Check] = fmt.Sprintf("%s: %s", res.Verdict, res.Message)
			}
		default:
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
			return r.Kind != "correct" && r.Kind != "tolerance" && slices.Contains(r.Broken, c.ID)
		}) {
			out = append(out, c.ID)
		}
	}
	return out
}
