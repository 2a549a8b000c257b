package main

import (
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/report"
)

func newReportTrim() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "trim RECORD... --into DIRECTORY",
		Short: "Shorten run records to what is worth keeping",
		Long: `Trim writes shorter copies of run records, under the same names: of the dialogues
only the part that decided, and only for what does not conform. They can be
compared, drawn, and put under version control; they cannot be judged again.`,
		Example: `  ftpconform report trim records/*.json --into docs/records`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("trim takes one run record at the least")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if dir == "" {
				return usagef("--into is missing: the directory for the shorter records")
			}
			for _, name := range args {
				rep, err := readRecord(name)
				if err != nil {
					return err
				}
				write := func(w io.Writer) error { return report.WriteJSON(w, report.Trim(rep)) }
				if err := report.WriteFile(filepath.Join(dir, filepath.Base(name)), write); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "into", "", "the `DIRECTORY`")
	return cmd
}
