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
	switch o.network {
	case "simulated":
	case "kernel":
		if err := kernel.Available(ctx); err != nil {
			return s, usagef("--network kernel: %w", err)
		}
		s.Kernel = kernel.Version()
		s.Gateways = func(g gateway.Options, h alg.Options) (netsim.Router, error) { return kernel.New(ctx, g, h) }
	default:
		return s, usagef("--network is %.40q; it is simulated or kernel", o.network)
	}
	server, err := o.attached.process()
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
