package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/reference"
	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

func newRun() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run [TARGET]",
		Short: "Check a server; without a target, the reference server inside this program",
		Long: `Run checks the server ftp://user:password@host:port/dir and prints what it found:
counts, then each broken requirement with its clause and the dialogue that
proves it. Files are stored in, and removed from, a directory of their own below
the target's. Write / ? # @ % in user and password as %2F %3F %23 %40 %25.

Results go to the standard output, progress to the standard error. A report with
the path - takes the standard output for itself. In a step of GitHub Actions the
results are annotations as well, and the summary of the job.`,
		Example: `  ftpconform run
  ftpconform run ftp://user:password@192.0.2.7/upload --only pasv,epsv
  ftpconform run ftp://192.0.2.7/ --active=false --report junit=junit.xml --report json=run.json
  ftpconform run --fault EagerDial --only 'topic:port && level:MUST'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("run takes one target, and there are %d arguments", len(args))
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	o.flags(cmd)
	return cmd
}

// run checks everything that can be checked without the target, runs, and
// reports.
func (o *runOptions) run(cmd *cobra.Command, args []string) error {
	plan, err := o.plan(cmd.Context(), args)
	if err != nil {
		return err
	}
	out, errs := cmd.OutOrStdout(), cmd.ErrOrStderr()
	people := out
	if plan.takesStdout() {
		people = errs
	}
	ci := onGitHub()
	resume := ci.quote(people)
	defer resume()
	rep, err := plan.verify(cmd.Context(), errs)
	if err != nil {
		if cmd.Context().Err() != nil {
			err = &exitError{exitInterrupted, errors.New("interrupted before the first check; there is nothing to report")}
		}
		resume()
		return ci.fail(people, errs, err, hider(args))
	}
	// The files first: they matter to others, and printing can be cut short.
	problem := plan.writeReports(out, rep)
	text := report.Text{Style: screenOf(people).Style, Gate: plan.gate, Quiet: o.quiet, Verbose: o.verbose}
	problem = errors.Join(problem, text.Write(people, rep))
	resume()
	problem = errors.Join(problem, ci.tell(people, errs,
		func(w io.Writer) error { return report.WriteAnnotations(w, rep, plan.gate) },
		func(w io.Writer, room int) error { return report.WriteSummary(w, rep, plan.gate, room) }))
	if problem != nil {
		return told(&exitError{exitHarness, problem})
	}
	return told(ended(plan.gate.Outcome(rep), rep))
}

// ended is how a command ends when a run came to an outcome.
func ended(o report.Outcome, rep *suites.Report) error {
	switch code := codeOf(o); {
	case code == exitConforms:
		return nil
	case o == report.Lost:
		return &exitError{code, fmt.Errorf("the target went away during the run: %s; what was found before stands", rep.TargetLost)}
	case o == report.Undecided:
		return undecided(rep)
	default:
		return &exitError{code: code}
	}
}

// codeOf is the exit code of an outcome.
func codeOf(o report.Outcome) int {
	switch o {
	case report.Interrupted:
		return exitInterrupted
	case report.Lost:
		return exitUnreachable
	case report.Errors:
		return exitHarness
	case report.Broken:
		return exitBroken
	case report.Stale, report.Undecided:
		return exitStale
	case report.Conforms:
	}
	return exitConforms
}

// verify runs the checks and shows the progress on the standard error.
func (p *plan) verify(ctx context.Context, errs io.Writer) (*suites.Report, error) {
	at := screenOf(errs)
	announceFaults(errs, at.Style, "The reference server", reference.FaultNames(), p.cfg.Faults.Names())
	announceFaults(errs, at.Style, "The gateway", netsim.FaultNames(), p.cfg.NetFaults.Names())
	announce := func(string) {}
	if !p.quiet {
		progress := &report.Progress{W: errs, Style: at.Style, Live: at.live, Columns: at.columns}
		progress.Start(p.checks)
		defer progress.Stop()
		p.cfg.Progress, announce = progress.Result, progress.Say
	}
	if p.fleet != nil {
		return p.fleet.verify(ctx, p.cfg, announce)
	}
	return suites.Verify(ctx, p.cfg)
}

func (p *plan) takesStdout() bool {
	for _, d := range p.reports {
		if d.Path == report.Stdout {
			return true
		}
	}
	return false
}

// writeReports writes every report, whatever becomes of the others.
func (p *plan) writeReports(stdout io.Writer, rep *suites.Report) error {
	var problems []error
	for _, d := range p.reports {
		problems = append(problems, d.Write(stdout, rep, p.gate))
	}
	return errors.Join(problems...)
}
