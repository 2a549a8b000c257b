package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/report"
)

// gateOptions are the flags that say what a run is held against, beyond the
// level that breaks it.
type gateOptions struct {
	baseline, previous string
	minChecks          int
}

// numberFlags adds those that need no list to a command.
func (o *gateOptions) numberFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVar(&o.minChecks, "min-checks", 0, "fail when fewer than `N` checks give an answer")
	f.StringVar(&o.previous, "previous", "", "fail when fewer checks give an answer than in the run record `FILE`")
}

// gateFlags adds all of them.
func (o *gateOptions) gateFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.baseline, "baseline", "", "the known deviations, which do not make the run fail: a `FILE` of ftpconform baseline")
	o.numberFlags(cmd)
}

// gate reads the files and puts everything into a gate; all errors are mistakes
// of usage.
func (o *gateOptions) gate(g *report.Gate) (err error) {
	if o.minChecks < 0 {
		return usagef("--min-checks is %d; it must be at least 1, or left out", o.minChecks)
	}
	g.MinChecks, g.Now = o.minChecks, time.Now()
	if o.baseline != "" {
		if g.Baseline, err = report.ReadBaseline(o.baseline); err != nil {
			return usagef("%w", err)
		}
	}
	if o.previous != "" {
		if g.Previous, err = report.ReadFile(o.previous); err != nil {
			return usagef("--previous %s: %w", o.previous, err)
		}
	}
	return nil
}
