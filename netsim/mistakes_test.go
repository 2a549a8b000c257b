package netsim_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/wire"
)

// Mistakes in lines that are added to a topology which is right, at its end or
// to its gateway.
func TestReadMistakes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		more, gw string
		want     []string
	}{
		"unknown key":         {"colour: red\n", "", []string{`11: "colour" is unknown; the keys here are name, title, networks`}},
		"key with a slip":     {"pasive-ports: 21\n", "", []string{`11: "pasive-ports" is unknown; did you mean passive-ports?`}},
		"key twice":           {"", "    outside: {network: home, addresses: [192.168.1.9]}\n", []string{`11: gateways.gw: "outside" is given twice, first in line 10`}},
		"merge":               {"<<: {title: x}\n", "", []string{"11: mappings are not merged"}},
		"key that is none":    {"[a]: b\n", "", []string{"11: there is a key that is not a plain word"}},
		"empty key":           {"\"\": b\n", "", []string{"11: there is a key that is not a plain word"}},
		"key of two lines":    {"\"a\\nb\": c\n", "", []string{"11: there is a key that is not a plain word"}},
		"tag":                 {"title: !colour red\n", "", []string{`11: title: there is the tag "!colour"`}},
		"nothing for a value": {"title:\n", "", []string{"11: title: there is nothing where a plain value"}},
		"nothing for a map":   {"wires:\n", "", []string{"11: wires: there is nothing where a mapping"}},
		"list for a value":    {"title: [a]\n", "", []string{"11: title: there is a list"}},
		"value for a map":     {"wires: slow\n", "", []string{`11: wires: there is "slow" where a mapping from hosts and sides of gateways must be`}},
		"map for a value":     {"title: {a: b}\n", "", []string{"11: title: there is a mapping"}},

		"address":                      {"dial: 1.2.3\n", "", []string{`11: dial: "1.2.3" is no address`}},
		"address of none":              {"dial: 218.63.1.99\n", "", []string{"11: dial: nobody has the address 218.63.1.99"}},
		"address that nobody can have": {"advertise: 0.0.0.0\n", "", []string{"11: advertise: 0.0.0.0 is no address that a server could name"}},
		"port":                         {"passive-ports: 0\n", "", []string{`11: passive-ports: "0" is no range of ports`}},
		"port too high":                {"passive-ports: 50000-70000\n", "", []string{`11: passive-ports: "50000-70000" is no range`}},
		"ports backwards":              {"passive-ports: 22-21\n", "", []string{`11: passive-ports: "22-21" is no range`}},
		"no such client":               {"client: clint\n", "", []string{`11: client: there is no host called "clint"; did you mean client?`}},
		"no such stranger":             {"stranger: x\n", "", []string{`11: stranger: there is no host called "x"; there are client, server`}},
		"two parts":                    {"stranger: client\n", "", []string{"11: stranger: host client plays two parts"}},
		"server that is the client":    {"client: server\n", "", []string{"11: client: host server plays two parts, client and server"}},
		"cut without a time":           {"wires: {client: {cuts: [{for: 3s}]}}\n", "", []string{"11: wires.client.cuts[0]: the cut does not say when it begins"}},
		"no decoy":                     {"decoy: server\n", "", []string{"11: decoy: host server plays two parts"}},

		"no such wire":      {"wires: {gw: {}}\n", "", []string{`11: wires.gw: there is no wire called "gw"; there are client, server, gw/inside, gw/outside`}},
		"time without unit": {"wires: {client: {delay: 5}}\n", "", []string{"11: wires.client.delay: 5 has no unit; write 5ms, 5s or 5m"}},
		"negative time":     {"wires: {client: {jitter: -1ms}}\n", "", []string{"11: wires.client.jitter: -1ms is negative"}},
		"no time":           {"wires: {client: {delay: soon}}\n", "", []string{`11: wires.client.delay: "soon" is no time`}},
		"time of 0":         {"wires: {client: {delay: 0s}}\n", "", []string{"11: wires.client.delay: the time must be longer than 0"}},
		"probability":       {"wires: {client: {loss: 101%}}\n", "", []string{`11: wires.client.loss: "101%" is no probability; it must be from 0 to 1`}},
		"negative chance":   {"wires: {client: {loss: -0.1}}\n", "", []string{`11: wires.client.loss: "-0.1" is no probability`}},
		"chance of NaN":     {"wires: {client: {loss: NaN}}\n", "", []string{`11: wires.client.loss: "NaN" is no probability`}},
		"no chance":         {"wires: {client: {loss: some}}\n", "", []string{`11: wires.client.loss: "some" is no probability; write one`}},
		"rate without unit": {"wires: {client: {rate: 10}}\n", "", []string{`11: wires.client.rate: "10" is no rate`}},
		"rate of 0":         {"wires: {client: {rate: 0Mbit}}\n", "", []string{`11: wires.client.rate: "0Mbit" is no rate`}},
		"endless rate":      {"wires: {client: {rate: infMbit}}\n", "", []string{`11: wires.client.rate: "infMbit" is no rate`}},
		"queue":             {"wires: {client: {queue: -5}}\n", "", []string{`11: wires.client.queue: "-5" is no number of octets`}},
		"MTU":               {"wires: {client: {mtu: 67}}\n", "", []string{`11: wires.client.mtu: "67" is no MTU; it is in octets and from 68 to 65535`}},
		"cut without a unit": {"wires:\n  client:\n    cuts:\n    - {at: 1s}\n    - {at: 1}\n", "",
			[]string{"15: wires.client.cuts[1].at: 1 has no unit"}},
		"one direction": {"wires:\n  client:\n    in: {loss: 2}\n", "", []string{`13: wires.client.in.loss: "2" is no probability`}},

		"no NAT":             {"", "    nat:\n", []string{"11: gateways.gw.nat: there is nothing where a plain value"}},
		"preset":             {"", "    nat: bsd\n", []string{`11: gateways.gw.nat: there is no "bsd"; there are rfc5382, linux`}},
		"preset in a map":    {"", "    nat: {preset: linus}\n", []string{`11: gateways.gw.nat.preset: there is no "linus"; did you mean linux?`}},
		"behaviour":          {"", "    nat: {mapping: cone}\n", []string{`11: gateways.gw.nat.mapping: there is no "cone"; there are endpoint-independent,`}},
		"switch":             {"", "    nat: {overload: maybe}\n", []string{`11: gateways.gw.nat.overload: "maybe" is neither true nor false`}},
		"number":             {"", "    nat: {max-mappings: -1}\n", []string{`11: gateways.gw.nat.max-mappings: "-1" is no whole number from 1 on`}},
		"forward to nobody":  {"", "    nat: {forwards: [{ports: 21, to: 192.168.1.9}]}\n", []string{"11: gateways.gw.nat.forwards[0].to: nobody on network home has the address 192.168.1.9; those who are there have 192.168.1.1, 192.168.1.2"}},
		"forward to nothing": {"", "    nat: {forwards: [{ports: 21}]}\n", []string{"11: gateways.gw.nat.forwards[0].to: the forward leads nowhere"}},
		"forward of nothing": {"", "    nat: {forwards: [{to: 192.168.1.2}]}\n", []string{"11: gateways.gw.nat.forwards[0].ports: a forward of no ports"}},
		"forward from elsewhere": {"", "    nat: {forwards: [{address: 218.63.1.7, ports: 21, to: 192.168.1.2}]}\n",
			[]string{"11: gateways.gw.nat.forwards[0].address: 218.63.1.7 is no outside address of gw; it has 218.63.1.5"}},
		"forwards that clash": {"", "    nat: {forwards: [{ports: 20-30, to: 192.168.1.2}, {ports: 21, to: 192.168.1.2}]}\n",
			[]string{"11: gateways.gw.nat.forwards[1].ports: of the ports 21-21 some lead to 192.168.1.2 already"}},
		"forward beyond the last port": {"", "    nat: {forwards: [{ports: 20-30, to: 192.168.1.2, port: 65530}]}\n", []string{"11: gateways.gw.nat: forward of ports"}},
		"pool": {"", "    nat: {addresses: [218.63.1.5, 218.63.1.100, 218.64.0.1]}\n",
			[]string{"11: gateways.gw.nat.addresses[1]: 218.63.1.100 is already an address of server", "11: gateways.gw.nat.addresses[2]: 218.64.0.1 is not in 218.63.1.0/24"}},
		"interface":    {"", "    filter: {rules: [{in: lan}]}\n", []string{`11: gateways.gw.filter.rules[0].in: there is no "lan"; there are inside, outside`}},
		"state":        {"", "    filter: {rules: [{state: [new, old]}]}\n", []string{`11: gateways.gw.filter.rules[0].state[1]: there is no "old"`}},
		"action":       {"", "    filter: {rules: [{action: reject}]}\n", []string{`11: gateways.gw.filter.rules[0].action: there is no "reject"; there are accept, drop, reject-reset`}},
		"place":        {"", "    filter: {rules: [{from: home}]}\n", []string{`11: gateways.gw.filter.rules[0].from: "home" is neither a prefix nor an address`}},
		"two families": {"", "    filter: {rules: [{from: 10.0.0.0/8, to: \"::1\"}]}\n", []string{"11: gateways.gw.filter: rule 1: source"}},
		"unknown":      {"", "    unknown: refuse\n", []string{`11: gateways.gw.unknown: there is no "refuse"; there are hold, drop, reset, icmp`}},
		"profile":      {"", "    alg: cisco\n", []string{`11: gateways.gw.alg: there is no "cisco"; there are off, linux, reassembling,`}},
		"ALG port":     {"", "    alg: {profile: linux, ports: [21, ftp]}\n", []string{`11: gateways.gw.alg.ports[1]: "ftp" is no port`}},
		"several": {"dial: x\nclient: y\n", "    nat: {mapping: x}\n    alg: y\n",
			[]string{`11: gateways.gw.nat.mapping`, `12: gateways.gw.alg`, `13: dial`, `14: client`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := netsim.Read("dir/x.yaml", strings.NewReader(plain(test.more, test.gw)))
			wantMistakes(t, err, "dir/x.yaml:", test.want)
		})
	}
}

// wantMistakes compares the mistakes of a topology with how they should begin.
func wantMistakes(t *testing.T, err error, file string, want []string) {
	t.Helper()
	var bad *netsim.Error
	if !errors.As(err, &bad) {
		t.Fatalf("got %v, and no *Error", err)
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(want) {
		t.Errorf("got %d mistakes, want %d:\n%v", len(lines), len(want), err)
		return
	}
	for i, w := range want {
		if !strings.HasPrefix(lines[i], file+w) {
			t.Errorf("got  %s\nwant %s", lines[i], file+w)
		}
	}
}

// Mistakes of whole files.
func TestReadWrongTopologies(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want []string
	}{
		"empty":                      {"", []string{" the file is empty"}},
		"only a comment":             {"# nothing\n", []string{" the file is empty"}},
		"a word":                     {"direct", []string{`1: there is "direct" where a mapping with the keys name, title, networks,`}},
		"no YAML":                    {"name: x\nnetworks: [}\n", []string{"2: this is not YAML: did not find expected node content"}},
		"bad indentation":            {"networks:\n  a: 1\n b: 2\n", []string{"3: this is not YAML: did not find expected key"}},
		"two colons":                 {"name: x\ntitle: y: z\n", []string{"2: this is not YAML: mapping values are not allowed"}},
		"no UTF-8":                   {"name: \xff\n", []string{"1: this is not YAML"}},
		"unknown anchor":             {"name: *x\n", []string{"1: this is not YAML: unknown anchor"}},
		"anchor not known in line 3": {"a: &b 5*x\nc: *b\nd: [*x]\n", []string{"3: this is not YAML: unknown anchor 'x'"}},
		"control character":          {"name: x\ntitle: a\x01b\n", []string{"2: this is not YAML: control characters"}},
		"two documents":              {"name: a\n---\nname: b\n", []string{"2: a second document begins here"}},
		"second one wrong":           {"name: a\n---\n[}\n", []string{"3: this is not YAML"}},
		"alias to itself":            {"name: &a [*a]\nhosts: *a\nnetworks: *a", []string{"1: name: there is a list", "2: hosts: there is a list", "3: networks: there is a list"}},
		"nothing but a name": {"name: a\n", []string{"1: networks: there is no network",
			"1: hosts.client: a host called client is needed, or the key client at the top with the name of one; there are none", "1: hosts.server: a host called server"}},
		"things that do not fit": {`
networks:
  home:  {prefix: 192.168.1.7/24, via: gw}
  empty: {prefix: 10.0.0.0/8}
  none:  {}
  sad face: {prefix: 10.9.0.0/16}
hosts:
  client: {network: hoem, addresses: [192.168.1.2]}
  serve:  {network: home, adresses: [192.168.1.100]}
  three:  {network: home, addresses: [192.168.1.0, 192.168.2.1, "::1", 192.168.1.3, 192.168.1.3]}
  alone:  {addresses: []}
gateways:
  gw: {outside: {network: none, addresses: [10.9.0.1]}}
`, []string{
			"3: networks.home.prefix: 192.168.1.7/24 has bits set beyond its length; the network is 192.168.1.0/24",
			`3: networks.home.via: there is no gateway on this network called "gw", and no other either`,
			"4: networks.empty: nobody is on this network",
			"5: networks.none.prefix: the network has no prefix",
			`6: networks.sad face: "sad face" is no name`,
			"6: networks.sad face: nobody is on this network",
			"7: hosts.server: a host called server is needed, or the key server at the top with the name of one; there are client, serve, three, alone",
			`8: hosts.client.network: there is no network called "hoem"; did you mean home? There are home, empty, none, sad face`,
			`9: hosts.serve: "adresses" is unknown; did you mean addresses?`,
			"10: hosts.three.addresses[0]: 192.168.1.0 means all of network home, or itself",
			"10: hosts.three.addresses[1]: 192.168.2.1 is not in 192.168.1.0/24, the prefix of network home",
			"10: hosts.three.addresses[2]: ::1 cannot be a node's address",
			"10: hosts.three.addresses[4]: 192.168.1.3 is already an address of three on network home",
			"11: hosts.alone.network: it belongs to no network; give it one of home, empty, none, sad face",
			"11: hosts.alone.addresses: alone has no address",
			"13: gateways.gw.inside: this side is missing",
		}},
		"sides": {`
networks: {a: {prefix: 10.0.0.0/8, via: x}, b: {prefix: 10.1.0.0/16}}
hosts: {client: {network: a, addresses: [10.0.0.1]}, server: {network: b, addresses: [10.1.0.1]}}
gateways:
  x: {inside: {network: a, addresses: [10.0.0.2]}, outside: {network: b, addresses: [10.1.0.2]}}
  y: {inside: {network: a, addresses: [10.0.0.3]}, outside: {network: a, addresses: [10.0.0.4]}}
  client: {inside: {network: a, addresses: [10.0.0.5]}, outside: {network: b}}
`, []string{"5: gateways.x.outside.network: 10.1.0.0/16 on the outside and 10.0.0.0/8 on the inside overlap",
			"6: gateways.y.outside.network: both sides are on network a",
			"7: gateways.client: the name client is given twice",
			"7: gateways.client.outside.addresses: client has no address",
			"7: gateways.client.outside.network: 10.1.0.0/16 on the outside"}},
		"no way": {`
networks: {a: {prefix: 10.0.0.0/8}, b: {prefix: 10.0.0.0/8}}
hosts: {client: {network: a, addresses: [10.0.0.1]}, server: {network: b, addresses: [10.1.0.1]}}
`, []string{"2: networks.a.via: the client is to reach 10.1.0.1, which is not on this network"}},
		"another family": {`
networks: {a: {prefix: 10.0.0.0/8}, b: {prefix: "2001:db8::/64"}}
hosts: {client: {network: a, addresses: [10.0.0.1]}, server: {network: b, addresses: ["2001:db8::1"]}}
`, []string{"2: dial: the client has no address of the family of 2001:db8::1"}},
		"a decoy without the client's address": {`
networks: {a: {prefix: 10.0.0.0/8}}
hosts: {client: {network: a, addresses: [10.0.0.1]}, server: {network: a, addresses: [10.0.0.2]}, d: {network: a, addresses: [10.0.0.3]}}
decoy: d
`, []string{"4: decoy: host d is no decoy; one has an address of the client, 10.0.0.1, and is on the server's network, a"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := netsim.Read("x.yaml", strings.NewReader(test.text))
			wantMistakes(t, err, "x.yaml:", test.want)
		})
	}
}

// A Go value is checked as well; there are no lines to name.
func TestCheck(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*netsim.Topology)
		want   []string
	}{
		"host twice": {func(s *netsim.Topology) { s.Hosts = append(s.Hosts, s.Hosts[0]) },
			[]string{"hosts.client: the name client is given twice", "hosts.client.addresses[0]: 192.168.1.2 is already an address of client"}},
		"wire twice": {func(s *netsim.Topology) { s.Wires = []netsim.Wire{{Name: "client"}, {Name: "client"}} },
			[]string{"wires.client: the wire is given twice"}},
		"wire": {func(s *netsim.Topology) { s.Wires = []netsim.Wire{{Name: "client", In: wire.Spec{Loss: 2}}} },
			[]string{"wires.client.in: loss is 2"}},
		"prefix":    {func(s *netsim.Topology) { s.Networks[0].Prefix = netip.Prefix{} }, []string{"networks.home.prefix: the network has no prefix"}},
		"behaviour": {func(s *netsim.Topology) { s.Gateways[0].NAT.Mapping = 9 }, []string{"gateways.gw.nat: there is no behaviour 9"}},
		"profile":   {func(s *netsim.Topology) { s.Gateways[0].ALG.Profile = "x" }, []string{`gateways.gw.alg: unknown profile "x"; there are [off linux`}},
		"ports": {func(s *netsim.Topology) { s.PassivePorts = gateway.PortRange{First: 9} },
			[]string{"passive-ports: 9-0 is no range of ports"}},
		"zone": {func(s *netsim.Topology) { s.Hosts[0].Addrs[0] = netip.MustParseAddr("fe80::1%eth0") },
			[]string{"hosts.client.addresses[0]: fe80::1%eth0 cannot be a node's address", "dial: the client has no address of the family"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec, err := netsim.Builtin("client-nat")
			if err != nil {
				t.Fatal(err)
			}
			if err := spec.Check(); err != nil {
				t.Fatal(err)
			}
			test.change(&spec)
			wantMistakes(t, spec.Check(), "topology client-nat: ", test.want)
		})
	}
	if err := (netsim.Topology{}).Check(); err == nil {
		t.Error("the zero value is no topology")
	}
}

// TestReadNamesOfTopologies: files are named after a topology, so that it has a plain name
// or gets one from its file.
func TestReadNamesOfTopologies(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{"a.b-c_7": true, strings.Repeat("x", 64): true, strings.Repeat("x", 65): false,
		"../../x": false, "..": false, ".x": false, "a/b": false, "a b": false, "\"a\\x00\"": false} {
		_, err := netsim.Read("x.yaml", strings.NewReader(withName(plain("", ""), name)))
		if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "is no name of a topology") {
			t.Errorf("%s: %v", name, err)
		}
	}
	got, err := netsim.Read("dir/..a b/c"+strings.Repeat("é", 40)+".yaml", strings.NewReader(withName(plain("", ""), "")))
	if want := "c" + strings.Repeat("-", 40); err != nil || got.Name != want {
		t.Errorf("%q, %v, want %q", got.Name, err, want)
	}
}

// withName gives a topology another name, none if it is empty.
func withName(text, name string) string {
	var out []string
	for _, l := range strings.Split(text, "\n") {
		if !strings.HasPrefix(l, "name:") {
			out = append(out, l)
		}
	}
	if name != "" {
		out = append(out, "name: "+name)
	}
	return strings.Join(out, "\n") + "\n"
}
