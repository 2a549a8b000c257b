package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
)

// kernelLab is the measure of ours: a client, a NAT and a server in network
// namespaces, joined by veth pairs whose offloads are off, so that all segments
// have the size of those of the simulated network.
type kernelLab struct {
	client, gateway, server *netns
}

const serverAddr = "218.63.1.100"

// newKernelLab makes the namespaces. The error says what is missing.
func newKernelLab(ctx context.Context) (lab *kernelLab, err error) {
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("network namespaces need root")
	}
	for _, tool := range []string{"ip", "nft", "ethtool"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, err
		}
	}
	lab = &kernelLab{}
	defer func() {
		if err != nil {
			lab.close()
		}
	}()
	for _, n := range []**netns{&lab.client, &lab.gateway, &lab.server} {
		if *n, err = newNetns(); err != nil {
			return nil, err
		}
	}
	const off = " tso off gso off gro off"
	if err = lab.gateway.forwards(); err != nil {
		return nil, err
	}
	if err = lab.gateway.run(ctx, lab.client.thread,
		"ip link add inside mtu 1500 type veth peer name eth0 mtu 1500 netns THREAD",
		"ip address add 192.168.1.1/24 dev inside", "ip link set inside up", "ethtool -K inside"+off); err != nil {
		return nil, err
	}
	if err = lab.gateway.run(ctx, lab.server.thread,
		"ip link add outside mtu 1500 type veth peer name eth0 mtu 1500 netns THREAD",
		"ip address add 218.63.1.5/24 dev outside", "ip link set outside up", "ethtool -K outside"+off,
		"nft add table ip nat", "nft add chain ip nat out { type nat hook postrouting priority srcnat ; }",
		"nft add rule ip nat out oifname outside masquerade"); err != nil {
		return nil, err
	}
	if err = lab.client.run(ctx, 0, "ip address add 192.168.1.2/24 dev eth0", "ip link set eth0 up",
		"ethtool -K eth0"+off, "ip route add default via 192.168.1.1"); err != nil {
		return nil, err
	}
	if err = lab.server.run(ctx, 0, "ip address add "+serverAddr+"/24 dev eth0", "ip link set eth0 up",
		"ethtool -K eth0"+off); err != nil {
		return nil, err
	}
	return lab, nil
}

// flow sends octets from the client to the server.
func (l *kernelLab) flow(ctx context.Context, octets int) (time.Duration, error) {
	return between(ctx, l.client, l.server, netip.MustParseAddr(serverAddr), octets, time.Now)
}

// close removes the namespaces.
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
		c, err = new(net.Dialer).DialContext(ctx, "tcp4", remote.String())
		return err
	})
	return c, err
}

// Listen implements host.Network.
func (n *netns) Listen(ctx context.Context, local netip.AddrPort) (l net.Listener, err error) {
	err = n.do(func() error {
		l, err = new(net.ListenConfig).Listen(ctx, "tcp4", local.String())
		return err
	})
	return l, err
}
