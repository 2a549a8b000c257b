package netsim_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/gateway"
)

func TestBuiltins(t *testing.T) {
	t.Parallel()
	want := []string{"direct", "client-nat", "client-nat-alg", "server-nat", "server-nat-alg", "double-nat",
		"client-firewall", "server-firewall", "ipv6", "hairpin"}
	if got := netsim.Builtins(); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	for _, name := range want {
		spec, err := netsim.Builtin(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if spec.Name != name || !strings.HasSuffix(spec.Title, ".") {
			t.Errorf("%s: name %q, title %q", name, spec.Name, spec.Title)
		}
		if spec.PassivePorts != (gateway.PortRange{First: 50000, Last: 50059}) {
			t.Errorf("%s: passive ports %v", name, spec.PassivePorts)
		}
	}
}

func TestUnknownBuiltin(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "nat", "../direct", "direct.yaml"} {
		if _, err := netsim.Builtin(name); err == nil || !strings.Contains(err.Error(), "direct, client-nat, client-nat-alg") {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

// Checks change the topology that they are given.
func TestBuiltinIsACopy(t *testing.T) {
	t.Parallel()
	for _, name := range netsim.Builtins() {
		spec, err := netsim.Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		spec.Hosts[0].Addrs[0] = spec.Hosts[1].Addrs[0]
		if again, err := netsim.Builtin(name); err != nil || again.Hosts[0].Addrs[0] == spec.Hosts[0].Addrs[0] {
			t.Errorf("%s has changed: %v", name, err)
		}
	}
	names := netsim.Builtins()
	names[0] = "changed"
	if netsim.Builtins()[0] == "changed" {
		t.Error("the list of names has changed")
	}
}
