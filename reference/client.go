package reference

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/ftpconform/ftpconform/ftp"
	"github.com/ftpconform/ftpconform/internal/host"
)

// Mode is the way in which a Client sets data connections up.
type Mode int

// The modes. The first is the default (RFC 2428 section 3). A client keeps to
// its mode: where the server refuses it, the transfer fails.
const (
	EPSV Mode = iota
	PASV
	EPRT
	PORT
)

// String returns the verb of the mode.
func (m Mode) String() string {
	switch m {
	case EPSV:
		return "EPSV"
	case PASV:
		return "PASV"
	case EPRT:
		return "EPRT"
	case PORT:
		return "PORT"
	}
	return fmt.Sprintf("Mode(%d)", int(m))
}

// ClientOptions configure a Client; the zero value works.
type ClientOptions struct {
	// Network opens connections and listeners; default host.OS.
	Network Network
	// Clock drives the timeouts; default host.RealTime.
	Clock Clock
	// Mode is how data connections are set up; default EPSV.
	Mode Mode
	// TrustAddress makes PASV connect to the address that 227 names, as
	// third-party set-ups need it. The default is the host of the control
	// connection, whatever 227 says, so that no server can send the client
	// elsewhere.
	TrustAddress bool
	// Timeout bounds every wait for the server: for a reply, for the data
	// connection, for the next octets on it; default 30 s.
	Timeout time.Duration
}

// Client is a small FTP client over one control connection. One goroutine may
// use it at a time; Close may be called from any.
type Client struct {
	o             ClientOptions
	conn          net.Conn
	local, remote netip.AddrPort
	replies       chan ftp.Reply // closed at the end of the control connection
	stop          chan struct{}  // closed by Close
	once          sync.Once
	wg            sync.WaitGroup
	readErr       error // why replies was closed; read after that
	typ           byte  // set by TYPE last
}

// Errors of a Client, apart from refusals by the server, which errors.As finds
// as a *ftp.ReplyError. After an error of another kind replies may still be
// under way: close the client.
var (
	// ErrTimeout says that the server left a wait unanswered.
	ErrTimeout = errors.New("reference: no answer in time")
	// ErrNoData says that the server claimed success without a data
	// connection.
	ErrNoData = errors.New("reference: success without a data connection")
)

// Dial connects to a server and waits for its greeting.
func Dial(ctx context.Context, endpoint netip.AddrPort, o ClientOptions) (*Client, error) {
	if o.Network == nil {
		o.Network = host.OS{}
	}
	if o.Clock == nil {
		o.Clock = host.RealTime{}
	}
	orElse(&o.Timeout, 30*time.Second)
	c := &Client{o: o, replies: make(chan ftp.Reply, 16), stop: make(chan struct{})}
	dialCtx, cancel := c.bound(ctx)
	defer cancel()
	conn, err := o.Network.Dial(dialCtx, netip.AddrPort{}, endpoint)
	if dialCtx.Err() != nil {
		err = context.Cause(dialCtx)
	}
	if err != nil {
		if conn != nil {
			conn.Close()
		}
		return nil, fmt.Errorf("connect to FTP server %v: %w", endpoint, err)
	}
	c.conn, c.local, c.remote = conn, host.AddrPort(conn.LocalAddr()), host.AddrPort(conn.RemoteAddr())
	c.wg.Go(c.read)
	if _, err := c.final(ctx, "greeting", 2); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// bound limits a wait to Timeout.
func (c *Client) bound(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := c.o.Clock.AfterFunc(c.o.Timeout, func() { cancel(ErrTimeout) })
	return ctx, func() { stop(); cancel(nil) }
}

// Close drops the connection without a word to the server.
func (c *Client) Close() error {
	c.once.Do(func() { close(c.stop) })
	err := c.conn.Close()
	c.wg.Wait()
	return err
}

// Quit takes leave of the server and closes.
func (c *Client) Quit(ctx context.Context) error {
	_, err := c.expect(ctx, 2, "QUIT", "")
	return errors.Join(err, c.Close())
}

// Login gives name and password.
func (c *Client) Login(ctx context.Context, user, password string) error {
	r, err := c.Command(ctx, "USER", user)
	if err == nil && r.Code == 331 {
		r, err = c.Command(ctx, "PASS", password)
	}
	if err == nil && !r.Positive() {
		err = fmt.Errorf("log in as %s: %w", user, &ftp.ReplyError{Reply: r})
	}
	return err
}

// Command sends a command that uses no data connection and returns its final
// reply, of whichever class. An empty argument sends the verb alone.
func (c *Client) Command(ctx context.Context, verb, arg string) (ftp.Reply, error) {
	if err := c.send(verb, arg); err != nil {
		return ftp.Reply{}, err
	}
	return c.final(ctx, verb, 0)
}

// expect sends a command whose reply has to be of a class.
func (c *Client) expect(ctx context.Context, class int, verb, arg string) (ftp.Reply, error) {
	if err := c.send(verb, arg); err != nil {
		return ftp.Reply{}, err
	}
	return c.final(ctx, verb, class)
}

// send writes one command line. A CR in the argument goes as CR NUL, octet
// 255 twice (RFC 2640 section 3.1); LF and NUL cannot be sent.
func (c *Client) send(verb, arg string) error {
	if strings.ContainsAny(arg, "\n\x00") {
		return fmt.Errorf("%w: %s with LF or NUL in the argument", ftp.ErrSyntax, verb)
	}
	arg = strings.ReplaceAll(strings.ReplaceAll(arg, "\xff", "\xff\xff"), "\r", "\r\x00")
	text := ftp.Command{Verb: verb, Arg: arg}.String() + "\r\n"
	_ = c.conn.SetWriteDeadline(c.o.Clock.Now().Add(c.o.Timeout))
	if _, err := c.conn.Write([]byte(text)); err != nil {
		return fmt.Errorf("send %s: %w", verb, err)
	}
	return nil
}

// final waits for a reply that is not preliminary. A class other than 0 makes
// every other class an error that wraps the reply.
func (c *Client) final(ctx context.Context, what string, class int) (ftp.Reply, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	for {
		r, err := c.next(ctx, what)
		switch {
		case err != nil:
			return r, err
		case r.Preliminary():
			continue
		case class != 0 && r.Class() != class:
			return r, fmt.Errorf("%s: %w", what, &ftp.ReplyError{Reply: r})
		}
		return r, nil
	}
}

func (c *Client) next(ctx context.Context, what string) (ftp.Reply, error) {
	select {
	case r, ok := <-c.replies:
		if !ok {
			return r, fmt.Errorf("wait for the reply to %s: %w", what, c.readErr)
		}
		return r, nil
	case <-ctx.Done():
		return ftp.Reply{}, fmt.Errorf("wait for the reply to %s: %w", what, context.Cause(ctx))
	}
}
