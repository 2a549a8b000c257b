package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/internal/host"
	"github.com/ftpconform/ftpconform/reference"
	"github.com/ftpconform/ftpconform/servers"
	"github.com/ftpconform/ftpconform/suites"
)

// fleetOptions are the flags about a server that is started in a container.
type fleetOptions struct {
	server string
	keep   bool
	// given reports whether there is a name, which may be empty.
	given bool
}

func (o *fleetOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Func("server", "start the server `NAME` of the fleet in a container (Docker, Linux); a name with a slash\nis a folder with a Dockerfile and a server.yaml", func(name string) error {
		if o.given {
			return errors.New("there are two; ftpconform matrix takes several servers")
		}
		o.server, o.given = name, true
		return nil
	})
	f.BoolVar(&o.keep, "keep", false, "leave the container of --server running, for a look")
	complete(cmd, "server", servers.Names)
}

// specification reads the description of a server; every mistake in it, and in
// the name, is one of usage.
func specification(name string) (*servers.Spec, error) {
	s, err := servers.Find(name)
	if err != nil {
		hint := ""
		if near := nearest(name, servers.Names()); name != "" && len(near) > 0 {
			hint = "; did you mean " + near[0] + "?"
		}
		return nil, fmt.Errorf("%w%s", err, hint)
	}
	return s, nil
}

// fleetRun is a run against a server of the fleet.
type fleetRun struct {
	spec *servers.Spec
	keep bool
}

const (
	// fleetJobs is the default number of checks at a time.
	fleetJobs = 4
	// fleetScale shortens all bounds: a container is as near as can be.
	fleetScale = 0.5
)

// describe puts what is known of the server into a configuration that has its
// topologies. The target's address is not known yet.
func (h *fleetRun) describe(cfg *suites.Config) error {
	s := h.spec
	fill := func(to *string, value string) {
		if *to == "" {
			*to = value
		}
	}
	fill(&cfg.WriteDir, s.Dir)
	fill(&cfg.FullDir, s.FullDir)
	if cfg.DataTimeout == 0 {
		cfg.DataTimeout = s.DataTimeout
	}
	if cfg.IdleTimeout == 0 {
		cfg.IdleTimeout = s.IdleTimeout
	}
	if cfg.Jobs == 0 {
		cfg.Jobs = cmp.Or(s.Jobs, fleetJobs)
	}
	cfg.TimeoutScale *= fleetScale
	cfg.PassiveOnly = cfg.PassiveOnly || !s.Active
	cfg.User, cfg.Password, cfg.Port = s.User, s.Password, servers.Port
	if h.attached(cfg) {
		if err := servers.Attachable(); err != nil {
			return usagef("--server: %w", err)
		}
		if h.keep {
			return usagef("--keep is about a server that this machine can reach; one that is attached to a simulated network ends with it")
		}
		if len(cfg.Topologies) == 0 { // --restart is no word about networks
			cfg.Topologies = []suites.Topology{suites.Direct}
		}
		cfg.Attach = new(servers.Attacher)
		return nil
	}
	cfg.Target = s.URL("192.0.2.1") // nobody's (RFC 5737), until it has one
	return nil
}

// attached reports whether the networks are such that the server has to be in
// them: all but the direct one, for which the engine's bridge does, as long as
// nobody has to look after the server.
func (*fleetRun) attached(cfg *suites.Config) bool {
	return cfg.Gateways != nil || cfg.Restart || slices.ContainsFunc(cfg.Topologies, func(t suites.Topology) bool { return t != suites.Direct })
}

// verify starts the server, checks it, and removes it. What it wrote goes into
// the record.
func (h *fleetRun) verify(ctx context.Context, cfg suites.Config, announce func(string)) (*suites.Report, error) {
	o := servers.Options{Announce: announce, Keep: h.keep}
	facts := suites.ServerFacts{Name: h.spec.Name, Title: h.spec.Title}
	if cfg.Attach != nil {
		a, err := h.spec.Attacher(ctx, o)
		if err != nil {
			return nil, started(err)
		}
		cfg.Attach = a
		rep, err := suites.Verify(ctx, cfg)
		if rep != nil {
			facts.Version, facts.Image = a.Version(), a.Image
			rep.Target.Server = &facts
		}
		return rep, err
	}
	srv, err := h.spec.Start(ctx, o)
	if err != nil {
		return nil, started(err)
	}
	cfg.Target = srv.URL()
	cfg.PassivePorts = reference.PortRange{Min: srv.PassivePorts.First, Max: srv.PassivePorts.Last}
	if !cfg.StrangerAddr.IsValid() {
		cfg.StrangerAddr = srv.Stranger()
	}
	alive, gone := watch(ctx, srv)
	rep, err := suites.Verify(alive, cfg)
	fate := gone()
	after := context.WithoutCancel(ctx)
	facts.Version, facts.Image = srv.Version, srv.Image
	if rep != nil {
		rep.Target.Server, rep.Target.Log = &facts, srv.Log(after)
	}
	switch {
	case fate == "" || ctx.Err() != nil:
	case rep != nil:
		rep.TargetLost, rep.Interrupted = "the server "+fate, false
	default:
		err = started(fmt.Errorf("%s %s before the first check: %s", h.spec.Name, fate, strings.Join(srv.Log(after), " | ")))
	}
	if h.keep {
		announce(fmt.Sprintf("%s goes on at %s, in the container %s: docker exec -it %[3]s sh, docker rm -f %[3]s", h.spec.Name, srv.Addr, srv.Container()))
	}
	return rep, errors.Join(err, srv.Close())
}

// watch ends the context that it returns when the server has ended: what is left
// has no answer then. How it has ended says gone, which also ends the watch.
func watch(ctx context.Context, srv *servers.Server) (alive context.Context, gone func() string) {
	alive, cancel := context.WithCancel(ctx)
	var over sync.WaitGroup
	over.Go(func() {
		for srv.Fate(alive) == "" {
			if (host.RealTime{}).Sleep(alive, watchEvery) != nil {
				return
			}
		}
		cancel()
	})
	return alive, func() string {
		cancel()
		over.Wait()
		return srv.Fate(context.WithoutCancel(ctx))
	}
}

// watchEvery is how often the engine is asked whether a server is still there.
const watchEvery = time.Second

// started tells an engine that is not there from a server that does not start:
// either way there is nothing to check.
func started(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return &exitError{exitUnreachable, err}
}
