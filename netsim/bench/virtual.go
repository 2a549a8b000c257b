package main

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/ftpconform/ftpconform/netsim/clock"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/host"
	"github.com/ftpconform/ftpconform/netsim/wire"
)

// virtualPart is a transfer in virtual time.
func virtualPart() part {
	const octets = 16 << 20
	return part{
		name: "a transfer in virtual time",
		rows: []row{
			{name: "virtual time: 16 MiB through our NAT over 2 wires, an event", unit: "µs", goal: atMost(6)},
			{name: "  octets of the transfer in a second outside", unit: "MB/s"},
		},
		run: func(ctx context.Context) ([]float64, error) {
			l, err := newLine()
			if err != nil {
				return nil, err
			}
			defer l.close()
			var failed error
			l.clock.Node().Go("transfer", func() { _, failed = transfer(ctx, l.client, l.server, octets) })
			began := time.Now()
			err = errors.Join(l.clock.Run(ctx), failed)
			took := time.Since(began)
			return []float64{float64(took.Microseconds()) / float64(l.clock.Events()), octets / 1e6 / took.Seconds()}, err
		},
	}
}

// line is a client and a server with a NAT and nothing else between them.
type line struct {
	clock          *clock.Clock
	client, server *host.Host
}

func newLine() (*line, error) {
	c := clock.New(clock.Options{})
	g, err := gateway.New(c.Node(), gateway.Options{NAT: &gateway.NAT{}, Interfaces: []gateway.Interface{
		{Addrs: []netip.Prefix{netip.MustParsePrefix("192.168.1.1/24")}},
		{Addrs: []netip.Prefix{netip.PrefixFrom(outsideAddr, 24)}, Outside: true},
	}})
	if err != nil {
		return nil, err
	}
	l := &line{clock: c}
	hosts := []struct {
		at   **host.Host
		addr netip.Prefix
	}{{&l.client, netip.MustParsePrefix("192.168.1.2/24")}, {&l.server, netip.PrefixFrom(serverAddr, 24)}}
	for i, h := range hosts {
		name := h.addr.String()
		if *h.at, err = host.New(c, host.Options{Name: name, Addrs: []netip.Prefix{h.addr}}); err != nil {
			return nil, err
		}
		w, err := wire.New(c, name, wire.Spec{}, wire.Spec{})
		if err != nil {
			return nil, err
		}
		w.Attach(0, *h.at)
		w.Attach(1, g.Interface(i))
		(*h.at).Attach(w.End(0))
		g.Connect(i, w.End(1))
	}
	return l, nil
}

func (l *line) close() {
	l.clock.Stop(nil)
	l.client.Close()
	l.server.Close()
}
