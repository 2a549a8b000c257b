package netsim

import (
	"github.com/ftpconform/ftpconform/netsim/wire"
)

// topology reads a whole file.
func (f *file) topology(v value) Topology {
	var t Topology
	v.object(
		field{"name", func(v value) { scalar(v, &t.Name, readText) }},
		field{"title", func(v value) { scalar(v, &t.Title, readText) }},
		field{"networks", func(v value) {
			v.entries("a mapping from the networks' names", func(name string, v value) {
				t.Networks = append(t.Networks, readNetwork(name, v))
			})
		}},
		field{"hosts", func(v value) {
			v.entries("a mapping from the hosts' names", func(name string, v value) {
				t.Hosts = append(t.Hosts, readHost(name, v))
			})
		}},
		field{"gateways", func(v value) {
			v.entries("a mapping from the gateways' names", func(name string, v value) {
				t.Gateways = append(t.Gateways, readGateway(name, v))
			})
		}},
		field{"wires", func(v value) {
			v.entries("a mapping from hosts and sides of gateways", func(name string, v value) {
				t.Wires = append(t.Wires, readWire(name, v))
			})
		}},
		field{"client", func(v value) { scalar(v, &t.Client, readText) }},
		field{"server", func(v value) { scalar(v, &t.Server, readText) }},
		field{"stranger", func(v value) { scalar(v, &t.Stranger, readText) }},
		field{"decoy", func(v value) { scalar(v, &t.Decoy, readText) }},
		field{"dial", func(v value) { scalar(v, &t.Dial, readAddr) }},
		field{"advertise", func(v value) { scalar(v, &t.Advertise, readAddr) }},
		field{"passive-ports", func(v value) { scalar(v, &t.PassivePorts, readPorts) }},
	)
	return t
}

func readNetwork(name string, v value) Network {
	n := Network{Name: name}
	v.object(
		field{"prefix", func(v value) { scalar(v, &n.Prefix, readPrefix) }},
		field{"via", func(v value) { scalar(v, &n.Via, readText) }},
		field{"silent", func(v value) { scalar(v, &n.Silent, readBool) }},
	)
	return n
}

func readHost(name string, v value) Host {
	h := Host{Name: name}
	v.object(
		field{"network", func(v value) { scalar(v, &h.Network, readText) }},
		field{"addresses", func(v value) { list(v, &h.Addrs, readAddr) }},
	)
	return h
}

func readSide(v value) Side {
	var s Side
	v.object(
		field{"network", func(v value) { scalar(v, &s.Network, readText) }},
		field{"addresses", func(v value) { list(v, &s.Addrs, readAddr) }},
	)
	return s
}

// readWire reads a wire: the keys that stand by themselves are for both
// directions, those in out and in for one.
func readWire(name string, v value) Wire {
	var both wire.Spec
	out, in := &both, &both
	direction := func(which **wire.Spec) func(v value) {
		return func(v value) {
			own := both
			*which = &own
			v.object(wireFields(&own)...)
		}
	}
	v.object(append(wireFields(&both), field{"out", direction(&out)}, field{"in", direction(&in)})...)
	return Wire{Name: name, Out: *out, In: *in}
}

// wireFields are the keys of a direction.
func wireFields(s *wire.Spec) []field {
	return []field{
		{"delay", func(v value) { scalar(v, &s.Delay, readTime) }},
		{"jitter", func(v value) { scalar(v, &s.Jitter, readSpan) }},
		{"rate", func(v value) { scalar(v, &s.Rate, readRate) }},
		{"queue", func(v value) { scalar(v, &s.Queue, readSize) }},
		{"loss", func(v value) { scalar(v, &s.Loss, readChance) }},
		{"duplicate", func(v value) { scalar(v, &s.Duplicate, readChance) }},
		{"reorder", func(v value) { scalar(v, &s.Reorder, readChance) }},
		{"corrupt", func(v value) { scalar(v, &s.Corrupt, readChance) }},
		{"mtu", func(v value) { scalar(v, &s.MTU, readMTU) }},
		{"cuts", func(v value) {
			s.Cuts = nil // of this direction, and not in addition to both
			v.items(func(v value) { s.Cuts = append(s.Cuts, readCut(v)) })
		}},
	}
}

func readCut(v value) wire.Cut {
	var c wire.Cut
	v.object(
		field{"at", func(v value) { scalar(v, &c.At, readSpan) }},
		field{"for", func(v value) { scalar(v, &c.For, readTime) }},
	)
	if v.isMapping() && !v.has("at") {
		v.failf("the cut does not say when it begins; give it the key at, 0s for the start")
	}
	return c
}
