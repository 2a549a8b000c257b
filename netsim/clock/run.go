package clock

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sort"
	"strings"
	"sync"
	"time"
)

// ErrStopped says that the simulation is over.
var ErrStopped = errors.New("clock: the simulation is over")

// DeadlockError says that everybody waits and nothing will happen any more.
type DeadlockError struct {
	At    time.Duration // virtual time since the start
	Waits []string      // who waits for what
}

func (e *DeadlockError) Error() string {
	return fmt.Sprintf("nothing can happen any more at %v%s", e.At, list(e.Waits))
}

// LimitError says that a simulation did not end within a limit.
type LimitError struct {
	Limit string // "60s of real time"
	At    time.Duration
	Waits []string
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("no end after %s, at %v%s", e.Limit, e.At, list(e.Waits))
}

func list(waits []string) string {
	if len(waits) == 0 {
		return ""
	}
	return "; waiting: " + strings.Join(waits, ", ")
}

// waiting is somebody who waits.
type waiting struct {
	what string
	seq  uint64
}

// Waiting records that the caller waits for something, until the function that
// it returns is called; it is for the message of a guard.
func (c *Clock) Waiting(what string) (done func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq++
	w := &waiting{what, c.seq}
	c.waits[w] = true
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.waits, w)
	}
}

// maxWaits bounds the list in an error.
const maxWaits = 12

func (c *Clock) waitsLocked() []string {
	all := make([]*waiting, 0, len(c.waits))
	for w := range c.waits {
		all = append(all, w)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].seq < all[j].seq })
	var out []string
	for i, w := range all {
		if i == maxWaits {
			out = append(out, fmt.Sprintf("and %d more", len(all)-i))
			break
		}
		out = append(out, w.what)
	}
	return out
}

// Go starts an actor: Run lasts until all actors have returned. A panic in f
// stops the clock.
func (n *Node) Go(name string, f func()) {
	n.mu.Lock()
	n.actors++
	n.mu.Unlock()
	n.Schedule(0, func() {
		n.mu.Lock()
		n.started++
		n.mu.Unlock()
		go func() {
			defer func() {
				if p := recover(); p != nil {
					n.Stop(fmt.Errorf("clock: %s panicked: %v\n%s", name, p, debug.Stack()))
				}
				n.mu.Lock()
				n.actors--
				n.started--
				n.mu.Unlock()
				select {
				case n.changed <- struct{}{}:
				default:
				}
			}()
			f()
		}()
	})
}

// Stopped is closed when the clock stops: everybody who waits in simulated
// time must give up then.
func (c *Clock) Stopped() <-chan struct{} { return c.stopped }

// Err returns why the clock stopped, nil while it has not.
func (c *Clock) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// Stop ends the simulation; nil stands for ErrStopped. The first cause stays.
func (c *Clock) Stop(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause != nil {
		return
	}
	if c.cause = cause; cause == nil {
		c.cause = ErrStopped
	}
	close(c.stopped)
}

// alone lets one virtual clock run at a time.
var alone sync.Mutex

// Run makes time pass until all actors have returned, and then returns nil. It
// can be called again after more actors have been started. When a limit is
// reached, or nothing can happen any more, it stops the clock, gives the actors
// a moment to give up, and returns a *LimitError or a *DeadlockError. A context
// that ends stops the clock as well.
func (c *Clock) Run(ctx context.Context) error {
	if err := c.Err(); err != nil {
		return err
	}
	release := context.AfterFunc(ctx, func() { c.Stop(context.Cause(ctx)) })
	defer release()
	if c.real {
		return c.runReal()
	}
	alone.Lock()
	defer alone.Unlock()
	if n := runtime.GOMAXPROCS(1); n != 1 {
		defer runtime.GOMAXPROCS(n)
	}
	return c.runVirtual()
}

func (c *Clock) runVirtual() error {
	deadline := time.Now().Add(c.limit.Wall)
	rest := newRest(deadline)
	burst := 0
	for {
		if !rest.settle() {
			return c.giveUp(func(at time.Duration, w []string) error {
				return &LimitError{c.limit.Wall.String() + " of real time", at, w}
			})
		}
		c.mu.Lock()
		switch {
		case c.cause != nil:
			c.mu.Unlock()
			return c.giveUp(nil)
		case c.actors == 0:
			c.mu.Unlock()
			return nil
		case len(c.events) == 0:
			c.mu.Unlock()
			return c.giveUp(func(at time.Duration, w []string) error { return &DeadlockError{at, w} })
		}
		e := heap.Pop(&c.events).(*Event)
		if e.when.After(c.now) {
			c.now, burst = e.when, 0
		}
		burst++
		c.count++
		over, now := burst > c.limit.Burst, c.now
		c.mu.Unlock()
		switch {
		case over:
			return c.giveUp(func(at time.Duration, w []string) error {
				return &LimitError{fmt.Sprintf("%d events at one instant", c.limit.Burst), at, w}
			})
		case now.Sub(c.start) > c.limit.Virtual:
			return c.giveUp(func(at time.Duration, w []string) error {
				return &LimitError{c.limit.Virtual.String() + " of simulated time", at, w}
			})
		}
		e.f()
	}
}

// patience is how long actors may take, in real time, to notice that the clock
// has stopped.
const patience = 5 * time.Second

// giveUp stops the clock with an error, nil if it is stopped already, and waits
// for the actors.
func (c *Clock) giveUp(explain func(at time.Duration, waits []string) error) error {
	if explain != nil {
		c.mu.Lock()
		err := explain(c.now.Sub(c.start), c.waitsLocked())
		c.mu.Unlock()
		c.Stop(err)
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		c.mu.Lock()
		left := c.started
		c.mu.Unlock()
		if left == 0 {
			return c.Err()
		}
		select {
		case <-c.changed:
		case <-late.C:
			return c.Err()
		}
	}
}

// runReal runs events when their time has come.
func (c *Clock) runReal() error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		c.mu.Lock()
		var e *Event
		wait := time.Hour
		switch {
		case c.cause != nil:
			c.mu.Unlock()
			return c.giveUp(nil)
		case c.actors == 0:
			c.mu.Unlock()
			return nil
		case len(c.events) > 0:
			if wait = time.Until(c.events[0].when); wait <= 0 {
				e = heap.Pop(&c.events).(*Event)
				c.count++
			}
		}
		c.mu.Unlock()
		if e != nil {
			e.f()
			continue
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-c.changed:
		case <-c.stopped:
		}
	}
}

// rest tells when no goroutine can run. The counters are the scheduler's own;
// with GOMAXPROCS at 1 the caller is the one that runs.
type rest struct {
	samples  [2]metrics.Sample
	deadline time.Time
}

func newRest(deadline time.Time) *rest {
	r := &rest{deadline: deadline}
	r.samples[0].Name = "/sched/goroutines/runnable:goroutines"
	r.samples[1].Name = "/sched/goroutines/running:goroutines"
	return r
}

// settle lets the others run until all have come to rest. It reports false
// when that did not happen before the deadline.
func (r *rest) settle() bool {
	for i := 1; ; i++ {
		runtime.Gosched()
		metrics.Read(r.samples[:])
		if r.samples[0].Value.Uint64() == 0 && r.samples[1].Value.Uint64() <= 1 {
			return true
		}
		// Whoever never rests has 10 ms each time, until the scheduler takes over.
		if i%16 == 0 && time.Now().After(r.deadline) {
			return false
		}
	}
}
