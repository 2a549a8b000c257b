// Package named lets users switch on the fields of a struct of booleans by
// their names, and shows them what each of them does: the comment that stands
// on the field in its source. A field may have a second name, a row of a
// catalogue, in its tag: `id:"M49"`.
//
// A type that wants it embeds its source and has three short methods:
//
//	//go:embed faults.go
//	var faultsSource string
//
//	var faultFields = sync.OnceValue(func() []named.Field { return named.Fields[Faults](faultsSource) })
//
//	func FaultNames() []named.Field           { return slices.Clone(faultFields()) }
//	func (f *Faults) Set(name string) error   { return named.Set(f, "fault", name) }
//	func (f Faults) Names() []string          { return named.Names(f) }
//
// The functions may be used from several goroutines; Set needs the struct for
// itself. All of them panic when the type is not a struct of booleans, which is
// a mistake of the program and no input.
package named

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"slices"
	"strings"
)

// Field describes a field.
type Field struct {
	Name string // the field's name
	ID   string // its row in a catalogue, "M49", or ""
	Doc  string // what happens when it is on, one or two sentences
}

// Fields lists the fields of T in their order. Source is the Go file in which T
// is declared; of its comments, "X, if true, does" is shown as "X does".
func Fields[T any](source string) []Field {
	t := reflect.TypeFor[T]()
	docs := comments(source, t.Name())
	out := make([]Field, 0, t.NumField())
	for f := range t.Fields() {
		out = append(out, Field{Name: f.Name, ID: f.Tag.Get("id"), Doc: docs[f.Name]})
	}
	return out
}

// comments maps the fields of a type to what their comments say.
func comments(source, name string) map[string]string {
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		panic("named: the source of " + name + " cannot be read: " + err.Error())
	}
	out := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		t, ok := n.(*ast.TypeSpec)
		if !ok || t.Name.Name != name {
			return true
		}
		ast.Inspect(t, func(n ast.Node) bool {
			if f, ok := n.(*ast.Field); ok {
				doc := strings.Join(strings.Fields(f.Doc.Text()), " ")
				for _, id := range f.Names {
					out[id.Name] = strings.Replace(doc, ", if true,", "", 1)
				}
			}
			return true
		})
		return false
	})
	return out
}

// Names lists the fields of v that are on.
func Names(v any) []string {
	var out []string
	for f, value := range reflect.ValueOf(v).Fields() {
		if value.Bool() {
			out = append(out, f.Name)
		}
	}
	return out
}

// Set switches on the field of *p that has a name or an id, both case-blind.
// The error about an unknown name calls the thing by its kind, "fault", and
// offers the names that contain what was asked for.
func Set(p any, kind, name string) error {
	var near []string
	for f, value := range reflect.ValueOf(p).Elem().Fields() {
		id := f.Tag.Get("id")
		if strings.EqualFold(f.Name, name) || id != "" && strings.EqualFold(id, name) {
			value.SetBool(true)
			return nil
		}
		if len(name) >= 3 && strings.Contains(strings.ToLower(f.Name), strings.ToLower(name)) {
			near = append(near, f.Name)
		}
	}
	slices.Sort(near)
	if len(near) > 0 {
		return fmt.Errorf("unknown %s %q; did you mean %s?", kind, name, strings.Join(near, ", "))
	}
	return fmt.Errorf("unknown %s %q", kind, name)
}
