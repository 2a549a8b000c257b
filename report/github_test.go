package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

func jobSummary(t interface {
	Helper()
	Fatal(args ...any)
}, rep *suites.Report, g report.Gate, room int) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.WriteSummary(&b, rep, g, room); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func annotations(t interface {
	Helper()
	Fatal(args ...any)
}, rep *suites.Report, g report.Gate) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.WriteAnnotations(&b, rep, g); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// listed is a gate that excuses one deviation of the sample and has three problems.
func listed(t *testing.T) report.Gate {
	t.Helper()
	return report.Gate{MinChecks: 99, Baseline: baseline(t, `deviations:
  - {check: reply-digits, verdict: fail, reason: 'it is <odd> | *so*', reference: 'https://bugs.example/1'}
  - {check: port-works, verdict: fail, message: gone, reason: fixed since}
  - {check: nothing-like-it, verdict: fail, reason: misspelt}
`)}
}

func TestWriteSummary(t *testing.T) {
	t.Parallel()
	golden(t, "summary.md", jobSummary(t, sample(), report.Gate{}, report.SummaryLimit))
	golden(t, "summary-known.md", jobSummary(t, sample(), listed(t), report.SummaryLimit))
	golden(t, "summary-conforms.md", jobSummary(t, only(suites.Pass, suites.Info), report.Gate{}, report.SummaryLimit))
}

func TestWriteAnnotations(t *testing.T) {
	t.Parallel()
	golden(t, "annotations.txt", annotations(t, sample(), report.Gate{}))
	golden(t, "annotations-known.txt", annotations(t, sample(), listed(t)))
	if got := annotations(t, only(suites.Pass, suites.Info, suites.NotRun), report.Gate{}); got != "" {
		t.Errorf("a run that conforms is annotated: %s", got)
	}
	lost := only(suites.Pass)
	lost.TargetLost = "it ended: 100%,\r\nso"
	if got, want := annotations(t, lost, report.Gate{}), `::error title=target lost::the target went away during the run: it ended: 100%25,\r\nso`+"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := annotations(t, only(suites.Warn), report.Gate{FailOn: suites.SHOULD}); !strings.HasPrefix(got, "::error title=FTP-PASV-003%2C SHOULD%2C RFC ") {
		t.Errorf("a SHOULD that fails the run is no error: %s", got)
	}
}

// TestAnnotationsAreGrouped: as many results as there may be, one requirement.
func TestAnnotationsAreGrouped(t *testing.T) {
	t.Parallel()
	var results []suites.Result
	for i := range 30 {
		results = append(results, result(fmt.Sprintf("check-%d", i), direct, suites.Fail, strings.Repeat("long ", 1000)))
	}
	got := annotations(t, run(results...), report.Gate{})
	if n := strings.Count(got, "\n"); n != 1 {
		t.Errorf("%d annotations of one requirement", n)
	}
	if !strings.Contains(got, "%0Aand 22 more: see") || len(got) > 10_000 {
		t.Errorf("it is not bounded: %d octets", len(got))
	}
}

// TestSummaryIsBounded: GitHub shows nothing of a summary that is too long.
func TestSummaryIsBounded(t *testing.T) {
	t.Parallel()
	var results []suites.Result
	for i := range 3000 {
		r := result(fmt.Sprintf("check-%d", i), direct, suites.Fail, strings.Repeat("long ", 1000))
		r.Requirements = []string{fmt.Sprintf("FTP-X-%d", i)}
		results = append(results, r)
	}
	rep := run(results...)
	for _, room := range []int{report.SummaryLimit, 100_000, 5000} {
		got := jobSummary(t, rep, report.Gate{}, room)
		if len(got) > room {
			t.Errorf("%d octets for a room of %d", len(got), room)
		}
		if !strings.Contains(got, "**Cut here:** ") || !strings.Contains(got, " of 3000 parts are left out") || !strings.HasPrefix(got, "## ftpconform: does not conform\n") {
			t.Errorf("it does not say what was cut: %.200s … %s", got, got[len(got)-200:])
		}
	}
	var full *report.FullError
	if err := report.WriteSummary(&bytes.Buffer{}, rep, report.Gate{}, 10); !errors.As(err, &full) {
		t.Errorf("no room: %v", err)
	}
	if err := report.WriteSummary(brokenWriter{}, sample(), report.Gate{}, report.SummaryLimit); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("the error is %v", err)
	}
	if err := report.WriteAnnotations(brokenWriter{}, sample(), report.Gate{}); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("the error is %v", err)
	}
}

// TestGitHubWhateverTheServerSays: words of a server are neither Markdown nor
// workflow commands.
func TestGitHubWhateverTheServerSays(t *testing.T) {
	t.Parallel()
	words := rapid.OneOf(rapid.String(), rapid.StringMatching("(`{1,4}|::error::|\r\n|%0A|\\\\|<img src=x>|\\[a\\]\\(b\\)|##\\[error\\]|</details>| |a){1,12}"))
	rapid.Check(t, func(t *rapid.T) {
		said := words.Draw(t, "said")
		r := result("a", direct, suites.Fail, said)
		r.Events = []suites.Observation{{Side: "server", Event: "receive", Connection: "control", Text: said}}
		rep := run(r)
		rep.Target.Banner, rep.Target.Address = said, said
		notes := annotations(t, rep, report.Gate{})
		if strings.Count(notes, "\n") != 1 || strings.Contains(notes, "\r") || !strings.HasPrefix(notes, "::error title=FTP-PASV-001%2C") {
			t.Fatalf("more than one command: %q", notes)
		}
		page := jobSummary(t, rep, report.Gate{}, report.SummaryLimit)
		if !utf8.ValidString(page) {
			t.Fatal("no UTF-8")
		}
		if bare := outsideCode(page); strings.ContainsAny(bare, "[]\\") || strings.Contains(bare, "<img") || strings.Count(bare, "</details>") != 1 {
			t.Fatalf("it is not in code: %q", bare)
		}
	})
}

// outsideCode is what is left of a page without code spans and blocks.
func outsideCode(page string) string {
	var out strings.Builder
	for block, lines := false, strings.Split(page, "\n"); len(lines) > 0; lines = lines[1:] {
		line := lines[0]
		if strings.HasPrefix(line, "```") && !strings.Contains(line[3:], "`") {
			block = !block
			continue
		}
		for !block && strings.Contains(line, "`") {
			start := strings.Index(line, "`")
			fence := line[start : len(line)-len(strings.TrimLeft(line[start:], "`"))]
			out.WriteString(line[:start])
			rest := line[start+len(fence):]
			end := spanEnd(rest, len(fence))
			if end < 0 {
				return page // a fence that nothing closes
			}
			line = rest[end:]
		}
		if !block {
			out.WriteString(line + "\n")
		}
	}
	return out.String()
}

// spanEnd is where a code span ends: after a run of exactly n backticks.
func spanEnd(s string, n int) int {
	for i := 0; i < len(s); {
		if s[i] != '`' {
			i++
			continue
		}
		run := len(s[i:]) - len(strings.TrimLeft(s[i:], "`"))
		if run == n {
			return i + n
		}
		i += run
	}
	return -1
}

// TestFailureOnGitHub: what came to no record is one annotation and a summary,
// whatever a server has said.
func TestFailureOnGitHub(t *testing.T) {
	t.Parallel()
	var page, notes bytes.Buffer
	const why = "login: 530 100% <b>`no`</b>\n::error::x"
	if err := errors.Join(report.AnnotateFailure(&notes, why), report.SummarizeFailure(&page, why, report.SummaryLimit)); err != nil {
		t.Fatal(err)
	}
	if got, want := notes.String(), `::error title=ftpconform::login: 530 100%25 <b>`+"`no`"+`</b>\n::error::x`+"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := page.String(); !strings.HasPrefix(got, "## ftpconform: no record\n\n") || strings.Contains(outsideCode(got), "<b>") || !strings.Contains(got, "login: 530") {
		t.Errorf("got %q", got)
	}
	var full *report.FullError
	if err := report.SummarizeFailure(&page, why, 10); !errors.As(err, &full) {
		t.Errorf("no room: %v", err)
	}
}

func TestMatrixOnGitHub(t *testing.T) {
	t.Parallel()
	m := &report.Matrix{Schema: report.MatrixSchema, Servers: []report.MatrixEntry{
		{Name: "good", Outcome: report.Conforms, Record: only(suites.Pass)},
		{Name: "bad", Outcome: report.Broken, Record: report.Trim(sample())},
		{Name: "gone", Error: "login: 530 <img> `no` | ::error::"},
	}}
	gates := map[string]report.Gate{"bad": listed(t)}
	var page, notes bytes.Buffer
	if err := errors.Join(m.WriteSummary(&page, gates, report.SummaryLimit), m.WriteAnnotations(&notes, gates)); err != nil {
		t.Fatal(err)
	}
	golden(t, "summary-matrix.md", page.String())
	golden(t, "annotations-matrix.txt", notes.String())
}
