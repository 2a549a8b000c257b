package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/reference"
	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

// setFaults switches faults and tolerances on by their names.
func setFaults(f *reference.Faults, t *reference.Tolerances, faults, tolerances []string) error {
	for _, name := range faults {
		if err := f.Set(strings.TrimSpace(name)); err != nil {
			if new(netsim.Faults).Set(strings.TrimSpace(name)) == nil {
				return usagef("%s is a fault of a gateway; see it with ftpconform run --topology all --fault %s", name, name)
			}
			return unknownFault(err)
		}
	}
	for _, name := range tolerances {
		if err := t.Set(strings.TrimSpace(name)); err != nil {
			return unknownFault(err)
		}
	}
	return nil
}

// deviate switches faults of the embedded server or of the gateways, and
// tolerances, on by their names.
func deviate(cfg *suites.Config, faults, tolerances []string) error {
	for _, name := range faults {
		name = strings.TrimSpace(name)
		if err := cfg.Faults.Set(name); err != nil && cfg.NetFaults.Set(name) != nil {
			return unknownFault(err)
		}
	}
	return setFaults(&cfg.Faults, &cfg.Tolerances, nil, tolerances)
}

// unknownFault adds where the names are to be found, unless the error offers
// some.
func unknownFault(err error) error {
	if strings.HasSuffix(err.Error(), "?") {
		return usagef("%w", err)
	}
	return usagef("%w; see ftpconform serve --list-faults", err)
}

// announceFaults says, so that nobody can overlook it, that somebody is wrong
// on purpose; nothing when nobody is.
func announceFaults(w io.Writer, style report.Style, who string, all []reference.FaultInfo, names []string) {
	if len(names) == 0 {
		return
	}
	fmt.Fprintln(w, style.Loud(who+" is BROKEN ON PURPOSE:"))
	for _, f := range all {
		if slices.Contains(names, f.Name) {
			fmt.Fprintln(w, style.Loud("  "+f.Doc))
		}
	}
}

// listFaults prints the faults and tolerances that can be switched on.
func listFaults(w io.Writer, style report.Style) error {
	rows := [][]string{{"FAULT", "ID", ""}}
	for _, f := range reference.FaultNames() {
		rows = append(rows, []string{f.Name, f.ID, withoutName(f)})
	}
	if err := table(w, style, rows); err != nil {
		return err
	}
	rows = [][]string{{}, {"TOLERANCE", "", ""}}
	for _, t := range reference.ToleranceNames() {
		rows = append(rows, []string{t.Name, t.ID, withoutName(t)})
	}
	if err := table(w, style, rows); err != nil {
		return err
	}
	rows = [][]string{{}, {"FAULT OF A GATEWAY", "", "(run --fault, in the simulated network)"}}
	for _, f := range netsim.FaultNames() {
		rows = append(rows, []string{f.Name, f.ID, withoutName(f)})
	}
	return table(w, style, rows)
}

// withoutName is what a fault does, for a row that begins with its name.
func withoutName(f reference.FaultInfo) string { return strings.TrimPrefix(f.Doc, f.Name+" ") }

func faultNames() []string { return namesOf(reference.FaultNames()) }

func toleranceNames() []string { return namesOf(reference.ToleranceNames()) }

func namesOf(infos []reference.FaultInfo) []string {
	out := make([]string, len(infos))
	for i, f := range infos {
		out[i] = f.Name
	}
	return out
}
