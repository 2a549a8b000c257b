package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ftpconform/ftpconform/reference"
	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]string{
		"":                                  {""},
		"a":                                 {"a"},
		"a,b, c":                            {"a", "b", " c"},
		"a,":                                {"a", ""},
		"topic: containsAny {a, b},c":       {"topic: containsAny {a, b}", "c"},
		"(a,b) && c,d":                      {"(a,b) && c", "d"},
		"/x,y/,z":                           {"/x,y/", "z"},
		"/(,{/,z":                           {"/(,{/", "z"},
		"FTP-PORT-00[1,2],x":                {"FTP-PORT-00[1,2]", "x"},
		"{a,b":                              {"{a,b"},
		"a,b}":                              {"a,b}"},
		"/a,b":                              {"/a,b"},
		"topic:{a,{b,c}},check: isEmpty,{}": {"topic:{a,{b,c}}", "check: isEmpty", "{}"},
	} {
		if diff := cmp.Diff(want, split(in)); diff != "" {
			t.Errorf("split(%q) (-want +got):\n%s", in, diff)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	candidates := []string{"port-works", "port-octets", "pasv-works", "FTP-PORT-001", "FTP-PORT-002", "warn"}
	for word, want := range map[string][]string{
		"port-wroks": {"port-works"},
		"octets":     {"port-octets"},
		"ftp-port-1": {"FTP-PORT-001", "FTP-PORT-002"},
		"wran":       {"warn"},
		"xylophones": nil,
	} {
		got := nearest(word, candidates)
		for i, w := range want {
			if i >= len(got) || got[i] != w {
				t.Errorf("nearest(%q) = %v, want %v first", word, got, want)
				break
			}
		}
		if want == nil && got != nil {
			t.Errorf("nearest(%q) = %v, want nothing", word, got)
		}
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "abc", 0}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
		if got := distance(c.b, c.a); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.b, c.a, got, c.want)
		}
	}
}

func TestHider(t *testing.T) {
	t.Parallel()
	hide := hider([]string{"run", "ftp://user:sw%40rdfish@127.0.0.1/", "--only=ftp://u:abc@h", "ftp://nobody@h", "ftp://u:@h"})
	for in, want := range map[string]string{
		"ftp://user:sw%40rdfish@127.0.0.1/": "ftp://user:****@127.0.0.1/",
		"it was sw@rdfish":                  "it was ****",
		"u:abc@h is abc":                    "u:****@h is abc",
		"nobody@h":                          "nobody@h",
	} {
		if got := hide(in); got != want {
			t.Errorf("hide(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestExitCode(t *testing.T) {
	t.Parallel()
	reach := &suites.PreflightError{Stage: suites.StageReach, Err: errors.New("refused")}
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{&exitError{code: exitBroken}, 1},
		{errUnproven, 1},
		{usagef("x"), 2},
		{fmt.Errorf("around: %w", &suites.UsageError{Message: "x"}), 2},
		{fmt.Errorf("around: %w", reach), 3},
		{errors.New("something else"), 4},
		{context.Canceled, 130},
		{&suites.PreflightError{Stage: suites.StageReach, Err: context.Canceled}, 130},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%v gives %d, want %d", c.err, got, c.want)
		}
	}
}

func TestTellIsOneLine(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	tell(&b, errors.New("one\ntwo \x1b[31m"), func(s string) string { return s })
	tell(&b, nil, nil)
	tell(&b, &exitError{code: 1}, nil)
	if want := "ftpconform: one; two \\x1b[31m\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestParsePorts(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]reference.PortRange{"": {}, "50000-50100": {Min: 50000, Max: 50100}, "7-7": {Min: 7, Max: 7}, "7": {Min: 7, Max: 7}, " 1 - 2 ": {Min: 1, Max: 2}} {
		if got, err := parsePorts(in); err != nil || got != want {
			t.Errorf("parsePorts(%q) = %v, %v", in, got, err)
		}
	}
	for _, in := range []string{"-", "0-1", "2-1", "1-65536", "a-b", "1-2-3", "-5"} {
		if got, err := parsePorts(in); err == nil {
			t.Errorf("parsePorts(%q) = %v", in, got)
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	rows := [][]string{{"A", "LONGER", "LAST"}, {"äöü", "x", "a long text at the end"}, {}, {"only"}}
	var b strings.Builder
	if err := table(&b, report.Style{}, rows); err != nil {
		t.Fatal(err)
	}
	if want := "A     LONGER  LAST\näöü   x       a long text at the end\n\nonly\n"; b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	b.Reset()
	if err := table(&b, report.Style{Width: 20, Colour: true}, rows); err != nil {
		t.Fatal(err)
	}
	if want := "\x1b[1mA     LONGER  LAST\x1b[0m\näöü   x       a lon…\n\nonly\n"; b.String() != want {
		t.Errorf("got\n%q\nwant\n%q", b.String(), want)
	}
}

// TestEveryVerdictIsExplained holds the words of the results and explain
// together.
func TestEveryVerdictIsExplained(t *testing.T) {
	t.Parallel()
	for _, v := range suites.Verdicts {
		code, stdout, stderr := call("explain", string(v))
		if code != 0 || !strings.Contains(stdout, v.Legend()) || !strings.Contains(stdout, "xit code") {
			t.Errorf("%s: code %d, %q, %q", v, code, stdout, stderr)
		}
	}
}

// TestEverythingIsExplained without dialogues.
func TestEverythingIsExplained(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := call(append([]string{"explain", "--no-dialogue"}, subjects()...)...)
	if code != 0 || strings.Contains(stdout, "no reason is stated") {
		t.Errorf("code %d, %q", code, stderr)
	}
	for _, c := range suites.Checks() {
		if !strings.Contains(stdout, "\n"+c.ID+"\n") && !strings.HasPrefix(stdout, c.ID+"\n") {
			t.Errorf("%s is not explained", c.ID)
		}
	}
}
