package suites

import (
	"net/netip"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
)

// What the checks of gateways change in the built-in networks, whose first
// gateway is called gw.

// theGateway is the name of the gateway.
const theGateway = "gw"

// outsideAddr is the gateway's outside address in the built-in networks.
var outsideAddr = netip.MustParseAddr("218.63.1.5")

// renumber gives the network inside the gateway another prefix, and the gateway
// and the hosts there, in their order, other addresses.
func renumber(t *netsim.Topology, prefix, gw string, hosts ...string) {
	g := &t.Gateways[0]
	for i := range t.Networks {
		if t.Networks[i].Name == g.Inside.Network {
			t.Networks[i].Prefix = netip.MustParsePrefix(prefix)
		}
	}
	g.Inside.Addrs = []netip.Addr{netip.MustParseAddr(gw)}
	for i := range t.Hosts {
		h := &t.Hosts[i]
		if h.Network != g.Inside.Network || len(hosts) == 0 {
			continue
		}
		to := netip.MustParseAddr(hosts[0])
		for j := range g.NAT.Forwards {
			if g.NAT.Forwards[j].To == h.Addrs[0] {
				g.NAT.Forwards[j].To = to
			}
		}
		h.Addrs, hosts = []netip.Addr{to}, hosts[1:]
	}
}

// addHost adds a host to a network.
func addHost(t *netsim.Topology, name, network, addr string) {
	t.Hosts = append(t.Hosts, netsim.Host{Name: name, Network: network, Addrs: []netip.Addr{netip.MustParseAddr(addr)}})
}

// addHome adds a network 192.168.n.0/24 with a host 192.168.n.2 behind a
// gateway of its own, 218.63.1.n outside, both called by a name.
func addHome(t *netsim.Topology, name string, n byte, nat gateway.NAT, profile alg.Profile) {
	inside := func(host byte) netip.Addr { return netip.AddrFrom4([4]byte{192, 168, n, host}) }
	gw := name + "-gw"
	t.Networks = append(t.Networks, netsim.Network{Name: name, Prefix: netip.PrefixFrom(inside(0), 24), Via: gw})
	t.Hosts = append(t.Hosts, netsim.Host{Name: name, Network: name, Addrs: []netip.Addr{inside(2)}})
	t.Gateways = append(t.Gateways, netsim.Gateway{Name: gw, NAT: &nat, ALG: alg.Options{Profile: profile},
		Inside:  netsim.Side{Network: name, Addrs: []netip.Addr{inside(1)}},
		Outside: netsim.Side{Network: "internet", Addrs: []netip.Addr{netip.AddrFrom4([4]byte{218, 63, 1, n})}}})
}

// sameLength makes the address of the inside host as long as that outside, so
// that a translated text keeps its length and no number has to be corrected:
// for checks that are not about the numbers.
func sameLength(t *netsim.Topology) {
	renumber(t, "10.10.10.0/24", "10.10.10.1", "10.10.10.2", "10.10.10.3")
}

// growing makes the address of the inside client shorter than that outside, so
// that translated commands grow. A server's is longer, so that its replies
// shrink.
func growing(t *netsim.Topology) {
	if t.Gateways[0].Inside.Network == "home" {
		renumber(t, "10.0.0.0/8", "10.0.0.1", "10.0.0.2")
	}
}
