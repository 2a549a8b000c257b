// Package portal lets a simulated network go on in this machine's sockets: a host
// of it stands for a server that is somewhere else. Who connects to that host is
// connected to the server, and where a gateway expects the server, the portal
// listens on this machine and lets it in.
//
// What passes are octets, the ends of connections and urgent marks, not packets:
// the server's own TCP ends at this machine. The network needs real time, and the
// gateway in front of the server has to have the address of this machine that the
// server sees.
package portal

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime/debug"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
	simhost "github.com/ftpconform/ftpconform/netsim/host"
)

// Options of a Portal.
type Options struct {
	// Network is that of this machine; default the operating system's.
	Network host.Network
	// Expected lists where the server is expected to connect to at the moment:
	// endpoints of this machine. nil is nowhere.
	Expected func() []netip.AddrPort
	// Log, if set, is told what happens beyond the simulated network, one line at
	// a time.
	Log func(line string)
}

// The bounds of a portal: how long this machine tries to connect, as Linux does
// by itself, and how many connections there may be.
const (
	dialBound = 2 * time.Minute
	maxConns  = 1024
)

// Portal is at work from Open to Close.
type Portal struct {
	host *simhost.Host
	o    Options
	ctx  context.Context // of all that it does, until Close
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu     sync.Mutex
	closed bool
	conns  int
	// listeners are changed by who is polling.
	listeners map[netip.AddrPort]*listener

	polling sync.Mutex // one at a time looks at what is expected
	logging sync.Mutex
	hitches []string
}

// Open lets a host stand for the server that has its addresses.
func Open(h *simhost.Host, o Options) *Portal {
	if o.Network == nil {
		o.Network = host.OS{}
	}
	p := &Portal{host: h, o: o, listeners: map[netip.AddrPort]*listener{}}
	p.ctx, p.stop = context.WithCancel(context.Background())
	h.Forward(func(r *simhost.Request) {
		if !p.goes(func() { p.request(r) }) {
			r.Refuse()
		}
	})
	return p
}

// Close ends everything that goes through the portal.
func (p *Portal) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.stop()
	p.wg.Wait()
}

// goes runs f in a goroutine; it reports false when the portal is closed. A panic
// in it ends f alone.
func (p *Portal) goes(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.wg.Go(func() {
		defer func() {
			if e := recover(); e != nil {
				p.log("the portal panicked: %v\n%s", e, debug.Stack())
			}
		}()
		f()
	})
	return true
}

func (p *Portal) log(format string, args ...any) {
	if p.o.Log != nil {
		p.logging.Lock()
		defer p.logging.Unlock()
		p.o.Log(fmt.Sprintf(format, args...))
	}
}

// hitch logs something that this machine could not do for the network.
func (p *Portal) hitch(format string, args ...any) {
	p.log(format, args...)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hitches = append(p.hitches, fmt.Sprintf(format, args...))
}

// Hitches lists what this machine could not do for the network so far. What goes
// wrong at such a time need not be the server's fault.
func (p *Portal) Hitches() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.hitches)
}

// admit counts a connection; the function that it returns has to be called at its
// end, and is nil when there are too many.
func (p *Portal) admit() (done func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conns == maxConns {
		return nil
	}
	p.conns++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.conns--
	}
}

// request connects somebody in the simulated network to the server, from the
// address that he has there: it is one of this machine's.
func (p *Portal) request(r *simhost.Request) {
	done := p.admit()
	if done == nil {
		p.hitch("%v is refused: there are %d connections already", r.From, maxConns)
		r.Refuse()
		return
	}
	defer done()
	ctx, cancel := context.WithTimeout(p.ctx, dialBound)
	defer cancel()
	out, err := p.o.Network.Dial(ctx, netip.AddrPortFrom(r.From.Addr(), 0), r.To)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		r.Refuse()
		return
	case err != nil:
		if p.ctx.Err() == nil {
			p.log("this machine gets no connection from %v to %v: %v", r.From.Addr(), r.To, err)
		}
		r.Ignore()
		return
	}
	in, err := r.Accept()
	if err != nil {
		reset(out)
		return
	}
	p.relay(in, out)
}
