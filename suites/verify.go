package suites

import (
	"testing"
)

// Run verifies the target from a Go test, one subtest for each check that is
// selected: broken MUSTs fail it, and so does a target that cannot be reached;
// checks without an answer are skipped with their reason.
func Run(t *testing.T, cfg Config) *Report {
	t.Helper()
	rep, err := Verify(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, res := range rep.Results {
		if res.Verdict == NotRun {
			continue
		}
		t.Run(res.Name(), func(t *testing.T) {
			switch res.Verdict {
			case Fail, HarnessError:
				t.Error(transcript(res))
			case Unsupported, NotApplicable, Inconclusive, NotRun:
				t.Skipf("%s: %s", res.Verdict, res.Message)
			case Pass:
			case Info, Warn:
				t.Logf("%s: %s", res.Verdict, res.Message)
			}
		})
	}
	if rep.TargetLost != "" {
		t.Errorf("the target went away during the run: %s", rep.TargetLost)
	}
	return rep
}
