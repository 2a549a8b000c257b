// Package fakeclient is a client that says exactly the octets it is told to
// say, in the TCP segments and at the times it is told, and records all it
// sees: every line of the control connection, every connection made or
// accepted for data, first octets, ends and resets. It has no opinion about
// what a server ought to do; package suites has.
//
// A Client and what it opens belong to one goroutine, the check; the trace
// may be read from others. Every call that waits takes a bound and ends
// within it. Close ends every goroutine that was started.
//
// Sources: RFC 959 for what travels on which connection; RFC 854 for the
// Telnet Synch that SendUrgent makes possible.
package fakeclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
)

// Network and Clock are what a client needs of its machine.
type (
	// Network dials and listens; see host.Network.
	Network = host.Network
	// Clock tells the time; see host.Clock.
	Clock = host.Clock
)

// Errors of waiting. They tell what did not happen; a test of errors.Is
// tells them from a broken connection.
var (
	// ErrTimeout says that nothing came within the bound.
	ErrTimeout = errors.New("nothing came within the bound")
	// ErrClosed says that the peer ended the connection.
	ErrClosed = errors.New("connection closed by the server")
	// ErrFlood says that the server sent more than any reply can be, and that
	// reading was stopped.
	ErrFlood = errors.New("the server sends without end")
)

// Options of a Client; the zero value uses the operating system.
type Options struct {
	Network Network // default: the operating system's
	Clock   Clock   // default: the operating system's
	// Trace receives all events; default: a new one.
	Trace *Trace
	// DialBound bounds every connection attempt; default 30 s.
	DialBound time.Duration
}

// Client opens connections and keeps account of them.
type Client struct {
	net   Network
	clock Clock
	trace *Trace
	bound time.Duration

	// ctx ends when the client is closed, and with it every wait.
	ctx    context.Context
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup

	mu        sync.Mutex
	open      map[interface{ Close() error }]bool
	controls  int
	datas     int
	listeners int
}

// New makes a client; it performs no I/O. The context bounds its whole life.
func New(ctx context.Context, o Options) *Client {
	c := &Client{net: o.Network, clock: o.Clock, trace: o.Trace, bound: o.DialBound,
		open: map[interface{ Close() error }]bool{}}
	if c.net == nil {
		c.net = host.OS{}
	}
	if c.clock == nil {
		c.clock = host.RealTime{}
	}
	if c.trace == nil {
		c.trace = NewTrace(c.clock)
	}
	if c.bound == 0 {
		c.bound = 30 * time.Second
	}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	return c
}

// Trace returns the record of the client.
func (c *Client) Trace() *Trace { return c.trace }

// Close closes whatever is open and waits for the client's goroutines.
func (c *Client) Close() {
	c.cancel(net.ErrClosed)
	c.mu.Lock()
	for s := range c.open {
		_ = s.Close() // it may be closed already
	}
	c.open = nil
	c.mu.Unlock()
	c.wg.Wait()
}

// errExpired is the cause of the end of a client's life by Expire.
var errExpired = errors.New("the time for this check is over")

// Expire ends every wait of the client from another goroutine: for the one
// who watches over it. The client must still be closed.
func (c *Client) Expire() { c.cancel(errExpired) }

// Expired reports whether Expire ended the client's life.
func (c *Client) Expired() bool { return errors.Is(c.Err(), errExpired) }

// Sleep waits for d or the end of the client's life.
func (c *Client) Sleep(d time.Duration) { _ = c.clock.Sleep(c.ctx, d) }

// Err returns the reason why the client's life ended, or nil.
func (c *Client) Err() error { return context.Cause(c.ctx) }

// keep registers a socket for Close; it reports false, and closes the socket,
// when the client is closed already.
func (c *Client) keep(s interface{ Close() error }) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil {
		_ = s.Close()
		return false
	}
	c.open[s] = true
	return true
}

func (c *Client) forget(s interface{ Close() error }) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, s)
}

// spawn runs f in a goroutine that Close waits for. A panic in it is recorded
// and ends that goroutine only.
func (c *Client) spawn(f func()) {
	c.wg.Go(func() {
		defer func() {
			if p := recover(); p != nil {
				c.trace.Note("panic in the client: %v", p)
			}
		}()
		f()
	})
}

// dial opens a connection and records the attempt. With no local address the
// host chooses; the address alone may be given, with port 0.
func (c *Client) dial(name string, local, remote netip.AddrPort) (net.Conn, error) {
	from := ""
	if local.Addr().IsValid() || local.Port() != 0 {
		from = " from " + local.String()
	}
	c.trace.Add(name, ByClient, KindDial, remote.String()+from)
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	stop := c.clock.AfterFunc(c.bound, cancel)
	defer stop()
	conn, err := c.net.Dial(ctx, local, remote)
	if err != nil {
		if ctx.Err() != nil && c.ctx.Err() == nil {
			err = fmt.Errorf("%w of %v: %w", ErrTimeout, c.bound, err)
		}
		c.trace.Add(name, ByServer, KindFailed, err.Error())
		return nil, fmt.Errorf("dial %s: %w", remote, err)
	}
	if !c.keep(conn) {
		return nil, net.ErrClosed
	}
	c.trace.Add(name, ByServer, KindConnected, fmt.Sprintf("%s to %s",
		host.AddrPort(conn.LocalAddr()), host.AddrPort(conn.RemoteAddr())))
	return conn, nil
}

// numbered names the n-th thing of its kind; the first control connection of
// a client is just "control".
func numbered(kind string, n int) string {
	if kind == "control" && n == 1 {
		return kind
	}
	return fmt.Sprintf("%s %d", kind, n)
}

func (c *Client) next(counter *int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	*counter++
	return *counter
}

// wait receives from ch within the bound.
func wait[T any](c *Client, ch <-chan T, bound time.Duration) (T, error) {
	var zero T
	select { // what is there already needs no timer
	case v, ok := <-ch:
		if !ok {
			return zero, ErrClosed
		}
		return v, nil
	default:
	}
	expired := make(chan struct{})
	stop := c.clock.AfterFunc(bound, func() { close(expired) })
	defer stop()
	select {
	case v, ok := <-ch:
		if !ok {
			return zero, ErrClosed
		}
		return v, nil
	case <-expired:
		return zero, fmt.Errorf("%w of %v", ErrTimeout, bound)
	case <-c.ctx.Done():
		return zero, context.Cause(c.ctx)
	}
}
