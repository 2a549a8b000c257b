package report_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

// grown is what a server does later on.
func grown() *suites.Report {
	return run(
		result("stays", direct, suites.Fail, "as ever"), result("stays", nat, suites.Fail, "as ever"),
		result("message", direct, suites.Fail, "it says # something else now"),
		result("better", direct, suites.Warn, "only odd"),
		result("fixed", direct, suites.Pass, ""), result("fixed-last", direct, suites.Pass, ""),
		result("split", direct, suites.Fail, "one thing"), result("split", nat, suites.Fail, "another thing"),
		result("new", direct, suites.Fail, "new here: 192.0.2.7"), result("new", nat, suites.Pass, ""),
		result("new-everywhere", direct, suites.Warn, "it is everywhere the same"), result("new-everywhere", nat, suites.Warn, "it is everywhere the same"),
		result("glob-1", direct, suites.Fail, "x"), result("glob-2", direct, suites.Fail, "x"),
		result("old", direct, suites.Fail, "as ever"),
		result("quiet", direct, suites.NotRun, "slow: it may have to wait"),
	)
}

func TestReviseBaseline(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("testdata", "baseline.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	rep := grown()
	rev, err := report.ReviseBaseline(text, "baseline.yaml", rep, rep.Start)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "baseline-updated.yaml", string(rev.Text))
	golden(t, "baseline-updated.txt", strings.Join(append(rev.Changes, rev.Left...), "\n")+"\n")

	again, err := report.ReviseBaseline(rev.Text, "baseline.yaml", rep, rep.Start)
	if err != nil {
		t.Fatal(err)
	}
	if string(again.Text) != string(rev.Text) || len(again.Changes) > 0 {
		t.Errorf("a second update changes %v:\n%s", again.Changes, again.Text)
	}
}

// TestReviseBaselineForms: lists are found and left in all their forms.
func TestReviseBaselineForms(t *testing.T) {
	t.Parallel()
	failing := run(result("a", direct, suites.Fail, "bad"))
	passing := run(result("a", direct, suites.Pass, ""))
	const added = "  - check: a\n    verdict: fail\n    message: bad\n    reason: not reviewed yet\n"
	const facts = "tool: 1.2.3\nchecks: 1\ntopologies: [direct, client-nat]\n"
	for name, c := range map[string]struct {
		text string
		rep  *suites.Report
		want string
	}{
		"into an empty list":          {facts + "deviations: []\n", failing, facts + "deviations:\n" + added},
		"an empty list before others": {"deviations: [] # none\n\n# facts\n" + facts, failing, "deviations:\n" + added + "\n# facts\n" + facts},
		"facts are added":             {"# top\n\n# list\ndeviations: []\n", passing, "# top\n\n# list\n" + facts + "deviations: []\n"},
		"facts are changed":           {"tool: 1.2.2 # old\nchecks: 7\ntopologies: # of the run\n  - direct\ndeviations: []\n", passing, "tool: 1.2.3 # old\nchecks: 1\ntopologies: [direct, client-nat]\ndeviations: []\n"},
		"the same topologies":         {"tool: 1.2.3\nchecks: 1\ntopologies: [client-nat, direct]\ndeviations: []\n", passing, "tool: 1.2.3\nchecks: 1\ntopologies: [client-nat, direct]\ndeviations: []\n"},
		"the last one goes":           {facts + "deviations:\n" + added, passing, facts + "deviations: []\n"},
		"no line end at the end":      {facts + "deviations:\n- check: x*\n  verdict: fail\n  reason: y", failing, facts + "deviations:\n- check: a\n  verdict: fail\n  message: bad\n  reason: not reviewed yet\n"},
		"line ends of Windows":        {strings.ReplaceAll(facts+"deviations: []\n", "\n", "\r\n"), failing, strings.ReplaceAll(facts+"deviations:\n"+added, "\n", "\r\n")},
		"a byte order mark stays":     {"\ufeffdeviations:\n" + added, failing, "\ufeff" + facts + "deviations:\n" + added},
		"verdict first":               {facts + "deviations:\n  - verdict: warn # so\n    check: a\n    reason: y\n", failing, facts + "deviations:\n  - verdict: fail # so\n    check: a\n    reason: y\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "no line end at the end" {
				c.rep = run(result("a", direct, suites.Fail, "bad"), result("x1", direct, suites.NotApplicable, ""), result("x2", direct, suites.Pass, ""))
				c.want = strings.Replace(c.want, "checks: 1", "checks: 2", 1)
			}
			rev, err := report.ReviseBaseline([]byte(c.text), "b.yaml", c.rep, c.rep.Start)
			if err != nil {
				t.Fatal(err)
			}
			if string(rev.Text) != c.want {
				t.Errorf("got\n%s\nwant\n%s", rev.Text, c.want)
			}
		})
	}
}

// TestReviseBaselineRefuses runs that cannot speak for the list, and files that
// it cannot edit.
func TestReviseBaselineRefuses(t *testing.T) {
	t.Parallel()
	const list = "server: alpha\ntopologies: [direct]\ndeviations:\n  - {check: a, verdict: fail, message: x, reason: y}\n"
	bad := result("a", direct, suites.Fail, "x")
	with := func(change func(*suites.Report), more ...suites.Result) *suites.Report {
		rep := run(append([]suites.Result{bad}, more...)...)
		if change != nil {
			change(rep)
		}
		return rep
	}
	for name, c := range map[string]struct {
		rep  *suites.Report
		want string
	}{
		"interrupted":       {with(func(r *suites.Report) { r.Interrupted = true }), "interrupted"},
		"target lost":       {with(func(r *suites.Report) { r.TargetLost = "no more" }), "no more"},
		"harness error":     {with(nil, result("b", direct, suites.HarnessError, "boom")), "ftpconform itself failed in 1 check"},
		"deselected":        {with(nil, result("b", direct, suites.NotRun, "deselected: not among --only")), "b (deselected: not among --only)"},
		"a listed one mute": {run(result("a", direct, suites.Inconclusive, "dunno")), "a is listed and gave no answer: inconclusive: dunno"},
		"another server":    {with(func(r *suites.Report) { r.Target.Server = &suites.ServerFacts{Name: "beta"} }), "the list is about alpha, and this is beta; name a record of alpha"},
		"other topologies":  {with(func(r *suites.Report) { r.Topologies = []suites.Topology{nat} }), "run with --topology direct"},
		"keys on one line":  {run(result("a", direct, suites.Warn, "z")), "a line of its own"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rev, err := report.ReviseBaseline([]byte(list), "b.yaml", c.rep, c.rep.Start)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "b.yaml is not updated") {
				t.Errorf("the error is %v; it should speak of %q: %+v", err, c.want, rev)
			}
		})
	}
	placeholder := with(nil, result("b", suites.IPv6, suites.NotRun, "deselected: topology ipv6 is not among --topology"))
	if _, err := report.ReviseBaseline([]byte(list), "b.yaml", placeholder, placeholder.Start); err != nil {
		t.Errorf("what holds only in other topologies is no partial run: %v", err)
	}
}

func TestUpdateBaselineFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "b.yaml")
	rep := run(result("a", direct, suites.Fail, "bad"))
	b, err := report.NewBaseline(rep, report.Entry{})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.WriteFile(file); err != nil {
		t.Fatal(err)
	}
	before, _ := os.Stat(file)
	if _, err := report.UpdateBaseline(file, rep, rep.Start); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(file); err != nil || !os.SameFile(before, after) {
		t.Errorf("a file that is up to date was written: %v", err)
	}
	rep.Results[0].Message = "worse"
	if _, err := report.UpdateBaseline(file, rep, rep.Start); err != nil {
		t.Fatal(err)
	}
	if got, err := report.ReadBaseline(file); err != nil || got.Entries[0].Message != "worse" {
		t.Errorf("%v, %v", got, err)
	}
	left(t, dir, "b.yaml")
}

func TestNewBaselineRefuses(t *testing.T) {
	t.Parallel()
	rep := run(result("a", direct, suites.HarnessError, "boom"))
	if _, err := report.NewBaseline(rep, report.Entry{}); err == nil || !strings.Contains(err.Error(), "cannot be relied on") {
		t.Errorf("the error is %v", err)
	}
}
