package suites_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/reference"
	"github.com/ftpconform/ftpconform/suites"
)

func TestCatalogueIsSound(t *testing.T) {
	t.Parallel()
	cat := suites.LoadCatalogue()
	if len(cat.Requirements) < 300 || len(cat.Conflicts) < 32 {
		t.Fatalf("%d requirements and %d conflicts were read", len(cat.Requirements), len(cat.Conflicts))
	}
	form := regexp.MustCompile(`^FTP-[A-Z]+-\d{3}$`)
	seen := map[string]bool{}
	for _, r := range cat.Requirements {
		if !form.MatchString(r.ID) || seen[r.ID] {
			t.Errorf("%s: not of the form FTP-AREA-NNN, or there twice", r.ID)
		}
		seen[r.ID] = true
		if r.RFC == 0 || r.Section == "" || r.Summary == "" || r.Test.Stimulus == "" || r.Test.Expect == "" || len(r.Network) == 0 {
			t.Errorf("%s: source, summary, stimulus, expectation or network missing", r.ID)
		}
		if !slices.Contains([]suites.Level{suites.MUST, suites.SHOULD, suites.MAY}, r.Level) {
			t.Errorf("%s: level %q", r.ID, r.Level)
		}
		if !slices.Contains([]string{"server", "client", "nat"}, r.Role) {
			t.Errorf("%s: role %q", r.ID, r.Role)
		}
		if !slices.Contains(cat.Topics, r.Topic) {
			t.Errorf("%s: topic %q is not in the list", r.ID, r.Topic)
		}
		if _, ok := cat.Bounds[r.Test.Bound]; !ok {
			t.Errorf("%s: bound %q is not in the list", r.ID, r.Test.Bound)
		}
		for _, id := range r.Conflicts {
			if _, ok := cat.Conflict(id); !ok {
				t.Errorf("%s: conflict %s does not exist", r.ID, id)
			}
		}
	}
}

func TestChecksAreSound(t *testing.T) {
	t.Parallel()
	var (
		form   = regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)+$`)
		clause = regexp.MustCompile(`RFC \d+ (section|figure|appendix)`)
		seen   = map[string]bool{}
		cat    = suites.LoadCatalogue()
	)
	for _, c := range suites.Checks() {
		t.Run(c.ID, func(t *testing.T) {
			if !form.MatchString(c.ID) || seen[c.ID] {
				t.Error("the id is not lower-case words joined by hyphens, or there twice")
			}
			seen[c.ID] = true
			if len(c.Requirements) == 0 {
				t.Fatal("it names no requirement")
			}
			for _, id := range c.Requirements {
				if _, ok := cat.Requirement(id); !ok {
					t.Errorf("requirement %s does not exist", id)
				}
			}
			if c.Title == "" || strings.HasSuffix(c.Title, ".") || c.Why == "" || c.Run == nil {
				t.Error("title, reason or function missing, or the title ends with a full stop")
			}
			if len(c.Conforms) == 0 || len(c.Fails) == 0 {
				t.Error("what conforms and what fails must be written down")
			}
			if !clause.MatchString(strings.Join(c.Conforms, " ")) || !clause.MatchString(strings.Join(c.Fails, " ")) {
				t.Error("what conforms and what fails must name a clause")
			}
			for _, label := range c.Labels(&suites.Config{}, suites.Direct) {
				if _, err := types.ValidateAndCleanupLabel(label, types.CodeLocation{}); err != nil {
					t.Errorf("label %q: %v", label, err)
				}
			}
		})
	}
}

// TestEveryRequirementIsAccountedFor holds that each requirement has a check
// or a stated reason why not, and that no reason is idle.
func TestEveryRequirementIsAccountedFor(t *testing.T) {
	t.Parallel()
	checked := map[string]bool{}
	for _, c := range suites.Checks() {
		for _, id := range c.Requirements {
			checked[id] = true
		}
	}
	reasons := suites.LoadUntested()
	used := make([]bool, len(reasons))
	for _, r := range suites.LoadCatalogue().Requirements {
		if checked[r.ID] {
			continue
		}
		i := slices.IndexFunc(reasons, func(u suites.Untested) bool { return u.Covers(r) })
		if i < 0 {
			t.Errorf("%s (%s, %v) has neither a check nor a reason", r.ID, r.Topic, r.Network)
			continue
		}
		used[i] = true
		if reasons[i].Reason == "" {
			t.Errorf("%s: the reason is empty", r.ID)
		}
	}
	for i, u := range used {
		if !u {
			t.Errorf("the reason %q covers no requirement", reasons[i].Reason)
		}
	}
}

// TestTopicsAreCovered holds the promise that all server requirements of these
// topics that need no special network have a check.
func TestTopicsAreCovered(t *testing.T) {
	t.Parallel()
	topics := []string{"port", "pasv", "eprt", "epsv", "data-connection", "replies", "abort", "security"}
	n := 0
	for _, r := range suites.LoadCatalogue().Requirements {
		plain := slices.Contains(r.Network, "direct") || slices.Contains(r.Network, "two-client")
		if r.Role != "server" || !slices.Contains(topics, r.Topic) || !plain || r.ID == "FTP-REPLY-017" {
			continue
		}
		n++
		if len(suites.FindCheck(r.ID)) == 0 {
			t.Errorf("%s has no check", r.ID)
		}
	}
	if n < 120 {
		t.Errorf("only %d requirements were looked at", n)
	}
}

// TestFaultTableIsSound holds that every fault has a row of checks that
// exist, and that every check has a fault that breaks it. That the table is
// true is shown by the self test of the program.
func TestFaultTableIsSound(t *testing.T) {
	t.Parallel()
	for _, f := range slices.Concat(reference.FaultNames(), netsim.FaultNames()) {
		if len(suites.BrokenBy(f.Name)) == 0 {
			t.Errorf("fault %s breaks no check", f.Name)
		}
	}
	for _, name := range suites.FaultTable() {
		var cfg suites.Config
		if _, err := cfg.Deviate(name); err != nil {
			t.Error(err)
		}
		for _, id := range suites.BrokenBy(name) {
			if len(suites.FindCheck(id)) == 0 {
				t.Errorf("fault %s: check %s does not exist", name, id)
			}
		}
	}
	for _, c := range suites.Checks() {
		if len(suites.KilledBy(c.ID)) == 0 {
			t.Errorf("no fault breaks check %s", c.ID)
		}
	}
}
