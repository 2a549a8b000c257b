package trials_test

import (
	"encoding/json"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/ftpconform/ftpconform/internal/host"
	"github.com/ftpconform/ftpconform/reference"
	"github.com/ftpconform/ftpconform/suites"
)

// TestGinkgoAgrees runs the suite through Ginkgo in two processes, through
// "go test" and through Verify, against one server with some faults: each
// check has to have the same verdict in all three.
func TestGinkgoAgrees(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("three runs against one server take a minute")
	}
	const (
		scale   = 0.2
		timeout = time.Second
	)
	target := faulty(t, reference.Options{DataTimeout: timeout, LoginDelay: time.Second,
		Faults: reference.Faults{EagerDial: true, EPSVIgnoresArgument: true, BareLF: true, SequentialPorts: true}})
	// Those that stall large transfers say inconclusive on a busy machine.
	const only = "port,pasv,eprt,epsv,replies"
	rep, err := suites.Verify(t.Context(), suites.Config{Target: target, TimeoutScale: scale, DataTimeout: timeout, Only: strings.Split(only, ",")})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]suites.Verdict{}
	for _, r := range rep.Results {
		want[r.Check] = r.Verdict
	}
	if want["reply-grammar"] != suites.Fail || want["port-waits-for-transfer"] != suites.Fail {
		t.Errorf("the faults were not seen: %v", rep.Summary.ByVerdict)
	}
	args := []string{"-target", target, "-timeout-scale", "0.2", "-data-timeout", timeout.String(), "-only", only}
	for name, cmd := range map[string][]string{
		"ginkgo -p": append([]string{"tool", "ginkgo", "-p", "--no-color", "--json-report=report.json", "--output-dir=DIRECTORY", ".", "--"}, args...),
		"go test":   append([]string{"test", ".", "-count=1", "-run", "TestSuite", "-args", "-ginkgo.json-report=REPORT"}, args...),
	} {
		t.Run(name, func(t *testing.T) {
			report := filepath.Join(t.TempDir(), "report.json")
			for i := range cmd {
				cmd[i] = strings.NewReplacer("REPORT", report, "DIRECTORY", filepath.Dir(report)).Replace(cmd[i])
			}
			run := exec.CommandContext(t.Context(), "go", cmd...) //nolint:gosec // our own arguments
			run.Dir = ".."
			out, err := run.CombinedOutput()
			if err == nil {
				t.Errorf("a server with faults passes:\n%s", out)
			}
			if diff := cmp.Diff(want, verdicts(t, report)); diff != "" {
				t.Errorf("verdicts differ (-Verify +%s):\n%s\n%s", name, diff, out)
			}
		})
	}
}

// verdicts reads them from the entries of a Ginkgo report.
func verdicts(t *testing.T, name string) map[string]suites.Verdict {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var reports []types.Report
	if err := json.Unmarshal(text, &reports); err != nil {
		t.Fatal(err)
	}
	out := map[string]suites.Verdict{}
	for _, r := range reports {
		for _, spec := range r.SpecReports {
			for _, e := range spec.ReportEntries {
				var res suites.Result
				if e.Name != "result" || json.Unmarshal([]byte(e.StringRepresentation()), &res) != nil {
					continue
				}
				if _, twice := out[res.Check]; twice {
					t.Errorf("%s is in the report twice", res.Check)
				}
				out[res.Check] = res.Verdict
			}
		}
	}
	return out
}

// faulty starts a reference server on loopback and returns it as a target.
func faulty(t *testing.T, o reference.Options) string {
	t.Helper()
	l, err := host.OS{}.Listen(t.Context(), netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0))
	if err != nil {
		t.Fatal(err)
	}
	srv := reference.NewServer(o)
	done := make(chan error, 1)
	go func() { done <- srv.Serve(t.Context(), l) }()
	t.Cleanup(func() {
		_ = srv.Close()
		<-done
	})
	return "ftp://user:pass@" + l.Addr().String() + "/"
}
