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
	good := strings.Replace(one, "%s", "218,63,1,5", 1)
	with := func(field string) string { return strings.Replace(good, `"topology"`, field+`,"topology"`, 1) }
	const expected = "299 proto=6 src=218.63.1.100 dst=218.63.1.5 sport=0 dport=1025 mask-src=255.255.255.255 mask-dst=255.255.255.255 sport=0 dport=65535 " +
		"master-src=192.168.1.2 master-dst=218.63.1.100 sport=41001 dport=21 class=0 helper=ftp"
	expecting := func(from, to string) string {
		return with(`"expectations":["` + strings.Replace(expected, from, to, 1) + `"]`)
	}
	for _, c := range []struct {
		name, text string
		want       error // nil where all agree, ErrUnsupported where the file is at fault
		says       string
	}{
		{"as it is", good, nil, "1 of 1 agree"},
		{"not rewritten", strings.Replace(one, "%s", "192,168,1,2", 1), errDiffer, "0 of 1 agree"},
		{"an expectation", expecting("", ""), nil, "1 of 1 agree"},
		{"after some time", expecting("299", "after PORT: 299"), nil, "1 of 1 agree"},
		{"another port of the client", expecting("41001", "41007"), nil, "1 of 1 agree"},
		{"another source", expecting("src=218.63.1.100", "src=218.63.1.101"), errDiffer, "expected is recorded"},
		{"UDP", expecting("proto=6", "proto=17"), errDiffer, "expected is recorded"},
		{"from one port", expecting("sport=0", "sport=20"), errDiffer, "expected is recorded"},
		{"from a network", expecting("mask-src=255.255.255.255", "mask-src=255.255.255.0"), errDiffer, "expected is recorded"},
		{"to many ports", expecting("65535", "0"), errDiffer, "expected is recorded"},
		{"by somebody else", expecting("master-dst=218.63.1.100", "master-dst=218.63.1.101"), errDiffer, "expected is recorded"},
		{"by another connection", expecting("dport=21 ", "dport=2121 "), errDiffer, "expected is recorded"},
		{"of another helper", expecting("helper=ftp", "helper=sip"), errDiffer, "expected is recorded"},
		{"no list", `{}`, errors.ErrUnsupported, "has no vectors"},
		{"a list alone", `[]`, errors.ErrUnsupported, "it must be a JSON object with the list vectors: it is a list, and has to be an object"},
		{"no JSON", `vectors`, errors.ErrUnsupported, "must be a JSON object"},
		{"vectors that are one", `{"vectors":{}}`, errors.ErrUnsupported, "vectors it is an object, and has to be a list"},
		{"an empty vector", `{"vectors":[{}]}`, errors.ErrUnsupported, "vector 1: the field id is missing"},
		{"a text for a vector", `{"vectors":["x"]}`, errors.ErrUnsupported, "vector 1: it is a text, and has to be an object"},
		{"another field beside", `{"vectors":[],"vektors":[]}`, errors.ErrUnsupported, `the field "vektors" is unknown`},
		{"an unknown field", with(`"expectation":[]`), errors.ErrUnsupported, `vector 1 (mine): the field "expectation" is unknown`},
		{"a field of another kind", with(`"notes":7`), errors.ErrUnsupported, "vector 1 (mine): the field notes is a number, and has to be a text"},
		{"a list of another kind", with(`"stimulus":"x"`), errors.ErrUnsupported, "the field stimulus is a text, and has to be a list"},
		{"an unknown topology", strings.Replace(good, "classic", "ring", 1), errors.ErrUnsupported, `vector 1 (mine): the topology is "ring"`},
		{"an unknown helper", strings.Replace(good, "nft ct helper object", "sip", 1), errors.ErrUnsupported, `vector 1 (mine): the helper is "sip"`},
		{"a helper of two gateways", strings.Replace(good, "nft ct helper object", "CGN only", 1), errors.ErrUnsupported, `has no meaning in the topology "classic"`},
		{"an unknown option", strings.Replace(good, "masquerade", "masquerade, hairpin", 1), errors.ErrUnsupported, `vector 1 (mine): nat_options: "hairpin" has no meaning`},
		{"no option", strings.Replace(good, "masquerade", "", 1), errors.ErrUnsupported, `nat_options: "" has no meaning`},
		{"an address that is none", strings.Replace(good, "masquerade", "SNAT to nowhere", 1), errors.ErrUnsupported, "does not name an address"},
		{"an expectation in other words", with(`"expectations":["tcp 21"]`), errors.ErrUnsupported, `vector 1 (mine): expectations 1: "tcp 21" is not what conntrack -L expect writes`},
		{"an expectation of nobody", expecting("src=218.63.1.100", "src=nobody"), errors.ErrUnsupported, `"nobody" is no address`},
		{"an unknown result", with(`"server_data":[{"mode":"active","target":"218.63.1.5:1025","result":"fine"}]`), errors.ErrUnsupported, `server_data 1: the result is "fine"`},
		{"no target", with(`"server_data":[{"mode":"active","result":"refused"}]`), errors.ErrUnsupported, "an active one needs a target"},
		{"an unknown field of a connection", with(`"server_data":[{"mode":"none","result":"timeout","who":"x"}]`), errors.ErrUnsupported, `server_data 1: the field "who" is unknown`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			err := run(t.Context(), []string{"-vectors", write(c.text)}, &out)
			said := out.String()
			switch {
			case errors.Is(c.want, errors.ErrUnsupported):
				if err == nil || errors.Is(err, errDiffer) {
					t.Fatalf("got %v, want an error about the file", err)
				}
				said = err.Error()
			case !errors.Is(err, c.want):
				t.Errorf("got %v, want %v:\n%s", err, c.want, &out)
			}
			if !strings.Contains(said, c.says) {
				t.Errorf("%q is not in\n%s", c.says, said)
			}
		})
	}
}

// TestRefused: a recorded attempt that a gateway has refused, or that got nowhere,
// must not get through here.
func TestRefused(t *testing.T) {
	t.Parallel()
	all, err := readVectors("the recordings", recorded)
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for i := range all {
		v := &all[i]
		if len(v.ServerData) != 1 || v.sessions() > 1 || len(v.readings()) > 3 || v.ServerData[0].Mode != "active" || v.ServerData[0].Result != through ||
			len(v.judge(t.Context(), alg.Faults{}).differences) > 0 || !strings.HasPrefix(v.ServerData[0].Target, "218.63.1.5:") {
			continue
		}
		tried++
		for _, result := range []string{refused, silence} {
			v.ServerData[0].Result = result
			if d := v.judge(t.Context(), alg.Faults{}).differences; len(d) == 0 {
				t.Errorf("%s agrees that its data connection is %s", v.ID, result)
			}
		}
	}
	if tried < 10 {
		t.Errorf("%d were tried", tried)
	}
}

// TestFlags: what cannot be meant is refused before anything is played.
func TestFlags(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-cases", "-1"}, {"-vectors", "a", "b"}} {
		var out bytes.Buffer
		if err := run(t.Context(), args, &out); err == nil || errors.Is(err, errDiffer) || out.Len() > 0 {
			t.Errorf("%v: %v, %s", args, err, &out)
		}
	}
}
