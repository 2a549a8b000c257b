// Package report draws from the run record what people and programs read: the
// record itself as JSON with its schema, JUnit XML, and text for a terminal or
// a log. Nothing here judges a server; the one question that is answered is
// whether a run as a whole passes the gate that was asked for.
//
// A server chooses much of what stands in a record. Text leaves this package
// printable: no control character of a server reaches a terminal, and XML is
// well-formed whatever octets were seen.
//
// Functions that write do so to a writer or a named file, and to nothing else;
// they may be called from several goroutines as long as the record is not
// changed meanwhile. Progress may be told of results from several goroutines.
package report

import (
	"time"

	"github.com/ftpconform/ftpconform/suites"
)

// Gate says what makes a run fail. The zero value lets no MUST be broken.
type Gate struct {
	// FailOn is the weakest level whose breach counts: MUST or SHOULD. The
	// empty default is MUST.
	FailOn suites.Level
	// Baseline, if set, lists the deviations that are known, which do not make
	// the run fail; it does fail when the list is not true any more.
	Baseline *Baseline
	// MinChecks is how many checks must give an answer.
	MinChecks int
	// Previous, if set, is an earlier run; as many checks must give an answer as
	// gave one then.
	Previous *suites.Report
	// Now is the time at which entries of the baseline expire; the zero value
	// is the start of the run.
	Now time.Time
}

// Breaks reports whether a result of this verdict makes the run fail, unless it
// is known. A harness error does not: it says nothing about the server.
func (g Gate) Breaks(v suites.Verdict) bool {
	return v == suites.Fail || v == suites.Warn && g.FailOn == suites.SHOULD
}

// guarded reports whether more is asked for than FailOn.
func (g Gate) guarded() bool { return g.Baseline != nil || g.MinChecks > 0 || g.Previous != nil }

// Outcome is what a run as a whole came to.
type Outcome string

// The outcomes, gravest first: an interrupted run says nothing about what it
// left out, and a harness error casts doubt on everything.
const (
	Interrupted Outcome = "interrupted"
	// Lost says that the target went away during the run.
	Lost   Outcome = "target lost"
	Errors Outcome = "harness error"
	Broken Outcome = "does not conform"
	// Stale says that nothing unknown is broken, and that the baseline, or the
	// number of answers that was asked for, does not fit the run.
	Stale Outcome = "baseline stale"
	// Undecided says that no check has an answer, so that nothing is known of the
	// target.
	Undecided Outcome = "nothing was judged"
	Conforms  Outcome = "conforms"
)

// Outcome grades a run.
func (g Gate) Outcome(rep *suites.Report) Outcome {
	switch {
	case rep.Interrupted:
		return Interrupted
	case rep.TargetLost != "":
		return Lost
	case rep.Summary.ByVerdict[suites.HarnessError] > 0:
		return Errors
	}
	switch c := g.Compare(rep); {
	case c.broken():
		return Broken
	case c.stale():
		return Stale
	case Answers(rep) == 0:
		return Undecided
	}
	return Conforms
}
