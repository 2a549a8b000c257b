package main

import (
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestLabStep takes three steps through a story and then has enough.
func TestLabStep(t *testing.T) {
	t.Setenv("TERM", "xterm")
	for _, c := range []struct {
		name, keys string
		code       int
		want, not  string
	}{
		{"enough", "\n\n\nq\n", exitConforms, " SYN ACK", "USER anonymous"},
		{"all of it", strings.Repeat("\n", 200), exitConforms, "next: ", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := keyboard(t, c.keys)
			tty, written := terminal(t, 100)
			root := newRoot()
			root.SetIn(in)
			code := perform(root, []string{"lab", "--step"}, tty, tty)
			text := written()
			if code != c.code || !strings.Contains(text, c.want) || c.not != "" && strings.Contains(text, c.not) {
				t.Errorf("code %d:\n%s", code, text)
			}
		})
	}
}

// keyboard is a terminal on which somebody has typed.
func keyboard(t *testing.T, keys string) *os.File {
	t.Helper()
	tty, master := pair(t, 100)
	t.Cleanup(func() {
		tty.Close()
		master.Close()
	})
	go func() { _, _ = io.Copy(io.Discard, master) }() // the echo
	if _, err := master.WriteString(keys); err != nil {
		t.Fatal(err)
	}
	return tty
}

// escapes are the sequences for colours.
var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

// TestLabOnTerminals: no line is wider than a terminal that has room for the
// addresses, and colours come only where they are wanted.
func TestLabOnTerminals(t *testing.T) {
	t.Setenv("TERM", "xterm")
	for _, c := range []struct {
		columns uint16
		most    int
		noColor string
	}{{200, 100, ""}, {100, 100, "1"}, {80, 80, ""}} {
		t.Setenv("NO_COLOR", c.noColor)
		_, text := onTerminal(t, c.columns, "lab")
		if colour := escapes.MatchString(text); colour != (c.noColor == "") {
			t.Errorf("colours: %v", colour)
		}
		for line := range strings.Lines(escapes.ReplaceAllString(text, "")) {
			if n := len([]rune(strings.TrimRight(line, "\r\n"))); n > c.most && !strings.Contains(line, "ftpconform ") {
				t.Errorf("%d columns of %d: %q", n, c.columns, line)
			}
		}
		if !strings.Contains(text, "425 Cannot open data connection.") {
			t.Error("the reply is missing")
		}
	}
}
