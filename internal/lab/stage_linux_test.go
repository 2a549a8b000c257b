package lab_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ftpconform/ftpconform/internal/lab"
	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/kernel"
	"github.com/ftpconform/ftpconform/netsim/namespace"
)

// onKernel is a stage whose gateways are the kernel; the test is skipped where it
// is not at hand.
func onKernel(t *testing.T) lab.Stage {
	t.Helper()
	var missing *namespace.MissingError
	if err := kernel.Available(t.Context()); errors.As(err, &missing) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	return lab.Stage{Kernel: kernel.Version(), Gateways: func(o gateway.Options, h alg.Options) (netsim.Router, error) {
		return kernel.New(t.Context(), o, h)
	}}
}

// facts is what two tellings of an act have in common when they tell the same:
// everything but times and what depends on them.
type facts struct {
	Act, Outcome, Reason, Code string
	Lines                      []string // of the control connection, on every wire
	Expected                   []string // who may connect, by the gateways
}

// silent is what the kernel, which does not tell why it drops a packet, makes of
// what our filter says.
var silent = strings.NewReplacer("drops them: its filter forbids it", "gives no answer")

var counted = regexp.MustCompile(`\d+ SYNs`)

func factsOf(a *lab.ActStory) facts {
	f := facts{Act: a.Title, Outcome: string(a.Outcome), Reason: silent.Replace(counted.ReplaceAllString(a.Reason, "SYNs"))}
	f.Code, _, _ = strings.Cut(a.Reply, " ")
	for _, m := range a.Messages {
		if m.Control && strings.Contains(m.Text, " ") && m.Text != "SYN ACK" && m.Part == lab.Transfer {
			f.Lines = append(f.Lines, fmt.Sprintf("%s: %v > %v %s", m.Wire, m.Src, m.Dst, m.Text))
		}
	}
	// On different wires, and in both directions of one, things may happen in
	// either order.
	slices.SortStableFunc(f.Lines, func(a, b string) int {
		return strings.Compare(a[:strings.Index(a, " > ")], b[:strings.Index(b, " > ")])
	})
	for _, s := range a.Tables {
		for _, e := range s.Entries {
			text := fmt.Sprintf("%s: %v to %v, which leads to %v, %d times", s.Gateway, e.From, e.To, e.LeadsTo, e.Uses)
			if e.Kind == lab.KindExpectation && !slices.Contains(f.Expected, text) {
				f.Expected = append(f.Expected, text)
			}
		}
	}
	return f
}

// sameTelling plays a scenario on both, and compares.
func sameTelling(t *testing.T, s lab.Scenario) {
	t.Helper()
	stage := onKernel(t)
	want, err := lab.Play(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	got, err := lab.Play(t.Context(), s.With(stage))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Acts) != len(want.Acts) || got.Kernel == "" {
		t.Fatalf("%d acts on the kernel %q, and %d simulated", len(got.Acts), got.Kernel, len(want.Acts))
	}
	for i := range want.Acts {
		if d := cmp.Diff(factsOf(&want.Acts[i]), factsOf(&got.Acts[i])); d != "" {
			t.Errorf("%s: -simulated +kernel\n%s", want.Acts[i].Title, d)
		}
	}
}

// TestKernelTellsTheStory plays the story on the kernel's gateways: it is the
// same, from the rewritten command to the outcome.
func TestKernelTellsTheStory(t *testing.T) {
	t.Parallel()
	s, err := lab.NATPortStory(1)
	if err != nil {
		t.Fatal(err)
	}
	sameTelling(t, s)
}

// TestKernelTellsTopologies does so for every mode where nobody waits for long.
func TestKernelTellsTopologies(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the story is enough; these take as long in every network")
	}
	for _, name := range []string{"client-nat-alg", "server-nat-alg", "server-nat", "double-nat", "server-firewall", "client-firewall", "ipv6", "hairpin"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sameTelling(t, lab.InTopology(builtin(t, name), lab.Choice{Modes: lab.Modes(), Seed: 1}))
		})
	}
}
