package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
)

// part is something that is measured at a time.
type part struct {
	name string // for errors
	rows []row
	// run returns a value for each row; NaN stands for none.
	run func(ctx context.Context) ([]float64, error)
}

// row is a line of the table.
type row struct {
	name, unit string
	goal       goal
	values     []float64 // one of each round
}

// goal is a target; the zero value is none.
type goal struct {
	sign  string // "<=" or ">="
	bound float64
}

func atMost(x float64) goal  { return goal{"<=", x} }
func atLeast(x float64) goal { return goal{">=", x} }

// met tells whether a value reaches the target.
func (g goal) met(x float64) bool {
	if g.sign == "<=" {
		return x <= g.bound
	}
	return x >= g.bound
}

func (g goal) String() string {
	if g.sign == "" {
		return ""
	}
	return g.sign + " " + number(g.bound)
}

// add takes the values of a round.
func (p *part) add(values []float64) {
	for i := range p.rows {
		if !math.IsNaN(values[i]) {
			p.rows[i].values = append(p.rows[i].values, values[i])
		}
	}
}

// median is the middle one of some values, of two the lower.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}

// number prints three digits or all before the point.
func number(x float64) string {
	digits := 0
	for limit := 100.0; digits < 2 && math.Abs(x) < limit && x != math.Trunc(x); limit /= 10 {
		digits++
	}
	return fmt.Sprintf("%.*f", digits, x)
}

// show prints the table. missing says why there is no kernel to compare with.
func show(out io.Writer, parts []part, title string, missing error) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", title)
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "\tmedian\trange\ttarget\t")
	for _, p := range parts {
		for _, r := range p.rows {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.name, r.median(), r.spread(), r.goal, r.verdict())
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	b.WriteByte('\n')
	if missing != nil {
		fmt.Fprintf(&b, "The kernel was skipped: %v.\n", missing)
	} else {
		b.WriteString("Our path keeps two CPUs at work, the kernel's hardly more than one: on a busy machine, their ratio says little.\n")
	}
	b.WriteString("Segmentation offload (GSO) is not built: every segment goes its way alone, in a packet of at most 1500 octets.\n")
	_, err := io.WriteString(out, b.String())
	return err
}

func (r *row) median() string {
	if len(r.values) == 0 {
		return "skipped"
	}
	return strings.TrimSpace(number(median(r.values)) + " " + r.unit)
}

// spread is the range of the values.
func (r *row) spread() string {
	if len(r.values) == 0 {
		return ""
	}
	return number(slices.Min(r.values)) + " to " + number(slices.Max(r.values))
}

func (r *row) verdict() string {
	switch {
	case r.goal.sign == "" || len(r.values) == 0:
		return ""
	case r.goal.met(median(r.values)):
		return "met"
	}
	return "MISSED"
}
