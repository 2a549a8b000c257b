package reference

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
)

// passive is one passive set-up: a listener and the one connection that it
// takes. A goroutine accepts until the listener is closed: a stranger is
// turned away at once and the waiting goes on (RFC 2577 section 4), and so is
// everybody after the first good connection. Methods may be called from any
// goroutine.
type passive struct {
	s    *session
	at   netip.Addr
	port uint16

	ready chan net.Conn // the connection taken, until a transfer gets it

	mu       sync.Mutex
	listener net.Listener // nil before it is open and after it is closed
	closed   bool
	taken    bool
	more     []net.Conn // for Faults.ServesEveryConnection
}

// listen opens a passive set-up on an address of this host.
func (s *session) listen(at netip.Addr) (*passive, error) {
	l, err := s.openPort(at)
	if err != nil {
		return nil, err
	}
	p := &passive{s: s, at: at, port: host.AddrPort(l.Addr()).Port(), ready: make(chan net.Conn, 1)}
	if s.o.Faults.PASVListensLate {
		l.Close()
		return p, nil
	}
	p.start(l)
	return p, nil
}

// openLate opens the listener of Faults.PASVListensLate.
func (p *passive) openLate() error {
	l, err := p.s.o.Network.Listen(p.s.ctx, netip.AddrPortFrom(p.at, p.port))
	if err != nil {
		return fmt.Errorf("listen late: %w", err)
	}
	p.start(l)
	return nil
}

// start accepts in a goroutine of the server, because a fault may make the
// listener outlive its session.
func (p *passive) start(l net.Listener) {
	p.mu.Lock()
	p.listener = l
	p.mu.Unlock()
	if !p.s.srv.spawn(func() { p.accept(l) }) {
		l.Close()
	}
}

func (p *passive) accept(l net.Listener) {
	defer l.Close()
	for {
		conn, err := l.Accept()
		switch {
		case temporary(err):
			if p.s.o.Clock.Sleep(p.s.ctx, 50*time.Millisecond) != nil {
				return
			}
		case err != nil:
			return
		case !p.welcome(conn):
			conn.Close()
			p.turnedAway()
		default:
			p.offer(conn)
		}
	}
}

// welcome reports whether the peer is the host of the control connection.
func (p *passive) welcome(conn net.Conn) bool {
	s := p.s
	peer := host.AddrPort(conn.RemoteAddr()).Addr()
	return peer == s.remote.Addr() || s.o.AllowForeign || s.o.Faults.PeerUnchecked
}

// turnedAway is what faults do about a stranger.
func (p *passive) turnedAway() {
	if p.s.o.Faults.StrangerReply {
		p.s.reply(425, "Security: connection from another host.")
	}
	if p.s.o.Faults.StrangerClosesSession {
		p.s.conn.Close()
	}
}

// offer keeps the first connection and closes the others.
func (p *passive) offer(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		conn.Close()
	case !p.taken:
		p.taken = true
		p.ready <- conn
		if p.s.o.Faults.CrossesSessions {
			p.s.srv.cross.arrived(p.s.remote.Addr(), p)
		}
	case p.s.o.Faults.ServesEveryConnection:
		p.more = append(p.more, conn)
	default:
		conn.Close()
	}
}

// connected reports whether a connection waits for its transfer.
func (p *passive) connected() bool { return len(p.ready) > 0 }

// take waits for the connection.
func (p *passive) take(ctx context.Context) (net.Conn, error) {
	if p.s.o.Faults.CrossesSessions {
		return p.s.srv.cross.take(ctx, p)
	}
	select {
	case conn := <-p.ready:
		return conn, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for a connection to port %d: %w", p.port, context.Cause(ctx))
	}
}

// others hands over what Faults.ServesEveryConnection has gathered.
func (p *passive) others() []net.Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	more := p.more
	p.more = nil
	return more
}

// closeListener stops accepting.
func (p *passive) closeListener() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		p.listener.Close()
		p.listener = nil
	}
}

// dropConn closes the connections that no transfer has taken.
func (p *passive) dropConn() {
	select {
	case conn := <-p.ready:
		conn.Close()
	default:
	}
	for _, conn := range p.others() {
		conn.Close()
	}
}

// Close closes everything, also what is just being accepted.
func (p *passive) Close() error {
	p.closeListener()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.dropConn()
	return nil
}
