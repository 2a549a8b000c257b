package trials_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/ftpconform/ftpconform/suites"
)

var update = flag.Bool("update", false, "write docs/servers.md anew from what the servers do now")

// reviewed is what is known of a server: each broken requirement, examined by
// hand against its clause.
type reviewed struct {
	Server     string `yaml:"server"`
	Deviations []struct {
		Check   string         `yaml:"check"`
		Verdict suites.Verdict `yaml:"verdict"`
		Reason  string         `yaml:"reason"`
	} `yaml:"deviations"`
	// Elsewhere are those that show in another network than the direct one.
	Elsewhere []struct {
		Check   string          `yaml:"check"`
		In      suites.Topology `yaml:"in"`
		Verdict suites.Verdict  `yaml:"verdict"`
		Reason  string          `yaml:"reason"`
	} `yaml:"elsewhere"`
}

// TestRealServers judges servers that nobody here wrote. Each must be judged
// to the end, and what it breaks must be what was reviewed: nothing more,
// nothing less.
func TestRealServers(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("judging real servers takes minutes")
	}
	sections := make([]string, len(realServers))
	t.Run("all", func(t *testing.T) { // ends when they all have
		for i, s := range realServers {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				sections[i] = judge(t, s)
			})
		}
	})
	if *update && !slices.Contains(sections, "") {
		writeServers(t, sections)
	}
}

// judge runs all checks against one server and compares what it breaks with
// what was reviewed. It returns the server's part of docs/servers.md.
func judge(t *testing.T, s realServer) string {
	t.Helper()
	cfg := s.start(t)
	// On loopback half of every bound is plenty.
	cfg.Jobs, cfg.TimeoutScale = 8, 0.5
	cfg.Topologies = []suites.Topology{suites.Direct, suites.ClientNAT, suites.ClientNATALG, suites.DoubleNAT}
	rep, err := suites.Verify(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	sameBehindNAT(t, rep)
	rep.Results = slices.DeleteFunc(rep.Results, func(r suites.Result) bool { return r.Topology != suites.Direct })
	known := readReviewed(t, s.name)
	want, got := map[string]suites.Verdict{}, map[string]suites.Verdict{}
	for _, d := range known.Deviations {
		want[d.Check] = d.Verdict
	}
	answers := 0
	for _, r := range rep.Results {
		switch r.Verdict {
		case suites.Fail, suites.Warn:
			got[r.Check] = r.Verdict
			answers++
		case suites.HarnessError:
			t.Errorf("%s: %s", r.Check, r.Message)
		case suites.Pass, suites.Info:
			answers++
		default:
			t.Logf("%s: %s: %s", r.Check, r.Verdict, r.Message)
		}
	}
	t.Logf("%s: %s in %v", known.Server, counts(rep.Results), time.Duration(rep.DurationMS)*time.Millisecond)
	if answers < 90 {
		t.Errorf("only %d checks gave an answer", answers)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what %s breaks is not what was reviewed (-reviewed +seen):\n%s", s.name, diff)
		for _, r := range rep.Results {
			if _, ok := got[r.Check]; ok && want[r.Check] != r.Verdict {
				t.Logf("%s %s: %s\n%s", r.Verdict, r.Check, r.Message, dialogue(r, 20))
			}
		}
	}
	return section(t, known, rep)
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
	for _, in := range []suites.Topology{suites.ClientNAT, suites.ClientNATALG, suites.DoubleNAT} {
		if found[in] < 25 {
			t.Errorf("only %d checks have run in %s", found[in], in)
		}
	}
}

func readReviewed(t *testing.T, name string) reviewed {
	t.Helper()
	var r reviewed
	text, err := os.ReadFile(filepath.Join("testdata", "servers", name+".yaml"))
	if err == nil {
		err = yaml.Unmarshal(text, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestServersAreDocumented holds that docs/servers.md tells of everything that
// was reviewed, and of nothing else.
func TestServersAreDocumented(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "servers.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range realServers {
		known := readReviewed(t, s.name)
		_, part, ok := strings.Cut(string(doc), "\n## "+known.Server+"\n")
		if !ok {
			t.Errorf("docs/servers.md has no section %q", known.Server)
			continue
		}
		part, _, _ = strings.Cut(part, "\n## ")
		var told []string
		for _, m := range regexp.MustCompile(`(?m)^### (?:fail|warn) ([a-z0-9-]+)`).FindAllStringSubmatch(part, -1) {
			told = append(told, m[1])
		}
		var want []string
		for _, d := range known.Deviations {
			want = append(want, d.Check)
			if !strings.Contains(strings.Join(strings.Fields(part), " "), strings.Join(strings.Fields(d.Reason), " ")) {
				t.Errorf("%s: the reason for %s is not in docs/servers.md", s.name, d.Check)
			}
		}
		slices.Sort(told)
		slices.Sort(want)
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("%s: docs/servers.md (-reviewed +told):\n%s", s.name, diff)
		}
	}
}

// section is the part of docs/servers.md about one server.
func section(t *testing.T, known reviewed, rep *suites.Report) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\nGreeting `%s`. %s.\n", known.Server, rep.Target.Banner, counts(rep.Results))
	for _, d := range known.Deviations {
		i := slices.IndexFunc(rep.Results, func(r suites.Result) bool { return r.Check == d.Check })
		if i < 0 {
			continue
		}
		r := rep.Results[i]
		req, _ := suites.LoadCatalogue().Requirement(r.Requirements[0])
		fmt.Fprintf(&b, "\n### %s %s\n\n%s, %s, %s: %s\n\nSeen: %s\n\n%s\n\n```\n%s```\n", d.Verdict, d.Check, req.ID, req.Level, req.Clause(), req.Summary,
			r.Message, strings.TrimSpace(d.Reason), dialogue(r, 14))
	}
	return b.String()
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

func writeServers(t *testing.T, sections []string) {
	t.Helper()
	intro := "# What real servers break\n\n" +
		"Each server below was judged with its configuration of `suites/trials/realserver_linux_test.go` in the default profile.\n" +
		"Every broken requirement was examined by hand against its clause; the dialogue is what the server said then\n" +
		"(`>` client, `<` server, `*` harness, seconds since the check began). The list is held by a test: a server\n" +
		"that breaks more, or less, fails `make test`.\n\n" +
		"Reproduce a line: start the server as in that file, then\n" +
		"`go run ./cmd/ftpconform run --only CHECK ftp://user:password@127.0.0.1:PORT/`.\n" +
		"`go run ./cmd/ftpconform explain CHECK` says what the check looks at and why.\n\n"
	name := filepath.Join("..", "..", "docs", "servers.md")
	if err := os.WriteFile(name, []byte(intro+strings.Join(sections, "\n")), 0o644); err != nil { //nolint:gosec // a document
		t.Fatal(err)
	}
}
