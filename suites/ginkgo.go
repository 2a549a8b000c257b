package suites

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/onsi/ginkgo/v2"
)

// Register builds one Ginkgo spec for each check, labelled topic:…, level:…,
// req:…, check:… and topology:…, and slow where it applies. Call it while the
// tree is being built, at the top level or inside a container of your own. The
// configuration must be known by then, and must not change afterwards.
//
// A spec fails for the verdicts fail and error, and is skipped, with the
// reason, where the check gave no answer; every verdict is in a report entry
// of the name "result" (JSON of a Result). Broken SHOULDs pass, as they do in
// the program without --fail-on should. In parallel runs each process has its
// own embedded server.
func Register(cfg Config) {
	shared := sharedDir()
	a := &adapter{cfg: &cfg}
	// No BeforeSuite and AfterSuite: a tree may have one of each only, and they
	// are the user's. Of the reports there may be several.
	ginkgo.ReportAfterSuite("ftpconform tidies up", func(ginkgo.Report) {
		a.tidy()
		if shared != "" {
			_ = os.RemoveAll(shared) // in the folder for temporary files
		}
	})
	ginkgo.Describe("ftpconform", func() {
		a.specs(shared, func(c Check) bool { return c.Watch == nil })
		// The invariants judge what the other specs have seen, so they stand
		// last, and alone when there are several processes. Ginkgo orders by
		// line: they have to stand below in this file, too.
		ginkgo.Describe("invariants", ginkgo.Serial, func() {
			a.specs(shared, func(c Check) bool { return c.Watch != nil })
		})
	})
}

// specs builds the specs of some checks, one for each topology of the run in
// which they hold. Where there is one only, it is not named.
func (a *adapter) specs(shared string, want func(Check) bool) {
	for _, c := range Checks() {
		if !want(c) {
			continue
		}
		places := a.cfg.places(c)
		for _, t := range places {
			text := c.ID + ": " + c.Title
			if len(places) > 1 {
				text = c.ID + " in " + string(t) + ": " + c.Title
			}
			// The line of the caller decides about the order.
			ginkgo.It(text, append(a.spec(c, t, shared), ginkgo.Offset(1))...)
		}
	}
}

type adapter struct {
	cfg *Config

	once sync.Once
	run  *run
	err  error
}

// begin reaches the target, with the first spec of the process.
func (a *adapter) begin(ctx context.Context) *run {
	a.once.Do(func() {
		if a.run, a.err = newRun(ctx, a.cfg); a.err == nil {
			a.err = a.run.preflight(ctx)
		}
	})
	if a.err != nil {
		ginkgo.Fail("the checks cannot begin: " + a.err.Error())
	}
	return a.run
}

// tidy removes the files of the run, when all processes have ended. The
// embedded servers of other processes end with these.
func (a *adapter) tidy() {
	if a.run == nil || a.err != nil {
		return
	}
	if !a.cfg.embedded() {
		a.run.cleanUp(context.Background())
	}
	a.run.close()
}

// spec is what follows the text of a check's It.
func (a *adapter) spec(c Check, t Topology, shared string) []any {
	args := []any{ginkgo.Label(c.Labels(a.cfg, t)...)}
	if c.Exclusive && !a.cfg.embedded() {
		args = append(args, ginkgo.Serial)
	}
	return append(args, func(ctx ginkgo.SpecContext) {
		run := a.begin(ctx)
		reason := run.sel.excludes(c, t)
		if reason != "" {
			record(notRun(c, t, reason))
			ginkgo.Skip(reason)
		}
		if c.Watch != nil {
			run.collect(shared)
		}
		res := run.one(ctx, c, t)
		run.file(res)
		share(shared, res)
		record(res)
		switch res.Verdict {
		case Fail, HarnessError:
			ginkgo.Fail(transcript(res))
		case Unsupported, NotApplicable, Inconclusive, NotRun:
			ginkgo.Skip(fmt.Sprintf("%s: %s", res.Verdict, res.Message))
		case Pass, Info, Warn:
		}
	})
}

// record puts a result into the spec's report.
func record(res Result) {
	ginkgo.AddReportEntry("result", ginkgo.ReportEntryVisibilityNever, asJSON(res))
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%q", err.Error())
	}
	return string(b)
}

// transcript is the failure message of a spec: the finding and its dialogue.
func transcript(res Result) string {
	s := res.Message + "\n"
	for _, e := range res.Events {
		s += fmt.Sprintf("%9.3fs %-11s %-8s %-9s %s\n", e.Time, e.Connection, e.Side, e.Event, e.Text)
	}
	return s + "explain: ftpconform explain " + res.Check + "\n"
}

// The processes of a parallel run tell each other the violations of invariants
// through files in a directory that carries the seed and the port of the
// coordinating process in its name.
func sharedDir() string {
	suite, _ := ginkgo.GinkgoConfiguration()
	if suite.ParallelTotal < 2 {
		return ""
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("ftpconform-%d-%x", suite.RandomSeed, suite.ParallelHost))
}

func share(dir string, res Result) {
	if dir == "" || len(res.Violations) == 0 {
		return
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return
	}
	name := filepath.Join(dir, res.Check+"."+string(res.Topology)+".json")
	_ = os.WriteFile(name, []byte(asJSON(res.Violations)), 0o600) // without it an invariant has less to judge
}

// collect reads what other processes have shared.
func (r *run) collect(dir string) {
	if dir == "" {
		return
	}
	names, _ := filepath.Glob(filepath.Join(dir, "*.json"))
	for _, name := range names {
		var vs []Violation
		text, err := os.ReadFile(name) //nolint:gosec // our own directory
		if err != nil || json.Unmarshal(text, &vs) != nil {
			continue
		}
		r.mu.Lock()
		r.violations = append(r.violations, vs...)
		r.mu.Unlock()
	}
}
