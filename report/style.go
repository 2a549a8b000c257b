package report

import (
	"strings"
	"unicode/utf8"

	"github.com/ftpconform/ftpconform/suites"
)

// Style says how text looks where it goes. The zero value is that of a file or
// pipe: lines of any length, no colours.
type Style struct {
	// Width is the number of columns; 0 means that lines need not be cut.
	Width int
	// Colour permits escape sequences for colours.
	Colour bool
}

// The escape sequences in use (ECMA-48 section 8.3.117).
const (
	reset  = "\x1b[0m"
	bold   = "\x1b[1m"
	faint  = "\x1b[2m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	cyan   = "\x1b[36m"
)

// Strong prints text so that it stands out.
func (s Style) Strong(text string) string { return s.paint(bold, text) }

// Faint prints text that is of second rank.
func (s Style) Faint(text string) string { return s.paint(faint, text) }

// Loud prints a warning.
func (s Style) Loud(text string) string { return s.paint(bold+yellow, text) }

// Verdict prints text in the colour of a verdict.
func (s Style) Verdict(v suites.Verdict, text string) string {
	switch v {
	case suites.Pass:
		return s.paint(green, text)
	case suites.Fail, suites.HarnessError:
		return s.paint(bold+red, text)
	case suites.Warn:
		return s.paint(yellow, text)
	case suites.Info, suites.Inconclusive:
		return s.paint(cyan, text)
	default: // what was not checked is not coloured
		return text
	}
}

func (s Style) paint(sequence, text string) string {
	if !s.Colour || text == "" {
		return text
	}
	return sequence + text + reset
}

// Cut shortens a line that is too long for the terminal. The line must hold
// no escape sequences.
func (s Style) Cut(line string) string {
	if s.Width <= 1 || utf8.RuneCountInString(line) <= s.Width {
		return line
	}
	return string([]rune(line)[:s.Width-1]) + "…"
}

// minText is the least number of columns into which text is wrapped.
const minText = 30

// maxText is the most: longer lines are hard to read.
const maxText = 100

// Wrap breaks text at its spaces and begins each line with the indentation.
// In a file or pipe the lines are as on a wide terminal.
func (s Style) Wrap(indent, text string) string {
	width := maxText
	if s.Width > 0 {
		width = min(max(s.Width-utf8.RuneCountInString(indent), minText), maxText)
	}
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case column == 0:
			b.WriteString(indent)
		case column+1+n > width:
			b.WriteString("\n" + indent)
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}
