package ftp_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ftpconform/ftpconform/ftp"
)

// passiveText is the text of a 227, 228 or 229 reply and what it has to mean:
// odd lists a word of each oddity, in order; without an endpoint it is illegal.
type passiveText struct {
	name, text string
	endpoint   string // the port alone for 229
	odd        []string
}

func (p passiveText) check(t *testing.T, got string, odd ftp.Oddities, err error) {
	t.Helper()
	if p.endpoint == "" {
		wantSyntax(t, err)
		if len(odd) > 0 {
			t.Errorf("oddities %q beside the error", odd)
		}
		return
	}
	if err != nil || got != p.endpoint || len(odd) != len(p.odd) {
		t.Fatalf("%q: %s, %q, %v, want %s, %q", p.text, got, odd, err, p.endpoint, p.odd)
	}
	for i, word := range p.odd {
		if !strings.Contains(odd[i], word) {
			t.Errorf("oddity %q, want one about %q", odd[i], word)
		}
	}
}

const bare, unopened, unclosed, behind, zeros = "without parentheses", "no opening", "no closing", "after the", "leading zeros"

var pasvTexts = []passiveText{
	{"the reply list of the document", "Entering Passive Mode (132,235,1,2,24,131)", "132.235.1.2:6275", nil},
	{"vsftpd", "Entering Passive Mode (218,63,1,100,195,81).", "218.63.1.100:50001", nil},
	{"vsftpd on IPv6", "Entering Passive Mode (0,0,0,0,195,81).", "0.0.0.0:50001", nil},
	{"proftpd", "Entering Passive Mode (127,0,0,1,157,108).", "127.0.0.1:40300", nil},
	{"pure-ftpd", "Entering Passive Mode (127,0,0,1,157,107)", "127.0.0.1:40299", nil},
	{"pyftpdlib", "Entering passive mode (127,0,0,1,158,152).", "127.0.0.1:40600", nil},
	{"aioftp", "listen socket created (127,0,0,1,4,1)", "127.0.0.1:1025", nil},
	{"busybox", "PASV ok (127,0,0,1,4,1)", "127.0.0.1:1025", nil},
	{"behind a masquerade", "Entering Passive Mode (10,0,0,2,195,81).", "10.0.0.2:50001", nil},
	{"numbers alone in parentheses", "(127,0,0,1,4,1)", "127.0.0.1:1025", nil},
	{"other parentheses before", "Entering (P)assive mode (127,0,0,1,4,1)", "127.0.0.1:1025", nil},
	{"no space before the parenthesis", "Passive(127,0,0,1,4,1)", "127.0.0.1:1025", nil},
	{"text that is not UTF-8", "Mode passif activ\xe9 (127,0,0,1,4,1)", "127.0.0.1:1025", nil},

	{"figure 3 of the document", "Entering Passive Mode. 127,0,0,1,4,1", "127.0.0.1:1025", []string{bare}},
	{"equals sign", "=218,63,1,100,195,81", "218.63.1.100:50001", []string{bare}},
	{"equals sign and space", "= 1,2,3,4,5,6", "1.2.3.4:1286", []string{bare}},
	{"nothing but the numbers", "1,2,3,4,5,6", "1.2.3.4:1286", []string{bare}},
	{"bare numbers and a full stop", "Entering Passive Mode 1,2,3,4,5,6.", "1.2.3.4:1286", []string{bare}},
	{"bare numbers and text", "1,2,3,4,5,6 is where I listen", "1.2.3.4:1286", []string{bare, behind}},
	{"square brackets", "Passive [1,2,3,4,5,6]", "1.2.3.4:1286", []string{bare, behind}},
	{"no opening parenthesis", "Passive 1,2,3,4,5,6)", "1.2.3.4:1286", []string{unopened}},
	{"space after the opening parenthesis", "Passive ( 1,2,3,4,5,6)", "1.2.3.4:1286", []string{unopened}},
	{"no closing parenthesis", "Passive (1,2,3,4,5,6", "1.2.3.4:1286", []string{unclosed}},
	{"full stop for a closing parenthesis", "Passive (1,2,3,4,5,6.", "1.2.3.4:1286", []string{unclosed}},
	{"space before the closing parenthesis", "Passive (1,2,3,4,5,6 )", "1.2.3.4:1286", []string{unclosed, behind}},
	{"two closing parentheses", "Passive (1,2,3,4,5,6))", "1.2.3.4:1286", []string{behind}},
	{"text behind", "ok (218,63,1,100,195,81). Have fun", "218.63.1.100:50001", []string{behind}},
	{"two full stops", "ok (1,2,3,4,5,6)..", "1.2.3.4:1286", []string{behind}},
	{"CR left behind", "ok (1,2,3,4,5,6)\r", "1.2.3.4:1286", []string{behind}},
	{"second tuple", "ok (1,2,3,4,5,6) (6,5,4,3,2,1)", "1.2.3.4:1286", []string{behind}},
	{"seventh number after a space", "ok (1,2,3,4,5,6, 7)", "1.2.3.4:1286", []string{unclosed, behind}},
	{"comma behind", "ok (1,2,3,4,5,6,)", "1.2.3.4:1286", []string{unclosed, behind}},
	{"letter behind", "ok 1,2,3,4,5,6x", "1.2.3.4:1286", []string{bare, behind}},
	{"padded with zeros", "Entering Passive Mode (218,063,001,100,195,081).", "218.63.1.100:50001", []string{zeros}},
	{"007 is seven", "(127,0,0,007,4,1)", "127.0.0.7:1025", []string{zeros}},
	{"minus sign goes unseen", "(-1,2,3,4,5,6)", "1.2.3.4:1286", []string{unopened}},

	{"nothing", "", "", nil},
	{"no numbers", "Entering Passive Mode", "", nil},
	{"empty parentheses", "Entering Passive Mode ()", "", nil},
	{"goodbye of a real server", "Logout.", "", nil},
	{"three numbers, from an IPv6 address", "Entering Passive Mode (2,233,252)", "", nil},
	{"IPv6 address", "Entering Passive Mode (0:0:0:0:0:0:0:1,219,195)", "", nil},
	{"digit in the text", "Entering IPv4 Passive Mode (127,0,0,1,4,1)", "", nil},
	{"digit behind the code", "2 Entering Passive Mode (127,0,0,1,4,1)", "", nil},
	{"spaces after the commas", "Entering Passive Mode (218, 63, 1, 100, 195, 81)", "", nil},
	{"five numbers", "Entering Passive Mode (127,0,0,1,4)", "", nil},
	{"seven numbers", "Entering Passive Mode (127,0,0,1,4,1,1)", "", nil},
	{"sixteen octets of IPv6", "(32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,5,4,1)", "", nil},
	{"octet 256", "(127,0,0,256,4,1)", "", nil},
	{"port octet 1025", "(127,0,0,1,0,1025)", "", nil},
	{"four digits", "(127,0,0,0001,4,1)", "", nil},
	{"port 0", "(127,0,0,1,0,0)", "", nil},
	{"dots", "(127.0.0.1.4.1)", "", nil},
	{"dotted address", "(127.0.0.1,4,1)", "", nil},
	{"number of thousand digits", "(" + strings.Repeat("9", 1000) + ",0,0,1,4,1)", "", nil},
	{"negative number inside", "(127,-0,0,1,4,1)", "", nil},
	{"digits outside ASCII", "(١٢٧,٠,٠,١,٤,١)", "", nil},
	{"field of 229", "Entering Extended Passive Mode (|||50001|)", "", nil},
	{"a megabyte of text", strings.Repeat("x", 1<<20), "", nil},
}

func TestScanPASVReply(t *testing.T) {
	t.Parallel()
	for _, tt := range pasvTexts {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, odd, err := ftp.ScanPASVReply(tt.text)
			tt.check(t, got.String(), odd, err)
			strict, err := ftp.ParsePASVReply(tt.text)
			if legal := tt.endpoint != "" && tt.odd == nil; legal != (err == nil) || legal && strict != got {
				t.Errorf("strict: %v, %v", strict, err)
			}
		})
	}
}

var epsvTexts = []passiveText{
	{"the example of the document", "Entering Extended Passive Mode (|||6446|)", "6446", nil},
	{"vsftpd", "Entering Extended Passive Mode (|||50005|)", "50005", nil},
	{"aioftp", "listen socket created (|||40299|)", "40299", nil},
	{"busybox", "EPSV ok (|||1025|)", "1025", nil},
	{"field alone", "(|||1|)", "1", nil},
	{"highest port", "ok (|||65535|)", "65535", nil},
	{"digits in the text", "Entering Extended Passive Mode of RFC 2428 (|||50001|)", "50001", nil},
	{"text that is not UTF-8", "\xe9tendu (|||50001|)", "50001", nil},

	{"pyftpdlib", "Entering extended passive mode (|||40600|).", "40600", []string{behind}},
	{"text behind", "ok (|||50001|) have fun", "50001", []string{behind}},
	{"parentheses behind", "ok (|||50001|) (really)", "50001", []string{behind}},
	{"CR left behind", "ok (|||50001|)\r", "50001", []string{behind}},
	{"exclamation marks", "ok (!!!50001!)", "50001", []string{"delimiter '!'"}},
	{"tildes and a full stop", "ok (~~~50001~).", "50001", []string{"delimiter '~'", behind}},
	{"commas", "ok (,,,50001,)", "50001", []string{"delimiter ','"}},
	{"letters", "ok (xxx50001x)", "50001", []string{"delimiter 'x'"}},
	{"closing parentheses", "ok ()))50001))", "50001", []string{`delimiter ')'`}},
	{"opening parentheses", "ok ((((50001()", "50001", []string{`delimiter '('`}},
	{"port with a leading zero", "ok (|||050001|)", "50001", []string{zeros}},
	{"port with many", "ok (!!!" + strings.Repeat("0", 100) + "7!).", "7", []string{"delimiter", zeros, behind}},

	{"nothing", "", "", nil},
	{"no field", "Entering Extended Passive Mode", "", nil},
	{"opening parenthesis at the end", "ok (", "", nil},
	{"one bar", "ok (|", "", nil},
	{"three bars", "ok (|||", "", nil},
	{"no parentheses", "ok |||50001|", "", nil},
	{"no opening parenthesis", "ok |||50001|)", "", nil},
	{"no closing parenthesis", "ok (|||50001|", "", nil},
	{"no last bar", "ok (|||50001)", "", nil},
	{"two bars in front", "ok (||50001|)", "", nil},
	{"four bars in front", "ok (||||50001|)", "", nil},
	{"vsftpd before 3.0.3: address filled in", "ok (|1|218.63.1.100|50001|)", "", nil},
	{"family filled in", "ok (|1||50001|)", "", nil},
	{"IPv6 address filled in", "ok (|2|::1|50001|)", "", nil},
	{"masquerade address filled in", "ok (||218.63.1.100|50001|)", "", nil},
	{"parentheses before", "Entering (extended) passive mode (|||50001|)", "", nil},
	{"mixed delimiters", "ok (||!50001|)", "", nil},
	{"other last delimiter", "ok (|||50001!)", "", nil},
	{"spaces as delimiters", "ok (   50001 )", "", nil},
	{"digits as delimiters", "ok (111500011)", "", nil},
	{"octet 127 as delimiter", "ok (\x7f\x7f\x7f50001\x7f)", "", nil},
	{"octet 255 as delimiter", "ok (\xff\xff\xff50001\xff)", "", nil},
	{"section signs as delimiters", "ok (§§§50001§)", "", nil},
	{"space before the port", "ok (||| 50001|)", "", nil},
	{"space after the field", "ok (|||50001| )", "", nil},
	{"space before the field", "ok ( |||50001|)", "", nil},
	{"port 0", "ok (|||0|)", "", nil},
	{"no port", "ok (||||)", "", nil},
	{"port 65536", "ok (|||65536|)", "", nil},
	{"port 115537 wraps to 50001", "ok (|||115537|)", "", nil},
	{"port of thousand digits", "ok (|||" + strings.Repeat("5", 1000) + "|)", "", nil},
	{"negative port", "ok (|||-1|)", "", nil},
	{"port with a sign", "ok (|||+50001|)", "", nil},
	{"hexadecimal port", "ok (|||0xC351|)", "", nil},
	{"port in letters", "ok (|||port|)", "", nil},
	{"two octets", "ok (|||195,81|)", "", nil},
	{"tuple of 227", "Entering Passive Mode (218,63,1,100,195,81)", "", nil},
	{"digits outside ASCII", "ok (|||٥٠٠٠١|)", "", nil},
}

func TestScanEPSVReply(t *testing.T) {
	t.Parallel()
	for _, tt := range epsvTexts {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, odd, err := ftp.ScanEPSVReply(tt.text)
			tt.check(t, fmt.Sprint(got), odd, err)
			strict, err := ftp.ParseEPSVReply(tt.text)
			if legal := tt.endpoint != "" && tt.odd == nil; legal != (err == nil) || legal && strict != got {
				t.Errorf("strict: %v, %v", strict, err)
			}
		})
	}
}

var lpsvTexts = []passiveText{
	{"IPv4", "Entering Long Passive Mode (4,4,127,0,0,1,2,4,1)", "127.0.0.1:1025", nil},
	{"IPv6", "Entering Long Passive Mode (6,16,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1,2,195,81)", "[::1]:50001", nil},
	{"digits in the text", "RFC 1639 (4,4,127,0,0,1,2,4,1)", "127.0.0.1:1025", nil},
	{"no parentheses", "Long 4,4,127,0,0,1,2,4,1", "127.0.0.1:1025", []string{bare}},
	{"no closing parenthesis", "Long (4,4,127,0,0,1,2,4,1", "127.0.0.1:1025", []string{unclosed}},
	{"no opening parenthesis", "Long 4,4,127,0,0,1,2,4,1)", "127.0.0.1:1025", []string{unopened}},
	{"full stop behind", "Long (4,4,127,0,0,1,2,4,1).", "127.0.0.1:1025", []string{behind}},
	{"padded with zeros", "Long (4,4,127,000,000,001,2,4,1)", "127.0.0.1:1025", []string{zeros}},
	{"nothing", "", "", nil},
	{"no tuple", "Entering Long Passive Mode", "", nil},
	{"empty parentheses", "Long ()", "", nil},
	{"tuple of 227", "Long (127,0,0,1,4,1)", "", nil},
	{"cut short", "Long (4,4,127,0,0,1,2,4)", "", nil},
	{"one number too many", "Long (4,4,127,0,0,1,2,4,1,0)", "", nil},
	{"unknown family, one number too many", "Long (16,1,9,1,9,9)", "", nil},
	{"port 0", "Long (4,4,127,0,0,1,2,0,0)", "", nil},
	{"space after the parenthesis", "Long ( 4,4,127,0,0,1,2,4,1)", "", nil},
	{"other parentheses before", "(Long) 4,4,127,0,0,1,2,4,1", "", nil},
}

func TestScanLPSVReply(t *testing.T) {
	t.Parallel()
	for _, tt := range lpsvTexts {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, odd, err := ftp.ScanLPSVReply(tt.text)
			tt.check(t, got.String(), odd, err)
		})
	}
	_, _, err := ftp.ScanLPSVReply("Entering Long Passive Mode (16,4,1,2,3,4,2,10,10)")
	wantFamily(t, err, "16")
}

func TestPassiveRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		four, ep := ports4.Draw(t, "IPv4"), ports.Draw(t, "either")
		if got, err := ftp.ParsePASVReply(ftp.FormatPASVReply(four)); err != nil || got != four {
			t.Fatalf("227: %v became %v, %v", four, got, err)
		}
		if got, err := ftp.ParseEPSVReply(ftp.FormatEPSVReply(ep.Port())); err != nil || got != ep.Port() {
			t.Fatalf("229: %v became %v, %v", ep.Port(), got, err)
		}
		if got, odd, err := ftp.ScanLPSVReply(ftp.FormatLPSVReply(ep)); err != nil || len(odd) > 0 || got != plain(ep) {
			t.Fatalf("228: %v became %v, %v, %v", ep, got, odd, err)
		}
		// The field of 229 is that of EPRT with two empty parts, so any legal
		// delimiter has to do.
		d := string(rune(rapid.IntRange('!', '/').Draw(t, "delimiter")))
		got, odd, err := ftp.ScanEPSVReply(fmt.Sprintf("ok (%s%s%s%d%s)", d, d, d, ep.Port(), d))
		if err != nil || got != ep.Port() || len(odd) != 1 {
			t.Fatalf("229 with %s: %v became %v, %v, %v", d, ep.Port(), got, odd, err)
		}
	})
}

func ExampleScanPASVReply() {
	for _, text := range []string{"Entering Passive Mode (192,0,2,7,32,1).", "=192,0,2,7,32,1", "Entering IPv4 Mode (192,0,2,7,32,1)"} {
		ep, odd, err := ftp.ScanPASVReply(text)
		fmt.Printf("%s: %s %q\n", ftp.LegalityOf(odd, err), ep, odd)
	}
	// Output:
	// legal: 192.0.2.7:8193 ""
	// legal but odd: 192.0.2.7:8193 "the numbers stand without parentheses"
	// illegal: invalid AddrPort ""
}

func ExampleScanEPSVReply() {
	port, odd, err := ftp.ScanEPSVReply("Entering extended passive mode (|||8193|).")
	fmt.Println(port, odd, err)
	// Output: 8193 text "." after the parenthesis <nil>
}

func ExampleFormatPASVReply() {
	fmt.Println("227", ftp.FormatPASVReply(netip.MustParseAddrPort("192.0.2.7:8193")))
	fmt.Println("229", ftp.FormatEPSVReply(8193))
	// Output:
	// 227 Entering Passive Mode (192,0,2,7,32,1)
	// 229 Entering Extended Passive Mode (|||8193|)
}

func FuzzScanPASVReply(f *testing.F) {
	for _, tt := range pasvTexts {
		if len(tt.text) < 1<<10 {
			f.Add(tt.text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		ep, odd, err := ftp.ScanPASVReply(text)
		strict, strictErr := ftp.ParsePASVReply(text)
		if legal := ftp.LegalityOf(odd, err) == ftp.Legal; legal != wantParsed(t, strictErr) || legal && strict != ep {
			t.Errorf("%q: %v, %v, %v, strictly %v, %v", text, ep, odd, err, strict, strictErr)
		}
		if !wantParsed(t, err) {
			return
		}
		if again, err := ftp.ParsePASVReply(ftp.FormatPASVReply(ep)); err != nil || again != ep || ep.Port() == 0 {
			t.Errorf("%q is %v and then %v, %v", text, ep, again, err)
		}
		// The rule of the first digit: what stands before it does not matter.
		first := strings.IndexAny(text, "0123456789")
		if again, _, err := ftp.ScanPASVReply(text[first:]); err != nil || again != ep {
			t.Errorf("%q is %v, from its first digit %v, %v", text, ep, again, err)
		}
		if len(odd) == 0 && !strings.Contains(text, "("+ftp.FormatHostPort(ep)+")") {
			t.Errorf("%q passes for canonical", text)
		}
	})
}

func FuzzScanEPSVReply(f *testing.F) {
	for _, tt := range epsvTexts {
		f.Add(tt.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		port, odd, err := ftp.ScanEPSVReply(text)
		strict, strictErr := ftp.ParseEPSVReply(text)
		if legal := ftp.LegalityOf(odd, err) == ftp.Legal; legal != wantParsed(t, strictErr) || legal && strict != port {
			t.Errorf("%q: %v, %v, %v, strictly %v, %v", text, port, odd, err, strict, strictErr)
		}
		if !wantParsed(t, err) {
			return
		}
		if again, err := ftp.ParseEPSVReply(ftp.FormatEPSVReply(port)); err != nil || again != port || port == 0 {
			t.Errorf("%q is %d and then %d, %v", text, port, again, err)
		}
		if len(odd) == 0 && !strings.HasSuffix(text, fmt.Sprintf("(|||%d|)", port)) {
			t.Errorf("%q passes for canonical", text)
		}
		// EPRT and 229 share one form: with the empty parts filled in, the
		// field is an argument of EPRT.
		d := text[strings.IndexByte(text, '(')+1]
		four := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 7}), port)
		if arg := ftp.FormatExtendedWith(d, four); strings.Count(arg, string(rune(d))) == 4 {
			if got, err := ftp.ParseExtended(arg); err != nil || got != four {
				t.Errorf("%q as EPRT: %v, %v", arg, got, err)
			}
		}
	})
}

func FuzzScanLPSVReply(f *testing.F) {
	for _, tt := range lpsvTexts {
		f.Add(tt.text)
	}
	f.Add("(16,4,1,2,3,4,2,10,10)")
	f.Add("(6,16,0,0,0,0,0,0,0,0,0,0,255,255,1,2,3,4,2,4,1)")
	f.Fuzz(func(t *testing.T, text string) {
		ep, odd, err := ftp.ScanLPSVReply(text)
		if !wantParsed(t, err) {
			return
		}
		canonical := ftp.FormatLPSVReply(ep)
		again, none, err := ftp.ScanLPSVReply(canonical)
		if err != nil || len(none) > 0 || again != plain(ep) || ep.Port() == 0 {
			t.Errorf("%q is %v, printed %q is %v, %v, %v", text, ep, canonical, again, none, err)
		}
		if len(odd) == 0 && !ep.Addr().Is4In6() && !strings.HasSuffix(text, "("+ftp.FormatLongHostPort(ep)+")") {
			t.Errorf("%q passes for canonical", text)
		}
	})
}
