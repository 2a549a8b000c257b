package report_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; make it with go test ./report -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got), accept it with -update:\n%s", file, diff)
	}
}

// hostile is text with everything that a terminal or XML cannot bear.
const hostile = "bad \x1b[31mred\x1b[0m \x00\xff\u202e ]]> <&\"' \r\n\tend"

// sample is a record with every verdict, hostile texts, and an invariant that
// was broken during another check.
func sample() *suites.Report {
	event := func(at float64, side, kind, conn, text string) suites.Observation {
		return suites.Observation{Time: at, Side: side, Event: kind, Connection: conn, Text: text}
	}
	login := []suites.Observation{
		event(0, "client", "dial", "control", "127.0.0.1:2121"), event(0.001, "server", "connected", "control", "127.0.0.1:4000 to 127.0.0.1:2121"),
		event(0.002, "server", "receive", "control", "220 ready"), event(0.003, "client", "send", "control", "USER user"),
		event(0.004, "server", "receive", "control", "331 password"), event(0.005, "client", "send", "control", "PASS ****"),
		event(0.006, "server", "receive", "control", "230 in"), event(0.007, "client", "send", "control", "TYPE I"),
		event(0.008, "server", "receive", "control", "200 binary"),
	}
	result := func(check, topic, requirement string, level suites.Level, v suites.Verdict, message string, more ...suites.Observation) suites.Result {
		r := suites.Result{Check: check, Title: "The title of " + check, Topic: topic, Requirements: []string{requirement}, Level: level, Topology: suites.Direct,
			Verdict: v, Message: message, DurationMS: 12, Findings: []suites.Finding{}, Events: append(login[:len(login):len(login)], more...)}
		if v != suites.Pass && v != suites.NotRun {
			r.Findings = append(r.Findings, suites.Finding{Verdict: v, Message: message})
		}
		return r
	}
	failed := result("port-octets", "port", "FTP-PORT-002", suites.MUST, suites.Fail, "no connection came; the server said "+hostile,
		event(0.010, "client", "send", "control", "PORT 127,0,0,1,32,1"), event(0.011, "server", "receive", "control", "425 no"),
		event(0.012, "harness", "note", "", "fail: no connection came"), event(0.013, "client", "close", "control", ""))
	failed.Findings = append(failed.Findings, suites.Finding{Verdict: suites.Info, Message: "also seen"})
	within := result("pasv-works", "pasv", "FTP-PASV-010", suites.MUST, suites.Pass, "The title of pasv-works",
		event(0.020, "client", "send", "control", "NOOP"), event(0.021, "server", "receive", "control", "290 odd"))
	within.Violations = []suites.Violation{{Check: "reply-digits", Message: `NOOP was answered "290 odd"`, Within: "pasv-works"}}
	skipped := func(check string, v suites.Verdict, message string) suites.Result {
		r := result(check, "pasv", "FTP-PASV-001", suites.SHOULD, v, message)
		r.Events, r.Findings, r.DurationMS = []suites.Observation{}, []suites.Finding{}, 0
		return r
	}
	rep := &suites.Report{Schema: suites.Schema, Tool: suites.Tool{Name: "ftpconform", Version: "1.2.3", Go: "go1.26"},
		Catalogue: suites.Edition{Version: 1, SHA256: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
		Target: suites.TargetFacts{Address: "ftp://user@127.0.0.1:2121/", Faults: []string{"PORTSwapsOctets"},
			Banner: "Welcome " + hostile, SYST: "UNIX Type: L8", FEAT: []string{"EPSV", "MLST size*;"}},
		Topologies: []suites.Topology{suites.Direct}, Start: time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC), DurationMS: 4567,
		Results: []suites.Result{
			result("port-works", "port", "FTP-PORT-001", suites.MUST, suites.Pass, "The title of port-works", event(0.010, "client", "send", "control", "NOOP")),
			failed,
			result("port-source-port", "port", "FTP-PORT-008", suites.MUST, suites.Info, "the data connection came from port 4711"),
			within,
			result("pasv-parentheses", "pasv", "FTP-PASV-003", suites.SHOULD, suites.Warn, "no parentheses"),
			skipped("pasv-a", suites.Unsupported, "EPSV is not offered: 500 no"),
			skipped("pasv-b", suites.Inconclusive, "needs a second address: --stranger-addr"),
			skipped("pasv-c", suites.Inconclusive, "needs a second address: --stranger-addr"),
			skipped("pasv-d", suites.NotApplicable, "the target is configured passive-only"),
			skipped("pasv-e", suites.NotRun, "slow: it may have to wait 3m0s"),
			skipped("pasv-f", suites.NotRun, "deselected: not among --only"),
			result("reply-digits", "replies", "FTP-REPLY-001", suites.MUST, suites.Fail, `NOOP was answered "290 odd" (seen during pasv-works)`),
			result("reply-broken", "replies", "FTP-REPLY-002", suites.MUST, suites.HarnessError, "the check panicked: boom\ngoroutine 1 [running]:\nmain.main()"),
		}}
	count(rep)
	return rep
}

// count fills in the summary.
func count(rep *suites.Report) {
	s := suites.Summary{Total: len(rep.Results), ByVerdict: map[suites.Verdict]int{}, ByLevel: map[suites.Level]map[suites.Verdict]int{}}
	for _, r := range rep.Results {
		s.ByVerdict[r.Verdict]++
		if s.ByLevel[r.Level] == nil {
			s.ByLevel[r.Level] = map[suites.Verdict]int{}
		}
		s.ByLevel[r.Level][r.Verdict]++
	}
	rep.Summary = s
}

// only is a record of the sample's results with these verdicts.
func only(verdicts ...suites.Verdict) *suites.Report {
	rep := sample()
	var keep []suites.Result
	for _, r := range rep.Results {
		for _, v := range verdicts {
			if r.Verdict == v {
				keep = append(keep, r)
			}
		}
	}
	rep.Results = keep
	count(rep)
	return rep
}

func TestOutcome(t *testing.T) {
	t.Parallel()
	interrupted := only(suites.Pass, suites.Fail, suites.HarnessError)
	interrupted.Interrupted = true
	for _, c := range []struct {
		name string
		rep  *suites.Report
		gate report.Gate
		want report.Outcome
	}{
		{"all is well", only(suites.Pass, suites.Info, suites.NotRun, suites.Inconclusive, suites.Unsupported, suites.NotApplicable), report.Gate{}, report.Conforms},
		{"a should is broken", only(suites.Pass, suites.Warn), report.Gate{}, report.Conforms},
		{"a should is broken and counts", only(suites.Pass, suites.Warn), report.Gate{FailOn: suites.SHOULD}, report.Broken},
		{"a must is broken", only(suites.Pass, suites.Fail), report.Gate{FailOn: suites.MUST}, report.Broken},
		{"the harness failed too", only(suites.Fail, suites.HarnessError), report.Gate{}, report.Errors},
		{"no check has an answer", only(suites.NotRun, suites.Inconclusive, suites.Unsupported, suites.NotApplicable), report.Gate{}, report.Undecided},
		{"interrupted", interrupted, report.Gate{}, report.Interrupted},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := c.gate.Outcome(c.rep); got != c.want {
				t.Errorf("the outcome is %q, want %q", got, c.want)
			}
		})
	}
}
