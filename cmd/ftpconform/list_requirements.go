package main

import (
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/suites"
)

// listedRequirement is a requirement in the output of list.
type listedRequirement struct {
	ID      string       `json:"id"`
	Level   suites.Level `json:"level"`
	Derived bool         `json:"derived"`
	Topic   string       `json:"topic"`
	Role    string       `json:"role"`
	Clause  string       `json:"clause"`
	Summary string       `json:"summary"`
	Checks  []string     `json:"checks"`
	// Untested says why there is no check.
	Untested string `json:"untested,omitempty"`
}

func (o *listOptions) listRequirements(cmd *cobra.Command) error {
	cfg := unknownServer()
	if err := o.apply(&cfg); err != nil {
		return err
	}
	if cfg.Level != "" && !slices.Contains(levels(), string(cfg.Level)) {
		return usagef("unknown level %q; the levels are MUST, SHOULD and MAY", o.level)
	}
	only, err := requirementFilters(cfg.Only)
	if err != nil {
		return err
	}
	skip, err := requirementFilters(cfg.Skip)
	if err != nil {
		return err
	}
	listed := []listedRequirement{}
	for _, r := range suites.LoadCatalogue().Requirements {
		matches := func(f requirementFilter) bool { return f(r) }
		switch {
		case len(only) > 0 && !slices.ContainsFunc(only, matches), slices.ContainsFunc(skip, matches):
			continue
		case cfg.Level != "" && slices.Index(levels(), string(r.Level)) > slices.Index(levels(), string(cfg.Level)):
			continue
		case o.slowGiven && o.slow != checkedSlowly(&cfg, r):
			continue
		}
		listed = append(listed, describe(r))
	}
	if len(listed) == 0 {
		return usagef("the selection leaves no requirement to list")
	}
	if o.json {
		return printJSON(cmd.OutOrStdout(), listed)
	}
	rows := [][]string{{"REQUIREMENT", "LEVEL", "TOPIC", "CLAUSE", "CHECKS"}}
	for _, l := range listed {
		checks := strings.Join(l.Checks, " ")
		if checks == "" {
			checks = "none: " + l.Untested
		}
		rows = append(rows, []string{l.ID, string(l.Level), l.Topic, l.Clause, checks})
	}
	return table(cmd.OutOrStdout(), screenOf(cmd.OutOrStdout()).Style, rows)
}

func describe(r suites.Requirement) listedRequirement {
	l := listedRequirement{ID: r.ID, Level: r.Level, Derived: r.Derived, Topic: r.Topic, Role: r.Role, Clause: r.Clause(), Summary: r.Summary, Checks: []string{}}
	for _, c := range suites.FindCheck(r.ID) {
		l.Checks = append(l.Checks, c.ID)
	}
	if len(l.Checks) == 0 {
		l.Untested = untested(r)
	}
	return l
}

// untested returns the stated reason why a requirement has no check.
func untested(r suites.Requirement) string {
	for _, u := range suites.LoadUntested() {
		if u.Covers(r) {
			return strings.Join(strings.Fields(u.Reason), " ")
		}
	}
	return "no reason is stated"
}

func checkedSlowly(cfg *suites.Config, r suites.Requirement) bool {
	return slices.ContainsFunc(suites.FindCheck(r.ID), func(c suites.Check) bool {
		_, slow := c.Slow(cfg)
		return slow
	})
}

// requirementFilter tells whether an entry of a selection means a requirement.
type requirementFilter func(suites.Requirement) bool

// requirementFilters reads entries as patterns over topics and ids of
// requirements, or as selections of checks, whose requirements they mean.
func requirementFilters(entries []string) ([]requirementFilter, error) {
	var out []requirementFilter
	for _, e := range entries {
		f := func(r suites.Requirement) bool {
			return slices.ContainsFunc([]string{r.Topic, r.ID}, func(name string) bool {
				ok, err := path.Match(strings.ToLower(e), strings.ToLower(name))
				return ok && err == nil
			})
		}
		if !slices.ContainsFunc(suites.LoadCatalogue().Requirements, f) {
			cfg := unknownServer()
			cfg.Only = []string{e}
			choices, err := suites.Choose(cfg)
			if err != nil {
				return nil, err
			}
			f = func(r suites.Requirement) bool {
				return slices.ContainsFunc(choices, func(c suites.Choice) bool {
					return c.Excluded == "" && slices.Contains(c.Check.Requirements, r.ID)
				})
			}
		}
		out = append(out, f)
	}
	return out, nil
}

// duration prints seconds; nothing for none.
func duration(seconds float64) string {
	if seconds == 0 {
		return "-"
	}
	return time.Duration(seconds * float64(time.Second)).String()
}
