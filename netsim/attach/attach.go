// Package attach puts real FTP servers into the simulated network: a Process
// runs in a namespace of its own, whose only way out is a device that netsim
// holds, and Join enters the namespace of a container that has been started
// without a network. To the network both are a Server, a node in the place of a
// simulated host; to the server, the network is all there is.
//
// It needs Linux and root, or, for processes, a system that lets users make
// user namespaces and open /dev/net/tun; errors about that are those of package
// namespace. A Server may be used from several goroutines.
package attach

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ftpconform/ftpconform/netsim"
)

// Process is the command line of a server that stays in the foreground.
type Process struct {
	// Argv is the program and its arguments. In each word, the names in braces
	// that Placeholders lists stand for what the server has to know of its
	// place. A word with a name that has no value there is left out, so that
	// "-opasv_address={advertise}" is given where there is something to
	// advertise.
	Argv []string
	// Env are further environment variables; those of this process are handed
	// on, and the values of the placeholders, as FTPCONFORM_ADDRESS and so on,
	// for commands that are scripts.
	Env []string
	// TUN is as in namespace.Options.
	TUN string
}

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

var _ netsim.Attacher = (*Process)(nil)

// Name implements netsim.Attacher: it is the command, as it was given.
func (p *Process) Name() string { return strings.Join(p.Argv, " ") }

// Tells implements netsim.Attacher: a server is told what its command has
// placeholders for. What a script makes of the variables nobody knows, so it has
// to name them in the same way.
func (p *Process) Tells() netsim.Told {
	return netsim.Told{Advertise: p.mentions("advertise"), PassivePorts: p.mentions("passive-min") && p.mentions("passive-max")}
}

// mentions reports whether the command has a placeholder or its variable.
func (p *Process) mentions(name string) bool {
	return slices.ContainsFunc(p.Argv, func(word string) bool {
		return strings.Contains(word, "{"+name+"}") || strings.Contains(word, variable(name))
	})
}

// variable is the environment variable with the value of a placeholder.
func variable(name string) string {
	return "FTPCONFORM_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// argv are the words of the command in a place.
func (p *Process) argv(place netsim.Place) []string {
	known := values(place)
	var out []string
words:
	for _, word := range p.Argv {
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

// env are the variables that tell the command what its place is.
func (p *Process) env(place netsim.Place) []string {
	var out []string
	for _, h := range Placeholders() {
		if value, ok := values(place)[h.Name]; ok {
			out = append(out, variable(h.Name)+"="+value)
		}
	}
	return append(out, p.Env...)
}

// Split takes a command line apart as a shell does: words stand between
// blanks, and quotes and backslashes keep blanks in a word. Nothing else has a
// meaning; for more, let the command be sh -c '…'.
func Split(line string) ([]string, error) {
	var out []string
	var word strings.Builder
	begun, quote := false, byte(0)
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case c == '\\' && quote != '\'':
			if i++; i == len(line) {
				return nil, errors.New("the command ends with a backslash")
			}
			if quote == '"' && !strings.ContainsRune(`"\$`+"`", rune(line[i])) {
				word.WriteByte(c)
			}
			word.WriteByte(line[i])
			begun = true
		case quote != 0:
			word.WriteByte(c)
		case c == '\'' || c == '"':
			quote, begun = c, true
		case c == ' ' || c == '\t' || c == '\n':
			if begun {
				out = append(out, word.String())
				word.Reset()
				begun = false
			}
		default:
			word.WriteByte(c)
			begun = true
		}
	}
	switch {
	case quote != 0:
		return nil, fmt.Errorf("a quote %c of the command is not closed", quote)
	case begun:
		out = append(out, word.String())
	}
	if len(out) == 0 {
		return nil, errors.New("the command is empty")
	}
	return out, nil
}
