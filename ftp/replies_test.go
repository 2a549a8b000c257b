package ftp_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ftpconform/ftpconform/ftp"
)

// documented are the codes that the documents list for each command: RFC 959
// section 5.4 and what the later documents added. 421 is possible everywhere
// and added by the test.
var documented = map[string]string{
	"":     "120 220 421",
	"USER": "230 232 331 332 336 421 500 501 530",
	"PASS": "230 202 332 421 500 501 503 530",
	"ACCT": "230 202 421 500 501 503 530",
	"CWD":  "250 421 500 501 502 530 550",
	"CDUP": "200 250 421 500 501 502 530 550",
	"SMNT": "202 250 421 500 501 502 530 550",
	"REIN": "120 220 421 500 502",
	"QUIT": "221 500",
	"PORT": "200 421 500 501 530 504",
	"PASV": "227 421 500 501 502 530",
	"EPRT": "200 421 500 501 522",
	"EPSV": "229 200 421 500 501 522",
	"LPRT": "200 421 500 501 521",
	"LPSV": "228 421 500 501 521",
	"TYPE": "200 421 500 501 504 530",
	"MODE": "200 421 500 501 504 530",
	"STRU": "200 421 500 501 504 530",
	"ALLO": "200 202 421 500 501 504 530",
	"REST": "350 421 500 501 502 530",
	"RETR": "125 150 110 226 250 421 425 426 450 451 500 501 530 550 521 522 534 535 554 555",
	"STOR": "125 150 110 226 250 421 425 426 450 451 452 500 501 530 532 551 552 553 521 522 534 535 554 555",
	"STOU": "125 150 110 226 250 421 425 426 450 451 452 500 501 530 532 551 552 553 521 522 534 535 554 555",
	"APPE": "125 150 110 226 250 421 425 426 450 451 452 500 501 502 530 532 550 551 552 553 521 522 534 535 554 555",
	"LIST": "125 150 226 250 421 425 426 450 451 500 501 502 530 550 521 522 534 535",
	"NLST": "125 150 226 250 421 425 426 450 451 500 501 502 530 550 521 522 534 535",
	"MLSD": "150 226 421 425 426 450 451 500 501 530 550 553 503 504",
	"MLST": "250 421 450 451 500 501 530 550 553 503 504",
	"SIZE": "213 421 450 451 500 501 550",
	"MDTM": "213 421 450 451 500 501 550",
	"RNFR": "350 421 450 500 501 502 530 550",
	"RNTO": "250 421 500 501 502 503 530 532 553",
	"DELE": "250 421 450 500 501 502 530 550",
	"RMD":  "250 421 500 501 502 530 550",
	"MKD":  "257 421 500 501 502 530 550",
	"PWD":  "257 421 500 501 502 550",
	"ABOR": "225 226 421 500 501 502",
	"STAT": "211 212 213 421 450 500 501 502 530",
	"SYST": "215 421 500 501 502",
	"HELP": "211 214 421 500 501 502",
	"SITE": "200 202 500 501 530",
	"NOOP": "200 421 500",
	"FEAT": "211 421 500 501 502",
	"OPTS": "200 451 500 501 502",
	"AUTH": "234 334 431 421 500 501 502 504 534",
	"PBSZ": "200 421 500 501 503 530",
	"PROT": "200 431 421 500 501 503 504 530 534 536",
	"CCC":  "200 421 500 533 534",
	"LANG": "200 421 500 501 502 504",
	"HOST": "220 421 500 501 502 503 504",
	"ALGS": "202 216 500 501 502 504",
}

// tolerated are the codes that are listed beyond the documents:
// 530 before login, 503 after EPSV ALL, 502 for what need not exist, and what practice has added.
var tolerated = map[string]string{
	"ACCT": "502", "CWD": "200", "PORT": "503", "PASV": "425 451 503", "EPRT": "502 503 504 530", "EPSV": "425 451 502 530",
	"LPRT": "502 503 504 530", "LPSV": "425 451 502 503 530", "REST": "554", "RETR": "503 504", "STOR": "503 504",
	"STOU": "502 503 504", "APPE": "503 504", "LIST": "503 504", "NLST": "503 504", "MLSD": "125 250 502 521 522 534 535",
	"MLST": "502", "SIZE": "502 504 530", "MDTM": "502 504 530", "RNTO": "550", "MKD": "521", "PWD": "530",
	"STAT": "550", "SYST": "530", "HELP": "530", "SITE": "211 214 502 503 504", "NOOP": "530", "FEAT": "530",
	"OPTS": "530", "AUTH": "503 530", "PBSZ": "502", "PROT": "502", "CCC": "502 503 530", "LANG": "530", "HOST": "530", "ALGS": "530",
}

func TestReplies(t *testing.T) {
	t.Parallel()
	for verb, codes := range documented {
		t.Run("verb "+verb, func(t *testing.T) {
			t.Parallel()
			got, ok := ftp.Replies(verb)
			if !ok {
				t.Fatal("unknown")
			}
			var want []int
			for _, field := range strings.Fields(codes + " 421 " + tolerated[verb]) {
				var code int
				if _, err := fmt.Sscan(field, &code); err != nil {
					t.Fatal(err)
				}
				want = append(want, code)
			}
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(slices.Compact(want), got); diff != "" {
				t.Error(diff)
			}
			for i, code := range got {
				if code < 100 || code > 599 || i > 0 && code == got[i-1] {
					t.Errorf("code %d in %v", code, got)
				}
				if code/100 == 1 && !ftp.MayBePreliminary(verb) {
					t.Errorf("preliminary reply %d", code)
				}
			}
			if hasClass(got, 1) != ftp.MayBePreliminary(verb) || !hasClass(got, 2) && !hasClass(got, 3) {
				t.Errorf("classes of %v", got)
			}
		})
	}
	for _, verb := range []string{"ZZZZ", "port", "PORT ", "P@SW", "XPWD"} {
		if got, ok := ftp.Replies(verb); ok || got != nil {
			t.Errorf("%q: %v", verb, got)
		}
	}
}

func hasClass(codes []int, class int) bool {
	return slices.ContainsFunc(codes, func(c int) bool { return c/100 == class })
}

func TestRepliesAreCopies(t *testing.T) {
	t.Parallel()
	first, _ := ftp.Replies("PASV")
	want := slices.Clone(first)
	for i := range first {
		first[i] = 999
	}
	second, _ := ftp.Replies("PASV")
	if diff := cmp.Diff(want, second); diff != "" {
		t.Errorf("a caller changed the table: %s", diff)
	}
}

func TestTransferVerbs(t *testing.T) {
	t.Parallel()
	transfers := []string{"RETR", "STOR", "STOU", "APPE", "LIST", "NLST", "MLSD"}
	for verb := range documented {
		transfer := slices.Contains(transfers, verb)
		if ftp.IsTransfer(verb) != transfer {
			t.Errorf("%q: transfer %v", verb, !transfer)
		}
		if preliminary := transfer || verb == "REIN" || verb == ""; ftp.MayBePreliminary(verb) != preliminary {
			t.Errorf("%q: preliminary %v", verb, !preliminary)
		}
	}
	for _, verb := range []string{"retr", "MLST", "ABOR", "RETR "} {
		if ftp.IsTransfer(verb) || ftp.MayBePreliminary(verb) {
			t.Errorf("%q taken for a transfer", verb)
		}
	}
}

func ExampleReplies() {
	codes, known := ftp.Replies("PORT")
	fmt.Println(codes, known)
	// Output: [200 421 500 501 503 504 530] true
}
