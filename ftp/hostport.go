package ftp

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// FormatHostPort prints an IPv4 endpoint as the six numbers of PORT and 227:
// h1,h2,h3,h4,p1,p2 (RFC 959 section 5.3.2). An IPv4-mapped IPv6 address is
// unmapped first. It panics on any other address, which has no such form.
func FormatHostPort(ep netip.AddrPort) string {
	a := ep.Addr().Unmap().As4()
	p := ep.Port()
	return fmt.Sprintf("%d,%d,%d,%d,%d,%d", a[0], a[1], a[2], a[3], p>>8, p&0xff)
}

// ParseHostPort reads the argument of PORT strictly: six decimal numbers from
// 0 to 255, separated by single commas, nothing else. The BNF of RFC 959
// section 5.3.2 says 1 to 255; its own examples use zero, so zero is taken
// (conflict C-05). A number has at most three digits and is decimal also with
// leading zeros. Port 0 is refused, because nothing can listen there.
func ParseHostPort(s string) (netip.AddrPort, error) {
	ep, rest, err := cutHostPort(s)
	switch {
	case err != nil:
		return netip.AddrPort{}, err
	case rest != "":
		return netip.AddrPort{}, syntaxErrorf("%.40q after the sixth number", rest)
	}
	return ep, nil
}

// cutHostPort reads six numbers at the start of s and returns what follows.
func cutHostPort(s string) (netip.AddrPort, string, error) {
	n, rest, err := cutOctets(s, 6)
	if err != nil {
		return netip.AddrPort{}, s, err
	}
	port := uint16(n[4])<<8 | uint16(n[5])
	if port == 0 {
		return netip.AddrPort{}, s, syntaxErrorf("port 0")
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(n[:4])), port), rest, nil
}

// cutOctets reads exactly count comma-separated octets at the start of s.
func cutOctets(s string, count int) ([]byte, string, error) {
	out := make([]byte, 0, count)
	for i := range count {
		if i > 0 {
			if !strings.HasPrefix(s, ",") {
				return nil, s, syntaxErrorf("%d numbers where %d are needed", i, count)
			}
			s = s[1:]
		}
		digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
		if digits == 0 {
			return nil, s, syntaxErrorf("no number at %.20q", s)
		}
		v, err := strconv.ParseUint(s[:digits], 10, 8)
		if err != nil || digits > 3 {
			return nil, s, syntaxErrorf("number %.20s is not an octet", s[:digits])
		}
		out, s = append(out, byte(v)), s[digits:]
	}
	return out, s, nil
}

// zeroPadded reports whether a number in a text of digits and commas has a
// leading zero, which some receivers take for octal.
func zeroPadded(numbers string) bool {
	for n := range strings.SplitSeq(numbers, ",") {
		if len(n) > 1 && n[0] == '0' {
			return true
		}
	}
	return false
}

// another reports whether one more number follows a complete tuple.
func another(rest string) bool {
	return len(rest) > 1 && rest[0] == ',' && isDigit(rest[1])
}

// FormatLongHostPort prints an endpoint as the argument of LPRT and the
// tuple of 228: family, address length, address octets, port length, port
// octets (RFC 1639 section 2). Family is 4 or 6; an IPv4-mapped address is
// unmapped and a zone is left out. It panics on the zero Addr, which has no
// such form.
func FormatLongHostPort(ep netip.AddrPort) string {
	addr := ep.Addr().Unmap()
	if !addr.IsValid() {
		panic("ftp: FormatLongHostPort of the zero Addr")
	}
	family := 6
	if addr.Is4() {
		family = 4
	}
	raw := addr.AsSlice()
	var b strings.Builder
	fmt.Fprintf(&b, "%d,%d", family, len(raw))
	for _, octet := range raw {
		fmt.Fprintf(&b, ",%d", octet)
	}
	fmt.Fprintf(&b, ",2,%d,%d", ep.Port()>>8, ep.Port()&0xff)
	return b.String()
}

// FamilyError says that an EPRT, EPSV or LPRT argument or the tuple of a 228
// reply is well formed but names a network protocol that this package cannot
// express. Family is the number as it was written. The answer to such a
// command is 522 or 521 and not 501.
type FamilyError struct{ Family string }

func (e *FamilyError) Error() string {
	return fmt.Sprintf("ftp: network protocol %.20s not supported", e.Family)
}

// ParseLongHostPort reads the argument of LPRT strictly. An address family
// other than 4 and 6 gives a *FamilyError.
func ParseLongHostPort(s string) (netip.AddrPort, error) {
	ep, rest, err := cutLongHostPort(s)
	switch {
	case errors.Is(err, ErrSyntax):
		return netip.AddrPort{}, err
	case rest != "":
		return netip.AddrPort{}, syntaxErrorf("%.40q after the port", rest)
	}
	return ep, err
}

// cutLongHostPort reads a tuple at the start of s and returns what follows,
// also beside a *FamilyError: whether a tuple of an unknown family is well
// formed can be told, because it carries its lengths.
func cutLongHostPort(s string) (netip.AddrPort, string, error) {
	head, rest, err := cutOctets(s, 2)
	if err != nil {
		return netip.AddrPort{}, s, err
	}
	family := head[0]
	known := family == 4 || family == 6
	if length := head[1]; family == 4 && length != 4 || family == 6 && length != 16 {
		return netip.AddrPort{}, s, syntaxErrorf("family %d with an address of %d octets", family, length)
	}
	address, rest, err := cutCounted(rest, int(head[1]))
	if err != nil {
		return netip.AddrPort{}, s, err
	}
	length, rest, err := cutCounted(rest, 1)
	if err != nil {
		return netip.AddrPort{}, s, err
	}
	if known && length[0] != 2 {
		return netip.AddrPort{}, s, syntaxErrorf("port of %d octets", length[0])
	}
	port, rest, err := cutCounted(rest, int(length[0]))
	if err != nil {
		return netip.AddrPort{}, s, err
	}
	if !known {
		return netip.AddrPort{}, rest, &FamilyError{Family: strconv.Itoa(int(family))}
	}
	number := uint16(port[0])<<8 | uint16(port[1])
	if number == 0 {
		return netip.AddrPort{}, s, syntaxErrorf("port 0")
	}
	addr, ok := netip.AddrFromSlice(address)
	if !ok {
		return netip.AddrPort{}, s, syntaxErrorf("address of %d octets", len(address))
	}
	return netip.AddrPortFrom(addr, number), rest, nil
}

// cutCounted reads count octets, each after a comma, at the start of s.
func cutCounted(s string, count int) ([]byte, string, error) {
	if count == 0 {
		return nil, s, nil
	}
	rest, ok := strings.CutPrefix(s, ",")
	if !ok {
		return nil, s, syntaxErrorf("%d more numbers are needed at %.20q", count, s)
	}
	return cutOctets(rest, count)
}
