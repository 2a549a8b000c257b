package report_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

func TestStableMessage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"nothing varies", "after FIN on the control connection the transfer went on to its end", "after FIN on the control connection the transfer went on to its end"},
		{"white space", " a\tb\r\n  c ", "a b c"},
		{"nothing", "", ""},
		{"a host-port", "EPSV foo was answered 229 Extended Passive mode OK (|||8345|); 501 was expected", "EPSV foo was answered 229 Extended Passive mode OK"},
		{"six numbers", "PASV after EPSV ALL was answered 227 Entering Passive Mode (127,0,0,1,32,131); a refusal was expected", "PASV after EPSV ALL was answered 227 Entering Passive Mode"},
		{"a port after few words", "port 8178 of EPSV still accepted connections after ABOR", "port … of EPSV still accepted connections after ABOR"},
		{"two after few words", "227 names port 42963, outside of the range 8220 to 8279", "227 names port …, outside of the range"},
		{"an odd argument", `"PORT 127,0,0,1,+200,1" was answered 200 PORT command successful.; 501 was expected`, `"PORT …,+200,1" was answered 200 PORT command successful.; 501 was expected`},
		{"an extended argument", `"EPRT |1|127.0.0.1|70000|" was answered 200 EPRT command successful`, `"EPRT …" was answered 200 EPRT command successful`},
		{"an IPv4 address", "the control connection goes to 218.63.1.100, the data", "the control connection goes to"},
		{"an IPv6 address", "the control connection goes to 2001:db8::1, the data", "the control connection goes to"},
		{"a short IPv6 address", "the control connection goes to ::1 and so on", "the control connection goes to"},
		{"a duration", "the data connection was still open 2.5s after ABOR", "the data connection was still open"},
		{"a duration with a space", "it came after about 12 ms", "it came after about"},
		{"minutes and seconds", "no final reply within 1m5s of it", "no final reply within"},
		{"the time of day", "the server said at 12:34:56 that", "the server said at"},
		{"a count", "200 passive ports of one session show a pattern: it is", "200 passive ports of one session show a pattern: it is"},
		{"reply codes stay", "the code was 421 and not 226 nor 550", "the code was 421 and not 226 nor 550"},
		{"other numbers of three digits", "there were then about 999 of them", "there were then about"},
		{"so many of so many", "QUIT during a transfer cut it off: 4063232 of 8388608 octets, end FIN", "QUIT during a transfer cut it off"},
		{"how a transfer went", "no final reply when nobody connected to the passive port: RETR small.bin: 150, no data", "no final reply when nobody connected to the passive port"},
		{"where it was seen", `NOOP was answered "200 odd" (seen during pasv-works)`, `NOOP was answered "200 odd"`},
		{"all varies", "192.0.2.7:21", "…"},
		{"what opens is taken off", `no endpoint can be read from "Entering Passive Mode (1,2,3,4,5)"`, `no endpoint can be read from "Entering Passive Mode`},
		{"an ellipsis of a server", "it said … and ended", "it said … and ended"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := report.StableMessage(c.in); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// TestStableMessageIsShort: a list is read by people.
func TestStableMessageIsShort(t *testing.T) {
	t.Parallel()
	for _, in := range []string{strings.Repeat("word ", 100), strings.Repeat("äöü", 200)} {
		if got := report.StableMessage(in); len(got) > 200 || got == "" {
			t.Errorf("%d octets: %q", len(got), got)
		}
	}
}

// TestCreatedListExcuses: whatever a server makes a message say, the list that is
// made of a run excuses it, in YAML and back.
func TestCreatedListExcuses(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rep := run(result("a", suites.Direct, suites.Fail, string(rapid.SliceOf(rapid.Byte()).Draw(t, "octets"))),
			result("b", suites.Direct, suites.Warn, rapid.StringMatching(`[a-z0-9 .:,|…"'#-]*`).Draw(t, "text")))
		b, err := report.NewBaseline(rep, report.Entry{Reason: rapid.String().Draw(t, "reason")})
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		if err := b.Write(&text); err != nil {
			t.Fatal(err)
		}
		again, err := report.ParseBaseline([]byte(text.String()), "b.yaml")
		if err != nil {
			t.Fatalf("%v:\n%s", err, text.String())
		}
		if c := (report.Gate{FailOn: suites.SHOULD, Baseline: again}).Compare(rep); len(c.Excused) != 2 {
			t.Fatalf("%v\n%s", c.Problems(), text.String())
		}
	})
}
