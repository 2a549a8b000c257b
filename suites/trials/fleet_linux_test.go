package trials_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/reference"
	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/servers"
	"github.com/ftpconform/ftpconform/suites"
)

// described finds a server of the fleet and skips the test where it cannot be
// started.
func described(t *testing.T, name string) *servers.Spec {
	t.Helper()
	if testing.Short() {
		t.Skip("judging real servers takes minutes")
	}
	s, err := servers.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := servers.Available(t.Context()); err != nil {
		t.Skip(err)
	}
	return s
}

// known is the baseline of a server.
func known(t *testing.T, name string) *report.Baseline {
	t.Helper()
	b, err := report.ReadBaseline(filepath.Join("..", "..", "baselines", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// guard holds that a server breaks what is known of it, nothing more and
// nothing less.
func guard(t *testing.T, name string, rep *suites.Report) {
	t.Helper()
	g := report.Gate{FailOn: suites.SHOULD, Baseline: known(t, name)}
	c := g.Compare(rep)
	for _, m := range c.Unlisted {
		t.Errorf("%s: not known: %s %s: %s\n%s", name, m.Result.Verdict, m.Result.Name(), m.Result.Message, dialogue(m.Result, 40))
	}
	for _, p := range c.Problems() {
		t.Errorf("%s: %s: %s", name, p.Kind, p.Text)
	}
	if out := g.Outcome(rep); out != report.Conforms {
		t.Errorf("%s: the outcome is %q", name, out)
	}
	for _, r := range rep.Results {
		if r.Verdict == suites.HarnessError {
			t.Errorf("%s: %s: %s", name, r.Name(), r.Message)
		}
	}
	t.Logf("%s: %s in %v", name, counts(rep.Results), time.Duration(rep.DurationMS)*time.Millisecond)
}

// TestFleet judges servers in containers, directly and behind the simulated NATs
// of clients, and holds them against their baselines.
func TestFleet(t *testing.T) {
	t.Parallel()
	for name, in := range map[string][]suites.Topology{
		"vsftpd":    {suites.Direct, suites.ClientNAT, suites.ClientNATALG, suites.DoubleNAT},
		"proftpd":   {suites.Direct, suites.ClientNAT, suites.ClientNATALG, suites.DoubleNAT},
		"pure-ftpd": {suites.Direct, suites.ClientNAT}, // its timeouts are whole minutes
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv, err := described(t, name).Start(t.Context(), servers.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := srv.Close(); err != nil {
					t.Error(err)
				}
			})
			rep, err := suites.Verify(t.Context(), suites.Config{Target: srv.URL(), FullDir: srv.Spec.FullDir, DataTimeout: srv.Spec.DataTimeout,
				PassivePorts: reference.PortRange{Min: srv.PassivePorts.First, Max: srv.PassivePorts.Last}, StrangerAddr: srv.Stranger(), Jobs: 4, TimeoutScale: 0.5,
				Topologies: in})
			if err != nil {
				t.Fatal(err)
			}
			sameBehindNAT(t, rep)
			guard(t, name, rep)
		})
	}
}

// sameBehindNAT holds that a simulated NAT before a server changes no verdict, but
// those about what the NAT itself does to active mode.
func sameBehindNAT(t *testing.T, rep *suites.Report) {
	t.Helper()
	direct, found := map[string]suites.Result{}, map[suites.Topology]int{}
	for _, r := range rep.Results {
		if r.Topology == suites.Direct {
			direct[r.Check] = r
		}
	}
	for _, r := range rep.Results {
		before, both := direct[r.Check]
		switch {
		case r.Topology == suites.Direct || r.Verdict == suites.NotRun:
			continue
		case strings.HasPrefix(r.Check, "path-"):
			if r.Verdict != suites.Pass && r.Verdict != suites.Unsupported && (r.Verdict != suites.Inconclusive || r.Check != "path-decoy") {
				t.Errorf("%s %s: %s\n%s", r.Verdict, r.Name(), r.Message, dialogue(r, 20))
			}
		case both && r.Verdict != before.Verdict:
			t.Errorf("%s is %s, and %s when nothing stands between: %s\n%s\n  and\n%s", r.Name(), r.Verdict, before.Verdict, r.Message, dialogue(r, 20), dialogue(before, 20))
		}
		found[r.Topology]++
	}
	for _, in := range rep.Topologies {
		if in != suites.Direct && found[in] < 25 {
			t.Errorf("only %d checks have run in %s", found[in], in)
		}
	}
}

// TestFleetAttached judges vsftpd in every network: what it breaks is what is
// known of it, and the story of active and passive mode is told in its own
// words.
func TestFleetAttached(t *testing.T) {
	t.Parallel()
	spec := described(t, "vsftpd")
	if err := servers.Attachable(); err != nil {
		t.Skip(err)
	}
	a, err := spec.Attacher(t.Context(), servers.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rep, err := suites.Verify(t.Context(), suites.Config{Attach: a, User: spec.User, Password: spec.Password, FullDir: spec.FullDir,
		DataTimeout: spec.DataTimeout, Jobs: 16, TimeoutScale: 0.25, Topologies: suites.Topologies()})
	if err != nil {
		t.Fatal(err)
	}
	guard(t, "vsftpd", rep)
	answers := map[suites.Topology]int{}
	for _, r := range rep.Results {
		switch r.Verdict {
		case suites.Pass, suites.Info, suites.Fail, suites.Warn:
			answers[r.Topology]++
		case suites.Inconclusive:
			t.Errorf("%s %s: %s", r.Verdict, r.Name(), r.Message)
		default:
		}
	}
	for _, topology := range suites.Topologies() {
		if answers[topology] < 15 {
			t.Errorf("only %d checks gave an answer in %s", answers[topology], topology)
		}
	}
	for _, w := range []struct {
		check string
		in    suites.Topology
		line  string
	}{
		{"path-port", suites.ClientNAT, "500 Illegal PORT command."},
		{"path-pasv", suites.ClientNAT, "226 Transfer complete."},
		{"path-port", suites.ClientNATALG, "200 PORT command successful. Consider using PASV."},
	} {
		i := slices.IndexFunc(rep.Results, func(r suites.Result) bool { return r.Check == w.check && r.Topology == w.in })
		if r := rep.Results[i]; r.Verdict != suites.Pass || !strings.Contains(dialogue(r, 100), w.line) {
			t.Errorf("%s in %s is %s, and %q has to be in its dialogue:\n%s", w.check, w.in, r.Verdict, w.line, dialogue(r, 100))
		}
	}
}

func counts(results []suites.Result) string {
	by := map[suites.Verdict]int{}
	for _, r := range results {
		by[r.Verdict]++
	}
	var parts []string
	for _, v := range suites.Verdicts {
		if n := by[v]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
	}
	return strings.Join(parts, ", ")
}

// dialogue prints the last events of a result that prove its message.
func dialogue(r suites.Result, n int) string {
	var lines []string
	for _, e := range r.Events {
		arrow := map[string]string{"client": ">", "server": "<", "harness": "*"}[e.Side]
		text := e.Text
		if e.Event != "send" && e.Event != "receive" && e.Event != "note" {
			text = e.Event + " " + text
		}
		lines = append(lines, fmt.Sprintf("%8.3f %-10s %s %s\n", e.Time, e.Connection, arrow, text))
		if e.Event == "note" && strings.HasSuffix(text, r.Message) {
			break
		}
	}
	return strings.Join(lines[max(0, len(lines)-n):], "")
}
