package alg

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"

	"github.com/ftpconform/ftpconform/ftp"
	"github.com/ftpconform/ftpconform/netsim/gateway"
)

// What Linux finds at the start of a segment that starts a line.
type finding uint8

const (
	nothing finding = iota // none of the lines that it knows
	partial                // the beginning of one, or one that does not parse
	complete
)

// pattern is a line that Linux looks for: a prefix, and what reads the rest.
type pattern struct {
	kind   kind
	prefix string
	// read finds the endpoint in what follows the prefix. It fails with n 0.
	read func(rest []byte, own netip.Addr) (ep netip.AddrPort, off, n int)
}

// patterns are those of the client's and of the server's segments.
var patterns = [2][]pattern{
	gateway.Client: {
		{port, "PORT", func(rest []byte, _ netip.Addr) (netip.AddrPort, int, int) {
			return after(rest, ' ', func(b []byte) (netip.AddrPort, int) { return sixNumbers(b, '\r') })
		}},
		{eprt, "EPRT", func(rest []byte, own netip.Addr) (netip.AddrPort, int, int) {
			return after(rest, ' ', func(b []byte) (netip.AddrPort, int) { return extended(b, own.Is4()) })
		}},
	},
	gateway.Server: {
		{pasv, "227 ", func(rest []byte, _ netip.Addr) (netip.AddrPort, int, int) {
			i := bytes.IndexAny(rest, "0123456789")
			if i < 0 {
				return netip.AddrPort{}, 0, 0
			}
			ep, n := sixNumbers(rest[i:], 0)
			return ep, i, n
		}},
		{epsv, "229 ", func(rest []byte, own netip.Addr) (netip.AddrPort, int, int) {
			return after(rest, '(', func(b []byte) (netip.AddrPort, int) {
				if len(b) <= 3 || !delimiter(b[0]) || b[1] != b[0] || b[2] != b[0] {
					return netip.AddrPort{}, 0
				}
				port, n := delimitedPort(b, 3, b[0])
				return netip.AddrPortFrom(own, port), n
			})
		}},
	},
}

// match looks for the patterns at the start of a segment. The octets of a
// prefix count without regard to case; a segment that is a part of one, or
// just one, is partial.
func match(text []byte, from gateway.Side, own netip.Addr) (announcement, finding) {
	for _, p := range patterns[from] {
		n := min(len(text), len(p.prefix))
		switch {
		case !strings.EqualFold(string(text[:n]), p.prefix[:n]):
			continue
		case len(text) <= len(p.prefix):
			return announcement{kind: p.kind}, partial
		}
		ep, off, count := p.read(text[len(p.prefix):], own)
		if count == 0 {
			return announcement{kind: p.kind}, partial
		}
		return announcement{p.kind, ep, len(p.prefix) + off, count}, complete
	}
	return announcement{}, nothing
}

// after applies read to what follows the first skip, whatever comes before it.
func after(b []byte, skip byte, read func([]byte) (netip.AddrPort, int)) (netip.AddrPort, int, int) {
	i := bytes.IndexByte(b, skip) + 1
	if i == 0 {
		return netip.AddrPort{}, 0, 0
	}
	ep, n := read(b[i:])
	return ep, i, n
}

// numbers reads decimal numbers that are separated by sep and followed by end,
// 0 for any other octet, and returns the octets that they take. A number may
// have any number of digits, also none, and wraps around at 32 bits.
func numbers(b []byte, sep, end byte, into []uint32) int {
	i := 0
	for n, c := range b {
		switch {
		case isDigit(c):
			into[i] = into[i]*10 + uint32(c-'0')
		case c == sep:
			if i++; i == len(into) {
				return 0
			}
		case i == len(into)-1 && (end == 0 || c == end):
			return n
		default:
			return 0
		}
	}
	return 0
}

// sixNumbers reads the numbers of PORT and 227. They are put together by
// shifting, so that one above 255 runs into its neighbour: Linux 6.18 looks at
// neither (a change of 2026 does).
func sixNumbers(b []byte, end byte) (netip.AddrPort, int) {
	var n [6]uint32
	count := numbers(b, ',', end, n[:])
	return netip.AddrPortFrom(address(n[:4]), uint16(n[4]<<8|n[5])), count
}

func address(n []uint32) netip.Addr {
	a := n[0]<<24 | n[1]<<16 | n[2]<<8 | n[3]
	return netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)})
}

// extended reads the argument of EPRT, which must be of the connection's family.
func extended(b []byte, is4 bool) (netip.AddrPort, int) {
	if len(b) <= 3 || !delimiter(b[0]) || b[2] != b[0] {
		return netip.AddrPort{}, 0
	}
	d, rest, addr, n := b[0], b[3:], netip.Addr{}, 0
	switch {
	case b[1] == '1' && is4:
		var four [4]uint32
		n = numbers(rest, '.', d, four[:])
		addr = address(four[:])
	case b[1] == '2' && !is4:
		n = max(bytes.IndexByte(rest, d), 0)
		a, err := netip.ParseAddr(shortened(string(rest[:n])))
		if err != nil || a.Zone() != "" || a.Is4() {
			return netip.AddrPort{}, 0
		}
		addr = a
	}
	if n == 0 {
		return netip.AddrPort{}, 0
	}
	port, n := delimitedPort(b, 3+n+1, d)
	return netip.AddrPortFrom(addr, port), n
}

// shortened takes leading zeros off the groups of an IPv6 address that have more
// than four digits: Linux minds only a fifth one that counts.
func shortened(addr string) string {
	groups := strings.Split(addr, ":")
	for i, g := range groups {
		for len(g) > 4 && g[0] == '0' && !strings.Contains(g, ".") {
			g = g[1:]
		}
		groups[i] = g
	}
	return strings.Join(groups, ":")
}

// delimitedPort reads a port from b[from] to the delimiter, which counts in the
// octets that it returns. It wraps around at 16 bits and must not be 0.
func delimitedPort(b []byte, from int, d byte) (port uint16, n int) {
	for i := from; i < len(b); i++ {
		switch c := b[i]; {
		case c == d && port != 0:
			return port, i + 1
		case !isDigit(c):
			return 0, 0
		default:
			port = port*10 + uint16(c-'0')
		}
	}
	return 0, 0
}

// canonical is how Linux prints an endpoint, whatever stood there before.
func canonical(k kind, ep netip.AddrPort) string {
	switch {
	case k == epsv:
		return "|||" + strconv.Itoa(int(ep.Port())) + "|"
	case k == eprt && ep.Addr().Is6():
		return "|2|" + ep.Addr().StringExpanded() + "|" + strconv.Itoa(int(ep.Port())) + "|"
	case k == eprt:
		return ftp.FormatExtended(ep)
	}
	return ftp.FormatHostPort(ep)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// delimiter reports whether an octet may delimit the fields of RFC 2428.
func delimiter(c byte) bool { return c >= 33 && c <= 126 && !isDigit(c) }
