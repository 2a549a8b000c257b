package main

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// clash lets two clients beside each other announce the same port, and tells in
// words that can be compared what becomes of it: the second one is given a port
// by chance, so octets cannot be.
func clash(n *net, a arbiter, port uint16) ([]string, error) {
	if err := a.fresh(); err != nil {
		return nil, err
	}
	var out []string
	var announced []netip.AddrPort
	beside := [2]net{*n, *n}
	beside[1].client = n.client.Next()
	for i := range beside {
		p, err := begin(&beside[i], a, port+uint16(i))
		if err != nil {
			return out, err
		}
		for _, st := range loggedIn("", n.name).steps {
			if _, err := p.step(st); err != nil {
				return out, err
			}
		}
		seen := len(p.ends[server].got)
		if _, err := p.step(say(client, p.net.port(activePort))); err != nil {
			return out, err
		}
		line := string(p.ends[server].got[seen:])
		to, ok := endpointIn(line)
		switch {
		case !ok:
			return append(out, fmt.Sprintf("client %d: the server reads %q", i+1, line)), nil
		case to.Port() == activePort:
			out = append(out, fmt.Sprintf("client %d keeps its port at %v", i+1, to.Addr()))
		case to.Port() < 1024:
			out = append(out, fmt.Sprintf("client %d is given the port %d at %v", i+1, to.Port(), to.Addr()))
		default:
			out = append(out, fmt.Sprintf("client %d is given a port above 1023 at %v", i+1, to.Addr()))
		}
		announced = append(announced, to)
	}
	for i, to := range announced {
		reached, err := reaches(n, a, to)
		if err != nil {
			return out, err
		}
		out = append(out, fmt.Sprintf("the connection for client %d reaches %s", i+1, reached))
	}
	return out, nil
}

// reaches tells which client the server reaches.
func reaches(n *net, a arbiter, to netip.AddrPort) (string, error) {
	got, err := a.send(n.sideOf(server), packet.TCP(packet.Segment{Src: netip.AddrPortFrom(n.server.Addr(), dataPort), Dst: to,
		Seq: 500_000, Flags: packet.SYN, Window: 64240, Options: synOptions}))
	if err != nil {
		return "", err
	}
	for _, q := range got[n.sideOf(client)] {
		if v, err := q.Parse(); err == nil && v.TCP && v.Flags == packet.SYN {
			return v.Dst.String(), nil
		}
	}
	return "nobody", nil
}

// clashes compares what becomes of two clients with one port on both kinds of
// gateways, and returns the difference.
func (d *duel) clashes(ctx context.Context, n *net) (difference string, err error) {
	theirs, err := d.kernel(ctx, n)
	if err != nil {
		return "", err
	}
	d.ports = (d.ports + 2) % 10_000
	want, err := clash(n, theirs, 30_000+d.ports)
	if err != nil {
		return "", err
	}
	got, err := clash(n, d.ours[n.name], 30_000+d.ports)
	if err != nil {
		return "", err
	}
	if slices.Equal(got, want) {
		return "", nil
	}
	return fmt.Sprintf("two clients with one port in %s:\n      here   %q\n      kernel %q\n", n.name, got, want), nil
}
