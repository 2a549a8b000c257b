package main

import (
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/netsim/attach"
)

// attachOptions are the flags about a server that is started in the simulated
// network.
type attachOptions struct{ exec, user, password string }

func (o *attachOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.exec, "exec", "", "start the server with this `COMMAND` in the simulated network (Linux, root); {address},\n{advertise}, {passive-min} and {passive-max} in it stand for what it has to know there")
	f.StringVar(&o.user, "user", "", "the `USER` of a server of --exec (default anonymous)")
	f.StringVar(&o.password, "password", "", "the user's `PASSWORD`")
}

// process reads the command; nil is none.
func (o *attachOptions) process() (*attach.Process, error) {
	if o.exec == "" {
		for flag, given := range map[string]bool{"--user": o.user != "", "--password": o.password != ""} {
			if given {
				return nil, usagef("%s is about a server of --exec; write user and password of another one into the target, ftp://user:password@host:port/dir", flag)
			}
		}
		return nil, nil //nolint:nilnil // nothing is to be started
	}
	argv, err := attach.Split(o.exec)
	if err != nil {
		return nil, usagef("--exec: %w", err)
	}
	if _, err := exec.LookPath(argv[0]); err != nil {
		return nil, usagef("--exec: the program cannot be started: %w", err)
	}
	p := &attach.Process{Argv: argv}
	if err := p.Available(); err != nil {
		return nil, usagef("--exec: %w", err)
	}
	return p, nil
}
