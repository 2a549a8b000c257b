package ftp_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ftpconform/ftpconform/ftp"
)

func TestLegalityOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		odd  ftp.Oddities
		err  error
		want ftp.Legality
		text string
	}{
		{"nothing unusual", nil, nil, ftp.Legal, "legal"},
		{"empty list", ftp.Oddities{}, nil, ftp.Legal, "legal"},
		{"one oddity", ftp.Oddities{"a"}, nil, ftp.Odd, "legal but odd"},
		{"error", nil, ftp.ErrSyntax, ftp.Illegal, "illegal"},
		{"error outweighs oddity", ftp.Oddities{"a"}, ftp.ErrSyntax, ftp.Illegal, "illegal"},
		{"unknown family", nil, &ftp.FamilyError{Family: "3"}, ftp.Illegal, "illegal"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := ftp.LegalityOf(tt.odd, tt.err)
			if got != tt.want || got.String() != tt.text {
				t.Errorf("got %v (%q), want %v (%q)", int(got), got, int(tt.want), tt.text)
			}
		})
	}
	if got := ftp.Legality(7).String(); got != "Legality(7)" {
		t.Errorf("unknown grade prints as %q", got)
	}
	if got := (ftp.Oddities{"no bar", "a dot"}).String(); got != "no bar; a dot" {
		t.Errorf("oddities print as %q", got)
	}
}

// wantSyntax fails the test unless the error is one of grammar that says
// something and does not repeat a hostile text in full.
func wantSyntax(tb testing.TB, err error) {
	tb.Helper()
	switch {
	case !errors.Is(err, ftp.ErrSyntax):
		tb.Errorf("error %v, want one that wraps ErrSyntax", err)
	case len(err.Error()) <= len(ftp.ErrSyntax.Error())+2:
		tb.Errorf("error %q says nothing", err)
	case len(err.Error()) > 1200:
		tb.Errorf("error of %d octets: %.80q", len(err.Error()), err)
	}
}

// wantFamily fails the test unless the error is the *FamilyError of a family.
func wantFamily(tb testing.TB, err error, family string) {
	tb.Helper()
	var fe *ftp.FamilyError
	switch {
	case !errors.As(err, &fe):
		tb.Errorf("error %v, want a *FamilyError", err)
	case fe.Family != family:
		tb.Errorf("family %q, want %q", fe.Family, family)
	case errors.Is(err, ftp.ErrSyntax):
		tb.Errorf("%v is also a syntax error: 501 and 522 could not be told apart", err)
	case !strings.Contains(err.Error(), "not supported") || len(err.Error()) > 80:
		tb.Errorf("error text %.100q", err)
	}
}

// wantParsed checks what a fuzz target got from a parser: no error, or one of
// the two kinds that the package promises. It reports whether there was none.
func wantParsed(tb testing.TB, err error) bool {
	tb.Helper()
	var fe *ftp.FamilyError
	if err != nil && !errors.As(err, &fe) {
		wantSyntax(tb, err)
	}
	return err == nil
}
