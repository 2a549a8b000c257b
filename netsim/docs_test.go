package netsim_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/alg"
)

// The description of the form is read by users, and by this test.
func description(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestExamplesOfTheDescription(t *testing.T) {
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(description(t), -1)
	if len(examples) < 2 {
		t.Fatalf("found %d examples", len(examples))
	}
	for i, e := range examples {
		t.Run(fmt.Sprintf("example %d", i+1), func(t *testing.T) {
			spec, err := netsim.Read("example.yaml", strings.NewReader(e[1]))
			if err != nil {
				t.Fatal(err)
			}
			w := world(t, spec, netsim.Options{Seed: 1})
			run(t, w, func() { exchange(t, dial(t, w, w.Client())) })
		})
	}
}

// A key that exists and is not described is of no use to anybody. The keys are
// those that the errors about unknown ones list.
func TestDescriptionIsComplete(t *testing.T) {
	text := description(t)
	keys := 0
	for _, place := range []struct{ more, gw string }{
		{"x: x\n", ""}, {"wires: {client: {x: x}}\n", ""}, {"wires: {client: {cuts: {x: x}}}\n", ""},
		{"", "    x: x\n"}, {"", "    nat: {x: x}\n"}, {"", "    nat: {timeouts: {x: x}}\n"}, {"", "    nat: {forwards: {x: x}}\n"},
		{"", "    filter: {x: x}\n"}, {"", "    filter: {rules: {x: x}}\n"}, {"", "    alg: {x: x}\n"},
	} {
		_, err := netsim.Read("x", strings.NewReader(plain(place.more, place.gw)))
		_, list, ok := strings.Cut(strings.SplitN(fmt.Sprint(err), "\n", 2)[0], "the keys here are ")
		if !ok {
			t.Errorf("%q%q: no keys in %v", place.more, place.gw, err)
			continue
		}
		for key := range strings.SplitSeq(list, ", ") {
			if keys++; !strings.Contains(text, "`"+key+"`") {
				t.Errorf("key %s is not described", key)
			}
		}
	}
	if keys < 60 {
		t.Errorf("there are only %d keys", keys)
	}
	for _, p := range alg.Profiles() {
		if !strings.Contains(text, "`"+string(p)+"`") {
			t.Errorf("profile %s is not described", p)
		}
	}
}
