package netsim

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// Await waits until a server that has just been started greets those who
// connect, at most for the bound. It does so from a machine beside the server,
// before the server becomes a part of a World, so that nothing of it is seen
// there.
func Await(ctx context.Context, s Attached, p Place, bound time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	const server, visitor = "server", "visitor"
	addr := p.Addrs[0].Addr()
	w, err := Build(Topology{Name: "beside", Client: visitor,
		Networks: []Network{{Name: "here", Prefix: p.Addrs[0].Masked(), Silent: true}},
		Hosts:    []Host{{Name: server, Network: "here", Addrs: []netip.Addr{addr}}, {Name: visitor, Network: "here", Addrs: []netip.Addr{p.free()}}}},
		Options{Real: true, Hosts: map[string]External{server: s}})
	if err != nil {
		return err
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = w.Run(context.Background(), visitor, func() { <-w.Clock.Stopped() }) // it is stopped below
	}()
	defer func() {
		w.Clock.Stop(nil)
		<-over
		w.Close()
	}()
	to, refused := netip.AddrPortFrom(addr, p.Port), false
	for {
		accepted, err := w.visit(ctx, to)
		if ctx.Err() == nil {
			refused = errors.Is(err, syscall.ECONNREFUSED) // it does not listen yet
		}
		switch {
		case err == nil:
			return nil
		case s.Fate() != "":
			return fmt.Errorf("the server %s", s.Fate())
		case ctx.Err() != nil && accepted:
			return fmt.Errorf("the server accepts connections at %s, but sends %w within %v", to, errNoGreeting, bound)
		case ctx.Err() != nil && refused:
			return fmt.Errorf("nobody listens on %s after %v", to, bound)
		case ctx.Err() != nil:
			return fmt.Errorf("no answer from %s within %v", to, bound)
		case accepted:
			return fmt.Errorf("the server accepts connections at %s, and ends them with %w: %w", to, errNoGreeting, err)
		case !refused:
			return err
		}
		pause, done := context.WithTimeout(ctx, greetAgain)
		select {
		case <-pause.Done():
		case <-s.Gone():
		}
		done()
	}
}

// errNoGreeting says that the server is where it should be.
var errNoGreeting = errors.New("no greeting")

// Advice is what to look at when Await has returned an error.
func (p Place) Advice(err error) string {
	if errors.Is(err, errNoGreeting) {
		return "is it an FTP server, and does its log say what it waits for?"
	}
	return fmt.Sprintf("the server has to stay in the foreground, and to listen on port %d of %s", p.Port, p.Addrs[0].Addr())
}

// greetAgain is the time between two attempts to reach a server that starts.
const greetAgain = 20 * time.Millisecond

// visit connects and waits for the first octet of a greeting. It reports whether
// the connection came about.
func (w *World) visit(ctx context.Context, to netip.AddrPort) (accepted bool, err error) {
	conn, err := w.Client().Dial(ctx, netip.AddrPort{}, to)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(w.Client().Now()) })()
	_, err = conn.Read(make([]byte, 1))
	return true, err
}

// free is an address beside the server's.
func (p Place) free() netip.Addr {
	var last netip.Addr
	prefix := p.Addrs[0].Masked()
	a := prefix.Addr().Next()
	for range 250 {
		if prefix.Contains(a) && !slices.ContainsFunc(p.Addrs, func(o netip.Prefix) bool { return o.Addr() == a }) {
			last = a
		}
		a = a.Next()
	}
	return last
}
