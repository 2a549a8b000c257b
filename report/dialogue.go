package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ftpconform/ftpconform/suites"
)

// Excerpt is a part of a dialogue, with the number of events left out before
// and after it.
type Excerpt struct {
	Before int
	Events []suites.Observation
	After  int
}

// Decisive cuts the at most n events out of a result's dialogue that led to
// its verdict: those up to the finding, or, where everything was as it should
// be, the first ones. Logins, the same in every dialogue, count as one event.
func Decisive(r suites.Result, n int) Excerpt {
	r.Events = foldLogins(r)
	from, to := 0, min(n, len(r.Events))
	if at := decision(r, n); at > 0 {
		to = at
		from = max(0, to-n)
	}
	return Excerpt{Before: from, Events: r.Events[from:to], After: len(r.Events) - to}
}

// decision returns the number of events up to the gravest finding, or, where
// the line that it quotes is more than n events away or in another dialogue,
// up to that line; 0 if neither is there. The finding itself is told
// elsewhere.
func decision(r suites.Result, n int) int {
	if r.Verdict == suites.Pass {
		return 0
	}
	stated := slices.IndexFunc(r.Events, func(e suites.Observation) bool {
		return e.Event == "note" && strings.HasPrefix(e.Text, string(r.Verdict)+": ")
	})
	first := slices.IndexFunc(r.Events, func(e suites.Observation) bool { return quoted(r, e) })
	if stated < 0 {
		return first + 1
	}
	nearby := slices.ContainsFunc(r.Events[max(0, stated-n):stated], func(e suites.Observation) bool { return quoted(r, e) })
	if !nearby && first >= 0 && first < stated {
		return first + 1
	}
	return stated
}

// quoted reports whether the message of a result quotes a line of the server.
func quoted(r suites.Result, e suites.Observation) bool {
	return r.Verdict != suites.Pass && e.Event == "receive" && len(e.Text) >= 3 && strings.Contains(r.Message, e.Text)
}

// maxLogin is the most events that a login has.
const maxLogin = 20

// foldLogins puts one event in the place of a control connection being made,
// logged in and prepared without anything else happening meanwhile.
// A login with a line that the finding quotes stays as it is.
func foldLogins(r suites.Result) []suites.Observation {
	var out []suites.Observation
	for rest := r.Events; len(rest) > 0; {
		e, n := rest[0], loginEnd(rest)
		if n == 0 || slices.ContainsFunc(rest[:n], func(e suites.Observation) bool { return quoted(r, e) }) {
			n = 1
		} else {
			e.Text += ", login"
		}
		out, rest = append(out, e), rest[n:]
	}
	return out
}

// loginEnd returns the number of events of a login at the start of events, 0
// if there is none. It ends with the reply to TYPE I.
func loginEnd(events []suites.Observation) int {
	if events[0].Event != "dial" || !strings.HasPrefix(events[0].Connection, "control") {
		return 0
	}
	prepared := false
	for i, e := range events[:min(len(events), maxLogin)] {
		switch {
		case e.Connection != events[0].Connection:
			return 0
		case e.Event == "send" && e.Text == "TYPE I":
			prepared = true
		case prepared && e.Event == "receive" && strings.HasPrefix(e.Text, "200 "):
			return i + 1
		case prepared:
			return 0
		}
	}
	return 0
}

// evidence returns the result whose dialogue shows what r is about: r itself,
// or, for an invariant that was broken elsewhere, the check during which it
// was seen, with its name.
func evidence(rep *suites.Report, r suites.Result) (shown suites.Result, name string) {
	if rep == nil || r.Verdict == suites.Pass {
		return r, ""
	}
	for _, other := range rep.Results {
		for _, v := range other.Violations {
			if v.Check == r.Check && v.Within != r.Check && strings.HasSuffix(r.Message, "(seen during "+v.Within+")") {
				other.Verdict, other.Message = r.Verdict, v.Message
				return other, other.Check
			}
		}
	}
	return r, ""
}

// eventLine prints one event of a dialogue.
func eventLine(e suites.Observation) string {
	arrow := map[string]string{"client": ">", "server": "<"}[e.Side]
	if arrow == "" {
		arrow = "*"
	}
	text := e.Text
	switch e.Event {
	case "send", "receive", "note":
	default:
		text = strings.TrimSpace(e.Event + " " + text)
	}
	return Printable(fmt.Sprintf("%8.3fs %-10s %s %s", e.Time, e.Connection, arrow, text))
}

// clauses names what a result is about: level, requirements and their sources.
func clauses(r suites.Result) string {
	var parts []string
	for _, id := range r.Requirements {
		req, ok := suites.LoadCatalogue().Requirement(id)
		if !ok { // a record of another catalogue
			parts = append(parts, id)
			continue
		}
		parts = append(parts, fmt.Sprintf("%s %s (%s)", req.Level, id, req.Clause()))
	}
	return strings.Join(parts, ", ")
}

// nextStep is the command that tells more about a result.
func nextStep(r suites.Result) string { return "ftpconform explain " + r.Check }
