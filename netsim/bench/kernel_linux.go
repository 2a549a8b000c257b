package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
)

// kernelLab is the measure of our NAT: a client, a NAT with nftables and a
// server, each in a network namespace, joined by two veth pairs. Segmentation
// offloads are off, so that packets are as large as ours.
type kernelLab struct {
	client, gateway, server *netns
}

// newKernelLab makes the namespaces. The error says what is missing for that.
func newKernelLab(ctx context.Context) (*kernelLab, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("network namespaces are for root")
	}
	for _, tool := range []string{"ip", "nft", "ethtool"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, err
		}
	}
	l := &kernelLab{}
	if err := l.build(ctx); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *kernelLab) build(ctx context.Context) (err error) {
	for _, n := range []**netns{&l.client, &l.gateway, &l.server} {
		if *n, err = newNetns(); err != nil {
			return err
		}
	}
	const offloads = " tso off gso off gro off"
	for _, step := range []struct {
		in, other *netns
		commands  []string
	}{
		{l.gateway, l.client, []string{
			"ip link add inside mtu 1500 type veth peer name eth0 mtu 1500 netns OTHER",
			"ethtool -K inside" + offloads,
			"ip address add 192.168.1.1/24 dev inside",
			"ip link set inside up"}},
		{l.gateway, l.server, []string{
			"ip link add outside mtu 1500 type veth peer name eth0 mtu 1500 netns OTHER",
			"ethtool -K outside" + offloads,
			"ip address add 218.63.1.5/24 dev outside",
			"ip link set outside up",
			"nft add table ip nat",
			"nft add chain ip nat out { type nat hook postrouting priority srcnat ; }",
			"nft add rule ip nat out oifname outside masquerade"}},
		{l.client, nil, []string{
			"ethtool -K eth0" + offloads,
			"ip address add 192.168.1.2/24 dev eth0",
			"ip link set eth0 up",
			"ip route add default via 192.168.1.1"}},
		{l.server, nil, []string{
			"ethtool -K eth0" + offloads,
			"ip address add 218.63.1.100/24 dev eth0",
			"ip link set eth0 up"}},
	} {
		if err := step.in.run(ctx, step.other, step.commands...); err != nil {
			return err
		}
	}
	return l.gateway.routes()
}

// setChecksums says whether checksums are computed and verified, as ours are,
// or left to a hardware that is not there.
func (l *kernelLab) setChecksums(ctx context.Context, computed bool) error {
	state := " rx on tx on"
	if computed {
		state = " rx off tx off"
	}
	return errors.Join(
		l.client.run(ctx, nil, "ethtool -K eth0"+state),
		l.gateway.run(ctx, nil, "ethtool -K inside"+state, "ethtool -K outside"+state),
		l.server.run(ctx, nil, "ethtool -K eth0"+state))
}

// flow sends octets from the client to the server.
func (l *kernelLab) flow(ctx context.Context, octets int) (time.Duration, error) {
	return transfer(ctx, l.client, l.server, octets)
}

// close removes the namespaces, and what is in them.
func (l *kernelLab) close() {
	for _, n := range []*netns{l.client, l.gateway, l.server} {
		if n != nil {
			n.close()
		}
	}
}

var _ host.Network = (*netns)(nil)

// Dial implements host.Network.
func (n *netns) Dial(ctx context.Context, _, remote netip.AddrPort) (c net.Conn, err error) {
	err = n.do(func() error {
		c, err = new(net.Dialer).DialContext(ctx, "tcp", remote.String())
		return err
	})
	return c, err
}

// Listen implements host.Network.
func (n *netns) Listen(ctx context.Context, local netip.AddrPort) (l net.Listener, err error) {
	err = n.do(func() error {
		var lc net.ListenConfig
		lc.SetMultipathTCP(false)
		l, err = lc.Listen(ctx, "tcp", local.String())
		return err
	})
	return l, err
}
