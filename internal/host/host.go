// Package host is what a server or a client needs of the machine it runs on:
// to dial, to listen, and to tell the time. The operating system's machine is
// OS; a simulated host fits the same interfaces.
//
// The interfaces may be used from several goroutines at once.
package host

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// Network opens TCP connections from and on chosen local endpoints.
type Network interface {
	// Dial connects from local to remote. A local address that is not valid
	// and a local port 0 leave the choice to the host. A local port in use by
	// another connection is no obstacle as long as the remote endpoint
	// differs (SO_REUSEADDR), because active-mode data connections all leave
	// from one port.
	Dial(ctx context.Context, local, remote netip.AddrPort) (net.Conn, error)
	// Listen accepts connections on local; port 0 leaves the choice to the
	// host.
	Listen(ctx context.Context, local netip.AddrPort) (net.Listener, error)
}

// Clock tells the time and wakes up those who wait for it.
type Clock interface {
	// Now returns the current time, also used for deadlines of connections.
	Now() time.Time
	// Sleep returns nil after d, or the context's error if that ends first.
	Sleep(ctx context.Context, d time.Duration) error
	// AfterFunc calls f in a goroutine of its own after d. The function it
	// returns cancels that and reports whether it came in time.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// OS is the operating system's network.
type OS struct{}

// RealTime is the operating system's clock.
type RealTime struct{}

var (
	_ Network = OS{}
	_ Clock   = RealTime{}
)

// Dial implements Network.
func (OS) Dial(ctx context.Context, local, remote netip.AddrPort) (net.Conn, error) {
	// The port of a control connection is the default data port as well (RFC 959
	// section 3.2): it can be listened on only if both sockets share it.
	d := net.Dialer{KeepAlive: -1, Control: reuseAddress}
	if local.Addr().IsValid() || local.Port() != 0 {
		d.LocalAddr = net.TCPAddrFromAddrPort(fill(local, remote))
	}
	return d.DialContext(ctx, "tcp", remote.String())
}

// Listen implements Network.
func (OS) Listen(ctx context.Context, local netip.AddrPort) (net.Listener, error) {
	lc := net.ListenConfig{KeepAlive: -1}
	network := "tcp"
	if local.Addr().Is4() {
		network = "tcp4" // 0.0.0.0 must not become a dual-stack socket
	}
	return lc.Listen(ctx, network, local.String())
}

// fill gives a local endpoint that has only a port the unspecified address of
// the remote one's family.
func fill(local, remote netip.AddrPort) netip.AddrPort {
	if local.Addr().IsValid() {
		return local
	}
	if remote.Addr().Unmap().Is4() {
		return netip.AddrPortFrom(netip.IPv4Unspecified(), local.Port())
	}
	return netip.AddrPortFrom(netip.IPv6Unspecified(), local.Port())
}

// Now implements Clock.
func (RealTime) Now() time.Time { return time.Now() }

// Sleep implements Clock.
func (RealTime) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// AfterFunc implements Clock.
func (RealTime) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}

// urgent is a connection that knows of urgent data by itself, as those of a
// simulated host do. It leaves urgent octets in their place in the stream.
type urgent interface{ WriteUrgent(p []byte) error }

// AddrPort returns the endpoint behind a net.Addr of a TCP connection, with
// an IPv4-mapped address unmapped, or the zero value for another kind.
func AddrPort(a net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	if t, ok := a.(interface{ AddrPort() netip.AddrPort }); ok {
		ap = t.AddrPort()
	} else if a != nil {
		ap, _ = netip.ParseAddrPort(a.String())
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
