package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

func text(t *testing.T, how report.Text, rep *suites.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := how.Write(&b, rep); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestText(t *testing.T) {
	t.Parallel()
	wide, narrow := report.Style{}, report.Style{Width: 60, Colour: true}
	for _, c := range []struct {
		file string
		how  report.Text
		rep  *suites.Report
	}{
		{"text.txt", report.Text{Style: wide}, sample()},
		{"text-verbose.txt", report.Text{Style: wide, Verbose: true}, sample()},
		{"text-terminal.txt", report.Text{Style: narrow}, sample()},
		{"text-conforms.txt", report.Text{Style: wide}, only(suites.Pass, suites.Info)},
	} {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			golden(t, c.file, text(t, c.how, c.rep))
		})
	}
}

func TestTextQuiet(t *testing.T) {
	t.Parallel()
	got := text(t, report.Text{Quiet: true}, only(suites.Pass, suites.Fail))
	if want := "does not conform: 2 pass, 2 fail; 4 checks in 4.6s\n"; got != want {
		t.Errorf("the line is %q, want %q", got, want)
	}
}

func TestTextWithoutTerminalHasNoEscapes(t *testing.T) {
	t.Parallel()
	for _, verbose := range []bool{false, true} {
		got := text(t, report.Text{Verbose: verbose}, sample())
		if i := strings.IndexFunc(got, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f || r == 0x202e || r == utf8.RuneError }); i >= 0 {
			t.Errorf("control characters came through: %.40q", got[i:])
		}
	}
}

func TestTextTerminalKeepsWidth(t *testing.T) {
	t.Parallel()
	for _, width := range []int{50, 72, 100} {
		got := text(t, report.Text{Style: report.Style{Width: width}}, sample())
		for line := range strings.Lines(got) {
			// The table and the last line are as wide as they are.
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width && strings.HasPrefix(line, "      ") && !strings.Contains(line, "pass") {
				t.Errorf("%d columns in a terminal of %d: %q", n, width, line)
			}
		}
	}
}

// TestTextNamesTopics: of many checks without an answer for one reason only the
// topics are named, but in verbose mode.
func TestTextNamesTopics(t *testing.T) {
	t.Parallel()
	rep := only(suites.NotRun)
	slow := rep.Results[0]
	for i := range 12 {
		r := slow
		r.Check, r.Topic = fmt.Sprintf("nat-%d", i), "nat"
		rep.Results = append(rep.Results, r)
	}
	count(rep)
	if got := text(t, report.Text{}, rep); !strings.Contains(got, "\n      pasv (1), nat (12); --verbose names them\n") {
		t.Error(got)
	}
	if got := text(t, report.Text{Verbose: true}, rep); !strings.Contains(got, "      pasv-e, nat-0, nat-1") {
		t.Error(got)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("no room") }

func TestTextTellsWriteErrors(t *testing.T) {
	t.Parallel()
	if err := (report.Text{}).Write(brokenWriter{}, sample()); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("the error is %v", err)
	}
}
