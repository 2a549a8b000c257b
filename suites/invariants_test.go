package suites_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ftpconform/ftpconform/ftp"
	"github.com/ftpconform/ftpconform/suites"
)

// turn makes a turn of a command with its replies, preliminary ones first.
func turn(line string, replies ...ftp.Reply) suites.Turn {
	verb, _, _ := strings.Cut(line, " ")
	t := suites.Turn{Verb: verb, Line: line}
	for _, r := range replies {
		if r.Preliminary() {
			t.Preliminary = append(t.Preliminary, suites.Received{Reply: r})
			continue
		}
		t.Final = suites.Received{Reply: r}
	}
	return t
}

func reply(code int, lines ...string) ftp.Reply { return ftp.Reply{Code: code, Lines: lines} }

// wire splits what a server has sent into raw lines.
func wire(s string) suites.Dialogue {
	return suites.Dialogue{Lines: slices.Collect(strings.Lines(s))}
}

func said(turns ...suites.Turn) suites.Dialogue { return suites.Dialogue{Turns: turns} }

// TestInvariants shows each invariant dialogues that keep and that break it.
func TestInvariants(t *testing.T) {
	t.Parallel()
	login := turn("PASS ****", reply(230, "in"))
	const kept, remark, broken = "kept", "remark", "broken"
	for _, tt := range []struct {
		check, name string
		dialogue    suites.Dialogue
		want        string
	}{
		{"reply-grammar", "plain", wire("220 hi\r\n200 ok\r\n"), kept},
		{"reply-grammar", "multi-line with anything inside", wire("214-help\r\n\r\n999\r\n214x\r\n 214 no\r\n214 end\r\n200 ok\r\n"), kept},
		{"reply-grammar", "cut off by the end of the connection", wire("220 hi\r\n22"), kept},
		{"reply-grammar", "answers to Telnet options", wire("\xff\xfc\x01\xff\xfe\x03200 ok\r\n"), kept},
		{"reply-grammar", "bare LF", wire("220 hi\n"), broken},
		{"reply-grammar", "bare LF inside", wire("214-help\r\nUSER\n214 end\r\n"), broken},
		{"reply-grammar", "no code", wire("220 hi\r\nhello\r\n"), broken},
		{"reply-grammar", "no separator", wire("220hi\r\n"), broken},
		{"reply-grammar", "code alone", wire("220\r\n"), broken},

		{"reply-digits", "all in range", wire("150 a\r\n257 b\r\n350 c\r\n421 d\r\n553 e\r\n"), kept},
		{"reply-digits", "inner lines do not count", wire("211-a\r\n999 b\r\n211 c\r\n"), kept},
		{"reply-digits", "second digit", wire("260 a\r\n"), broken},
		{"reply-digits", "first digit", wire("720 a\r\n"), broken},
		{"reply-digits", "6yz without AUTH", wire("631 a\r\n"), broken},
		{"reply-digits", "6yz after AUTH", suites.Dialogue{Turns: []suites.Turn{turn("AUTH GSSAPI", reply(334, ""))}, Lines: []string{"631 a\r\n"}}, kept},

		{"reply-no-nesting", "own code inside", wire("211-a\r\n211-b\r\n211 c\r\n"), kept},
		{"reply-no-nesting", "opener without end", wire("211-a\r\n213-b\r\n211 c\r\n"), kept},
		{"reply-no-nesting", "a reply inside", wire("211-a\r\n213-b\r\n213 c\r\n211 d\r\n"), broken},

		{"reply-one-preliminary", "one", said(turn("RETR f", reply(150, ""), reply(226, ""))), kept},
		{"reply-one-preliminary", "markers", said(turn("RETR f", reply(150, ""), reply(110, "MARK 1 = 1"), reply(110, "MARK 2 = 2"), reply(226, ""))), kept},
		{"reply-one-preliminary", "two", said(turn("RETR f", reply(150, ""), reply(125, ""), reply(226, ""))), broken},

		{"reply-no-stray-preliminary", "REIN", said(turn("REIN", reply(120, ""), reply(220, ""))), kept},
		{"reply-no-stray-preliminary", "that of a transfer", said(turn("STAT", reply(150, ""), reply(211, "")), turn("RETR f", reply(226, ""))), kept},
		{"reply-no-stray-preliminary", "HELP", said(turn("HELP", reply(150, ""), reply(214, ""))), broken},
		{"reply-no-stray-preliminary", "after silence", said(turn("HELP"), turn("HELP", reply(150, ""), reply(214, ""))), kept},

		{"reply-known-codes", "listed", said(login, turn("PWD", reply(257, `"/"`)), turn("CDUP", reply(250, ""))), kept},
		{"reply-known-codes", "unlisted", said(login, turn("PWD", reply(250, ""))), remark},
		{"reply-known-codes", "of a kind that cannot be", said(login, turn("PWD", reply(350, ""))), broken},
		{"reply-known-codes", "before login", said(turn("PWD", reply(503, ""))), kept},
		{"reply-known-codes", "an extension", said(login, turn("MFMT 1 f", reply(213, ""))), kept},
		{"reply-known-codes", "an unknown verb", said(login, turn("ZZZZ", reply(500, "")), turn("ZZZZ", reply(502, ""))), kept},
		{"reply-known-codes", "an odd refusal of one", said(login, turn("ZZZZ", reply(553, ""))), remark},
		{"reply-known-codes", "the last NOOP", said(login, turn("NOOP", reply(226, ""))), kept},
		{"reply-known-codes", "a NOOP before", said(login, turn("NOOP", reply(250, "")), turn("PWD", reply(257, ""))), remark},

		{"reply-ascii", "ASCII", said(turn("SYST", reply(215, "UNIX Type: L8"))), kept},
		{"reply-ascii", "UTF-8", said(turn("SYST", reply(215, "Gr\u00fc\u00dfe"))), remark},
		{"reply-ascii", "Latin-1", said(turn("SYST", reply(215, "Gr\xfc\xdfe"))), broken},
		{"reply-ascii", "control characters", said(turn("SYST", reply(215, "\x1b[1mUNIX"))), remark},
		{"reply-ascii", "a quoted name", said(turn("PWD", reply(257, "\"/\xfc\""))), kept},
		{"reply-ascii", "a listing", said(turn("STAT .", reply(213, "begin", "\xfc", "end"))), kept},
		{"reply-ascii", "the frame of a listing", said(turn("STAT .", reply(213, "begin", "x", "\xfc"))), broken},
		{"reply-ascii", "a name of the client's", said(turn("DELE \xfc", reply(550, "\xfc: no such file"))), kept},

		{"port-reply-codes", "listed", said(turn("PORT 1,2,3,4,5,6", reply(504, ""))), kept},
		{"port-reply-codes", "policy", said(turn("PORT 1,2,3,4,5,6", reply(550, ""))), remark},
		{"port-reply-codes", "wrong success", said(turn("PORT 1,2,3,4,5,6", reply(250, ""))), broken},
		{"pasv-reply-codes", "no port", said(turn("PASV", reply(425, ""))), kept},
		{"pasv-reply-codes", "unlisted", said(turn("PASV", reply(550, ""))), broken},
		{"epsv-reply-codes", "success", said(turn("EPSV ALL", reply(220, ""))), kept},
		{"epsv-reply-codes", "family", said(turn("EPSV 9", reply(522, ""))), kept},
		{"epsv-reply-codes", "unlisted", said(turn("EPSV", reply(504, ""))), broken},
	} {
		t.Run(tt.check+"/"+tt.name, func(t *testing.T) {
			t.Parallel()
			found := suites.FindCheck(tt.check)[0].Watch(&tt.dialogue)
			got := kept
			for _, v := range found {
				if got = remark; !v.Remark {
					got = broken
					break
				}
			}
			if got != tt.want {
				t.Errorf("got %s, want %s: %+v", got, tt.want, found)
			}
		})
	}
}
