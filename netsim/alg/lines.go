package alg

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"

	"github.com/ftpconform/ftpconform/ftp"
	"github.com/ftpconform/ftpconform/netsim/gateway"
)

// maxLine bounds the lines that are looked at; longer ones pass. The longest
// that matters is an EPRT with 39 characters of address.
const maxLine = 1024

// scanner finds the lines of one direction that may announce an endpoint.
type scanner struct {
	from  gateway.Side
	knows func(kind) bool
	// off says that nothing is looked at any more.
	off bool

	// line is the current line from its first octet that is not Telnet on, as
	// far as it matters: in full while it may be one of those looked for.
	line   []byte
	open   bool   // it may still be one
	telnet byte   // the last octet of a Telnet command before the line
	multi  string // the code of a reply of several lines
}

// outcome is what an octet makes of a line.
type outcome uint8

const (
	passes outcome = iota // the line is not one of those looked for
	waits                 // it may be one
	ends                  // it is one, and this was its last octet
	other                 // it was another one, and this was its last octet
)

// octet takes the next octet. While the line may be one of those looked for,
// and for the octet that decides it, line has all of it. After a line's last
// octet, reset is to be called.
func (s *scanner) octet(c byte) outcome {
	if s.off && !s.open {
		return passes
	}
	if len(s.line) == 0 {
		if s.before(c) {
			return passes
		}
		s.open = true
	}
	if len(s.line) <= maxLine {
		s.line = append(s.line, c)
	}
	s.open = s.open && !s.off && len(s.line) <= maxLine && s.may()
	switch {
	case c == '\n' && s.open:
		return ends
	case c == '\n':
		return other
	case s.open:
		return waits
	}
	return passes
}

// before takes the Telnet commands before a line (RFC 854), which are passed on
// at once: they may be urgent.
func (s *scanner) before(c byte) bool {
	last := s.telnet
	s.telnet = 0
	switch {
	case last == ftp.IAC && c == ftp.IAC: // a letter
		return false
	case last == ftp.IAC && (c >= ftp.WILL || c == ftp.IP), last == 0 && c == ftp.IAC:
		s.telnet = c
		return true
	case last == ftp.IP && c != ftp.DM: // nothing more of the command
		return s.before(c)
	}
	return last != 0
}

// may reports whether the line can be one of those looked for.
func (s *scanner) may() bool {
	if s.from == gateway.Client {
		return s.starts(port) || s.starts(eprt)
	}
	// Within a reply of several lines only the last one counts (RFC 959 section
	// 4.2); the others may say what they like.
	return (s.multi == "" || s.multi == string(pasv)) && s.starts(pasv) ||
		(s.multi == "" || s.multi == string(epsv)) && s.starts(epsv)
}

// starts reports whether the line can begin with the word of a kind and a space.
func (s *scanner) starts(k kind) bool {
	n := min(len(s.line), len(k))
	return s.knows(k) && strings.EqualFold(string(s.line[:n]), string(k[:n])) &&
		(len(s.line) == n || s.line[n] == ' ' || s.line[n] == '\t' && s.from == gateway.Client)
}

func (s *scanner) reset() { s.line, s.open = s.line[:0], false }

// command returns the verb, in upper case, and the argument of a client's line.
func command(line []byte) (verb, argument string) {
	verb, argument, _ = strings.Cut(strings.TrimRight(string(line), "\r\n"), " ")
	return strings.ToUpper(verb), strings.TrimSpace(argument)
}

// final takes a line of the server and returns the code of the reply that it
// ends, 0 if it ends none.
func (s *scanner) final(line []byte) int {
	if len(line) < 4 || !isDigit(line[0]) || !isDigit(line[1]) || !isDigit(line[2]) {
		return 0
	}
	code := string(line[:3])
	switch {
	case s.multi == "" && line[3] == '-':
		s.multi = code
		return 0
	case s.multi != "" && (s.multi != code || line[3] != ' '):
		return 0
	}
	s.multi = ""
	n, _ := strconv.Atoi(code) // three digits
	return n
}

// read finds the endpoint that a complete line announces.
func read(line []byte, from gateway.Side, own netip.Addr) (a announcement, ok bool) {
	line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
	if len(line) < 5 {
		return a, false
	}
	var err error
	if from == gateway.Client {
		a.kind = kind(strings.ToUpper(string(line[:4])))
		rest := bytes.TrimLeft(line[4:], " \t")
		a.off = len(line) - len(rest)
		text := strings.TrimRight(string(rest), " \t")
		a.n = len(text)
		if a.kind == port {
			a.endpoint, err = ftp.ParseHostPort(text)
		} else {
			a.endpoint, err = ftp.ParseExtended(text)
		}
		return a, err == nil
	}
	a.kind = kind(line[:3])
	if a.kind == pasv {
		a.off = 4 + bytes.IndexAny(line[4:], "0123456789")
		a.n = len(line) - a.off - len(bytes.TrimLeft(line[a.off:], "0123456789,"))
		a.endpoint, err = ftp.ParseHostPort(string(line[a.off : a.off+a.n]))
		return a, err == nil
	}
	number, _, err := ftp.ScanEPSVReply(string(line[4:]))
	if err != nil {
		return a, false
	}
	a.off = bytes.IndexByte(line, '(') + 4 // the parenthesis and three delimiters
	a.n = len(line) - a.off - len(bytes.TrimLeft(line[a.off:], "0123456789"))
	a.endpoint = netip.AddrPortFrom(own, number)
	return a, true
}

// format prints an endpoint in the place of an announced one, in its form.
func format(a announcement, before string, ep netip.AddrPort) string {
	switch a.kind {
	case epsv:
		return strconv.Itoa(int(ep.Port()))
	case eprt:
		d := before[0]
		if strings.IndexByte(ep.Addr().String(), d) >= 0 {
			d = '|'
		}
		return ftp.FormatExtendedWith(d, ep)
	default:
		return ftp.FormatHostPort(ep)
	}
}
