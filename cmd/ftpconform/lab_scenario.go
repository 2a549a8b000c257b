package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/internal/lab"
	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/alg"
)

// scenario finds out what is to be played.
func (o *labOptions) scenario(cmd *cobra.Command, args []string) (lab.Scenario, error) {
	name := lab.NATPort
	if len(args) == 1 {
		name = args[0]
	}
	choice, err := o.choice()
	if err != nil {
		return lab.Scenario{}, err
	}
	if name == lab.NATPort {
		for _, flag := range []string{"mode", "server", "alg"} {
			if cmd.Flags().Changed(flag) {
				return lab.Scenario{}, usagef("--%s is for a topology, and %s chooses for itself; try ftpconform lab client-nat --%[1]s …", flag, lab.NATPort)
			}
		}
		return lab.NATPortStory(uint64(o.seed))
	}
	if cmd.Flags().Changed("mode") && len(choice.Modes) == 0 {
		return lab.Scenario{}, usagef("--mode is empty; the modes are port, pasv, eprt and epsv")
	}
	t, err := topology(cmd, name)
	if err != nil {
		return lab.Scenario{}, err
	}
	if o.alg != "" && len(t.Gateways) == 0 {
		return lab.Scenario{}, usagef("--alg is about gateways, and %s has none", t.Name)
	}
	return lab.InTopology(t, choice), nil
}

// choice reads the flags about what is played in a topology.
func (o *labOptions) choice() (lab.Choice, error) {
	c := lab.Choice{Seed: uint64(o.seed)}
	for _, name := range o.modes {
		m, err := lab.ParseMode(strings.TrimSpace(name))
		if err != nil {
			return c, usagef("%w", err)
		}
		if !slices.Contains(c.Modes, m) {
			c.Modes = append(c.Modes, m)
		}
	}
	if o.server != "" {
		var err error
		if c.Server, err = lab.ParseServerKind(o.server); err != nil {
			return c, usagef("%w", err)
		}
	}
	if o.alg != "" {
		known := lower(alg.Profiles())
		p := strings.ToLower(o.alg)
		if !slices.Contains(known, p) {
			return c, usagef("unknown helper %.40q; there are %s, see ftpconform lab --list", o.alg, strings.Join(known, ", "))
		}
		c.ALG = alg.Profile(p)
	}
	return c, nil
}

// topology finds a built-in topology or reads one from a file.
func topology(cmd *cobra.Command, name string) (netsim.Topology, error) {
	if slices.Contains(netsim.Builtins(), name) {
		return netsim.Builtin(name)
	}
	info, gone := os.Stat(name)
	ext := strings.ToLower(filepath.Ext(name))
	if gone != nil && ext != ".yaml" && ext != ".yml" && !strings.ContainsRune(name, filepath.Separator) {
		return netsim.Topology{}, unknownScenario(name)
	}
	if gone == nil && info.IsDir() {
		return netsim.Topology{}, usagef("%.200q is a directory; give the YAML file of a topology", name)
	}
	t, err := netsim.ReadFile(name)
	var mistake *netsim.Error
	switch {
	case err == nil:
		return t, nil
	case errors.Is(err, fs.ErrNotExist):
		return t, usagef("there is no file %.200q; see ftpconform lab --list for what needs no file", name)
	case !errors.As(err, &mistake):
		return t, usagef("%w", err)
	}
	// Each mistake has a line of its own, as editors and people like it.
	for line := range strings.Lines(err.Error() + "\n") {
		fmt.Fprintln(cmd.ErrOrStderr(), oneLine(strings.TrimSuffix(line, "\n")))
	}
	return t, usagef("%s cannot be used; docs/scenarios.md describes the form of a topology", name)
}

func unknownScenario(name string) error {
	known := []string{}
	for _, s := range lab.Builtins() {
		known = append(known, s.Name)
	}
	if near := nearest(name, known); len(near) > 0 {
		return usagef("there is no scenario %.60q; did you mean %s?", name, strings.Join(near, " or "))
	}
	return usagef("there is no scenario %.60q, and no such file; see ftpconform lab --list", name)
}
