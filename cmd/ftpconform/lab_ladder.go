package main

import (
	"strings"
	"unicode/utf8"

	"github.com/ftpconform/ftpconform/internal/lab"
)

// ladder draws messages as arrows between lanes, one for each node.
type ladder struct {
	names []string
	at    map[string]int // column of a lane
	width int
}

// minPitch is the least distance of two lanes.
const minPitch = 7

func newLadder(nodes []lab.Node) *ladder {
	l := &ladder{at: map[string]int{}}
	for _, n := range nodes {
		l.names = append(l.names, n.Name)
		l.at[n.Name] = l.width
		l.width += max(utf8.RuneCountInString(n.Name)+1, minPitch)
	}
	if len(nodes) > 0 {
		l.width = l.at[l.names[len(l.names)-1]] + 1
	}
	return l
}

// heading is the names over their lanes; the last one may be wider than the
// ladder.
func (l *ladder) heading() string {
	var b strings.Builder
	for _, name := range l.names {
		pad(&b, l.at[name])
		b.WriteString(name)
	}
	return b.String()
}

func pad(b *strings.Builder, column int) {
	b.WriteString(strings.Repeat(" ", max(column-utf8.RuneCountInString(b.String()), 0)))
}

// lanes is a line without a message.
func (l *ladder) lanes() []rune {
	line := []rune(strings.Repeat(" ", l.width))
	for _, name := range l.names {
		line[l.at[name]] = '│'
	}
	return line
}

// blank is lanes as text.
func (l *ladder) blank() string { return string(l.lanes()) }

// leftward reports whether a message goes from right to left.
func (l *ladder) leftward(m lab.Message) bool {
	from, to := l.place(m)
	return to < from
}

// place finds the columns where an arrow begins and ends. A network is halfway
// to the next lane: towards the others from a lane at the end.
func (l *ladder) place(m lab.Message) (from, to int) {
	from, known := l.at[m.From]
	to, found := l.at[m.To]
	switch {
	case !known:
		from = l.halfway(m.To)
	case !found:
		to = l.halfway(m.From)
	}
	return from, to
}

func (l *ladder) halfway(name string) int {
	here := 0
	for i, n := range l.names {
		if n == name {
			here = i
		}
	}
	next := here + 1
	if next == len(l.names) {
		next = max(here-1, 0)
	}
	return (l.at[l.names[here]] + l.at[l.names[next]]) / 2
}

// arrow draws a message.
func (l *ladder) arrow(m lab.Message) string {
	line := l.lanes()
	from, to := l.place(m)
	for i := min(from, to) + 1; i < max(from, to); i++ {
		if line[i] == '│' {
			line[i] = '┼'
		} else {
			line[i] = '─'
		}
	}
	step, start, head := 1, '├', '>'
	if to < from {
		step, start, head = -1, '┤', '<'
	}
	if m.Lost {
		head = 'x'
	}
	if line[from] == '│' {
		line[from] = start
	}
	switch _, lane := l.at[m.To]; {
	case from == to: // a host that speaks to itself
		line[from] = head
	case lane:
		line[to-step] = head
	default:
		line[to] = head
	}
	return string(line)
}
