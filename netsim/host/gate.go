package host

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"gvisor.dev/gvisor/pkg/waiter"

	"github.com/ftpconform/ftpconform/netsim/clock"
)

// gate is where an operation waits for its endpoint to become ready, for its
// deadline, or for the end. The stack's notification does not wake the waiter:
// it makes that an event of the clock, so that in virtual time one thing
// happens after the other.
type gate struct {
	node    *clock.Node
	closed  <-chan struct{}
	ready   chan struct{}
	pending atomic.Bool
	entry   waiter.Entry

	mu       sync.Mutex
	deadline *clock.Event
	expired  chan struct{}
}

func newGate(node *clock.Node, queue *waiter.Queue, mask waiter.EventMask, closed <-chan struct{}) *gate {
	g := &gate{node: node, closed: closed, ready: make(chan struct{}, 1), expired: make(chan struct{})}
	g.entry = waiter.NewFunctionEntry(mask|waiter.EventHUp|waiter.EventErr, func(waiter.EventMask) { g.notify() })
	queue.EventRegister(&g.entry)
	return g
}

func (g *gate) notify() {
	switch {
	case !g.node.Virtual():
		g.wake()
	case g.pending.CompareAndSwap(false, true):
		g.node.Schedule(0, func() {
			g.pending.Store(false)
			g.wake()
		})
	}
}

func (g *gate) wake() {
	select {
	case g.ready <- struct{}{}:
	default:
	}
}

// errCanceled is what package net says when a context ends an operation.
var errCanceled = errors.New("operation was canceled")

// wait returns nil when it is worth trying again.
func (g *gate) wait(ctx context.Context, what string) error {
	select { // what has happened already needs no entry in the list of waits
	case <-g.ready:
		return nil
	default:
	}
	g.mu.Lock()
	expired := g.expired
	g.mu.Unlock()
	defer g.node.Waiting(what)()
	select {
	case <-g.ready:
		return nil
	case <-expired:
		return os.ErrDeadlineExceeded
	case <-g.closed:
		return net.ErrClosed
	case <-ctx.Done():
		if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
			return err
		}
		return errCanceled
	case <-g.node.Stopped():
		return g.node.Err()
	}
}

// late reports whether the deadline has passed or the end has come, without
// waiting.
func (g *gate) late() error {
	g.mu.Lock()
	expired := g.expired
	g.mu.Unlock()
	select {
	case <-g.closed:
		return net.ErrClosed
	case <-expired:
		return os.ErrDeadlineExceeded
	default:
		return nil
	}
}

// setDeadline sets the deadline on the clock of the network; the zero time
// means none.
func (g *gate) setDeadline(t time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.deadline != nil {
		g.deadline.Stop()
		g.deadline = nil
	}
	select {
	case <-g.expired:
		g.expired = make(chan struct{})
	default:
	}
	if t.IsZero() {
		return
	}
	d, expired := t.Sub(g.node.Now()), g.expired
	if d <= 0 {
		close(expired)
		return
	}
	var e *clock.Event
	e = g.node.Schedule(d, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.deadline == e {
			close(expired)
			g.deadline = nil
		}
	})
	g.deadline = e
}
