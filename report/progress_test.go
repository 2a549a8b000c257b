package report_test

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

// stopped is a clock on which no time passes.
type stopped struct{}

func (stopped) Now() time.Time { return time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC) }

func (stopped) Sleep(ctx context.Context, _ time.Duration) error {
	<-ctx.Done()
	return ctx.Err()
}

func (stopped) AfterFunc(time.Duration, func()) func() bool { return func() bool { return true } }

// locked is a buffer that several goroutines may write to.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func planned(t *testing.T, ids ...string) []suites.Choice {
	t.Helper()
	var out []suites.Choice
	for _, id := range ids {
		found := suites.FindCheck(id)
		if len(found) == 0 {
			t.Fatalf("there is no check %s", id)
		}
		out = append(out, suites.Choice{Check: found[0], In: found[0].Topologies()[:1]})
	}
	return out
}

// tell gives the results of a run to a progress.
func tell(t *testing.T, p *report.Progress) {
	t.Helper()
	p.Clock = stopped{}
	p.Start(planned(t, "port-works", "port-octets", "pasv-implemented"))
	p.Result(1, 9, suites.Result{Check: "slow", Topic: "port", Verdict: suites.NotRun})
	p.Result(2, 9, suites.Result{Check: "port-works", Topic: "port", Verdict: suites.Pass})
	p.Result(3, 9, suites.Result{Check: "pasv-implemented", Topic: "pasv", Verdict: suites.Inconclusive})
	p.Result(4, 9, suites.Result{Check: "port-octets", Topic: "port", Verdict: suites.Fail, Message: "it said " + hostile})
	p.Stop()
	p.Stop()
}

func TestProgressInAPipe(t *testing.T) {
	t.Parallel()
	var out locked
	tell(t, &report.Progress{W: &out})
	golden(t, "progress.txt", out.b.String())
	if strings.ContainsAny(out.b.String(), "\x1b\r") {
		t.Error("a pipe got control characters")
	}
}

// It does not run beside other tests: it counts goroutines.
func TestProgressOnATerminal(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	var out locked
	tell(t, &report.Progress{W: &out, Live: true, Columns: func() int { return 40 }})
	got := out.b.String()
	if strings.Contains(got, "\n") {
		t.Errorf("more than one line was used: %q", got)
	}
	drawn := strings.Split(got, "\r")
	for _, line := range drawn {
		if n := len([]rune(strings.TrimSuffix(line, "\x1b[K"))); n > 39 {
			t.Errorf("%d columns in a terminal of 40: %q", n, line)
		}
	}
	if last := drawn[len(drawn)-1]; last != "\x1b[K" {
		t.Errorf("the line is not erased at the end: %q", last)
	}
	if want := "3/3 checks, 0s: 1 pass, 1 fail, 1 inco…\x1b[K"; drawn[len(drawn)-2] != want {
		t.Errorf("the last state is %q, want %q", drawn[len(drawn)-2], want)
	}
}

func TestProgressNeverStarted(t *testing.T) {
	t.Parallel()
	new(report.Progress).Stop() // an error before the run begins
}
