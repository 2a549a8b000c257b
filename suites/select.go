package suites

import (
	"path"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2/types"
)

// match reports whether a check in a topology is meant.
type match func(Check, Topology) bool

// selection decides which checks run, and why the others do not.
type selection struct {
	only, skip []match
	cfg        *Config
}

// newSelection compiles Only and Skip. An entry is a topic, the id of a check
// or requirement, a glob over these ids, or a label filter of Ginkgo
// ("topic:port && level:MUST"). An entry that matches no check is a usage
// error: it is a slip of the pen, and would silently check nothing.
func newSelection(cfg *Config) (*selection, error) {
	s := &selection{cfg: cfg}
	err := cfg.checkTopologies()
	if err != nil {
		return nil, err
	}
	if s.only, err = compile(cfg, cfg.Only); err != nil {
		return nil, err
	}
	if s.skip, err = compile(cfg, cfg.Skip); err != nil {
		return nil, err
	}
	if l := cfg.Level; l != "" && l.rank() == 0 {
		return nil, usageErrorf("unknown level %q; the levels are MUST, SHOULD and MAY", l)
	}
	for _, c := range Checks() {
		if slices.ContainsFunc(c.Topologies(), func(t Topology) bool { return s.excludes(c, t) == "" }) {
			return s, nil
		}
	}
	return nil, usageErrorf("the selection leaves no check to run; see ftpconform list")
}

func compile(cfg *Config, entries []string) ([]match, error) {
	var out []match
	for _, e := range entries {
		m, err := matcher(cfg, strings.TrimSpace(e))
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(Checks(), func(c Check) bool {
			return slices.ContainsFunc(c.Topologies(), func(t Topology) bool { return m(c, t) })
		}) {
			return nil, usageErrorf("%q matches no check; see ftpconform list", e)
		}
		out = append(out, m)
	}
	return out, nil
}

func matcher(cfg *Config, entry string) (match, error) {
	if entry == "" {
		return nil, usageErrorf("an empty selection matches no check")
	}
	if !strings.ContainsAny(entry, ":&|!(),/ ") {
		if _, err := path.Match(entry, ""); err != nil {
			return nil, usageErrorf("%q is not a pattern: %v", entry, err)
		}
		pattern := strings.ToLower(entry)
		return func(c Check, _ Topology) bool {
			return slices.ContainsFunc(append([]string{c.Topic(), c.ID}, c.Requirements...), func(name string) bool {
				ok, _ := path.Match(pattern, strings.ToLower(name))
				return ok
			})
		}, nil
	}
	filter, err := types.ParseLabelFilter(tidyFilter(entry))
	if err != nil {
		return nil, usageErrorf("%q is neither an id nor a label filter such as topic:port && level:MUST", entry)
	}
	return func(c Check, t Topology) bool { return filter(c.Labels(cfg, t)) }, nil
}

// tidyFilter lets "topic: port" stand for "topic:port": Ginkgo takes a key
// with a space after it for the start of a set operation.
func tidyFilter(s string) string {
	for _, key := range []string{"topic", "level", "role", "topology", "check", "req"} {
		before, after, ok := strings.Cut(s, key+": ")
		if !ok {
			continue
		}
		word, _, _ := strings.Cut(strings.TrimLeft(after, " "), " ")
		switch strings.ToLower(word) {
		case "isempty", "containsany", "containsall", "consistsof", "issubsetof":
		default:
			s = before + key + ":" + tidyFilter(strings.TrimLeft(after, " "))
		}
	}
	return s
}

// excludes returns why a check does not run in a topology, "" if it does.
func (s *selection) excludes(c Check, t Topology) string {
	matches := func(m match) bool { return m(c, t) }
	switch {
	case s.cfg.sited(t) && c.Role() != "server":
		return "judges a gateway, and not the server; run without a target to have it"
	case s.cfg.sited(t) && c.Server != nil:
		return "needs a server with settings of its own, which only the embedded reference server can be given"
	case !s.cfg.simulated() && !s.cfg.sited(t) && (t != Direct || c.Network != nil || c.Server != nil):
		return "needs to know what stands between client and server: attach the server, with --exec or with --server and --topology, or run without a target"
	case !slices.Contains(s.cfg.topologies(), t):
		return "deselected: topology " + string(t) + " is not among --topology"
	case len(s.only) > 0 && !slices.ContainsFunc(s.only, matches):
		return "deselected: not among --only"
	case slices.ContainsFunc(s.skip, matches):
		return "deselected by --skip"
	case s.cfg.Level != "" && c.Level().rank() < s.cfg.Level.rank():
		return "deselected: below --level " + string(s.cfg.Level)
	}
	if d, slow := c.Slow(s.cfg); slow && !s.cfg.Slow {
		return "slow: it may have to wait " + d.String() + "; run with --slow, or say the target's own timeout with --data-timeout"
	}
	return ""
}
