package report

import (
	"cmp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// editor changes a baseline line by line and leaves the others alone. To encode
// the nodes again would keep comments too, and fold every text anew.
type editor struct {
	lines []string // with their ends
	eol   string
	// marked says that the text begins with a byte order mark, which stays there.
	marked bool
	root   *yaml.Node
	// key is where the list begins, list its node, item its nodes by the lines of
	// their entries.
	key   *yaml.Node
	list  *yaml.Node
	items map[int]*yaml.Node
	edits []edit
	added []string
	gone  int
}

// edit puts lines in the place of those from one up to another, counted from 0.
type edit struct {
	from, to int
	with     []string
}

// byteOrderMark is what some editors begin a file with.
const byteOrderMark = "\ufeff"

// newEditor is for a text that has been read as a baseline.
func newEditor(text []byte, root *yaml.Node) *editor {
	all, marked := strings.CutPrefix(string(text), byteOrderMark)
	e := &editor{lines: strings.SplitAfter(all, "\n"), marked: marked, eol: "\n", root: root, items: map[int]*yaml.Node{}}
	if last := len(e.lines) - 1; e.lines[last] == "" {
		e.lines = e.lines[:last]
	} else {
		e.lines[last] += "\n"
	}
	if strings.HasSuffix(e.lines[0], "\r\n") {
		e.eol = "\r\n"
	}
	e.key, e.list = find(root, "deviations")
	for _, item := range e.list.Content {
		e.items[item.Line] = item
	}
	return e
}

// find returns a key of a mapping and its value, nil if it is not there.
func find(mapping *yaml.Node, key string) (k, v *yaml.Node) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i], mapping.Content[i+1]
		}
	}
	return nil, nil
}

// end returns the line, counted from 0, behind the last one of what begins
// before the line next. Empty lines, and comments that are not indented deeper
// than depth, belong to what follows.
func (e *editor) end(next, depth int) int {
	for ; next > 0; next-- {
		text := strings.TrimLeft(e.lines[next-1], " ")
		comment := strings.HasPrefix(text, "#") && len(e.lines[next-1])-len(text) <= depth
		if strings.TrimSpace(text) != "" && !comment {
			break
		}
	}
	return next
}

// after returns the first line, counted from 0, behind a node among its siblings.
func after(siblings []*yaml.Node, line, otherwise int) int {
	for _, n := range siblings {
		if n.Line > line {
			return n.Line - 1
		}
	}
	return otherwise
}

// listEnd is the line behind the list, with what belongs to the next key.
func (e *editor) listEnd() int { return after(e.root.Content, e.lastLine(), len(e.lines)) }

// lastLine is a line of the last item, or that of the key.
func (e *editor) lastLine() int {
	if n := len(e.list.Content); n > 0 {
		return e.list.Content[n-1].Line
	}
	return e.key.Line
}

// remove takes an entry out, with the comment right above it.
func (e *editor) remove(entry *Entry) {
	depth := e.list.Column - 1
	from := entry.Line - 1
	to := e.end(after(e.list.Content, entry.Line, e.listEnd()), depth)
	for from > 0 && strings.HasPrefix(e.lines[from-1], strings.Repeat(" ", depth)+"#") {
		from--
	}
	e.edits = append(e.edits, edit{from, to, nil})
	e.gone++
}

// renew writes the verdict and the message of an entry anew, if it has one.
func (e *editor) renew(entry *Entry, now Entry) {
	item := e.items[entry.Line]
	otherwise := after(e.list.Content, entry.Line, e.listEnd())
	if entry.Verdict != now.Verdict {
		e.set(item, "verdict", string(now.Verdict), otherwise)
	}
	if entry.Message != "" {
		e.set(item, "message", scalar(now.Message), otherwise)
	}
}

// set puts a value in the place of that of a key.
func (e *editor) set(mapping *yaml.Node, key, value string, otherwise int) {
	k, v := find(mapping, key)
	from := k.Line - 1
	line := e.lines[from][:k.Column-1] + key + ": " + value
	if v.LineComment != "" {
		line += " " + v.LineComment
	}
	e.edits = append(e.edits, edit{from, e.end(after(mapping.Content, v.Line, otherwise), k.Column-1), []string{line}})
}

// add puts an entry at the end of the list.
func (e *editor) add(entry Entry) {
	indent := "  "
	if len(e.list.Content) > 0 {
		indent = strings.Repeat(" ", e.list.Column-1)
	}
	e.added = append(e.added, entry.lines(indent)...)
}

// fact writes a fact down, a new one before the list.
func (e *editor) fact(f factLine) {
	if k, _ := find(e.root, f.key); k != nil {
		_, value, _ := strings.Cut(f.line, ": ")
		e.set(e.root, f.key, value, len(e.lines))
		return
	}
	e.edits = append(e.edits, edit{e.key.Line - 1, e.key.Line - 1, []string{f.line}})
}

// apply returns the new text.
func (e *editor) apply() []byte {
	switch left := len(e.list.Content) - e.gone; {
	case len(e.added) > 0 && len(e.list.Content) == 0:
		e.edits = append(e.edits, edit{e.key.Line - 1, e.end(e.listEnd(), 0), append([]string{"deviations:"}, e.added...)})
	case len(e.added) > 0:
		at := e.end(e.listEnd(), e.list.Column-1)
		e.edits = append(e.edits, edit{at, at, e.added})
	case left == 0 && e.gone > 0:
		e.edits = append(e.edits, edit{e.key.Line - 1, e.key.Line, []string{"deviations: []"}})
	}
	slices.SortStableFunc(e.edits, func(a, b edit) int { return cmp.Or(a.from-b.from, a.to-b.to) })
	var out strings.Builder
	if e.marked {
		out.WriteString(byteOrderMark)
	}
	at := 0
	for _, x := range e.edits {
		if x.from > at {
			out.WriteString(strings.Join(e.lines[at:x.from], ""))
		}
		for _, line := range x.with {
			out.WriteString(line + e.eol)
		}
		at = max(at, x.to)
	}
	out.WriteString(strings.Join(e.lines[min(at, len(e.lines)):], ""))
	return []byte(out.String())
}
