package lab_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/ftpconform/ftpconform/internal/lab"
	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/alg"
)

// builtin returns a built-in topology.
func builtin(t *testing.T, name string) netsim.Topology {
	t.Helper()
	spec, err := netsim.Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// play plays the transfers of a topology.
func play(t *testing.T, spec netsim.Topology, c lab.Choice) *lab.Story {
	t.Helper()
	s, err := lab.Play(t.Context(), lab.InTopology(spec, c))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// one plays one transfer.
func one(t *testing.T, spec netsim.Topology, m lab.Mode, k lab.ServerKind) *lab.ActStory {
	t.Helper()
	return &play(t, spec, lab.Choice{Modes: []lab.Mode{m}, Server: k, Seed: 1}).Acts[0]
}

// letters writes outcomes as letters: w for works, f for fails.
func letters(s *lab.Story) string {
	var out strings.Builder
	for _, a := range s.Acts {
		out.WriteByte(a.Outcome[0])
	}
	return out.String()
}

// TestOutcomes plays every mode in every network, with both kinds of servers.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	// PORT, PASV, EPRT, EPSV.
	for name, want := range map[string]map[lab.ServerKind]string{
		"direct":          {lab.Today: "wwww", lab.Trusting: "wwww"},
		"client-nat":      {lab.Today: "fwfw", lab.Trusting: "fwfw"},
		"client-nat-alg":  {lab.Today: "wwww", lab.Trusting: "wwww"},
		"server-nat":      {lab.Today: "wwww", lab.Trusting: "wwww"},
		"server-nat-alg":  {lab.Today: "wwww", lab.Trusting: "wwww"},
		"double-nat":      {lab.Today: "fwfw", lab.Trusting: "fwfw"},
		"client-firewall": {lab.Today: "fwfw", lab.Trusting: "fwfw"},
		"server-firewall": {lab.Today: "wwww", lab.Trusting: "wwww"},
		"ipv6":            {lab.Today: "ffww", lab.Trusting: "ffww"},
		"hairpin":         {lab.Today: "fwfw", lab.Trusting: "wwww"},
	} {
		for kind, want := range want {
			got := play(t, builtin(t, name), lab.Choice{Modes: lab.Modes(), Server: kind})
			if letters(got) != want {
				t.Errorf("%s, %s: %s, want %s", name, kind, letters(got), want)
			}
		}
	}
	if n := len(netsim.Builtins()); n != 10 {
		t.Errorf("there are %d topologies", n)
	}
}

// TestOutcomesWithHelpers plays every mode with every helper, where it matters.
func TestOutcomesWithHelpers(t *testing.T) {
	t.Parallel()
	for profile, want := range map[alg.Profile]map[string]string{
		alg.Off:             {"client-nat-alg": "fwfw", "server-nat-alg": "wfwf", "client-firewall": "fwfw", "double-nat": "fwfw"},
		alg.Linux:           {"client-nat-alg": "wwww", "server-nat-alg": "wwww", "client-firewall": "wwww", "double-nat": "wwww"},
		alg.Reassembling:    {"client-nat-alg": "wwww", "server-nat-alg": "wwww", "client-firewall": "wwww", "double-nat": "wwww"},
		alg.AddressOnly:     {"client-nat-alg": "wwww", "server-nat-alg": "wwww"},
		alg.NoLengthAdjust:  {"client-nat-alg": "fwfw", "server-nat-alg": "wfww"},
		alg.PASVOnly:        {"client-nat-alg": "fwfw", "server-nat-alg": "wwwf"},
		alg.InsideFileNames: {"client-nat-alg": "wwfw", "server-nat-alg": "wwwf"},
	} {
		for name, want := range want {
			got := play(t, builtin(t, name), lab.Choice{Modes: lab.Modes(), ALG: profile})
			if letters(got) != want {
				t.Errorf("%s, %s: %s, want %s", name, profile, letters(got), want)
			}
			for _, a := range got.Acts {
				if a.Helper != profile || a.Network != name+", helper "+string(profile) {
					t.Errorf("%s is told as %s, %s", profile, a.Helper, a.Network)
				}
			}
		}
	}
}

// TestReasons has the sentences that say why.
func TestReasons(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		mode   lab.Mode
		server lab.ServerKind
		alg    alg.Profile
		want   string
	}{
		{"direct", lab.PORT, "", "", "Nothing stands between them: the server connects to 218.63.1.9:50000."},
		{"client-nat", lab.PORT, lab.Trusting, "", "The server sends 5 SYNs to 192.168.1.2:50000, but nobody on the Internet has this private address."},
		{"client-nat", lab.EPRT, lab.Today, "", "EPRT names 192.168.1.2, but the server sees the client at 218.63.1.5 and connects to nobody else."},
		{"client-nat", lab.PASV, "", "", "The client makes the data connection itself, from inside, and gw lets it out."},
		{"double-nat", lab.EPSV, "", "", "The client makes the data connection itself, from inside, and gw and carrier-gw let it out."},
		{"client-nat-alg", lab.PORT, "", "", "The helper of gw writes 218.63.1.5:50000 into PORT and lets the server in there."},
		{"double-nat", lab.PORT, "", alg.Linux, "The helpers of gw and carrier-gw write into PORT, so that it arrives with 218.63.1.5:50000, and let the server in there."},
		{"server-nat", lab.PASV, "", "", "227 names 218.63.1.5:50010, which the client can reach: gw leads this port to 192.168.1.100:50010."},
		{"server-nat", lab.PORT, "", "", "The server makes the data connection itself, from inside, and gw lets it out."},
		{"server-nat-alg", lab.EPSV, "", "", "229 names a port alone: the client connects to the address that it knows, 218.63.1.5:50010, and gw lets it in because its helper has read the announcement."},
		{"server-nat-alg", lab.EPSV, "", alg.Off, "The client sends 3 SYNs to 218.63.1.5:50010, but gw drops them: nothing in its table leads inside from there, and gw answers with ICMP port unreachable."},
		{"client-firewall", lab.PORT, "", "", "The server sends 5 SYNs to 203.0.113.2:50000, but fw drops them: its filter forbids it."},
		{"client-firewall", lab.PORT, "", alg.Linux, "PORT names 203.0.113.2:50000, which the server can reach: fw lets it in because its helper has read the announcement."},
		{"server-firewall", lab.PASV, "", "", "227 names 203.0.113.100:50010, which the client can reach: fw lets it in."},
		{"ipv6", lab.PORT, "", "", "PORT has room for an IPv4 address only, and the client has 2001:db8:63:1::9: it takes EPRT or EPSV."},
		{"ipv6", lab.PASV, "", "", "227 has room for an IPv4 address only, so the server refuses PASV: it takes EPSV."},
		{"hairpin", lab.PORT, lab.Trusting, "", "Both are on one network: the server connects to 192.168.1.2:50000, and no gateway is on the way."},
		{"hairpin", lab.PORT, "", alg.AddressOnly, "The server sends one SYN to 218.63.1.5:50000, but the helper of gw has opened 218.63.1.5:9111 for this; the way leads back to the server itself, at 192.168.1.100:50000, which answers with RST."},
		{"client-nat", lab.PORT, "", alg.NoLengthAdjust, "The server does not try to make the data connection: the server reads \\nRETR story.txt, which nobody wrote, since the helper of gw has changed the length of a line."},
	} {
		s := play(t, builtin(t, c.name), lab.Choice{Modes: []lab.Mode{c.mode}, Server: c.server, ALG: c.alg, Seed: 3})
		if got := s.Acts[0].Reason; got != c.want {
			t.Errorf("%s, %s, %s, %s:\n%s\nwant\n%s", c.name, c.mode, c.server, c.alg, got, c.want)
		}
	}
}

// TestEveryReasonIsASentence keeps the templates in order.
func TestEveryReasonIsASentence(t *testing.T) {
	t.Parallel()
	for _, name := range netsim.Builtins() {
		for _, p := range alg.Profiles() {
			for _, a := range play(t, builtin(t, name), lab.Choice{Modes: lab.Modes(), Server: lab.Trusting, ALG: p}).Acts {
				if r := a.Reason; !strings.HasSuffix(r, ".") || strings.HasSuffix(r, "..") || strings.Contains(r, "nothing more is known") ||
					strings.Contains(r, "invalid") || strings.ToUpper(r[:1]) != r[:1] || len(r) > 200 {
					t.Errorf("%s, %s, %s: %s", name, p, a.Mode, r)
				}
			}
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	if m, err := lab.ParseMode("ePsv"); err != nil || m != lab.EPSV {
		t.Errorf("%v, %v", m, err)
	}
	if k, err := lab.ParseServerKind("Trusting"); err != nil || k != lab.Trusting {
		t.Errorf("%v, %v", k, err)
	}
	if _, err := lab.ParseMode("lprt"); err == nil || !strings.Contains(err.Error(), "port, pasv, eprt and epsv") {
		t.Errorf("%v", err)
	}
	if _, err := lab.ParseServerKind("old"); err == nil || !strings.Contains(err.Error(), "today or trusting") {
		t.Errorf("%v", err)
	}
}

func TestBuiltinsHaveTitles(t *testing.T) {
	t.Parallel()
	all := lab.Builtins()
	if all[0].Name != lab.NATPort || len(all) != len(netsim.Builtins())+1 {
		t.Errorf("%v", all)
	}
	for _, s := range all {
		if !strings.HasSuffix(s.Title, ".") {
			t.Errorf("%s: %q", s.Name, s.Title)
		}
	}
}

// inJSON is a story as JSON.
func inJSON(t *testing.T, s *lab.Story) string {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
