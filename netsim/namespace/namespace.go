// Package namespace joins the simulated network with the Linux kernel: it makes
// network namespaces whose only ways out are TUN devices, and each Device is a
// node of the network, like a simulated host. What lives in a namespace is
// decided by a role, see Serve; package attach has those of servers, package
// kernel that of a gateway.
//
// A namespace is held by a child: this program itself, started a second time
// under another name. So root needs nothing but the program, and others need a
// system that lets them make user namespaces and open /dev/net/tun. The child
// is the first process of a process namespace, too: when it ends, everything in
// there ends, and it ends when the Space is closed or this process is gone,
// however that came about.
//
// Addresses, routes and MTU are set by netlink, without other programs. Nothing
// is left behind: a device lasts as long as its Space.
//
// On other systems than Linux everything here returns a *MissingError.
package namespace

import (
	"fmt"
	"net/netip"
)

// Link is a device of a namespace.
type Link struct {
	// Name is what it is called there, at most 15 octets; default "ftp0".
	Name string
	// Addrs are its addresses with the networks that are reached directly. The
	// first of a family is the one that connections come from.
	Addrs []netip.Prefix
	// Default makes it the way to everywhere else.
	Default bool
	// MTU in octets; default 1500.
	MTU int
	// Refuse answers what is neither TCP nor ICMP with ICMP port unreachable, as
	// a host does where nobody listens. A server that looks a name up is told at
	// once that there is nobody to ask.
	Refuse bool
}

func (l Link) withDefaults() Link {
	if l.Name == "" {
		l.Name = "ftp0"
	}
	if l.MTU == 0 {
		l.MTU = 1500
	}
	return l
}

// Options of a Space.
type Options struct {
	// Role is what the child does in the namespace, see Serve; Config goes to
	// it as JSON.
	Role   string
	Config any
	Links  []Link
	// Join is a process whose network namespace is entered; 0 makes a new one,
	// and a process namespace with it. Entering is for root.
	Join int
	// Sysctls are parameters of the namespace, written below /proc/sys: from
	// "net/ipv4/ip_forward" to the value.
	Sysctls map[string]string
	// Log, if set, is told every line that processes in the namespace write to
	// their standard outputs, one call at a time.
	Log func(line string)
	// TUN is the device of which TUN devices are made; default /dev/net/tun.
	TUN string
}

// MissingError says what this machine lacks for a namespace, and how to get it.
type MissingError struct {
	What string // "a network namespace cannot be made"
	Err  error
	Hint string // "run as root"
}

func (e *MissingError) Error() string {
	s := e.What
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return fmt.Sprintf("%s; %s", s, e.Hint)
}

func (e *MissingError) Unwrap() error { return e.Err }
