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
	"github.com/ftpconform/ftpconform/suites"
)

// Gate says which verdicts make a run fail.
type Gate struct {
	// FailOn is the weakest level whose breach counts: MUST or SHOULD. The
	// empty default is MUST.
	FailOn suites.Level
}

// Breaks reports whether a result of this verdict makes the run fail. A
// harness error does not: it says nothing about the server.
func (g Gate) Breaks(v suites.Verdict) bool {
	return v == suites.Fail || v == suites.Warn && g.FailOn == suites.SHOULD
}

// Outcome is what a run as a whole came to.
type Outcome string

// The outcomes, gravest first: an interrupted run says nothing about what it
// left out, and a harness error casts doubt on everything.
const (
	Interrupted Outcome = "interrupted"
	Errors      Outcome = "harness error"
	Broken      Outcome = "does not conform"
	Conforms    Outcome = "conforms"
	// Lost says that the target went away during the run.
	Lost Outcome = "target lost"
	// Undecided says that no check has an answer, so that nothing is known of the
	// target.
	Undecided Outcome = "nothing was judged"
)

// Outcome grades a run.
func (g Gate) Outcome(rep *suites.Report) Outcome {
	out, n := Conforms, rep.Summary.ByVerdict
	switch {
	case n[suites.HarnessError] > 0:
		out = Errors
	case n[suites.Fail] > 0 && g.Breaks(suites.Fail) || n[suites.Warn] > 0 && g.Breaks(suites.Warn):
		out = Broken
	case n[suites.Pass]+n[suites.Info]+n[suites.Warn]+n[suites.Fail] == 0:
		out = Undecided
	}
	switch {
	case rep.Interrupted:
		return Interrupted
	case rep.TargetLost != "":
		return Lost
	}
	return out
}
