package reference

import (
	_ "embed" // the comments on the faults are shown to users
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"slices"
	"strings"
	"sync"
)

//go:embed faults.go
var faultsSource string

// fieldDocs maps the fields of Faults and Tolerances to their comments.
var fieldDocs = sync.OnceValue(func() map[string]string {
	file, err := parser.ParseFile(token.NewFileSet(), "faults.go", faultsSource, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		panic("reference: faults.go cannot be read: " + err.Error())
	}
	out := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if f, ok := n.(*ast.Field); ok && len(f.Names) == 1 {
			doc := strings.Join(strings.Fields(f.Doc.Text()), " ")
			out[f.Names[0].Name] = strings.Replace(doc, ", if true,", "", 1)
		}
		return true
	})
	return out
})

// FaultInfo describes a field of Faults or Tolerances.
type FaultInfo struct {
	Name string // the field's name
	ID   string // the row of the catalogue of defects, "M49", or ""
	Doc  string // what the server does then, one or two sentences
}

// FaultNames lists the fields of Faults in their order.
func FaultNames() []FaultInfo { return fields(reflect.TypeFor[Faults]()) }

// ToleranceNames lists the fields of Tolerances in their order.
func ToleranceNames() []FaultInfo { return fields(reflect.TypeFor[Tolerances]()) }

func fields(t reflect.Type) []FaultInfo {
	var out []FaultInfo
	for f := range t.Fields() {
		out = append(out, FaultInfo{Name: f.Name, ID: f.Tag.Get("id"), Doc: fieldDocs()[f.Name]})
	}
	return out
}

// Set switches a fault on by its name or its id, both case-blind. An unknown
// name gives an error that offers the nearest ones.
func (f *Faults) Set(name string) error { return setField(reflect.ValueOf(f).Elem(), "fault", name) }

// Set switches a tolerance on by its name, case-blind.
func (t *Tolerances) Set(name string) error {
	return setField(reflect.ValueOf(t).Elem(), "tolerance", name)
}

// Names lists the faults that are switched on.
func (f Faults) Names() []string {
	v, out := reflect.ValueOf(f), []string(nil)
	for i, info := range FaultNames() {
		if v.Field(i).Bool() {
			out = append(out, info.Name)
		}
	}
	return out
}

func setField(v reflect.Value, kind, name string) error {
	var near []string
	for i, info := range fields(v.Type()) {
		if strings.EqualFold(info.Name, name) || info.ID != "" && strings.EqualFold(info.ID, name) {
			v.Field(i).SetBool(true)
			return nil
		}
		if len(name) >= 3 && strings.Contains(strings.ToLower(info.Name), strings.ToLower(name)) {
			near = append(near, info.Name)
		}
	}
	slices.Sort(near)
	if len(near) > 0 {
		return fmt.Errorf("unknown %s %q; did you mean %s?", kind, name, strings.Join(near, ", "))
	}
	return fmt.Errorf("unknown %s %q", kind, name)
}
