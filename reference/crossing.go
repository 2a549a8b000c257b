package reference

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// crossing is Faults.CrossesSessions: the passive set-ups that have been
// connected to, over all sessions, in the order of the connections.
type crossing struct {
	mu      sync.Mutex
	waiting []waiting
}

type waiting struct {
	client netip.Addr
	p      *passive
}

// arrived notes a connection of a client host.
func (c *crossing) arrived(client netip.Addr, p *passive) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = append(c.waiting, waiting{client: client, p: p})
}

// take returns the oldest connection of the client host. It gives p's own
// connection a second to arrive, so that a lone session works.
func (c *crossing) take(ctx context.Context, p *passive) (net.Conn, error) {
	const step = 20 * time.Millisecond
	for waited := time.Duration(0); ; waited += step {
		if p.connected() || waited >= time.Second {
			if conn := c.oldest(p.s.remote.Addr()); conn != nil {
				return conn, nil
			}
		}
		if err := p.s.o.Clock.Sleep(ctx, step); err != nil {
			return nil, err
		}
	}
}

// oldest takes the first connection that is still there.
func (c *crossing) oldest(client netip.Addr) net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := 0; i < len(c.waiting); {
		w := c.waiting[i]
		if w.client != client {
			i++
			continue
		}
		c.waiting = slices.Delete(c.waiting, i, i+1)
		select {
		case conn := <-w.p.ready:
			return conn
		default: // closed with its set-up
		}
	}
	return nil
}
