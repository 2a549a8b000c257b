package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/ftpconform/ftpconform/netsim"
)

const twoHours = 2 * time.Hour

// waitPart is what it costs to wait, and a scenario in which nobody does.
func waitPart() part {
	return part{
		name: "waiting in virtual time",
		rows: []row{
			{name: "  a connection attempt of 127 s that nobody answers", unit: "ms", goal: atMost(10)},
			{name: "  two idle hours of a control connection through our NAT", unit: "ms", goal: atMost(20)},
			{name: "  a small scenario: build a network, connect, one line there and back, end", unit: "ms"},
		},
		run: func(ctx context.Context) ([]float64, error) {
			syn, err := scenario(ctx, 127*time.Second, unanswered)
			if err != nil {
				return nil, fmt.Errorf("a connection attempt: %w", err)
			}
			rest, err := scenario(ctx, twoHours, idle)
			if err != nil {
				return nil, fmt.Errorf("an idle connection: %w", err)
			}
			small, err := scenario(ctx, 0, brief)
			return []float64{syn, rest, small}, err
		},
	}
}

// scenario builds a network, plays f in it, and ends it; f must last as long as
// that, and no second longer. It returns the milliseconds outside.
func scenario(ctx context.Context, lasts time.Duration, f func(context.Context, *netsim.World) error) (float64, error) {
	began := time.Now()
	w, err := world(netsim.Options{})
	if err != nil {
		return 0, err
	}
	var failed error
	err = w.Run(ctx, "scenario", func() { failed = f(ctx, w) })
	d := w.Clock.Now().Sub(w.Clock.Start())
	w.Close()
	took := time.Since(began)
	if err = errors.Join(err, failed); err == nil && (d < lasts || d > lasts+time.Second) {
		err = fmt.Errorf("it lasted %v, and not %v", d, lasts)
	}
	return float64(took.Microseconds()) / 1000, err
}

// unanswered tries to connect to an address that nobody has.
func unanswered(ctx context.Context, w *netsim.World) error {
	_, err := w.Client().Dial(ctx, netip.AddrPort{}, netip.MustParseAddrPort("218.63.1.77:5001"))
	switch {
	case err == nil:
		return errors.New("somebody answered")
	case !errors.Is(err, syscall.ETIMEDOUT):
		return err
	}
	return nil
}

// idle lets a connection rest, and expects that it still is one.
func idle(ctx context.Context, w *netsim.World) error {
	return connected(ctx, w, func(c net.Conn) error {
		if err := exchange(c); err != nil {
			return err
		}
		if err := w.Client().Sleep(ctx, twoHours); err != nil {
			return err
		}
		return exchange(c)
	})
}

// brief uses a connection once.
func brief(ctx context.Context, w *netsim.World) error { return connected(ctx, w, exchange) }

// connected hands a connection to a server that echoes to f.
func connected(ctx context.Context, w *netsim.World, f func(net.Conn) error) error {
	at := netip.AddrPortFrom(serverAddr, port)
	l, err := w.Server().Listen(ctx, at)
	if err != nil {
		return err
	}
	defer l.Close()
	go echo(l)
	c, err := w.Client().Dial(ctx, netip.AddrPort{}, at)
	if err != nil {
		return err
	}
	defer c.Close()
	return f(c)
}

// echo gives one client back what it sends.
func echo(l net.Listener) {
	if c, err := l.Accept(); err == nil {
		_, _ = io.Copy(c, c)
		_ = c.Close()
	}
}

// exchange sends a line and expects it back.
func exchange(c net.Conn) error {
	const line = "NOOP\r\n"
	if _, err := io.WriteString(c, line); err != nil {
		return err
	}
	got := make([]byte, len(line))
	_, err := io.ReadFull(c, got)
	return err
}
