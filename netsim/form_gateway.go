package netsim

import (
	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
)

// The words for the values of package gateway.
var (
	readPreset = readChoice(
		choice[func() gateway.Options]{"rfc5382", gateway.RFC5382},
		choice[func() gateway.Options]{"linux", gateway.Linux})
	readUnknown = readChoice(
		choice[gateway.Unknown]{"hold", gateway.UnknownHold},
		choice[gateway.Unknown]{"drop", gateway.UnknownDrop},
		choice[gateway.Unknown]{"reset", gateway.UnknownReset},
		choice[gateway.Unknown]{"icmp", gateway.UnknownICMP})
	readBehaviour = readChoice(
		choice[gateway.Behaviour]{"endpoint-independent", gateway.EndpointIndependent},
		choice[gateway.Behaviour]{"address-dependent", gateway.AddressDependent},
		choice[gateway.Behaviour]{"address-and-port-dependent", gateway.AddressAndPortDependent})
	readPortPolicy = readChoice(
		choice[gateway.PortPolicy]{"preserve", gateway.Preserve},
		choice[gateway.PortPolicy]{"random", gateway.Random},
		choice[gateway.PortPolicy]{"sequential", gateway.Sequential})
	readPooling = readChoice(
		choice[gateway.Pooling]{"paired", gateway.Paired},
		choice[gateway.Pooling]{"arbitrary", gateway.Arbitrary})
	readHairpin = readChoice(
		choice[gateway.Hairpin]{"on", gateway.HairpinOn},
		choice[gateway.Hairpin]{"internal-source", gateway.HairpinInternalSource},
		choice[gateway.Hairpin]{"off", gateway.HairpinOff})
)

func readGateway(name string, v value) Gateway {
	g := Gateway{Name: name}
	v.object(
		field{"inside", func(v value) { g.Inside = readSide(v) }},
		field{"outside", func(v value) { g.Outside = readSide(v) }},
		field{"nat", func(v value) { g.NAT, g.Unknown = readNAT(v) }},
		field{"filter", func(v value) { g.Filter = readFilter(v) }},
		field{"unknown", func(v value) { scalar(v, &g.Unknown, readUnknown) }},
		field{"alg", func(v value) { g.ALG = readALG(v) }},
	)
	return g
}

// readNAT reads the name of a preset, or a mapping, which may name one and
// change it. A preset also says what meets unknown packets.
func readNAT(v value) (*gateway.NAT, gateway.Unknown) {
	preset := func() gateway.Options { return gateway.Options{NAT: &gateway.NAT{}} }
	if !v.isMapping() {
		scalar(v, &preset, readPreset)
		o := preset()
		return o.NAT, o.Unknown
	}
	var n gateway.NAT
	var unknown gateway.Unknown
	v.object(
		field{"preset", func(v value) {
			scalar(v, &preset, readPreset)
			o := preset()
			n, unknown = *o.NAT, o.Unknown
		}},
		field{"mapping", func(v value) { scalar(v, &n.Mapping, readBehaviour) }},
		field{"filtering", func(v value) { scalar(v, &n.Filtering, readBehaviour) }},
		field{"ports", func(v value) { scalar(v, &n.Ports, readPortPolicy) }},
		field{"port-range", func(v value) { scalar(v, &n.PortRange, readPorts) }},
		field{"overload", func(v value) { scalar(v, &n.Overload, readBool) }},
		field{"pooling", func(v value) { scalar(v, &n.Pooling, readPooling) }},
		field{"hairpin", func(v value) { scalar(v, &n.Hairpin, readHairpin) }},
		field{"timeouts", func(v value) { readTimeouts(v, &n.Timeouts) }},
		field{"forwards", func(v value) {
			v.items(func(v value) { n.Forwards = append(n.Forwards, readForward(v)) })
		}},
		field{"addresses", func(v value) { list(v, &n.Addresses, readAddr) }},
		field{"max-mappings", func(v value) { scalar(v, &n.MaxMappings, readCount) }},
		field{"strict", func(v value) { scalar(v, &n.Strict, readBool) }},
		field{"windows", func(v value) { scalar(v, &n.Windows, readBool) }},
		field{"pass-invalid", func(v value) { scalar(v, &n.PassInvalid, readBool) }},
	)
	return &n, unknown
}

func readTimeouts(v value, t *gateway.Timeouts) {
	v.object(
		field{"established", func(v value) { scalar(v, &t.Established, readTime) }},
		field{"transitory", func(v value) { scalar(v, &t.Transitory, readTime) }},
		field{"close", func(v value) { scalar(v, &t.Close, readTime) }},
		field{"hold", func(v value) { scalar(v, &t.Hold, readTime) }},
	)
}

func readForward(v value) gateway.Forward {
	var f gateway.Forward
	v.object(
		field{"address", func(v value) { scalar(v, &f.Addr, readAddr) }},
		field{"ports", func(v value) { scalar(v, &f.Ports, readPorts) }},
		field{"to", func(v value) { scalar(v, &f.To, readAddr) }},
		field{"port", func(v value) { scalar(v, &f.Port, readPort) }},
	)
	return f
}

// readALG reads the name of a profile, or a mapping.
func readALG(v value) alg.Options {
	var o alg.Options
	if !v.isMapping() {
		scalar(v, &o.Profile, readProfile)
		return o
	}
	v.object(
		field{"profile", func(v value) { scalar(v, &o.Profile, readProfile) }},
		field{"ports", func(v value) { list(v, &o.Ports, readPort) }},
		field{"loose", func(v value) { scalar(v, &o.Loose, readBool) }},
	)
	return o
}

// readProfile reads the name of a profile of package alg.
func readProfile(s string) (alg.Profile, error) {
	var all []choice[alg.Profile]
	for _, p := range alg.Profiles() {
		all = append(all, choice[alg.Profile]{string(p), p})
	}
	return readChoice(all...)(s)
}
