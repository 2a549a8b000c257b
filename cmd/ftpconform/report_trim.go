package main

import (
	"fmt"
	"io"
	"os"
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
compared, drawn, and put under version control; they cannot be judged again. The
record of a matrix is passed over: what is in it is short already.`,
		Example: `  ftpconform report trim records/*.json --into docs/records`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("trim takes one run record at the least")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if dir == "" {
				return usagef("--into is missing: the directory for the shorter records")
			}
			return trim(cmd.ErrOrStderr(), args, dir)
		},
	}
	cmd.Flags().StringVar(&dir, "into", "", "the `DIRECTORY`")
	return cmd
}

// trim writes nothing unless everything can be read and goes to a place of its
// own.
func trim(errs io.Writer, names []string, dir string) error {
	files, err := readRecords(names)
	if err != nil {
		return err
	}
	from := map[string]string{} // the record of each target
	for _, f := range files {
		to := filepath.Join(dir, filepath.Base(f.name))
		if f.matrix != nil {
			continue
		}
		if other, taken := from[to]; taken {
			return usagef("%s and %s would both become %s; name one, or give it another name", other, f.name, to)
		}
		from[to] = f.name
		info, err := os.Stat(to)
		for _, other := range files {
			if err == nil && os.SameFile(info, other.info) {
				return usagef("%s would overwrite %s, which cannot be judged again then; name another directory with --into", f.name, other.name)
			}
		}
	}
	if len(from) == 0 {
		return usagef("there is nothing to shorten; ftpconform matrix --records DIRECTORY writes the record of each server")
	}
	for _, f := range files {
		if f.matrix != nil {
			fmt.Fprintf(errs, "ftpconform: %s is passed over: it is the record of a matrix; name those of its servers\n", f.name)
			continue
		}
		write := func(w io.Writer) error { return report.WriteJSON(w, report.Trim(f.record)) }
		if err := report.WriteFile(filepath.Join(dir, filepath.Base(f.name)), write); err != nil {
			return err
		}
	}
	return nil
}
