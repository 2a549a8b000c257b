package ftp_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ftpconform/ftpconform/ftp"
)

func TestUnquoteName(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`"/"`:                                  `/`,
		`"/pub" is the current directory.`:     `/pub`,
		`"/a""b" created`:                      `/a"b`,
		`"""" created`:                         `"`,
		`""""""`:                               `""`,
		`"/a""" created`:                       `/a"`,
		`"""/a" created`:                       `"/a`,
		`"" is nowhere`:                        ``,
		`Remote directory: "/x y"`:             `/x y`,
		`"/a" is current, "/b" is not`:         `/a`,
		`"caf` + "\xe9" + `"`:                  "caf\xe9",
		`"/(1,2,3,4,5,6)" created`:             `/(1,2,3,4,5,6)`,
		`"C:\dir" is current directory.`:       `C:\dir`,
		`"/` + "a\rb" + `" holds a CR`:         "/a\rb",
		`"/` + strings.Repeat("x", 5000) + `"`: `/` + strings.Repeat("x", 5000),
	} {
		if got, err := ftp.UnquoteName(text); err != nil || got != want {
			t.Errorf("%.60q: %.60q, %v, want %.60q", text, got, err, want)
		}
	}
	for _, text := range []string{"", "/", "/pub is current directory", `"`, `"/pub`, `"""`, `"/a"" created`, `'/pub'`, `“/pub”`,
		strings.Repeat("x", 1<<16), `"` + strings.Repeat(`""`, 1000)} {
		got, err := ftp.UnquoteName(text)
		wantSyntax(t, err)
		if got != "" {
			t.Errorf("%.60q: %q beside the error", text, got)
		}
	}
}

func TestSTOUName(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"FILE: a": "a", "FILE: a b ": "a b ", "FILE:  a": " a", "FILE: FILE: a": "FILE: a"} {
		if got, err := ftp.ParseSTOUName(text); err != nil || got != want || ftp.FormatSTOUName(got) != text {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"", "FILE:", "FILE: ", "FILE:a", "file: a", " FILE: a", "Opening data connection for a", "FILE a", "FILE:\ta"} {
		_, err := ftp.ParseSTOUName(text)
		wantSyntax(t, err)
	}
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"19980615100045":                "1998-06-15T10:00:45Z",
		"19980615100045.014":            "1998-06-15T10:00:45.014Z",
		"20240229000000":                "2024-02-29T00:00:00Z",
		"10000101000000":                "1000-01-01T00:00:00Z",
		"99991231235959":                "9999-12-31T23:59:59Z",
		"20200101000000.0":              "2020-01-01T00:00:00Z",
		"20200101000000.1":              "2020-01-01T00:00:00.1Z",
		"20200101000000.123456789":      "2020-01-01T00:00:00.123456789Z",
		"20200101000000.1234567899":     "2020-01-01T00:00:00.123456789Z",
		"20200101000000.000000001":      "2020-01-01T00:00:00.000000001Z",
		"20200101000000.0000000009":     "2020-01-01T00:00:00Z",
		"20161231235960":                "2017-01-01T00:00:00Z",
		"20161231235960.5":              "2017-01-01T00:00:00.5Z",
		"20200101000000." + nines(18):   "2020-01-01T00:00:00.999999999Z",
		"20200101000000." + nines(1000): "2020-01-01T00:00:00.999999999Z",
	} {
		got, err := ftp.ParseTime(text)
		if err != nil || got.Format(time.RFC3339Nano) != want || got.Location() != time.UTC {
			t.Errorf("%.40q: %v, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "2020", "2020010100000", "202001010000000", "20200101 000000", "2020-01-01T00:00", "20200101000000Z", "20200101000000+0000",
		"20200101000000.", "20200101000000.x", "20200101000000.-1", "20200101000000.1.2", "20200101000000,5", "20200101000000.1e3",
		"+0200101000000", "-2020010100000", "00000101000000", "09990101000000", "20200001000000", "20201301000000", "20200100000000",
		"20200132000000", "20210229000000", "20200101240000", "20200101006000", "20200101000061", "20200101000060", "20200101225960",
		"20210229235960", "99991231235960", "191000615100045", " 20200101000000", "20200101000000 ", "20200101000000\r", "٢٠٢٠٠١٠١٠٠٠٠٠٠",
		".5", ".", nines(1000),
	} {
		got, err := ftp.ParseTime(text)
		wantSyntax(t, err)
		if !got.IsZero() {
			t.Errorf("%.40q: %v beside the error", text, got)
		}
	}
}

func nines(n int) string { return strings.Repeat("9", n) }

func TestFormatTime(t *testing.T) {
	t.Parallel()
	east := time.FixedZone("east", 2*60*60)
	if got := ftp.FormatTime(time.Date(2024, 3, 1, 1, 30, 5, 999999999, east)); got != "20240229233005" {
		t.Errorf("printed %q", got)
	}
}

func TestParseEntry(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, line, entry string
		facts             []ftp.Fact
	}{
		{"plain", "type=file;size=1024; a.txt", "a.txt", []ftp.Fact{{"type", "file"}, {"size", "1024"}}},
		{"names in any case", "Type=Dir;MoDiFy=20200101000000; d", "d", []ftp.Fact{{"type", "Dir"}, {"modify", "20200101000000"}}},
		{"no facts", " a", "a", nil},
		{"no facts, spaces in the name", "  a b ", " a b ", nil},
		{"name of spaces", "type=file;   ", "  ", []ftp.Fact{{"type", "file"}}},
		{"name that looks like facts", "type=file; size=1; x", "size=1; x", []ftp.Fact{{"type", "file"}}},
		{"space after a semicolon begins the name", "type=file; size=1;", "size=1;", []ftp.Fact{{"type", "file"}}},
		{"empty value", "lang=; a", "a", []ftp.Fact{{"lang", ""}}},
		{"equals sign in the value", "type=OS.unix=slink:/x; a", "a", []ftp.Fact{{"type", "OS.unix=slink:/x"}}},
		{"fact of a system", "UNIX.mode=0644;X.y=z; a", "a", []ftp.Fact{{"unix.mode", "0644"}, {"x.y", "z"}}},
		{"fact given twice", "size=1;size=2; a", "a", []ftp.Fact{{"size", "1"}, {"size", "2"}}},
		{"every octet of a value", `x=,.:!@#$%^&()-_+?/\'"=Az09; a`, "a", []ftp.Fact{{"x", `,.:!@#$%^&()-_+?/\'"=Az09`}}},
		{"name that is not UTF-8", "type=file; caf\xe9\r", "caf\xe9\r", []ftp.Fact{{"type", "file"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			facts, entry, err := ftp.ParseEntry(tt.line)
			if err != nil || entry != tt.entry {
				t.Errorf("name %q, %v, want %q", entry, err, tt.entry)
			}
			if diff := cmp.Diff(tt.facts, facts); diff != "" {
				t.Error(diff)
			}
			if got := ftp.FormatEntry(facts, entry); !strings.EqualFold(got, tt.line) {
				t.Errorf("printed %q", got)
			}
		})
	}
	for name, line := range map[string]string{
		"nothing":                  "",
		"no space":                 "type=file;a",
		"no name":                  "type=file; ",
		"space alone":              " ",
		"no semicolon at the end":  "type=file a",
		"no equals sign":           "type; a",
		"no fact name":             "=file; a",
		"empty fact":               "; a",
		"two semicolons":           "type=file;; a",
		"space in a value":         "UNIX.owner=John Doe; a",
		"asterisk of FEAT":         "type*=file; a",
		"control octet in a value": "type=fi\x00le; a",
		"octet 255 in a value":     "owner=\xff; a",
		"UTF-8 in a fact name":     "\u212aind=x; a", // the Kelvin sign is k in lower case
		"line of ls":               "-rw-r--r-- 1 ftp ftp 5 Jan 1 00:00 a",
		"tab before the name":      "type=file;\ta",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			facts, entry, err := ftp.ParseEntry(line)
			wantSyntax(t, err)
			if facts != nil || entry != "" {
				t.Errorf("%v, %q beside the error", facts, entry)
			}
		})
	}
}

func TestNamesRoundTrip(t *testing.T) {
	t.Parallel()
	octets := rapid.SliceOf(rapid.OneOf(rapid.Just(byte('"')), rapid.Byte()))
	rapid.Check(t, func(t *rapid.T) {
		name := string(octets.Draw(t, "name"))
		got, err := ftp.UnquoteName(ftp.QuoteName(name) + rapid.StringMatching(`( created)?`).Draw(t, "tail"))
		if err != nil || got != name {
			t.Fatalf("%q became %q, %v", name, got, err)
		}
		at := time.Unix(rapid.Int64Range(-30610224000, 253402300799).Draw(t, "time"), 0).UTC()
		if got, err := ftp.ParseTime(ftp.FormatTime(at)); err != nil || !got.Equal(at) {
			t.Fatalf("%v became %v, %v", at, got, err)
		}
		fact := rapid.Custom(func(t *rapid.T) ftp.Fact {
			return ftp.Fact{Name: rapid.StringMatching(`[a-z.-]{1,8}`).Draw(t, "fact"), Value: rapid.StringMatching(`[A-Za-z0-9=/.]{0,8}`).Draw(t, "value")}
		})
		facts := rapid.SliceOfN(fact, 1, 5).Draw(t, "facts")
		gotFacts, gotName, err := ftp.ParseEntry(ftp.FormatEntry(facts, "x"+name))
		if diff := cmp.Diff(facts, gotFacts); diff != "" || gotName != "x"+name || err != nil {
			t.Fatalf("%v, %q, %v: %s", gotFacts, gotName, err, diff)
		}
	})
}

func ExampleQuoteName() {
	text := ftp.QuoteName(`/a"b`) + " created"
	name, err := ftp.UnquoteName(text)
	fmt.Println(text, "=>", name, err)
	// Output: "/a""b" created => /a"b <nil>
}

func ExampleParseEntry() {
	facts, name, err := ftp.ParseEntry("Type=file;Size=5; two words")
	fmt.Printf("%v %q %v\n", facts, name, err)
	// Output: [{type file} {size 5}] "two words" <nil>
}

func ExampleParseTime() {
	fmt.Println(ftp.ParseTime("19980615100045.014"))
	// Output: 1998-06-15 10:00:45.014 +0000 UTC <nil>
}

func FuzzParseEntry(f *testing.F) {
	for _, line := range []string{"type=file;size=1; a", " a", "  ", "a=; b", "a=b=c; d", "Type=OS.unix=slink:/x; y", "type a", "\u212a=x; y"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		facts, name, err := ftp.ParseEntry(line)
		if !wantParsed(t, err) {
			return
		}
		text := ftp.FormatEntry(facts, name)
		again, sameName, err := ftp.ParseEntry(text)
		if diff := cmp.Diff(facts, again); diff != "" || err != nil || sameName != name || name == "" {
			t.Errorf("%q printed %q: %q, %v %s", line, text, sameName, err, diff)
		}
		if len(text) != len(line) || !strings.HasSuffix(line, " "+name) {
			t.Errorf("%q printed %q", line, text)
		}
		for _, fact := range facts {
			if fact.Name == "" || fact.Name != strings.ToLower(fact.Name) || strings.ContainsAny(fact.Name+fact.Value, "; \r\n\x00") {
				t.Errorf("%q: fact %+v", line, fact)
			}
		}
	})
}

func FuzzUnquoteName(f *testing.F) {
	for _, text := range []string{`"/" is current`, `"/a""b"`, `""`, `"""`, `""""`, "x", `x "a`, "\"\xff\""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, err := ftp.UnquoteName(text)
		if wantParsed(t, err) && !strings.Contains(text, ftp.QuoteName(name)) {
			t.Errorf("%q gives %q", text, name)
		}
		for _, name := range []string{name, text} {
			if again, err := ftp.UnquoteName("name is " + ftp.QuoteName(name) + " now"); err != nil || again != name {
				t.Errorf("%q became %q, %v", name, again, err)
			}
		}
	})
}

func FuzzParseTime(f *testing.F) {
	for _, text := range []string{"19980615100045.014", "20161231235960", "99991231235960", "00000101000000", "20200101000000.", "20200101000000." + nines(18)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ftp.ParseTime(text)
		if !wantParsed(t, err) {
			return
		}
		printed := ftp.FormatTime(got)
		again, err := ftp.ParseTime(printed)
		if err != nil || !again.Equal(got.Truncate(time.Second)) || got.Location() != time.UTC {
			t.Errorf("%q is %v, printed %q is %v, %v", text, got, printed, again, err)
		}
		if printed != text[:14] && !strings.HasPrefix(text[8:], "235960") {
			t.Errorf("%q printed %q", text, printed)
		}
		if _, frac, ok := strings.Cut(text, "."); ok {
			frac = (frac + "000000000")[:9]
			if want := fmt.Sprintf("%09d", got.Nanosecond()); want != frac {
				t.Errorf("%q has %s nanoseconds", text, want)
			}
		}
	})
}
