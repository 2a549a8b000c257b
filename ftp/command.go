package ftp

import (
	"bytes"
	"strings"
)

// Command is one command line: a verb and what follows it.
type Command struct {
	// Verb is upper-case in a parsed command; verbs are case-blind
	// (RFC 959 section 5.3).
	Verb string
	// Arg is everything after the one space that ends the verb, spaces
	// included: they may belong to a pathname (RFC 3659 section 2.2).
	Arg string
	// HasArg tells "STAT " from "STAT": the space alone makes an argument,
	// an empty one.
	HasArg bool
}

// String prints the command without a line end and without hiding anything;
// use Redacted for what is shown or stored.
func (c Command) String() string {
	if !c.HasArg && c.Arg == "" {
		return c.Verb
	}
	return c.Verb + " " + c.Arg
}

// Redacted prints the command with the secret of PASS or ACCT replaced.
func (c Command) Redacted() string {
	switch strings.ToUpper(c.Verb) {
	case "PASS", "ACCT":
		if c.Arg != "" {
			return c.Verb + " ****"
		}
	}
	return c.String()
}

// ParseCommand reads one command line, given without its line end. The verb
// is one to eight letters, digits or hyphens starting with a letter (the
// documents use three or four letters; extensions use more). The argument may
// hold any octet but LF and NUL. A CR in it belongs to a pathname; the NUL that
// followed it on the wire (RFC 2640 section 3.1) has been removed by
// Telnet.Decode before.
func ParseCommand(line []byte) (Command, error) {
	if len(line) > MaxCommandLine {
		return Command{}, syntaxErrorf("command line of %d octets, limit %d", len(line), MaxCommandLine)
	}
	verb, arg, hasArg := bytes.Cut(line, []byte{' '})
	if err := checkVerb(verb); err != nil {
		return Command{}, err
	}
	if i := bytes.IndexAny(arg, "\n\x00"); i >= 0 {
		return Command{}, syntaxErrorf("octet %#02x in the argument", arg[i])
	}
	return Command{Verb: strings.ToUpper(string(verb)), Arg: string(arg), HasArg: hasArg}, nil
}

// maxVerb bounds a verb; the longest one registered has four letters.
const maxVerb = 8

func checkVerb(verb []byte) error {
	if len(verb) == 0 {
		return syntaxErrorf("no verb")
	}
	if len(verb) > maxVerb {
		return syntaxErrorf("verb of %d octets, limit %d", len(verb), maxVerb)
	}
	for i, b := range verb {
		letter := 'A' <= b && b <= 'Z' || 'a' <= b && b <= 'z'
		if !letter && (i == 0 || b != '-' && (b < '0' || b > '9')) {
			return syntaxErrorf("octet %#02x in the verb", b)
		}
	}
	return nil
}
