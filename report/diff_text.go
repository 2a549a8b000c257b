package report

import (
	"cmp"
	"fmt"
	"strings"
)

// text prints the differences for people.
func (d *Diff) text(b *strings.Builder, s Style) {
	line := func(text string) { b.WriteString(text + "\n") }
	for _, f := range d.Facts {
		line(s.Cut(fmt.Sprintf("%-10s A %s", f.Name, Printable(cmp.Or(f.A, "none")))))
		line(s.Cut(fmt.Sprintf("%-10s B %s", "", Printable(cmp.Or(f.B, "none")))))
	}
	if len(d.Facts) > 0 {
		line("")
	}
	for _, g := range d.groups() {
		if len(g.changes) == 0 {
			continue
		}
		line(fmt.Sprintf("%s (%d)", g.name, len(g.changes)))
		for _, c := range g.changes {
			line(fmt.Sprintf("  %s: %s -> %s", s.Strong(c.Name()), s.Verdict(c.A.Verdict, c.A.verdictOr()), s.Verdict(c.B.Verdict, c.B.verdictOr())))
			for _, side := range []struct {
				name string
				Side
			}{{"A", c.A}, {"B", c.B}} {
				if side.Message != "" && side.Verdict != "pass" {
					wrapped := s.Wrap(indent+"  ", headline(side.Verdict, side.Message))
					line(indent + side.name + " " + strings.TrimPrefix(wrapped, indent+"  "))
				}
			}
		}
		line("")
	}
	for _, only := range d.only() {
		if len(only.of) > 0 {
			line(fmt.Sprintf("%s (%d)", only.name, len(only.of)))
			line(s.Faint(s.Wrap(indent, Printable(strings.Join(only.of, ", ")))))
			line("")
		}
	}
	line(d.lastLine())
}

// markdown writes the differences as tables, for a comment on a change.
func (d *Diff) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "**%s**\n", d.lastLine())
	if len(d.Facts) > 0 {
		b.WriteString("\n| | A | B |\n|---|---|---|\n")
		for _, f := range d.Facts {
			fmt.Fprintf(b, "| %s | %s | %s |\n", f.Name, markdownCode(f.A), markdownCode(f.B))
		}
	}
	for _, g := range d.groups() {
		if len(g.changes) == 0 {
			continue
		}
		fmt.Fprintf(b, "\n### %s (%d)\n\n| check | A | B | message |\n|---|---|---|---|\n", g.name, len(g.changes))
		for _, c := range g.changes {
			told := c.B
			if g.name == "disappeared" {
				told = c.A
			}
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", markdownCode(c.Name()), c.A.verdictOr(), c.B.verdictOr(), markdownCode(headline(told.Verdict, told.Message)))
		}
	}
	for _, only := range d.only() {
		if len(only.of) > 0 {
			fmt.Fprintf(b, "\n### %s (%d)\n\n%s\n", only.name, len(only.of), markdownCode(strings.Join(only.of, ", ")))
		}
	}
}

// markdownCode is text that Markdown shows as it is, also in a table: a server
// chose it.
func markdownCode(s string) string { return strings.ReplaceAll(span(s), "|", `\|`) }

// span is such text outside of tables.
func span(s string) string {
	if s = Printable(s); s == "" {
		return ""
	}
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		s = " " + s + " "
	}
	return fence + s + fence
}
