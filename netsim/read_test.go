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
      windows: true
      pass-invalid: true
    filter:
      default: drop
      rules:
        - {in: outside, out: inside, state: [established, related], action: accept}
        - {from: 192.168.1.0/24, to: 218.63.1.100, ports: 21, state: new, action: reject-reset}
      timeouts: {established: 2h}
      max-connections: 200
      strict: true
      windows: true
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
				MaxMappings: 100, Strict: true, Windows: true, PassInvalid: true},
			Filter: &gateway.Filter{Default: gateway.Drop, MaxConnections: 200, Strict: true, Windows: true,
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
	f.Add("hosts: {\"a\\nb\": {\"c\\nd\": e}}\nserver: \"f\\ng\"\n")
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
