package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ftpconform/ftpconform/suites"
)

// column is the gap between the columns of a table.
const column = "  "

// grid is a table of short cells, each in the colour of a verdict.
type grid struct {
	style Style
	head  []string
	rows  [][]gridCell
}

type gridCell struct {
	text    string
	verdict suites.Verdict
}

func plain(text string) gridCell { return gridCell{text, suites.NotRun} }

func (g *grid) write(w io.Writer) {
	widths := make([]int, len(g.head))
	for i, h := range g.head {
		widths[i] = utf8.RuneCountInString(h)
	}
	for _, row := range g.rows {
		for i, c := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(c.text))
		}
	}
	var head []string
	for i, h := range g.head {
		head = append(head, fmt.Sprintf("%-*s", widths[i], h))
	}
	fmt.Fprintln(w, g.style.Strong(strings.TrimRight(strings.Join(head, column), " ")))
	for _, row := range g.rows {
		var line strings.Builder
		gap := ""
		for i, c := range row {
			c.text = strings.TrimRight(c.text, " ")
			if c.text != "" { // no blanks at the end of a line
				line.WriteString(gap + g.style.Verdict(c.verdict, c.text))
				gap = ""
			}
			gap += strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c.text)) + column
		}
		fmt.Fprintln(w, line.String())
	}
}

// WriteText prints the tables for people: servers by topics, then the checks
// whose verdict is not the same for all of them.
func (m *Matrix) WriteText(w io.Writer, style Style) error {
	b := bufio.NewWriter(w)
	topics := m.topics()
	servers := grid{style: style, head: append([]string{"", "server", "version"}, topics...)}
	for i, e := range m.Servers {
		row := []gridCell{plain(fmt.Sprint(i + 1)), plain(e.Name), plain(e.version())}
		if e.Record == nil {
			row[2] = gridCell{string(noRecord), suites.Fail}
		} else {
			counts := cells(e.Record)
			for _, t := range topics {
				text, worst := cell(counts[t])
				row = append(row, gridCell{text, worst})
			}
		}
		servers.rows = append(servers.rows, row)
	}
	servers.write(b)
	fmt.Fprintln(b)
	if diff := m.differences(); len(diff) > 0 {
		checks := grid{style: style, head: []string{"not the same for all"}}
		for i := range m.Servers {
			checks.head = append(checks.head, fmt.Sprintf("%2d", i+1))
		}
		for _, d := range diff {
			row := []gridCell{plain(d.name)}
			for _, v := range d.verdicts {
				row = append(row, gridCell{fmt.Sprintf("%2s", letter(v)), v})
			}
			checks.rows = append(checks.rows, row)
		}
		checks.write(b)
		fmt.Fprintln(b)
	}
	fmt.Fprintln(b, style.Faint(style.Wrap("", MatrixLegend)))
	for _, e := range m.Servers {
		if e.Error != "" {
			fmt.Fprintln(b, style.Wrap("", fmt.Sprintf("%s: %s", e.Name, Printable(e.Error))))
		}
	}
	fmt.Fprintln(b, m.LastLine(style))
	if err := b.Flush(); err != nil {
		return fmt.Errorf("print the matrix: %w", err)
	}
	return nil
}

// noRecord is counted beside the outcomes.
const noRecord Outcome = "no record"

// LastLine is what the whole came to, in one line.
func (m *Matrix) LastLine(style Style) string {
	results, by := 0, map[Outcome]int{}
	for _, e := range m.Servers {
		if e.Record == nil {
			by[noRecord]++
			continue
		}
		by[e.Outcome]++
		for v, n := range e.Record.Summary.ByVerdict {
			if v != suites.NotRun {
				results += n
			}
		}
	}
	var parts []string
	for _, o := range []Outcome{Conforms, Broken, Stale, Undecided, Lost, Errors, Interrupted, noRecord} {
		if n := by[o]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o))
		}
	}
	verdict := suites.Pass
	if m.Outcome() != Conforms {
		verdict = suites.Fail
	}
	took := (time.Duration(m.DurationMS) * time.Millisecond).Round(100 * time.Millisecond)
	return fmt.Sprintf("%s: %s; %d checks in %s", style.Verdict(verdict, plural(len(m.Servers), "server")), strings.Join(parts, ", "), results, took)
}

// version is that of the server, as far as it is known.
func (e MatrixEntry) version() string {
	if e.Record == nil || e.Record.Target.Server == nil {
		return ""
	}
	return e.Record.Target.Server.Version
}

// WriteMarkdown prints the same for a page.
func (m *Matrix) WriteMarkdown(w io.Writer) error {
	b := bufio.NewWriter(w)
	topics := m.topics()
	head := append([]string{"server", "version"}, topics...)
	markdownRow(b, head)
	markdownRow(b, slices.Repeat([]string{"---"}, len(head)))
	for _, e := range m.Servers {
		row := []string{e.Name, e.version()}
		if e.Record == nil {
			row[1] = string(noRecord) + ": " + span(e.Error)
		} else {
			counts := cells(e.Record)
			for _, t := range topics {
				text, _ := cell(counts[t])
				row = append(row, text)
			}
		}
		markdownRow(b, row)
	}
	if diff := m.differences(); len(diff) > 0 {
		head := []string{"not the same for all"}
		for _, e := range m.Servers {
			head = append(head, e.Name)
		}
		fmt.Fprintln(b)
		markdownRow(b, head)
		markdownRow(b, slices.Repeat([]string{"---"}, len(head)))
		for _, d := range diff {
			row := []string{"`" + d.name + "`"}
			for _, v := range d.verdicts {
				row = append(row, letter(v))
			}
			markdownRow(b, row)
		}
	}
	fmt.Fprintf(b, "\n%s\n\n%s\n", MatrixLegend, m.LastLine(Style{}))
	if err := b.Flush(); err != nil {
		return fmt.Errorf("print the matrix: %w", err)
	}
	return nil
}

func markdownRow(w io.Writer, row []string) {
	for _, c := range row {
		fmt.Fprintf(w, "| %s ", strings.ReplaceAll(c, "|", `\|`))
	}
	fmt.Fprintln(w, "|")
}
