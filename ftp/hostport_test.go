package ftp_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ftpconform/ftpconform/ftp"
)

// ports4, ports6 and ports draw endpoints of IPv4, of IPv6 and of both.
var (
	ports4 = rapid.Custom(func(t *rapid.T) netip.AddrPort {
		raw := rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "address")
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(raw)), rapid.Uint16Min(1).Draw(t, "port"))
	})
	ports6 = rapid.Custom(func(t *rapid.T) netip.AddrPort {
		raw := rapid.SliceOfN(rapid.OneOf(rapid.Just(byte(0)), rapid.Byte()), 16, 16).Draw(t, "address")
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(raw)), rapid.Uint16Min(1).Draw(t, "port"))
	})
	ports = rapid.OneOf(ports4, ports6)
)

// plain is the endpoint as the printed forms know it: not mapped, no zone.
func plain(ep netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(ep.Addr().Unmap().WithZone(""), ep.Port())
}

func TestParseHostPort(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, arg, want string }{
		{"the example of the document", "132,235,1,2,24,131", "132.235.1.2:6275"},
		{"octets that differ", "127,0,0,1,32,1", "127.0.0.1:8193"},
		{"octets that differ more", "127,0,0,1,18,52", "127.0.0.1:4660"},
		{"low octet of the port zero", "127,0,0,1,16,0", "127.0.0.1:4096"},
		{"high octet of the port zero", "127,0,0,1,0,21", "127.0.0.1:21"},
		{"lowest port", "1,2,3,4,0,1", "1.2.3.4:1"},
		{"all ones", "255,255,255,255,255,255", "255.255.255.255:65535"},
		{"unspecified address is grammatical", "0,0,0,0,195,81", "0.0.0.0:50001"},
		{"odd: leading zeros are decimal", "127,000,000,001,010,007", "127.0.0.1:2567"},
		{"odd: 09 is no octal number and still 9", "127,0,0,09,4,1", "127.0.0.9:1025"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := ftp.ParseHostPort(tt.arg)
			if err != nil || got.String() != tt.want {
				t.Errorf("%q: %v, %v, want %s", tt.arg, got, err, tt.want)
			}
		})
	}
}

// malformedPORT are arguments that every server has to refuse; real servers
// take some of them.
var malformedPORT = map[string]string{
	"nothing":                         "",
	"letters":                         "abc",
	"one number":                      "127",
	"five numbers":                    "127,0,0,1,4",
	"seven numbers":                   "127,0,0,1,4,1,1",
	"twelve numbers":                  "127,0,0,1,4,1,127,0,0,1,4,1",
	"comma behind":                    "127,0,0,1,4,1,",
	"comma in front":                  ",127,0,0,1,4,1",
	"empty field":                     "127,0,,1,4,1",
	"only commas":                     ",,,,,",
	"octet 256":                       "127,0,0,256,4,1",
	"octet 999":                       "999,0,0,1,4,1",
	"octet 260 wraps to 4":            "127,0,0,1,260,1",
	"octet 1025 in the port":          "127,0,0,1,0,1025",
	"octet 2^32+127":                  "4294967423,0,0,1,4,1",
	"octet 2^64+1":                    "127,0,0,18446744073709551617,4,1",
	"thousand digits":                 "127,0,0," + strings.Repeat("1", 1000) + ",4,1",
	"thousand zeros":                  "127,0,0," + strings.Repeat("0", 1000) + ",4,1",
	"four digits":                     "127,0,0,0001,4,1",
	"port 0":                          "127,0,0,1,0,0",
	"minus sign":                      "127,0,0,-1,4,1",
	"minus zero":                      "127,-0,0,1,4,1",
	"plus sign":                       "127,0,0,+1,4,1",
	"hexadecimal":                     "0x7f,0,0,1,4,1",
	"hexadecimal digits":              "7f,0,0,1,4,1",
	"fraction":                        "127,0,0,1.0,4,1",
	"exponent":                        "1e2,0,0,1,4,1",
	"underscore":                      "1_2,0,0,1,4,1",
	"dots":                            "127.0.0.1.4.1",
	"dotted address":                  "127.0.0.1,4,1",
	"dotted address and port":         "127.0.0.1:1025",
	"semicolons":                      "127;0;0;1;4;1",
	"missing comma":                   "127,0,0 1,4,1",
	"space after a comma":             "127, 0, 0, 1, 4, 1",
	"space in front":                  " 127,0,0,1,4,1",
	"space behind":                    "127,0,0,1,4,1 ",
	"tab behind":                      "127,0,0,1,4,1\t",
	"CR behind":                       "127,0,0,1,4,1\r",
	"NUL behind":                      "127,0,0,1,4,1\x00",
	"letters behind":                  "127,0,0,1,4,1abc",
	"parentheses":                     "(127,0,0,1,4,1)",
	"quotes":                          `"127,0,0,1,4,1"`,
	"host name":                       "localhost,4,1",
	"argument of EPRT":                "|1|127.0.0.1|1025|",
	"argument of LPRT":                "4,4,127,0,0,1,2,4,1",
	"digits outside ASCII":            "١٢٧,0,0,1,4,1",
	"full-width digits":               "１２７,0,0,1,4,1",
	"two commas":                      "127,,0,0,1,4,1",
	"format directives":               "%d,%d,%d,%d,%d,%n",
	"number and a line end by escape": `127,0,0,1,4,1\r\n`,
}

func TestParseHostPortIllegal(t *testing.T) {
	t.Parallel()
	for name, arg := range malformedPORT {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ftp.ParseHostPort(arg)
			wantSyntax(t, err)
			if got.IsValid() || got.Port() != 0 {
				t.Errorf("%.60q: endpoint %v beside the error", arg, got)
			}
		})
	}
}

func TestFormatHostPort(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"192.168.1.2:1025":          "192,168,1,2,4,1",
		"0.0.0.0:0":                 "0,0,0,0,0,0",
		"255.255.255.255:65535":     "255,255,255,255,255,255",
		"[::ffff:192.0.2.7]:8193":   "192,0,2,7,32,1",
		"[::ffff:192.0.2.7%1]:8193": "192,0,2,7,32,1",
	} {
		if got := ftp.FormatHostPort(netip.MustParseAddrPort(in)); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestFormatPanics(t *testing.T) {
	t.Parallel()
	six := netip.MustParseAddrPort("[::1]:80")
	for name, f := range map[string]func(){
		"PORT with IPv6":     func() { ftp.FormatHostPort(six) },
		"PORT with nothing":  func() { ftp.FormatHostPort(netip.AddrPort{}) },
		"227 with IPv6":      func() { ftp.FormatPASVReply(six) },
		"LPRT with nothing":  func() { ftp.FormatLongHostPort(netip.AddrPort{}) },
		"EPRT with nothing":  func() { ftp.FormatExtended(netip.AddrPort{}) },
		"228 with no family": func() { ftp.FormatLPSVReply(netip.AddrPortFrom(netip.Addr{}, 80)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}

func TestParseLongHostPort(t *testing.T) {
	t.Parallel()
	for arg, want := range map[string]string{
		"4,4,127,0,0,1,2,4,1":                                         "127.0.0.1:1025",
		"4,4,255,255,255,255,2,0,1":                                   "255.255.255.255:1",
		"6,16,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1,2,195,81":               "[::1]:50001",
		"6,16,32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,5,2,255,255":          "[2001:db8::5]:65535",
		"6,16,0,0,0,0,0,0,0,0,0,0,255,255,192,0,2,7,2,32,1":           "[::ffff:192.0.2.7]:8193",
		"004,004,127,000,000,001,002,004,001":                         "127.0.0.1:1025",
		"6,16,255,2,0,0,0,0,0,0,0,0,0,0,0,0,0,1,2,0,21":               "[ff02::1]:21",
		"6,16,254,128,0,0,0,0,0,0,18,52,86,255,254,120,154,188,2,4,1": "[fe80::1234:56ff:fe78:9abc]:1025",
	} {
		t.Run(arg, func(t *testing.T) {
			t.Parallel()
			if got, err := ftp.ParseLongHostPort(arg); err != nil || got.String() != want {
				t.Errorf("%v, %v, want %s", got, err, want)
			}
		})
	}
}

func TestParseLongHostPortIllegal(t *testing.T) {
	t.Parallel()
	for name, arg := range map[string]string{
		"nothing":                       "",
		"family alone":                  "4",
		"no address":                    "4,4",
		"address cut short":             "4,4,127,0,0",
		"no length of the port":         "4,4,127,0,0,1",
		"no port":                       "4,4,127,0,0,1,2",
		"half a port":                   "4,4,127,0,0,1,2,4",
		"one number too many":           "4,4,127,0,0,1,2,4,1,0",
		"comma behind":                  "4,4,127,0,0,1,2,4,1,",
		"IPv4 of three octets":          "4,3,127,0,0,2,4,1",
		"IPv4 with the length of IPv6":  "4,16,127,0,0,1,2,4,1",
		"IPv6 with the length of IPv4":  "6,4,127,0,0,1,2,4,1",
		"IPv6 cut short":                "6,16,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1,2,4,1",
		"port of one octet":             "4,4,127,0,0,1,1,80",
		"port of three octets":          "4,4,127,0,0,1,3,0,4,1",
		"port 0":                        "4,4,127,0,0,1,2,0,0",
		"octet 256":                     "4,4,256,0,0,1,2,4,1",
		"family 260 wraps to 4":         "260,4,127,0,0,1,2,4,1",
		"argument of PORT":              "127,0,0,1,4,1",
		"dotted address":                "4,4,127.0.0.1,2,4,1",
		"spaces":                        "4, 4, 127, 0, 0, 1, 2, 4, 1",
		"unknown family without length": "16",
		"unknown family cut short":      "16,4,1,2,3",
		"unknown family without port":   "16,4,1,2,3,4",
		"unknown family, half a port":   "16,4,1,2,3,4,2,10",
		"unknown family, text behind":   "16,4,1,2,3,4,2,10,10 x",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ftp.ParseLongHostPort(arg)
			wantSyntax(t, err)
			if got.IsValid() {
				t.Errorf("%q: endpoint %v beside the error", arg, got)
			}
		})
	}
	for arg, family := range map[string]string{
		"16,4,1,2,3,4,2,10,10": "16",
		"5,0,0":                "5",
		"0,1,9,1,9":            "0",
		"255,2,1,2,3,4,5,6":    "255",
	} {
		_, err := ftp.ParseLongHostPort(arg)
		wantFamily(t, err, family)
	}
}

func TestHostPortRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := ports4.Draw(t, "endpoint")
		text := ftp.FormatHostPort(want)
		if got, err := ftp.ParseHostPort(text); err != nil || got != want {
			t.Fatalf("%v became %v, %v by way of %q", want, got, err, text)
		}
		mapped := netip.AddrPortFrom(netip.AddrFrom16(want.Addr().As16()), want.Port())
		if got := ftp.FormatHostPort(mapped); got != text {
			t.Fatalf("%v prints as %q, %v as %q", want, text, mapped, got)
		}
	})
}

func TestLongHostPortRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := ports.Draw(t, "endpoint")
		text := ftp.FormatLongHostPort(want)
		if got, err := ftp.ParseLongHostPort(text); err != nil || got != plain(want) {
			t.Fatalf("%v became %v, %v by way of %q", want, got, err, text)
		}
	})
}

func ExampleParseHostPort() {
	ep, err := ftp.ParseHostPort("192,168,1,2,4,1")
	fmt.Println(ep, err)
	_, err = ftp.ParseHostPort("192,168,1,2,4")
	fmt.Println(err)
	// Output:
	// 192.168.1.2:1025 <nil>
	// ftp: syntax error: 5 numbers where 6 are needed
}

func ExampleFormatHostPort() {
	fmt.Println("PORT " + ftp.FormatHostPort(netip.MustParseAddrPort("192.168.1.2:1025")))
	// Output: PORT 192,168,1,2,4,1
}

func ExampleParseLongHostPort() {
	_, err := ftp.ParseLongHostPort("16,4,1,2,3,4,2,10,10")
	var family *ftp.FamilyError
	if errors.As(err, &family) {
		fmt.Println("521 Family", family.Family, "is not supported", ftp.FormatFamilies(4, 6))
	}
	// Output: 521 Family 16 is not supported (4,6)
}

func FuzzParseHostPort(f *testing.F) {
	for _, arg := range malformedPORT {
		f.Add(arg)
	}
	f.Add("127,0,0,1,4,1")
	f.Add("127,000,000,001,004,001")
	f.Fuzz(func(t *testing.T, arg string) {
		ep, err := ftp.ParseHostPort(arg)
		if !wantParsed(t, err) {
			return
		}
		text := ftp.FormatHostPort(ep)
		if again, err := ftp.ParseHostPort(text); err != nil || again != ep || ep.Port() == 0 || !ep.Addr().Is4() {
			t.Errorf("%q is %v, printed %q is %v, %v", arg, ep, text, again, err)
		}
		if len(arg) < len(text) || strings.Count(arg, ",") != 5 || strings.Trim(arg, "0123456789,") != "" {
			t.Errorf("%q was accepted", arg)
		}
		// What PORT may say, 227 may say in parentheses.
		got, odd, err := ftp.ScanPASVReply("(" + arg + ")")
		if err != nil || got != ep || len(odd) > 0 != (arg != text) {
			t.Errorf("%q in a 227: %v, %v, %v", arg, got, odd, err)
		}
	})
}

func FuzzParseLongHostPort(f *testing.F) {
	for _, arg := range []string{"4,4,127,0,0,1,2,4,1", "6,16,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1,2,4,1",
		"6,16,0,0,0,0,0,0,0,0,0,0,255,255,1,2,3,4,2,4,1", "16,4,1,2,3,4,2,10,10", "5,0,0", "4,4,127,0,0,1,3,0,4,1", "6,4"} {
		f.Add(arg)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		ep, err := ftp.ParseLongHostPort(arg)
		got, odd, scanErr := ftp.ScanLPSVReply("(" + arg + ")")
		if !wantParsed(t, err) {
			var family *ftp.FamilyError
			if errors.As(err, &family) && !errors.As(scanErr, &family) {
				t.Errorf("%q: %v, but in a 228 %v", arg, err, scanErr)
			}
			return
		}
		text := ftp.FormatLongHostPort(ep)
		if again, err := ftp.ParseLongHostPort(text); err != nil || again != plain(ep) || ep.Port() == 0 {
			t.Errorf("%q is %v, printed %q is %v, %v", arg, ep, text, again, err)
		}
		if canonical := arg == text || ep.Addr().Is4In6(); scanErr != nil || got != ep || len(odd) > 0 && arg == text || len(odd) == 0 && !canonical {
			t.Errorf("%q in a 228: %v, %v, %v", arg, got, odd, scanErr)
		}
	})
}
