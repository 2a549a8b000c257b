package netsim

import (
	"fmt"
	"net/netip"

	"github.com/ftpconform/ftpconform/netsim/gateway"
)

// The words for the values of a filter.
var (
	readState = readChoice(
		choice[gateway.State]{"new", gateway.StateNew},
		choice[gateway.State]{"established", gateway.StateEstablished},
		choice[gateway.State]{"related", gateway.StateRelated},
		choice[gateway.State]{"invalid", gateway.StateInvalid})
	readAction = readChoice(
		choice[gateway.Action]{"accept", gateway.Accept},
		choice[gateway.Action]{"drop", gateway.Drop},
		choice[gateway.Action]{"reject-reset", gateway.RejectReset},
		choice[gateway.Action]{"reject-net", gateway.RejectNet},
		choice[gateway.Action]{"reject-host", gateway.RejectHost},
		choice[gateway.Action]{"reject-port", gateway.RejectPort},
		choice[gateway.Action]{"reject-admin", gateway.RejectAdminProhibited})
	readInterface = readChoice(
		choice[string]{sides[inside], sides[inside]},
		choice[string]{sides[outside], sides[outside]})
)

func readFilter(v value) *gateway.Filter {
	var f gateway.Filter
	v.object(
		field{"default", func(v value) { scalar(v, &f.Default, readAction) }},
		field{"rules", func(v value) {
			v.items(func(v value) { f.Rules = append(f.Rules, readRule(v)) })
		}},
		field{"timeouts", func(v value) { readTimeouts(v, &f.Timeouts) }},
		field{"max-connections", func(v value) { scalar(v, &f.MaxConnections, readCount) }},
		field{"strict", func(v value) { scalar(v, &f.Strict, readBool) }},
		field{"windows", func(v value) { scalar(v, &f.Windows, readBool) }},
	)
	return &f
}

func readRule(v value) gateway.Rule {
	var r gateway.Rule
	v.object(
		field{"in", func(v value) { scalar(v, &r.In, readInterface) }},
		field{"out", func(v value) { scalar(v, &r.Out, readInterface) }},
		field{"state", func(v value) {
			var states []gateway.State
			list(v, &states, readState)
			for _, s := range states {
				r.State |= s
			}
		}},
		field{"from", func(v value) { scalar(v, &r.Src, readPlace) }},
		field{"to", func(v value) { scalar(v, &r.Dst, readPlace) }},
		field{"ports", func(v value) { scalar(v, &r.Ports, readPorts) }},
		field{"action", func(v value) { scalar(v, &r.Action, readAction) }},
	)
	return r
}

// readPlace reads a prefix, or an address that stands for itself.
func readPlace(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		return p, nil
	}
	return netip.Prefix{}, fmt.Errorf("%s is neither a prefix nor an address; write one like 192.168.1.0/24 or 192.168.1.2", quoted(s))
}
