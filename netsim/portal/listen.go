package portal

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"github.com/ftpconform/ftpconform/internal/host"
	simhost "github.com/ftpconform/ftpconform/netsim/host"
)

// listener is where the server is expected, or was when the portal looked last.
// One that could not be had has no net.Listener, and is not tried again.
type listener struct {
	net.Listener
}

// poll listens where the server is expected by now, and nowhere else.
func (p *Portal) poll() {
	if p.o.Expected == nil {
		return
	}
	p.polling.Lock()
	defer p.polling.Unlock()
	want := p.o.Expected()
	for at, l := range p.listeners {
		if !slices.Contains(want, at) {
			l.close()
			p.mu.Lock()
			delete(p.listeners, at)
			p.mu.Unlock()
		}
	}
	for _, at := range want {
		if p.listeners[at] == nil && p.ctx.Err() == nil {
			l := p.listen(at)
			p.mu.Lock()
			p.listeners[at] = l
			p.mu.Unlock()
		}
	}
}

// Taken reports whether somebody else uses an endpoint of this machine, so that
// the server could not be let in there: it is for the gateway in front of the
// server, see gateway.Options. Whoever takes it after that is a hitch.
func (p *Portal) Taken(at netip.AddrPort) bool {
	p.mu.Lock()
	own := p.listeners[at]
	p.mu.Unlock()
	if own != nil {
		return own.Listener == nil
	}
	l, err := p.o.Network.Listen(p.ctx, at)
	if err == nil {
		_ = l.Close() // it has told what it was for
	}
	return errors.Is(err, syscall.EADDRINUSE)
}

func (l *listener) close() {
	if l.Listener != nil {
		_ = l.Close() // nothing can be done about it any more
	}
}

// listen waits for the server at an endpoint of this machine, until the listener
// is closed or the portal is.
func (p *Portal) listen(at netip.AddrPort) *listener {
	l, err := p.o.Network.Listen(p.ctx, at)
	if err != nil {
		p.hitch("the gateway expects the server at %v, but this machine cannot listen there: %v", at, err)
		return &listener{}
	}
	stop := context.AfterFunc(p.ctx, func() { _ = l.Close() })
	p.goes(func() {
		defer stop()
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if !p.goes(func() { p.arrive(conn, at) }) {
				reset(conn)
			}
		}
	})
	return &listener{l}
}

// arrive lets the server into the simulated network. To anybody else the gateway
// would say no; he has no address there from which he could be told.
func (p *Portal) arrive(out net.Conn, at netip.AddrPort) {
	from := host.AddrPort(out.RemoteAddr())
	if !p.stands(from.Addr()) {
		p.log("%v connects to %v, where the gateway expects the server, and is sent away", from, at)
		reset(out)
		return
	}
	done := p.admit()
	if done == nil {
		p.hitch("the server connects from %v to %v, and is sent away: there are %d connections already", from, at, maxConns)
		reset(out)
		return
	}
	defer done()
	ctx, cancel := context.WithTimeout(p.ctx, dialBound)
	defer cancel()
	in, err := p.host.Dial(ctx, from, at)
	p.poll() // it has been used up
	if err != nil {
		p.log("the server connects from %v to %v, and is refused: %v", from, at, err)
		reset(out)
		return
	}
	p.relay(in.(*simhost.Conn), out) // nothing else is dialled by a simulated host
}

// stands reports whether the host stands for an address.
func (p *Portal) stands(a netip.Addr) bool {
	return slices.ContainsFunc(p.host.Addrs(), func(own netip.Prefix) bool { return own.Addr() == a })
}
