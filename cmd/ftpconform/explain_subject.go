package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ftpconform/ftpconform/suites"
)

// check explains a check.
func (e *explainer) check(c suites.Check) {
	e.heading("", c.ID)
	e.text(oneStep, c.Title)
	for _, id := range c.Requirements {
		if r, ok := suites.LoadCatalogue().Requirement(id); ok {
			e.line("")
			e.statement(r)
		}
	}
	if c.Why != "" {
		e.line("")
		e.heading(oneStep, "Why")
		e.text(twoSteps, c.Why)
	}
	if r, ok := suites.LoadCatalogue().Requirement(c.Requirements[0]); ok {
		e.tested(r)
	}
	e.items("Conforms", c.Conforms)
	e.items("Noted", c.Noted)
	e.items("Fails", c.Fails)
	e.places(c)
	faults := suites.KilledBy(c.ID)
	if len(faults) > 0 {
		e.line("")
		whose := "the reference server"
		if c.Role() == "nat" {
			whose = "a gateway"
		}
		e.heading(oneStep, "Broken by the faults of "+whose)
		e.text(twoSteps, strings.Join(faults, ", "))
	}
	if e.dialogue {
		e.dialogues(c, faults)
	}
}

// places tells in which networks a check holds, and who is judged.
func (e *explainer) places(c suites.Check) {
	names := make([]string, 0, len(c.Topologies()))
	for _, t := range c.Topologies() {
		names = append(names, string(t))
	}
	text := "the server, in " + strings.Join(names, ", ")
	if c.Role() == "nat" {
		text = "the gateway, in " + strings.Join(names, ", ")
	}
	if c.Network != nil {
		text += "; it may change the network for its purpose, with other addresses for example"
	}
	e.line("")
	e.heading(oneStep, "Judges")
	e.text(twoSteps, text)
}

// requirement explains a requirement and names its checks.
func (e *explainer) requirement(r suites.Requirement) {
	e.statement(r)
	e.tested(r)
	e.line("")
	checks := suites.FindCheck(r.ID)
	if len(checks) == 0 {
		e.heading(oneStep, "Not checked")
		e.text(twoSteps, untested(r))
		return
	}
	e.heading(oneStep, "Checked by")
	for _, c := range checks {
		e.text(twoSteps, fmt.Sprintf("%s: %s", c.ID, c.Title))
	}
	e.text(twoSteps, "next: ftpconform explain "+checks[0].ID)
}

// statement prints a requirement with its source and the conflicts around it.
func (e *explainer) statement(r suites.Requirement) {
	level := string(r.Level)
	if r.Derived {
		level += " (derived: the source is older than these words, or they are our reading)"
	}
	e.heading(oneStep, r.ID)
	e.text(twoSteps, r.Summary)
	source := fmt.Sprintf("%s, %s; binds the %s", level, r.Clause(), r.Role)
	if len(r.Refs) > 0 {
		source += "; see also " + strings.Join(r.Refs, ", ")
	}
	e.line(e.style.Faint(e.style.Wrap(twoSteps, source)))
	e.text(twoSteps, r.Notes)
	for _, id := range r.Conflicts {
		if c, ok := suites.LoadCatalogue().Conflict(id); ok {
			e.text(twoSteps, fmt.Sprintf("%s, %s: %s Position: %s", c.ID, c.Between, c.Issue, c.Position))
		}
	}
}

// tested prints how a requirement is tested.
func (e *explainer) tested(r suites.Requirement) {
	e.line("")
	e.heading(oneStep, "How it is tested")
	e.text(twoSteps, r.Test.Stimulus)
	if r.Test.Expect != "" {
		e.text(twoSteps, "Expected: "+r.Test.Expect)
	}
	if r.Test.Accept != "" {
		e.text(twoSteps, "Accepted: "+r.Test.Accept)
	}
}

// conflict explains a conflict position.
func (e *explainer) conflict(c suites.Conflict) {
	e.heading("", c.ID)
	e.text(oneStep, c.Between)
	e.line("")
	e.heading(oneStep, "Issue")
	e.text(twoSteps, c.Issue)
	e.line("")
	e.heading(oneStep, "Position of the checks")
	e.text(twoSteps, c.Position)
	var concerned, checks []string
	for _, r := range suites.LoadCatalogue().Requirements {
		if !slices.Contains(r.Conflicts, c.ID) {
			continue
		}
		concerned = append(concerned, r.ID)
		for _, check := range suites.FindCheck(r.ID) {
			if !slices.Contains(checks, check.ID) {
				checks = append(checks, check.ID)
			}
		}
	}
	e.items("Requirements", concerned)
	e.items("Checks", checks)
}

// verdict explains a word of the results.
func (e *explainer) verdict(v suites.Verdict) {
	e.line(e.style.Verdict(v, string(v)))
	e.text(oneStep, v.Legend())
	e.text(oneStep, map[suites.Verdict]string{
		suites.Pass:          "Exit code 0.",
		suites.Info:          "Exit code 0. What was noted stands with the result; in the strict profile (--strict) accepted deviations are graded as breaches.",
		suites.Warn:          "Exit code 0, and 1 with --fail-on should.",
		suites.Fail:          "Exit code 1.",
		suites.Unsupported:   "Exit code 0: the feature is optional. What is mandatory fails when it is missing.",
		suites.NotApplicable: "Exit code 0.",
		suites.Inconclusive:  "Exit code 0, but nothing is known about the requirement. The message says what to change so that it can be checked.",
		suites.NotRun:        "Exit code 0. The message says why: --only, --skip or --level left the check out, it is slow and --slow was not given, or the run was interrupted.",
		suites.HarnessError:  "Exit code 4. Please report it: the record (--report json=run.json) holds what is needed.",
	}[v])
}
