package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/suites"
)

// selftestOptions are the flags of selftest.
type selftestOptions struct {
	faults, tolerances []string
	parallel           int
	part               string
	json               bool
	verbose            bool
}

func newSelftest() *cobra.Command {
	var o selftestOptions
	cmd := &cobra.Command{
		Use:   "selftest",
		Short: "Prove the checks: every fault is caught, by the checks named for it and no others",
		Long: `Selftest runs all checks in the simulated network: with the reference server as
it is, with each of its faults (in the strict profile), with each fault of a
gateway, and with each of the server's tolerances.

A fault has to break the checks that are named for it and no others (checks of
servers are not asked about a gateway's fault: they would blame the server); a
tolerance, a legal oddity, has to break nothing; and every check has to be
broken by some fault. Anything else is a defect of ftpconform: exit code 1.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.faults, "fault", nil, "only this fault, by name or id; repeatable")
	f.StringSliceVar(&o.tolerances, "tolerance", nil, "only this tolerance; repeatable")
	f.IntVar(&o.parallel, "parallel", runtime.NumCPU(), "processes that share the work")
	f.StringVar(&o.part, "part", "", "prove only part `I/N` and print rows as JSON lines")
	_ = f.MarkHidden("part") // for the processes that share the work
	f.BoolVar(&o.json, "json", false, "print the matrix as JSON")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "print what every broken check said")
	return cmd
}

// errUnproven makes selftest exit with 1.
var errUnproven = errors.New("the checks are not proven; see the rows marked with ! above")

func (o *selftestOptions) run(cmd *cobra.Command) error {
	out := cmd.OutOrStdout()
	what := suites.ProveOptions{Faults: o.faults, Tolerances: o.tolerances}
	if o.part != "" {
		return o.provePart(cmd, what)
	}
	total, err := suites.ProofSize(what)
	if err != nil {
		return err
	}
	if o.parallel < 1 {
		return usagef("--parallel is %d; it must be at least 1", o.parallel)
	}
	done := 0
	told := func(row suites.ProofRow) {
		if done++; !o.json {
			printRow(out, fmt.Sprintf("%3d/%d", done, total), row, o.verbose)
		}
	}
	proof, err := o.share(cmd.Context(), what, min(o.parallel, total), told)
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
		printProof(out, proof, len(o.faults)+len(o.tolerances) == 0)
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
	if r.Kind == "gateway" {
		name = "fault of a gateway " + r.Name
	}
	if r.ID != "" {
		name += " (" + r.ID + ")"
	}
	broken := strings.Join(r.Broken, " ")
	if broken == "" {
		broken = "breaks nothing"
	}
	fmt.Fprintf(out, "%s %s %-44s %s\n", mark, count, name, broken)
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

// printProof prints the closing account; whole says that nothing was left out.
func printProof(out io.Writer, p *suites.Proof, whole bool) {
	var faults, caught, gateways, stopped, tolerances, calm int
	for _, r := range p.Rows {
		switch r.Kind {
		case "fault":
			faults++
			if r.OK() {
				caught++
			}
		case "gateway":
			gateways++
			if r.OK() {
				stopped++
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
	fmt.Fprintf(out, "%d of %d faults of gateways are caught by the checks of gateways named for them and by no others of these.\n", stopped, gateways)
	fmt.Fprintf(out, "%d of %d tolerances break nothing.\n", calm, tolerances)
	if total := len(suites.Checks()); whole {
		fmt.Fprintf(out, "%d of %d checks are broken by at least one fault.\n", total-len(p.Unproven), total)
	}
}
