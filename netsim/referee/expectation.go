package main

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"

	"github.com/ftpconform/ftpconform/netsim/gateway"
)

// expectation is one that was recorded: who may connect where, and by whose word.
type expectation struct {
	text         string
	from         netip.Addr
	to           netip.AddrPort
	client, peer netip.AddrPort // of the control connection, as the client knows them
}

// As conntrack -L expect writes one; before it may stand when it was looked at.
var expectationForm = regexp.MustCompile(`^(?:(?:start|after [^:]*): )?\d+ proto=(\d+) src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+) ` +
	`mask-src=(\S+) mask-dst=(\S+) sport=(\d+) dport=(\d+) master-src=(\S+) master-dst=(\S+) sport=(\d+) dport=(\d+) class=(\d+) helper=(\S+)$`)

// readExpectation takes one apart.
func readExpectation(text string) (expectation, error) {
	x := expectation{text: text}
	m := expectationForm.FindStringSubmatch(text)
	if m == nil {
		return x, fmt.Errorf("%.200q is not what conntrack -L expect writes", text)
	}
	var err error
	addr := func(s string) netip.Addr {
		a, e := netip.ParseAddr(s)
		if e != nil && err == nil {
			err = fmt.Errorf("%.60q is no address", s)
		}
		return a
	}
	port := func(s string) uint16 {
		n, e := strconv.ParseUint(s, 10, 16)
		if e != nil && err == nil {
			err = fmt.Errorf("%.60q is no port", s)
		}
		return uint16(n)
	}
	x.from, x.to = addr(m[2]), netip.AddrPortFrom(addr(m[3]), port(m[5]))
	x.client, x.peer = netip.AddrPortFrom(addr(m[10]), port(m[12])), netip.AddrPortFrom(addr(m[11]), port(m[13]))
	return x, err
}

// form is what the text of the profile's expectations has in common: TCP from any
// port to one port, of hosts and not of networks.
func (x *expectation) form() bool {
	m := expectationForm.FindStringSubmatch(x.text)
	whole := map[bool]string{true: "255.255.255.255", false: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}[x.from.Is4()]
	return slices.Equal([]string{m[1], m[4], m[6], m[7], m[8], m[9], m[14], m[15]}, []string{"6", "0", whole, whole, "0", "65535", "0", "ftp"})
}

// unexpected says that an expectation that was recorded has not been made.
func (p *replay) unexpected(e expectation) string {
	if e.form() && slices.ContainsFunc(p.expected, func(x gateway.ExpectationInfo) bool {
		to := e.to.Port()
		same := x.To.Port() == to || !p.announces(x.To.Port()) && !p.announces(to) && !p.listens(to)
		return x.From == e.from && x.To.Addr() == e.to.Addr() && same && p.master(x, e)
	}) {
		return ""
	}
	var here []string
	for _, x := range p.expected {
		here = append(here, fmt.Sprintf("%v, by %v of a connection with %v", x, x.By, x.Peer))
	}
	return fmt.Sprintf("expected is recorded %q, and here %q", e.text, here)
}

// master reports whether two expectations belong to the same control connection.
// The profile knows it as its ends are, and conntrack as the client opened it.
func (p *replay) master(x gateway.ExpectationInfo, e expectation) bool {
	ends := []netip.AddrPort{x.By, x.Peer}
	led := e.peer == p.dial && slices.Contains(ends, p.server) // to the server inside
	return slices.Contains(ends, e.client) && (led || slices.Contains(ends, e.peer))
}
