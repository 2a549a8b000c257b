package trials_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ftpconform/ftpconform/suites"
)

// TestLoopback runs the checks against the embedded server over sockets of the
// operating system, in real time. It is not parallel: its bounds are short.
func TestLoopback(t *testing.T) {
	rep, err := suites.Verify(t.Context(), suites.Config{Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, r := range rep.Results {
		switch r.Verdict {
		case suites.NotRun:
		case suites.Pass, suites.Info:
			ran++
		default:
			t.Errorf("%s: %s: %s", r.Name(), r.Verdict, r.Message)
		}
	}
	if ran < 120 {
		t.Errorf("only %d checks have run", ran)
	}
}

// TestSimulatedRunsAgree holds that a run in the simulated network is the same
// every time: every observation at its time.
func TestSimulatedRunsAgree(t *testing.T) {
	verify := func() *suites.Report {
		// An abort is a race by its nature: what of the file is on its way when
		// the server reads ABOR depends on which of its goroutines comes first.
		rep, err := suites.Verify(t.Context(), suites.Config{Only: []string{"port", "pasv", "epsv", "eprt", "replies"}, Skip: []string{"abor*"},
			Topologies: []suites.Topology{suites.Direct, suites.ClientNATALG}})
		if err != nil {
			t.Fatal(err)
		}
		return rep
	}
	first, second := verify(), verify()
	if diff := cmp.Diff(first, second, cmpopts.IgnoreFields(suites.Report{}, "Start", "DurationMS")); diff != "" {
		t.Errorf("two runs differ:\n%s", diff)
	}
}
