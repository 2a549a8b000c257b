package report_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

func result(check string, in suites.Topology, v suites.Verdict, message string) suites.Result {
	return suites.Result{Check: check, Title: "The title of " + check, Topic: "pasv", Requirements: []string{"FTP-PASV-001"}, Level: suites.MUST,
		Topology: in, Verdict: v, Message: message, Findings: []suites.Finding{}, Events: []suites.Observation{}}
}

// run is a record with these results, of the topologies direct and client-nat.
func run(results ...suites.Result) *suites.Report {
	rep := &suites.Report{Schema: suites.Schema, Tool: suites.Tool{Name: "ftpconform", Version: "1.2.3"},
		Topologies: []suites.Topology{suites.Direct, suites.ClientNAT}, Start: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC), Results: results}
	count(rep)
	return rep
}

// baseline reads a list; the entries are indented with tabs that stand for
// nothing.
func baseline(t *testing.T, text string) *report.Baseline {
	t.Helper()
	b, err := report.ParseBaseline([]byte(strings.ReplaceAll(text, "\t", "")), "known.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// summary says what a comparison holds, in short.
func summary(c *report.Comparison) string {
	var out []string
	matches := func(name string, of []report.Match) {
		for _, m := range of {
			entry := "-"
			if m.Entry != nil {
				entry = m.Entry.Name()
			}
			text := name + " " + m.Result.Name() + " by " + entry
			out = append(out, strings.Replace(text, "  by", " nothing by", 1))
		}
	}
	matches("excused", c.Excused)
	matches("unlisted", c.Unlisted)
	matches("other", c.OtherMessage)
	matches("stale", c.Stale)
	matches("not-run", c.NotRun)
	matches("expired", c.Expired)
	for _, e := range c.Unmatched {
		out = append(out, "unmatched "+e.Name())
	}
	for range c.TooFew {
		out = append(out, "too few")
	}
	for _, n := range c.Notes {
		out = append(out, "note "+n)
	}
	return strings.Join(out, "\n")
}

const (
	direct = suites.Direct
	nat    = suites.ClientNAT
)

func TestCompare(t *testing.T) {
	t.Parallel()
	entry := func(lines ...string) string {
		return "deviations:\n  - " + strings.Join(append(lines, "reason: it is so"), "\n    ") + "\n"
	}
	failing := run(result("a", direct, suites.Fail, "it is bad: 1"), result("b", direct, suites.Pass, ""))
	warning := run(result("a", direct, suites.Warn, "it is odd"))
	for _, c := range []struct {
		name, list string
		rep        *suites.Report
		gate       report.Gate
		want       string
		outcome    report.Outcome
	}{
		{"nothing deviates, nothing is listed", "deviations: []", run(result("a", direct, suites.Pass, "")), report.Gate{}, "", report.Conforms},
		{"listed", entry("check: a", "verdict: fail", "message: it is bad"), failing, report.Gate{}, "excused a by a", report.Conforms},
		{"listed, any message", entry("check: A", "verdict: fail"), failing, report.Gate{}, "excused a by A", report.Conforms},
		{"listed, other white space", entry("check: a", "verdict: fail", `message: " it  is\n bad"`), failing, report.Gate{}, "excused a by a", report.Conforms},
		{"not listed", "deviations: []", failing, report.Gate{}, "unlisted a by -", report.Broken},
		{"not listed, and only warn", "deviations: []", warning, report.Gate{}, "", report.Conforms},
		{"not listed, warn counts", "deviations: []", warning, report.Gate{FailOn: suites.SHOULD}, "unlisted a by -", report.Broken},
		{"warn is listed", entry("check: a", "verdict: warn", "message: it"), warning, report.Gate{}, "excused a by a", report.Conforms},
		{"warn is listed and counts", entry("check: a", "verdict: warn"), warning, report.Gate{FailOn: suites.SHOULD}, "excused a by a", report.Conforms},
		{"another message", entry("check: a", "verdict: fail", "message: it was bad"), failing, report.Gate{}, "other a by a", report.Broken},
		{"another message of warn", entry("check: a", "verdict: warn", "message: else"), warning, report.Gate{}, "other a by a", report.Stale},
		{"another message of warn counts", entry("check: a", "verdict: warn", "message: else"), warning, report.Gate{FailOn: suites.SHOULD}, "other a by a", report.Broken},
		{"worse than listed", entry("check: a", "verdict: warn"), failing, report.Gate{}, "other a by a", report.Broken},
		{"better than listed", entry("check: a", "verdict: fail"), warning, report.Gate{}, "stale a by a", report.Stale},
		{"better than listed and counts", entry("check: a", "verdict: fail"), warning, report.Gate{FailOn: suites.SHOULD}, "stale a by a", report.Stale},
		{"passes", entry("check: b", "verdict: fail"), run(result("b", direct, suites.Pass, "")), report.Gate{}, "stale b by b", report.Stale},
		{"conforms with a remark", entry("check: b", "verdict: warn"), run(result("b", direct, suites.Info, "so")), report.Gate{}, "stale b by b", report.Stale},
		{"not run", entry("check: b", "verdict: fail"), run(result("b", direct, suites.NotRun, "slow")), report.Gate{}, "not-run b by b", report.Stale},
		{"no answer", entry("check: b", "verdict: fail"), run(result("b", direct, suites.Inconclusive, "x")), report.Gate{}, "not-run b by b", report.Stale},
		{"not offered any more", entry("check: b", "verdict: fail"), run(result("b", direct, suites.Unsupported, "x")), report.Gate{}, "not-run b by b", report.Stale},
		{"an answer in one network only", entry("check: b", "verdict: fail"), run(result("b", direct, suites.Pass, ""), result("b", nat, suites.Inconclusive, "x")), report.Gate{}, "not-run b in client-nat by b", report.Stale},
		{"no such check", entry("check: c", "verdict: fail"), run(result("b", direct, suites.Pass, "")), report.Gate{}, "unmatched c", report.Stale},
		{"worst first", entry("check: c", "verdict: fail"), failing, report.Gate{}, "unlisted a by -\nunmatched c", report.Broken},

		{"in its network", entry("check: a", "in: client-nat", "verdict: fail"), run(result("a", direct, suites.Pass, ""), result("a", nat, suites.Fail, "x")), report.Gate{}, "excused a in client-nat by a in client-nat", report.Conforms},
		{"in another network", entry("check: a", "in: client-nat", "verdict: fail"), run(result("a", direct, suites.Fail, "x"), result("a", nat, suites.Fail, "x")), report.Gate{}, "excused a in client-nat by a in client-nat\nunlisted a by -", report.Broken},
		{"in a network that the run has not", entry("check: a", "in: ipv6", "verdict: fail"), run(result("a", direct, suites.Pass, "")), report.Gate{}, "note 1 entry is about topologies that this run did not have", report.Conforms},
		{"of a network that the run has not", entry("check: a", "verdict: fail"), run(result("a", suites.IPv6, suites.NotRun, "deselected: topology")), report.Gate{}, "note 1 entry is about topologies that this run did not have", report.Undecided},
		{"in one of two networks", entry("check: a", "verdict: fail"), run(result("a", direct, suites.Fail, "x"), result("a", nat, suites.Pass, "")), report.Gate{}, "excused a by a\nnote a in client-nat conforms, and a is listed for any topology; name the right ones with in", report.Conforms},

		{"a glob", entry("check: a-*", "verdict: fail"), run(result("a-1", direct, suites.Fail, "x"), result("a-2", direct, suites.Fail, "y"), result("a-3", direct, suites.Pass, "")), report.Gate{}, "excused a-1 by a-*\nexcused a-2 by a-*", report.Conforms},
		{"a requirement", entry("requirement: ftp-pasv-001", "verdict: fail"), failing, report.Gate{}, "excused a by ftp-pasv-001", report.Conforms},
		{"a glob of requirements", entry("requirement: FTP-PASV-*", "verdict: fail"), failing, report.Gate{}, "excused a by FTP-PASV-*", report.Conforms},
		{"no more than so many", entry("check: a-*", "max: 1", "verdict: fail"), run(result("a-1", direct, suites.Fail, "x"), result("a-2", direct, suites.Fail, "y")), report.Gate{}, "excused a-1 by a-*\nunlisted a-2 by a-*", report.Broken},
		{"a glob of which nothing deviates", entry("check: a-*", "verdict: fail"), run(result("a-1", direct, suites.NotRun, "slow"), result("a-2", direct, suites.Pass, "")), report.Gate{}, "stale a-2 by a-*", report.Stale},
		{"a glob of which nothing has an answer", entry("check: a-*", "verdict: fail"), run(result("a-1", direct, suites.NotRun, "slow")), report.Gate{}, "not-run a-1 by a-*", report.Stale},
		{"a glob and another message", entry("check: a*", "verdict: fail", "message: else"), failing, report.Gate{}, "unlisted a by -\nstale a by a*", report.Broken},
		{"a glob of nothing", entry("check: x*", "verdict: fail"), run(), report.Gate{}, "unmatched x*", report.Stale},

		{"sometimes, and not now", entry("check: b", "verdict: fail", "sometimes: true"), run(result("b", direct, suites.Pass, "")), report.Gate{}, "note b has not deviated this time; it does sometimes", report.Conforms},
		{"sometimes, and now", entry("check: a", "verdict: fail", "sometimes: true"), failing, report.Gate{}, "excused a by a", report.Conforms},
		{"sometimes, and without an answer", entry("check: b", "verdict: fail", "sometimes: true"), run(result("b", direct, suites.Inconclusive, "x"), result("c", direct, suites.Pass, "")), report.Gate{}, "not-run b by b", report.Stale},
		{"sometimes, and otherwise", entry("check: a", "verdict: fail", "sometimes: true", "message: else"), failing, report.Gate{}, "other a by a", report.Broken},

		{"on its last day", entry("check: a", "verdict: fail", "expires: 2026-11-29"), failing, report.Gate{}, "excused a by a", report.Conforms},
		{"after its last day", entry("check: a", "verdict: fail", "expires: 2026-11-28"), failing, report.Gate{}, "expired a by a", report.Stale},
		{"after its last day, by the clock", entry("check: a", "verdict: fail", "expires: 2026-11-29"), failing, report.Gate{Now: failing.Start.AddDate(0, 0, 1)}, "expired a by a", report.Stale},
		{"after its last day, and better", entry("check: b", "verdict: fail", "expires: 2026-11-28"), run(result("b", direct, suites.Pass, "")), report.Gate{}, "stale b by b", report.Stale},

		{"a harness error is not excused", entry("check: a", "verdict: fail"), run(result("a", direct, suites.HarnessError, "boom")), report.Gate{}, "", report.Errors},
		{"nor is one beside others", entry("check: a", "verdict: fail"), run(result("a", direct, suites.Fail, "x"), result("b", direct, suites.HarnessError, "boom")), report.Gate{}, "excused a by a", report.Errors},

		{"as many answers", "checks: 2\ndeviations: []", run(result("a", direct, suites.Pass, ""), result("b", direct, suites.Info, "x")), report.Gate{MinChecks: 2}, "", report.Conforms},
		{"fewer answers than reviewed", "checks: 2\ndeviations: []", run(result("a", direct, suites.Pass, ""), result("b", direct, suites.Unsupported, "x")), report.Gate{}, "too few", report.Stale},
		{"fewer in the same networks", "checks: 2\ntopologies: [client-nat, direct]\ndeviations: []", run(result("a", direct, suites.Pass, "")), report.Gate{}, "too few", report.Stale},
		{"fewer in other networks", "checks: 2\ntopologies: [direct]\ndeviations: []", run(result("a", direct, suites.Pass, "")), report.Gate{}, "note the number of answers, 1, is not compared with that of the baseline, 2: the topologies are others", report.Conforms},
		{"fewer than asked for", "deviations: []", run(result("a", direct, suites.Pass, "")), report.Gate{MinChecks: 2}, "too few", report.Stale},
		{"fewer than before", "deviations: []", run(result("a", direct, suites.Pass, "")), report.Gate{Previous: failing}, "too few", report.Stale},

		{"reviewed with another version", "tool: 1.2.2\ndeviations: []", run(), report.Gate{}, "note the baseline was reviewed with ftpconform 1.2.2, and this is 1.2.3", report.Undecided},
		{"not reviewed", "deviations:\n  - {check: a, verdict: fail, reason: not reviewed yet}", failing, report.Gate{}, "excused a by a\nnote 1 entry is not reviewed yet: give the reason in words", report.Conforms},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := c.gate
			g.Baseline = baseline(t, c.list)
			if diff := cmp.Diff(c.want, summary(g.Compare(c.rep))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := g.Outcome(c.rep); got != c.outcome {
				t.Errorf("the outcome is %q, want %q", got, c.outcome)
			}
		})
	}
}

// TestCompareMostSpecific: of several entries about a result one decides.
func TestCompareMostSpecific(t *testing.T) {
	t.Parallel()
	entries := []string{"check: '*'", "requirement: FTP-PASV-001", "check: a", "check: a\n    in: direct"}
	rep := run(result("a", direct, suites.Fail, "x"), result("b", direct, suites.Fail, "x"), result("b", nat, suites.Fail, "x"))
	for n := 1; n <= len(entries); n++ {
		list := "deviations:\n"
		for _, e := range entries[:n] {
			list += "  - " + e + "\n    verdict: fail\n    reason: it is so\n"
		}
		b := baseline(t, list)
		c := report.Gate{Baseline: b}.Compare(rep)
		if got, want := c.Excused[0].Entry.Name(), b.Entries[n-1].Name(); got != want {
			t.Errorf("of %d entries %s decides, want %s", n, got, want)
		}
	}
}

// TestCompareWithoutBaseline: the numbers matter alone, too.
func TestCompareWithoutBaseline(t *testing.T) {
	t.Parallel()
	rep := run(result("a", direct, suites.Pass, ""))
	other := run(result("a", direct, suites.Pass, ""), result("b", direct, suites.Pass, ""))
	if got := (report.Gate{MinChecks: 2}).Outcome(rep); got != report.Stale {
		t.Errorf("--min-checks gives %q", got)
	}
	if got := (report.Gate{Previous: other}).Outcome(rep); got != report.Stale {
		t.Errorf("--previous gives %q", got)
	}
	other.Topologies = []suites.Topology{direct}
	if got := (report.Gate{Previous: other}).Outcome(rep); got != report.Conforms {
		t.Errorf("--previous of other networks gives %q", got)
	}
	for _, c := range []struct {
		interrupted bool
		lost        string
		want        report.Outcome
	}{{true, "", report.Interrupted}, {false, "gone", report.Lost}} {
		r := run(result("a", direct, suites.Fail, "x"), result("b", direct, suites.HarnessError, "x"))
		r.Interrupted, r.TargetLost = c.interrupted, c.lost
		if got := (report.Gate{MinChecks: 9, Baseline: &report.Baseline{}}).Outcome(r); got != c.want {
			t.Errorf("the outcome is %q, want %q", got, c.want)
		}
	}
}

// TestProblemsSayWhatToDo: whatever is wrong, a next step is told.
func TestProblemsSayWhatToDo(t *testing.T) {
	t.Parallel()
	list := "server: alpha\nversion: 1\nchecks: 99\ndeviations:\n"
	for i, check := range []string{"other", "better", "passes", "silent", "nobody", "late", "glob-*"} {
		list += fmt.Sprintf("  - check: %s\n    verdict: fail\n    message: bad\n    reason: r%d\n    expires: %d-01-01\n", check, i, map[bool]int{true: 2020, false: 2099}[check == "late"])
	}
	rep := run(result("other", direct, suites.Fail, "worse \x1b"), result("better", direct, suites.Warn, "so so"), result("passes", direct, suites.Pass, ""),
		result("silent", direct, suites.Inconclusive, "dunno"), result("late", direct, suites.Fail, "bad"), result("glob-1", direct, suites.Pass, ""))
	rep.Target.Server = &suites.ServerFacts{Name: "beta", Version: "2"}
	g := report.Gate{Baseline: baseline(t, list)}
	seen := map[string]bool{}
	for _, p := range g.Compare(rep).Problems() {
		seen[p.Kind] = true
		if p.Text == "" || p.Next == "" || strings.Contains(p.Text+p.Next, "\x1b") {
			t.Errorf("%+v", p)
		}
	}
	for _, kind := range report.ProblemKinds() {
		if !seen[kind] {
			t.Errorf("no problem of the kind %s", kind)
		}
	}
	golden(t, "text-baseline.txt", text(t, report.Text{Gate: g}, rep))
	got, counts := cases(t, junit(t, rep, g))
	for _, kind := range report.ProblemKinds() {
		if got["ftpconform.baseline/"+kind] != "failure" {
			t.Errorf("the case %s %s", kind, got["ftpconform.baseline/"+kind])
		}
	}
	if counts["failures"] != "9" { // seven, and the two deviations that are not excused
		t.Errorf("the counts are %v", counts)
	}
}

// TestCompareServers: a list about another server is no list of this one, as far
// as both are known.
func TestCompareServers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		list, run string
		want      report.Outcome
	}{{"alpha", "alpha", report.Conforms}, {"Alpha", "alpha", report.Conforms}, {"alpha", "", report.Conforms}, {"", "alpha", report.Conforms}, {"alpha", "beta", report.Stale}} {
		rep := run(result("a", direct, suites.Pass, ""))
		if c.run != "" {
			rep.Target.Server = &suites.ServerFacts{Name: c.run}
		}
		if got := (report.Gate{Baseline: &report.Baseline{Server: c.list}}).Outcome(rep); got != c.want {
			t.Errorf("a list of %q for %q: %q, want %q", c.list, c.run, got, c.want)
		}
	}
}

// TestKnownDeviations: they are told in a line, and skipped in JUnit.
func TestKnownDeviations(t *testing.T) {
	t.Parallel()
	rep := sample()
	rep.Results = rep.Results[:len(rep.Results)-1] // the harness error
	count(rep)
	list := "deviations:\n"
	for _, check := range []string{"port-octets", "reply-digits"} {
		list += "  - {check: " + check + ", verdict: fail, reason: \"it is\\n so \\e[1m\", reference: RFC 959}\n"
	}
	g := report.Gate{Baseline: baseline(t, list)}
	golden(t, "text-known.txt", text(t, report.Text{Gate: g}, rep))
	got, counts := cases(t, junit(t, rep, g))
	if got["ftpconform.direct.port/port-octets"] != "skipped" || got["ftpconform.baseline/stale"] != "passed" || counts["failures"] != "0" {
		t.Errorf("%v, %v", got, counts)
	}
	if verbose := text(t, report.Text{Gate: g, Verbose: true}, rep); !strings.Contains(verbose, "      known: it is so \\x1b[1m (RFC 959)\n") || !strings.Contains(verbose, "PORT 127,0,0,1,32,1") {
		t.Errorf("verbose:\n%s", verbose)
	}
}
