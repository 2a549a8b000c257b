package servers

import (
	"net"
	"net/netip"
)

// Stranger is another IPv4 address of this machine than that from which it
// reaches the server: another client, to the server. The zero value is none.
func (s *Server) Stranger() netip.Addr {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(s.Addr)) // nothing is sent
	if err != nil {
		return netip.Addr{}
	}
	defer c.Close()
	own := c.LocalAddr().(*net.UDPAddr).AddrPort().Addr()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Addr{}
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() && !p.Addr().IsLoopback() && p.Addr() != own {
			return p.Addr()
		}
	}
	return netip.Addr{}
}
