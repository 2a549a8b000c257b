package report_test

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(report.RunSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("run.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("run.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, text []byte) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

func TestSchemaHoldsForRecords(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(t.Context())
	cfg := suites.Config{Only: []string{"port-works", "pasv-reply-grammar", "port-octets"}}
	broken, interrupted := cfg, cfg
	broken.Faults.PORTSwapsOctets = true
	broken.Strict = true
	interrupted.Jobs = 1
	interrupted.Progress = func(int, int, suites.Result) { cancel() }
	s := compileSchema(t)
	for name, make := range map[string]func() (*suites.Report, error){
		"the sample":  func() (*suites.Report, error) { return sample(), nil },
		"conforming":  func() (*suites.Report, error) { return suites.Verify(t.Context(), cfg) },
		"broken":      func() (*suites.Report, error) { return suites.Verify(t.Context(), broken) },
		"interrupted": func() (*suites.Report, error) { return suites.Verify(cancelled, interrupted) },
	} {
		t.Run(name, func(t *testing.T) {
			rep, err := make()
			if err != nil {
				t.Fatal(err)
			}
			if err := validate(t, s, encode(t, rep)); err != nil {
				t.Errorf("the record does not keep the schema: %v", err)
			}
			if want := name == "interrupted"; rep.Interrupted != want {
				t.Errorf("Interrupted is %v", rep.Interrupted)
			}
		})
	}
}

func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	s := compileSchema(t)
	for name, spoil := range map[string]func(*suites.Report){
		"another form":        func(r *suites.Report) { r.Schema = "ftpconform-run/2" },
		"an unknown verdict":  func(r *suites.Report) { r.Results[0].Verdict = "perhaps" },
		"no requirements":     func(r *suites.Report) { r.Results[0].Requirements = nil },
		"an empty result":     func(r *suites.Report) { r.Results[0] = suites.Result{} },
		"an unknown event":    func(r *suites.Report) { r.Results[0].Events[0].Event = "wink" },
		"a time before zero":  func(r *suites.Report) { r.Results[0].Events[0].Time = -1 },
		"a count of nonsense": func(r *suites.Report) { r.Summary.ByVerdict["perhaps"] = 1 },
		"no features list":    func(r *suites.Report) { r.Target.FEAT = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rep := sample()
			spoil(rep)
			if validate(t, s, encode(t, rep)) == nil {
				t.Error("the schema holds for a spoilt record")
			}
		})
	}
}

// TestSchemaDescribesEveryMember walks the types of the record and the schema
// side by side.
func TestSchemaDescribesEveryMember(t *testing.T) {
	t.Parallel()
	var schema map[string]any
	if err := json.Unmarshal(report.RunSchema(), &schema); err != nil {
		t.Fatal(err)
	}
	defs := schema["$defs"].(map[string]any)
	for typ, at := range map[reflect.Type]map[string]any{
		reflect.TypeFor[suites.Report]():      schema,
		reflect.TypeFor[suites.Tool]():        defs["tool"].(map[string]any),
		reflect.TypeFor[suites.Edition]():     defs["edition"].(map[string]any),
		reflect.TypeFor[suites.TargetFacts](): defs["target"].(map[string]any),
		reflect.TypeFor[suites.Summary]():     defs["summary"].(map[string]any),
		reflect.TypeFor[suites.Result]():      defs["result"].(map[string]any),
		reflect.TypeFor[suites.Finding]():     defs["finding"].(map[string]any),
		reflect.TypeFor[suites.Violation]():   defs["violation"].(map[string]any),
		reflect.TypeFor[suites.Observation](): defs["observation"].(map[string]any),
	} {
		properties := at["properties"].(map[string]any)
		required := map[string]bool{}
		for _, name := range at["required"].([]any) {
			required[name.(string)] = true
		}
		for f := range typ.Fields() {
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			p, ok := properties[name].(map[string]any)
			if !ok {
				t.Errorf("the schema has no %s of %v", name, typ)
				continue
			}
			if d, _ := p["description"].(string); len(d) < 10 {
				t.Errorf("%s of %v is not described", name, typ)
			}
			if optional := options == "omitempty"; required[name] == optional {
				t.Errorf("%s of %v: required is %v, the type says otherwise", name, typ, required[name])
			}
			delete(properties, name)
		}
		for name := range properties {
			t.Errorf("the schema knows %s of %v, the type does not", name, typ)
		}
	}
}

// TestSchemaKnowsEveryVerdict keeps its lists of words complete.
func TestSchemaKnowsEveryVerdict(t *testing.T) {
	t.Parallel()
	for _, v := range suites.Verdicts {
		if !strings.Contains(string(report.RunSchema()), `"`+string(v)+`"`) || !strings.Contains(string(report.RunSchema()), string(v)+": ") {
			t.Errorf("the schema does not know or not explain %q", v)
		}
	}
}
