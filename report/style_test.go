package report_test

import (
	"testing"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

func TestStyleWrap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		width        int
		indent, text string
		want         string
	}{
		{"short", 40, "  ", "a b", "  a b"},
		{"empty", 40, "  ", "", ""},
		{"at the edge", 34, "  ", "0123456789 0123456789 0123456789 x", "  0123456789 0123456789 0123456789\n  x"},
		{"over the edge", 33, "  ", "0123456789 0123456789 0123456789 x", "  0123456789 0123456789\n  0123456789 x"},
		{"a long word stays whole", 32, "", "x 0123456789012345678901234567890123456789 y", "x\n0123456789012345678901234567890123456789\ny"},
		{"a narrow terminal still gets text", 5, "    ", "012345678 012345678 012345678 012345678", "    012345678 012345678 012345678\n    012345678"},
		{"letters and not octets count", 30, "", "äöüäöüäöüä äöüäöüäöü äöüäöüäö", "äöüäöüäöüä äöüäöüäöü äöüäöüäö"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := (report.Style{Width: c.width}).Wrap(c.indent, c.text); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestStyleCut(t *testing.T) {
	t.Parallel()
	s := report.Style{Width: 5}
	for in, want := range map[string]string{"": "", "12345": "12345", "123456": "1234…", "äöüäöü": "äöüä…"} {
		if got := s.Cut(in); got != want {
			t.Errorf("Cut(%q) = %q, want %q", in, got, want)
		}
	}
	if got := (report.Style{}).Cut("123456"); got != "123456" {
		t.Errorf("a file got %q", got)
	}
}

func TestStyleColours(t *testing.T) {
	t.Parallel()
	plain, coloured := report.Style{}, report.Style{Colour: true}
	for _, v := range suites.Verdicts {
		if got := plain.Verdict(v, "x"); got != "x" {
			t.Errorf("%s without colours is %q", v, got)
		}
	}
	if got := coloured.Verdict(suites.Fail, "x"); got != "\x1b[1m\x1b[31mx\x1b[0m" {
		t.Errorf("a failure is %q", got)
	}
	if got := coloured.Strong(""); got != "" {
		t.Errorf("nothing became %q", got)
	}
}
