package main

import (
	"errors"
	"flag"
	"io"
	"strings"
	"testing"
)

// Every measurement measures something, without a kernel to compare with.
func TestMeasure(t *testing.T) {
	parts := []part{stepPart(), flowPart(nil, 1<<20), virtualPart(), waitPart(), memoryPart()}
	if err := measure(t.Context(), parts, 1); err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		for _, r := range p.rows {
			kernel := strings.Contains(r.name, "kernel") || strings.Contains(r.name, "checksums")
			switch {
			case strings.HasPrefix(r.name, "  CPU"): // of both, and not known everywhere
			case kernel && len(r.values) != 0:
				t.Errorf("%s: %v, and there was no kernel", r.name, r.values)
			case !kernel && (len(r.values) != 1 || r.values[0] < 0 || r.values[0] == 0 && !strings.Contains(r.name, "alloc")):
				t.Errorf("%s: %v", r.name, r.values)
			}
		}
	}
}

func TestShow(t *testing.T) {
	parts := []part{{rows: []row{
		{name: "good", unit: "ms", goal: atMost(10), values: []float64{12, 3.25, 9}},
		{name: "slow", goal: atLeast(0.85), values: []float64{0.4, 0.8}},
		{name: "free", unit: "MB/s", values: []float64{410.4}},
		{name: "absent", goal: atMost(1)},
	}}}
	var out strings.Builder
	if err := show(&out, parts, "title", errors.New("no tools")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"good     9 ms       3.25 to 12   <= 10     met\n",
		"slow     0.40       0.40 to 0.80   >= 0.85   MISSED\n",
		"free     410 MB/s   410 to 410",
		"absent   skipped                 <= 1",
		"The kernel was skipped: no tools.\n",
		"GSO",
	} {
		if !strings.Contains(squeezed(out.String()), squeezed(want)) {
			t.Errorf("%q is not in\n%s", want, &out)
		}
	}
}

// squeezed makes one space of many.
func squeezed(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' }), " ")
}

func TestArguments(t *testing.T) {
	for _, args := range []string{"-rounds 0", "-mb 0", "-mb x", "-h"} {
		err := run(t.Context(), strings.Fields(args), io.Discard)
		if err == nil || errors.Is(err, flag.ErrHelp) != (args == "-h") {
			t.Errorf("%s: %v", args, err)
		}
	}
}
