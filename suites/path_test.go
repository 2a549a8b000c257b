package suites_test

import (
	"strings"
	"testing"

	"github.com/ftpconform/ftpconform/suites"
)

// paths runs the checks of the four modes in some topologies.
func paths(t *testing.T, fault string, in ...suites.Topology) *suites.Report {
	t.Helper()
	cfg := suites.Config{Only: []string{"path-port", "path-eprt", "path-pasv", "path-epsv"}, Topologies: in}
	if fault != "" {
		if err := cfg.Faults.Set(fault); err != nil {
			t.Fatal(err)
		}
	}
	rep, err := suites.Verify(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// TestPaths holds what a correct server does in each network, as the checks
// tell it.
func TestPaths(t *testing.T) {
	t.Parallel()
	const (
		works   = " works, between "
		refused = " was answered 50"
		late    = " came 60.0 s after RETR; "
	)
	want := map[suites.Topology][4]string{ // PORT, EPRT, PASV, EPSV
		suites.Direct:         {works, works, works, works},
		suites.ClientNAT:      {refused, refused, works, works},
		suites.ClientNATALG:   {works, works, works, works},
		suites.ServerNAT:      {works, works, works, works},
		suites.ServerNATALG:   {works, works, works, works},
		suites.DoubleNAT:      {refused, refused, works, works},
		suites.ClientFirewall: {late, late, works, works},
		suites.ServerFirewall: {works, works, works, works},
		suites.IPv6:           {refused, works, refused, works},
		suites.Hairpin:        {refused, refused, works, works},
	}
	order := map[string]int{"path-port": 0, "path-eprt": 1, "path-pasv": 2, "path-epsv": 3}
	seen := 0
	for _, r := range paths(t, "", suites.Topologies()...).Results {
		i, ok := order[r.Check]
		if !ok {
			continue
		}
		seen++
		switch told := want[r.Topology][i]; {
		case r.Verdict != suites.Pass:
			t.Errorf("%s in %s: %s %s", r.Check, r.Topology, r.Verdict, r.Message)
		case len(r.Findings) != 1 || !strings.Contains(r.Findings[0].Message, told):
			t.Errorf("%s in %s: %v, want %q", r.Check, r.Topology, r.Findings, told)
		}
	}
	if n := len(want) * len(order); seen != n {
		t.Errorf("%d results, want %d", seen, n)
	}
}

// TestPathVerdicts holds that a broken server is graded by what it breaks in
// the network, and not blamed for what the network does.
func TestPathVerdicts(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		fault string
		check string
		in    suites.Topology
		want  suites.Verdict
	}{
		{"NoPORT", "path-port", suites.Direct, suites.Fail},
		{"NoPORT", "path-port", suites.ClientNAT, suites.Pass},
		{"EagerDial", "path-port", suites.Direct, suites.Pass},
		{"EagerDial", "path-port", suites.ClientFirewall, suites.Warn},
		{"DialsForever", "path-eprt", suites.ClientFirewall, suites.Warn},
		{"RefusedDataAnswers550", "path-port", suites.ClientFirewall, suites.Warn},
		{"ForeignPORTLost", "path-port", suites.DoubleNAT, suites.Fail},
		{"AcceptsForeign", "path-port", suites.ClientNAT, suites.Pass},
		{"AcceptsForeign", "path-port", suites.Hairpin, suites.Info},
		{"PassiveAddrIgnored", "path-pasv", suites.ServerNAT, suites.Fail},
		{"PassiveAddrIgnored", "path-pasv", suites.ServerNATALG, suites.Pass},
		{"PORTOnIPv6", "path-port", suites.IPv6, suites.Warn},
		{"PASVOnIPv6", "path-pasv", suites.IPv6, suites.Warn},
	} {
		t.Run(v.fault+"/"+string(v.in), func(t *testing.T) {
			t.Parallel()
			found := false
			for _, r := range paths(t, v.fault, v.in).Results {
				if r.Check != v.check || r.Topology != v.in {
					continue
				}
				if found = true; r.Verdict != v.want {
					t.Errorf("%s: %s: %s, want %s", v.check, r.Verdict, r.Message, v.want)
				}
			}
			if !found {
				t.Errorf("there is no result of %s", v.check)
			}
		})
	}
}
