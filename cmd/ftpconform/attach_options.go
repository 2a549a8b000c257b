package main

import (
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/netsim/attach"
)

// attachOptions are the flags about a server that is started in the simulated
// network.
type attachOptions struct {
	exec, user, password string
	// given reports whether there is a command, which may be empty; nil is no.
	given func() bool
}

func (o *attachOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.exec, "exec", "", "start the server with this `COMMAND` in the simulated network (Linux, root); {address},\n{advertise}, {passive-min} and {passive-max} in it stand for what it has to know there")
	o.given = func() bool { return f.Changed("exec") }
	f.StringVar(&o.user, "user", "", "the `USER` of a server of --exec (default anonymous)")
	f.StringVar(&o.password, "password", "", "the user's `PASSWORD`")
}

// process reads the command; nil is none. Without one, instead says what to do
// rather than name a user.
func (o *attachOptions) process(instead string) (*attach.Process, error) {
	if o.given == nil || !o.given() {
		for flag, given := range map[string]bool{"--user": o.user != "", "--password": o.password != ""} {
			if given {
				return nil, usagef("%s is about a server of --exec; %s", flag, instead)
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
