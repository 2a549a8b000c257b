package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/ftpconform/ftpconform/internal/lab"
)

// printMermaid prints each act as a sequence diagram of Mermaid, with a comment
// and an empty line between them. A diagram numbers its arrows as the text and
// JSON number the messages.
func printMermaid(w io.Writer, s *lab.Story) error {
	b := bufio.NewWriter(w)
	for i := range s.Acts {
		if i > 0 {
			fmt.Fprintln(b)
		}
		mermaid(b, i+1, &s.Acts[i])
	}
	return b.Flush()
}

func mermaid(w io.Writer, n int, a *lab.ActStory) {
	fmt.Fprintf(w, "%%%% act %d: %s\nsequenceDiagram\n    autonumber\n", n, strings.ReplaceAll(a.Title, "%", "percent"))
	who := map[string]string{}
	for i, node := range a.Nodes {
		who[node.Name] = fmt.Sprintf("n%d", i)
		fmt.Fprintf(w, "    participant n%d as %s<br/>%s\n", i, escapeMermaid(node.Name), escapeMermaid(whereabouts(node)))
	}
	for _, m := range a.Messages { // a network takes part where it answers, or where nobody is found
		for _, name := range []string{m.From, m.To} {
			if who[name] == "" {
				who[name] = fmt.Sprintf("n%d", len(who))
				fmt.Fprintf(w, "    participant %s as %s<br/>(network)\n", who[name], escapeMermaid(name))
			}
		}
	}
	for _, m := range a.Messages {
		mermaidMessage(w, who, m)
		for _, s := range a.Tables {
			if s.After == m.Number && who[s.Gateway] != "" {
				mermaidTable(w, who[s.Gateway], s)
			}
		}
	}
	over := who[a.Nodes[0].Name]
	if last := who[a.Nodes[len(a.Nodes)-1].Name]; last != over {
		over += "," + last
	}
	fmt.Fprintf(w, "    Note over %s: %s<br/>%s\n", over, escapeMermaid(string(a.Outcome)), escapeMermaid(a.Reason))
}

func mermaidMessage(w io.Writer, who map[string]string, m lab.Message) {
	arrow := "->>"
	if m.Lost {
		arrow = "-x"
	}
	text := m.Text
	if len(m.Again) > 0 {
		text += fmt.Sprintf(" (%d times)", 1+len(m.Again))
	}
	fmt.Fprintf(w, "    %s%s%s: %s<br/>%s to %s\n", who[m.From], arrow, who[m.To], escapeMermaid(text),
		escapeMermaid(lab.Endpoint(m.Src)), escapeMermaid(lab.Endpoint(m.Dst)))
	if m.Note != "" {
		at := m.From
		if m.Lost {
			at = m.To
		}
		fmt.Fprintf(w, "    Note over %s: %s\n", who[at], strings.ReplaceAll(escapeMermaid(strings.ReplaceAll(m.Note, "; ", "\n")), "\n", "<br/>"))
	}
}

func mermaidTable(w io.Writer, gateway string, s lab.Snapshot) {
	var lines []string
	for _, e := range s.Entries {
		if e.Kind != lab.KindMapping {
			lines = append(lines, escapeMermaid(e.Text))
		}
	}
	if len(lines) > 0 {
		fmt.Fprintf(w, "    Note over %s: %s\n", gateway, strings.Join(lines, "<br/>"))
	}
}

// escapeMermaid writes what has a meaning in Mermaid as an entity.
func escapeMermaid(s string) string {
	return strings.NewReplacer("#", "#35;", ";", "#59;", "%", "#37;", "<", "#lt;", ">", "#gt;").Replace(s)
}
