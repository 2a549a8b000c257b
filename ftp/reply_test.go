package ftp_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ftpconform/ftpconform/ftp"
)

// lines cuts a wire text at its CR LF pairs.
func lines(wire string) []string {
	return strings.Split(strings.TrimSuffix(wire, "\r\n"), "\r\n")
}

// readOne feeds lines of which only the last may finish a reply.
func readOne(tb testing.TB, in []string) ftp.Reply {
	tb.Helper()
	var r ftp.ReplyReader
	for i, line := range in {
		reply, done, err := r.Add(line)
		if err != nil {
			tb.Fatalf("line %d, %.40q: %v", i, line, err)
		}
		if done != (i == len(in)-1) || r.Open() == done {
			tb.Fatalf("line %d, %.40q: done %v, open %v", i, line, done, r.Open())
		}
		if done {
			return reply
		}
	}
	tb.Fatal("no lines")
	return ftp.Reply{}
}

func TestReplyReader(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, wire string
		want       ftp.Reply
	}{
		{"one line", "200 OK", ftp.Reply{Code: 200, Lines: []string{"OK"}}},
		{"code and space", "200 ", ftp.Reply{Code: 200, Lines: []string{""}}},
		{"code and nothing", "220", ftp.Reply{Code: 220, Lines: []string{""}}},
		{"two spaces", "200  x ", ftp.Reply{Code: 200, Lines: []string{" x "}}},
		{"lowest code", "100 a", ftp.Reply{Code: 100, Lines: []string{"a"}}},
		{"protected reply", "699 a", ftp.Reply{Code: 699, Lines: []string{"a"}}},
		{"text is not UTF-8", "220 \xff\xfe", ftp.Reply{Code: 220, Lines: []string{"\xff\xfe"}}},
		{"two lines", "220-a\r\n220 b", ftp.Reply{Code: 220, Lines: []string{"a", "b"}}},
		{"terminator without text", "220-a\r\n220", ftp.Reply{Code: 220, Lines: []string{"a", ""}}},
		{"terminator with a space only", "220-a\r\n220 ", ftp.Reply{Code: 220, Lines: []string{"a", ""}}},
		{"opener without text", "211-\r\n211 End", ftp.Reply{Code: 211, Lines: []string{"", "End"}}},
		{"features", "211-Features:\r\n EPSV\r\n SIZE\r\n211 End",
			ftp.Reply{Code: 211, Lines: []string{"Features:", " EPSV", " SIZE", "End"}}},
		{"empty inner line", "211-a\r\n\r\n211 b", ftp.Reply{Code: 211, Lines: []string{"a", "", "b"}}},
		{"inner line with the code and a hyphen", "220-a\r\n220-b\r\n220 c",
			ftp.Reply{Code: 220, Lines: []string{"a", "220-b", "c"}}},
		{"inner line with another code", "211-a\r\n226 done\r\n211 c",
			ftp.Reply{Code: 211, Lines: []string{"a", "226 done", "c"}}},
		{"inner line with another bare code", "211-a\r\n226\r\n211 c",
			ftp.Reply{Code: 211, Lines: []string{"a", "226", "c"}}},
		{"inner opener of another reply", "211-a\r\n213-x\r\n213 y\r\n211 c",
			ftp.Reply{Code: 211, Lines: []string{"a", "213-x", "213 y", "c"}}},
		{"inner line with four digits", "211-a\r\n2110 b\r\n211 c",
			ftp.Reply{Code: 211, Lines: []string{"a", "2110 b", "c"}}},
		{"inner line with the code and a tab", "211-a\r\n211\tb\r\n211 c",
			ftp.Reply{Code: 211, Lines: []string{"a", "211\tb", "c"}}},
		{"offset code", "211-a\r\n 211 b\r\n211 c", ftp.Reply{Code: 211, Lines: []string{"a", " 211 b", "c"}}},
		{"greeting of several lines with digits", "220-Welcome\r\n1999 was a year\r\n220 ready",
			ftp.Reply{Code: 220, Lines: []string{"Welcome", "1999 was a year", "ready"}}},
		{"227 over two lines", "227-Hello\r\n227 Entering Passive Mode (218,63,1,100,195,81)",
			ftp.Reply{Code: 227, Lines: []string{"Hello", "Entering Passive Mode (218,63,1,100,195,81)"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := readOne(t, lines(tt.wire))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			wire := string(got.Bytes())
			if again := readOne(t, lines(wire)); string(again.Bytes()) != wire {
				t.Errorf("%q is printed again as %q", wire, again.Bytes())
			}
		})
	}
}

func TestReplyReaderIllegal(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"nothing":              "",
		"two digits":           "22",
		"text":                 "OK",
		"space first":          " 220 hi",
		"letter in the code":   "2O0 ok",
		"code 000":             "000 a",
		"code 099":             "099 a",
		"code 700":             "700 a",
		"code 999":             "999 a",
		"four digits":          "2200 a",
		"tab after the code":   "220\tOK",
		"colon after the code": "220: OK",
		"CR after the code":    "220\r",
		"digits outside ASCII": "٢٢٠ hi",
		"Telnet command first": "\xff\xfb\x01220 hi",
		"minus sign":           "-20 a",
		"line above the limit": "220 " + strings.Repeat("x", ftp.MaxReplyLine-3),
		"HTTP answer":          "HTTP/1.1 400 Bad Request",
		"greeting of SSH":      "SSH-2.0-x",
		"comma after the code": "220,ready",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var r ftp.ReplyReader
			reply, done, err := r.Add(line)
			wantSyntax(t, err)
			if done || r.Open() || reply.Code != 0 {
				t.Errorf("done %v, open %v, reply %+v beside the error", done, r.Open(), reply)
			}
			if reply, done, err := r.Add("200 OK"); err != nil || !done || reply.Code != 200 {
				t.Errorf("next line: %v, %v, %v", reply, done, err)
			}
		})
	}
}

func TestReplyReaderLimits(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", ftp.MaxReplyLine)
	tests := []struct {
		name  string
		line  string // repeated between opener and terminator
		times int
		ok    bool
	}{
		{"longest line", long, 1, true},
		{"line too long", long + "x", 1, false},
		{"most lines", "", ftp.MaxReplyLines - 2, true},
		{"a line too many", "", ftp.MaxReplyLines - 1, false},
		{"largest reply", long[:ftp.MaxReplyLine-1], 64, true},
		{"reply too large", long, 64, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var r ftp.ReplyReader
			in := slices.Concat([]string{"211-"}, slices.Repeat([]string{tt.line}, tt.times), []string{"211 "})
			for i, line := range in {
				reply, done, err := r.Add(line)
				switch {
				case err != nil && tt.ok:
					t.Fatalf("line %d: %v", i, err)
				case err != nil:
					wantSyntax(t, err)
					if r.Open() {
						t.Error("still open after the error")
					}
					return
				case done && (len(reply.Lines) != len(in) || len(reply.Lines) > ftp.MaxReplyLines):
					t.Errorf("%d lines, want %d", len(reply.Lines), len(in))
				}
			}
			if !tt.ok {
				t.Error("accepted")
			}
		})
	}
}

func TestReplyReaderStartsAfresh(t *testing.T) {
	t.Parallel()
	var r ftp.ReplyReader
	var got []string
	for _, line := range []string{"220-a", "b", "220 c", "200 d", "bad", "211-e", strings.Repeat("x", ftp.MaxReplyLine+1), "150 f", "226 g"} {
		reply, done, err := r.Add(line)
		switch {
		case err != nil:
			got = append(got, "error")
		case done:
			got = append(got, reply.String())
		}
	}
	want := []string{"220-a (3 lines)", "200 d", "error", "error", "150 f", "226 g"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReplyKeepsItsLines(t *testing.T) {
	t.Parallel()
	var r ftp.ReplyReader
	mustAdd := func(line string) ftp.Reply {
		reply, _, err := r.Add(line)
		if err != nil {
			t.Fatal(err)
		}
		return reply
	}
	mustAdd("220-a")
	first := mustAdd("220 b")
	mustAdd("211-c")
	mustAdd("211 d")
	if diff := cmp.Diff([]string{"a", "b"}, first.Lines); diff != "" {
		t.Errorf("a later reply changed an earlier one: %s", diff)
	}
}

func TestReplyClasses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		code                            int
		preliminary, positive, negative bool
	}{
		{110, true, false, false}, {150, true, false, false}, {226, false, true, false}, {331, false, false, false},
		{425, false, false, true}, {550, false, false, true}, {631, false, false, false},
	} {
		r := ftp.Reply{Code: tt.code}
		if r.Class() != tt.code/100 || r.Preliminary() != tt.preliminary || r.Positive() != tt.positive || r.Negative() != tt.negative {
			t.Errorf("%d: class %d, %v, %v, %v", tt.code, r.Class(), r.Preliminary(), r.Positive(), r.Negative())
		}
		if !r.In(1, tt.code) || r.In() || r.In(1, 2) {
			t.Errorf("%d: In", tt.code)
		}
	}
}

func TestReplyPrinting(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		reply        ftp.Reply
		wire, quoted string
	}{
		{"no lines", ftp.Reply{Code: 200}, "200 \r\n", "200"},
		{"one line", ftp.Reply{Code: 425, Lines: []string{"No."}}, "425 No.\r\n", "425 No."},
		{"two lines", ftp.Reply{Code: 211, Lines: []string{"a", "b"}}, "211-a\r\n211 b\r\n", "211-a (2 lines)"},
		{"inner code is offset", ftp.Reply{Code: 213, Lines: []string{"s", "213 x", "211-y", "999", "12 z", "e"}},
			"213-s\r\n 213 x\r\n 211-y\r\n 999\r\n12 z\r\n213 e\r\n", "213-s (6 lines)"},
		{"first and last are not offset", ftp.Reply{Code: 213, Lines: []string{"213 x", "213 y"}},
			"213-213 x\r\n213 213 y\r\n", "213-213 x (2 lines)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := string(tt.reply.Bytes()); got != tt.wire {
				t.Errorf("wire %q, want %q", got, tt.wire)
			}
			if got := tt.reply.String(); got != tt.quoted {
				t.Errorf("quoted %q, want %q", got, tt.quoted)
			}
			err := fmt.Errorf("RETR: %w", &ftp.ReplyError{Reply: tt.reply})
			var back *ftp.ReplyError
			if !errors.As(err, &back) || back.Reply.Code != tt.reply.Code || errors.Is(err, io.EOF) {
				t.Errorf("as an error: %v", err)
			}
			if got := back.Error(); got != "ftp: "+tt.quoted {
				t.Errorf("error text %q", got)
			}
		})
	}
}

func TestReplyRoundTrip(t *testing.T) {
	t.Parallel()
	line := rapid.OneOf(rapid.StringMatching(`[ -~]{0,20}`), rapid.StringMatching(`[0-9]{3}[ -][a-z]{0,3}`))
	rapid.Check(t, func(t *rapid.T) {
		want := ftp.Reply{Code: rapid.IntRange(100, 699).Draw(t, "code"), Lines: rapid.SliceOfN(line, 1, 8).Draw(t, "lines")}
		var r ftp.ReplyReader
		in := lines(string(want.Bytes()))
		for i, l := range in {
			got, done, err := r.Add(l)
			if err != nil || done != (i == len(in)-1) {
				t.Fatalf("line %d %q: done %v, %v", i, l, done, err)
			}
			if done && (got.Code != want.Code || len(got.Lines) != len(want.Lines) || string(got.Bytes()) != string(want.Bytes())) {
				t.Fatalf("%+v came back as %+v", want, got)
			}
		}
	})
}

func ExampleReplyReader() {
	var r ftp.ReplyReader
	for _, line := range []string{"150 Here it comes.", "211-Features:", " EPSV", "226 is not the end", "211 End"} {
		reply, done, err := r.Add(line)
		if done {
			fmt.Println(reply.String(), err)
		}
	}
	// Output:
	// 150 Here it comes. <nil>
	// 211-Features: (4 lines) <nil>
}

func ExampleReply_Bytes() {
	r := ftp.Reply{Code: 213, Lines: []string{"Status of /pub:", "213 x", "End"}}
	fmt.Printf("%q\n", r.Bytes())
	// Output: "213-Status of /pub:\r\n 213 x\r\n213 End\r\n"
}

// FuzzReplyReader feeds the lines of a text, and its last line again and again
// to reach the limits.
func FuzzReplyReader(f *testing.F) {
	for _, text := range []string{"220 hi", "220", "220-a\n220", "211-a\n b\n226 c\n211 d", "211-a\n\n", "22", "700 x", "220-\n220-\n220 \n150 x\n226"} {
		f.Add(text, uint16(0))
	}
	f.Add("211-a\nb", uint16(65535))
	f.Fuzz(func(t *testing.T, text string, times uint16) {
		in := strings.Split(text, "\n")
		var r ftp.ReplyReader
		var held, octets int // what the reader may hold
		for i := range len(in) + int(times) {
			line := in[min(i, len(in)-1)]
			reply, done, err := r.Add(line)
			held, octets = held+1, octets+len(line)
			if err != nil {
				wantSyntax(t, err)
			}
			if r.Open() == (done || err != nil) || done && err != nil {
				t.Fatalf("%q: done %v, open %v, %v", line, done, r.Open(), err)
			}
			if held > ftp.MaxReplyLines && err == nil || octets > ftp.MaxReply && err == nil {
				t.Fatalf("holds %d lines and %d octets", held, octets)
			}
			if done {
				checkReply(t, reply, held)
			}
			if !r.Open() {
				held, octets = 0, 0
			}
		}
	})
}

func checkReply(t *testing.T, reply ftp.Reply, held int) {
	t.Helper()
	if reply.Code < 100 || reply.Code > 699 || len(reply.Lines) != held {
		t.Fatalf("%s from %d lines", reply, held)
	}
	if held > 1000 {
		return // printing it again would only take time
	}
	wire := string(reply.Bytes())
	again := readOne(t, lines(wire))
	if again.Code != reply.Code || len(again.Lines) != held || again.Text() != reply.Text() || string(again.Bytes()) != wire {
		t.Errorf("%+v comes back as %+v", reply, again)
	}
}
