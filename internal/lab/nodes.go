package lab

import (
	"net/netip"
	"slices"

	"github.com/ftpconform/ftpconform/netsim"
)

// nodes lists those that had a part: client, gateways and server in the order
// of the way between them, then others.
func nodes(t *netsim.Topology, messages []Message) []Node {
	part := map[string]bool{t.Client: true, t.Server: true}
	for _, m := range messages {
		part[m.From], part[m.To] = true, true
	}
	order := append([]string{t.Client}, gatewaysBetween(t)...)
	order = append(order, t.Server)
	for _, h := range t.Hosts {
		if h.Name != t.Client && h.Name != t.Server {
			order = append(order, h.Name)
		}
	}
	var out []Node
	for _, name := range order {
		if part[name] {
			out = append(out, node(t, name))
		}
	}
	return out
}

// node finds a host or gateway by its name.
func node(t *netsim.Topology, name string) Node {
	for _, g := range t.Gateways {
		if g.Name == name {
			return Node{Name: name, Gateway: true, Addrs: g.Inside.Addrs, Outside: g.Outside.Addrs}
		}
	}
	h, _ := t.Host(name)
	return Node{Name: name, Addrs: h.Addrs}
}

// owners finds the nodes of each network by their addresses, and its gateway to
// elsewhere under the zero address.
type owners map[string]map[netip.Addr]string

func ownersIn(t *netsim.Topology) owners {
	o := owners{}
	has := func(network, node string, addrs ...netip.Addr) {
		for _, a := range addrs {
			o[network][a] = node
		}
	}
	for _, n := range t.Networks {
		o[n.Name] = map[netip.Addr]string{}
		if n.Via != "" {
			has(n.Name, n.Via, netip.Addr{})
		}
	}
	for _, g := range t.Gateways {
		has(g.Inside.Network, g.Name, g.Inside.Addrs...)
		has(g.Outside.Network, g.Name, g.Outside.Addrs...)
		if g.NAT != nil {
			has(g.Outside.Network, g.Name, g.NAT.Addresses...)
		}
	}
	for _, h := range t.Hosts {
		has(h.Network, h.Name, h.Addrs...)
	}
	return o
}

// next is the node that would get what a node sends on a network; the network
// itself if there is none.
func (o owners) next(network, from string, to netip.Addr) string {
	for _, a := range []netip.Addr{to, {}} {
		if name := o[network][a]; name != "" && name != from {
			return name
		}
	}
	return network
}

// gatewaysBetween lists the gateways, those on the shortest way from client to
// server first and in its order.
func gatewaysBetween(t *netsim.Topology) []string {
	client, _ := t.Host(t.Client)
	server, _ := t.Host(t.Server)
	ways := map[string][]string{client.Network: {}}
	for queue := []string{client.Network}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		for _, g := range t.Gateways {
			for _, sides := range [][2]string{{g.Inside.Network, g.Outside.Network}, {g.Outside.Network, g.Inside.Network}} {
				if _, known := ways[sides[1]]; sides[0] == at && !known {
					ways[sides[1]] = append(append([]string{}, ways[at]...), g.Name)
					queue = append(queue, sides[1])
				}
			}
		}
	}
	order := ways[server.Network]
	for _, g := range t.Gateways {
		if !slices.Contains(order, g.Name) {
			order = append(order, g.Name)
		}
	}
	return order
}
