package ftp_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ftpconform/ftpconform/ftp"
)

func TestParseCommand(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, line string
		want       ftp.Command
	}{
		{"verb alone", "PASV", ftp.Command{Verb: "PASV"}},
		{"three letters", "MKD a", ftp.Command{Verb: "MKD", Arg: "a", HasArg: true}},
		{"lower case", "noop", ftp.Command{Verb: "NOOP"}},
		{"mixed case keeps the argument", "tYpE i", ftp.Command{Verb: "TYPE", Arg: "i", HasArg: true}},
		{"space makes an empty argument", "STAT ", ftp.Command{Verb: "STAT", HasArg: true}},
		{"further spaces belong to the name", "STOR   a b ", ftp.Command{Verb: "STOR", Arg: "  a b ", HasArg: true}},
		{"tab inside the argument", "CWD a\tb", ftp.Command{Verb: "CWD", Arg: "a\tb", HasArg: true}},
		{"CR inside the argument", "MKD a\rb", ftp.Command{Verb: "MKD", Arg: "a\rb", HasArg: true}},
		{"octet 255 in the argument", "MKD \xff\xfe", ftp.Command{Verb: "MKD", Arg: "\xff\xfe", HasArg: true}},
		{"UTF-8 argument", "RETR naïve", ftp.Command{Verb: "RETR", Arg: "naïve", HasArg: true}},
		{"hyphen and digit in the verb", "X-MD5 f", ftp.Command{Verb: "X-MD5", Arg: "f", HasArg: true}},
		{"one letter", "X", ftp.Command{Verb: "X"}},
		{"eight letters", "ABCDEFGH", ftp.Command{Verb: "ABCDEFGH"}},
		{"verb that merely begins with PORT", "PORTAL 1", ftp.Command{Verb: "PORTAL", Arg: "1", HasArg: true}},
		{"longest line", "NOOP " + strings.Repeat("x", ftp.MaxCommandLine-5),
			ftp.Command{Verb: "NOOP", Arg: strings.Repeat("x", ftp.MaxCommandLine-5), HasArg: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := ftp.ParseCommand([]byte(tt.line))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			again, err := ftp.ParseCommand([]byte(got.String()))
			if err != nil || again != got {
				t.Errorf("parsed again from %.40q: %+v, %v", got.String(), again, err)
			}
		})
	}
}

func TestParseCommandIllegal(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"nothing":                "",
		"space first":            " NOOP",
		"space alone":            " ",
		"nine letters":           "ABCDEFGHI",
		"digit first":            "1ABC",
		"hyphen first":           "-ABC",
		"tab in place of space":  "TYPE\tI",
		"CR after the verb":      "NOOP\r",
		"NUL in the verb":        "NO\x00OP",
		"Telnet in the verb":     "\xff\xf4\xff\xf2ABOR",
		"byte order mark":        "\ufeffNOOP",
		"letter outside ASCII":   "ÄBOR",
		"small letter dotless i": "sıze f",
		"NUL in the argument":    "MKD a\x00b",
		"LF in the argument":     "MKD a\nb",
		"second command":         "MKD a\r\nDELE b",
		"one octet too many":     "NOOP " + strings.Repeat("x", ftp.MaxCommandLine-4),
		"alias of hidden verbs":  "P@SW",
		"HTTP header":            "Host: ftp.example",
		"colon at the verb":      "USER:anonymous",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ftp.ParseCommand([]byte(line))
			wantSyntax(t, err)
			if got != (ftp.Command{}) {
				t.Errorf("command %+v beside the error", got)
			}
		})
	}
}

func TestParseCommandErrorKeepsSecrets(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"PASS\thunter2", "PASS hunter2\n", "PASS hunter2\x00", ":PASS hunter2",
		"PASSWORD1 hunter2", "PASS hunter2" + strings.Repeat("x", ftp.MaxCommandLine)} {
		if _, err := ftp.ParseCommand([]byte(line)); err == nil || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%.20q: error %v", line, err)
		}
	}
}

func TestCommandRedacted(t *testing.T) {
	t.Parallel()
	tests := []struct {
		cmd  ftp.Command
		want string
	}{
		{ftp.Command{Verb: "PASS", Arg: "secret", HasArg: true}, "PASS ****"},
		{ftp.Command{Verb: "pass", Arg: "secret", HasArg: true}, "pass ****"},
		{ftp.Command{Verb: "PASS", Arg: "secret"}, "PASS ****"},
		{ftp.Command{Verb: "PASS", Arg: " ", HasArg: true}, "PASS ****"},
		{ftp.Command{Verb: "ACCT", Arg: "secret", HasArg: true}, "ACCT ****"},
		{ftp.Command{Verb: "PASS", HasArg: true}, "PASS "},
		{ftp.Command{Verb: "PASS"}, "PASS"},
		{ftp.Command{Verb: "USER", Arg: "anonymous", HasArg: true}, "USER anonymous"},
		{ftp.Command{Verb: "PASV"}, "PASV"},
	}
	for _, tt := range tests {
		if got := tt.cmd.Redacted(); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.cmd, got, tt.want)
		}
	}
}

func TestCommandRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := ftp.Command{
			Verb:   rapid.StringMatching(`[A-Z][A-Z0-9-]{0,7}`).Draw(t, "verb"),
			HasArg: rapid.Bool().Draw(t, "has argument"),
		}
		if want.HasArg {
			arg := rapid.SliceOfN(rapid.Byte(), 0, 64).Draw(t, "argument")
			want.Arg = strings.NewReplacer("\n", "", "\x00", "").Replace(string(arg))
		}
		got, err := ftp.ParseCommand([]byte(want.String()))
		if err != nil || got != want {
			t.Fatalf("%q: %+v, %v", want.String(), got, err)
		}
	})
}

func ExampleParseCommand() {
	cmd, err := ftp.ParseCommand([]byte("stor  two leading spaces"))
	fmt.Printf("%s %q %v\n", cmd.Verb, cmd.Arg, err)
	_, err = ftp.ParseCommand([]byte("TYPE\tI"))
	fmt.Println(err)
	// Output:
	// STOR " two leading spaces" <nil>
	// ftp: syntax error: octet 0x09 in the verb
}

func ExampleCommand_Redacted() {
	cmd, _ := ftp.ParseCommand([]byte("PASS secret"))
	fmt.Println(cmd.Redacted())
	// Output: PASS ****
}

func FuzzParseCommand(f *testing.F) {
	for _, line := range []string{"NOOP", "stat ", "PORT 127,0,0,1,4,1", "MKD a\rb", "MKD \xff", "PASS x", "", " ", "A\x00"} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		before := bytes.Clone(line)
		cmd, err := ftp.ParseCommand(line)
		if !bytes.Equal(line, before) {
			t.Fatal("the line was changed")
		}
		if !wantParsed(t, err) {
			return
		}
		if len(line) > ftp.MaxCommandLine || cmd.Verb == "" || cmd.Verb != strings.ToUpper(cmd.Verb) {
			t.Errorf("%q gives %+v", line, cmd)
		}
		if !strings.EqualFold(cmd.String(), string(line)) || !strings.HasSuffix(string(line), cmd.Arg) {
			t.Errorf("%q prints as %q", line, cmd)
		}
		if strings.ContainsAny(cmd.Arg, "\n\x00") || cmd.Arg != "" && !cmd.HasArg {
			t.Errorf("%q gives %+v", line, cmd)
		}
		if again, err := ftp.ParseCommand([]byte(cmd.String())); err != nil || again != cmd {
			t.Errorf("%q parsed again: %+v, %v", cmd, again, err)
		}
		if (cmd.Verb == "PASS" || cmd.Verb == "ACCT") && cmd.Arg != "" && cmd.Redacted() != cmd.Verb+" ****" {
			t.Errorf("redacted: %q", cmd.Redacted())
		}
	})
}
