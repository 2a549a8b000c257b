package clock_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/clock"
)

func TestEventsHappenInOrder(t *testing.T) {
	c := clock.New(clock.Options{})
	a, b := c.Node(), c.Node()
	var got []string
	note := func(s string) func() { return func() { got = append(got, s) } }
	b.Schedule(time.Second, note("b at 1 s"))
	a.Schedule(time.Second, note("a at 1 s")) // made later, but of the node made earlier
	a.Schedule(time.Second, note("a at 1 s, second"))
	late := a.Schedule(time.Minute, note("never"))
	moved := a.Schedule(time.Hour, note("moved to 2 s"))
	moved.Reset(2 * time.Second)
	if !late.Stop() || late.Stop() {
		t.Error("Stop does not tell whether it came in time")
	}
	a.Go("sleeper", func() {
		if err := a.Sleep(t.Context(), 3*time.Second); err != nil {
			t.Error(err)
		}
		got = append(got, "slept until "+c.Now().Sub(c.Start()).String())
	})
	if err := c.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{"a at 1 s", "a at 1 s, second", "b at 1 s", "moved to 2 s", "slept until 3s"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestRunCanBeCalledAgain(t *testing.T) {
	c := clock.New(clock.Options{})
	n := c.Node()
	for i := range 3 {
		n.Go("sleeper", func() { _ = n.Sleep(t.Context(), time.Hour) })
		if err := c.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, want := c.Now().Sub(c.Start()), time.Duration(i+1)*time.Hour; got != want {
			t.Errorf("after round %d it is %v", i+1, got)
		}
	}
}

func TestGuards(t *testing.T) {
	tests := map[string]struct {
		limits clock.Limits
		actor  func(n *clock.Node)
		want   string // part of the error
	}{
		"deadlock": {clock.Limits{}, func(n *clock.Node) {
			defer n.Waiting("the client for a 226 that never comes")()
			<-n.Stopped()
		}, "nothing can happen any more at 0s; waiting: the client for a 226 that never comes"},
		"livelock": {clock.Limits{Burst: 1000}, func(n *clock.Node) {
			var again func()
			again = func() { n.Schedule(0, again) }
			again()
			_ = n.Sleep(context.Background(), time.Second)
		}, "no end after 1000 events at one instant, at 0s; waiting: for 1s to pass"},
		"too long in simulated time": {clock.Limits{Virtual: time.Hour}, func(n *clock.Node) {
			for n.Sleep(context.Background(), time.Minute) == nil {
			}
		}, "no end after 1h0m0s of simulated time, at 1h1m0s"},
		"too long in real time": {clock.Limits{Wall: 20 * time.Millisecond}, func(n *clock.Node) {
			for n.Sleep(context.Background(), time.Nanosecond) == nil {
			}
		}, "no end after 20ms of real time"},
		"somebody who never rests": {clock.Limits{Wall: 20 * time.Millisecond}, func(n *clock.Node) {
			for x := 0; n.Err() == nil; x++ {
			}
		}, "no end after 20ms of real time"},
		"panic": {clock.Limits{}, func(*clock.Node) { panic("oh no") }, "actor panicked: oh no"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := clock.New(clock.Options{Limits: test.limits})
			n := c.Node()
			ended := false
			n.Go("actor", func() {
				defer func() { ended = true }()
				test.actor(n)
			})
			err := c.Run(t.Context())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v\nwant %s", err, test.want)
			}
			if !ended {
				t.Error("the actor still runs")
			}
			if again := c.Run(t.Context()); again == nil {
				t.Error("a clock that was stopped runs again")
			}
		})
	}
}

func TestContextStopsTheClock(t *testing.T) {
	c := clock.New(clock.Options{Limits: clock.Limits{Virtual: 1 << 62}})
	n := c.Node()
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("interrupted")
	n.Go("actor", func() {
		_ = n.Sleep(context.Background(), time.Hour)
		cancel(why)
		for n.Sleep(context.Background(), time.Hour) == nil {
		}
	})
	if err := c.Run(ctx); !errors.Is(err, why) {
		t.Errorf("error is %v", err)
	}
}

func TestStoppedBeforeItBegan(t *testing.T) {
	c := clock.New(clock.Options{})
	c.Node().Go("actor", func() { t.Error("the actor was started") })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	began := time.Now()
	if err := c.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("nobody had to be waited for, and it took %v", took)
	}
}

func TestRandDependsOnSeedAndName(t *testing.T) {
	draw := func(seed uint64, name string) uint64 { return clock.New(clock.Options{Seed: seed}).Rand(name).Uint64() }
	if once, again := draw(1, "a"), draw(1, "a"); once != again {
		t.Error("the same seed and name give different numbers")
	}
	if draw(1, "a") == draw(2, "a") || draw(1, "a") == draw(1, "b") {
		t.Error("different seeds or names give the same number")
	}
}

func TestRealTime(t *testing.T) {
	c := clock.New(clock.Options{Real: true})
	n := c.Node()
	began := time.Now()
	order := make(chan string, 4)
	n.Schedule(20*time.Millisecond, func() { order <- "event" })
	n.Go("actor", func() {
		_ = n.Sleep(t.Context(), 40*time.Millisecond)
		order <- "actor"
	})
	if err := c.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if first := <-order; first != "event" {
		t.Errorf("%s came first", first)
	}
	if took := time.Since(began); took < 40*time.Millisecond {
		t.Errorf("40 ms took %v", took)
	}
}

// Goroutines that hand work to each other come to rest before time moves on.
func TestTimeWaitsForWork(t *testing.T) {
	c := clock.New(clock.Options{})
	n := c.Node()
	n.Go("first", func() {
		work := make(chan int)
		n.Go("second", func() {
			for x := range work {
				if at := c.Now().Sub(c.Start()); at != time.Duration(x)*time.Second {
					t.Errorf("work of second %d is done at %v", x, at)
				}
			}
		})
		for i := range 100 {
			work <- i
			_ = n.Sleep(t.Context(), time.Second)
		}
		close(work)
	})
	if err := c.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkEvent(b *testing.B) {
	c := clock.New(clock.Options{Limits: clock.Limits{Wall: time.Hour, Virtual: 1 << 62}})
	n := c.Node()
	n.Go("sleeper", func() {
		for range b.N {
			_ = n.Sleep(context.Background(), time.Microsecond)
		}
	})
	if err := c.Run(b.Context()); err != nil {
		b.Fatal(err)
	}
}
