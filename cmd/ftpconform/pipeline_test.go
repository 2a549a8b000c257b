package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// root is the folder of the project.
var root = filepath.Join("..", "..")

// tool finds a program, or leaves the test out.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("there is no %s here: %v", name, err)
	}
	return path
}

// serving starts "ftpconform serve" until the test ends, and returns its URL.
func serving(t *testing.T, login string, flags ...string) string {
	t.Helper()
	p, at, err := serveAt(t.TempDir(), flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Process.Signal(os.Interrupt)
		p.end()
	})
	return "ftp://" + login + at + "/"
}

// codeIn runs a command in a directory with more in the environment, and returns
// its code and all that it says.
func codeIn(t *testing.T, dir string, env []string, name string, args ...string) (int, string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPlainGate goes the way of docs/ci.md with the Makefile that stands in it.
func TestPlainGate(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it runs the program many times")
	}
	maker, program := tool(t, "make"), tool(t, "ftpconform")
	makefile, err := filepath.Abs(filepath.Join(root, "docs", "ci", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(read(t, filepath.Join(root, "docs", "ci.md")), "```make\n"+read(t, makefile)+"```\n") {
		t.Error("docs/ci.md does not have docs/ci/Makefile as it is")
	}
	const login = "us%24er:pa$$s(1)'@" // what make and a shell could take for theirs
	broken := serving(t, login, "--user", "us$er:pa$$s(1)'", "--fault", "PORTKeepsFirst", "--fault", "PORTAcceptsPortZero")
	sound := serving(t, "user:pass@")
	dir := t.TempDir()
	gate := func(target string, args ...string) (int, string) {
		return codeIn(t, dir, []string{"TARGET=" + target}, maker, append([]string{"-f", makefile, "FTPCONFORM=" + program,
			"FLAGS=-j 8 --only port-replaces-port,port-works,port-zero-port --fail-on should"}, args...)...)
	}
	expect := func(what string, code int, said string, wantCode int, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(said, w) {
				t.Errorf("%s: it does not say %q: %s", what, w, said)
			}
		}
		if code != wantCode || strings.Contains(said, "pa$$s") {
			t.Errorf("%s: code %d, want %d: %s", what, code, wantCode, said)
		}
	}
	code, said := gate(broken, "gate")
	expect("without a list", code, said, 2, "does not conform", "ftpconform ended with code 1; next: ", "Error 1")
	code, said = gate(broken, "baseline")
	expect("a draft of no name", code, said, 2, "BASELINE is empty; name the file to write: make baseline BASELINE=")
	code, said = gate(broken, "baseline", "BASELINE=known.yaml")
	expect("a draft", code, said, 0, "known.yaml: 2 known deviations")
	code, said = gate(broken, "gate", "BASELINE=known.yaml")
	expect("with the list", code, said, 0, "conforms but for 2 known deviations", "ended with code 0")
	code, said = gate(sound, "gate", "BASELINE=known.yaml")
	expect("a server that is better", code, said, 2, "baseline stale", "ended with code 5", "Error 5")

	known := read(t, filepath.Join(dir, "known.yaml"))
	at := strings.Index(known, "  - check: port-replaces-port")
	if at < 0 {
		t.Fatalf("not in the list: %s", known)
	}
	end := strings.Index(known[at+1:], "  - check: ")
	if end < 0 {
		end = len(known) - at - 1
	}
	write(t, filepath.Join(dir, "less.yaml"), known[:at]+known[at+1+end:])
	code, said = gate(broken, "gate", "BASELINE=less.yaml")
	expect("with an entry less", code, said, 2, "fail  port-replaces-port", "ended with code 1", "Error 1")
	code, said = gate("ftp://127.0.0.1:1/", "gate")
	expect("nobody is there", code, said, 2, "ended with code 3")
	for _, name := range []string{"run.json", "junit.xml"} {
		if text := read(t, filepath.Join(dir, "ftp-reports", name)); text == "" || strings.Contains(text, "pa$$s") {
			t.Errorf("%s is empty, or has the password", name)
		}
	}
}

// TestPlainGateBuilds: the Makefile builds the program where there is none.
func TestPlainGateBuilds(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds the program")
	}
	maker := tool(t, "make")
	tool(t, "go")
	abs, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	code, said := codeIn(t, t.TempDir(), []string{"TARGET=" + serving(t, "user:pass@")}, maker, "-f", filepath.Join(abs, "docs", "ci", "Makefile"),
		"gate", "FTPCONFORM=out/ftpconform", "OUT=out", "SRC="+abs, "FLAGS=-q --only port-works", "MIN_CHECKS=1")
	if code != 0 || !strings.Contains(said, "conforms: 1 pass") {
		t.Errorf("code %d: %s", code, said)
	}
}

// parses asks bash whether a script is one.
func parses(t *testing.T, bash, script string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), bash, "-n")
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("%v: %s\n%s", err, out, script)
	}
}
