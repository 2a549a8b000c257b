package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/waiter"
)

// Conn is a TCP connection of a Host. Besides net.Conn it has the methods of
// *net.TCPConn that servers and clients of FTP need, and urgent data.
type Conn struct {
	host          *Host
	ep            tcpip.Endpoint
	local, remote netip.AddrPort
	closed        chan struct{}
	closing       sync.Once
	in, out       *gate
	reading       sync.Mutex
	writing       sync.Mutex
	sent          atomic.Int64 // octets given to the stack
	read          atomic.Int64 // octets taken from the stack
}

var _ net.Conn = (*Conn)(nil)

func (h *Host) newConn(ep tcpip.Endpoint, queue *waiter.Queue) (*Conn, tcpip.Error) {
	l, err := ep.GetLocalAddress()
	if err != nil {
		return nil, err
	}
	r, err := ep.GetRemoteAddress()
	if err != nil {
		return nil, err
	}
	c := &Conn{host: h, ep: ep, local: endpoint(l), remote: endpoint(r), closed: make(chan struct{})}
	c.in = newGate(h.Node, queue, waiter.ReadableEvents, c.closed)
	c.out = newGate(h.Node, queue, waiter.WritableEvents, c.closed)
	return c, nil
}

// Read implements net.Conn.
func (c *Conn) Read(b []byte) (int, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	for {
		if err := c.in.late(); err != nil {
			return 0, c.failed("read", err)
		}
		if len(b) == 0 {
			return 0, nil
		}
		w := tcpip.SliceWriter(b)
		res, err := c.ep.Read(&w, tcpip.ReadOptions{})
		switch err.(type) {
		case nil:
			c.read.Add(int64(res.Count))
			c.ep.ModerateRecvBuf(res.Count)
			return res.Count, nil
		case *tcpip.ErrClosedForReceive:
			return 0, io.EOF
		case *tcpip.ErrWouldBlock:
		default:
			if res.Count > 0 {
				return res.Count, nil
			}
			return 0, opError("read", "read", c.local, c.remote, err)
		}
		if err := c.in.wait(context.Background(), c.describe("data from")); err != nil {
			return 0, c.failed("read", err)
		}
	}
}

// Write implements net.Conn. What is written at once goes out as one segment
// if it fits one and the window is open: there is no Nagle algorithm.
func (c *Conn) Write(b []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.write(b)
}

func (c *Conn) write(b []byte) (int, error) {
	done := 0
	for {
		if err := c.out.late(); err != nil {
			return done, c.failed("write", err)
		}
		if done == len(b) {
			return done, nil
		}
		n, err := c.ep.Write(bytes.NewReader(b[done:]), tcpip.WriteOptions{})
		done += int(n)
		c.sent.Add(n)
		switch err.(type) {
		case nil:
			continue
		case *tcpip.ErrWouldBlock:
		default:
			return done, opError("write", "write", c.local, c.remote, err)
		}
		if err := c.out.wait(context.Background(), c.describe("room to send to")); err != nil {
			return done, c.failed("write", err)
		}
	}
}

func (c *Conn) failed(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: tcpAddr(c.local), Addr: tcpAddr(c.remote), Err: err}
}

func (c *Conn) describe(what string) string {
	return fmt.Sprintf("%s %s for %s %s", c.host.name, c.local, what, c.remote)
}

// Close implements net.Conn: orderly, unless SetLinger(0) was called, or
// octets are left unread.
func (c *Conn) Close() error {
	err := c.failed("close", net.ErrClosed)
	c.closing.Do(func() {
		close(c.closed)
		c.in.setDeadline(time.Time{})
		c.out.setDeadline(time.Time{})
		c.ep.Close()
		err = nil
	})
	return err
}

// CloseWrite sends FIN; reading goes on.
func (c *Conn) CloseWrite() error {
	if err := c.ep.Shutdown(tcpip.ShutdownWrite); err != nil {
		return opError("close", "shutdown", c.local, c.remote, err)
	}
	return nil
}

// SetLinger is that of *net.TCPConn; with 0, Close sends RST.
func (c *Conn) SetLinger(seconds int) error {
	c.ep.SocketOptions().SetLinger(tcpip.LingerOption{Enabled: seconds >= 0, Timeout: time.Duration(max(seconds, 0)) * time.Second})
	return nil
}

// SetReadBuffer is that of *net.TCPConn.
func (c *Conn) SetReadBuffer(octets int) error {
	c.ep.SocketOptions().SetReceiveBufferSize(int64(octets), true)
	return nil
}

// SetWriteBuffer is that of *net.TCPConn.
func (c *Conn) SetWriteBuffer(octets int) error {
	c.ep.SocketOptions().SetSendBufferSize(int64(octets), true)
	return nil
}

// SetNoDelay is that of *net.TCPConn; true is the default.
func (c *Conn) SetNoDelay(on bool) error {
	c.ep.SocketOptions().SetDelayOption(!on)
	return nil
}

// LocalAddr implements net.Conn.
func (c *Conn) LocalAddr() net.Addr { return tcpAddr(c.local) }

// RemoteAddr implements net.Conn.
func (c *Conn) RemoteAddr() net.Addr { return tcpAddr(c.remote) }

// SetDeadline implements net.Conn; the time is that of the network's clock.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.set(c.in, t) }

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.set(c.out, t) }

func (c *Conn) set(g *gate, t time.Time) error {
	select {
	case <-c.closed:
		return c.failed("set", net.ErrClosed)
	default:
		g.setDeadline(t)
		return nil
	}
}
