package ftp_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ftpconform/ftpconform/ftp"
)

func TestParseExtended(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, arg, want string }{
		{"the first example of the document", "|1|132.235.1.2|6275|", "132.235.1.2:6275"},
		{"the second example of the document", "|2|1080::8:800:200C:417A|5282|", "[1080::8:800:200c:417a]:5282"},
		{"loopback", "|2|::1|50001|", "[::1]:50001"},
		{"IPv6 in full", "|2|2001:0db8:0063:0000:0000:0000:0000:0005|1025|", "[2001:db8:63::5]:1025"},
		{"upper-case digits", "|2|2001:DB8::AB|1025|", "[2001:db8::ab]:1025"},
		{"IPv4-mapped", "|2|::ffff:192.0.2.7|1025|", "[::ffff:192.0.2.7]:1025"},
		{"IPv4-mapped in hexadecimal", "|2|::ffff:c000:207|1025|", "[::ffff:192.0.2.7]:1025"},
		{"unspecified address is grammatical", "|2|::|1025|", "[::]:1025"},
		{"lowest port", "|1|127.0.0.1|1|", "127.0.0.1:1"},
		{"highest port", "|1|127.0.0.1|65535|", "127.0.0.1:65535"},
		{"odd: exclamation marks, octet 33", "!1!127.0.0.1!1025!", "127.0.0.1:1025"},
		{"odd: tildes, octet 126", "~1~127.0.0.1~1025~", "127.0.0.1:1025"},
		{"odd: commas", ",1,127.0.0.1,1025,", "127.0.0.1:1025"},
		{"odd: colons around IPv4", ":1:127.0.0.1:1025:", "127.0.0.1:1025"},
		{"odd: points around IPv6", ".2.::1.1025.", "[::1]:1025"},
		{"odd: letters", "x1x127.0.0.1x1025x", "127.0.0.1:1025"},
		{"odd: hexadecimal letters around IPv4", "a1a127.0.0.1a1025a", "127.0.0.1:1025"},
		{"odd: per cent signs", "%2%::1%1025%", "[::1]:1025"},
		{"odd: parentheses", ")1)127.0.0.1)1025)", "127.0.0.1:1025"},
		{"odd: zero before the family", "|01|127.0.0.1|1025|", "127.0.0.1:1025"},
		{"odd: zeros before the port", "|1|127.0.0.1|0001025|", "127.0.0.1:1025"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := ftp.ParseExtended(tt.arg)
			if err != nil || got.String() != tt.want {
				t.Errorf("%q: %v, %v, want %s", tt.arg, got, err, tt.want)
			}
		})
	}
}

// malformedEPRT are arguments that every server has to refuse with 500 or 501.
var malformedEPRT = map[string]string{
	"nothing":                       "",
	"bar alone":                     "|",
	"four bars":                     "||||",
	"no last delimiter":             "|1|127.0.0.1|1025",
	"no first delimiter":            "1|127.0.0.1|1025|",
	"one delimiter too many":        "|1|127.0.0.1|1025||",
	"text behind":                   "|1|127.0.0.1|1025|x",
	"space behind":                  "|1|127.0.0.1|1025| ",
	"CR behind":                     "|1|127.0.0.1|1025|\r",
	"space in front":                " |1|127.0.0.1|1025|",
	"space as delimiter":            " 1 127.0.0.1 1025 ",
	"tab as delimiter":              "\t1\t127.0.0.1\t1025\t",
	"octet 127 as delimiter":        "\x7f1\x7f127.0.0.1\x7f1025\x7f",
	"octet 255 as delimiter":        "\xff1\xff127.0.0.1\xff1025\xff",
	"section sign as delimiter":     "§1§127.0.0.1§1025§",
	"digit as delimiter":            "414127.0.0.141025",
	"digit 9 as delimiter":          "919127.0.0.1910259",
	"mixed delimiters":              "|1|127.0.0.1!1025|",
	"point around IPv4":             ".1.127.0.0.1.1025.",
	"colon around IPv6":             ":2:::1:1025:",
	"no family":                     "||127.0.0.1|1025|",
	"family with letters":           "|IPv4|127.0.0.1|1025|",
	"family with a sign":            "|+1|127.0.0.1|1025|",
	"negative family":               "|-1|127.0.0.1|1025|",
	"family with a space":           "| 1|127.0.0.1|1025|",
	"hexadecimal family":            "|0x1|127.0.0.1|1025|",
	"no address":                    "|1||1025|",
	"address cut short":             "|1|127.0.1|1025|",
	"five octets":                   "|1|127.0.0.0.1|1025|",
	"octet 256":                     "|1|127.0.0.256|1025|",
	"octet with a leading zero":     "|1|127.0.0.01|1025|",
	"one number for an address":     "|1|2130706433|1025|",
	"commas in the address":         "|1|127,0,0,1|1025|",
	"host name":                     "|1|localhost|1025|",
	"host name in IPv6":             "|2|host.example|1025|",
	"IPv4 with the family of IPv6":  "|2|127.0.0.1|1025|",
	"IPv6 with the family of IPv4":  "|1|::1|1025|",
	"mapped address as IPv4":        "|1|::ffff:127.0.0.1|1025|",
	"brackets":                      "|2|[::1]|1025|",
	"prefix length":                 "|2|::1/128|1025|",
	"zone":                          "|2|fe80::1%lo|1025|",
	"zone as a number":              "|2|fe80::1%1|1025|",
	"empty zone":                    "|2|fe80::1%|1025|",
	"two double colons":             "|2|1::2::3|1025|",
	"nine groups":                   "|2|1:2:3:4:5:6:7:8:9|1025|",
	"five hexadecimal digits":       "|2|::12345|1025|",
	"space in the address":          "|1|127.0.0.1 |1025|",
	"NUL in the address":            "|1|127.0.0.1\x00|1025|",
	"no port":                       "|1|127.0.0.1||",
	"port 0":                        "|1|127.0.0.1|0|",
	"port 00000":                    "|1|127.0.0.1|00000|",
	"port 65536":                    "|1|127.0.0.1|65536|",
	"port 66561 wraps to 1025":      "|1|127.0.0.1|66561|",
	"port of thousand digits":       "|1|127.0.0.1|" + strings.Repeat("9", 1000) + "|",
	"negative port":                 "|1|127.0.0.1|-1|",
	"port with a sign":              "|1|127.0.0.1|+1025|",
	"port with letters":             "|1|127.0.0.1|abc|",
	"service name":                  "|1|127.0.0.1|ftp-data|",
	"port in hexadecimal":           "|1|127.0.0.1|0x401|",
	"port with an underscore":       "|1|127.0.0.1|1_025|",
	"digits outside ASCII":          "|1|127.0.0.1|١٠٢٥|",
	"argument of PORT":              "127,0,0,1,4,1",
	"field of 229":                  "|||1025|",
	"unknown family without a port": "|3|x||",
	"unknown family, no port":       "|3|x|port|",
	"whole command":                 "EPRT |1|127.0.0.1|1025|",
}

func TestParseExtendedIllegal(t *testing.T) {
	t.Parallel()
	for name, arg := range malformedEPRT {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ftp.ParseExtended(arg)
			wantSyntax(t, err)
			if got.IsValid() {
				t.Errorf("%.60q: endpoint %v beside the error", arg, got)
			}
		})
	}
	huge := strings.Repeat("7", 1000)
	for arg, family := range map[string]string{
		"|3|x|1234|":             "3",
		"|0|127.0.0.1|1025|":     "0",
		"|4|127.0.0.1|1025|":     "4",
		"|6|::1|1025|":           "6",
		"|257|127.0.0.1|1025|":   "257",
		"|65536|::1|1025|":       "65536",
		"|65537|127.0.0.1|1025|": "65537", // must not wrap to 1
		"|" + huge + "||1025|":   huge,
	} {
		_, err := ftp.ParseExtended(arg)
		wantFamily(t, err, family)
	}
}

func TestFormatExtended(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"192.0.2.7:8193":          "|1|192.0.2.7|8193|",
		"[2001:db8::5]:65535":     "|2|2001:db8::5|65535|",
		"[::ffff:192.0.2.7]:8193": "|1|192.0.2.7|8193|",
		"[fe80::1%eth0]:21":       "|2|fe80::1|21|",
		"0.0.0.0:0":               "|1|0.0.0.0|0|",
	} {
		if got := ftp.FormatExtended(netip.MustParseAddrPort(in)); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
	four := netip.MustParseAddrPort("192.0.2.7:8193")
	for d, want := range map[byte]string{'!': "!1!192.0.2.7!8193!", '\n': "\n1\n192.0.2.7\n8193\n", 0x80: "\x801\x80192.0.2.7\x808193\x80"} {
		if got := ftp.FormatExtendedWith(d, four); got != want {
			t.Errorf("delimiter %#02x: %q, want %q", d, got, want)
		}
	}
}

func TestFamilyOf(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{"127.0.0.1": ftp.FamilyIPv4, "::ffff:127.0.0.1": ftp.FamilyIPv4, "::1": ftp.FamilyIPv6, "fe80::1%1": ftp.FamilyIPv6} {
		if got := ftp.FamilyOf(netip.MustParseAddr(in)); got != want {
			t.Errorf("%s: %d, want %d", in, got, want)
		}
	}
}

func TestParseEPSVArg(t *testing.T) {
	t.Parallel()
	for arg, want := range map[string]ftp.EPSVArg{
		"": {}, "1": {Family: 1}, "2": {Family: 2}, "01": {Family: 1}, "002": {Family: 2},
		"ALL": {All: true}, "all": {All: true}, "aLl": {All: true},
	} {
		if got, err := ftp.ParseEPSVArg(arg); err != nil || got != want {
			t.Errorf("%q: %+v, %v, want %+v", arg, got, err, want)
		}
	}
	for _, arg := range []string{" ", "1 ", " 1", "+1", "-1", "1.0", "0x1", "ALL ", "ALLE", "AL", "NONE", "|1|", "1,2", "١", "ＡＬＬ", "\x00", "1\r"} {
		_, err := ftp.ParseEPSVArg(arg)
		wantSyntax(t, err)
	}
	for _, arg := range []string{"0", "3", "9", "99", "10", "12", "257", "258", "65536", "65537", "4294967297", strings.Repeat("1", 1000)} {
		_, err := ftp.ParseEPSVArg(arg)
		wantFamily(t, err, arg)
	}
}

func TestParseFamilies(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]int{
		"Network protocol not supported, use (1,2)": {1, 2},
		"Protocol not supported (1)":                {1},
		"(2)":                                       {2},
		"use (1) ":                                  {1},
		"Supported protocols are (1,2,65535)":       {1, 2, 65535},
		"Supported address families are (4,6)":      {4, 6},
		"odd but a number (01)":                     {1},
	} {
		got, err := ftp.ParseFamilies(text)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "Bad network protocol.", "Network protocol not supported (use 2).", "Unknown protocol (use 1)", "use 1,2",
		"(1,2).", "(1,2) please", "()", "(,)", "(1,)", "(,1)", "(1,,2)", "(1, 2)", "(1;2)", "(IPv4)", "(-1)", "(+1)", "(1.0)",
		"(1)(2)", "((1,2))", "(1", "1)", ")1(", "x)1(", "a) b (1", "(65536)", "(99999999999999999999)", "Protocols (of IP) are (1,2)",
	} {
		got, err := ftp.ParseFamilies(text)
		wantSyntax(t, err)
		if got != nil {
			t.Errorf("%q: %v beside the error", text, got)
		}
	}
	if got := ftp.FormatFamilies(1, 2) + ftp.FormatFamilies(2) + ftp.FormatFamilies(); got != "(1,2)(2)()" {
		t.Errorf("printed %q", got)
	}
}

func TestExtendedRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := ports.Draw(t, "endpoint")
		d := byte(rapid.IntRange(33, 126).Draw(t, "delimiter"))
		text := ftp.FormatExtendedWith(d, want)
		got, err := ftp.ParseExtended(text)
		// A delimiter that occurs in a field cannot be told from it.
		if strings.Count(text, string(rune(d))) > 4 || '0' <= d && d <= '9' {
			if !errors.Is(err, ftp.ErrSyntax) {
				t.Fatalf("%q: %v, %v", text, got, err)
			}
			return
		}
		if err != nil || got != plain(want) {
			t.Fatalf("%v became %v, %v by way of %q", want, got, err, text)
		}
	})
}

func ExampleParseExtended() {
	ep, err := ftp.ParseExtended("|2|2001:db8::5|8193|")
	fmt.Println(ep, err)
	_, err = ftp.ParseExtended("|3|x|8193|")
	fmt.Println(err)
	_, err = ftp.ParseExtended("|1|192.0.2.7|0|")
	fmt.Println(err)
	// Output:
	// [2001:db8::5]:8193 <nil>
	// ftp: network protocol 3 not supported
	// ftp: syntax error: "0" is not a port from 1 to 65535
}

func ExampleFormatExtendedWith() {
	fmt.Println("EPRT " + ftp.FormatExtendedWith('~', netip.MustParseAddrPort("192.0.2.7:8193")))
	// Output: EPRT ~1~192.0.2.7~8193~
}

func ExampleParseFamilies() {
	fmt.Println(ftp.ParseFamilies("Network protocol not supported, use (1,2)"))
	// Output: [1 2] <nil>
}

func FuzzParseExtended(f *testing.F) {
	for _, arg := range malformedEPRT {
		f.Add(arg)
	}
	for _, arg := range []string{"|1|127.0.0.1|1025|", "|2|::1|1025|", "!2!::ffff:1.2.3.4!1!", "|3|x|1234|", "|65537|::1|1|", "%2%fe80::1%1%"} {
		f.Add(arg)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		ep, err := ftp.ParseExtended(arg)
		if !wantParsed(t, err) {
			return
		}
		d := arg[0]
		if ep.Port() == 0 || ep.Addr().Zone() != "" || strings.Count(arg, string(rune(d))) != 4 {
			t.Fatalf("%q is %v", arg, ep)
		}
		text := ftp.FormatExtended(ep)
		if again, err := ftp.ParseExtended(text); err != nil || again != plain(ep) || ftp.FormatExtended(again) != text {
			t.Errorf("%q is %v, printed %q is %v, %v", arg, ep, text, again, err)
		}
	})
}

func FuzzParseEPSVArg(f *testing.F) {
	for _, arg := range []string{"", "1", "2", "ALL", "all", "3", "01", "65537", "+1", "ALL ", "x"} {
		f.Add(arg)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		got, err := ftp.ParseEPSVArg(arg)
		if !wantParsed(t, err) {
			if got != (ftp.EPSVArg{}) {
				t.Errorf("%q: %+v beside the error", arg, got)
			}
			return
		}
		canonical := map[ftp.EPSVArg]string{{}: "", {All: true}: "ALL", {Family: 1}: "1", {Family: 2}: "2"}
		text, ok := canonical[got]
		if again, err := ftp.ParseEPSVArg(text); !ok || err != nil || again != got {
			t.Errorf("%q is %+v, printed %q is %+v, %v", arg, got, text, again, err)
		}
		if got.Family != 0 && strings.TrimLeft(arg, "0") != strconv.Itoa(got.Family) {
			t.Errorf("%q is family %d", arg, got.Family)
		}
	})
}

func FuzzParseFamilies(f *testing.F) {
	for _, text := range []string{"use (1,2)", "(1)", ")1(", "(use 2).", "(65536)", "(1)(2)", "()", "x (1,2) "} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ftp.ParseFamilies(text)
		if !wantParsed(t, err) {
			return
		}
		again, err := ftp.ParseFamilies("Use " + ftp.FormatFamilies(got...))
		if diff := cmp.Diff(got, again); diff != "" || err != nil || len(got) == 0 {
			t.Errorf("%q is %v: %v %s", text, got, err, diff)
		}
		for _, n := range got {
			if n < 0 || n > 65535 {
				t.Errorf("%q holds family %d", text, n)
			}
		}
		if open, end := strings.Index(text, "("), strings.Index(text, ")"); open >= end {
			t.Errorf("%q was accepted", text)
		}
	})
}
