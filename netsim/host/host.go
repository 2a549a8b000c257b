// Package host is a host of the simulated network: a TCP/IP stack of its own
// (gVisor netstack, unchanged) behind one link, with connections and listeners
// that behave as those of the operating system do. A Host fits the interfaces
// of internal/host, so that a server or a client cannot tell where it lives.
//
// Errors match those of package net under errors.Is: ECONNREFUSED, ECONNRESET,
// EHOSTUNREACH, ENETUNREACH, ETIMEDOUT, EADDRINUSE, EADDRNOTAVAIL,
// net.ErrClosed, os.ErrDeadlineExceeded, io.EOF.
//
// All methods may be called from any goroutine.
package host

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"

	"github.com/ftpconform/ftpconform/internal/host"
	"github.com/ftpconform/ftpconform/netsim/clock"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// Options of a Host.
type Options struct {
	Name string
	// Addrs are its addresses with their networks; the first of a family is
	// the one that connections come from.
	Addrs []netip.Prefix
	// Isolated leaves the default routes out: what is not on the networks of
	// Addrs is unreachable at once.
	Isolated bool
	// MTU of the link in octets; default 1500.
	MTU int
	// Loopback, if true, makes addresses of 127.0.0.0/8 like any other: they are
	// on the network.
	Loopback bool
}

// Host is a host. Its clock is that of the network.
type Host struct {
	*clock.Node
	name  string
	addrs []netip.Prefix
	stack *stack.Stack
	link  *link

	mu        sync.Mutex
	urge      urgencies
	listening map[*listener]bool
}

var (
	_ host.Network = (*Host)(nil)
	_ host.Clock   = (*Host)(nil)
)

// Buffer is the size of the send and receive buffers in octets in virtual time:
// enough for simulated wires, and soon full when a reader stalls.
const Buffer = 256 << 10

// nic is the number of the one interface.
const nic tcpip.NICID = 1

// New makes a host. It sends nothing before Attach.
func New(c *clock.Clock, o Options) (*Host, error) {
	if o.MTU == 0 {
		o.MTU = 1500
	}
	h := &Host{Node: c.Node(), name: o.Name, addrs: o.Addrs, urge: newUrgencies(), listening: map[*listener]bool{}}
	h.link = newLink(h, o.MTU)
	seed := c.Rand("host " + o.Name)
	h.stack = stack.New(stack.Options{
		NetworkProtocols: []stack.NetworkProtocolFactory{
			ipv4.NewProtocolWithOptions(ipv4.Options{AllowExternalLoopbackTraffic: o.Loopback}), ipv6.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, icmp.NewProtocol4,
			icmp.NewProtocol6},
		Clock:      stackClock{h.Node},
		RandSource: &source{r: seed},
		SecureRNG:  &source{r: c.Rand("secure host " + o.Name)},
		// A host talks to itself without a wire, but by its link: the stack's own
		// way costs every packet a search.
		HandleLocal: false,
	})
	if err := h.configure(o); err != nil {
		h.stack.Close()
		return nil, fmt.Errorf("host %s: %w", o.Name, err)
	}
	return h, nil
}

func (h *Host) configure(o Options) error {
	// Reno with RACK, the stack's default, recovers badly from a full queue
	// (gVisor issues 7406 and 9778).
	cubic, sack, recovery := tcpip.CongestionControlOption("cubic"), tcpip.TCPSACKEnabled(true), tcpip.TCPRecovery(0)
	options := []tcpip.SettableTransportProtocolOption{&cubic, &sack, &recovery}
	if h.Virtual() {
		options = append(options, &tcpip.TCPSendBufferSizeRangeOption{Min: 4 << 10, Default: Buffer, Max: Buffer},
			&tcpip.TCPReceiveBufferSizeRangeOption{Min: 4 << 10, Default: Buffer, Max: 4 * Buffer})
	}
	for _, opt := range options {
		if err := h.stack.SetTransportProtocolOption(tcp.ProtocolNumber, opt); err != nil {
			return fmt.Errorf("set TCP option %T: %s", opt, err)
		}
	}
	if err := h.stack.CreateNIC(nic, h.link); err != nil {
		return fmt.Errorf("make the interface: %s", err)
	}
	var routes []tcpip.Route
	for _, a := range o.Addrs {
		protocol := ipv4.ProtocolNumber
		if a.Addr().Is6() {
			protocol = ipv6.ProtocolNumber
		}
		pa := tcpip.ProtocolAddress{Protocol: protocol, AddressWithPrefix: tcpip.AddressWithPrefix{
			Address: address(a.Addr()), PrefixLen: a.Bits()}}
		if err := h.stack.AddProtocolAddress(nic, pa, stack.AddressProperties{}); err != nil {
			return fmt.Errorf("address %s: %s", a, err)
		}
		routes = append(routes, tcpip.Route{Destination: pa.AddressWithPrefix.Subnet(), NIC: nic})
	}
	if !o.Isolated {
		routes = append(routes, tcpip.Route{Destination: header.IPv4EmptySubnet, NIC: nic},
			tcpip.Route{Destination: header.IPv6EmptySubnet, NIC: nic})
	}
	h.stack.SetRouteTable(routes)
	return nil
}

// Name returns the host's name.
func (h *Host) Name() string { return h.name }

// Addr returns the first address of the family of like, or the first of all.
func (h *Host) Addr(like netip.Addr) netip.Addr {
	for _, a := range h.addrs {
		if a.Addr().Is4() == like.Is4() {
			return a.Addr()
		}
	}
	return h.addrs[0].Addr()
}

// Addrs returns all addresses.
func (h *Host) Addrs() []netip.Prefix { return h.addrs }

// Attach says where the packets of the host go.
func (h *Host) Attach(out packet.Sink) { h.link.out = out }

// Input implements packet.Sink: a packet arrives.
func (h *Host) Input(p *packet.Packet) {
	v, err := p.Parse()
	if err != nil || h.has(v.Src.Addr()) {
		p.Release() // a stack drops what is malformed, or pretends to be its own
		return
	}
	h.receive(p, &v)
}

// has reports whether an address is one of the host's.
func (h *Host) has(a netip.Addr) bool {
	for _, own := range h.addrs {
		if own.Addr() == a {
			return true
		}
	}
	return false
}

// receive takes a packet that has arrived, from elsewhere or from itself.
func (h *Host) receive(p *packet.Packet, v *packet.View) {
	h.markUrgent(p, v)
	if v.Proto == packet.ProtoICMPv6 {
		// The stack acts on two of the reasons for unreachable (RFC 4443 section
		// 3.1) and takes no notice of the others.
		if why, _, _, ok := p.Quote(v); ok && (why == packet.HostUnreachable || why == packet.AdminProhibited) {
			p.SetReason(v, packet.NetUnreachable)
		}
	}
	h.link.receive(p, v)
}

// Close ends the host with all that is open on it, and waits for its
// goroutines.
func (h *Host) Close() {
	h.stack.Close()
	h.stack.Wait()
	h.link.wait()
}

// source is randomness for a stack, safe for concurrent use.
type source struct {
	mu sync.Mutex
	r  *rand.Rand
}

// Int63 and Seed implement rand.Source of math/rand.
func (s *source) Int63() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.r.Int64()
}

// Seed does nothing: the seed is the network's.
func (s *source) Seed(int64) {}

// Read implements io.Reader.
func (s *source) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := 0; i < len(b); i += 8 {
		var w [8]byte
		binary.LittleEndian.PutUint64(w[:], s.r.Uint64())
		copy(b[i:], w[:])
	}
	return len(b), nil
}

func address(a netip.Addr) tcpip.Address {
	if a.Is4() {
		return tcpip.AddrFrom4(a.As4())
	}
	return tcpip.AddrFrom16(a.As16())
}

func endpoint(a tcpip.FullAddress) netip.AddrPort {
	addr, _ := netip.AddrFromSlice(a.Addr.AsSlice())
	return netip.AddrPortFrom(addr.Unmap(), a.Port)
}
