package netsim

import (
	"bytes"
	"embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed topologies/*.yaml
var topologies embed.FS

// builtins are the names of the embedded topologies, the simplest first.
var builtins = []string{"direct", "client-nat", "client-nat-alg", "server-nat", "server-nat-alg", "double-nat",
	"client-firewall", "server-firewall", "ipv6", "hairpin"}

// Builtins lists the names of the topologies that Builtin knows.
func Builtins() []string { return slices.Clone(builtins) }

// Builtin returns a topology of those that are part of the program. Every call
// returns one that may be changed.
func Builtin(name string) (Topology, error) {
	if !slices.Contains(builtins, name) {
		return Topology{}, fmt.Errorf("there is no built-in topology %s; there are %s", quoted(name), strings.Join(builtins, ", "))
	}
	file := name + ".yaml"
	data, err := topologies.ReadFile("topologies/" + file)
	if err != nil {
		return Topology{}, fmt.Errorf("built-in topology %s: %w", name, err)
	}
	return Read(file, bytes.NewReader(data))
}
