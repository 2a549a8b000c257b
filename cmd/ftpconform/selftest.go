package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/suites"
)

// selftestOptions are the flags of selftest.
type selftestOptions struct {
	faults, tolerances []string
	parallel, jobs     int
	scale              float64
	json               bool
	verbose            bool
}

func newSelftest() *cobra.Command {
	var o selftestOptions
	cmd := &cobra.Command{
		Use:   "selftest",
		Short: "Prove the checks: every fault is caught, by the checks named for it and no others",
		Long: `Selftest runs all checks against the embedded reference server: as it is, with
each of its faults (in the strict profile), and with each of its tolerances.

A fault has to break the checks that are named for it and no others; a
tolerance, a legal oddity, has to break nothing; and every check has to be
broken by some fault. Anything else is a defect of ftpconform: exit code 1.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return selftest(cmd, o) },
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.faults, "fault", nil, "only this fault, by name or id; repeatable")
	f.StringSliceVar(&o.tolerances, "tolerance", nil, "only this tolerance; repeatable")
	f.IntVar(&o.parallel, "parallel", 0, "servers at a time (default 6)")
	f.IntVarP(&o.jobs, "jobs", "j", 0, "checks at a time for each server (default 32)")
	f.Float64Var(&o.scale, "timeout-scale", 1, "multiply every bound, for a busy machine")
	f.BoolVar(&o.json, "json", false, "print the matrix as JSON")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "print what every broken check said")
	return cmd
}

// errUnproven makes selftest exit with 1.
var errUnproven = errors.New("the checks are not proven; see the rows marked with ! above")

func selftest(cmd *cobra.Command, o selftestOptions) error {
	out := cmd.OutOrStdout()
	proof, err := suites.Prove(cmd.Context(), suites.ProveOptions{Faults: o.faults, Tolerances: o.tolerances,
		Parallel: o.parallel, Jobs: o.jobs, TimeoutScale: o.scale,
		Progress: func(done, total int, row suites.ProofRow) {
			if !o.json {
				printRow(out, fmt.Sprintf("%3d/%d", done, total), row, o.verbose)
			}
		}})
	if err != nil {
		return err
	}
	if o.json {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(proof); err != nil {
			return err
		}
	} else {
		printProof(out, proof)
	}
	if !proof.OK() {
		return errUnproven
	}
	return nil
}

// printRow prints one server and the checks that it broke.
func printRow(out io.Writer, count string, r suites.ProofRow, verbose bool) {
	mark := " "
	if !r.OK() {
		mark = "!"
	}
	name := strings.TrimSpace(r.Kind + " " + r.Name)
	if r.ID != "" {
		name += " (" + r.ID + ")"
	}
	broken := strings.Join(r.Broken, " ")
	if broken == "" {
		broken = "breaks nothing"
	}
	fmt.Fprintf(out, "%s %s %-40s %s\n", mark, count, name, broken)
	for _, c := range r.Missed {
		fmt.Fprintf(out, "!         should have broken %s, and did not\n", c)
	}
	for _, c := range r.Extra {
		fmt.Fprintf(out, "!         should not have broken %s: %s\n", c, r.Messages[c])
	}
	if r.Error != "" {
		fmt.Fprintf(out, "!         %s\n", r.Error)
	}
	if !verbose {
		return
	}
	for _, c := range r.Broken {
		fmt.Fprintf(out, "          %s: %s\n", c, r.Messages[c])
	}
}

// printProof prints the closing account.
func printProof(out io.Writer, p *suites.Proof) {
	var faults, caught, tolerances, calm int
	for _, r := range p.Rows {
		switch r.Kind {
		case "fault":
			faults++
			if r.OK() {
				caught++
			}
		case "tolerance":
			tolerances++
			if r.OK() {
				calm++
			}
		}
	}
	for _, c := range p.Unproven {
		fmt.Fprintf(out, "! no fault breaks check %s\n", c)
	}
	fmt.Fprintf(out, "\n%d of %d faults are caught by the checks named for them and by no others.\n", caught, faults)
	fmt.Fprintf(out, "%d of %d tolerances break nothing.\n", calm, tolerances)
	if total := len(suites.Checks()); faults > 1 {
		fmt.Fprintf(out, "%d of %d checks are broken by at least one fault.\n", total-len(p.Unproven), total)
	}
}
