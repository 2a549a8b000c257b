package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/report"
)

func newBaseline() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "baseline",
		Short: "Keep the list of the known deviations of a server",
		Long: `A baseline lists what a server is known to break, and why. With run --baseline a
known deviation does not make the run fail; one that is not listed does, with exit
code 1, and so does a list that is not true any more, with exit code 5.

The lists are drawn from run records, which run --report json=FILE writes.`,
		Example: `  ftpconform run ftp://192.0.2.7/ --report json=run.json
  ftpconform baseline create run.json -o baseline.yaml
  ftpconform run ftp://192.0.2.7/ --baseline baseline.yaml`,
	}
	parentOf(cmd, newBaselineCreate(), newBaselineCheck(), newBaselineUpdate())
	return cmd
}

// parentOf makes a command that only has others below it: alone it is a mistake.
func parentOf(cmd *cobra.Command, children ...*cobra.Command) {
	var names []string
	for _, child := range children {
		names = append(names, child.Name())
		cmd.AddCommand(child)
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return fmt.Errorf("%s has no command %.60q; there is %s", cmd.Name(), args[0], strings.Join(names, ", "))
		}
		return fmt.Errorf("%s needs a command: %s", cmd.Name(), strings.Join(names, ", "))
	}
	cmd.RunE = func(*cobra.Command, []string) error { return nil } // Args lets nothing through
}

// files says which files a command takes.
func files(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != len(names) {
			return usagef("%s takes %s; see %s --help", cmd.Name(), strings.Join(names, " and "), cmd.CommandPath())
		}
		return nil
	}
}

// createOptions are the flags of baseline create.
type createOptions struct {
	output, reason, reference, expires string
	force                              bool
}

func newBaselineCreate() *cobra.Command {
	var o createOptions
	cmd := &cobra.Command{
		Use:   "create RECORD",
		Short: "List what deviated in a run, for review",
		Long: `Create lists every failure and warning of a run record, each with the part of its
message that stays the same from run to run. The list is a draft: somebody has to
look at each entry and give the reason in words. That a record is of a part of the
checks (--only and the like) is told.`,
		Example: `  ftpconform baseline create run.json -o baseline.yaml`,
		Args:    files("a run record"),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.create(cmd, args[0]) },
	}
	f := cmd.Flags()
	f.StringVarP(&o.output, "output", "o", report.Stdout, "the `FILE` to write, - for the standard output")
	f.StringVar(&o.reason, "reason", report.NotReviewed, "the `REASON` of every entry")
	f.StringVar(&o.reference, "reference", "", "the `REFERENCE` of every entry, such as the address of a bug")
	f.StringVar(&o.expires, "expires", "", "the last `DAY` of every entry, such as 2027-11-29")
	f.BoolVar(&o.force, "force", false, "overwrite a file that is there")
	return cmd
}

func (o *createOptions) create(cmd *cobra.Command, record string) error {
	pattern := report.Entry{Reason: o.reason, Reference: o.reference}
	if strings.TrimSpace(o.reason) == "" {
		return usagef("--reason is empty; leave it out for %q", report.NotReviewed)
	}
	if o.expires != "" {
		day, err := time.Parse(time.DateOnly, o.expires)
		if err != nil {
			return usagef("--expires %q is no day; write it as 2027-11-29", o.expires)
		}
		pattern.Expires = day
	}
	rep, err := readRecord(record)
	if err != nil {
		return err
	}
	b, err := report.NewBaseline(rep, pattern)
	if err != nil {
		return usagef("no baseline can be made of %s: %w", record, err)
	}
	if _, err := os.Lstat(o.output); o.output != report.Stdout && !errors.Is(err, fs.ErrNotExist) && !o.force {
		return usagef("%s is there already; bring it up to date with ftpconform baseline update, or overwrite it with --force", o.output)
	}
	if r := report.LeftOut(rep); r != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "ftpconform: %s is of a part of the checks, without %s for one; of those the list says nothing\n", record, r.Name())
	}
	if o.output == report.Stdout {
		return b.Write(cmd.OutOrStdout())
	}
	if err := b.WriteFile(o.output); err != nil {
		return &exitError{exitHarness, err}
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d known deviations, %d answers; now look at each and give its reason\n", o.output, len(b.Entries), b.Checks)
	return err
}

func newBaselineUpdate() *cobra.Command {
	return &cobra.Command{
		Use:   "update FILE RECORD",
		Short: "Bring a list up to date with a run",
		Long: `Update adds what deviated and is not listed, takes out what does not deviate any
more, and writes down verdicts and messages that have changed, and how many
checks gave an answer. Comments, order and reasons stay, and what is left to a
person is told.

A run that was interrupted, left checks out or had other networks is refused: it
cannot speak for the whole list.`,
		Example: `  ftpconform baseline update baseline.yaml run.json`,
		Args:    files("a baseline", "a run record"),
		RunE:    func(cmd *cobra.Command, args []string) error { return updateBaseline(cmd, args[0], args[1]) },
	}
}

func updateBaseline(cmd *cobra.Command, name, record string) error {
	rep, err := readRecord(record)
	if err != nil {
		return err
	}
	rev, err := report.UpdateBaseline(name, rep, time.Now())
	if err != nil {
		return usagef("%w", err)
	}
	var b strings.Builder
	style := screenOf(cmd.OutOrStdout()).Style
	for _, text := range rev.Changes {
		b.WriteString(text + "\n")
	}
	if len(rev.Changes) == 0 {
		b.WriteString(name + " is up to date\n")
	}
	for _, text := range rev.Left {
		b.WriteString(style.Loud("left to you: ") + report.Printable(text) + "\n")
	}
	_, err = fmt.Fprint(cmd.OutOrStdout(), b.String())
	return err
}
