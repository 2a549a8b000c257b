// Package ftp is the vocabulary of the File Transfer Protocol: commands,
// replies, data-connection endpoints and the texts in which they travel.
// It parses and prints; it performs no I/O and holds no state that is shared,
// so every function may be called from any goroutine.
//
// Two ways of reading are kept apart. A Parse function is strict: it accepts
// what the grammar of the source document produces and nothing else, and for a
// text that has a Scan function too, the canonical form alone. A Scan
// function is lenient: it accepts what a careful receiver must be able to
// understand, and lists as Oddities whatever was unusual. A text is
//
//   - legal when Scan succeeds without an oddity,
//   - legal but odd when Scan succeeds with at least one,
//   - illegal when Scan fails.
//
// Sources: RFC 959 (commands, replies), RFC 1123 section 4.1 (corrections),
// RFC 1639 (LPRT, LPSV), RFC 2389 (FEAT, OPTS), RFC 2428 (EPRT, EPSV),
// RFC 2640 (names), RFC 3659 (SIZE, MDTM, MLST, MLSD).
package ftp

import (
	"errors"
	"fmt"
	"strings"
)

// Sizes that a receiver may set as its bounds. The documents name none; these
// are far above anything a conforming peer has a reason to send.
const (
	// MaxCommandLine is the longest command line, in octets and without its
	// line end, that the reference server accepts.
	MaxCommandLine = 8 << 10
	// MaxReplyLine is the longest single reply line, in octets.
	MaxReplyLine = 64 << 10
	// MaxReplyLines is the largest number of lines in one reply.
	MaxReplyLines = 64 << 10
	// MaxReply is the largest reply as a whole, in octets.
	MaxReply = 4 << 20
)

// ErrSyntax is wrapped by every error that a parser of this package returns,
// except *FamilyError, which is about a text that is well formed.
var ErrSyntax = errors.New("ftp: syntax error")

// syntaxErrorf says what of the text breaks which rule.
func syntaxErrorf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSyntax, fmt.Sprintf(format, args...))
}

// Oddities lists what was unusual in a text that is legal all the same, one
// sentence fragment each. The empty list means that the text is canonical.
type Oddities []string

func (o *Oddities) addf(format string, args ...any) {
	*o = append(*o, fmt.Sprintf(format, args...))
}

// String joins the oddities for a message.
func (o Oddities) String() string { return strings.Join(o, "; ") }

// Legality grades a text against its grammar.
type Legality int

// The grades of a text.
const (
	Legal   Legality = iota // canonical
	Odd                     // legal, but unusual enough to be reported
	Illegal                 // outside the grammar
)

// LegalityOf derives the grade from what a Scan function returned.
func LegalityOf(odd Oddities, err error) Legality {
	switch {
	case err != nil:
		return Illegal
	case len(odd) > 0:
		return Odd
	}
	return Legal
}

// String returns "legal", "legal but odd" or "illegal".
func (l Legality) String() string {
	switch l {
	case Legal:
		return "legal"
	case Odd:
		return "legal but odd"
	case Illegal:
		return "illegal"
	}
	return fmt.Sprintf("Legality(%d)", int(l))
}
