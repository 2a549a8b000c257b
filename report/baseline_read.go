package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/ftpconform/ftpconform/suites"
)

// ReadBaseline reads a baseline from a file.
func ReadBaseline(name string) (*Baseline, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read the baseline: %w", err)
	}
	return ParseBaseline(text, name)
}

// ParseBaseline reads a baseline strictly: what is not understood is a mistake,
// and all mistakes are told with their lines. The name is that of the file.
func ParseBaseline(text []byte, name string) (*Baseline, error) {
	b, _, err := parseBaseline(text, name)
	return b, err
}

// parseBaseline returns the root of the document as well.
func parseBaseline(text []byte, name string) (*Baseline, *yaml.Node, error) {
	root, err := oneDocument(text)
	if err != nil {
		return nil, nil, fmt.Errorf("the baseline %s cannot be read: %w", name, err)
	}
	r := &baselineReader{}
	b := &Baseline{Path: name}
	r.baseline(b, root)
	if len(r.mistakes) > 0 {
		return nil, nil, fmt.Errorf("the baseline %s cannot be used: %w; docs/baseline.md has its form", name, errors.Join(r.mistakes...))
	}
	return b, root, nil
}

// oneDocument returns the root of the only document in a text.
func oneDocument(text []byte) (root *yaml.Node, err error) {
	defer func() {
		// The parser panics where it finds itself at fault.
		if p := recover(); p != nil {
			root, err = nil, fmt.Errorf("it is no YAML: %v", p)
		}
	}()
	d := yaml.NewDecoder(bytes.NewReader(text))
	var doc, more yaml.Node
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0:
		return nil, errors.New("it is empty; a baseline has at least the key deviations")
	case err != nil:
		return nil, err
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one document in it")
	}
	return doc.Content[0], nil
}

// baselineReader collects the mistakes in a baseline.
type baselineReader struct{ mistakes []error }

func (r *baselineReader) failf(n *yaml.Node, format string, args ...any) {
	r.mistakes = append(r.mistakes, fmt.Errorf("line %d: "+format, append([]any{n.Line}, args...)...))
}

// field is a key of a mapping and who reads its value.
type field struct {
	key  string
	read func(*yaml.Node)
}

// mapping reads the keys of a mapping; it is false where there is none.
func (r *baselineReader) mapping(n *yaml.Node, what string, fields []field) bool {
	if n.Kind != yaml.MappingNode {
		r.failf(n, "%s should be made of keys and values", what)
		return false
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.key
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := slices.Index(names, key.Value)
		switch {
		case at < 0:
			r.failf(key, "%s has no key %.40q; there are %s", what, key.Value, strings.Join(names, ", "))
		case seen[key.Value]:
			r.failf(key, "the key %s is there twice", key.Value)
		default:
			fields[at].read(value)
		}
		seen[key.Value] = true
	}
	return true
}

// blank reports whether a node is no text, or one without a word.
func blank(n *yaml.Node) bool {
	return n.Kind != yaml.ScalarNode || n.Tag == "!!null" || squeeze(n.Value) == ""
}

// text returns a reader of a text that is not empty.
func (r *baselineReader) text(into *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if blank(n) {
			r.failf(n, "a text was expected; leave the key out if there is none")
			return
		}
		*into = n.Value
	}
}

// count returns a reader of a number from 1 on.
func (r *baselineReader) count(into *int) func(*yaml.Node) {
	return func(n *yaml.Node) {
		v, err := strconv.Atoi(n.Value)
		if err != nil || v < 1 {
			r.failf(n, "%.40q is not a number from 1 on", n.Value)
			return
		}
		*into = v
	}
}

func (r *baselineReader) topology(n *yaml.Node) suites.Topology {
	t := suites.Topology(n.Value)
	if !slices.Contains(suites.Topologies(), t) {
		names := make([]string, len(suites.Topologies()))
		for i, t := range suites.Topologies() {
			names[i] = string(t)
		}
		r.failf(n, "%.40q is no topology; there are %s", n.Value, strings.Join(names, ", "))
	}
	return t
}

func (r *baselineReader) baseline(b *Baseline, n *yaml.Node) {
	listed := false
	ok := r.mapping(n, "a baseline", []field{
		{"server", r.text(&b.Server)}, {"version", r.text(&b.Version)}, {"tool", r.text(&b.Tool)}, {"checks", r.count(&b.Checks)},
		{"topologies", func(n *yaml.Node) {
			if n.Kind != yaml.SequenceNode {
				r.failf(n, "topologies should be a list")
			}
			for _, item := range n.Content {
				b.Topologies = append(b.Topologies, r.topology(item))
			}
		}},
		{"deviations", func(n *yaml.Node) {
			listed = true
			if n.Kind != yaml.SequenceNode {
				r.failf(n, "deviations should be a list; write [] where there are none")
				return
			}
			r.entries(b, n)
		}},
	})
	if ok && !listed {
		r.failf(n, "the key deviations is missing")
	}
}

// entries reads the list, in which no two entries may be about the same.
func (r *baselineReader) entries(b *Baseline, n *yaml.Node) {
	lines := map[string]int{}
	for _, item := range n.Content {
		e := Entry{Line: item.Line}
		if !r.entry(&e, item) {
			continue
		}
		name := strings.ToLower(e.Name())
		if lines[name] > 0 {
			r.failf(item, "%s is listed already, in line %d; make one entry of them, or say with in: which topology each is about", e.Name(), lines[name])
		}
		lines[name] = item.Line
		b.Entries = append(b.Entries, e)
	}
}

func (r *baselineReader) entry(e *Entry, n *yaml.Node) bool {
	before := len(r.mistakes)
	ok := r.mapping(n, "a deviation", []field{
		{"check", r.text(&e.Check)}, {"requirement", r.text(&e.Requirement)},
		{"in", func(n *yaml.Node) { e.In = r.topology(n) }},
		{"max", r.count(&e.Max)},
		{"verdict", func(n *yaml.Node) {
			if e.Verdict = suites.Verdict(n.Value); !deviates(e.Verdict) {
				r.failf(n, "the verdict is %.40q; known deviations are fail or warn", n.Value)
			}
		}},
		{"sometimes", func(n *yaml.Node) {
			if err := n.Decode(&e.Sometimes); err != nil {
				r.failf(n, "sometimes is %.40q; it is true, or left out", n.Value)
			}
		}},
		{"message", r.text(&e.Message)},
		{"reason", func(n *yaml.Node) {
			if blank(n) {
				r.failf(n, "a reason is needed: say in words why the deviation is known")
			}
			e.Reason = n.Value
		}},
		{"reference", r.text(&e.Reference)},
		{"expires", func(n *yaml.Node) {
			var err error
			if e.Expires, err = time.Parse(time.DateOnly, n.Value); err != nil {
				r.failf(n, "%.40q is no day; write it as 2027-11-29", n.Value)
			}
		}},
	})
	if !ok || len(r.mistakes) > before {
		return false
	}
	_, err := path.Match(e.Check+e.Requirement, "")
	switch {
	case (e.Check == "") == (e.Requirement == ""):
		r.failf(n, "a deviation has either a check or a requirement")
	case err != nil:
		r.failf(n, "%.40q is not a pattern: %v", e.Check+e.Requirement, err)
	case e.Verdict == "":
		r.failf(n, "%s has no verdict; say fail or warn", e.Name())
	case e.Reason == "":
		r.failf(n, "%s has no reason; say in words why it is known", e.Name())
	case e.Max > 0 && !e.group():
		r.failf(n, "max is for a glob or a requirement; %s is one check", e.Check)
	}
	return len(r.mistakes) == before
}
