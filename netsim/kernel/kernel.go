// Package kernel is a gateway of the simulated network that is Linux itself: a
// network namespace with two TUN devices, in which the kernel routes, filters
// (nftables), translates (masquerade and DNAT) and helps FTP
// (nf_conntrack_ftp, nf_nat_ftp). It takes the options of package gateway, so
// that one topology can be built with either, and one can be held against the
// other.
//
// Linux maps, filters and chooses ports in its own way: of a gateway.NAT it
// takes the addresses, the forwards, the timeouts and Strict, and the rest only
// where it means what Linux does anyway; Differences lists what it does not.
// UnknownHold becomes silence. There is no simulated time.
//
// It needs Linux with nftables and the FTP helper, and root, or user
// namespaces; errors about that are those of package namespace. A Gateway may
// be used from several goroutines.
package kernel

import (
	"fmt"
	"slices"

	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
)

// Differences lists what options ask for that Linux does in its own way, in
// words that fit after "asks for"; it is empty for those that package gateway
// calls Linux.
func Differences(o gateway.Options) []string {
	var out []string
	add := func(differs bool, format string, args ...any) {
		if differs {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	if n := o.NAT; n != nil {
		add(n.Mapping != gateway.AddressAndPortDependent, "a mapping that does not depend on the remote endpoint")
		add(n.Filtering != gateway.AddressAndPortDependent, "filtering that does not depend on the remote endpoint")
		add(n.Ports != gateway.Preserve, "ports that are not preserved")
		add(n.Pooling != gateway.Paired, "arbitrary pooling")
		add(n.Hairpin == gateway.HairpinInternalSource, "hairpinning with the internal source")
	}
	add(o.Unknown == gateway.UnknownHold && o.NAT != nil, "an ICMP error after some silence about unknown segments")
	return out
}

// check refuses options that Linux cannot have.
func check(o gateway.Options, helper alg.Options) error {
	switch {
	case !slices.Contains([]alg.Profile{"", alg.Off, alg.Linux}, helper.Profile):
		return fmt.Errorf("gateway %s: the kernel has no helper %q; it has that of profile %s", o.Name, helper.Profile, alg.Linux)
	case len(o.Faults.Names())+len(helper.Faults.Names()) > 0:
		return fmt.Errorf("gateway %s: the kernel cannot be given faults", o.Name)
	case len(o.Interfaces) != 2:
		return fmt.Errorf("gateway %s: it has %d interfaces; a gateway of the kernel has two", o.Name, len(o.Interfaces))
	}
	return nil
}

// config is what the child in the namespace has to know.
type config struct {
	NAT     *gateway.NAT
	Filter  *gateway.Filter
	Unknown gateway.Unknown
	// Names and Outside are those of the interfaces, and which of them are
	// outside.
	Names   [2]string
	Outside [2]bool
	// Ports are the control ports with a helper; none without one.
	Ports []uint16
}
