package suites

import (
	"net/netip"
	"slices"

	"github.com/ftpconform/ftpconform/netsim"
)

// checkAddrs finds mistakes in the addresses of the client and the stranger before
// a target: the error is a *UsageError, which names the flag.
func (c *Config) checkAddrs(target netip.Addr) error {
	family := map[bool]string{true: "IPv4", false: "IPv6"}
	for flag, a := range map[string]netip.Addr{"--local-addr": c.LocalAddr, "--stranger-addr": c.StrangerAddr} {
		switch {
		case !a.IsValid():
		case a.IsUnspecified() || a.IsMulticast():
			return usageErrorf("%s %s is not the address of a host; name one that this machine has", flag, a)
		case a.Is4() != target.Is4():
			return usageErrorf("%s %s is an address of %s, and the target is %s; name one of %s", flag, a, family[a.Is4()], target, family[target.Is4()])
		}
	}
	return nil
}

// check finds out whether the addresses that were given fit the networks that are
// asked for; the error is a *UsageError.
func (b *beyond) check(cfg *Config) error {
	t := b.target.Address.Addr()
	if cfg.LocalAddr.IsValid() {
		switch b.outside {
		case t:
			return usageErrorf("--local-addr %s is the target's own address, and the NAT before it needs another one of this machine", b.outside)
		case b.stranger:
			return usageErrorf("--local-addr %s is the stranger's address, and the NAT needs another one of this machine", b.outside)
		}
	}
	if !cfg.InsideAddr.IsValid() {
		return nil
	}
	inside := home(b.inside)
	for _, a := range []netip.Addr{t, b.outside, b.stranger} {
		if inside.Contains(a) {
			return usageErrorf("--inside-addr %s puts the client into the network %s, and %s is outside of it; choose another one", b.inside, inside, a)
		}
	}
	for _, name := range cfg.topologies() {
		if !slices.Contains(portalTopologies, name) {
			continue
		}
		spec, err := netsim.Builtin(string(name))
		if err != nil {
			return err
		}
		b.relocate(&spec)
		for _, n := range spec.Networks {
			if n.Prefix != inside && n.Prefix.Overlaps(inside) {
				return usageErrorf("--inside-addr %s is in the network %s, which %s has elsewhere; choose another one", b.inside, n.Prefix, name)
			}
		}
	}
	return nil
}
