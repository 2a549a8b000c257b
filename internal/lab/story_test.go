package lab_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ftpconform/ftpconform/internal/lab"
	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/wire"
)

// natPort plays the whole story.
func natPort(t *testing.T, seed uint64) *lab.Story {
	t.Helper()
	scenario, err := lab.NATPortStory(seed)
	if err != nil {
		t.Fatal(err)
	}
	s, err := lab.Play(t.Context(), scenario)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// hops lists messages as "from>to src dst text".
func hops(messages []lab.Message, pick func(lab.Message) bool) []string {
	var out []string
	for _, m := range messages {
		if pick(m) {
			out = append(out, fmt.Sprintf("%s>%s %s %s %s", m.From, m.To, lab.Endpoint(m.Src), lab.Endpoint(m.Dst), m.Text))
		}
	}
	return out
}

// TestNATPortTellsTheDocument has the seven acts, their outcomes, replies and
// times.
func TestNATPortTellsTheDocument(t *testing.T) {
	t.Parallel()
	s := natPort(t, 1)
	var got []string
	for _, a := range s.Acts {
		got = append(got, fmt.Sprintf("%s %s %s: %s, %.0f s, %.3s", a.Mode, a.Network, a.Server, a.Outcome, a.Seconds, a.Reply))
	}
	want := []string{
		"PORT client behind NAT trusting: fails, 30 s, 425",
		"PORT client behind NAT today: fails, 0 s, 500",
		"PASV client behind NAT today: works, 0 s, 226",
		"PORT client behind NAT + helper today: works, 0 s, 226",
		"PORT client behind NAT + helper trusting: works, 0 s, 226",
		"PASV server behind NAT today: fails, 30 s, 227",
		"PASV server behind NAT + helper today: works, 0 s, 226",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	var nodes []string
	for _, n := range s.Acts[0].Nodes {
		nodes = append(nodes, fmt.Sprintf("%s %t: %v %v", n.Name, n.Gateway, n.Addrs, n.Outside))
	}
	if diff := cmp.Diff([]string{"client false: [192.168.1.2] []", "gw true: [192.168.1.1] [218.63.1.5]", "server false: [218.63.1.100] []"}, nodes); diff != "" {
		t.Errorf("the nodes (-want +got)\n%s", diff)
	}
}

// TestPORTFails has every message of the failure, on each wire.
func TestPORTFails(t *testing.T) {
	t.Parallel()
	a := one(t, builtin(t, "client-nat"), lab.PORT, lab.Trusting)
	want := []string{
		"client>gw 192.168.1.2:40001 218.63.1.100:21 PORT 192,168,1,2,195,80",
		"gw>server 218.63.1.5:40001 218.63.1.100:21 PORT 192,168,1,2,195,80",
		"server>gw 218.63.1.100:21 218.63.1.5:40001 200 PORT command successful.",
		"gw>client 218.63.1.100:21 192.168.1.2:40001 200 PORT command successful.",
		"client>gw 192.168.1.2:40001 218.63.1.100:21 RETR story.txt",
		"gw>server 218.63.1.5:40001 218.63.1.100:21 RETR story.txt",
		"server>gw 218.63.1.100:21 218.63.1.5:40001 150 Opening data connection for /story.txt.",
		"server>internet 218.63.1.100:20 192.168.1.2:50000 SYN",
		"gw>client 218.63.1.100:21 192.168.1.2:40001 150 Opening data connection for /story.txt.",
		"server>gw 218.63.1.100:21 218.63.1.5:40001 425 Cannot open data connection.",
		"gw>client 218.63.1.100:21 192.168.1.2:40001 425 Cannot open data connection.",
	}
	got := hops(a.Messages, func(m lab.Message) bool { return m.Part == lab.Transfer })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	i := slices.IndexFunc(a.Messages, func(m lab.Message) bool { return !m.Control })
	syn := a.Messages[i]
	if again := []time.Duration{time.Second, 3 * time.Second, 7 * time.Second, 15 * time.Second}; !slices.Equal(syn.Again, again) ||
		!syn.Lost || syn.Note != "nobody on the Internet has 192.168.1.2" {
		t.Errorf("the SYN: %+v", syn)
	}
}

// TestHelperIsTold has what the gateway notes and remembers.
func TestHelperIsTold(t *testing.T) {
	t.Parallel()
	a := one(t, builtin(t, "client-nat-alg"), lab.PORT, lab.Today)
	var port lab.Message
	for _, m := range a.Messages {
		if m.From == "gw" && strings.HasPrefix(m.Text, "PORT ") {
			port = m
		}
	}
	if port.Text != "PORT 218,63,1,5,195,80" || port.Translated != "192.168.1.2:40001 becomes 218.63.1.5:40001" ||
		port.Note != "PORT 192,168,1,2,195,80 becomes PORT 218,63,1,5,195,80; 218.63.1.5:50000 opened for 218.63.1.100" {
		t.Errorf("%+v", port)
	}
	var got []string
	for _, s := range a.Tables {
		by := a.Messages[s.After-1]
		got = append(got, fmt.Sprintf("%s after %s from %s", s.Gateway, by.Text, by.From))
		for _, e := range s.Entries {
			got = append(got, fmt.Sprintf("  %s: %s", e.Kind, e.Text))
		}
	}
	want := []string{
		"gw after SYN from client",
		"  connection: 192.168.1.2:40001 becomes 218.63.1.5:40001 for 218.63.1.100:21",
		"  mapping: 192.168.1.2:40001 is 218.63.1.5:40001 outside",
		"gw after PORT 192,168,1,2,195,80 from client",
		"  connection: 192.168.1.2:40001 becomes 218.63.1.5:40001 for 218.63.1.100:21",
		"  expectation: 218.63.1.100 may come in by 218.63.1.5:50000, to 192.168.1.2:50000",
		"  mapping: 192.168.1.2:40001 is 218.63.1.5:40001 outside",
		"gw after SYN from server",
		"  connection: 192.168.1.2:40001 becomes 218.63.1.5:40001 for 218.63.1.100:21",
		"  connection: 218.63.1.5:50000 leads to 192.168.1.2:50000 for 218.63.1.100:20",
		"  mapping: 192.168.1.2:40001 is 218.63.1.5:40001 outside",
		"  mapping: 192.168.1.2:50000 is 218.63.1.5:50000 outside",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the tables (-want +got)\n%s", diff)
	}
}

// TestEveryMessageCrossesNeighbours: in every network each message is in its
// order, between nodes that there are, and what a gateway sends on has come to
// it before.
func TestEveryMessageCrossesNeighbours(t *testing.T) {
	t.Parallel()
	for _, name := range netsim.Builtins() {
		spec := builtin(t, name)
		for _, a := range play(t, spec, lab.Choice{Modes: lab.Modes(), Server: lab.Trusting}).Acts {
			known := map[string]bool{}
			for _, n := range a.Nodes {
				known[n.Name] = true
				if len(n.Addrs) == 0 {
					t.Errorf("%s: %s has no address", a.Title, n.Name)
				}
			}
			for _, n := range spec.Networks {
				known[n.Name] = true
			}
			if len(a.Messages) < 10 || a.Nodes[0].Name != "client" || a.Nodes[len(a.Nodes)-1].Name != "server" {
				t.Errorf("%s: %d messages between %v", a.Title, len(a.Messages), a.Nodes)
			}
			for i, m := range a.Messages {
				if m.Number != i+1 || i > 0 && m.At < a.Messages[i-1].At || !known[m.From] || !known[m.To] || m.Text == "" {
					t.Errorf("%s: %+v", a.Title, m)
				}
				came := func(b lab.Message) bool { return b.To == m.From && b.At < m.At && b.Control == m.Control }
				if _, gw := gatewayOf(spec, m.From); gw && !slices.ContainsFunc(a.Messages[:i], came) {
					t.Errorf("%s: %s sends what it did not get: %+v", a.Title, m.From, m)
				}
			}
		}
	}
}

func gatewayOf(spec netsim.Topology, name string) (netsim.Gateway, bool) {
	for _, g := range spec.Gateways {
		if g.Name == name {
			return g, true
		}
	}
	return netsim.Gateway{}, false
}

// TestDecoy: the server finds somebody else at the client's address.
func TestDecoy(t *testing.T) {
	t.Parallel()
	spec := builtin(t, "client-nat")
	spec.Hosts = append(spec.Hosts, netsim.Host{Name: "decoy", Network: "internet", Addrs: spec.Hosts[0].Addrs})
	spec.Decoy = "decoy"
	a := one(t, spec, lab.PORT, lab.Trusting)
	want := []string{"server>decoy 218.63.1.100:20 192.168.1.2:50000 SYN", "decoy>server 192.168.1.2:50000 218.63.1.100:20 RST"}
	if diff := cmp.Diff(want, hops(a.Messages, func(m lab.Message) bool { return !m.Control })); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if want := "The server sends one SYN to 192.168.1.2:50000, but the way leads to decoy, at 192.168.1.2:50000, which answers with RST."; a.Reason != want {
		t.Errorf("%s", a.Reason)
	}
	if n := a.Nodes[len(a.Nodes)-1].Name; n != "decoy" {
		t.Errorf("the last node is %s", n)
	}
}

// TestNetworkAnswers: a network that is not silent says that nobody is there.
func TestNetworkAnswers(t *testing.T) {
	t.Parallel()
	spec := builtin(t, "client-nat")
	for i := range spec.Networks {
		spec.Networks[i].Silent = false
	}
	a := one(t, spec, lab.PORT, lab.Trusting)
	want := []string{"server>internet 218.63.1.100:20 192.168.1.2:50000 SYN", "internet>server 218.63.1.1 218.63.1.100 ICMP net unreachable"}
	if diff := cmp.Diff(want, hops(a.Messages, func(m lab.Message) bool { return !m.Control })); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if want := "The server sends one SYN to 192.168.1.2:50000, but nobody on the Internet has this private address, and internet answers with ICMP net unreachable."; a.Reason != want {
		t.Errorf("%s", a.Reason)
	}
	if a.Seconds > 1 {
		t.Errorf("it took %v s", a.Seconds)
	}
}

// bad is the network of a client behind a NAT with one wire that is not good.
func bad(t *testing.T, spec wire.Spec) netsim.Topology {
	t.Helper()
	topology := builtin(t, "client-nat")
	topology.Wires = []netsim.Wire{{Name: "client", Out: spec, In: spec}}
	return topology
}

// TestBadWires: what is lost or damaged is told, and sent again; copies are not
// told as messages of their own.
func TestBadWires(t *testing.T) {
	t.Parallel()
	// A RST answers what comes twice, or too late.
	told := func(a *lab.ActStory) int {
		return len(hops(a.Messages, func(m lab.Message) bool { return m.Text != "RST" }))
	}
	plain := told(one(t, bad(t, wire.Spec{}), lab.PASV, lab.Today))
	for name, c := range map[string]struct {
		spec wire.Spec
		lost string
	}{
		"loss":      {wire.Spec{Loss: 0.2}, "lost on the wire: by chance"},
		"damage":    {wire.Spec{Corrupt: 0.2}, "damaged on the wire"},
		"copies":    {wire.Spec{Duplicate: 0.9}, ""},
		"disorder":  {wire.Spec{Reorder: 0.3, Delay: 5 * time.Millisecond}, ""},
		"cut":       {wire.Spec{Cuts: []wire.Cut{{At: 8 * time.Millisecond, For: 2 * time.Second}}}, "lost on the wire: it is cut"},
		"very slow": {wire.Spec{Rate: 2000}, ""},
	} {
		a := one(t, bad(t, c.spec), lab.PASV, lab.Today)
		if a.Outcome != lab.Works {
			t.Errorf("%s: %s", name, a.Reason)
		}
		notes := map[string]int{}
		for _, m := range a.Messages {
			if m.Lost != (m.Note != "") || m.Wire == "" || m.From == m.Wire {
				t.Errorf("%s: %+v", name, m)
			}
			notes[m.Note]++
		}
		if c.lost != "" && (notes[c.lost] == 0 || len(notes) != 2) {
			t.Errorf("%s: the notes are %v", name, notes)
		}
		if c.lost == "" && told(a) != plain {
			t.Errorf("%s: %d messages, and %d on a good wire", name, told(a), plain)
		}
	}
}

// TestNobodyThere: without a control connection there is nothing to tell but
// its SYNs.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	a := one(t, bad(t, wire.Spec{Cuts: []wire.Cut{{}}}), lab.PASV, lab.Today)
	if len(a.Messages) != 1 || a.Outcome != lab.Fails || a.Reply != "" ||
		a.Reason != "The client cannot reach the server: the client sends 5 SYNs to 218.63.1.100:21, but what is sent is lost on the wire: it is cut." {
		t.Errorf("%d messages, %s, %s", len(a.Messages), a.Outcome, a.Reason)
	}
}

// TestStoriesCanBeRepeated: one seed gives one story, another seed another one.
func TestStoriesCanBeRepeated(t *testing.T) {
	t.Parallel()
	first := inJSON(t, natPort(t, 7))
	for range 20 {
		if inJSON(t, natPort(t, 7)) != first {
			t.Fatal("the same seed gave another story")
		}
	}
	if inJSON(t, natPort(t, 8)) == first {
		t.Error("another seed gave the same story")
	}
}
