package attach

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ftpconform/ftpconform/netsim"
)

// Placeholder is a name that stands for something in the words of a command.
type Placeholder struct{ Name, Doc string }

// Placeholders lists the names.
func Placeholders() []Placeholder {
	return []Placeholder{
		{"address", "the server's first address"},
		{"port", "the control port on which it is expected"},
		{"advertise", "the outside address of its NAT, for 227 replies; none where it has no NAT"},
		{"passive-min", "the first passive port that is open"},
		{"passive-max", "the last one"},
		{"topology", "the name of the network"},
	}
}

// values are those of the placeholders in a place; a name without a value is
// not in it.
func values(p netsim.Place) map[string]string {
	v := map[string]string{"port": strconv.Itoa(int(p.Port)), "topology": p.Topology}
	if len(p.Addrs) > 0 {
		v["address"] = p.Addrs[0].Addr().String()
	}
	if p.Advertise.IsValid() {
		v["advertise"] = p.Advertise.String()
	}
	if p.PassivePorts.Last != 0 {
		v["passive-min"], v["passive-max"] = strconv.Itoa(int(p.PassivePorts.First)), strconv.Itoa(int(p.PassivePorts.Last))
	}
	return v
}

// variable is the environment variable with the value of a placeholder.
func variable(name string) string {
	return "FTPCONFORM_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// Expand puts the values of a place into words, or lines, and leaves those out
// that have a name without a value.
func Expand(words []string, p netsim.Place) []string {
	known := values(p)
	var out []string
words:
	for _, word := range words {
		for _, h := range Placeholders() {
			name := "{" + h.Name + "}"
			if !strings.Contains(word, name) {
				continue
			}
			value, ok := known[h.Name]
			if !ok {
				continue words
			}
			word = strings.ReplaceAll(word, name, value)
		}
		out = append(out, word)
	}
	return out
}

// Environ are the variables that tell a command what its place is.
func Environ(p netsim.Place) []string {
	var out []string
	for _, h := range Placeholders() {
		if value, ok := values(p)[h.Name]; ok {
			out = append(out, variable(h.Name)+"="+value)
		}
	}
	return out
}

// mentions reports whether some text has a placeholder or its variable.
func mentions(text []string, name string) bool {
	return slices.ContainsFunc(text, func(word string) bool {
		return strings.Contains(word, "{"+name+"}") || strings.Contains(word, variable(name))
	})
}

// Tells says what of a place a text with placeholders, or their variables, tells a
// server.
func Tells(text []string) netsim.Told {
	return netsim.Told{Advertise: mentions(text, "advertise"), PassivePorts: mentions(text, "passive-min") && mentions(text, "passive-max")}
}
