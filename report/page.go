package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/ftpconform/ftpconform/suites"
)

// PageEntry is a run record for a page, and what is known of its server.
type PageEntry struct {
	Record *suites.Report
	// Known, if set, has the reasons.
	Known *Baseline
	// Again is the command that repeats the run.
	Again string
}

// pageIntro begins a page.
const pageIntro = `# What servers break

Drawn by "ftpconform report page" from run records. For each deviation: the
requirement with its clause, what was seen, why it counts, the decisive part of
the dialogue (seconds since the check began; > client, < server, * harness), and
the command that repeats it. "ftpconform explain CHECK" says what a check looks
at, what it accepts, and why.

`

// WritePage writes what some servers break as a page in Markdown: for each
// deviation the clause, the message, the reason where it is known, the decisive
// part of the dialogue, and the command that repeats it.
func WritePage(w io.Writer, entries []PageEntry) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, pageIntro)
	for _, e := range entries {
		fmt.Fprintf(b, "- [%s](#%s): %s\n", Printable(e.title()), anchor(e.title()), e.counts())
	}
	for _, e := range entries {
		e.write(b)
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

// title names the server.
func (e PageEntry) title() string {
	if s := e.Record.Target.Server; s != nil {
		return s.Title + ", " + s.Version
	}
	return e.Record.Target.Address
}

// anchor is what the renderers of Markdown make of a heading.
func anchor(title string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(title) {
		switch {
		case c == ' ' || c == '-':
			b.WriteByte('-')
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_':
			b.WriteRune(c)
		}
	}
	return b.String()
}

func (e PageEntry) counts() string { return tally(e.Record.Summary.ByVerdict) }

func (e PageEntry) write(w io.Writer) {
	fmt.Fprintf(w, "\n## %s\n\nGreeting %s. %s.\n", Printable(e.title()), code(e.Record.Target.Banner), e.counts())
	if e.Again != "" {
		fmt.Fprintf(w, "Again: %s.\n", code(e.Again))
	}
	known := map[string]string{} // the reason, by the name of a result
	if e.Known != nil {
		for _, m := range (Gate{FailOn: suites.SHOULD, Baseline: e.Known}).Compare(e.Record).Excused {
			known[m.Result.Name()] = strings.Join(strings.Fields(m.Entry.Reason), " ")
		}
	}
	for _, r := range e.Record.Results {
		if r.Verdict != suites.Fail && r.Verdict != suites.Warn {
			continue
		}
		fmt.Fprintf(w, "\n### %s %s\n\n%s\n\n", r.Verdict, r.Name(), source(r))
		fmt.Fprintf(w, "Seen: %s\n\n", escape(r.Message))
		if why := known[r.Name()]; why != "" {
			fmt.Fprintf(w, "%s\n\n", why)
		}
		fmt.Fprintln(w, "```")
		for _, o := range Decisive(r, excerptLines).Events {
			fmt.Fprintln(w, strings.TrimRight(strings.ReplaceAll(eventLine(o), "```", "'''"), " "))
		}
		fmt.Fprintln(w, "```")
		if e.Again != "" {
			fmt.Fprintf(w, "\n%s\n", code(e.Again+only(r)))
		}
	}
}

// source is the first requirement of a result, as the catalogue has it.
func source(r suites.Result) string {
	if len(r.Requirements) == 0 {
		return r.Title
	}
	req, ok := suites.LoadCatalogue().Requirement(r.Requirements[0])
	if !ok {
		return r.Requirements[0] + ": " + r.Title
	}
	return fmt.Sprintf("%s, %s, %s: %s", req.ID, req.Level, req.Clause(), req.Summary)
}

// only selects one check.
func only(r suites.Result) string {
	if r.Topology == suites.Direct || r.Topology == "" {
		return " --only " + r.Check
	}
	return " --topology " + string(r.Topology) + " --only " + r.Check
}

// code puts a text into a code span.
func code(text string) string {
	return "`" + strings.ReplaceAll(Printable(text), "`", "'") + "`"
}

// escape keeps a server's words from being taken for Markdown or HTML.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, "&", "&amp;", "<", "&lt;", ">", "&gt;", "*", `\*`, "_", `\_`, "`", "'", "|", `\|`, "[", `\[`).Replace(Printable(text))
}
