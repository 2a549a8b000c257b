package suites

import "slices"

// Verdict is the grade of a finding.
type Verdict string

// The verdicts. A result has the gravest verdict among its findings.
const (
	Pass          Verdict = "pass"
	Info          Verdict = "info"           // conforms, with a remark
	Warn          Verdict = "warn"           // a SHOULD is broken
	Fail          Verdict = "fail"           // a MUST is broken
	Unsupported   Verdict = "unsupported"    // the server does not offer it
	NotApplicable Verdict = "not-applicable" // the target's configuration rules it out
	Inconclusive  Verdict = "inconclusive"   // the environment prevented an answer
	NotRun        Verdict = "not-run"        // deselected or slow
	HarnessError  Verdict = "error"          // the harness itself is at fault
)

// Verdicts lists all verdicts in the order of a summary.
var Verdicts = []Verdict{Pass, Info, Warn, Fail, Unsupported, NotApplicable, Inconclusive, NotRun, HarnessError}

// gravity orders the verdicts that the findings of one check can have.
var gravity = []Verdict{Pass, Info, NotRun, NotApplicable, Unsupported, Inconclusive, Warn, Fail, HarnessError}

func graver(a, b Verdict) Verdict {
	if slices.Index(gravity, b) > slices.Index(gravity, a) {
		return b
	}
	return a
}

// Legend says what each verdict means, for reports.
func (v Verdict) Legend() string {
	return map[Verdict]string{
		Pass:          "the requirement is kept",
		Info:          "kept, with a deviation that the documents or common practice allow",
		Warn:          "a SHOULD is broken",
		Fail:          "a MUST is broken",
		Unsupported:   "the server does not offer the feature",
		NotApplicable: "the target's configuration rules the check out",
		Inconclusive:  "the environment or an earlier failure prevented an answer",
		NotRun:        "deselected, or slow",
		HarnessError:  "the harness itself is at fault",
	}[v]
}

// Finding is what a check concluded.
type Finding struct {
	Verdict Verdict `json:"verdict"`
	Message string  `json:"message"`
}
