package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ftpconform/ftpconform/internal/lab"
	"github.com/ftpconform/ftpconform/netsim/clock"
)

// TestLabNATPort has the whole story as a reader gets it.
func TestLabNATPort(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := call("lab")
	if code != exitConforms || stderr != "" {
		t.Errorf("code %d, %q", code, stderr)
	}
	golden(t, "lab-nat-port.txt", stdout)
}

// TestLabGuard: a simulation that does not end says who waits for what, after
// what has happened until then.
func TestLabGuard(t *testing.T) {
	t.Parallel()
	root := newRoot()
	lab, _, err := root.Find([]string{"lab"})
	if err != nil {
		t.Fatal(err)
	}
	root.RemoveCommand(lab)
	root.AddCommand(newLabWithin(clock.Limits{Virtual: 10 * time.Second}))
	var out, errs strings.Builder
	code := perform(root, []string{"lab", "client-nat", "--server", "trusting"}, &out, &errs)
	if code != exitHarness || strings.Count(errs.String(), "\n") != 1 ||
		!strings.HasPrefix(errs.String(), "ftpconform: PORT in client-nat: no end after 10s of simulated time, at ") {
		t.Errorf("code %d, %q", code, errs.String())
	}
	for _, part := range []string{"waiting: ", "server for a connection to 192.168.1.2:50000", "look for a wire"} {
		if !strings.Contains(errs.String(), part) {
			t.Errorf("the error does not say %q: %s", part, errs.String())
		}
	}
	for _, part := range []string{"PORT 192,168,1,2,195,80", "\n   stopped after 15 s\n   No end after 10s of simulated time", "1  PORT  client-nat  trusting  stopped  "} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("the story does not say %q:\n%s", part, out.String())
		}
	}
}

// TestLadder draws arrows of all kinds.
func TestLadder(t *testing.T) {
	t.Parallel()
	l := newLadder([]lab.Node{{Name: "client"}, {Name: "gw"}, {Name: "carrier-gw"}, {Name: "server"}})
	var got []string
	for _, m := range []lab.Message{
		{From: "client", To: "gw"},
		{From: "server", To: "carrier-gw"},
		{From: "client", To: "server"},
		{From: "server", To: "gw"},
		{From: "client", To: "gw", Lost: true},
		{From: "server", To: "carrier-gw", Lost: true},
		{From: "server", To: "internet", Lost: true},
		{From: "client", To: "home", Lost: true},
		{From: "internet", To: "server"},
		{From: "gw", To: "gw"},
	} {
		got = append(got, l.arrow(m))
	}
	want := []string{
		"├─────>│      │          │",
		"│      │      │<─────────┤",
		"├──────┼──────┼─────────>│",
		"│      │<─────┼──────────┤",
		"├─────x│      │          │",
		"│      │      │x─────────┤",
		"│      │      │    x─────┤",
		"├──x   │      │          │",
		"│      │      │     ────>│",
		"│      >      │          │",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if want := "client gw     carrier-gw server"; l.heading() != want {
		t.Errorf("%q", l.heading())
	}
}

func TestEscapeMermaid(t *testing.T) {
	t.Parallel()
	if got, want := escapeMermaid("a; b #1 100% <x>"), "a#59; b #35;1 100#37; #lt;x#gt;"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestRounded(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		204 * time.Millisecond:           "204 ms",
		999_400 * time.Microsecond:       "999 ms",
		999_600 * time.Microsecond:       "1 s",
		time.Second:                      "1 s",
		1600 * time.Millisecond:          "1.6 s",
		30*time.Second + 6e6:             "30 s",
		12*time.Second + 250_000_000 + 1: "12.3 s",
	} {
		if got := rounded(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

// TestEndlessSaysWhatToLookFor: a flood is not the fault of a slow wire.
func TestEndlessSaysWhatToLookFor(t *testing.T) {
	t.Parallel()
	for limit, slow := range map[string]bool{"10s of simulated time": true, "60s of real time": false, "100000 events at one instant": false} {
		err := endless(&clock.LimitError{Limit: limit})
		if strings.Contains(err.Error(), "too slow") != slow || strings.Contains(err.Error(), "too many packets") == slow {
			t.Errorf("%v", err)
		}
	}
	if err := endless(&clock.DeadlockError{}); !strings.Contains(err.Error(), "too slow, or cut") {
		t.Errorf("%v", err)
	}
}
