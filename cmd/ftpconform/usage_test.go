package main

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// mistakes are command lines that make no sense; the password in them must
// not be repeated.
var mistakes = [][]string{
	{"frobnicate"},
	{"runn"},
	{"ftp://user:sw0rdfish@127.0.0.1/"},
	{"--frobnicate"},
	{"run", "--frobnicate"},
	{"run", "a", "b"},
	{"run", ""},
	{"run", "127.0.0.1"},
	{"run", "http://127.0.0.1/"},
	{"run", "ftp://user:sw0rdfish#x@127.0.0.1/"},
	{"run", "ftp://user:sw0rdfish%zz@127.0.0.1/"},
	{"run", "ftp://user:pass%0d%0a@127.0.0.1/"},
	{"run", "ftp://127.0.0.1:70000/"},
	{"run", "ftp://127.0.0.1/?x"},
	{"run", "ftp:///dir"},
	{"run", "ftp://user:123/sw0rdfish@127.0.0.1/"},
	{"run", "ftp://127.0.0.1/", "--fault", "EagerDial"},
	{"run", "ftp://127.0.0.1/", "--only", "nothing-like-this"},
	{"run", "--only", "nothing-like-this"},
	{"run", "--only", ""},
	{"run", "--only", "port-works,"},
	{"run", "--only", "topic:port &&"},
	{"run", "--only", "topic:nothing"},
	{"run", "--only", "[a"},
	{"run", "--skip", "nothing-like-this"},
	{"run", "--skip", "*"},
	{"run", "--level", "HIGH"},
	{"run", "--fail-on", "never"},
	{"run", "--jobs", "-1"},
	{"run", "--jobs", "x"},
	{"run", "--timeout-scale", "0"},
	{"run", "--timeout-scale", "-1"},
	{"run", "--timeout-scale", "NaN"},
	{"run", "--timeout-scale", "Inf"},
	{"run", "--data-timeout", "5"},
	{"run", "--idle-timeout", "-5s"},
	{"run", "--local-addr", "nowhere"},
	{"run", "--local-addr", "127.0.0.1", "--stranger-addr", "127.0.0.1"},
	{"run", "--report", "html=x"},
	{"run", "--report", "run.json"},
	{"run", "--report", "json=-", "--report", "junit=-"},
	{"run", "--report", "json=x", "--report", "junit=./x"},
	{"run", "--quiet", "--verbose"},
	{"run", "--fault", "Nothing"},
	{"run", "--fault", "Eager"},
	{"run", "--tolerance", "ABOR"},
	{"run", "--write-dir", "x"},
	{"run", "--full-dir", "x"},
	{"run", "--passive-ports", "10-20"},
	{"run", "ftp://127.0.0.1/", "--passive-ports", "20-10"},
	{"run", "ftp://127.0.0.1/", "--passive-ports", "many"},
	{"run", "ftp://127.0.0.1/", "--passive-ports", "1-70000"},
	{"run", "--baseline", "missing.yaml"},
	{"run", "--previous", "missing.json"},
	{"run", "--min-checks", "-1"},
	{"baseline"},
	{"baseline", "make"},
	{"baseline", "create"},
	{"baseline", "create", "missing.json"},
	{"baseline", "create", "missing.json", "--reason", " "},
	{"baseline", "create", "missing.json", "--expires", "soon"},
	{"baseline", "check", "missing.yaml"},
	{"baseline", "check", "missing.yaml", "missing.json"},
	{"baseline", "check", "a", "b", "--fail-on", "never"},
	{"baseline", "check", "a", "b", "-q", "-v"},
	{"baseline", "update", "missing.yaml", "missing.json"},
	{"report"},
	{"report", "diff", "a"},
	{"report", "diff", "missing.json", "missing.json"},
	{"report", "diff", "a", "b", "--format", "html"},
	{"list", "x"},
	{"list", "--only", "nothing-like-this"},
	{"list", "--requirements", "--only", "nothing-like-this"},
	{"list", "--requirements", "--level", "HIGH"},
	{"list", "--requirements", "--skip", "*"},
	{"explain"},
	{"explain", "port-wroks"},
	{"explain", "FTP-PORT-999"},
	{"explain", "something else altogether"},
	{"serve", "x"},
	{"serve", "--user", ":sw0rdfish"},
	{"serve", "--user", "alice"},
	{"serve", "--password", "sw0rdfish"},
	{"serve", "--public-addr", "::1"},
	{"serve", "--listen", "nonsense"},
	{"serve", "--data-timeout", "0s"},
	{"serve", "--rate", "-1"},
	{"serve", "--fault", "Nothing"},
	{"serve", "--passive-ports", "x"},
	{"version", "x"},
	{"lab", "client-nta"},
	{"lab", "somewhere-else"},
	{"lab", "direct", "ipv6"},
	{"lab", "missing.yaml"},
	{"lab", "--mode", "port"},
	{"lab", "nat-port", "--alg", "linux"},
	{"lab", "client-nat", "--mode", "lprt"},
	{"lab", "client-nat", "--mode", ""},
	{"lab", "client-nat", "--server", "old"},
	{"lab", "client-nat", "--alg", "cisco"},
	{"lab", "direct", "--alg", "linux"},
	{"lab", "--seed", "-1"},
	{"lab", "--step"},
	{"lab", "--step", "--json"},
	{"lab", "--json", "--mermaid"},
	{"lab", "--list", "direct"},
}

// TestMistakes: each is one sentence on the standard error, exit code 2, and
// nothing on the standard output.
func TestMistakes(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for _, args := range mistakes {
		code, stdout, stderr := call(args...)
		line := "ftpconform"
		for _, a := range args {
			line += fmt.Sprintf(" %q", a)
		}
		switch {
		case code != exitUsage:
			t.Errorf("%s: the exit code is %d", line, code)
		case stdout != "":
			t.Errorf("%s: the standard output got %q", line, stdout)
		case strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "ftpconform: "):
			t.Errorf("%s: the error is not one sentence: %q", line, stderr)
		case strings.Contains(stderr, "sw0rd"):
			t.Errorf("%s: the error holds the password: %q", line, stderr)
		}
		all.WriteString("$ " + strings.ReplaceAll(line, `"`, "'") + "\n" + stderr)
	}
	golden(t, "usage.txt", all.String())
}

// TestForeignAddress: addresses of others are refused before anything is sent.
func TestForeignAddress(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"--local-addr", "--stranger-addr"} {
		code, _, stderr := call("run", flag, "192.0.2.1")
		if code != exitUsage || !strings.Contains(stderr, flag+" 192.0.2.1 is not an address of this machine") {
			t.Errorf("%s: code %d, %q", flag, code, stderr)
		}
	}
}

// TestReportInTheWay: what cannot be written is found out before the run.
func TestReportInTheWay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "none", "x")} {
		code, stdout, stderr := call("run", "--only", "port-works", "--report", "json="+path)
		if code != exitUsage || stdout != "" || !strings.Contains(stderr, path) {
			t.Errorf("%s: code %d, %q, %q", path, code, stdout, stderr)
		}
	}
}

// TestPanic: a defect is told in one sentence with its place.
func TestPanic(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(){
		"by hand":     func() { panic("boom") },
		"by mistake":  func() { _ = letters(3)[len(letters(5))] },
		"by an error": func() { panic(io.ErrUnexpectedEOF) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := newRoot()
			root.AddCommand(&cobra.Command{Use: "boom", Run: func(*cobra.Command, []string) { do() }})
			var out, errs strings.Builder
			code := perform(root, []string{"boom"}, &out, &errs)
			if code != exitHarness || strings.Count(errs.String(), "\n") != 1 || !strings.HasPrefix(errs.String(), "ftpconform: internal error at usage_test.go:") {
				t.Errorf("code %d, %q", code, errs.String())
			}
		})
	}
}

func letters(n int) string { return strings.Repeat("x", n) }

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, net.ErrClosed }

// TestOutputGone: what cannot be printed is an error and not a success.
func TestOutputGone(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"version"}, {"version", "--json"}, {"list"}, {"list", "--json"}, {"list", "--requirements"}, {"explain", "warn"},
		{"lab"}, {"lab", "--list"}, {"lab", "--json"}, {"lab", "--mermaid"},
		{"serve", "--list-faults"}, {"serve", "--listen", "127.0.0.1:0"}, {"run", "--only", "port-works"}, {"run", "--only", "port-works", "--report", "json=-"}} {
		var errs strings.Builder
		if code := execute(args, brokenWriter{}, &errs); code != exitHarness {
			t.Errorf("%v: code %d, %q", args, code, errs.String())
		}
	}
}
