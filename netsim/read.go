package netsim

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Limits on a file, so that no file can keep a reader busy for long.
const (
	maxFile   = 1 << 20 // octets
	maxValues = 10_000  // values, with those behind aliases counted every time
	maxKey    = 200     // octets of a key
	maxErrors = 20      // errors that are told of a file
)

// Error is a mistake in a topology.
type Error struct {
	// File and Line say where it is; File is empty for a Go value, and Line is 0
	// where no line is to blame.
	File string
	Line int
	// Text says what is wrong and what would be right.
	Text string
}

func (e *Error) Error() string {
	switch {
	case e.File == "":
		return e.Text
	case e.Line == 0:
		return e.File + ": " + e.Text
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text)
}

// Read reads a topology from YAML; docs/scenarios.md describes the form. The
// name is that of the file, for errors, and the topology's own where the file
// gives none. The error joins an *Error for every mistake, in the order of
// their lines, of at most 20.
func Read(name string, r io.Reader) (Topology, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return Topology{}, fmt.Errorf("read topology %s: %w", name, err)
	}
	if len(data) > maxFile {
		return Topology{}, &Error{File: name, Text: fmt.Sprintf("the file is larger than %d KiB, the most that is read", maxFile>>10)}
	}
	root, bad := parse(data)
	if bad != nil {
		bad.File = name
		return Topology{}, bad
	}
	f := &file{lines: map[string]int{}}
	t := f.topology(f.value("", root))
	if t.Name == "" {
		base := filepath.Base(name)
		t.Name = fileName(strings.TrimSuffix(base, filepath.Ext(base)))
	}
	for _, m := range t.mistakes() {
		if !f.explained(m.path) {
			f.mistakes = append(f.mistakes, m)
		}
	}
	if err := f.err(name); err != nil {
		return Topology{}, err
	}
	return t, nil
}

// ReadFile reads a topology from a file, see Read.
func ReadFile(path string) (Topology, error) {
	f, err := os.Open(path)
	if err != nil {
		return Topology{}, fmt.Errorf("read topology: %w", err)
	}
	defer f.Close()
	return Read(path, f)
}

// mistake is something wrong at a place of a topology.
type mistake struct {
	path string // "hosts.client.addresses[0]"; empty for the topology itself
	line int    // 0 for that of the path
	text string
}

func (m mistake) String() string {
	if m.path == "" {
		return m.text
	}
	return m.path + ": " + m.text
}

// err joins what is wrong with a file; nil if nothing is.
func (f *file) err(name string) error {
	all := make([]*Error, len(f.mistakes))
	for i, m := range f.mistakes {
		if m.line == 0 {
			m.line = f.line(m.path)
		}
		all[i] = &Error{File: name, Line: m.line, Text: m.String()}
	}
	slices.SortStableFunc(all, func(a, b *Error) int { return a.Line - b.Line })
	return join(all)
}

// join joins errors; the last of too many says how many there are besides.
func join(all []*Error) error {
	if len(all) > maxErrors {
		last := all[maxErrors-1]
		more := fmt.Sprintf("from here on there are %d more mistakes", len(all)-maxErrors+1)
		all = append(all[:maxErrors-1:maxErrors-1], &Error{File: last.File, Line: last.Line, Text: more})
	}
	errs := make([]error, len(all))
	for i, e := range all {
		errs[i] = e
	}
	return errors.Join(errs...)
}

// line is that of a place, or of the nearest one around it that is written
// down.
func (f *file) line(path string) int {
	for {
		if n, ok := f.lines[path]; ok || path == "" {
			return n
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
}

// explained reports whether a mistake at a place follows from one that was
// found while reading: at the same place, in it, or around it.
func (f *file) explained(path string) bool {
	return slices.ContainsFunc(f.spoilt, func(p string) bool { return within(path, p) || within(p, path) })
}

// within reports whether a place is another, or in it.
func within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (outer == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
}
