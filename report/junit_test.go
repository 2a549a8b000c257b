package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

func junit(t interface {
	Helper()
	Fatal(args ...any)
}, rep *suites.Report, g report.Gate) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.WriteJUnit(&b, rep, g); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestJUnit(t *testing.T) {
	t.Parallel()
	golden(t, "junit.xml", junit(t, sample(), report.Gate{}))
}

// cases reads what stands in a JUnit report: the verdict of each case by its
// class and name, and the counts.
func cases(t *testing.T, text string) (map[string]string, map[string]string) {
	t.Helper()
	got, counts := map[string]string{}, map[string]string{}
	d := xml.NewDecoder(strings.NewReader(text))
	name := ""
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return got, counts
		}
		if err != nil {
			t.Fatal(err)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		attr := map[string]string{}
		for _, a := range e.Attr {
			attr[a.Name.Local] = a.Value
		}
		switch e.Name.Local {
		case "testsuites":
			counts = attr
		case "testcase":
			name = attr["classname"] + "/" + attr["name"]
			got[name] = "passed"
		case "failure", "error", "skipped":
			got[name] = e.Name.Local
		}
	}
}

func TestJUnitVerdicts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		gate     report.Gate
		warn     string
		failures string
	}{{report.Gate{}, "passed", "2"}, {report.Gate{FailOn: suites.SHOULD}, "failure", "3"}} {
		got, counts := cases(t, junit(t, sample(), c.gate))
		for name, want := range map[string]string{
			"ftpconform.direct.port/port-works":       "passed",
			"ftpconform.direct.port/port-octets":      "failure",
			"ftpconform.direct.port/port-source-port": "passed",
			"ftpconform.direct.pasv/pasv-parentheses": c.warn,
			"ftpconform.direct.pasv/pasv-a":           "skipped",
			"ftpconform.direct.pasv/pasv-b":           "skipped",
			"ftpconform.direct.pasv/pasv-d":           "skipped",
			"ftpconform.direct.pasv/pasv-e":           "skipped",
			"ftpconform.direct.replies/reply-broken":  "error",
		} {
			if got[name] != want {
				t.Errorf("%s is %q, want %q", name, got[name], want)
			}
		}
		if counts["tests"] != "13" || counts["failures"] != c.failures || counts["errors"] != "1" || counts["skipped"] != "6" {
			t.Errorf("the counts are %v", counts)
		}
	}
}

// TestJUnitWhateverComes lets a server say anything.
func TestJUnitWhateverComes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rep := sample()
		any := string(rapid.SliceOf(rapid.Byte()).Draw(t, "octets"))
		for i := range rep.Results {
			r := &rep.Results[i]
			r.Message += any
			for j := range r.Findings {
				r.Findings[j].Message += any
			}
			for j := range r.Events {
				r.Events[j].Text += any
			}
		}
		rep.Target.Address += any
		text := junit(t, rep, report.Gate{})
		if !utf8.ValidString(text) {
			t.Fatal("the report is no UTF-8")
		}
		for _, r := range text {
			if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == 0xfffe || r == 0xffff {
				t.Fatalf("the report holds %q", r)
			}
		}
		for d := xml.NewDecoder(strings.NewReader(text)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("not well-formed: %v", err)
			}
		}
	})
}
