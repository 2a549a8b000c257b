package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

// pageOptions are the flags of report page.
type pageOptions struct{ baselines, output string }

func newReportPage() *cobra.Command {
	var o pageOptions
	cmd := &cobra.Command{
		Use:   "page RECORD...",
		Short: "Write what some servers break, with clause and dialogue, as a page",
		Long: `Page writes a page in Markdown about one or more run records: for each deviation
the clause, the dialogue, and the command that repeats it; with the reasons of
the baselines of the servers, where there are any. The record of a matrix stands
for those of its servers that are not named as well.`,
		Example: `  ftpconform report page run.json
  ftpconform report page records/*.json --baselines baselines --output servers.md`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("page takes one run record at the least")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return o.page(cmd, args) },
	}
	f := cmd.Flags()
	f.StringVar(&o.baselines, "baselines", "", "the baselines of servers, in the files SERVER.yaml of this `DIRECTORY`")
	f.StringVarP(&o.output, "output", "o", report.Stdout, "the `FILE` to write, - for the standard output")
	return cmd
}

func (o *pageOptions) page(cmd *cobra.Command, names []string) error {
	if o.baselines != "" {
		switch info, err := os.Stat(o.baselines); {
		case err != nil:
			return usagef("--baselines: %w; name the directory with the files SERVER.yaml", err)
		case !info.IsDir():
			return usagef("--baselines: %s is no directory; name that with the files SERVER.yaml", o.baselines)
		}
	}
	files, err := readRecords(names)
	if err != nil {
		return err
	}
	var entries []report.PageEntry
	for _, rep := range paged(files) {
		e := report.PageEntry{Record: rep, Again: repeats(rep)}
		if s := rep.Target.Server; s != nil && o.baselines != "" {
			known, err := report.ReadBaseline(filepath.Join(o.baselines, s.Name+".yaml"))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return usagef("%w", err)
			}
			e.Known = known
		}
		entries = append(entries, e)
	}
	if len(entries) == 0 {
		return usagef("there is nothing to draw: no server of the matrix has a record")
	}
	write := func(w io.Writer) error { return report.WritePage(w, entries) }
	if o.output == report.Stdout {
		return write(cmd.OutOrStdout())
	}
	if err := report.ReplaceFile(o.output, write); err != nil {
		return &exitError{exitHarness, fmt.Errorf("the page %s could not be written: %w", o.output, err)}
	}
	return nil
}

// paged lists the records for a page. Those within a matrix are shortened, so
// that one in a file of its own goes before.
func paged(files []recordFile) []*suites.Report {
	alone := map[string]bool{}
	for _, f := range files {
		if f.record != nil && f.record.Target.Server != nil {
			alone[f.record.Target.Server.Name] = true
		}
	}
	var out []*suites.Report
	for _, f := range files {
		if f.matrix == nil {
			out = append(out, f.record)
			continue
		}
		for _, e := range f.matrix.Servers {
			if e.Record != nil && !alone[e.Name] {
				out = append(out, e.Record)
			}
		}
	}
	return out
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
