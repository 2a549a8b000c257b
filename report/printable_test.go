package report_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/ftpconform/ftpconform/report"
)

func TestPrintable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"plain", "220 Ready.", "220 Ready."},
		{"letters of all languages", "Grüße, 世界", "Grüße, 世界"},
		{"colour", "\x1b[31mred", `\x1b[31mred`},
		{"line ends and tab", "a\r\nb\tc", `a\r\nb\tc`},
		{"NUL and DEL", "\x00\x7f", `\x00\x7f`},
		{"no UTF-8", "caf\xe9", `caf\xe9`},
		{"C1 control as UTF-8", "\u009b31m", `\u009b31m`},
		{"writing direction", "abc\u202etxt", `abc\u202etxt`},
		{"zero width", "a\u200bb", `a\u200bb`},
		{"beyond 16 bits", "\U000e0001", `\U000e0001`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := report.Printable(c.in); got != c.want {
				t.Errorf("Printable(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func TestPrintableWhateverComes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := string(rapid.SliceOf(rapid.Byte()).Draw(t, "octets"))
		got := report.Printable(in)
		if !utf8.ValidString(got) || strings.IndexFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
			t.Fatalf("Printable(%q) = %q is not printable", in, got)
		}
		if again := report.Printable(got); again != got {
			t.Fatalf("what is printable was changed: %q to %q", got, again)
		}
	})
}
