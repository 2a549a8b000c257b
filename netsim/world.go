package netsim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"

	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/clock"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/host"
	"github.com/ftpconform/ftpconform/netsim/packet"
	"github.com/ftpconform/ftpconform/netsim/wire"
)

// Options of a World.
type Options struct {
	// Seed decides all that is random; one seed gives one course of events.
	Seed uint64
	// Real makes time pass as it does outside.
	Real bool
	// Limits guard against a simulation without end.
	Limits clock.Limits
	// Faults are those of all gateways.
	Faults Faults
}

// World is a network that has been built. Its hosts fit the interfaces of
// internal/host.
type World struct {
	Topology Topology
	Clock    *clock.Clock

	node     *clock.Node
	hosts    map[string]*host.Host
	gateways map[string]*gateway.Gateway
	wires    []*wire.Wire
	networks map[string]*network
}

// Build makes the network of a topology. Nothing happens in it before Run.
func Build(t Topology, o Options) (*World, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	t = t.withDefaults()
	c := clock.New(clock.Options{Seed: o.Seed, Real: o.Real, Limits: o.Limits})
	w := &World{Topology: t, Clock: c, node: c.Node(), hosts: map[string]*host.Host{},
		gateways: map[string]*gateway.Gateway{}, networks: map[string]*network{}}
	for _, n := range t.Networks {
		w.networks[n.Name] = &network{spec: n, nodes: map[netip.Addr]packet.Sink{}}
	}
	err := w.build(o)
	if err != nil {
		w.Close()
		return nil, fmt.Errorf("topology %s: %w", t.Name, err)
	}
	return w, nil
}

func (w *World) build(o Options) error {
	for _, g := range w.Topology.Gateways {
		if err := w.addGateway(g, o.Faults); err != nil {
			return err
		}
	}
	for _, h := range w.Topology.Hosts {
		if err := w.addHost(h); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) addHost(spec Host) error {
	h, err := host.New(w.Clock, host.Options{Name: spec.Name, MTU: w.Topology.wire(spec.Name).Out.MTU,
		Addrs: w.Topology.prefixes(spec.Network, spec.Addrs)})
	if err != nil {
		return err
	}
	w.hosts[spec.Name] = h
	_, err = w.join(spec.Name, w.networks[spec.Network], spec.Addrs, h, h.Attach)
	return err
}

// join lays a wire from a node to a network.
func (w *World) join(name string, n *network, addrs []netip.Addr, in packet.Sink, attach func(packet.Sink)) (packet.Sink, error) {
	spec := w.Topology.wire(name)
	wi, err := wire.New(w.Clock, name, spec.Out, spec.In)
	if err != nil {
		return nil, err
	}
	w.wires = append(w.wires, wi)
	toNode := wi.End(1)
	wi.Attach(0, in)
	wi.Attach(1, port{n, toNode})
	attach(wi.End(0))
	for _, a := range addrs {
		n.nodes[a] = toNode
	}
	return toNode, nil
}

// The sides of a gateway, and the names of its interfaces.
const (
	inside  = 0
	outside = 1
)

var sides = [...]string{inside: "inside", outside: "outside"}

func (w *World) addGateway(spec Gateway, f Faults) error {
	helper := spec.ALG
	helper.Faults = f.ALG
	if helper.Rand == nil {
		helper.Rand = w.Clock.Rand("alg " + spec.Name)
	}
	o := w.Topology.gateway(spec)
	o.Faults = f.Gateway
	var err error
	if o.Helper, err = alg.New(helper); err != nil {
		return fmt.Errorf("gateway %s: %w", spec.Name, err)
	}
	g, err := gateway.New(w.Clock.Node(), o)
	if err != nil {
		return err
	}
	w.gateways[spec.Name] = g
	for i, s := range []Side{spec.Inside, spec.Outside} {
		n := w.networks[s.Network]
		addrs := s.Addrs
		if i == outside && spec.NAT != nil {
			addrs = append(slices.Clone(addrs), spec.NAT.Addresses...)
		}
		toGateway, err := w.join(spec.Name+"/"+sides[i], n, addrs, g.Interface(i), func(out packet.Sink) { g.Connect(i, out) })
		if err != nil {
			return err
		}
		if n.spec.Via == spec.Name {
			n.via = toGateway
		}
	}
	return nil
}

// Host returns a host by its name, nil if there is none.
func (w *World) Host(name string) *host.Host { return w.hosts[name] }

// Client returns the host on which the client is.
func (w *World) Client() *host.Host { return w.hosts[w.Topology.Client] }

// Server returns the host on which the server is.
func (w *World) Server() *host.Host { return w.hosts[w.Topology.Server] }

// Stranger returns the host of a third party, nil if there is none.
func (w *World) Stranger() *host.Host { return w.hosts[w.Topology.Stranger] }

// Gateway returns a gateway by its name, nil if there is none.
func (w *World) Gateway(name string) *gateway.Gateway { return w.gateways[name] }

// Wires returns all wires. Each has its node at end 0 and its network at end 1.
func (w *World) Wires() []*wire.Wire { return slices.Clone(w.wires) }

// Wire returns the wire of a node, see Wire.Name in package netsim; nil if
// there is none.
func (w *World) Wire(name string) *wire.Wire {
	for _, wi := range w.wires {
		if wi.Name == name {
			return wi
		}
	}
	return nil
}

// Rand returns randomness that depends on the world's seed and a name.
func (w *World) Rand(name string) *rand.Rand { return w.Clock.Rand(name) }

// Run lets time pass until f has returned. It returns the reason when the
// simulation had to be stopped; see clock.Clock.Run.
func (w *World) Run(ctx context.Context, name string, f func()) error {
	w.node.Go(name, f)
	return w.Clock.Run(ctx)
}

// Close ends everything in the world.
func (w *World) Close() {
	w.Clock.Stop(nil)
	for _, spec := range w.Topology.Hosts { // in their order, and not in that of a map
		if h := w.hosts[spec.Name]; h != nil {
			h.Close()
		}
	}
}
