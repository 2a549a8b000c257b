package lab_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ftpconform/ftpconform/internal/lab"
	"github.com/ftpconform/ftpconform/netsim"
)

// closed makes every object of a schema refuse members that it does not name.
func closed(v any) {
	switch v := v.(type) {
	case map[string]any:
		if v["type"] == "object" {
			v["additionalProperties"] = false
		}
		for _, member := range v {
			closed(member)
		}
	case []any:
		for _, item := range v {
			closed(item)
		}
	}
}

// schema compiles the schema of stories; the one for tests is stricter, so that
// no member can be forgotten in it.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("schema", "story.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	closed(doc)
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("story.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("story.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStoriesKeepTheSchema(t *testing.T) {
	t.Parallel()
	s := schema(t)
	stories := []*lab.Story{natPort(t, 1)}
	for _, name := range netsim.Builtins() {
		stories = append(stories, play(t, builtin(t, name), lab.Choice{Modes: lab.Modes(), Server: lab.Trusting}))
	}
	for _, story := range stories {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(inJSON(t, story)))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); err != nil {
			t.Errorf("%s: %v", story.Scenario, err)
		}
	}
	for _, bad := range []string{`{}`, `{"schema": "ftpconform-lab/2", "scenario": "x", "title": "", "acts": []}`,
		`{"schema": "ftpconform-lab/1", "scenario": "x", "title": "", "acts": [], "more": 1}`} {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(bad))
		if err != nil {
			t.Fatal(err)
		}
		if s.Validate(v) == nil {
			t.Errorf("%s is no story", bad)
		}
	}
}
