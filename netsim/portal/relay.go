package portal

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"

	"github.com/ftpconform/ftpconform/internal/host"
	simhost "github.com/ftpconform/ftpconform/netsim/host"
)

// buffer is what a connection may hold on this machine in each direction, so that
// one that stalls at one end soon stalls at the other as well.
const buffer = 128 << 10

// chunk is what is passed on at a time.
const chunk = 32 << 10

// relay passes on what two connections say until both have ended.
func (p *Portal) relay(in *simhost.Conn, out net.Conn) {
	if b, ok := out.(interface {
		SetReadBuffer(n int) error
		SetWriteBuffer(n int) error
	}); ok {
		_ = b.SetReadBuffer(buffer) // it holds more otherwise, and works all the same
		_ = b.SetWriteBuffer(buffer)
	}
	_ = in.SetWriteBuffer(buffer)
	both := func() {
		reset(in)
		reset(out)
	}
	defer context.AfterFunc(p.ctx, both)()
	var wg sync.WaitGroup
	pass := func(f func() error) {
		wg.Add(1)
		if !p.goes(func() {
			defer wg.Done()
			if f() != nil {
				both()
			}
		}) {
			wg.Done()
		}
	}
	pass(func() error { return p.up(in, out) })
	pass(func() error { return down(out, in) })
	wg.Wait()
	_ = in.Close()
	_ = out.Close()
}

// up passes on what comes from the simulated network. Before each piece the
// portal listens where its gateway expects the server by now: the piece may be
// what tells the server so.
func (p *Portal) up(in *simhost.Conn, out net.Conn) error {
	b := make([]byte, chunk)
	for {
		n, urgent, err := in.ReadUrgent(b)
		if n > 0 {
			p.poll()
			if err := send(out, b[:urgent], b[urgent:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return ended(err, out)
		}
	}
}

// send writes octets, of which the last of the first ones is urgent, if there are
// any.
func send(out net.Conn, urgent, rest []byte) error {
	if len(urgent) > 0 {
		if err := host.SendUrgent(out, urgent); err != nil {
			return err
		}
	}
	if len(rest) == 0 {
		return nil
	}
	_, err := out.Write(rest)
	return err
}

// down passes on what comes from the server.
func down(out net.Conn, in *simhost.Conn) error {
	b := make([]byte, chunk)
	for {
		n, err := out.Read(b)
		if n > 0 {
			if _, err := in.Write(b[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return ended(err, in)
		}
	}
}

// ended lets the other end have the end of a stream; any other end than an orderly
// one is an error.
func ended(err error, to net.Conn) error {
	if !errors.Is(err, io.EOF) {
		return err
	}
	if c, ok := to.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return errNoHalf
}

var errNoHalf = errors.New("the connection cannot be closed in one direction")

// reset ends a connection with RST.
func reset(c net.Conn) {
	if l, ok := c.(interface{ SetLinger(sec int) error }); ok {
		_ = l.SetLinger(0) // then it ends with FIN
	}
	_ = c.Close()
}
