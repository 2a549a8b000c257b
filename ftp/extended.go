package ftp

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// The address family numbers of EPRT and EPSV (RFC 2428 section 2).
const (
	FamilyIPv4 = 1
	FamilyIPv6 = 2
)

// FamilyOf returns FamilyIPv4 or FamilyIPv6; an IPv4-mapped address is IPv4.
func FamilyOf(addr netip.Addr) int {
	if addr.Unmap().Is4() {
		return FamilyIPv4
	}
	return FamilyIPv6
}

// FormatExtended prints the argument of EPRT with the recommended delimiter:
// |1|192.0.2.7|8193| (RFC 2428 section 2). An IPv4-mapped address is unmapped
// and a zone is left out, because the grammar has no place for it. It panics
// on the zero Addr, which has no such form.
func FormatExtended(ep netip.AddrPort) string { return FormatExtendedWith('|', ep) }

// FormatExtendedWith prints the argument of EPRT with another delimiter. That
// it is a legal one, and none that occurs in the address, is up to the caller:
// a test may need the text that no parser can read.
func FormatExtendedWith(delimiter byte, ep netip.AddrPort) string {
	addr := ep.Addr().Unmap().WithZone("")
	if !addr.IsValid() {
		panic("ftp: FormatExtended of the zero Addr")
	}
	d := string([]byte{delimiter}) // one octet, also above 127
	return d + strconv.Itoa(FamilyOf(addr)) + d + addr.String() + d + strconv.Itoa(int(ep.Port())) + d
}

// ParseExtended reads the argument of EPRT strictly: a delimiter from 33 to
// 126, the family, the address in the family's own notation, the port, each
// followed by the delimiter (RFC 2428 section 2). A family other than 1 and 2
// gives a *FamilyError, whatever its address looks like. A digit as delimiter
// is refused: it could not be told from the fields. So is a zone, which the
// address grammar does not have. Leading zeros of family and port count for
// nothing; in an IPv4 address they are refused, as octal to some readers.
func ParseExtended(s string) (netip.AddrPort, error) {
	fields, err := splitExtended(s)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port, err := parsePort(fields[2])
	if err != nil {
		return netip.AddrPort{}, err
	}
	if !allDigits(fields[0]) {
		return netip.AddrPort{}, syntaxErrorf("family %.20q is not a number", fields[0])
	}
	family, err := parseFamily(fields[0])
	if err != nil {
		return netip.AddrPort{}, err
	}
	addr, err := netip.ParseAddr(fields[1])
	if err != nil || addr.Zone() != "" {
		return netip.AddrPort{}, syntaxErrorf("%.60q is not an address", fields[1])
	}
	if addr.Is4() != (family == FamilyIPv4) {
		return netip.AddrPort{}, syntaxErrorf("family %d with the address %s", family, addr)
	}
	return netip.AddrPortFrom(addr, port), nil
}

// parseFamily reads a family that is known to consist of digits. A number too
// large for any family names an unknown one, like every other.
func parseFamily(digits string) (int, error) {
	switch n, err := strconv.ParseUint(digits, 10, 16); {
	case err == nil && n == FamilyIPv4:
		return FamilyIPv4, nil
	case err == nil && n == FamilyIPv6:
		return FamilyIPv6, nil
	}
	return 0, &FamilyError{Family: digits}
}

// splitExtended splits "d f0 d f1 d f2 d" into its three fields.
func splitExtended(s string) ([]string, error) {
	if s == "" {
		return nil, syntaxErrorf("no argument")
	}
	d := s[0]
	if d < 33 || d > 126 || isDigit(d) {
		return nil, syntaxErrorf("octet %#02x as delimiter", d)
	}
	parts := strings.Split(s, string(rune(d)))
	if len(parts) != 5 || parts[0] != "" || parts[4] != "" {
		return nil, syntaxErrorf("%d delimiters %q, need 4 and nothing outside them", strings.Count(s, string(rune(d))), d)
	}
	return parts[1:4], nil
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// parsePort reads a port from 1 to 65535 in decimal digits.
func parsePort(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 || !allDigits(s) {
		return 0, syntaxErrorf("%.20q is not a port from 1 to 65535", s)
	}
	return uint16(n), nil
}

// EPSVArg is the argument of EPSV: a family, the word ALL, or nothing.
type EPSVArg struct {
	Family int // 0 when none was given
	All    bool
}

// ParseEPSVArg reads the argument of EPSV (RFC 2428 section 3). ALL is
// case-blind. A family other than 1 and 2 gives a *FamilyError.
func ParseEPSVArg(s string) (EPSVArg, error) {
	if s == "" {
		return EPSVArg{}, nil
	}
	if strings.EqualFold(s, "ALL") {
		return EPSVArg{All: true}, nil
	}
	if !allDigits(s) {
		return EPSVArg{}, syntaxErrorf("%.40q is neither a family nor ALL", s)
	}
	family, err := parseFamily(s)
	if err != nil {
		return EPSVArg{}, err
	}
	return EPSVArg{Family: family}, nil
}

// ParseFamilies finds the list of families in the text of a 522 reply: the
// last thing in it, in the only pair of parentheses (RFC 2428 section 2).
// The 521 of LPRT has the same form (RFC 1639 section 4).
func ParseFamilies(text string) ([]int, error) {
	if strings.Count(text, "(") != 1 || strings.Count(text, ")") != 1 {
		return nil, syntaxErrorf("%.80q does not hold exactly one pair of parentheses", text)
	}
	inner, after, ok := strings.Cut(text[strings.Index(text, "(")+1:], ")")
	if !ok {
		return nil, syntaxErrorf("the parentheses in %.80q do not enclose anything", text)
	}
	if strings.TrimSpace(after) != "" {
		return nil, syntaxErrorf("%.40q after the list", after)
	}
	var out []int
	for field := range strings.SplitSeq(inner, ",") {
		n, err := strconv.ParseUint(field, 10, 16)
		if err != nil || !allDigits(field) {
			return nil, syntaxErrorf("%.40q is not a list of numbers", inner)
		}
		out = append(out, int(n))
	}
	return out, nil
}

// FormatFamilies prints the list of a 522 or 521 reply: "(1,2)".
func FormatFamilies(families ...int) string {
	s := make([]string, len(families))
	for i, f := range families {
		s[i] = strconv.Itoa(f)
	}
	return fmt.Sprintf("(%s)", strings.Join(s, ","))
}
