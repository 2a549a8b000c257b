package reference

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// errDataTimeout is the cause when a data connection was not made in time.
var errDataTimeout = errors.New("data connection not made in time")

// dialPause is the first of the growing pauses between attempts from the same
// port, dialTries their number. Together they last a little longer than the
// second for which hosts refuse a pair of endpoints whose last connection is
// in TIME_WAIT. A port with a listener (EADDRINUSE) is tried only twice: it
// will hardly come free.
const (
	dialPause = 50 * time.Millisecond
	dialTries = 5
)

// dial makes an active data connection within DataTimeout.
func (s *session) dial(ctx context.Context, remote netip.AddrPort) (net.Conn, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer s.o.Clock.AfterFunc(s.o.DataTimeout, func() { cancel(errDataTimeout) })()
	return s.dialFromDataPort(ctx, remote)
}

// dialFromDataPort dials from the address that the client has reached (RFC
// 1123 section 4.1.2.12) and from the data port (RFC 959 section 8). Where the
// port is in use it tries again for a moment; where it cannot be had at all,
// any port will do.
func (s *session) dialFromDataPort(ctx context.Context, remote netip.AddrPort) (net.Conn, error) {
	from := s.local.Addr()
	if s.o.Faults.ActiveFromOtherAddress && remote.Addr().Is4() {
		from = s.o.MainAddr
	}
	if from.Is4() != remote.Addr().Is4() {
		from = netip.Addr{} // third party of the other family
	}
	port := s.o.DataPort
	if port == 0 && s.local.Port() > 1 {
		port = s.local.Port() - 1
	}
	if s.o.Faults.EphemeralSource {
		port = 0
	}
	pause := dialPause
	for try := 0; ; try++ {
		conn, err := s.o.Network.Dial(ctx, netip.AddrPortFrom(from, port), remote)
		switch {
		case err == nil:
			return conn, nil
		case ctx.Err() != nil:
			return nil, fmt.Errorf("dial %v: %w", remote, context.Cause(ctx))
		case s.o.Faults.DialsForever && errors.Is(err, syscall.ETIMEDOUT):
			continue // the host has given up
		case port == 0 || !localTrouble(err):
			return nil, fmt.Errorf("dial %v: %w", remote, err)
		case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EADDRINUSE) && try == 1, try == dialTries:
			port = 0
			continue
		}
		if s.o.Clock.Sleep(ctx, pause) != nil {
			return nil, fmt.Errorf("dial %v: %w", remote, context.Cause(ctx))
		}
		pause *= 2
	}
}

// localTrouble tells an error of our own end from one of the other.
func localTrouble(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.EADDRNOTAVAIL) ||
		errors.Is(err, syscall.EACCES)
}

// knock is Faults.ActiveDialsTwice.
func (s *session) knock(ctx context.Context) {
	if conn, err := s.o.Network.Dial(ctx, netip.AddrPort{}, s.remote); err == nil {
		conn.Close()
	}
}
