package report

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// ellipsis stands in the message of an entry for what changes from run to run.
const ellipsis = "…"

// The least number of words that the stable part of a message has, where the
// message has so many, and the length beyond which no more are taken.
const (
	minWords  = 4
	maxStable = 200
)

// varying finds what changes from run to run: addresses and ports in all their
// forms, counts, durations, and where a finding was made. Numbers of three digits
// that can be reply codes stay, as do small numbers: arguments of commands.
var varying = regexp.MustCompile(strings.Join([]string{
	`\|[0-9]*\|[0-9A-Fa-f.:%]*\|[0-9]*\|?`,                                        // (|||40000|), |1|192.0.2.7|40000|
	`\b[0-9]+(?:,[0-9]+){3,}`,                                                     // 192,0,2,7,156,64
	`\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b(?::[0-9]+)?`,                               // 192.0.2.7:40000
	`\[?(?:\b[0-9A-Fa-f]{1,4}:){2,}[0-9A-Fa-f:.]*\]?(?::[0-9]+)?`,                 // 2001:db8::1, and the time of day
	`::[0-9A-Fa-f]+\b`,                                                            // ::1
	`\b(?:[0-9]+(?:\.[0-9]+)? ?(?:ns|µs|ms|s|m|h)\b|[0-9]+h[0-9]+m|[0-9]+m[0-9])`, // 2.5s, 12 ms, 1m5s
	`\b[0-9]+\.[0-9]+s\b`,
	`\b[0-9]+ of [0-9]+\b`, // round 3 of 100
	`\b[0-9]+ octets?\b`,   // with what they count: 1 octet, 65536 octets
	`\b[0-9]{4,}`,          // ports, counts, sequence numbers
	`\b(?:[07-9][0-9]{2}|[1-6][6-9][0-9])\b`,
	`\b(?:only|number|round|session) [0-9]+\b`,
	`\[[0-9]+(?: [0-9]+)+\]`, // lists of ports
}, "|"))

// ending is where a message goes over to how a transfer went, or where the
// finding was made; both depend on timing.
var ending = regexp.MustCompile(`: (?:RETR|STOR|STOU|APPE|LIST|NLST|MLSD)\b| \(seen during |: dial | \(no `)

// StableMessage returns the part of a message by which it can be known again in
// another run: up to the first thing that varies, or, where only a few words
// stand before that, with an ellipsis in its place and more words behind it.
// A message always begins as its stable part says.
func StableMessage(message string) string {
	text := squeeze(message)
	// What is cut off here is stable no more.
	for _, at := range ending.FindAllStringIndex(text, -1) {
		if words(varying.ReplaceAllString(text[:at[0]], ellipsis)) >= minWords {
			text = text[:at[0]]
			break
		}
	}
	var b strings.Builder
	for {
		at := varying.FindStringIndex(text)
		if at == nil {
			b.WriteString(text)
			break
		}
		b.WriteString(text[:at[0]])
		if words(b.String()) >= minWords {
			break
		}
		b.WriteString(ellipsis)
		text = text[at[1]:]
	}
	return trimStable(b.String())
}

// trimStable shortens what is too long, at a word, and takes off what opens
// something that is not there any more.
func trimStable(s string) string {
	if len(s) > maxStable {
		s = s[:maxStable]
		for !utf8.ValidString(s) {
			s = s[:len(s)-1]
		}
		if i := strings.LastIndexByte(s, ' '); i > 0 {
			s = s[:i]
		}
	}
	for {
		cut := strings.TrimRight(s, " (['|,:;=")
		if strings.Count(cut, `"`)%2 == 1 {
			cut = strings.TrimSuffix(cut, `"`)
		}
		if cut == s {
			return s
		}
		s = cut
	}
}

// words counts the words of a text that hold a letter or digit.
func words(s string) int {
	n := 0
	for _, w := range strings.Fields(strings.ReplaceAll(s, ellipsis, " ")) {
		if strings.ContainsFunc(w, func(r rune) bool { return r > 0x7f || r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z' }) {
			n++
		}
	}
	return n
}

// fitsMessage reports whether a message begins as a pattern says, whatever the
// white space.
func fitsMessage(pattern, message string) bool {
	parts := strings.Split(squeeze(pattern), ellipsis)
	rest, ok := strings.CutPrefix(squeeze(message), parts[0])
	for _, part := range parts[1:] {
		var before bool
		if _, rest, before = strings.Cut(rest, part); !before {
			return false
		}
	}
	return ok
}

// squeeze puts one space in the place of all white space, and U+FFFD in that of
// octets that are no UTF-8, as they are in a record.
func squeeze(s string) string { return strings.Join(strings.Fields(string([]rune(s))), " ") }
