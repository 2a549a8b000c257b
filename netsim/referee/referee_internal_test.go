package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/kernel"
	"github.com/ftpconform/ftpconform/netsim/namespace"
)

// TestRecordings replays all that was recorded.
func TestRecordings(t *testing.T) {
	t.Parallel()
	all, err := readVectors("the recordings", recorded)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	agree, err := judgeAll(t.Context(), all, alg.Faults{}, &out)
	if err != nil {
		t.Fatal(err)
	}
	if agree != len(all) || agree < 313 {
		t.Errorf("%d of %d agree:\n%s", agree, len(all), &out)
	}
}

// blind are the faults that the recordings cannot show, and why.
var blind = map[string]string{
	"SplitStalls":   "Linux drops a line that comes in pieces as well",
	"NoAcknowledge": "the recordings have no sequence numbers",
	"NoSACK":        "the recordings have no sequence numbers",
}

// TestFaultsDiffer proves that the recordings can tell a helper that is wrong:
// each of its faults makes some of them differ.
func TestFaultsDiffer(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it replays the recordings once for each fault")
	}
	all, err := readVectors("the recordings", recorded)
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range alg.FaultNames() {
		t.Run(fault.Name, func(t *testing.T) {
			t.Parallel()
			var f alg.Faults
			if err := f.Set(fault.Name); err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(all, func(v vector) bool { return len(v.judge(t.Context(), f).differences) > 0 })
			if why := blind[fault.Name]; (i < 0) != (why != "") {
				t.Errorf("the first recording that differs is number %d; known to be blind: %q", i, why)
			}
		})
	}
}

// live skips a test where the kernel is not at hand.
func live(t *testing.T) {
	t.Helper()
	var missing *namespace.MissingError
	if err := kernel.Available(t.Context()); errors.As(err, &missing) {
		t.Skipf("the recordings are all that the profile is held against: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
}

// TestDuel plays the scripts by rule and some by chance on both gateways.
func TestDuel(t *testing.T) {
	t.Parallel()
	live(t)
	d, err := newDuel(alg.Faults{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	all := cases(d.nets)
	for i := range 300 {
		all = append(all, generate(d.nets, 1, i))
	}
	var out bytes.Buffer
	agree, err := d.compareAll(t.Context(), all, &out)
	if err != nil {
		t.Fatal(err)
	}
	if agree != len(all) || len(all) < 200+300 {
		t.Errorf("%d of %d scripts agree with Linux %s:\n%s", agree, len(all), kernel.Version(), &out)
	}
	if text, err := d.clashes(t.Context(), find(d.nets, "classic")); err != nil || text != "" {
		t.Errorf("%v %s", err, text)
	}
}

// TestDuelDiffers proves that the scripts by rule can tell each fault, but
// SplitStalls: Linux does the same.
func TestDuelDiffers(t *testing.T) {
	live(t)
	if testing.Short() {
		t.Skip("it plays scripts until each fault has shown")
	}
	theirs, err := newDuel(alg.Faults{})
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.close()
	for _, fault := range alg.FaultNames() {
		t.Run(fault.Name, func(t *testing.T) {
			var f alg.Faults
			if err := f.Set(fault.Name); err != nil {
				t.Fatal(err)
			}
			d, err := newDuel(f)
			if err != nil {
				t.Fatal(err)
			}
			d.theirs = theirs.theirs
			if differs := d.first(t); differs != (fault.Name != "SplitStalls") {
				t.Errorf("some script differs: %v", differs)
			}
		})
	}
}

// first reports whether some script differs.
func (d *duel) first(t *testing.T) bool {
	t.Helper()
	for _, s := range cases(d.nets) {
		if text, err := d.fight(t.Context(), s); err != nil {
			t.Fatal(err)
		} else if text != "" {
			return true
		}
	}
	text, err := d.clashes(t.Context(), find(d.nets, "classic"))
	if err != nil {
		t.Fatal(err)
	}
	return text != ""
}

// TestVectorsFile replays files of others: one in which a recording has been
// altered, and some that are none.
func TestVectorsFile(t *testing.T) {
	t.Parallel()
	write := func(text string) string {
		name := filepath.Join(t.TempDir(), "vectors.json")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	one := `{"vectors":[{"id":"mine","title":"PORT","topology":"classic","nat_options":"masquerade","helper":"nft ct helper object",
		"client_segments_on_wire":["USER a\\r\\n","PASS b\\r\\n","PORT 192,168,1,2,4,1\\r\\n"],
		"server_segments":["USER a\\r\\n","PASS b\\r\\n","PORT %s,4,1\\r\\n"],
		"replies_on_server_wire":"220 hi\\r\\n331 pass\\r\\n230 ok\\r\\n200 ok\\r\\n","replies_on_client_wire":"220 hi\\r\\n331 pass\\r\\n230 ok\\r\\n200 ok\\r\\n"}]}`
	for _, c := range []struct {
		name, text string
		want       error // nil where any will do
		says       string
	}{
		{"as it is", strings.Replace(one, "%s", "218,63,1,5", 1), nil, "1 of 1 agree"},
		{"not rewritten", strings.Replace(one, "%s", "192,168,1,2", 1), errDiffer, "0 of 1 agree"},
		{"an address that is none", strings.NewReplacer("%s", "218,63,1,5", "masquerade", "SNAT to nowhere").Replace(one), errDiffer, "it cannot be replayed"},
		{"no list", `{}`, errors.ErrUnsupported, ""},
		{"no JSON", `vectors`, errors.ErrUnsupported, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			err := run(t.Context(), []string{"-vectors", write(c.text)}, &out)
			switch {
			case errors.Is(c.want, errors.ErrUnsupported):
				if err == nil || errors.Is(err, errDiffer) {
					t.Errorf("got %v, want an error about the file", err)
				}
			case !errors.Is(err, c.want):
				t.Errorf("got %v, want %v:\n%s", err, c.want, &out)
			}
			if !strings.Contains(out.String(), c.says) {
				t.Errorf("%q is not in\n%s", c.says, &out)
			}
		})
	}
}
