//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/servers"
	"github.com/ftpconform/ftpconform/suites"
)

// engine skips a test where containers cannot be started, or where there is no
// time for them.
func engine(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("judging a real server takes a minute")
	}
	if err := servers.Available(t.Context()); err != nil {
		t.Skip(err)
	}
}

// containers lists those of a server that a process has started, by the engine's
// own program.
func containers(t *testing.T, pid int) string {
	t.Helper()
	out, err := exec.Command("docker", "ps", "-a", "--format", `{{.ID}} {{.Label "org.ftpconform.owner"}}`).Output()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(out)) {
		if parts := strings.Split(line, "/"); len(parts) == 4 && parts[2] == strconv.Itoa(pid) {
			found = append(found, line)
		}
	}
	return strings.Join(found, "")
}

// TestServerBaseline: a server of the fleet passes with its baseline, fails with
// one that lacks an entry, and finds one that lists too much stale.
func TestServerBaseline(t *testing.T) {
	t.Parallel()
	engine(t)
	text, err := os.ReadFile(filepath.Join("..", "..", "baselines", "vsftpd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	entry := regexp.MustCompile(`(?m)^  - check: epsv-abor\n(?:    .*\n)+`)
	if !entry.Match(text) {
		t.Fatal("epsv-abor is not in the baseline of vsftpd")
	}
	for _, c := range []struct {
		name, list string
		code       int
		says       string
	}{
		{"as it is", string(text), exitConforms, "conforms but for 10 known deviations"},
		{"one entry less", entry.ReplaceAllString(string(text), ""), exitBroken, "epsv-abor"},
		{"one entry more", string(text) + "  - check: port-works\n    verdict: fail\n    reason: it does not\n", exitStale, "port-works"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			list, record := filepath.Join(dir, "known.yaml"), filepath.Join(dir, "run.json")
			if err := os.WriteFile(list, []byte(c.list), 0o600); err != nil {
				t.Fatal(err)
			}
			p, err := background(dir, "run", "--server", "vsftpd", "--baseline", list, "--report", "json="+record)
			if err != nil {
				t.Fatal(err)
			}
			if code := p.endWithin(longPatience); code != c.code || !strings.Contains(p.stdout.String(), c.says) {
				t.Errorf("code %d, want %d\n%s%s", code, c.code, p.stdout.String(), p.stderr.String())
			}
			if left := containers(t, p.Process.Pid); left != "" {
				t.Errorf("containers are left:\n%s", left)
			}
			rep, err := report.ReadFile(record)
			if err != nil {
				t.Fatal(err)
			}
			if s := rep.Target.Server; s == nil || s.Name != "vsftpd" || !strings.HasPrefix(s.Version, "3.0.3-") || s.Image == "" {
				t.Errorf("the record does not name the server: %+v", s)
			}
		})
	}
}

// TestServerLoad: a hundred checks at a time, all against one container; none is
// lost, and the verdicts are those that four at a time have.
func TestServerLoad(t *testing.T) {
	t.Parallel()
	engine(t)
	dir := t.TempDir()
	record := filepath.Join(dir, "run.json")
	known, err := filepath.Abs(filepath.Join("..", "..", "baselines", "vsftpd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := background(dir, "run", "--server", "vsftpd", "--jobs", "100", "--baseline", known, "--report", "json="+record)
	if err != nil {
		t.Fatal(err)
	}
	if code := p.endWithin(longPatience); code != exitConforms {
		t.Fatalf("code %d\n%s%s", code, p.stdout.String(), p.stderr.String())
	}
	rep, err := report.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range rep.Results {
		if r.Verdict == suites.HarnessError || r.Verdict == "" || seen[r.Name()] {
			t.Errorf("%s: %s: %s", r.Name(), r.Verdict, r.Message)
		}
		seen[r.Name()] = true
	}
	if choices, err := suites.Choose(suites.Config{Target: rep.Target.Address}); err != nil || len(rep.Results) < len(choices) {
		t.Errorf("%d results of %d checks: %v", len(rep.Results), len(choices), err)
	}
	if left := containers(t, p.Process.Pid); left != "" {
		t.Errorf("containers are left:\n%s", left)
	}
}

// TestServerInterrupted: after Ctrl-C there is a report, and no container.
func TestServerInterrupted(t *testing.T) {
	t.Parallel()
	engine(t)
	for name, args := range map[string][]string{
		"run":    {"run", "--server", "vsftpd", "--jobs", "100"},
		"matrix": {"matrix", "vsftpd", "proftpd"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := background(t.TempDir(), args...)
			if err != nil {
				t.Fatal(err)
			}
			for containers(t, p.Process.Pid) == "" {
				select {
				case _, ok := <-p.lines:
					if !ok {
						t.Fatalf("it has ended: %s", p.stderr.String())
					}
				default:
				}
			}
			if err := p.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			if code := p.endWithin(longPatience); code != exitInterrupted || !strings.Contains(p.stdout.String()+p.stderr.String(), "interrupted") {
				t.Errorf("code %d\n%s%s", code, p.stdout.String(), p.stderr.String())
			}
			if left := containers(t, p.Process.Pid); left != "" {
				t.Errorf("containers are left:\n%s", left)
			}
		})
	}
}
