package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/report"
)

func newReport() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Read run records",
		Long:  `Report reads the records that run --report json=FILE writes.`,
	}
	parentOf(cmd, newReportDiff(), newReportPage(), newReportTrim())
	return cmd
}

func newReportDiff() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Tell what is different between two runs",
		Long: `Diff tells which deviations have appeared in the run record B, which have
disappeared, what else has another verdict or message, and which checks only one
of the two has. Of a message only what stays the same from run to run is compared.

The exit code is 0 when the results are the same, whatever the versions and the
greeting, and 1 when they are not.`,
		Example: `  ftpconform report diff yesterday.json today.json
  ftpconform report diff old.json new.json --format markdown`,
		Args: files("a run record A", "a run record B"),
		RunE: func(cmd *cobra.Command, args []string) error {
			form := report.DiffFormat(format)
			if !slices.Contains(report.DiffFormats(), form) {
				return usagef("--format is %q; it must be text, json or markdown", format)
			}
			a, err := readRecord(args[0])
			if err != nil {
				return err
			}
			b, err := readRecord(args[1])
			if err != nil {
				return err
			}
			d := report.NewDiff(a, b)
			if err := d.Write(cmd.OutOrStdout(), form, screenOf(cmd.OutOrStdout()).Style); err != nil {
				return err
			}
			if d.Differs() {
				return &exitError{code: exitBroken}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "the `FORMAT`: text, json or markdown")
	complete(cmd, "format", words("text", "json", "markdown"))
	return cmd
}
