package report_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

func encode(t *testing.T, rep *suites.Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := report.WriteJSON(&b, rep); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestJSONRoundTrip(t *testing.T) {
	t.Parallel()
	want := sample()
	// Octets that are no UTF-8 cannot stand in JSON; all else comes back.
	want.Target.Banner = strings.ToValidUTF8(want.Target.Banner, "\ufffd")
	for i := range want.Results {
		r := &want.Results[i]
		r.Message = strings.ToValidUTF8(r.Message, "\ufffd")
		for j := range r.Findings {
			r.Findings[j].Message = strings.ToValidUTF8(r.Findings[j].Message, "\ufffd")
		}
	}
	text := encode(t, want)
	got, err := report.ReadJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the record that was read differs (-want +got):\n%s", diff)
	}
	if !bytes.HasPrefix(text, []byte("{\n  \"schema\"")) || !bytes.HasSuffix(text, []byte("}\n")) {
		t.Errorf("the record is not indented JSON with a line end: %.40q", text)
	}
}

func TestReadJSONRefusesOtherForms(t *testing.T) {
	t.Parallel()
	good := string(encode(t, sample()))
	for name, text := range map[string]string{
		"nothing":         "",
		"no JSON":         "<testsuites/>",
		"a list":          "[]",
		"another program": `{"schema":"other/1"}`,
		"a later form":    strings.Replace(good, suites.Schema, "ftpconform-run/2", 1),
		"no form":         `{"results":[]}`,
		"wrong types":     `{"schema":"` + suites.Schema + `","results":7}`,
		"cut off":         good[:len(good)/2],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if rep, err := report.ReadJSON(strings.NewReader(text)); !errors.Is(err, report.ErrSchema) {
				t.Errorf("read %v, error %v; ErrSchema was expected", rep, err)
			}
		})
	}
}

func TestReadJSONPassesOverNewMembers(t *testing.T) {
	t.Parallel()
	text := strings.Replace(string(encode(t, sample())), `"strict"`, `"later": [1], "strict"`, 1)
	if _, err := report.ReadJSON(strings.NewReader(text)); err != nil {
		t.Error(err)
	}
}

func TestReadFile(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "run.json")
	if err := os.WriteFile(name, encode(t, only(suites.Pass)), 0o600); err != nil {
		t.Fatal(err)
	}
	rep, err := report.ReadFile(name)
	if err != nil || len(rep.Results) != 2 {
		t.Errorf("read %v, %v; two results were expected", rep, err)
	}
	if _, err := report.ReadFile(name + ".missing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file gives %v", err)
	}
}
