package named_test

import (
	_ "embed"
	"slices"
	"testing"

	"github.com/ftpconform/ftpconform/internal/named"
)

//go:embed named_test.go
var source string

// Quirks are what this test switches on.
type Quirks struct {
	// Deaf, if true, hears
	// nothing.
	Deaf bool
	// DeafToday hears nothing today. Seen in old men.
	DeafToday bool `id:"Q07"`
	// Blind, if true, sees nothing.
	Blind bool
}

// Other has a field of the same name.
type Other struct {
	// Deaf is something else.
	Deaf bool
}

func TestFields(t *testing.T) {
	t.Parallel()
	want := []named.Field{
		{Name: "Deaf", Doc: "Deaf hears nothing."},
		{Name: "DeafToday", ID: "Q07", Doc: "DeafToday hears nothing today. Seen in old men."},
		{Name: "Blind", Doc: "Blind sees nothing."},
	}
	if got := named.Fields[Quirks](source); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if got := named.Fields[Other](source); !slices.Equal(got, []named.Field{{Name: "Deaf", Doc: "Deaf is something else."}}) {
		t.Errorf("got %q", got)
	}
}

func TestSetAndNames(t *testing.T) {
	t.Parallel()
	var q Quirks
	if got := named.Names(q); got != nil {
		t.Errorf("the zero value has %q", got)
	}
	for _, name := range []string{"BLIND", "q07"} {
		if err := named.Set(&q, "quirk", name); err != nil {
			t.Error(err)
		}
	}
	if q.Deaf || !q.DeafToday || !q.Blind {
		t.Errorf("got %+v", q)
	}
	if got := named.Names(q); !slices.Equal(got, []string{"DeafToday", "Blind"}) {
		t.Errorf("got %q", got)
	}
}

func TestSetUnknown(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"eaf":  `unknown quirk "eaf"; did you mean Deaf, DeafToday?`,
		"dumb": `unknown quirk "dumb"`,
		"":     `unknown quirk ""`,
	} {
		if err := named.Set(&Quirks{}, "quirk", name); err == nil || err.Error() != want {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

func TestUnreadableSource(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	named.Fields[Quirks]("not Go")
}
