package trials_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
	"github.com/ftpconform/ftpconform/reference"
	"github.com/ftpconform/ftpconform/suites"
)

// TestTargetGoesAway ends a correct server in the middle of a run: the report
// has to say so, keep what was found, and blame no requirement.
func TestTargetGoesAway(t *testing.T) {
	t.Parallel()
	l, err := host.OS{}.Listen(t.Context(), netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0))
	if err != nil {
		t.Fatal(err)
	}
	srv := reference.NewServer(reference.Options{DataTimeout: time.Second})
	served := make(chan error, 1)
	go func() { served <- srv.Serve(t.Context(), l) }()
	answers := 0
	rep, err := suites.Verify(t.Context(), suites.Config{Target: "ftp://user:pass@" + l.Addr().String() + "/", TimeoutScale: 0.1,
		DataTimeout: time.Second, Only: []string{"pasv"}, Progress: func(_, _ int, r suites.Result) {
			if r.Verdict != suites.NotRun {
				if answers++; answers == 4 {
					_ = srv.Close()
				}
			}
		}})
	<-served
	if err != nil {
		t.Fatal(err)
	}
	if rep.TargetLost == "" {
		t.Error("the report does not say that the target went away")
	}
	sound(t, rep, 4)
}

// TestInterruptBlamesNobody interrupts a run against a correct server: what is
// missing then proves nothing. It is not parallel: a simulated network waits
// until nothing else moves in the process.
func TestInterruptBlamesNobody(t *testing.T) {
	for name, cfg := range map[string]suites.Config{"simulated": {}, "loopback": {Loopback: true}} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			answers := 0
			cfg.Progress = func(_, _ int, r suites.Result) {
				if answers++; answers == 100 {
					cancel()
				}
			}
			rep, err := suites.Verify(ctx, cfg)
			if err != nil {
				t.Fatal(err)
			}
			if !rep.Interrupted {
				t.Error("the report does not say that the run was interrupted")
			}
			sound(t, rep, 30)
		})
	}
}

// sound holds that a report accounts for every check, blames none, and has
// kept some answers.
func sound(t *testing.T, rep *suites.Report, passed int) {
	t.Helper()
	told := map[string]bool{}
	for _, r := range rep.Results {
		told[r.Check] = true
	}
	if len(told) != len(suites.Checks()) {
		t.Errorf("results of %d checks, and there are %d", len(told), len(suites.Checks()))
	}
	if n := rep.Summary.ByVerdict[suites.Pass]; n < passed {
		t.Errorf("only %d results were kept", n)
	}
	for _, r := range rep.Results {
		if r.Verdict == suites.Fail || r.Verdict == suites.Warn || r.Verdict == suites.HarnessError {
			t.Errorf("%s %s: %s", r.Verdict, r.Check, r.Message)
		}
	}
}
