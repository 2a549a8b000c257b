package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/clock"
	"github.com/ftpconform/ftpconform/netsim/host"
)

// memoryPart is what fits into memory.
func memoryPart() part {
	return part{
		name: "memory",
		rows: []row{
			{name: "idle hosts with IPv4 and IPv6 in a GiB"},
			{name: "  each", unit: "KiB"},
			{name: "idle connections through our NAT in a GiB, both ends and the NAT's entry"},
			{name: "  each", unit: "KiB"},
		},
		run: func(ctx context.Context) ([]float64, error) {
			h, err := hosts(500)
			if err != nil {
				return nil, fmt.Errorf("hosts: %w", err)
			}
			c, err := connections(ctx, 2000)
			return []float64{(1 << 30) / h, h / 1024, (1 << 30) / c, c / 1024}, err
		},
	}
}

// inUse is the memory in use, in octets.
func inUse() float64 {
	runtime.GC()
	runtime.GC() // pools give up what they have in two steps
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse + m.StackInuse)
}

// hosts returns what a host takes.
func hosts(n int) (float64, error) {
	before := inUse()
	c := clock.New(clock.Options{})
	var all []*host.Host
	for i := range n {
		h, err := host.New(c, host.Options{Name: fmt.Sprint("host ", i), Addrs: []netip.Prefix{
			netip.MustParsePrefix("192.168.1.2/24"), netip.MustParsePrefix("2001:db8::2/64")}})
		if err != nil {
			return 0, err
		}
		defer h.Close()
		h.Attach(nowhere{})
		all = append(all, h)
	}
	after := inUse()
	runtime.KeepAlive(all)
	return (after - before) / float64(n), nil
}

// connections returns what a connection through our NAT takes.
func connections(ctx context.Context, n int) (octets float64, err error) {
	w, err := world(netsim.Options{})
	if err != nil {
		return 0, err
	}
	defer w.Close()
	before := inUse()
	var conns []net.Conn
	var failed error
	err = w.Run(ctx, "client", func() { conns, failed = connect(ctx, w, n) })
	if err = errors.Join(err, failed); err != nil {
		return 0, err
	}
	after := inUse()
	runtime.KeepAlive(conns)
	return (after - before) / float64(n), nil
}

// connect opens connections and returns both ends of them.
func connect(ctx context.Context, w *netsim.World, n int) ([]net.Conn, error) {
	at := netip.AddrPortFrom(serverAddr, port)
	l, err := w.Server().Listen(ctx, at)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	var conns []net.Conn
	for range n {
		there, err := w.Client().Dial(ctx, netip.AddrPort{}, at)
		if err != nil {
			return nil, err
		}
		here, err := l.Accept()
		if err != nil {
			return nil, err
		}
		conns = append(conns, there, here)
	}
	return conns, nil
}
