package netsim_test

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/wire"
)

// everything has every key once.
const everything = `
name: everything
title: All that can be said.
networks:
  home:     {prefix: 192.168.1.0/24, via: gw}
  internet: {prefix: 218.63.1.0/24, silent: true}
hosts:
  me:    {network: home, addresses: [192.168.1.2]}
  them:  {network: internet, addresses: [218.63.1.100, 218.63.1.101]}
  other: {network: internet, addresses: 218.63.1.200}
  fake:  {network: internet, addresses: [192.168.1.2]}
gateways:
  gw:
    inside:  {network: home, addresses: [192.168.1.1]}
    outside: {network: internet, addresses: [218.63.1.5]}
    nat:
      mapping: address-dependent
      filtering: address-and-port-dependent
      ports: sequential
      port-range: 2000-2999
      overload: true
      pooling: arbitrary
      hairpin: internal-source
      timeouts: {established: 1h, transitory: 1m, close: 10s, hold: 3s}
      addresses: [218.63.1.5, 218.63.1.6]
      forwards:
        - {ports: 21, to: 192.168.1.2, port: 2121}
        - {address: 218.63.1.6, ports: 50000-50059, to: 192.168.1.2}
      max-mappings: 100
      strict: true
    filter:
      default: drop
      rules:
        - {in: outside, out: inside, state: [established, related], action: accept}
        - {from: 192.168.1.0/24, to: 218.63.1.100, ports: 21, state: new, action: reject-reset}
      timeouts: {established: 2h}
      max-connections: 200
      strict: true
    unknown: icmp
    alg: {profile: linux, ports: [21, 2121], loose: true}
wires:
  me: {delay: 5ms, jitter: 1ms, rate: 10Mbit, queue: 256KiB, loss: 1%, duplicate: 0, reorder: 0.5, corrupt: 0.1%, mtu: 1400, cuts: [{at: 3s, for: 2s}, {at: 1m}]}
  gw/outside: {loss: 2%, in: {loss: 3%}, out: {delay: 1ms}}
client: me
server: them
stranger: other
decoy: fake
dial: 218.63.1.101
advertise: 203.0.113.9
passive-ports: 50000-50059
`

func TestReadEverything(t *testing.T) {
	t.Parallel()
	addr, prefix := netip.MustParseAddr, netip.MustParsePrefix
	me := wire.Spec{Delay: 5 * time.Millisecond, Jitter: time.Millisecond, Rate: 1.25e6, Queue: 256 << 10, Loss: 0.01,
		Reorder: 0.5, Corrupt: 0.001, MTU: 1400, Cuts: []wire.Cut{{At: 3 * time.Second, For: 2 * time.Second}, {At: time.Minute}}}
	want := netsim.Topology{
		Name: "everything", Title: "All that can be said.",
		Networks: []netsim.Network{{Name: "home", Prefix: prefix("192.168.1.0/24"), Via: "gw"},
			{Name: "internet", Prefix: prefix("218.63.1.0/24"), Silent: true}},
		Hosts: []netsim.Host{
			{Name: "me", Network: "home", Addrs: []netip.Addr{addr("192.168.1.2")}},
			{Name: "them", Network: "internet", Addrs: []netip.Addr{addr("218.63.1.100"), addr("218.63.1.101")}},
			{Name: "other", Network: "internet", Addrs: []netip.Addr{addr("218.63.1.200")}},
			{Name: "fake", Network: "internet", Addrs: []netip.Addr{addr("192.168.1.2")}}},
		Gateways: []netsim.Gateway{{Name: "gw",
			Inside:  netsim.Side{Network: "home", Addrs: []netip.Addr{addr("192.168.1.1")}},
			Outside: netsim.Side{Network: "internet", Addrs: []netip.Addr{addr("218.63.1.5")}},
			NAT: &gateway.NAT{Mapping: gateway.AddressDependent, Filtering: gateway.AddressAndPortDependent,
				Ports: gateway.Sequential, PortRange: gateway.PortRange{First: 2000, Last: 2999}, Overload: true,
				Pooling: gateway.Arbitrary, Hairpin: gateway.HairpinInternalSource,
				Timeouts:  gateway.Timeouts{Established: time.Hour, Transitory: time.Minute, Close: 10 * time.Second, Hold: 3 * time.Second},
				Addresses: []netip.Addr{addr("218.63.1.5"), addr("218.63.1.6")},
				Forwards: []gateway.Forward{
					{Ports: gateway.PortRange{First: 21, Last: 21}, To: addr("192.168.1.2"), Port: 2121},
					{Addr: addr("218.63.1.6"), Ports: gateway.PortRange{First: 50000, Last: 50059}, To: addr("192.168.1.2")}},
				MaxMappings: 100, Strict: true},
			Filter: &gateway.Filter{Default: gateway.Drop, MaxConnections: 200, Strict: true,
				Timeouts: gateway.Timeouts{Established: 2 * time.Hour},
				Rules: []gateway.Rule{
					{In: "outside", Out: "inside", State: gateway.StateEstablished | gateway.StateRelated, Action: gateway.Accept},
					{Src: prefix("192.168.1.0/24"), Dst: prefix("218.63.1.100/32"), Ports: gateway.PortRange{First: 21, Last: 21},
						State: gateway.StateNew, Action: gateway.RejectReset}}},
			Unknown: gateway.UnknownICMP,
			ALG:     alg.Options{Profile: alg.Linux, Ports: []uint16{21, 2121}, Loose: true}}},
		Wires: []netsim.Wire{{Name: "me", Out: me, In: me},
			{Name: "gw/outside", Out: wire.Spec{Loss: 0.02, Delay: time.Millisecond}, In: wire.Spec{Loss: 0.03}}},
		Client: "me", Server: "them", Stranger: "other", Decoy: "fake",
		Dial: addr("218.63.1.101"), Advertise: addr("203.0.113.9"),
		PassivePorts: gateway.PortRange{First: 50000, Last: 50059},
	}
	got, err := netsim.Read("everything.yaml", strings.NewReader(everything))
	if err != nil {
		t.Fatal(err)
	}
	same := cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})
	if d := cmp.Diff(want, got, same, cmpopts.EquateApprox(0, 1e-12)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	world(t, got, netsim.Options{})
}

// plain is a small topology with a place for more, and one for the gateway.
func plain(more, gw string) string {
	return `networks:
  home:     {prefix: 192.168.1.0/24, via: gw}
  internet: {prefix: 218.63.1.0/24}
hosts:
  client: {network: home, addresses: [192.168.1.2]}
  server: {network: internet, addresses: [218.63.1.100]}
gateways:
  gw:
    inside:  {network: home, addresses: [192.168.1.1]}
    outside: {network: internet, addresses: [218.63.1.5]}
` + gw + more
}

func TestReadPresets(t *testing.T) {
	t.Parallel()
	linux, rfc := gateway.Linux(), gateway.RFC5382()
	changed := gateway.Linux()
	changed.NAT.Timeouts.Established = time.Hour
	tests := map[string]struct {
		gw      string
		nat     *gateway.NAT
		unknown gateway.Unknown
	}{
		"none":                {"", nil, gateway.UnknownHold},
		"zero value":          {"    nat: {}\n", &gateway.NAT{}, gateway.UnknownHold},
		"rfc5382":             {"    nat: rfc5382\n", rfc.NAT, gateway.UnknownHold},
		"linux":               {"    nat: linux\n", linux.NAT, gateway.UnknownReset},
		"linux, changed":      {"    nat: {timeouts: {established: 1h}, preset: linux}\n", changed.NAT, gateway.UnknownReset},
		"unknown counts more": {"    unknown: drop\n    nat: {preset: linux}\n", linux.NAT, gateway.UnknownDrop},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := netsim.Read("x.yaml", strings.NewReader(plain("", test.gw)))
			if err != nil {
				t.Fatal(err)
			}
			g := got.Gateways[0]
			if d := cmp.Diff(test.nat, g.NAT, cmpopts.EquateComparable(netip.Addr{})); d != "" || g.Unknown != test.unknown {
				t.Errorf("unknown is %d, want %d; -want +got:\n%s", g.Unknown, test.unknown, d)
			}
		})
	}
}

// The order of a file is that in which its nodes act.
func TestReadKeepsTheOrder(t *testing.T) {
	t.Parallel()
	text := "hosts:\n"
	var want []string
	for _, name := range []string{"z", "client", "m", "server", "a"} {
		text += fmt.Sprintf("  %s: {network: net, addresses: [10.0.0.%d]}\n", name, len(want)+1)
		want = append(want, name)
	}
	got, err := netsim.Read("x.yaml", strings.NewReader(text+"networks: {net: {prefix: 10.0.0.0/8}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, h := range got.Hosts {
		names = append(names, h.Name)
	}
	if !slices.Equal(names, want) {
		t.Errorf("got %q", names)
	}
}

func TestReadNames(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{"dir/my-net.yaml": "my-net", "x": "x"} {
		got, err := netsim.Read(file, strings.NewReader(plain("", "")))
		if err != nil || got.Name != want {
			t.Errorf("%s: name %q, %v", file, got.Name, err)
		}
	}
}

func TestReadAliases(t *testing.T) {
	t.Parallel()
	got, err := netsim.Read("x.yaml", strings.NewReader(plain("wires:\n  client: &bad {loss: 2%}\n  gw/inside: *bad\n", "")))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Wires) != 2 || got.Wires[1].Out.Loss != 0.02 {
		t.Errorf("got %+v", got.Wires)
	}
}

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
		"empty":            {"", []string{" the file is empty"}},
		"only a comment":   {"# nothing\n", []string{" the file is empty"}},
		"a word":           {"direct", []string{`1: there is "direct" where a mapping with the keys name, title, networks,`}},
		"no YAML":          {"name: x\nnetworks: [}\n", []string{"2: this is not YAML: did not find expected node content"}},
		"bad indentation":  {"networks:\n  a: 1\n b: 2\n", []string{"3: this is not YAML: did not find expected key"}},
		"two colons":       {"name: x\ntitle: y: z\n", []string{"2: this is not YAML: mapping values are not allowed"}},
		"no UTF-8":         {"name: \xff\n", []string{" this is not YAML"}},
		"unknown anchor":   {"name: *x\n", []string{" this is not YAML: unknown anchor"}},
		"two documents":    {"name: a\n---\nname: b\n", []string{"2: a second document begins here"}},
		"second one wrong": {"name: a\n---\n[}\n", []string{"3: this is not YAML"}},
		"alias to itself":  {"name: &a [*a]\nhosts: *a\nnetworks: *a", []string{"1: name: there is a list", "2: hosts: there is a list", "3: networks: there is a list"}},
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

func TestReadNoMoreThanIsGood(t *testing.T) {
	t.Parallel()
	t.Run("large file", func(t *testing.T) {
		t.Parallel()
		_, err := netsim.Read("x", io.MultiReader(strings.NewReader("name: x\n"), strings.NewReader(strings.Repeat("#\n", 1<<19))))
		wantMistakes(t, err, "x: ", []string{"the file is larger than 1024 KiB"})
	})
	t.Run("many mistakes", func(t *testing.T) {
		t.Parallel()
		var text strings.Builder
		for i := range 50 {
			fmt.Fprintf(&text, "key%d: x\n", i)
		}
		_, err := netsim.Read("x", strings.NewReader(plain(text.String(), "")))
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != 20 || lines[19] != "x:30: from here on there are 31 more mistakes" {
			t.Errorf("got %d lines, the last one %s", len(lines), lines[len(lines)-1])
		}
	})
	t.Run("aliases", func(t *testing.T) {
		t.Parallel()
		var text strings.Builder
		text.WriteString("wires:\n  client: {cuts: &cuts [" + strings.Repeat("&cut {at: 1s, for: 1s},", 500) + "]}\n")
		for i := range 500 {
			fmt.Fprintf(&text, "  w%d: {cuts: *cuts}\n", i)
		}
		_, err := netsim.Read("x", strings.NewReader(plain(text.String(), "")))
		if err == nil || !strings.Contains(err.Error(), "more than 10000 values") {
			t.Errorf("got %.1000v", err)
		}
	})
	t.Run("reader that fails", func(t *testing.T) {
		t.Parallel()
		broken := errors.New("broken")
		_, err := netsim.Read("x", io.MultiReader(strings.NewReader("name: x\n"), failing{broken}))
		if !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestReadFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "small.yaml")
	if err := os.WriteFile(file, []byte(plain("", "")), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := netsim.ReadFile(file); err != nil || got.Name != "small" {
		t.Errorf("got %q, %v", got.Name, err)
	}
	if _, err := netsim.ReadFile(file + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
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

// A network may have both families.
func TestTwoFamilies(t *testing.T) {
	spec, err := netsim.Builtin("direct")
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range []string{"2001:db8::9", "2001:db8::100", "2001:db8::200"} {
		spec.Hosts[i].Addrs = append(spec.Hosts[i].Addrs, netip.MustParseAddr(a))
	}
	spec.Dial = netip.MustParseAddr("2001:db8::100")
	w := world(t, spec, netsim.Options{})
	run(t, w, func() { exchange(t, dial(t, w, w.Client())) })
}

func FuzzRead(f *testing.F) {
	f.Add(everything)
	f.Add(plain("", ""))
	f.Add(plain("wires: {client: &a {loss: 1%}, server: *a}\n", "    nat: linux\n    alg: linux\n"))
	f.Add("networks: &a {b: *a}\nhosts: *a\ngateways: *a\n")
	f.Add("name: \"\\0\"\n? [a]\n: b\n<<: c\n")
	f.Add("- - - -\n")
	f.Add("\xef\xbb\xbf%YAML 1.2\n--- !!map\n...\n")
	f.Fuzz(func(t *testing.T, text string) {
		spec, err := netsim.Read("x.yaml", strings.NewReader(text))
		if err != nil {
			for _, line := range strings.Split(err.Error(), "\n") {
				if !strings.HasPrefix(line, "x.yaml:") {
					t.Errorf("an error without its place: %q", line)
				}
			}
			return
		}
		if err := spec.Check(); err != nil {
			t.Errorf("what was read is wrong: %v", err)
		}
	})
}
