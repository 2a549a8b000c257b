package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

// twoRuns differ in every way.
func twoRuns() (a, b *suites.Report) {
	a = run(result("same", direct, suites.Fail, "port 4711 of PASV is open"), result("appears", direct, suites.Pass, ""), result("vanishes", direct, suites.Fail, "bad | `worse`"),
		result("mute", direct, suites.Warn, "odd"), result("worse", direct, suites.Warn, "odd"), result("says", direct, suites.Fail, "one thing"),
		result("gone", direct, suites.Pass, ""), result("remark", direct, suites.Pass, ""))
	b = run(result("same", direct, suites.Fail, "port 815 of PASV is open"), result("appears", direct, suites.Fail, "new \x1b[1m"), result("vanishes", direct, suites.Info, "so"),
		result("mute", direct, suites.Inconclusive, "dunno"), result("worse", direct, suites.Fail, "bad"), result("says", direct, suites.Fail, "another thing"),
		result("more", nat, suites.Pass, ""), result("more-bad", nat, suites.Fail, "x"), result("remark", direct, suites.Info, "so"))
	a.Target.Banner, b.Target.Banner = "220 old | 1", "220 new"
	b.Tool.Version, b.Strict, b.Topologies, b.Catalogue.Version = "1.2.4", true, []suites.Topology{nat}, 2
	return a, b
}

func TestDiff(t *testing.T) {
	t.Parallel()
	d := report.NewDiff(twoRuns())
	names := func(changes []report.ResultChange) string {
		var out []string
		for _, c := range changes {
			out = append(out, c.Name()+" "+string(c.A.Verdict)+">"+string(c.B.Verdict))
		}
		return strings.Join(out, ", ")
	}
	got := []string{names(d.Appeared), names(d.Disappeared), names(d.Changed), strings.Join(d.OnlyA, ", "), strings.Join(d.OnlyB, ", ")}
	want := []string{
		"appears pass>fail, more-bad in client-nat >fail", "vanishes fail>info",
		"mute warn>inconclusive, worse warn>fail, says fail>fail, remark pass>info", "gone", "more in client-nat, more-bad in client-nat",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !d.Differs() {
		t.Error("they are said not to differ")
	}
}

// TestDiffOfTheSame: facts alone are no difference.
func TestDiffOfTheSame(t *testing.T) {
	t.Parallel()
	rep, other := sample(), sample()
	other.Target.Banner, other.Target.Address = "another", "elsewhere"
	d := report.NewDiff(rep, other)
	if d.Differs() || len(d.Facts) != 1 {
		t.Errorf("%+v", d)
	}
	other.Results = other.Results[1:]
	if !report.NewDiff(rep, other).Differs() {
		t.Error("a result that is missing is no difference")
	}
}

func TestDiffWrite(t *testing.T) {
	t.Parallel()
	write := func(f report.DiffFormat, s report.Style) string {
		var b bytes.Buffer
		if err := report.NewDiff(twoRuns()).Write(&b, f, s); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	golden(t, "diff.txt", write(report.DiffText, report.Style{}))
	golden(t, "diff.md", write(report.DiffMarkdown, report.Style{}))
	if got := write(report.DiffText, report.Style{Colour: true}); !strings.Contains(got, "\x1b[1m") {
		t.Errorf("no colours: %q", got)
	}
	var d report.Diff
	if err := json.Unmarshal([]byte(write(report.DiffJSON, report.Style{})), &d); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(report.NewDiff(twoRuns()), &d); diff != "" {
		t.Errorf("JSON and back (-want +got):\n%s", diff)
	}
	if err := d.Write(brokenWriter{}, report.DiffText, report.Style{}); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("the error is %v", err)
	}
	if err := d.Write(brokenWriter{}, "html", report.Style{}); err == nil {
		t.Error("html is no format")
	}
}
