package main

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

func newReportPage() *cobra.Command {
	var baselines, output string
	cmd := &cobra.Command{
		Use:   "page RECORD...",
		Short: "Write what some servers break, with clause and dialogue, as a page",
		Long: `Page writes a page in Markdown about one or more run records: for each deviation
the clause, the dialogue, and the command that repeats it; with the reasons of
the baselines of the servers, where there are any.`,
		Example: `  ftpconform report page run.json
  ftpconform report page records/*.json --baselines baselines --output servers.md`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("page takes one run record at the least")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			entries := make([]report.PageEntry, len(args))
			for i, name := range args {
				rep, err := readRecord(name)
				if err != nil {
					return err
				}
				entries[i] = report.PageEntry{Record: rep, Again: repeats(rep)}
				if s := rep.Target.Server; s != nil && baselines != "" {
					known, err := report.ReadBaseline(filepath.Join(baselines, s.Name+".yaml"))
					if err != nil && !errors.Is(err, fs.ErrNotExist) {
						return usagef("%w", err)
					}
					entries[i].Known = known
				}
			}
			write := func(w io.Writer) error { return report.WritePage(w, entries) }
			if output == "" {
				return write(cmd.OutOrStdout())
			}
			return report.WriteFile(output, write)
		},
	}
	f := cmd.Flags()
	f.StringVar(&baselines, "baselines", "", "the baselines of servers, in the files SERVER.yaml of this `DIRECTORY`")
	f.StringVarP(&output, "output", "o", "", "the `FILE`; default the standard output")
	return cmd
}

// repeats is the command that repeats a run, as far as its record tells.
func repeats(rep *suites.Report) string {
	switch s := rep.Target.Server; {
	case s != nil:
		return "ftpconform run --server " + s.Name
	case rep.Target.Embedded:
		return "ftpconform run"
	}
	return "ftpconform run " + rep.Target.Address
}
