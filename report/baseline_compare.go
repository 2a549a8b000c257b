package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ftpconform/ftpconform/suites"
)

// Match is a result and the entry of the baseline that is about it.
type Match struct {
	Result suites.Result
	Entry  *Entry
}

// Comparison is what a gate makes of a run.
type Comparison struct {
	// OtherServer says that the list is about another server than the run.
	OtherServer string
	// Excused are the deviations that are listed as they are.
	Excused []Match
	// Unlisted are those that make the run fail and are not listed, or are more
	// than the maximum of the entry.
	Unlisted []Match
	// OtherMessage are those that are listed with another verdict or message.
	OtherMessage []Match
	// Stale are entries about something that does not deviate any more, or is
	// only warn and listed as fail; NotRun those whose check gave no answer. The
	// result is one of those that the entry is about, if there are any.
	Stale, NotRun []Match
	// Expired are entries whose last day is over, with a deviation that is not
	// excused because of that.
	Expired []Match
	// Unmatched are entries about nothing that is in the record.
	Unmatched []*Entry
	// TooFew says that fewer checks gave an answer than was asked for.
	TooFew []string
	// Notes are what else a reader should know; they do not matter to the gate.
	Notes []string

	gate Gate
}

// broken reports whether there is a deviation that is not known.
func (c *Comparison) broken() bool {
	return len(c.Unlisted) > 0 || slices.ContainsFunc(c.OtherMessage, func(m Match) bool { return c.gate.Breaks(m.Result.Verdict) })
}

// stale reports whether something is wrong with the baseline, or with the
// number of answers.
func (c *Comparison) stale() bool {
	return c.OtherServer != "" || len(c.OtherMessage)+len(c.Stale)+len(c.NotRun)+len(c.Expired)+len(c.Unmatched)+len(c.TooFew) > 0
}

// excuse returns the entry that excuses a result, nil if there is none.
func (c *Comparison) excuse(r suites.Result) *Entry {
	for _, m := range c.Excused {
		if m.Result.Check == r.Check && m.Result.Topology == r.Topology {
			return m.Entry
		}
	}
	return nil
}

// Compare holds a run against the baseline and the numbers of the gate.
//
// The most specific entry about a result decides about it: one of a check
// before one of a requirement before a glob, and one with a topology before one
// without. An entry about a topology that the run did not have is passed over.
// Harness errors are excused by nothing.
func (g Gate) Compare(rep *suites.Report) *Comparison {
	c := &Comparison{gate: g}
	if c.gate.Now.IsZero() {
		c.gate.Now = rep.Start
	}
	b := g.Baseline
	if b == nil {
		b = &Baseline{}
	}
	tallies := make([]entryTally, len(b.Entries))
	for i := range tallies {
		tallies[i].entry = &b.Entries[i]
	}
	for _, r := range rep.Results {
		c.result(tallies, r, took(rep, r.Topology))
	}
	absent := 0
	for i := range tallies {
		t := &tallies[i]
		switch here := t.entry.In == "" || took(rep, t.entry.In); {
		case !here || t.about > 0 && t.present == 0:
			absent++
		case t.about == 0:
			c.Unmatched = append(c.Unmatched, t.entry)
		default:
			c.entry(t)
		}
	}
	if absent > 0 {
		c.notef("%s about topologies that this run did not have", are(absent, "entry is", "entries are"))
	}
	c.answers(rep)
	if g.Baseline != nil {
		c.facts(rep)
	}
	return c
}

// entryTally is what has been seen of one entry.
type entryTally struct {
	entry *Entry
	// about counts the results that are meant, present those in topologies of
	// the run.
	about, present int
	// own are those of them about which no entry is more specific.
	own []suites.Result
	// used counts those that deviate as listed; late is one that is not excused
	// because the entry has expired.
	used int
	late suites.Result
	// told says that the entry is in a list already.
	told bool
}

// room reports whether the entry can be about one more result that deviates as
// listed.
func (t *entryTally) room() bool { return t.entry.Max == 0 || t.used < t.entry.Max }

// excuses reports whether a result deviates as listed, and there is room for it.
func (t *entryTally) excuses(r suites.Result) bool { return t.entry.fits(r) && t.room() }

// result finds the entry about a result and what it makes of it.
func (c *Comparison) result(tallies []entryTally, r suites.Result, present bool) {
	var best *entryTally
	for i := range tallies {
		t := &tallies[i]
		if !t.entry.about(r) {
			continue
		}
		t.about++
		if !present {
			continue
		}
		t.present++
		// Among equals the first that excuses it.
		if best == nil || t.entry.rank() > best.entry.rank() || t.entry.rank() == best.entry.rank() && t.excuses(r) && !best.excuses(r) {
			best = t
		}
	}
	if best != nil {
		best.own = append(best.own, r)
	}
	if deviates(r.Verdict) {
		c.deviation(best, r)
	}
}

func (c *Comparison) deviation(t *entryTally, r suites.Result) {
	switch {
	case t == nil || !t.entry.fits(r) && t.entry.group():
		c.unlisted(Match{Result: r})
	case t.entry.fits(r) && !t.room():
		c.unlisted(Match{r, t.entry})
	case t.entry.fits(r):
		t.used++
		if t.entry.expired(c.gate.Now) {
			t.late = r
			return
		}
		c.Excused = append(c.Excused, Match{r, t.entry})
	case t.entry.Verdict == suites.Fail && r.Verdict == suites.Warn:
		t.told = true
		c.Stale = append(c.Stale, Match{r, t.entry})
	default:
		t.told = true
		c.OtherMessage = append(c.OtherMessage, Match{r, t.entry})
	}
}

func (c *Comparison) unlisted(m Match) {
	if c.gate.Breaks(m.Result.Verdict) {
		c.Unlisted = append(c.Unlisted, m)
	}
}

// entry says what has become of an entry that is about results of the run.
func (c *Comparison) entry(t *entryTally) {
	expired := t.entry.expired(c.gate.Now)
	find := func(is func(suites.Verdict) bool) int {
		return slices.IndexFunc(t.own, func(r suites.Result) bool { return is(r.Verdict) })
	}
	conforming := find(func(v suites.Verdict) bool { return v == suites.Pass || v == suites.Info })
	silent := find(func(v suites.Verdict) bool { return !answered(v) && v != suites.HarnessError })
	switch {
	case t.used > 0 || t.told:
		if expired {
			c.Expired = append(c.Expired, Match{t.late, t.entry})
		}
		if conforming >= 0 && !t.entry.group() {
			c.notef("%s conforms, and %s is listed for any topology; name the right ones with in", t.own[conforming].Name(), t.entry.Name())
		}
	case len(t.own) == 0: // more specific entries leave nothing to it
		c.Stale = append(c.Stale, Match{Entry: t.entry})
	case find(func(v suites.Verdict) bool { return v == suites.HarnessError }) >= 0: // nobody knows
	case silent >= 0 && (conforming < 0 || !t.entry.group()) && find(deviates) < 0:
		c.NotRun = append(c.NotRun, Match{t.own[silent], t.entry})
	case t.entry.Sometimes && !expired:
		c.notef("%s has not deviated this time; it does sometimes", t.entry.Name())
	default:
		c.Stale = append(c.Stale, Match{t.own[max(conforming, 0)], t.entry})
	}
}

// answers compares the number of answers with what is asked for.
func (c *Comparison) answers(rep *suites.Report) {
	n := Answers(rep)
	few := func(least int, whose string, then []suites.Topology) {
		switch {
		case least <= n:
		case len(then) > 0 && !sameTopologies(then, rep.Topologies):
			c.notef("the number of answers, %d, is not compared with that of %s, %d: the topologies are others", n, whose, least)
		default:
			c.TooFew = append(c.TooFew, fmt.Sprintf("only %s an answer; %s has %d", are(n, "check gave", "checks gave"), whose, least))
		}
	}
	few(c.gate.MinChecks, "what is asked for", nil)
	if b := c.gate.Baseline; b != nil {
		few(b.Checks, "the baseline", b.Topologies)
	}
	if p := c.gate.Previous; p != nil {
		few(Answers(p), "the previous run", p.Topologies)
	}
}

// facts compares the facts of the list with those of the run, and notes what a
// reader of it should know.
func (c *Comparison) facts(rep *suites.Report) {
	b := c.gate.Baseline
	version := b.Version
	if now := serverName(rep); b.Server != "" && now != "" && !strings.EqualFold(b.Server, now) {
		c.OtherServer = fmt.Sprintf("the list is about %s, and this is %s", squeeze(b.Server), now)
		version = "" // which is that of something else
	}
	for _, f := range []struct{ what, then, now string }{{"version", version, serverVersion(rep)}, {"ftpconform", b.Tool, rep.Tool.Version}} {
		if f.then != "" && f.now != "" && f.then != f.now {
			c.notef("the baseline was reviewed with %s %s, and this is %s", f.what, f.then, f.now)
		}
	}
	n := 0
	for _, e := range b.Entries {
		if !e.reviewed() {
			n++
		}
	}
	if n > 0 {
		c.notef("%s not reviewed yet: give the reason in words", are(n, "entry is", "entries are"))
	}
}

func (c *Comparison) notef(format string, args ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
}

// are counts things with a verb.
func are(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
