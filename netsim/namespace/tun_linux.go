package namespace

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// defaultTUN is the device of which TUN devices are made.
const defaultTUN = "/dev/net/tun"

// openTUN makes a device for IP packets; it lasts as long as the descriptor.
func openTUN(path, name string) (fd int, err error) {
	if fd, err = unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
		hint := "run as root, or let this user open it (chmod 666 " + path + ")"
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENXIO) {
			hint = "load the kernel's module for it (modprobe tun), and in a container hand it in (--device " + path + ")"
		}
		return 0, &MissingError{What: path + " cannot be opened", Err: err, Hint: hint}
	}
	defer func() {
		if err != nil {
			_ = unix.Close(fd)
		}
	}()
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return 0, fmt.Errorf("device %q: %w", name, err)
	}
	ifr.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr); err != nil {
		return 0, &MissingError{What: "the TUN device " + name + " cannot be made", Err: err, Hint: "run as root, or give the process CAP_NET_ADMIN" + inContainer}
	}
	return fd, nil
}

// loopback brings the device for talking to oneself up.
func loopback() error {
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		if errors.Is(err, unix.EPERM) {
			return &MissingError{What: "a device cannot be set up", Err: err, Hint: "this process lacks CAP_NET_ADMIN" + inContainer}
		}
		return fmt.Errorf("device lo: %w", err)
	}
	return nil
}

// configure gives a device its addresses and routes.
func (l Link) configure() error {
	dev, err := netlink.LinkByName(l.Name)
	if err != nil {
		return err
	}
	l.quiet()
	if err := netlink.LinkSetMTU(dev, l.MTU); err != nil {
		return fmt.Errorf("MTU %d: %w", l.MTU, err)
	}
	for _, a := range l.Addrs {
		if err := netlink.AddrAdd(dev, &netlink.Addr{IPNet: ipNet(a)}); err != nil {
			return fmt.Errorf("address %s: %w", a, err)
		}
	}
	if err := netlink.LinkSetUp(dev); err != nil {
		return fmt.Errorf("bring it up: %w", err)
	}
	if !l.Default {
		return nil
	}
	for _, everywhere := range []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		if !l.has(everywhere) {
			continue
		}
		route := &netlink.Route{LinkIndex: dev.Attrs().Index, Dst: ipNet(netip.PrefixFrom(everywhere, 0))}
		if err := netlink.RouteAdd(route); err != nil {
			return fmt.Errorf("default route: %w", err)
		}
	}
	return nil
}

// has reports whether the device has an address of the family of another.
func (l Link) has(like netip.Addr) bool {
	for _, a := range l.Addrs {
		if a.Addr().Is4() == like.Is4() {
			return true
		}
	}
	return false
}

// quiet keeps the kernel from speaking unasked on a device: no address of its
// own making, no search for routers. Where IPv6 is switched off, as in most
// containers, it is switched on for a device that needs it. A kernel without
// IPv6 has none of these parameters.
func (l Link) quiet() {
	dir := "net/ipv6/conf/" + l.Name + "/"
	off := "1"
	if l.has(netip.IPv6Unspecified()) {
		off = "0"
	}
	for _, s := range [][2]string{{"addr_gen_mode", "1"}, {"accept_ra", "0"}, {"router_solicitations", "0"}, {"disable_ipv6", off}} {
		if err := sysctl(dir+s[0], s[1]); err != nil && !errors.Is(err, os.ErrNotExist) {
			return // what follows tells whether it mattered
		}
	}
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
