package ftp

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// FormatPASVReply prints the text of a 227 reply in its canonical form.
func FormatPASVReply(ep netip.AddrPort) string {
	return "Entering Passive Mode (" + FormatHostPort(ep) + ")"
}

// ParsePASVReply reads the text of a 227 reply strictly: six numbers in
// parentheses, as in the reply list of RFC 959 section 4.2.1, and at most a
// full stop after them. Whatever ScanPASVReply finds odd is refused.
func ParsePASVReply(text string) (netip.AddrPort, error) {
	ep, odd, err := ScanPASVReply(text)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if len(odd) > 0 {
		return netip.AddrPort{}, syntaxErrorf("%s", odd)
	}
	return ep, nil
}

// ScanPASVReply reads the text of a 227 reply the way every client must
// (RFC 1123 section 4.1.2.6): from its first digit on, six numbers separated
// by commas, up to the first other octet. Parentheses are not needed. A seventh
// number is not legal: which six of them were meant cannot be told.
func ScanPASVReply(text string) (netip.AddrPort, Oddities, error) {
	i := strings.IndexAny(text, "0123456789")
	if i < 0 {
		return netip.AddrPort{}, nil, syntaxErrorf("no number in %.80q", text)
	}
	ep, rest, err := cutHostPort(text[i:])
	if err != nil {
		return netip.AddrPort{}, nil, err
	}
	if another(rest) {
		return netip.AddrPort{}, nil, syntaxErrorf("more than six numbers in %.80q", text[i:])
	}
	odd := tupleOddities(text[:i], text[i:len(text)-len(rest)], rest)
	if after := strings.TrimPrefix(rest, ")"); after != "" && after != "." {
		odd.addf("text %.40q after the numbers", after)
	}
	return ep, odd, nil
}

// tupleOddities looks at the parentheses around a tuple and at its zeros.
func tupleOddities(before, tuple, after string) Oddities {
	var odd Oddities
	opened, closed := strings.HasSuffix(before, "("), strings.HasPrefix(after, ")")
	switch {
	case !opened && !closed:
		odd.addf("the numbers stand without parentheses")
	case !opened:
		odd.addf("no opening parenthesis before the first number")
	case !closed:
		odd.addf("no closing parenthesis after the last number")
	}
	if zeroPadded(tuple) {
		odd.addf("numbers with leading zeros")
	}
	return odd
}

// FormatEPSVReply prints the text of a 229 reply.
func FormatEPSVReply(port uint16) string {
	return fmt.Sprintf("Entering Extended Passive Mode (|||%d|)", port)
}

// ParseEPSVReply reads the text of a 229 reply strictly: the text ends in
// (|||port|) with the recommended bar (RFC 2428 section 3). Whatever
// ScanEPSVReply finds odd is refused, other delimiters included.
func ParseEPSVReply(text string) (uint16, error) {
	port, odd, err := ScanEPSVReply(text)
	if err != nil {
		return 0, err
	}
	if len(odd) > 0 {
		return 0, syntaxErrorf("%s", odd)
	}
	return port, nil
}

// ScanEPSVReply reads the text of a 229 reply: (ddd port d) with one delimiter
// d from 33 to 126 that is not a digit. Text after the closing parenthesis, a
// delimiter other than the bar and a port with leading zeros are oddities; a
// filled protocol or address field, or another pair of parentheses before, is
// not legal, because the port could not be found for certain.
func ScanEPSVReply(text string) (uint16, Oddities, error) {
	open := strings.IndexByte(text, '(')
	if open < 0 {
		return 0, nil, syntaxErrorf("no parenthesis in %.80q", text)
	}
	s := text[open+1:]
	if len(s) < 3 || s[0] < 33 || s[0] > 126 || isDigit(s[0]) || s[1] != s[0] || s[2] != s[0] {
		return 0, nil, syntaxErrorf("%.40q does not start with one delimiter three times", s)
	}
	d, s := s[0], s[3:]
	digits, after, ok := strings.Cut(s, string(rune(d)))
	if !ok || !strings.HasPrefix(after, ")") {
		return 0, nil, syntaxErrorf("the port in %.40q is not followed by the delimiter and a parenthesis", text[open:])
	}
	port, err := parsePort(digits)
	if err != nil {
		return 0, nil, err
	}
	var odd Oddities
	if d != '|' {
		odd.addf("delimiter %q in place of the recommended bar", d)
	}
	if zeroPadded(digits) {
		odd.addf("a port with leading zeros")
	}
	if tail := after[1:]; tail != "" {
		odd.addf("text %.40q after the parenthesis", tail)
	}
	return port, odd, nil
}

// FormatLPSVReply prints the text of a 228 reply (RFC 1639 section 3).
func FormatLPSVReply(ep netip.AddrPort) string {
	return "Entering Long Passive Mode (" + FormatLongHostPort(ep) + ")"
}

// ScanLPSVReply reads the text of a 228 reply: the tuple starts after the
// first parenthesis, or at the first digit where there is none. A family other
// than 4 and 6 gives a *FamilyError.
func ScanLPSVReply(text string) (netip.AddrPort, Oddities, error) {
	i := strings.IndexByte(text, '(') + 1
	if i == 0 {
		if i = strings.IndexAny(text, "0123456789"); i < 0 {
			return netip.AddrPort{}, nil, syntaxErrorf("no number in %.80q", text)
		}
	}
	ep, rest, err := cutLongHostPort(text[i:])
	if another(rest) && !errors.Is(err, ErrSyntax) {
		err = syntaxErrorf("numbers after the port in %.80q", text[i:])
	}
	if err != nil {
		return netip.AddrPort{}, nil, err
	}
	odd := tupleOddities(text[:i], text[i:len(text)-len(rest)], rest)
	if after := strings.TrimPrefix(rest, ")"); after != "" {
		odd.addf("text %.40q after the tuple", after)
	}
	return ep, odd, nil
}
