package netsim

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/ftpconform/ftpconform/netsim/gateway"
)

// The functions of this file read plain values; their errors say what was
// written and what would be right.

// The sizes that a packet's limit may have (RFC 791 section 3.2).
const (
	minMTU = 68
	maxMTU = 65535
)

func readText(s string) (string, error) { return s, nil }

func readAddr(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%s is no address; write one like 192.168.1.2 or 2001:db8::2", quoted(s))
	}
	return a, nil
}

func readPrefix(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%s is no prefix; write one like 192.168.1.0/24 or 2001:db8::/64", quoted(s))
	}
	return p, nil
}

func readBool(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true", "on", "yes":
		return true, nil
	case "false", "off", "no":
		return false, nil
	}
	return false, fmt.Errorf("%s is neither true nor false", quoted(s))
}

// readSpan reads a time of any length but a negative one.
func readSpan(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if _, bare := strconv.ParseFloat(s, 64); bare == nil && s != "0" {
		return 0, fmt.Errorf("%s has no unit; write %[1]sms, %[1]ss or %[1]sm for milliseconds, seconds or minutes", strings.Trim(quoted(s), `"`))
	}
	switch {
	case err != nil:
		return 0, fmt.Errorf("%s is no time; write one like 5ms, 30s or 2h4m", quoted(s))
	case d < 0:
		return 0, fmt.Errorf("%v is negative; a time to wait is not", d)
	}
	return d, nil
}

// readTime reads a time for which 0 would not do: in Go it is the default, and
// here it is left out for that.
func readTime(s string) (time.Duration, error) {
	d, err := readSpan(s)
	if err == nil && d == 0 {
		return 0, fmt.Errorf("the time must be longer than 0; leave the key out for the default")
	}
	return d, err
}

// readChance reads a probability, in percent or as a number from 0 to 1.
func readChance(s string) (float64, error) {
	number, percent := strings.CutSuffix(s, "%")
	p, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%s is no probability; write one like 1%% or 0.01", quoted(s))
	case percent:
		p /= 100
	}
	if !(0 <= p && p <= 1) { // not a number is outside, too
		return 0, fmt.Errorf("%s is no probability; it must be from 0 to 1, or from 0%% to 100%%", quoted(s))
	}
	return p, nil
}

// unit is a unit of measure and its size.
type unit struct {
	name string
	size float64
}

// readRate reads bits a second and returns octets a second.
func readRate(s string) (float64, error) {
	units := []unit{{"kbit", 1e3 / 8}, {"Mbit", 1e6 / 8}, {"Gbit", 1e9 / 8}, {"bit", 1. / 8}}
	r, err := measure(strings.TrimSuffix(s, "/s"), units)
	if err != nil {
		return 0, fmt.Errorf("%s is no rate; write bits a second, like 64kbit, 10Mbit or 1Gbit", quoted(s))
	}
	return r, nil
}

// readSize reads octets.
func readSize(s string) (int, error) {
	units := []unit{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"kB", 1e3}, {"MB", 1e6}, {"B", 1}, {"", 1}}
	n, err := measure(s, units)
	if err != nil || n < 1 || n > 1<<30 {
		return 0, fmt.Errorf("%s is no number of octets; write one like 1500, 64kB or 256KiB, from 1 to 1024MiB", quoted(s))
	}
	return int(n), nil
}

// measure reads a number above 0 in the first of the units that fits.
func measure(s string, units []unit) (float64, error) {
	for _, u := range units {
		number, ok := strings.CutSuffix(s, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err == nil && !(0 < n && n*u.size <= 1e15) {
			err = strconv.ErrRange
		}
		return n * u.size, err
	}
	return 0, strconv.ErrSyntax
}

// readMTU reads the size of the largest packet.
func readMTU(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < minMTU || n > maxMTU {
		return 0, fmt.Errorf("%s is no MTU; it is in octets and from %d to %d", quoted(s), minMTU, maxMTU)
	}
	return n, nil
}

// readCount reads a whole number above 0.
func readCount(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%s is no whole number from 1 on", quoted(s))
	}
	return int(n), nil
}

func readPort(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%s is no port; a port is from 1 to 65535", quoted(s))
	}
	return uint16(n), nil
}

// readPorts reads one port, or the first and the last one of several.
func readPorts(s string) (gateway.PortRange, error) {
	first, last, several := strings.Cut(s, "-")
	a, err := readPort(strings.TrimSpace(first))
	b := a
	if err == nil && several {
		b, err = readPort(strings.TrimSpace(last))
	}
	if err != nil || b < a {
		return gateway.PortRange{}, fmt.Errorf("%s is no range of ports; write one like 21 or 50000-50059, from 1 to 65535", quoted(s))
	}
	return gateway.PortRange{First: a, Last: b}, nil
}

// choice is one of the words that may stand for a value.
type choice[T any] struct {
	word string
	is   T
}

// readChoice returns a reader for one of several words.
func readChoice[T any](choices ...choice[T]) func(string) (T, error) {
	return func(s string) (T, error) {
		words := make([]string, len(choices))
		for i, c := range choices {
			if words[i] = c.word; c.word == s {
				return c.is, nil
			}
		}
		var none T
		if near := nearest(s, words); near != "" {
			return none, fmt.Errorf("there is no %s; did you mean %s? There are %s", quoted(s), near, strings.Join(words, ", "))
		}
		return none, fmt.Errorf("there is no %s; there are %s", quoted(s), strings.Join(words, ", "))
	}
}

// nearest returns the word that was probably meant, "" if none is near: at
// most two letters are wrong, missing or too many, and at most a third of all.
// Among very many words it does not look.
func nearest(s string, words []string) string {
	if len(words) > 100 {
		return ""
	}
	best, least := "", min(2, len(s)/3)+1
	for _, w := range words {
		if d := distance(strings.ToLower(s), strings.ToLower(w)); d < least {
			best, least = w, d
		}
	}
	return best
}

// distance is the number of octets to change, add or leave out, or of
// neighbours to swap, to make one word the other (Damerau and Levenshtein).
func distance(a, b string) int {
	const most = 40 // nobody mistakes longer words for keys
	if len(a) > most || len(b) > most {
		return most
	}
	var rows [most + 1][most + 1]int
	for i := range len(a) + 1 {
		for j := range len(b) + 1 {
			switch {
			case i == 0 || j == 0:
				rows[i][j] = i + j
				continue
			case a[i-1] == b[j-1]:
				rows[i][j] = rows[i-1][j-1]
				continue
			}
			least := min(rows[i-1][j-1], rows[i-1][j], rows[i][j-1])
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				least = min(least, rows[i-2][j-2])
			}
			rows[i][j] = least + 1
		}
	}
	return rows[len(a)][len(b)]
}
