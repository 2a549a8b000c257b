package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

// dialogueLines is the number of events shown of each dialogue.
const dialogueLines = 16

// dialogueBound is how long an example may take; the checks wait for seconds
// at most against the embedded server.
const dialogueBound = 90 * time.Second

// dialogues plays a check with the reference server, and with a fault that it
// catches. Where that does not work the explanation goes on without.
func (e *explainer) dialogues(c suites.Check, faults []string) {
	_ = e.w.Flush() // playing takes a while; an error shows up at the next flush
	where := c.Topologies()
	if len(faults) == 0 {
		good, err := e.example(c, where[:1], "", false)
		e.show("Dialogue with the reference server", good, err)
		return
	}
	// The network in which the fault shows is the one to be told about.
	bad, err := e.example(c, where, faults[0], false)
	profile, flag := "", ""
	if err == nil && bad.Verdict != suites.Fail && bad.Verdict != suites.Warn {
		// Some deviations are accepted, and graded in the strict profile only.
		profile, flag = ", in the strict profile", " --strict"
		bad, err = e.example(c, where, faults[0], true)
	}
	if err == nil {
		where = []suites.Topology{bad.Topology}
	}
	good, gerr := e.example(c, where[:1], "", false)
	if e.ctx.Err() != nil {
		return
	}
	e.show("Dialogue with the reference server"+place(good), good, gerr)
	e.show("Dialogue with the fault "+faults[0]+place(bad)+profile, bad, err)
	e.line("")
	e.heading(oneStep, "Try it")
	if bad.Topology != suites.Direct {
		e.text(twoSteps, "ftpconform run --fault "+faults[0]+" --topology "+string(bad.Topology)+" --only "+c.ID+flag)
		return
	}
	e.text(twoSteps, "ftpconform serve --fault "+faults[0])
	e.text(twoSteps, "ftpconform run ftp://user:pass@127.0.0.1:2121/ --only "+c.ID+flag)
}

// place names the network of a dialogue where it is not the plain one.
func place(r suites.Result) string {
	if r.Topology == suites.Direct || r.Topology == "" {
		return ""
	}
	return " in " + string(r.Topology)
}

// show prints the decisive part of a dialogue that was played.
func (e *explainer) show(name string, r suites.Result, err error) {
	e.line("")
	e.heading(oneStep, name)
	if err != nil {
		e.text(twoSteps, "It could not be played: "+oneLine(err.Error()))
		return
	}
	e.line(twoSteps + e.style.Verdict(r.Verdict, string(r.Verdict)))
	if r.Verdict != suites.Pass {
		e.text(twoSteps, report.Printable(r.Message))
	}
	report.Text{Style: e.style}.Excerpt(e.w, twoSteps, report.Decisive(r, dialogueLines))
	_ = e.w.Flush()
}

// example runs one check against the embedded server, in some networks, and
// returns the first result that is broken, or the first of all.
func (e *explainer) example(c suites.Check, where []suites.Topology, fault string, strict bool) (suites.Result, error) {
	ctx, cancel := context.WithTimeout(e.ctx, dialogueBound)
	defer cancel()
	cfg := suites.Config{Only: []string{c.ID}, Topologies: where, Strict: strict}
	if fault != "" {
		if _, err := cfg.Deviate(fault); err != nil {
			return suites.Result{}, err
		}
	}
	rep, err := suites.Verify(ctx, cfg)
	if err != nil {
		return suites.Result{}, err
	}
	var first suites.Result
	for _, r := range rep.Results {
		switch {
		case r.Check != c.ID || r.Verdict == suites.NotRun:
		case r.Verdict == suites.Fail || r.Verdict == suites.Warn:
			return r, nil
		case first.Check == "":
			first = r
		}
	}
	if first.Check != "" {
		return first, nil
	}
	if err := context.Cause(ctx); err != nil {
		return suites.Result{}, fmt.Errorf("the check was cut off: %w", err)
	}
	return suites.Result{}, errors.New("the check did not run")
}
