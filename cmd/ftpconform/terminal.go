package main

import (
	"io"
	"os"

	"golang.org/x/term"

	"github.com/ftpconform/ftpconform/report"
)

// screen is where output goes, and what is possible there.
type screen struct {
	report.Style
	// live says that a line can be redrawn.
	live bool
	// columns asks for the present width; nil if there is none.
	columns func() int
}

// screenOf looks at a writer. Only a terminal gets a width, colours (unless
// NO_COLOR is set, see no-color.org) and a line that is redrawn; a file, a
// pipe and a terminal without abilities get plain text.
func screenOf(w io.Writer) screen {
	f, ok := w.(*os.File)
	if !ok {
		return screen{}
	}
	fd := int(f.Fd())
	if !term.IsTerminal(fd) {
		return screen{}
	}
	columns := func() int {
		width, _, err := term.GetSize(fd)
		if err != nil {
			return 0
		}
		return width
	}
	able := obeysEscapes(f)
	return screen{Style: report.Style{Width: columns(), Colour: able && os.Getenv("NO_COLOR") == ""}, live: able, columns: columns}
}
