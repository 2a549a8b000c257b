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

var _ netsim.Attacher = (*Process)(nil)

// Name implements netsim.Attacher: it is the command, as it was given.
func (p *Process) Name() string { return strings.Join(p.Argv, " ") }

// Tells implements netsim.Attacher: a server is told what its command has
// placeholders for. What a script makes of the variables nobody knows, so it has
// to name them in the same way.
func (p *Process) Tells() netsim.Told { return Tells(p.Argv) }

// Apart implements netsim.Attacher: a command that is started twice may get into
// its own way on the disk.
func (p *Process) Apart() bool { return false }

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
