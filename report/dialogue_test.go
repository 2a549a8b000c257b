package report_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

// dialogue reads "control > NOOP" lines as events.
func dialogue(lines ...string) []suites.Observation {
	var out []suites.Observation
	for i, line := range lines {
		conn, rest, _ := strings.Cut(line, " ")
		arrow, text, _ := strings.Cut(rest, " ")
		o := suites.Observation{Time: float64(i), Connection: conn, Text: text}
		switch arrow {
		case ">":
			o.Side, o.Event = "client", "send"
		case "<":
			o.Side, o.Event = "server", "receive"
		case "*":
			o.Side, o.Event, o.Connection = "harness", "note", ""
		case "dial":
			o.Side, o.Event = "client", "dial"
		}
		out = append(out, o)
	}
	return out
}

func texts(x report.Excerpt) string {
	var out []string
	if x.Before > 0 {
		out = append(out, fmt.Sprintf("[%d]", x.Before))
	}
	for _, e := range x.Events {
		out = append(out, e.Text)
	}
	if x.After > 0 {
		out = append(out, fmt.Sprintf("[%d]", x.After))
	}
	return strings.Join(out, " | ")
}

func TestDecisive(t *testing.T) {
	t.Parallel()
	login := []string{"control dial L", "control < 220 hi", "control > USER u", "control < 230 in", "control > TYPE I", "control < 200 ok"}
	with := func(lines ...string) []suites.Observation {
		return dialogue(append(append([]string{}, login...), lines...)...)
	}
	for _, c := range []struct {
		name    string
		verdict suites.Verdict
		message string
		events  []suites.Observation
		n       int
		want    string
	}{
		{"nothing happened", suites.Pass, "", nil, 4, ""},
		{"a login is one event", suites.Pass, "", with("control > NOOP", "control < 200 up"), 4, "L, login | NOOP | 200 up"},
		{"the beginning of a pass", suites.Pass, "", with("control > a", "control < b", "control > c"), 2, "L, login | a | [2]"},
		{"up to the finding", suites.Fail, "bad", with("control > a", "control < b", "x * fail: bad", "control > c"), 2, "[1] | a | b | [2]"},
		{"up to the first of several", suites.Fail, "one", with("control > a", "x * fail: one", "control > b", "x * fail: two"), 9, "L, login | a | [3]"},
		{"a lesser note decides nothing", suites.Fail, "bad", with("x * info: so", "control > a", "x * fail: bad"), 1, "[2] | a | [1]"},
		{"the line that is quoted", suites.Warn, `it said "290 odd"`, with("control > a", "control < 290 odd", "control > b"), 2, "[1] | a | 290 odd | [1]"},
		{"a line that is quoted far away", suites.Fail, `it said "290 odd"`, with("control < 290 odd", "control > a", "control > b", "x * fail: odd"), 2, "L, login | 290 odd | [3]"},
		{"a line that is quoted nearby", suites.Fail, `it said "290 odd"`, with("control < 290 odd", "control > a", "x * fail: odd"), 2, "[1] | 290 odd | a | [1]"},
		{"a login with a line that is quoted stays", suites.Fail, `the line "220 hi" is odd`, with("control > a"), 9, "L | 220 hi | [5]"},
		{"a failed login stays", suites.Inconclusive, "no session", dialogue("control dial L", "control < 220 hi", "control > USER u", "control < 530 no", "x * inconclusive: no session"), 9, "L | 220 hi | USER u | 530 no | [1]"},
		{"a login with company stays", suites.Pass, "", dialogue("control dial L", "control2 < 220 hi", "control > TYPE I", "control < 200 ok"), 9, "L | 220 hi | TYPE I | 200 ok"},
		{"TYPE I refused stays", suites.Pass, "", dialogue("control dial L", "control > TYPE I", "control < 504 no"), 9, "L | TYPE I | 504 no"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := suites.Result{Verdict: c.verdict, Message: c.message, Events: c.events}
			before := append([]suites.Observation(nil), c.events...)
			if got := texts(report.Decisive(r, c.n)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if diff := cmp.Diff(before, c.events); diff != "" {
				t.Errorf("the record was changed:\n%s", diff)
			}
		})
	}
}
