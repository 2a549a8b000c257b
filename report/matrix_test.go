package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

// judged is a server of a matrix with its record.
func judged(name string, results ...suites.Result) report.MatrixEntry {
	rep := run(results...)
	rep.Target.Server = &suites.ServerFacts{Name: name, Title: strings.ToUpper(name), Version: "1.0"}
	return report.MatrixEntry{Name: name, Outcome: report.Gate{}.Outcome(rep), Record: rep}
}

func in(topic string, r suites.Result) suites.Result {
	r.Topic = topic
	return r
}

func matrix() *report.Matrix {
	d := suites.Direct
	return &report.Matrix{Schema: report.MatrixSchema, DurationMS: 61_234, Servers: []report.MatrixEntry{
		judged("alpha", in("port", result("a", d, suites.Pass, "")), in("port", result("b", d, suites.Fail, "x")), in("pasv", result("c", d, suites.Info, "x")),
			in("abort", result("e", d, suites.NotRun, "slow"))),
		judged("beta", in("port", result("a", d, suites.Info, "x")), in("port", result("b", d, suites.Warn, "x")), in("pasv", result("c", d, suites.Inconclusive, "x"))),
		{Name: "gamma", Error: "it \x1b[31mdid not start"},
		judged("delta", in("port", result("a", d, suites.Pass, "")), in("port", result("b", d, suites.Unsupported, "x")), in("pasv", result("c", d, suites.Pass, ""))),
	}}
}

func TestMatrixText(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := matrix().WriteText(&out, report.Style{}); err != nil {
		t.Fatal(err)
	}
	const want = `   server  version    port  pasv
1  alpha   1.0        1F    ok
2  beta    1.0        1w    1?
3  gamma   no record
4  delta   1.0        ok    ok

not the same for all   1   2   3   4
b                      F   w       -
c                     ok   ?      ok

F fails a MUST, w breaks a SHOULD, ? inconclusive, ! error of the harness, - unsupported or not
applicable, blank: not run, or no record
gamma: it \x1b[31mdid not start
4 servers: 2 conforms, 1 does not conform, 1 no record; 9 checks in 1m1.2s
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestMatrixNoBlanks: no line ends with blanks, whichever cells are empty.
func TestMatrixNoBlanks(t *testing.T) {
	t.Parallel()
	m := matrix()
	m.Servers = m.Servers[:3]
	var out bytes.Buffer
	if err := m.WriteText(&out, report.Style{}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if line = strings.TrimSuffix(line, "\n"); line != strings.TrimRight(line, " ") {
			t.Errorf("%q", line)
		}
	}
}

func TestMatrixMarkdown(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := matrix().WriteMarkdown(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| server | version | port | pasv |\n| --- | --- | --- | --- |\n| alpha | 1.0 | 1F | ok |\n", "| gamma | no record: ", "| `b` | F | w |  | - |\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
}

// TestMatrixOutcome: the gravest outcome is that of the whole.
func TestMatrixOutcome(t *testing.T) {
	t.Parallel()
	of := func(outcomes ...report.Outcome) *report.Matrix {
		m := &report.Matrix{}
		for _, o := range outcomes {
			m.Servers = append(m.Servers, report.MatrixEntry{Outcome: o, Record: run()})
		}
		return m
	}
	none := of(report.Broken)
	none.Servers[0].Record, none.Servers[0].Outcome = nil, ""
	cut := of(report.Errors)
	cut.Interrupted = true
	for want, m := range map[report.Outcome]*report.Matrix{
		report.Conforms:    of(report.Conforms, report.Conforms),
		report.Stale:       of(report.Conforms, report.Stale),
		report.Broken:      of(report.Stale, report.Broken),
		report.Lost:        none,
		report.Errors:      of(report.Broken, report.Lost, report.Errors),
		report.Interrupted: cut,
	} {
		if got := m.Outcome(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestMatrixRecord: what is written can be read, and each record in it is one.
func TestMatrixRecord(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := report.WriteMatrix(&out, matrix()); err != nil {
		t.Fatal(err)
	}
	var back struct {
		Schema  string
		Servers []struct {
			Name   string
			Record json.RawMessage
		}
	}
	if err := json.Unmarshal(out.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if back.Schema != report.MatrixSchema || len(back.Servers) != 4 {
		t.Errorf("schema %q, %d servers", back.Schema, len(back.Servers))
	}
	for _, s := range back.Servers {
		if s.Record == nil {
			continue
		}
		if rep, err := report.ReadJSON(bytes.NewReader(s.Record)); err != nil || rep.Target.Server.Name != s.Name {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
	if m, err := report.ReadMatrix(bytes.NewReader(out.Bytes())); err != nil || len(m.Servers) != 4 || m.Servers[2].Record != nil || len(m.Servers[0].Record.Results) != 4 {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := report.ReadJSON(bytes.NewReader(out.Bytes())); !errors.Is(err, report.ErrMatrix) || !errors.Is(err, report.ErrSchema) {
		t.Errorf("as a run record: %v", err)
	}
	for _, text := range []string{`{"schema":"ftpconform-run/1"}`, `{"schema":"ftpconform-matrix/1","servers":[{"record":{"schema":"x"}}]}`, "x"} {
		if _, err := report.ReadMatrix(strings.NewReader(text)); !errors.Is(err, report.ErrSchema) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestTrim keeps what decided, also where that is in the dialogue of another
// check, and changes nothing of the record that it is given.
func TestTrim(t *testing.T) {
	t.Parallel()
	say := func(n int, text string) (out []suites.Observation) {
		for range n {
			out = append(out, suites.Observation{Side: "server", Event: "receive", Connection: "control", Text: text})
		}
		return out
	}
	fail := result("a", suites.Direct, suites.Fail, "200 x came")
	fail.Events = append(say(100, "220 hello"), suites.Observation{Side: "harness", Event: "note", Text: "fail: 200 x came"})
	pass := result("b", suites.Direct, suites.Pass, "")
	pass.Events = say(100, "220 hello")
	pass.Violations = []suites.Violation{{Check: "c", Message: "500 y came", Within: "b"}}
	pass.Events[50].Text = "500 y came"
	seen := result("c", suites.Direct, suites.Fail, "500 y came (seen during b)")
	rep := run(fail, pass, seen)
	rep.Target.Log = []string{"a line"}
	short := report.Trim(rep)
	if n := len(short.Results[0].Events); n == 0 || n > 30 {
		t.Errorf("%d events are kept of what does not conform", n)
	}
	if n := len(short.Results[1].Events); n != 0 {
		t.Errorf("%d events are kept of what conforms", n)
	}
	kept := short.Results[2].Events
	if len(kept) == 0 || kept[len(kept)-1].Text != "500 y came" {
		t.Errorf("what was seen elsewhere is not kept: %v", kept)
	}
	if len(rep.Results[0].Events) != 101 || len(rep.Target.Log) != 1 || len(rep.Results[1].Violations) != 1 {
		t.Error("the record itself has changed")
	}
}
