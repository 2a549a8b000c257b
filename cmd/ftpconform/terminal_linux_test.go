package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// pair makes a pseudo-terminal of the given width, and the other end of it.
func pair(t *testing.T, columns uint16) (tty, master *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	if tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	if err := unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 30, Col: columns}); err != nil {
		t.Fatal(err)
	}
	return tty, master
}

// terminal makes a pseudo-terminal of the given width; the second function
// ends it and returns everything that was written to it.
func terminal(t *testing.T, columns uint16) (tty *os.File, written func() string) {
	t.Helper()
	tty, master := pair(t, columns)
	all := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(master) // ends with EIO when the terminal is closed
		all <- string(text)
	}()
	return tty, func() string {
		tty.Close()
		text := <-all
		master.Close()
		return text
	}
}

// onTerminal runs the program with both outputs on a terminal.
func onTerminal(t *testing.T, columns uint16, args ...string) (int, string) {
	t.Helper()
	tty, written := terminal(t, columns)
	code := execute(args, tty, tty)
	return code, written()
}

func TestTerminal(t *testing.T) {
	const red, redrawn = "\x1b[31m", "\r\x1b[K"
	for _, c := range []struct {
		name, term, noColor string
		colour, live        bool
	}{
		{"able", "xterm", "", true, true},
		{"without colours", "xterm", "1", false, true},
		{"dumb", "dumb", "", false, false},
		{"unknown", "", "", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("TERM", c.term)
			t.Setenv("NO_COLOR", c.noColor)
			code, text := onTerminal(t, 70, "run", "--only", "port-octets", "--fault", "PORTSwapsOctets")
			if code != exitBroken {
				t.Errorf("the exit code is %d", code)
			}
			if got := strings.Contains(text, red); got != c.colour {
				t.Errorf("colours: %v\n%q", got, text)
			}
			if got := strings.Contains(text, redrawn); got != c.live {
				t.Errorf("redrawn: %v\n%q", got, text)
			}
			if !c.live && strings.Contains(text, "\x1b") {
				t.Errorf("an escape sequence came through: %q", text)
			}
			if calm := strings.Contains(text, "1/1 done"); calm == c.live {
				t.Errorf("calm lines: %v\n%q", calm, text)
			}
		})
	}
}

func TestTerminalCutsTables(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	code, text := onTerminal(t, 60, "list")
	if code != 0 {
		t.Errorf("the exit code is %d", code)
	}
	for line := range strings.Lines(text) {
		if n := len([]rune(strings.TrimRight(line, "\r\n"))); n > 60 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
}
