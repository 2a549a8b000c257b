package trials_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/ftpconform/ftpconform/netsim/attach"
	"github.com/ftpconform/ftpconform/suites"
)

// attachable skips a test where no server can be attached.
func attachable(t *testing.T, p *attach.Process) {
	t.Helper()
	if err := p.Available(); err != nil {
		t.Skip(err)
	}
}

// enact is what it takes to check a server that plays a part.
func enact(t *testing.T, part string) suites.Config {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &attach.Process{Argv: []string{exe}, Env: []string{actor + "=" + part}}
	attachable(t, p)
	return suites.Config{Attach: p, User: "user", Password: "pass", TimeoutScale: 0.2, Jobs: 4}
}

// TestAttachedParts checks servers that end or fall silent when somebody says
// EPSV ALL: what has happened is named, blames no requirement, and ends with it
// where the server is started again.
func TestAttachedParts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ part, says string }{
		{"exits", "target exited with status 7 (here is exits | my part is over)"},
		{"crashes", "target was ended by signal 9 (killed)"},
		{"hangs", "target hangs"},
	} {
		for _, restart := range []bool{false, true} {
			name := c.part
			if restart {
				name += " and is started again"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				cfg := enact(t, c.part)
				cfg.Restart = restart
				cfg.Topologies = []suites.Topology{suites.Direct}
				cfg.Only = []string{"epsv-all-locks", "epsv-works", "epsv-reply*", "pasv-reply*", "pasv-late-connection", "path-port", "path-epsv"}
				rep, err := suites.Verify(t.Context(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				named, passed := 0, 0
				for _, r := range rep.Results {
					switch r.Verdict {
					case suites.NotRun:
					case suites.Pass, suites.Info:
						passed++
					case suites.Inconclusive:
						if strings.Contains(r.Message, c.says) {
							named++
						} else if restart || !strings.Contains(r.Message, "with --restart") {
							t.Errorf("%s: %s", r.Check, r.Message)
						}
					default:
						t.Errorf("%s is %s: %s", r.Check, r.Verdict, r.Message)
					}
				}
				if named == 0 {
					t.Errorf("no result says %q", c.says)
				}
				if restart && passed < 3 {
					t.Errorf("only %d checks have passed", passed)
				}
				if lost := rep.TargetLost != ""; lost == restart {
					t.Errorf("the report says that the target was lost: %q", rep.TargetLost)
				}
			})
		}
	}
}

// TestAttachedEndsEarly: a server that does not survive the preflight is lost, and
// is named in every result; one that is started again gets some more chances.
func TestAttachedEndsEarly(t *testing.T) {
	t.Parallel()
	const fate = "target exited with status 7 (here is exits | my part is over)"
	for _, c := range []struct{ part, cue, says string }{
		{"exits", "STOR", fate + ", during the preflight, after STOR"},
		{"exits", "LIST", fate + ", during the preflight, after LIST"},
		{"exits", "CWD ftpconform-run", fate + ", during the preflight, after CWD"},
		{"hangs", "STOR", "target hangs"},
	} {
		t.Run(c.part+" at "+c.cue, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && c.part == "hangs" {
				t.Skip("it waits for half a minute")
			}
			cfg := enact(t, c.part)
			cfg.Attach.(*attach.Process).Env = append(cfg.Attach.(*attach.Process).Env, early+"="+c.cue)
			cfg.Topologies, cfg.Only = []suites.Topology{suites.Direct, suites.ClientNAT}, []string{"path-port", "path-epsv", "port-works"}
			rep, err := suites.Verify(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(rep.TargetLost, c.says) {
				t.Errorf("the report says that the target was lost: %q", rep.TargetLost)
			}
			for _, r := range rep.Results {
				if r.Verdict != suites.NotRun && (r.Verdict != suites.Inconclusive || !strings.HasPrefix(r.Message, "target ")) {
					t.Errorf("%s is %s: %s", r.Name(), r.Verdict, r.Message)
				}
			}
			if cfg.Restart = true; c.part == "hangs" {
				return // each start takes a while
			}
			var pre *suites.PreflightError
			if _, err = suites.Verify(t.Context(), cfg); !errors.As(err, &pre) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("started again: %v", err)
			}
		})
	}
}

// TestAttachedNeverStarts: a command that ends at once, one that listens nowhere,
// and one that says nothing.
func TestAttachedNeverStarts(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		argv []string
		says string
	}{
		{[]string{"sh", "-c", "echo no such file >&2; exit 3"}, "exited with status 3; its last words: no such file"},
		{[]string{"sleep", "1000"}, "nobody listens on 218.63.1.100:21"},
		{[]string{exe}, "accepts connections at 218.63.1.100:21, but sends no greeting within 3s"},
	} {
		p := &attach.Process{Argv: c.argv, Env: []string{actor + "=is mute"}}
		attachable(t, p)
		_, err := suites.Verify(t.Context(), suites.Config{Attach: p, TimeoutScale: 0.1})
		var pre *suites.PreflightError
		if !errors.As(err, &pre) || pre.Stage != suites.StageReach || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %v", c.argv, err)
		}
	}
}

// TestAttachedLetsNobodyIn: the advice about a login that fails is not about targets.
func TestAttachedLetsNobodyIn(t *testing.T) {
	t.Parallel()
	cfg := enact(t, "stays")
	cfg.Password = "wrong"
	_, err := suites.Verify(t.Context(), cfg)
	var pre *suites.PreflightError
	if !errors.As(err, &pre) || pre.Stage != suites.StageLogin || !strings.Contains(err.Error(), "--user and --password") {
		t.Error(err)
	}
}
