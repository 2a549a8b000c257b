package reference

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"

	"github.com/ftpconform/ftpconform/ftp"
	"github.com/ftpconform/ftpconform/internal/host"
)

// Retrieve copies a file of the server to w as it is (TYPE I) and returns the
// number of octets.
func (c *Client) Retrieve(ctx context.Context, name string, w io.Writer) (int64, error) {
	return c.transfer(ctx, 'I', "RETR", name, func(conn net.Conn) (int64, error) { return io.Copy(w, conn) })
}

// Store copies r to a file of the server as it is (TYPE I) and returns the
// number of octets.
func (c *Client) Store(ctx context.Context, name string, r io.Reader) (int64, error) {
	return c.transfer(ctx, 'I', "STOR", name, func(conn net.Conn) (int64, error) { return io.Copy(conn, r) })
}

// maxListing bounds what List takes, in octets.
const maxListing = 64 << 20

// List returns the lines that LIST gives for a directory; an empty name means
// the current one.
func (c *Client) List(ctx context.Context, name string) ([]string, error) {
	var b strings.Builder
	_, err := c.transfer(ctx, 'A', "LIST", name, func(conn net.Conn) (int64, error) {
		return io.Copy(&b, io.LimitReader(conn, maxListing))
	})
	text := strings.TrimSuffix(b.String(), "\r\n")
	if err != nil || text == "" {
		return nil, err
	}
	return strings.Split(text, "\r\n"), nil
}

// moved is what became of a data connection.
type moved struct {
	n   int64
	err error
}

// transfer carries one transfer command out. Command, connection and data go
// on side by side: neither end waits for the other in an order that the other
// does not keep (RFC 1123 section 4.1.2.6 leaves the order of connection and
// preliminary reply open).
func (c *Client) transfer(ctx context.Context, typ byte, verb, name string, pump func(net.Conn) (int64, error)) (int64, error) {
	if c.typ != typ {
		if _, err := c.expect(ctx, 2, "TYPE", string(rune(typ))); err != nil {
			return 0, err
		}
		c.typ = typ
	}
	connect, release, err := c.setUp(ctx)
	if err != nil {
		return 0, err
	}
	defer release()
	dataCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan moved, 1)
	c.wg.Go(func() {
		m := moved{err: fmt.Errorf("panic in the transfer")}
		defer func() { _ = recover(); done <- m }()
		m = c.data(dataCtx, connect, pump)
	})
	if err := c.send(verb, name); err != nil {
		cancel()
		<-done
		return 0, err
	}
	return c.settle(ctx, verb, cancel, done)
}

// settle waits for the end of the data and the final reply, whichever comes
// first. A negative reply ends the data; the end of the data leaves the
// server Timeout for its reply.
func (c *Client) settle(ctx context.Context, verb string, cancel func(), done chan moved) (int64, error) {
	var m *moved
	for wait := ctx; ; {
		select {
		case got := <-done:
			m, done = &got, nil
			bounded, stop := c.bound(ctx)
			defer stop()
			wait = bounded
		case r, ok := <-c.replies:
			if ok && r.Preliminary() {
				continue
			}
			if !ok || !r.Positive() {
				cancel()
			}
			if m == nil {
				got := <-done
				m = &got
			}
			switch {
			case !ok:
				return m.n, fmt.Errorf("wait for the reply to %s: %w", verb, c.readErr)
			case !r.Positive():
				return m.n, fmt.Errorf("%s: %w", verb, &ftp.ReplyError{Reply: r})
			}
			return m.n, m.err
		case <-wait.Done():
			cancel()
			if m == nil {
				<-done
			}
			return 0, fmt.Errorf("wait for the end of %s: %w", verb, context.Cause(wait))
		}
	}
}

// data makes the connection and pumps.
func (c *Client) data(ctx context.Context, connect func(context.Context) (net.Conn, error), pump func(net.Conn) (int64, error)) moved {
	bounded, stop := c.bound(ctx)
	conn, err := connect(bounded)
	stop()
	if err != nil {
		return moved{err: fmt.Errorf("%w: %w", ErrNoData, err)}
	}
	d := newDataConn(conn, &Options{Clock: c.o.Clock, StallTimeout: c.o.Timeout}, false)
	defer d.Close()
	defer context.AfterFunc(ctx, func() { d.Close() })()
	n, err := pump(d)
	if err != nil {
		err = fmt.Errorf("data connection after %d octets: %w", n, err)
	}
	return moved{n: n, err: err}
}

// setUp sends the set-up command. The first function makes the connection,
// the second gives back what that needs.
func (c *Client) setUp(ctx context.Context) (func(context.Context) (net.Conn, error), func(), error) {
	var (
		remote netip.AddrPort
		err    error
	)
	switch c.o.Mode {
	case EPRT, PORT:
		return c.setUpActive(ctx)
	case PASV:
		remote, err = c.askPASV(ctx)
	default:
		remote, err = c.askEPSV(ctx)
	}
	dial := func(ctx context.Context) (net.Conn, error) {
		return c.o.Network.Dial(ctx, netip.AddrPort{}, remote)
	}
	return dial, func() {}, err
}

func (c *Client) askEPSV(ctx context.Context) (netip.AddrPort, error) {
	r, err := c.expect(ctx, 2, "EPSV", "")
	if err != nil {
		return netip.AddrPort{}, err
	}
	port, _, err := ftp.ScanEPSVReply(r.Text())
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("EPSV: %w", err)
	}
	return netip.AddrPortFrom(c.remote.Addr(), port), nil
}

func (c *Client) askPASV(ctx context.Context) (netip.AddrPort, error) {
	r, err := c.expect(ctx, 2, "PASV", "")
	if err != nil {
		return netip.AddrPort{}, err
	}
	ep, _, err := ftp.ScanPASVReply(r.Text())
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("PASV: %w", err)
	}
	if !c.o.TrustAddress {
		ep = netip.AddrPortFrom(c.remote.Addr(), ep.Port())
	}
	return ep, nil
}

// setUpActive listens before the server can possibly dial (RFC 959 section
// 3.2), on a fresh port each time.
func (c *Client) setUpActive(ctx context.Context) (func(context.Context) (net.Conn, error), func(), error) {
	if c.o.Mode == PORT && !c.local.Addr().Is4() {
		return nil, nil, fmt.Errorf("%w: PORT cannot express %v", ftp.ErrSyntax, c.local)
	}
	l, err := c.o.Network.Listen(ctx, netip.AddrPortFrom(c.local.Addr(), 0))
	if err != nil {
		return nil, nil, fmt.Errorf("listen for the data connection: %w", err)
	}
	at := host.AddrPort(l.Addr())
	arg := ftp.FormatExtended(netip.AddrPortFrom(at.Addr().WithZone(""), at.Port()))
	if c.o.Mode == PORT {
		arg = ftp.FormatHostPort(at)
	}
	if _, err := c.expect(ctx, 2, c.o.Mode.String(), arg); err != nil {
		l.Close()
		return nil, nil, err
	}
	accept := func(ctx context.Context) (net.Conn, error) {
		defer l.Close()
		defer context.AfterFunc(ctx, func() { l.Close() })()
		return c.accept(ctx, l)
	}
	return accept, func() { l.Close() }, nil
}

// accept takes the connection of the server and turns everybody else away.
func (c *Client) accept(ctx context.Context, l net.Listener) (net.Conn, error) {
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			return nil, fmt.Errorf("wait for the data connection: %w", err)
		}
		if host.AddrPort(conn.RemoteAddr()).Addr() == c.remote.Addr() {
			return conn, nil
		}
		conn.Close()
	}
}
