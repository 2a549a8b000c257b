package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/servers"
	"github.com/ftpconform/ftpconform/suites"
)

func newMatrix() *cobra.Command {
	var o matrixOptions
	cmd := &cobra.Command{
		Use:   "matrix [SERVER...]",
		Short: "Check all servers of the fleet, or some, and set the verdicts side by side",
		Long: `Matrix starts the servers in containers, as run --server does, several at a time,
checks each of them, and prints two tables: the servers by topics, and the checks
whose verdict is not the same for all. What one server does is no reason to lose
what was found in another.

The exit code is the gravest that run would have given for any of them: 130, 4, 3,
1, 5, 0. A server that came to no record, because it did not start or let nobody in,
counts as 3; without Docker it is 3 too.`,
		Example: `  ftpconform matrix
  ftpconform matrix vsftpd proftpd --only pasv,epsv
  ftpconform matrix --baselines baselines --records records
  sudo ftpconform matrix --topology all`,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return servers.Names(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	o.flags(cmd)
	return cmd
}

// matrixOptions are the flags of matrix.
type matrixOptions struct {
	runOptions // those that are about the checks
	parallel   int
	records    string
	baselines  string
	format     string
}

// atOnce is the default number of servers at a time: they wait most of the time.
const atOnce = 12

func (o *matrixOptions) flags(cmd *cobra.Command) {
	o.checkFlags(cmd)
	f := cmd.Flags()
	// What is another way here than with run.
	f.Lookup("jobs").Usage = fmt.Sprintf("`N` checks at a time of each server (default %d, or what its server.yaml says)", fleetJobs)
	f.Lookup("timeout-scale").Usage = fmt.Sprintf("multiply every bound by this `FACTOR`, for busy machines, and by %v: the servers are near", fleetScale)
	f.Lookup("topology").Usage = "the `NETWORK` between client and servers: direct, client-nat, …, or all; repeatable\n(default direct; the others need root)"
	f.Lookup("restart").Usage = "start a server again when it has ended or hangs (root)"
	f.IntVar(&o.parallel, "parallel", atOnce, "`N` servers at a time")
	f.StringVar(&o.records, "records", "", "write the run record of each server, and matrix.json, into this `DIRECTORY`")
	f.StringVar(&o.baselines, "baselines", "", "the known deviations of each server, in the file SERVER.yaml of this `DIRECTORY`")
	f.StringVar(&o.format, "format", "text", "the `FORMAT` of what is printed: text, markdown or json")
	complete(cmd, "format", words("text", "markdown", "json"))
}

// matrixRun is one server of a matrix.
type matrixRun struct {
	plan  *plan
	entry report.MatrixEntry
}

func (o *matrixOptions) run(cmd *cobra.Command, args []string) error {
	runs, err := o.plans(cmd.Context(), args)
	if err != nil {
		return err
	}
	if err := servers.Available(cmd.Context()); err != nil {
		return started(err)
	}
	ctx, errs := cmd.Context(), cmd.ErrOrStderr()
	ci, people, gates := onGitHub(), cmd.OutOrStdout(), map[string]report.Gate{}
	if o.format != "text" {
		people = errs
	}
	resume := ci.quote(people)
	defer resume()
	m := report.Matrix{Schema: report.MatrixSchema, Tool: suites.CurrentTool(), Topologies: runs[0].plan.cfg.Topologies, Start: time.Now().UTC(),
		Catalogue: suites.Edition{Version: suites.LoadCatalogue().Version, SHA256: suites.LoadCatalogue().Hash}}
	if len(m.Topologies) == 0 {
		m.Topologies = []suites.Topology{suites.Direct}
	}
	problem := o.all(ctx, errs, runs)
	m.DurationMS, m.Interrupted = time.Since(m.Start).Milliseconds(), ctx.Err() != nil
	for _, r := range runs {
		m.Servers = append(m.Servers, r.entry)
		gates[r.entry.Name] = r.plan.gate
	}
	if o.records != "" {
		problem = errors.Join(problem, report.WriteFile(filepath.Join(o.records, "matrix.json"), func(w io.Writer) error { return report.WriteMatrix(w, &m) }))
	}
	problem = errors.Join(problem, o.print(cmd.OutOrStdout(), &m))
	resume()
	problem = errors.Join(problem, ci.tell(people, errs,
		func(w io.Writer) error { return m.WriteAnnotations(w, gates) },
		func(w io.Writer, room int) error { return m.WriteSummary(w, gates, room) }))
	if problem != nil {
		return told(&exitError{exitHarness, problem})
	}
	if code := codeOf(m.Outcome()); code != exitConforms {
		return told(&exitError{code: code})
	}
	return nil
}

// plans reads the flags, and makes a plan for each server.
func (o *matrixOptions) plans(ctx context.Context, args []string) ([]*matrixRun, error) {
	if !slices.Contains([]string{"text", "markdown", "json"}, o.format) {
		return nil, usagef("--format is %q; it must be text, markdown or json", o.format)
	}
	if o.parallel < 1 {
		return nil, usagef("--parallel is %d; it must be at least 1", o.parallel)
	}
	if o.records != "" {
		if err := report.CheckFile(filepath.Join(o.records, "matrix.json")); err != nil {
			return nil, usagef("--records: %w", err)
		}
	}
	if len(args) == 0 {
		args = servers.Names()
	}
	var out []*matrixRun
	for i, name := range args {
		if slices.Contains(args[:i], name) {
			return nil, usagef("%s is named twice", name)
		}
		one := o.runOptions
		if _, err := specification(name); err != nil {
			return nil, usagef("%w", err)
		}
		one.fleet.server, one.fleet.given, one.network = name, true, "simulated"
		one.active, one.port = true, servers.Port
		if o.baselines != "" {
			one.baseline = filepath.Join(o.baselines, filepath.Base(name)+".yaml")
		}
		p, err := one.plan(ctx, nil)
		if err != nil {
			return nil, err
		}
		if min(o.parallel, len(args)) > 3 { // several servers are as much work as several networks of one
			p.cfg.Networks = 1
		}
		for j, r := range out {
			if r.entry.Name == p.fleet.spec.Name {
				return nil, usagef("%s is a server %s as well as %s; two of one name cannot stand in one matrix", name, r.entry.Name, args[j])
			}
		}
		out = append(out, &matrixRun{plan: p, entry: report.MatrixEntry{Name: p.fleet.spec.Name}})
	}
	return out, nil
}

// all runs them, some at a time.
func (o *matrixOptions) all(ctx context.Context, errs io.Writer, runs []*matrixRun) error {
	at := screenOf(errs)
	progress := &report.Progress{W: errs, Style: at.Style, Live: at.live, Columns: at.columns, Terse: true}
	var planned []suites.Choice
	for _, r := range runs {
		planned = append(planned, r.plan.checks...)
	}
	progress.Start(planned)
	defer progress.Stop()
	var (
		wg       sync.WaitGroup
		mu       sync.Mutex
		problems []error
	)
	turns := make(chan struct{}, o.parallel)
	for _, r := range runs {
		wg.Go(func() {
			select {
			case turns <- struct{}{}:
				defer func() { <-turns }()
			case <-ctx.Done():
			}
			if ctx.Err() != nil {
				r.entry.Error = "it was not begun"
				return
			}
			r.plan.cfg.Progress = progress.Result
			if err := o.one(ctx, r, func(what string) { progress.Say(r.entry.Name + ": " + what) }); err != nil {
				mu.Lock()
				problems = append(problems, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return errors.Join(problems...)
}

// one judges one server; what goes wrong with it is noted with it. The error is
// about the record, which could not be written. Where there is none, that of an
// earlier matrix goes: it would pass for one of this.
func (o *matrixOptions) one(ctx context.Context, r *matrixRun, say func(string)) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.entry.Error, r.entry.Outcome = panicked(p).Error(), report.Errors
		}
		if r.entry.Record == nil && o.records != "" {
			if gone := os.Remove(o.recordOf(r)); !errors.Is(gone, fs.ErrNotExist) {
				err = errors.Join(err, gone)
			}
		}
	}()
	rep, fault := r.plan.fleet.verify(ctx, r.plan.cfg, say)
	if fault != nil && ctx.Err() != nil {
		fault = errors.New("interrupted before the first check")
	}
	if fault != nil {
		r.entry.Error = fault.Error()
		say(oneLine(fault.Error()))
	}
	if rep == nil {
		return nil
	}
	r.entry.Outcome, r.entry.Record = r.plan.gate.Outcome(rep), report.Trim(rep)
	text := report.Text{Gate: r.plan.gate}
	say(text.LastLine(rep))
	if o.records == "" {
		return nil
	}
	return report.WriteFile(o.recordOf(r), func(w io.Writer) error { return report.WriteJSON(w, rep) })
}

// recordOf is the file for the record of a server.
func (o *matrixOptions) recordOf(r *matrixRun) string {
	return filepath.Join(o.records, r.entry.Name+".json")
}

func (o *matrixOptions) print(w io.Writer, m *report.Matrix) error {
	switch {
	case o.format == "json":
		return report.WriteMatrix(w, m)
	case o.format == "markdown":
		return m.WriteMarkdown(w)
	case o.quiet:
		_, err := fmt.Fprintln(w, m.LastLine(screenOf(w).Style))
		return err
	}
	return m.WriteText(w, screenOf(w).Style)
}
