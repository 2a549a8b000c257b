package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/suites"
)

// Simulated networks run one at a time in a process, so the self test is shared
// out among several processes of this program.

// provePart is one of these processes: it prints its rows as JSON lines.
func (o *selftestOptions) provePart(cmd *cobra.Command, what suites.ProveOptions) error {
	if _, err := fmt.Sscanf(o.part, "%d/%d", &what.Part, &what.Parts); err != nil || what.Parts < 1 || what.Part < 0 || what.Part >= what.Parts {
		return usagef("--part is %q; write it as I/N, from 0/N on", o.part)
	}
	enc := json.NewEncoder(cmd.OutOrStdout())
	var broken error
	what.Progress = func(_, _ int, row suites.ProofRow) { broken = errors.Join(broken, enc.Encode(row)) }
	_, err := suites.Prove(cmd.Context(), what)
	return errors.Join(err, broken)
}

// share lets processes prove a part each, tells of every row as it comes, and
// puts them together in the order of one process.
func (o *selftestOptions) share(ctx context.Context, what suites.ProveOptions, parts int, told func(suites.ProofRow)) (*suites.Proof, error) {
	if parts == 1 {
		what.Progress = func(_, _ int, row suites.ProofRow) { told(row) }
		return suites.Prove(ctx, what)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type numbered struct {
		row  suites.ProofRow
		part int
		err  error // the part has ended with it, or is over
		over bool
	}
	events := make(chan numbered)
	for i := range parts {
		go func() {
			err := o.startPart(ctx, i, parts, func(row suites.ProofRow) { events <- numbered{row: row, part: i} })
			events <- numbered{part: i, err: err, over: true}
		}()
	}
	rows := make([][]suites.ProofRow, parts)
	var failed error
	for left := parts; left > 0; {
		switch e := <-events; {
		case !e.over:
			rows[e.part] = append(rows[e.part], e.row)
			told(e.row)
		case e.err != nil && failed == nil:
			failed = e.err
			cancel() // the others prove nothing without this one
			left--
		default:
			left--
		}
	}
	if failed != nil {
		return nil, failed
	}
	var all []suites.ProofRow
	for n := 0; len(rows[n%parts]) > n/parts; n++ {
		all = append(all, rows[n%parts][n/parts])
	}
	return suites.NewProof(what, all), nil
}

// patienceWithParts is how long an interrupted process may take to end.
const patienceWithParts = 5 * time.Second

// startPart runs one process to its end.
func (o *selftestOptions) startPart(ctx context.Context, part, parts int, got func(suites.ProofRow)) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program to start it again: %w", err)
	}
	args := []string{"selftest", "--part", fmt.Sprintf("%d/%d", part, parts)}
	for _, f := range o.faults {
		args = append(args, "--fault", f)
	}
	for _, t := range o.tolerances {
		args = append(args, "--tolerance", t)
	}
	run := exec.CommandContext(ctx, self, args...) //nolint:gosec // this program itself
	run.Args[0] = os.Args[0]
	run.Cancel = func() error { return run.Process.Signal(os.Interrupt) }
	run.WaitDelay = patienceWithParts
	var said bytes.Buffer
	run.Stderr = &said
	out, err := run.StdoutPipe()
	if err != nil {
		return err
	}
	if err := run.Start(); err != nil {
		return fmt.Errorf("start process %d of %d: %w", part+1, parts, err)
	}
	dec := json.NewDecoder(out)
	for {
		var row suites.ProofRow
		if err = dec.Decode(&row); err != nil {
			break
		}
		got(row)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if wait := run.Wait(); wait != nil && ctx.Err() == nil {
		return fmt.Errorf("process %d of %d: %w: %s", part+1, parts, wait, bytes.TrimSpace(said.Bytes()))
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
