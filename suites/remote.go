package suites

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/portal"
)

// A target that is somewhere else is checked behind the NATs of clients all the
// same: the client and its NAT are simulated, and outside the network goes on in
// this machine's sockets, see package portal.

// portalTopologies are the networks of which the client's side is enough.
var portalTopologies = []Topology{ClientNAT, ClientNATALG, DoubleNAT}

// remote reports whether the target is somewhere else.
func (c *Config) remote() bool { return c.Target != "" }

// sited reports whether checks of a topology run in a network in real time.
func (c *Config) sited(t Topology) bool { return c.attached() || c.remote() && t != Direct }

// beyond is what a simulated network has to have of the real one that it goes on
// in.
type beyond struct {
	target *Target // with the directory that the run was given
	// Outside is this machine as the target sees it: the outermost NAT has this
	// address. Inside is the client's, behind the NATs.
	outside, inside netip.Addr
	stranger        netip.Addr // the zero value if there is none
}

// noPortalError says why there is no simulated NAT before a target.
type noPortalError struct{ reason string }

func (e *noPortalError) Error() string { return e.reason }

// newBeyond finds out how the network of a target goes on. The error is a
// *noPortalError where nothing can be done about it, or a *UsageError.
func newBeyond(cfg *Config, target *Target) (*beyond, error) {
	t := target.Address.Addr()
	if t.Is6() {
		return nil, &noPortalError{fmt.Sprintf("the NATs of this network know IPv4 only, and the target is %s", t)}
	}
	b := &beyond{target: target, outside: cfg.LocalAddr, inside: cfg.InsideAddr, stranger: strangerOf(cfg, t)}
	if !b.outside.IsValid() {
		var err error
		if b.outside, err = sourceFor(target.Address); err != nil {
			return nil, &noPortalError{fmt.Sprintf("this machine has no way to %s: %v", t, err)}
		}
		for b.outside == t || b.outside == b.stranger {
			if !t.IsLoopback() {
				return nil, &noPortalError{fmt.Sprintf("the target is on this machine, at %s, which is the address that the NAT would have; give the NAT another one with --local-addr", t)}
			}
			b.outside = t.Next()
			for b.outside == b.stranger {
				b.outside = b.outside.Next()
			}
		}
	}
	if b.inside.IsValid() {
		return b, b.check(cfg)
	}
	for _, a := range documentation {
		if !slices.ContainsFunc([]netip.Addr{t, b.outside, b.stranger}, home(a).Contains) {
			b.inside = a
			return b, b.check(cfg)
		}
	}
	return nil, &noPortalError{"the target and this machine have addresses in all networks for documentation; give the client one with --inside-addr"}
}

// documentation are addresses that nobody has (RFC 5737), so that a server that
// connects where it is told reaches nobody.
var documentation = []netip.Addr{netip.AddrFrom4([4]byte{192, 0, 2, 2}), netip.AddrFrom4([4]byte{198, 51, 100, 2}), netip.AddrFrom4([4]byte{203, 0, 113, 2})}

// home is the network of an inside address.
func home(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, 24).Masked() }

// strangerOf is the address of the stranger before a target.
func strangerOf(cfg *Config, t netip.Addr) netip.Addr {
	usual := netip.AddrFrom4([4]byte{127, 0, 0, 2})
	if !cfg.StrangerAddr.IsValid() && t.IsLoopback() && t.Is4() && t != usual {
		return usual
	}
	return cfg.StrangerAddr
}

// sourceFor is the address from which this machine sends to another one; nothing
// is sent to find out.
func sourceFor(to netip.AddrPort) (netip.Addr, error) {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return netip.Addr{}, err
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}

// relocate gives a built-in network, of which the client's side is simulated, the
// addresses of the real one.
func (b *beyond) relocate(t *netsim.Topology) {
	t.Loopback = true
	server, _ := t.Host(t.WithDefaults().Server)
	for i := range t.Networks {
		if t.Networks[i].Name == server.Network { // everything that is not inside
			t.Networks[i].Prefix, t.Networks[i].Open = netip.PrefixFrom(b.outside, 32), true
		}
	}
	t.Hosts = slices.DeleteFunc(t.Hosts, func(h netsim.Host) bool { return h.Name == "stranger" && !b.stranger.IsValid() })
	for i := range t.Hosts {
		switch t.Hosts[i].Name {
		case server.Name:
			t.Hosts[i].Addrs = []netip.Addr{b.target.Address.Addr()}
		case "stranger":
			t.Hosts[i].Addrs = []netip.Addr{b.stranger}
		}
	}
	for i := range t.Gateways {
		if g := &t.Gateways[i]; g.Outside.Network == server.Network {
			g.Outside.Addrs = []netip.Addr{b.outside}
		}
	}
	gw := home(b.inside).Addr().Next()
	if gw == b.inside {
		gw = gw.Next()
	}
	renumber(t, home(b.inside).String(), gw.String(), b.inside.String())
}

// open makes a site whose network goes on in this machine's sockets.
func (b *beyond) open(cfg *Config, spec netsim.Topology) (*site, error) {
	st := &site{spec: spec, over: make(chan struct{})}
	st.site = st
	var err error
	taken := func(at netip.AddrPort) bool { return at.Addr() == b.outside && st.portal.Taken(at) }
	// Others that run at the same time take other ports.
	if st.World, err = netsim.Build(spec, netsim.Options{Seed: rand.Uint64(), Real: true, Faults: cfg.NetFaults, Taken: taken}); err != nil {
		return nil, err
	}
	outermost := spec.Gateways[len(spec.Gateways)-1].Name
	st.portal = portal.Open(st.Server(), portal.Options{Network: cfg.Network, Log: st.say, Expected: func() (all []netip.AddrPort) {
		for _, x := range st.Gateway(outermost).Table().Expectations {
			// Where nobody listens inside, this machine does not either, so that
			// the target is refused in both cases.
			if x.To.Addr() == b.outside && st.Client().Listens(x.Real) {
				all = append(all, x.To)
			}
		}
		return all
	}})
	st.opening = fmt.Sprintf("the client is %s behind a simulated NAT, and the target sees it as %s", b.inside, b.outside)
	t := placed(st.World, b.target.Address.Port())
	t.User, t.Password, t.Dir, t.Name = b.target.User, b.target.Password, b.target.Dir, b.target.Name
	t.PassivePorts = cfg.PassivePorts
	t.lacks[NeedServerSide] = Lack{Inconclusive, "needs an attached target: what happens in the server's network cannot be seen from here; attach the server, with --exec or --server"}
	st.target = t
	st.run()
	return st, nil
}

// noSide is the result of a check in a network whose server side would have to be
// simulated as well.
func noSide(c Check, t Topology) Result {
	res := notRun(c, t, fmt.Sprintf("needs an attached target: topology %s is more than the client's side of the network; attach the server, with --exec or --server", t))
	res.Verdict = Inconclusive
	return res
}

// inPortal runs one check against a target behind a simulated NAT. Where it fails
// because of this machine, it has no answer.
func (r *run) inPortal(ctx context.Context, c Check, t Topology) Result {
	switch {
	case !slices.Contains(portalTopologies, t):
		return noSide(c, t)
	case r.noPortal != "":
		res := notRun(c, t, r.noPortal)
		res.Verdict = Inconclusive
		return res
	case c.Exclusive:
		r.alone.Lock()
		defer r.alone.Unlock()
	default:
		r.alone.RLock()
		defer r.alone.RUnlock()
	}
	return r.inSite(ctx, c, t)
}

// hinder makes a breach that came about while this machine could not do what a
// part of the network has to do no breach.
func hinder(res *Result, hitches []string) {
	if len(hitches) > 0 && (res.Verdict == Fail || res.Verdict == Warn) {
		res.Verdict, res.Message = Inconclusive, strings.Join(hitches, "; ")+"; seen then: "+res.Message
	}
}
