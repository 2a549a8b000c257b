package main

import (
	"context"
	"path/filepath"

	"github.com/ftpconform/ftpconform/internal/lab"
	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/kernel"
)

// stage finds out what the story is played on.
func (o *labOptions) stage(ctx context.Context) (lab.Stage, error) {
	var s lab.Stage
	var err error
	if s.Gateways, s.Kernel, err = gateways(ctx, o.network); err != nil {
		return s, err
	}
	if s.Gateways != nil {
		s.Differences = kernel.Differences
	}
	server, err := o.attached.process("the reference server takes everybody, so leave it out")
	if server == nil || err != nil {
		return s, err
	}
	if o.server != "" {
		return s, usagef("--server chooses the kind of the reference server, and --exec puts another one in its place; leave one of them out")
	}
	s.Server, s.Name = server, filepath.Base(server.Argv[0])
	s.User, s.Password = o.attached.user, o.attached.password
	return s, nil
}

// gateways is what the gateways of a --network are, and the release of the kernel
// where it is them; nil and "" for simulated ones.
func gateways(ctx context.Context, network string) (func(gateway.Options, alg.Options) (netsim.Router, error), string, error) {
	switch network {
	case "simulated":
		return nil, "", nil
	case "kernel":
		if err := kernel.Available(ctx); err != nil {
			return nil, "", usagef("--network kernel: %w", err)
		}
		return func(g gateway.Options, h alg.Options) (netsim.Router, error) { return kernel.New(ctx, g, h) }, kernel.Version(), nil
	}
	return nil, "", usagef("--network is %.40q; it is simulated or kernel", network)
}
