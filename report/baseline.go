package report

import (
	"path"
	"slices"
	"strings"
	"time"

	"github.com/ftpconform/ftpconform/suites"
)

// Baseline is the reviewed list of the known deviations of a target; see
// docs/baseline.md. Its facts are those of the run that was reviewed, zero
// where they are not written down.
type Baseline struct {
	// Path is the file that it was read from.
	Path string
	// Server and Version are what was judged, Tool the version of ftpconform.
	Server, Version, Tool string
	// Checks is how many checks gave an answer, in Topologies.
	Checks     int
	Topologies []suites.Topology
	Entries    []Entry
}

// Entry is a known deviation, or several of one kind.
type Entry struct {
	// Check is the id of a check, or Requirement that of a requirement, either
	// case-blind and perhaps a glob; the other one is empty.
	Check, Requirement string
	// In is the only topology that is meant; empty is any.
	In suites.Topology
	// Max is how many results of a group may be excused; 0 is any number.
	Max     int
	Verdict suites.Verdict
	// Sometimes says that the deviation does not show every time, as what
	// depends on a race: that it conforms is no news.
	Sometimes bool
	// Message is how the message of the result begins. Ellipses in it stand for
	// what changes from run to run; empty is any message.
	Message           string
	Reason, Reference string
	// Expires is the last day of the entry, at 0:00 UTC; zero is never.
	Expires time.Time
	// Line is where the entry begins in the file.
	Line int
}

// NotReviewed is the reason of an entry that a program wrote and nobody has
// looked at. An entry counts as not reviewed as long as its reason begins so.
const NotReviewed = "not reviewed yet"

// reviewed reports whether somebody has looked at the entry.
func (e *Entry) reviewed() bool { return !strings.HasPrefix(squeeze(e.Reason), NotReviewed) }

// Name is what the entry is about.
func (e *Entry) Name() string {
	name := e.Check + e.Requirement
	if e.In != "" {
		name += " in " + string(e.In)
	}
	return name
}

// group reports whether the entry is about several checks, or may be.
func (e *Entry) group() bool { return e.Requirement != "" || isGlob(e.Check) }

func isGlob(s string) bool { return strings.ContainsAny(s, `*?[\`) }

// rank orders the entries about one result; that of the highest rank decides.
func (e *Entry) rank() int {
	rank := 0
	switch {
	case isGlob(e.Check + e.Requirement):
	case e.Requirement != "":
		rank = 2
	default:
		rank = 4
	}
	if e.In != "" {
		rank++
	}
	return rank
}

// about reports whether a result, whatever its verdict, is one of those that
// are meant.
func (e *Entry) about(r suites.Result) bool {
	if e.In != "" && e.In != r.Topology {
		return false
	}
	if e.Check != "" {
		return globbed(e.Check, r.Check)
	}
	return slices.ContainsFunc(r.Requirements, func(id string) bool { return globbed(e.Requirement, id) })
}

func globbed(glob, id string) bool {
	ok, err := path.Match(strings.ToLower(glob), strings.ToLower(id))
	return ok && err == nil
}

// fits reports whether a result about which the entry is deviates as listed.
func (e *Entry) fits(r suites.Result) bool {
	return e.Verdict == r.Verdict && fitsMessage(e.Message, r.Message)
}

// expired reports whether the last day of the entry is over.
func (e *Entry) expired(now time.Time) bool {
	return !e.Expires.IsZero() && !now.UTC().Before(e.Expires.AddDate(0, 0, 1))
}

// known is the reason of the entry in a line, with its reference.
func (e *Entry) known() string {
	text := "known: " + squeeze(e.Reason)
	if e.Reference != "" {
		text += " (" + squeeze(e.Reference) + ")"
	}
	return Printable(text)
}

// Answers counts the results that say whether the target keeps a requirement.
func Answers(rep *suites.Report) int {
	n := 0
	for _, r := range rep.Results {
		if answered(r.Verdict) {
			n++
		}
	}
	return n
}

func answered(v suites.Verdict) bool {
	return v == suites.Pass || v == suites.Info || deviates(v)
}

func deviates(v suites.Verdict) bool { return v == suites.Warn || v == suites.Fail }

// took reports whether a run had a topology. Checks that hold in none of the
// run's have a result in another one, which says only that they did not run.
func took(rep *suites.Report, t suites.Topology) bool {
	return len(rep.Topologies) == 0 || slices.Contains(rep.Topologies, t)
}

// sameTopologies compares them in any order.
func sameTopologies(a, b []suites.Topology) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// serverName and serverVersion are what is known of the server beyond what it
// says of itself; empty where nothing is.
func serverName(rep *suites.Report) string {
	if s := rep.Target.Server; s != nil {
		return s.Name
	}
	return ""
}

func serverVersion(rep *suites.Report) string {
	if s := rep.Target.Server; s != nil {
		return s.Version
	}
	return ""
}
