package host

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// open makes an endpoint, bound to a local endpoint if one is given. Local
// ports may be used again for other remote endpoints (SO_REUSEADDR).
func (h *Host) open(like netip.Addr, local netip.AddrPort) (tcpip.Endpoint, *waiter.Queue, tcpip.Error) {
	protocol := ipv4.ProtocolNumber
	if like.Is6() {
		protocol = ipv6.ProtocolNumber
	}
	queue := new(waiter.Queue)
	ep, err := h.stack.NewEndpoint(tcp.ProtocolNumber, protocol, queue)
	if err != nil {
		return nil, nil, err
	}
	ep.SocketOptions().SetReuseAddress(true)
	if local.Addr().IsValid() || local.Port() != 0 {
		if err := ep.Bind(full(local)); err != nil {
			ep.Close()
			return nil, nil, err
		}
	}
	return ep, queue, nil
}

func full(ap netip.AddrPort) tcpip.FullAddress {
	a := tcpip.FullAddress{Port: ap.Port()}
	if ap.Addr().IsValid() && !ap.Addr().IsUnspecified() {
		a.Addr = address(ap.Addr())
	}
	return a
}

// Dial implements host.Network.
func (h *Host) Dial(ctx context.Context, local, remote netip.AddrPort) (net.Conn, error) {
	remote = netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port())
	fail := func(call string, err tcpip.Error) error { return opError("dial", call, local, remote, err) }
	ep, queue, err := h.open(remote.Addr(), local)
	if err != nil {
		return nil, fail("bind", err)
	}
	closed := make(chan struct{})
	g := newGate(h.Node, queue, waiter.WritableEvents, closed)
	defer queue.EventUnregister(&g.entry)
	err = ep.Connect(full(remote))
	for {
		switch err.(type) {
		case *tcpip.ErrConnectStarted, *tcpip.ErrAlreadyConnecting:
		case nil, *tcpip.ErrAlreadyConnected:
			c, err := h.newConn(ep, queue)
			if err != nil {
				ep.Close()
				return nil, fail("connect", err)
			}
			return c, nil
		default:
			ep.Close()
			return nil, fail("connect", err)
		}
		if werr := g.wait(ctx, fmt.Sprintf("%s for a connection to %s", h.name, remote)); werr != nil {
			ep.Abort()
			return nil, &net.OpError{Op: "dial", Net: "tcp", Source: tcpAddr(local), Addr: tcpAddr(remote), Err: werr}
		}
		if err = ep.LastError(); err == nil {
			err = h.connected(ep)
		}
	}
}

// connected tells a connection that is up from one that is still on its way.
func (h *Host) connected(ep tcpip.Endpoint) tcpip.Error {
	if ep.Readiness(waiter.WritableEvents|waiter.EventHUp|waiter.EventErr) == 0 {
		return &tcpip.ErrConnectStarted{}
	}
	return nil
}

// backlog is the number of connections that wait to be accepted, as in Go on
// Linux with its old default of somaxconn.
const backlog = 128

// listener accepts connections.
type listener struct {
	host    *Host
	ep      tcpip.Endpoint
	at      netip.AddrPort
	gate    *gate
	closed  chan struct{}
	closing sync.Once
}

var _ net.Listener = (*listener)(nil)

// Listen implements host.Network. An endpoint without an address takes IPv4
// and IPv6.
func (h *Host) Listen(_ context.Context, local netip.AddrPort) (net.Listener, error) {
	like := local.Addr()
	if !like.IsValid() {
		like = netip.IPv6Unspecified()
	}
	if !local.Addr().IsValid() {
		local = netip.AddrPortFrom(like, local.Port())
	}
	ep, queue, err := h.open(like, local)
	if err == nil {
		if err = ep.Listen(backlog); err != nil {
			ep.Close()
		}
	}
	if err != nil {
		return nil, opError("listen", "bind", netip.AddrPort{}, local, err)
	}
	l := &listener{host: h, ep: ep, closed: make(chan struct{})}
	l.gate = newGate(h.Node, queue, waiter.ReadableEvents, l.closed)
	if a, err := ep.GetLocalAddress(); err == nil {
		l.at = netip.AddrPortFrom(local.Addr(), a.Port)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.listening[l] = true
	return l, nil
}

// Listens reports whether somebody listens on an endpoint.
func (h *Host) Listens(at netip.AddrPort) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listening {
		if l.at.Port() == at.Port() && (l.at.Addr() == at.Addr() || l.at.Addr().IsUnspecified()) {
			return true
		}
	}
	return false
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		if err := l.gate.late(); err != nil {
			return nil, l.failed(err)
		}
		ep, queue, err := l.ep.Accept(nil)
		switch err.(type) {
		case nil:
			c, err := l.host.newConn(ep, queue)
			if err == nil {
				return c, nil
			}
			ep.Close() // it was reset before it could be looked at
			continue
		case *tcpip.ErrWouldBlock:
		default:
			return nil, opError("accept", "accept", netip.AddrPort{}, l.at, err)
		}
		if err := l.gate.wait(context.Background(), fmt.Sprintf("%s for a connection on %s", l.host.name, l.at)); err != nil {
			return nil, l.failed(err)
		}
	}
}

func (l *listener) failed(err error) error {
	return &net.OpError{Op: "accept", Net: "tcp", Addr: tcpAddr(l.at), Err: err}
}

// SetDeadline is that of *net.TCPListener.
func (l *listener) SetDeadline(t time.Time) error {
	l.gate.setDeadline(t)
	return nil
}

// Close implements net.Listener.
func (l *listener) Close() error {
	err := l.failed(net.ErrClosed)
	l.closing.Do(func() {
		l.host.mu.Lock()
		delete(l.host.listening, l)
		l.host.mu.Unlock()
		close(l.closed)
		l.gate.setDeadline(time.Time{})
		l.ep.Close()
		err = nil
	})
	return err
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return tcpAddr(l.at) }
