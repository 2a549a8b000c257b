package ftp

import (
	"fmt"
	"strings"
	"time"
)

// QuoteName prints a name as 257 carries it: in double quotes, with every
// double quote in it doubled (RFC 959 appendix II).
func QuoteName(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// UnquoteName finds the quoted name in the text of a 257 reply.
func UnquoteName(text string) (string, error) {
	start := strings.IndexByte(text, '"')
	if start < 0 {
		return "", syntaxErrorf("no quoted name in %.80q", text)
	}
	var b strings.Builder
	for rest := text[start+1:]; ; {
		i := strings.IndexByte(rest, '"')
		if i < 0 {
			return "", syntaxErrorf("no closing quote in %.80q", text)
		}
		b.WriteString(rest[:i])
		if !strings.HasPrefix(rest[i+1:], `"`) {
			return b.String(), nil
		}
		b.WriteByte('"')
		rest = rest[i+2:]
	}
}

// FormatSTOUName prints the text that announces the name chosen by STOU
// (RFC 1123 section 4.1.2.9).
func FormatSTOUName(name string) string { return "FILE: " + name }

// ParseSTOUName reads the text of the 125 or 150 reply to STOU.
func ParseSTOUName(text string) (string, error) {
	name, ok := strings.CutPrefix(text, "FILE: ")
	if !ok || name == "" {
		return "", syntaxErrorf("%.80q is not \"FILE: name\"", text)
	}
	return name, nil
}

// timeLayout is the UTC time-val of RFC 3659 section 2.3, without fraction.
const timeLayout = "20060102150405"

// FormatTime prints a time as MDTM and the modify fact carry it, in UTC and
// whole seconds. Years outside 1000 to 9999 cannot be expressed.
func FormatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

// ParseTime reads a time-val of the years 1000 to 9999; a fraction of a second
// is allowed, and what is finer than a nanosecond is cut off. Second 60 is
// allowed at 23:59, for leap seconds, and means the second after 59, as it
// does to every clock that does not know them.
func ParseTime(s string) (time.Time, error) {
	whole, frac, hasFrac := strings.Cut(s, ".")
	if len(whole) != len(timeLayout) || !allDigits(whole) || whole[0] == '0' || hasFrac && !allDigits(frac) {
		return time.Time{}, syntaxErrorf("%.40q is not YYYYMMDDHHMMSS[.f]", s)
	}
	var leap time.Duration
	if minute, ok := strings.CutSuffix(whole, "235960"); ok {
		whole, leap = minute+"235959", time.Second
	}
	t, err := time.Parse(timeLayout, whole)
	if err != nil {
		return time.Time{}, syntaxErrorf("%.40q: %v", s, err)
	}
	if t = t.Add(leap + nanoseconds(frac)); t.Year() > 9999 {
		return time.Time{}, syntaxErrorf("%.40q lies beyond the year 9999", s)
	}
	return t, nil
}

// nanoseconds reads the digits after the point, without the rounding that a
// floating-point number would bring in.
func nanoseconds(digits string) time.Duration {
	var n time.Duration
	for i := range 9 {
		n *= 10
		if i < len(digits) {
			n += time.Duration(digits[i] - '0')
		}
	}
	return n
}

// Fact is one fact of an MLSx entry (RFC 3659 section 7.2).
type Fact struct {
	Name, Value string
}

// factOctets are the octets of a fact's name (RCHAR in RFC 3659 section 7.2);
// the value may hold the equals sign as well.
const factOctets = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" +
	`,.:!@#$%^&()-_+?/\'"`

// FormatEntry prints an MLSx entry: facts, one space, name.
func FormatEntry(facts []Fact, name string) string {
	var b strings.Builder
	for _, f := range facts {
		fmt.Fprintf(&b, "%s=%s;", f.Name, f.Value)
	}
	return b.String() + " " + name
}

// ParseEntry reads an MLSx entry, without the leading space that a line of an
// MLST reply has. Fact names are returned in lower case. Names and values of
// facts are held to the octets that RFC 3659 section 7.2 gives them; the name
// at the end may hold any.
func ParseEntry(line string) ([]Fact, string, error) {
	head, name, ok := strings.Cut(line, " ")
	if !ok || name == "" {
		return nil, "", syntaxErrorf("%.80q has no space before a name", line)
	}
	var facts []Fact
	for head != "" {
		fact, rest, ok := strings.Cut(head, ";")
		if !ok {
			return nil, "", syntaxErrorf("fact %.40q is not closed by a semicolon", fact)
		}
		key, value, ok := strings.Cut(fact, "=")
		if !ok || key == "" {
			return nil, "", syntaxErrorf("fact %.40q has no name and value", fact)
		}
		if strings.Trim(key, factOctets) != "" || strings.Trim(value, factOctets+"=") != "" {
			return nil, "", syntaxErrorf("fact %.40q holds an octet that facts must not have", fact)
		}
		facts, head = append(facts, Fact{Name: strings.ToLower(key), Value: value}), rest
	}
	return facts, name, nil
}
