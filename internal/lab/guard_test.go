package lab_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/internal/lab"
	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/clock"
)

// TestGuard: a simulation that does not end is stopped, says who waits for
// what, and leaves what has happened.
func TestGuard(t *testing.T) {
	t.Parallel()
	scenario := lab.InTopology(builtin(t, "client-nat"), lab.Choice{Server: lab.Trusting})
	for i := range scenario.Acts {
		scenario.Acts[i].Limits = clock.Limits{Virtual: 10 * time.Second}
	}
	s, err := lab.Play(t.Context(), scenario)
	var limit *clock.LimitError
	if !errors.As(err, &limit) || limit.Limit != "10s of simulated time" || len(limit.Waits) == 0 {
		t.Fatalf("%v", err)
	}
	if len(s.Acts) != 1 || s.Acts[0].Outcome != lab.Stopped || len(s.Acts[0].Messages) < 20 {
		t.Fatalf("%d acts, %+v", len(s.Acts), s.Acts[0].Outcome)
	}
	for _, part := range []string{"o end after 10s of simulated time", "waiting: ", "server for a connection to 192.168.1.2:50000"} {
		if !strings.Contains(err.Error(), part) || !strings.Contains(s.Acts[0].Reason, part) {
			t.Errorf("%q is missing: %v\n%s", part, err, s.Acts[0].Reason)
		}
	}
}

func TestNoNetwork(t *testing.T) {
	t.Parallel()
	_, err := lab.Play(t.Context(), lab.InTopology(netsim.Topology{Name: "empty"}, lab.Choice{}))
	if !errors.Is(err, lab.ErrBuild) || !strings.HasPrefix(err.Error(), "PORT in empty: the network cannot be built: ") {
		t.Errorf("%v", err)
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lab.Play(ctx, lab.InTopology(builtin(t, "direct"), lab.Choice{})); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
