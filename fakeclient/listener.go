package fakeclient

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
)

// Listener waits for data connections of the server.
type Listener struct {
	// Name is "listener 1", "listener 2", …
	Name string
	// Endpoint is what to announce.
	Endpoint netip.AddrPort

	client   *Client
	listener net.Listener
	conns    chan *Data
}

// maxAccepted bounds the connections that wait to be looked at.
const maxAccepted = 256

// Listen opens a local endpoint for the server; port 0 leaves the choice to
// the host.
func (c *Client) Listen(local netip.AddrPort) (*Listener, error) {
	name := numbered("listener", c.next(&c.listeners))
	ln, err := c.net.Listen(c.ctx, local)
	if err != nil {
		c.trace.Add(name, ByHarness, KindFailed, err.Error())
		return nil, fmt.Errorf("listen on %s: %w", local, err)
	}
	if !c.keep(ln) {
		return nil, net.ErrClosed
	}
	l := &Listener{Name: name, client: c, listener: ln, conns: make(chan *Data, maxAccepted),
		Endpoint: host.AddrPort(ln.Addr())}
	c.trace.Add(name, ByClient, KindListen, l.Endpoint.String())
	c.spawn(l.accept)
	return l, nil
}

func (l *Listener) accept() {
	defer close(l.conns)
	for {
		conn, err := l.listener.Accept()
		if err != nil {
			return
		}
		if !l.client.keep(conn) {
			return
		}
		d := l.client.newData(numbered("data", l.client.next(&l.client.datas)), conn)
		l.client.trace.Add(d.Name, ByServer, KindAccept, fmt.Sprintf("%s on %s", d.Remote, l.Endpoint))
		select {
		case l.conns <- d:
		default:
			_ = d.Close() // a flood of connections is not served
		}
	}
}

// Accept waits for a connection; ErrTimeout says that none came.
func (l *Listener) Accept(bound time.Duration) (*Data, error) {
	d, err := wait(l.client, l.conns, bound)
	if errors.Is(err, ErrTimeout) {
		l.client.trace.Add(l.Name, ByHarness, KindSilence, "nobody connected for "+bound.String())
	}
	return d, err
}

// acceptLag is how much later than a reply a connection that was made before
// it may show, because two sockets are read by two goroutines.
const acceptLag = time.Second

// Await waits for the server to connect or to give its final reply, whichever
// comes first. It returns the connection, or nil and the final reply, and the
// preliminary replies that came before; a very short transfer gives both. A
// client that waits for one of the two alone can wait for ever.
func (l *Listener) Await(k *Control, bound time.Duration) (d *Data, final *Received, preliminary []Received, err error) {
	expired := make(chan struct{})
	stop := l.client.clock.AfterFunc(bound, func() { close(expired) })
	defer stop()
	for {
		select {
		case d, ok := <-l.conns:
			if !ok {
				return nil, nil, preliminary, net.ErrClosed
			}
			return d, nil, preliminary, nil
		case in, ok := <-k.replies:
			switch {
			case !ok:
				return nil, nil, preliminary, k.explain(ErrClosed)
			case in.err != nil:
				return nil, nil, preliminary, in.err
			case in.reply.Positive(): // there was a connection, or the reply lies
				d, _ := wait(l.client, l.conns, acceptLag)
				return d, &in.reply, preliminary, nil
			case !in.reply.Preliminary():
				d, _ := wait(l.client, l.conns, 0)
				return d, &in.reply, preliminary, nil
			}
			preliminary = append(preliminary, in.reply)
		case <-expired:
			l.client.trace.Add(l.Name, ByHarness, KindSilence, "no connection and no reply for "+bound.String())
			return nil, nil, preliminary, fmt.Errorf("%w of %v", ErrTimeout, bound)
		case <-l.client.ctx.Done():
			return nil, nil, preliminary, l.client.Err()
		}
	}
}

// Close closes the port; connections that were accepted stay open.
func (l *Listener) Close() error {
	l.client.trace.Add(l.Name, ByClient, KindClose, "")
	l.client.forget(l.listener)
	return l.listener.Close()
}
