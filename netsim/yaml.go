package netsim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// file is a YAML file that is being read. Its parts are read in their order,
// because the order in which nodes are made decides in which order they act.
type file struct {
	lines    map[string]int // of the places that are written down
	mistakes []mistake
	spoilt   []string // places that are not what they were meant to be
	values   int
}

// value is a place in a file and what stands there.
type value struct {
	file *file
	path string
	node *yaml.Node
}

// field is a key of a mapping and who reads its value.
type field struct {
	key  string
	read func(value)
}

// yamlText takes apart what the parser says.
var yamlText = regexp.MustCompile(`(?s)^(?:yaml: )?(?:line (\d+): )?(.*)`)

// parse returns the one document in data.
func parse(data []byte) (root *yaml.Node, bad *Error) {
	defer func() {
		// The parser panics where it finds itself at fault.
		if p := recover(); p != nil {
			root, bad = nil, &Error{Text: fmt.Sprintf("this cannot be read as YAML: %v", p)}
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	switch err := decoder.Decode(&doc); {
	case errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0:
		return nil, &Error{Text: "the file is empty; a topology has at least networks and hosts"}
	case err != nil:
		return nil, notYAML(err, data)
	}
	switch err := decoder.Decode(&more); {
	case err == nil:
		return nil, &Error{Line: more.Line, Text: "a second document begins here; a file holds one topology"}
	case !errors.Is(err, io.EOF):
		return nil, notYAML(err, data)
	}
	return doc.Content[0], nil
}

func notYAML(err error, data []byte) *Error {
	m := yamlText.FindStringSubmatch(err.Error())
	line, _ := strconv.Atoi(m[1]) // 0 where the parser names none
	if strings.HasPrefix(m[2], "did not find expected") {
		line++ // these messages count lines from 0
	}
	if line == 0 {
		line = blamed(m[2], data)
	}
	return &Error{Line: line, Text: "this is not YAML: " + m[2]}
}

// blamed finds the line of a mistake of which the parser does not tell it, 0 if
// it cannot be found.
func blamed(text string, data []byte) int {
	at := -1
	if m := unknownAnchor.FindStringSubmatch(text); m != nil {
		alias := regexp.MustCompile(`(?m)(?:^|[\s\[{,:-])\*` + regexp.QuoteMeta(m[1]) + `(?:$|[\s\]},:])`)
		if found := alias.FindIndex(data); found != nil {
			at = found[0] + bytes.IndexByte(data[found[0]:], '*')
		}
	} else if strings.Contains(text, "control characters") || strings.Contains(text, "UTF-8") {
		at = unprintable(data)
	}
	if at < 0 {
		return 0
	}
	return 1 + bytes.Count(data[:at], []byte("\n"))
}

var unknownAnchor = regexp.MustCompile(`unknown anchor '(.+)' referenced`)

// unprintable finds the first octet that belongs to no character of YAML, -1 if
// there is none.
func unprintable(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		broken := r == utf8.RuneError && n == 1
		if broken || unicode.IsControl(r) && !strings.ContainsRune("\t\n\r\u0085", r) || r == 0xfffe || r == 0xffff {
			return i
		}
		i += n
	}
	return -1
}

// value notes where something stands and follows an alias. An alias may lead
// to something around itself, which is no danger: nothing is read deeper than
// the form goes.
func (f *file) value(path string, n *yaml.Node) value {
	f.lines[path] = n.Line
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	v := value{f, path, n}
	if n.Style&yaml.TaggedStyle != 0 {
		v.failf("there is the tag %s, and tags mean nothing here; leave it out", quoted(n.Tag))
	}
	if f.values++; f.values == maxValues {
		v.failf("there are more than %d values, with those behind aliases counted every time; the rest is not read", maxValues)
	}
	return v
}

// full reports whether no more values are read.
func (f *file) full() bool { return f.values >= maxValues }

// failf notes a mistake that spoils what stands here.
func (v value) failf(format string, args ...any) {
	v.file.mistakes = append(v.file.mistakes, mistake{path: v.path, text: fmt.Sprintf(format, args...)})
	v.file.spoilt = append(v.file.spoilt, v.path)
}

// keyf notes a mistake about a key of the mapping that stands here, in the
// line of the key.
func (v value) keyf(line int, format string, args ...any) {
	v.file.mistakes = append(v.file.mistakes, mistake{v.path, line, fmt.Sprintf(format, args...)})
}

// at is the place of a key.
func (v value) at(key string) string {
	if v.path == "" {
		return key
	}
	return v.path + "." + key
}

func (v value) isEmpty() bool   { return v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == "!!null" }
func (v value) isMapping() bool { return v.node.Kind == yaml.MappingNode }

// has reports whether a mapping has a key.
func (v value) has(key string) bool {
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		if v.node.Content[i].Value == key {
			return true
		}
	}
	return false
}

// what says in words what stands here.
func (v value) what() string {
	switch {
	case v.isEmpty():
		return "nothing"
	case v.isMapping():
		return "a mapping"
	case v.node.Kind == yaml.SequenceNode:
		return "a list"
	}
	return quoted(v.node.Value)
}

// quoted is what somebody has written, as much of it as fits a message.
func quoted(s string) string { return fmt.Sprintf("%.40q", s) }

// entries calls f for every key of a mapping in its order, once for each key.
// Expected says what should be here, for the message about something else.
func (v value) entries(expected string, f func(key string, v value)) {
	if !v.isMapping() {
		v.failf("there is %s where %s must be", v.what(), expected)
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(v.node.Content) && !v.file.full(); i += 2 {
		k, n := v.node.Content[i], v.node.Content[i+1]
		switch {
		case k.Kind != yaml.ScalarNode || k.Value == "" || len(k.Value) > maxKey || strings.ContainsFunc(k.Value, unicode.IsControl):
			v.keyf(k.Line, "there is a key that is not a plain word")
		case k.Value == "<<":
			v.keyf(k.Line, "mappings are not merged with <<; let an alias stand for a whole value")
		case seen[k.Value] > 0:
			v.keyf(k.Line, "%s is given twice, first in line %d; one of the two must go", quoted(k.Value), seen[k.Value])
		default:
			seen[k.Value] = k.Line
			e := v.file.value(v.at(k.Value), n)
			v.file.lines[e.path] = k.Line
			f(k.Value, e)
		}
	}
}

// object reads a mapping with known keys. The fields are read in the order in
// which they are given here, so that one can build on those before.
func (v value) object(fields ...field) {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	found := map[string]value{}
	v.entries("a mapping with the keys "+strings.Join(keys, ", "), func(key string, e value) {
		if slices.Contains(keys, key) {
			found[key] = e
			return
		}
		text := fmt.Sprintf("%s is unknown; the keys here are ", quoted(key))
		if near := nearest(key, keys); near != "" {
			v.file.spoilt = append(v.file.spoilt, v.at(near)) // it is not missed as well
			text = fmt.Sprintf("%s is unknown; did you mean %s? The keys here are ", quoted(key), near)
		}
		v.keyf(v.file.lines[e.path], "%s%s", text, strings.Join(keys, ", "))
	})
	for _, f := range fields {
		if e, ok := found[f.key]; ok {
			f.read(e)
		}
	}
}

// items calls f for every value of a list. A single value may stand without
// its list.
func (v value) items(f func(v value)) {
	if v.node.Kind != yaml.SequenceNode {
		f(v)
		return
	}
	for i, n := range v.node.Content {
		if v.file.full() {
			return
		}
		f(v.file.value(fmt.Sprintf("%s[%d]", v.path, i), n))
	}
}

// scalar reads a plain value.
func scalar[T any](v value, to *T, read func(string) (T, error)) {
	if v.node.Kind != yaml.ScalarNode || v.isEmpty() {
		v.failf("there is %s where a plain value must be", v.what())
		return
	}
	x, err := read(v.node.Value)
	if err != nil {
		v.failf("%v", err)
		return
	}
	*to = x
}

// list reads plain values. A mistaken one leaves its place to the zero value.
func list[T any](v value, to *[]T, read func(string) (T, error)) {
	*to = nil
	v.items(func(v value) {
		var x T
		scalar(v, &x, read)
		*to = append(*to, x)
	})
}
