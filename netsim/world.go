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
	// Hosts are in the places of simulated ones, by their names: Host returns
	// nil for them. They are not closed with the World, which lets go of them.
	Hosts map[string]External
	// Gateways, if set, makes the gateways in place of package gateway, which
	// closes with the World: Gateway returns nil for them. Package kernel has
	// such. They need real time.
	Gateways func(o gateway.Options, helper alg.Options) (Router, error)
	// Taken is as in gateway.Options, for the gateways of package gateway.
	Taken func(outside netip.AddrPort) bool
}

// Router is a gateway that is not simulated.
type Router interface {
	// Interface returns where packets come in on a side, 0 for the inside and 1
	// for the outside, and Connect says where those of the side go.
	Interface(side int) packet.Sink
	Connect(side int, out packet.Sink)
	// Table returns what the gateway remembers.
	Table() (gateway.Table, error)
	Close() error
}

// External is a part of the network that is not simulated, such as a device of
// package namespace. It needs a World in real time.
type External interface {
	packet.Sink
	// Attach says where its packets go; nil lets them vanish. When it returns,
	// nothing is on its way to the former one any more.
	Attach(out packet.Sink)
}

// World is a network that has been built. Its hosts fit the interfaces of
// internal/host.
type World struct {
	Topology Topology
	Clock    *clock.Clock

	node     *clock.Node
	hosts    map[string]*host.Host
	gateways map[string]*gateway.Gateway
	routers  map[string]Router
	others   []External
	wires    []*wire.Wire
	networks map[string]*network
}

// Build makes the network of a topology. Nothing happens in it before Run.
func Build(t Topology, o Options) (*World, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	t = t.WithDefaults()
	c := clock.New(clock.Options{Seed: o.Seed, Real: o.Real, Limits: o.Limits})
	w := &World{Topology: t, Clock: c, node: c.Node(), hosts: map[string]*host.Host{},
		gateways: map[string]*gateway.Gateway{}, routers: map[string]Router{}, networks: map[string]*network{}}
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
		if err := w.addGateway(g, o); err != nil {
			return err
		}
	}
	for _, h := range w.Topology.Hosts {
		if x := o.Hosts[h.Name]; x != nil {
			w.others = append(w.others, x)
			if _, err := w.join(h.Name, w.networks[h.Network], h.Addrs, x, x.Attach); err != nil {
				return err
			}
			continue
		}
		if err := w.addHost(h); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) addHost(spec Host) error {
	h, err := host.New(w.Clock, host.Options{Name: spec.Name, MTU: w.Topology.wire(spec.Name).Out.MTU,
		Addrs: w.Topology.prefixes(spec.Network, spec.Addrs), Loopback: w.Topology.Loopback})
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

func (w *World) addGateway(spec Gateway, opt Options) error {
	helper := spec.ALG
	helper.Faults = opt.Faults.ALG
	if helper.Rand == nil {
		helper.Rand = w.Clock.Rand("alg " + spec.Name)
	}
	o := w.Topology.gateway(spec)
	o.Faults, o.Taken = opt.Faults.Gateway, opt.Taken
	in, connect, err := w.makeGateway(o, helper, opt)
	if err != nil {
		return err
	}
	for i, s := range []Side{spec.Inside, spec.Outside} {
		n := w.networks[s.Network]
		addrs := s.Addrs
		if i == outside && spec.NAT != nil {
			addrs = append(slices.Clone(addrs), spec.NAT.Addresses...)
		}
		toGateway, err := w.join(spec.Name+"/"+sides[i], n, addrs, in(i), func(out packet.Sink) { connect(i, out) })
		if err != nil {
			return err
		}
		if n.spec.Via == spec.Name {
			n.via = toGateway
		}
	}
	return nil
}

// makeGateway makes a gateway of either kind, and returns where its packets come
// in, and how to say where they go.
func (w *World) makeGateway(o gateway.Options, helper alg.Options, opt Options) (in func(int) packet.Sink, connect func(int, packet.Sink), err error) {
	if opt.Gateways != nil {
		r, err := opt.Gateways(o, helper)
		if err != nil {
			return nil, nil, err
		}
		w.routers[o.Name] = r
		return r.Interface, r.Connect, nil
	}
	if o.Helper, err = alg.New(helper); err != nil {
		return nil, nil, fmt.Errorf("gateway %s: %w", o.Name, err)
	}
	g, err := gateway.New(w.Clock.Node(), o)
	if err != nil {
		return nil, nil, err
	}
	w.gateways[o.Name] = g
	return g.Interface, g.Connect, nil
}

// Host returns a host by its name, nil if there is none.
func (w *World) Host(name string) *host.Host { return w.hosts[name] }

// Client returns the host on which the client is.
func (w *World) Client() *host.Host { return w.hosts[w.Topology.Client] }

// Server returns the host on which the server is.
func (w *World) Server() *host.Host { return w.hosts[w.Topology.Server] }

// Stranger returns the host of a third party, nil if there is none.
func (w *World) Stranger() *host.Host { return w.hosts[w.Topology.Stranger] }

// Gateway returns a simulated gateway by its name, nil if there is none.
func (w *World) Gateway(name string) *gateway.Gateway { return w.gateways[name] }

// Router returns a gateway that is not simulated, nil if there is none.
func (w *World) Router(name string) Router { return w.routers[name] }

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
	for _, x := range w.others {
		x.Attach(nil)
	}
	for _, r := range w.routers {
		_ = r.Close() // nothing can be done about it any more
	}
	for _, spec := range w.Topology.Hosts { // in their order, and not in that of a map
		if h := w.hosts[spec.Name]; h != nil {
			h.Close()
		}
	}
}
