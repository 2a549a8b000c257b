package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/ftpconform/ftpconform/ftp"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// What becomes of a SYN that is sent into a chain.
const (
	through = "established" // it came out at the other end
	refused = "refused"     // a gateway has answered with RST
	silence = "timeout"
)

// endpointIn reads the endpoint that a line of the client or of the server
// announces.
func endpointIn(line string) (netip.AddrPort, bool) {
	var ep netip.AddrPort
	var err error
	line = strings.TrimRight(line, "\r\n")
	switch word, rest, _ := strings.Cut(line, " "); strings.ToUpper(word) {
	case "PORT":
		ep, err = ftp.ParseHostPort(rest)
	case "EPRT":
		ep, err = ftp.ParseExtended(rest)
	case "227":
		ep, _, err = ftp.ScanPASVReply(rest)
	case "229":
		var port uint16
		port, _, err = ftp.ScanEPSVReply(rest)
		ep = netip.AddrPortFrom(netip.Addr{}, port)
	default:
		return ep, false
	}
	return ep, err == nil
}

// endpointOf reads an endpoint as the recordings write it: the address of IPv6
// has no brackets.
func endpointOf(s string) (netip.AddrPort, bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return netip.AddrPort{}, false
	}
	a, err := netip.ParseAddr(strings.Trim(s[:i], "[]"))
	port, perr := strconv.ParseUint(s[i+1:], 10, 16)
	return netip.AddrPortFrom(a, uint16(port)), err == nil && perr == nil
}

// own reports whether an address belongs to a gateway.
func (c *chain) own(a netip.Addr) bool {
	return slices.ContainsFunc(c.hops, func(h hop) bool {
		return slices.ContainsFunc(h.Interfaces, func(i gateway.Interface) bool {
			return slices.ContainsFunc(i.Addrs, func(p netip.Prefix) bool { return p.Addr() == a })
		}) || h.NAT != nil && slices.Contains(h.NAT.Addresses, a)
	})
}

// dialOut lets the server connect for its next transfer, and compares what
// becomes of it.
func (p *replay) dialOut(s *session) {
	if len(s.dials) == 0 {
		return
	}
	d := s.dials[0]
	s.dials = s.dials[1:]
	to, ok := endpointOf(d.Target)
	if d.Mode != "active" || !ok || !p.own(to.Addr()) || len(p.sessions) > 1 {
		return // nothing that a gateway decides about
	}
	from, ok := endpointOf(d.Local)
	if !ok {
		from = netip.AddrPortFrom(s.server.own.Addr(), 20)
	}
	got := p.connection(from, to, p.fromServer, p.fromClient, &p.atServer, &p.atClient)
	// Silence may be that of a route or of a filter which the recording does not
	// describe, but then nothing may get through here.
	if got != d.Result && (d.Result == through || d.Result == refused || got == through) {
		p.problems = append(p.problems, fmt.Sprintf("data connection from %v to %v: %s, and recorded is %s", from, to, got, d.Result))
	}
}

// passivePort is where the client's data connections come from.
const passivePort = 42001

// dialIn lets the client connect for the transfer that it is about to ask for.
// The recordings do not tell whether it believes the address in 227, so one that
// works is enough.
func (p *replay) dialIn(s *session) {
	if len(s.dials) == 0 || s.dials[0].Mode != "passive" || len(p.sessions) > 1 {
		return
	}
	d := s.dials[0]
	local, ok := endpointOf(d.Local)
	if d.Result != through || !ok {
		return
	}
	var results []string
	for i, to := range p.announced(s) {
		got := p.connection(netip.AddrPortFrom(s.client.own.Addr(), passivePort+uint16(i)), to, p.fromClient, p.fromServer, &p.atClient, &p.atServer)
		if got == through {
			return
		}
		results = append(results, fmt.Sprintf("%v: %s", to, got))
	}
	if len(results) > 0 {
		p.problems = append(p.problems, fmt.Sprintf("data connection to %v is recorded, and here %s", local, strings.Join(results, ", ")))
	}
}

// announced lists where a client connects that has got the server's last reply.
func (p *replay) announced(s *session) []netip.AddrPort {
	all := replies(string(s.client.got))
	for _, line := range slices.Backward(all) {
		if ep, ok := endpointIn(line); ok {
			out := []netip.AddrPort{netip.AddrPortFrom(s.client.peer.Addr(), ep.Port())}
			if ep.Addr().IsValid() && ep.Addr() != s.client.peer.Addr() {
				out = append(out, ep)
			}
			return out
		}
	}
	return nil
}

// connection makes a connection and closes it: SYN to FIN, as far as it goes.
func (p *replay) connection(from, to netip.AddrPort, there, back func(*packet.Packet), near, far *collector) string {
	const first = 500_000
	there(packet.TCP(packet.Segment{Src: from, Dst: to, Seq: first, Flags: packet.SYN, Window: 64240, Options: synOptions}))
	for _, q := range near.take() {
		if v, err := q.Parse(); err == nil && v.TCP && v.Flags.Has(packet.RST) && v.Dst == from {
			return refused
		}
	}
	for _, q := range far.take() {
		v, err := q.Parse()
		if err != nil || !v.TCP || !v.Flags.Has(packet.SYN) {
			continue
		}
		a := end{own: from, peer: to, first: first + 1, peerFirst: first + 1}
		b := end{own: v.Dst, peer: v.Src, first: first + 1, peerFirst: first + 1}
		back(packet.TCP(packet.Segment{Src: b.own, Dst: b.peer, Seq: first, Ack: first + 1, Flags: packet.SYN | packet.ACK, Window: 65160, Options: synOptions}))
		there(a.segment(0, 0, ""))
		there(a.segment(0, packet.FIN, ""))
		b.peerFirst++ // for the FIN
		back(b.segment(0, packet.FIN, ""))
		a.peerFirst++
		there(a.segment(1, 0, ""))
		near.take()
		far.take()
		return through
	}
	return silence
}
