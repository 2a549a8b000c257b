// Package clock is the one clock of a simulated network. In virtual time it
// runs one event after the other, a packet that arrives, a timer that fires, a
// waiter that is woken, and moves on to the next event's time only when every
// goroutine has come to rest: 127 s of SYN retries pass in microseconds, and
// two runs with one seed are the same, packet for packet. In real time the
// same events run when their time has come, for networks with real processes.
//
// Rest is read from the scheduler's own counters (runtime/metrics), which is
// sound while GOMAXPROCS is 1: a virtual clock sets that while it runs, and
// only one runs at a time in a process; others wait for it. Goroutines that do
// other work at the same time delay a virtual clock and do not change what
// happens. Two things would escape it, and must not be done by code that lives
// in virtual time: waiting for a real timer, and waiting in a system call.
//
// All methods may be called from any goroutine.
package clock

import (
	"container/heap"
	"context"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"
)

// Options of a Clock; the zero value is a virtual clock with seed 0.
type Options struct {
	// Real makes the clock the operating system's.
	Real bool
	// Seed is the source of all randomness that Rand hands out.
	Seed uint64
	// Start is the virtual time at the beginning; default 1 January 2026, UTC.
	Start time.Time
	Limits
}

// Limits stop a simulation that does not end by itself; zero values mean the
// defaults.
type Limits struct {
	// Wall bounds the real time of Run; default 60 s.
	Wall time.Duration
	// Virtual bounds the virtual time of Run; default 48 h.
	Virtual time.Duration
	// Burst bounds the events at one instant; default 100,000.
	Burst int
}

// Clock is a virtual or a real clock. Only Run moves virtual time.
type Clock struct {
	real  bool
	seed  uint64
	limit Limits
	start time.Time

	mu      sync.Mutex
	now     time.Time
	events  queue
	seq     uint64
	nodes   int
	actors  int // all that have not returned
	started int // those of them that have begun
	waits   map[*waiting]bool
	stopped chan struct{}
	cause   error         // why it stopped
	changed chan struct{} // wakes a real clock's loop
	count   uint64
}

// New makes a clock. Nothing happens until Run.
func New(o Options) *Clock {
	c := &Clock{real: o.Real, seed: o.Seed, limit: o.Limits, start: o.Start, waits: map[*waiting]bool{},
		stopped: make(chan struct{}), changed: make(chan struct{}, 1)}
	if c.start.IsZero() {
		c.start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if c.real {
		c.start = time.Now()
	}
	if c.limit.Wall == 0 {
		c.limit.Wall = time.Minute
	}
	if c.limit.Virtual == 0 {
		c.limit.Virtual = 48 * time.Hour
	}
	if c.limit.Burst == 0 {
		c.limit.Burst = 100_000
	}
	c.now = c.start
	return c
}

// Virtual reports whether time is simulated.
func (c *Clock) Virtual() bool { return !c.real }

// Now returns the current time.
func (c *Clock) Now() time.Time {
	if c.real {
		return time.Now()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Start returns the time at which the clock began.
func (c *Clock) Start() time.Time { return c.start }

// Events returns the number of events that have been run.
func (c *Clock) Events() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count
}

// Rand returns a source of randomness that depends on the seed and the name
// alone. It is not safe for concurrent use.
func (c *Clock) Rand(name string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash takes everything
	return rand.New(rand.NewPCG(c.seed, h.Sum64()))
}

// Node is a part of the network with events of its own. Events of the same
// instant run in the order in which their nodes were made.
type Node struct {
	*Clock
	id int
}

// Node makes a node.
func (c *Clock) Node() *Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes++
	return &Node{c, c.nodes}
}

// Event is something that will happen.
type Event struct {
	clock *Clock
	when  time.Time
	node  int
	seq   uint64
	index int // in the queue; -1 when it is not there
	f     func()
}

// Schedule makes f happen after d, on the goroutine of Run. It must not block.
func (n *Node) Schedule(d time.Duration, f func()) *Event {
	e := &Event{clock: n.Clock, node: n.id, index: -1, f: f}
	e.Reset(d)
	return e
}

// Reset moves the event to d from now, whether it has happened or not.
func (e *Event) Reset(d time.Duration) {
	c := e.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.index >= 0 {
		heap.Remove(&c.events, e.index)
	}
	now := c.now
	if c.real {
		now = time.Now()
	}
	c.seq++
	e.when, e.seq = now.Add(max(d, 0)), c.seq
	heap.Push(&c.events, e)
	if c.real {
		select {
		case c.changed <- struct{}{}:
		default:
		}
	}
}

// Stop cancels the event and reports whether it came in time.
func (e *Event) Stop() bool {
	c := e.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.index < 0 {
		return false
	}
	heap.Remove(&c.events, e.index)
	return true
}

// AfterFunc implements host.Clock: f gets a goroutine of its own.
func (n *Node) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return n.Schedule(d, func() { go f() }).Stop
}

// Sleep implements host.Clock. When the clock stops, it returns the reason.
func (n *Node) Sleep(ctx context.Context, d time.Duration) error {
	defer n.Waiting("for " + d.String() + " to pass")()
	woken := make(chan struct{})
	e := n.Schedule(d, func() { close(woken) })
	defer e.Stop()
	select {
	case <-woken:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-n.Stopped():
		return n.Err()
	}
}

// queue is a heap of events in the order in which they happen.
type queue []*Event

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	a, b := q[i], q[j]
	if !a.when.Equal(b.when) {
		return a.when.Before(b.when)
	}
	if a.node != b.node {
		return a.node < b.node
	}
	return a.seq < b.seq
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *queue) Push(x any) {
	e := x.(*Event)
	e.index = len(*q)
	*q = append(*q, e)
}

func (q *queue) Pop() any {
	old := *q
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*q, e.index = old[:len(old)-1], -1
	return e
}
