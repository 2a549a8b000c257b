package main

import (
	"bufio"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/ftpconform/ftpconform/report"
)

// table prints rows in columns as wide as they need to be. On a terminal the
// last column gives way; the first row is the heading.
func table(w io.Writer, style report.Style, rows [][]string) error {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	b := bufio.NewWriter(w)
	heading := true
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			if i < len(row)-1 {
				cell = fmt.Sprintf("%-*s  ", widths[i], cell)
			}
			line += cell
		}
		line = style.Cut(line)
		if heading && len(row) > 0 {
			line, heading = style.Strong(line), false
		}
		fmt.Fprintln(b, line)
	}
	return b.Flush()
}
