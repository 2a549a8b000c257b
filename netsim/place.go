package netsim

import (
	"context"
	"net/netip"
	"slices"

	"github.com/ftpconform/ftpconform/netsim/gateway"
)

// Place is what has to be known of a network by who puts a server into it that
// is not simulated.
type Place struct {
	// Topology is the network's name.
	Topology string
	// Addrs are the server's addresses, with the networks that it reaches
	// directly; everything else it reaches by the same device.
	Addrs []netip.Prefix
	MTU   int
	// Port is where it has to listen.
	Port uint16
	// Advertise and PassivePorts are as in Topology.
	Advertise    netip.Addr
	PassivePorts gateway.PortRange
}

// Attacher starts a server that is not simulated, in a place of the network.
// Package attach has one for processes.
type Attacher interface {
	// Name is what the server is called where it is printed.
	Name() string
	// Tells says what the server is told of its place, besides its address.
	Tells() Told
	// Apart reports whether servers that run at the same time share nothing, so
	// that several may.
	Apart() bool
	// Start starts it; it need not listen yet. Log is told every line that the
	// server writes, one call at a time, until it is closed.
	Start(ctx context.Context, p Place, log func(line string)) (Attached, error)
}

// Told says what a server is told.
type Told struct{ Advertise, PassivePorts bool }

// Attached is a server that has been started.
type Attached interface {
	External
	// Gone is closed when the server has ended by itself, and Fate says how, as
	// "exited with status 1"; it is empty before.
	Gone() <-chan struct{}
	Fate() string
	// Close ends the server.
	Close() error
}

// ServerPlace is that of the topology's server.
func (t Topology) ServerPlace(port uint16) Place {
	t = t.WithDefaults()
	h, _ := t.Host(t.Server)
	return Place{Topology: t.Name, Addrs: t.prefixes(h.Network, h.Addrs), MTU: t.wire(h.Name).Out.MTU,
		Port: port, Advertise: t.Advertise, PassivePorts: t.PassivePorts}
}

// Same reports whether a server that fits one place fits another as it is.
func (p Place) Same(o Place) bool {
	return slices.Equal(p.Addrs, o.Addrs) && p.MTU == o.MTU && p.Port == o.Port && p.Advertise == o.Advertise && p.PassivePorts == o.PassivePorts
}
