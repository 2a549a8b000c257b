package report_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

func TestReadBaseline(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "known.yaml")
	text := `# what is known
server: vsftpd
version: 3.0
tool: devel
checks: 93
topologies: [direct, client-nat]
deviations:
  - check: control-loss
    in: client-nat
    verdict: fail
    message: after FIN
    reason: >-
      in
      words
    reference: RFC 959 section 3.2
    expires: 2027-11-29
  - requirement: FTP-EPSV-*
    max: 3
    verdict: warn
    reason: too many
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := report.ReadBaseline(file)
	if err != nil {
		t.Fatal(err)
	}
	want := &report.Baseline{Path: file, Server: "vsftpd", Version: "3.0", Tool: "devel", Checks: 93, Topologies: []suites.Topology{suites.Direct, suites.ClientNAT},
		Entries: []report.Entry{
			{Check: "control-loss", In: suites.ClientNAT, Verdict: suites.Fail, Message: "after FIN", Reason: "in words", Reference: "RFC 959 section 3.2",
				Expires: time.Date(2027, 11, 29, 0, 0, 0, 0, time.UTC), Line: 8},
			{Requirement: "FTP-EPSV-*", Max: 3, Verdict: suites.Warn, Reason: "too many", Line: 17},
		}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := report.ReadBaseline(file + "x"); err == nil {
		t.Error("a file that is not there was read")
	}
}

func TestBaselineMistakes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"empty":                {"", "empty"},
		"only comments":        {"# nothing\n", "empty"},
		"no YAML":              {"a: [", "known.yaml cannot be read"},
		"two documents":        {"deviations: []\n---\ndeviations: []\n", "more than one document"},
		"a list":               {"- a\n", "line 1: a baseline should be made of keys"},
		"no deviations":        {"server: x\n", "line 1: the key deviations is missing"},
		"deviations is text":   {"deviations: none\n", "line 1: deviations should be a list"},
		"an unknown key":       {"deviations: []\nservre: x\n", `line 2: a baseline has no key "servre"; there are server,`},
		"a key twice":          {"deviations: []\ntool: a\ntool: b\n", "line 3: the key tool is there twice"},
		"an unknown key below": {"deviations:\n  - check: a\n    mesage: x\n", `line 3: a deviation has no key "mesage"`},
		"no verdict":           {"deviations:\n  - {check: a, reason: x}\n", "line 2: a has no verdict"},
		"an odd verdict":       {"deviations:\n  - {check: a, verdict: pass, reason: x}\n", `the verdict is "pass"`},
		"no reason":            {"deviations:\n  - {check: a, verdict: fail}\n", "line 2: a has no reason"},
		"an empty reason":      {"deviations:\n  - check: a\n    verdict: fail\n    reason:\n", "line 4: a reason is needed"},
		"a reason of nothing":  {"deviations:\n  - {check: a, verdict: fail, reason: ' '}\n", "line 2: a reason is needed"},
		"about nothing":        {"deviations:\n  - {verdict: fail, reason: x}\n", "either a check or a requirement"},
		"about two things":     {"deviations:\n  - {check: a, requirement: b, verdict: fail, reason: x}\n", "either a check or a requirement"},
		"a bad glob":           {"deviations:\n  - {check: 'a[', verdict: fail, reason: x}\n", "not a pattern"},
		"an unknown topology":  {"deviations:\n  - {check: a, in: nat, verdict: fail, reason: x}\n", `"nat" is no topology; there are direct`},
		"a maximum of one":     {"deviations:\n  - {check: a, max: 2, verdict: fail, reason: x}\n", "max is for a glob"},
		"no maximum":           {"deviations:\n  - {check: a*, max: 0, verdict: fail, reason: x}\n", `"0" is not a number from 1 on`},
		"no day":               {"deviations:\n  - {check: a, expires: soon, verdict: fail, reason: x}\n", `"soon" is no day`},
		"listed twice":         {"deviations:\n  - {check: a, verdict: fail, reason: x}\n  - {check: A, verdict: warn, reason: x}\n", "line 3: A is listed already, in line 2"},
		"all mistakes":         {"x: 1\ny: 2\ndeviations: []\n", "line 1: a baseline has no key \"x\"; there are server, version, tool, checks, topologies, deviations\nline 2:"},
		"checks is no number":  {"checks: many\ndeviations: []\n", `line 1: "many" is not a number`},
		"an alias":             {"server: &a x\ntool: *a\ndeviations: []\n", "line 2: a text was expected"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := report.ParseBaseline([]byte(c.text), "known.yaml")
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "known.yaml") {
				t.Errorf("the error is %v; it should speak of %q", err, c.want)
			}
		})
	}
}

func FuzzParseBaseline(f *testing.F) {
	f.Add([]byte("deviations:\n  - {check: a, verdict: fail, reason: x}\n"))
	f.Add([]byte("server: &a [*a]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := report.ParseBaseline(text, "f")
		if err != nil {
			return
		}
		rep := run(result("a", suites.Direct, suites.Fail, "x"))
		report.Gate{Baseline: b}.Compare(rep).Problems()
		if rev, err := report.ReviseBaseline(text, "f", rep, rep.Start); err == nil {
			again, err := report.ReviseBaseline(rev.Text, "f", rep, rep.Start)
			if err != nil || string(again.Text) != string(rev.Text) {
				t.Errorf("a second revision is %v, %q after %q", err, again, rev.Text)
			}
		}
	})
}
