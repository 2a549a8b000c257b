package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

// checkOptions are the flags of baseline check.
type checkOptions struct {
	gateOptions
	failOn         string
	quiet, verbose bool
}

func newBaselineCheck() *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check FILE RECORD",
		Short: "Compare a run with a list",
		Long: `Check prints how a run record compares with a baseline and ends with the exit code
that run --baseline would have given: 1 for deviations that are not listed, 5 for
a list that is not true any more.`,
		Example: `  ftpconform baseline check baseline.yaml run.json`,
		Args:    files("a baseline", "a run record"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.baseline = args[0]
			return o.check(cmd, args[1])
		},
	}
	o.numberFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.failOn, "fail-on", "must", "the `LEVEL` that makes the exit code 1: must, or should as well")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print the last line only")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "print the known deviations too")
	complete(cmd, "fail-on", words("must", "should"))
	return cmd
}

func (o *checkOptions) check(cmd *cobra.Command, record string) error {
	g := report.Gate{FailOn: suites.Level(strings.ToUpper(o.failOn))}
	if g.FailOn != suites.MUST && g.FailOn != suites.SHOULD {
		return usagef("--fail-on is %q; it must be must or should", o.failOn)
	}
	if o.quiet && o.verbose {
		return usagef("--quiet and --verbose exclude each other")
	}
	if err := o.gate(&g); err != nil {
		return err
	}
	rep, err := readRecord(record)
	if err != nil {
		return err
	}
	text := report.Text{Style: screenOf(cmd.OutOrStdout()).Style, Gate: g, Quiet: o.quiet, Verbose: o.verbose}
	if err := text.WriteComparison(cmd.OutOrStdout(), rep); err != nil {
		return err
	}
	return ended(g.Outcome(rep), rep)
}
