package report

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ftpconform/ftpconform/suites"
)

// Printable returns text that a terminal shows as it is and does not obey:
// control characters, invisible ones and octets that are no UTF-8 are escaped
// as in a Go string, and everything is on one line.
func Printable(s string) string {
	if clean(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			b.WriteString(octet(s[0]))
		case unicode.IsPrint(r):
			b.WriteString(s[:n])
		case r < ' ' || r == 0x7f:
			b.WriteString(control(byte(r)))
		default:
			quoted := strconv.QuoteToASCII(s[:n])
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		s = s[n:]
	}
	return b.String()
}

func clean(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// control escapes a control character, by its letter where it has one.
func control(c byte) string {
	switch c {
	case '\r':
		return `\r`
	case '\n':
		return `\n`
	case '\t':
		return `\t`
	}
	return octet(c)
}

func octet(c byte) string {
	const hex = "0123456789abcdef"
	return `\x` + string(hex[c>>4]) + string(hex[c&15])
}

// xmlText returns text that may stand in XML 1.0 (section 2.2, Char), and that
// can be read there: line ends stay, all else that is not printable is escaped.
func xmlText(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = Printable(line)
	}
	return strings.Join(lines, "\n")
}

// headline is a message in one line. The message of a harness error goes on
// with the stack; that is for the record.
func headline(v suites.Verdict, message string) string {
	if v == suites.HarnessError {
		message, _, _ = strings.Cut(message, "\n")
	}
	return Printable(message)
}
