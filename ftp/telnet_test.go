package ftp_test

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/ftpconform/ftpconform/ftp"
)

func TestTelnetDecode(t *testing.T) {
	t.Parallel()
	// \xff is IAC, \xfe DONT, \xfd DO, \xfc WONT, \xfb WILL, \xf4 IP, \xf2 DM.
	tests := []struct{ name, in, text, answer string }{
		{"nothing", "", "", ""},
		{"plain command", "NOOP\r\n", "NOOP\r\n", ""},
		{"all of ASCII but CR and NUL", " !~\x01\x7f\n", " !~\x01\x7f\n", ""},
		{"UTF-8 name", "MKD naïve\r\n", "MKD naïve\r\n", ""},
		{"DO is declined", "\xff\xfd\x01NOOP\r\n", "NOOP\r\n", "\xff\xfc\x01"},
		{"WILL is declined", "\xff\xfb\x03NOOP\r\n", "NOOP\r\n", "\xff\xfe\x03"},
		{"WONT and DONT are not answered", "\xff\xfc\x01\xff\xfe\x01NOOP\r\n", "NOOP\r\n", ""},
		{"two options in a command", "NO\xff\xfd\x01O\xff\xfb\x03P\r\n", "NOOP\r\n", "\xff\xfc\x01\xff\xfe\x03"},
		{"option 255", "\xff\xfd\xffNOOP", "NOOP", "\xff\xfc\xff"},
		{"option 0 after CR", "a\r\xff\xfd\x00\nb", "a\r\nb", "\xff\xfc\x00"},
		{"doubled IAC", "MKD a\xff\xffb\r\n", "MKD a\xffb\r\n", ""},
		{"twice doubled IAC", "\xff\xff\xff\xff", "\xff\xff", ""},
		{"IP and Synch", "\xff\xf4\xff\xf2ABOR\r\n", "ABOR\r\n", ""},
		{"Synch alone", "\xff\xf2STAT\r\n", "STAT\r\n", ""},
		{"DM without its IAC, taken out of line", "\xff\xf4\xf2ABOR\r\n", "ABOR\r\n", ""},
		{"IAC without its DM, taken out of line", "\xff\xf4\xffABOR\r\n", "ABOR\r\n", ""},
		{"both taken out of line", "\xff\xf4ABOR\r\n", "ABOR\r\n", ""},
		{"two DMs after IP: one is text", "\xff\xf4\xf2\xf2A", "\xf2A", ""},
		{"octet 242 elsewhere is text", "MKD \xf2\r\n", "MKD \xf2\r\n", ""},
		{"octets 240 to 254 without IAC are text", "\xf0\xf4\xfb\xfd\xfe", "\xf0\xf4\xfb\xfd\xfe", ""},
		{"other commands vanish", "\xff\xf1\xff\xf3\xff\xf5\xff\xf6\xff\xf9NOOP", "NOOP", ""},
		{"CR NUL is CR", "MKD a\r\x00b\r\n", "MKD a\rb\r\n", ""},
		{"CR CR NUL", "a\r\r\x00b", "a\r\rb", ""},
		{"CR NUL CR NUL", "a\r\x00\r\x00b", "a\r\rb", ""},
		{"CR NUL CR LF", "a\r\x00\r\n", "a\r\r\n", ""},
		{"only one NUL goes", "a\r\x00\x00b", "a\r\x00b", ""},
		{"NUL elsewhere is text", "a\x00b", "a\x00b", ""},
		{"CR NUL LF is no line end", "MKD a\r\x00\nDELE b\r\n", "MKD a\r\x00\nDELE b\r\n", ""},
		{"nor with a Telnet command inside", "a\r\xff\xf1\x00\xff\xf1\nb", "a\r\x00\nb", ""},
		{"LF after CR NUL and text", "a\r\x00b\nc", "a\rb\nc", ""},
		{"CR, octet 255, NUL", "a\r\xff\xff\x00b", "a\r\xff\x00b", ""},
		{"CR, Telnet command, NUL", "a\r\xff\xf1\x00b", "a\rb", ""},
		{"IAC and letter, a lost DM", "\xffNOOP", "NOOP", ""},
		{"IAC and CR", "NOOP\xff\r\n", "NOOP\r\n", ""},
		{"ends after IAC", "NOOP\xff", "NOOP", ""},
		{"ends after DO", "NOOP\xff\xfd", "NOOP", ""},
		{"ends after IP", "NOOP\xff\xf4", "NOOP", ""},
		{"ends after CR NUL", "NOOP\r\x00", "NOOP\r", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var all ftp.Telnet
			text, answer := all.Decode([]byte(tt.in))
			if string(text) != tt.text || string(answer) != tt.answer {
				t.Errorf("%q: text %q, answer %q, want %q, %q", tt.in, text, answer, tt.text, tt.answer)
			}
			for cut := range len(tt.in) {
				var two ftp.Telnet
				text, answer := decodeCut(&two, []byte(tt.in), cut)
				if string(text) != tt.text || string(answer) != tt.answer {
					t.Errorf("%q cut at %d: text %q, answer %q", tt.in, cut, text, answer)
				}
			}
		})
	}
}

// decodeCut decodes p in two or more parts that end at the cuts.
func decodeCut(tn *ftp.Telnet, p []byte, cuts ...int) (text, answer []byte) {
	from := 0
	for _, to := range append(cuts, len(p)) {
		part, reply := tn.Decode(p[from:to])
		text, answer, from = append(text, part...), append(answer, reply...), to
	}
	return text, answer
}

func TestTelnetKeepsItsInput(t *testing.T) {
	t.Parallel()
	in := []byte("a\xff\xff\r\x00b")
	before := bytes.Clone(in)
	var tn ftp.Telnet
	text, _ := tn.Decode(in)
	for i := range text {
		text[i] = 'x'
	}
	if !bytes.Equal(in, before) {
		t.Errorf("input became %q", in)
	}
}

// quoteTelnet writes a pathname the way a client has to: octet 255 doubled,
// CR followed by NUL (RFC 2640 section 3.1, RFC 3659 section 2.2).
func quoteTelnet(name []byte) []byte {
	name = bytes.ReplaceAll(name, []byte{ftp.IAC}, []byte{ftp.IAC, ftp.IAC})
	return bytes.ReplaceAll(name, []byte("\r"), []byte("\r\x00"))
}

func TestTelnetRoundTrip(t *testing.T) {
	t.Parallel()
	octet := rapid.OneOf(rapid.SampledFrom([]byte{ftp.IAC, ftp.DM, ftp.IP, ftp.DO, '\r', 0, 'a'}), rapid.Byte())
	rapid.Check(t, func(t *rapid.T) {
		name := bytes.ReplaceAll(rapid.SliceOf(octet).Draw(t, "name"), []byte("\n"), nil)
		var tn ftp.Telnet
		text, answer := tn.Decode(append(quoteTelnet(name), "\r\n"...))
		if want := string(name) + "\r\n"; string(text) != want || len(answer) > 0 {
			t.Fatalf("%q became %q, answer %q", want, text, answer)
		}
	})
}

func ExampleTelnet_Decode() {
	var tn ftp.Telnet
	for _, segment := range []string{"\xff\xfd\x01\xff\xf4\xff", "\xf2ABOR\r\n"} {
		text, answer := tn.Decode([]byte(segment))
		fmt.Printf("%q %v\n", text, answer)
	}
	// Output:
	// "" [255 252 1]
	// "ABOR\r\n" []
}

func FuzzTelnet(f *testing.F) {
	for _, in := range []string{"NOOP\r\n", "\xff\xfd\x01\xff\xfb\x03", "\xff\xf4\xff\xf2ABOR\r\n", "\xff\xf4\xf2ABOR", "a\xff\xffb",
		"a\r\x00\nb", "a\r\xff\xff\x00", "\xff\xfa\x18\x00\xff\xf0"} {
		f.Add([]byte(in), uint(1), uint(3))
	}
	f.Fuzz(func(t *testing.T, in []byte, a, b uint) {
		before := bytes.Clone(in)
		var all, some, single ftp.Telnet
		text, answer := all.Decode(in)
		if !bytes.Equal(in, before) {
			t.Fatal("the input was changed")
		}
		n := uint(len(in)) + 1
		text2, answer2 := decodeCut(&some, in, int(min(a%n, b%n)), int(max(a%n, b%n)))
		var text1, answer1 []byte
		for i := range in {
			x, y := single.Decode(in[i : i+1])
			text1, answer1 = append(text1, x...), append(answer1, y...)
		}
		if !bytes.Equal(text, text1) || !bytes.Equal(text, text2) || !bytes.Equal(answer, answer1) || !bytes.Equal(answer, answer2) {
			t.Errorf("%q: %q, %q, %q, answers %q, %q, %q", in, text, text1, text2, answer, answer1, answer2)
		}
		if len(text)+len(answer) > len(in) {
			t.Errorf("%q grew into %q, answer %q", in, text, answer)
		}
		for i := 0; i < len(answer); i += 3 {
			if answer[i] != ftp.IAC || answer[i+1] != ftp.WONT && answer[i+1] != ftp.DONT {
				t.Fatalf("answer %q", answer)
			}
		}
		var again ftp.Telnet
		clean := bytes.ReplaceAll(text, []byte("\n"), nil)
		if got, _ := again.Decode(quoteTelnet(clean)); !bytes.Equal(got, clean) {
			t.Errorf("%q became %q", clean, got)
		}
		// A quoted name holds no line end, whatever it is made of.
		var third ftp.Telnet
		if got, _ := third.Decode(quoteTelnet(in)); bytes.Contains(got, []byte("\r\n")) {
			t.Errorf("a line end in %q, from %q", got, quoteTelnet(in))
		}
	})
}
