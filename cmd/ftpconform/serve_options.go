package main

import (
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/reference"
)

func (o *serveOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:2121", "the control port, `HOST:PORT`; port 0 takes a free one")
	f.StringVar(&o.root, "root", "", "the `DIRECTORY` to serve (default: an empty one in memory)")
	f.StringArrayVar(&o.users, "user", nil, "a user, `NAME:PASSWORD`, or NAME with --password; repeatable (default user:pass)")
	f.StringVar(&o.password, "password", "", "the `PASSWORD` of users that are given without one")
	f.BoolVar(&o.anonymous, "anonymous", false, "let anonymous and ftp in with any password")
	f.StringVar(&o.passivePorts, "passive-ports", "", "confine passive ports to `MIN-MAX`")
	f.StringVar(&o.publicAddr, "public-addr", "", "the IPv4 `ADDRESS` to announce in 227 and 228, for a server behind a NAT")
	f.BoolVar(&o.foreign, "allow-foreign", false, "permit third-party transfers, the way of the bounce attack")
	f.BoolVar(&o.lowPorts, "allow-low-ports", false, "permit active mode to ports below 1024")
	f.DurationVar(&o.dataTimeout, "data-timeout", 30*time.Second, "the most that the making of a data connection may take")
	f.DurationVar(&o.idleTimeout, "idle-timeout", 5*time.Minute, "the most that a session may be idle")
	f.IntVar(&o.maxSessions, "max-sessions", 0, "`N` sessions at a time; 0: no bound")
	f.Int64Var(&o.rate, "rate", 0, "`OCTETS` per second of a data connection; 0: no bound")
	f.StringSliceVar(&o.faults, "fault", nil, "switch the fault `NAME` on, by name or id; repeatable")
	f.StringSliceVar(&o.tolerances, "tolerance", nil, "switch the legal oddity `NAME` on; repeatable")
	f.BoolVar(&o.listFaults, "list-faults", false, "list faults and tolerances, and end")
	complete(cmd, "fault", faultNames)
	complete(cmd, "tolerance", toleranceNames)
}

// options validates the flags.
func (o *serveOptions) options() (reference.Options, error) {
	opts := reference.Options{Anonymous: o.anonymous, AllowForeign: o.foreign, AllowLowPorts: o.lowPorts,
		DataTimeout: o.dataTimeout, IdleTimeout: o.idleTimeout, MaxSessions: o.maxSessions, Rate: o.rate}
	switch {
	case o.dataTimeout <= 0 || o.idleTimeout <= 0:
		return opts, usagef("a timeout must be more than 0; write it as 30s or 5m")
	case o.maxSessions < 0 || o.rate < 0:
		return opts, usagef("--max-sessions and --rate cannot be negative; 0 means no bound")
	}
	var err error
	if opts.PassivePorts, err = parsePorts(o.passivePorts); err != nil {
		return opts, err
	}
	if o.publicAddr != "" {
		addr, err := netip.ParseAddr(o.publicAddr)
		if err != nil || !addr.Unmap().Is4() {
			return opts, usagef("--public-addr %.60q is not an IPv4 address", o.publicAddr)
		}
		opts.PassiveAddr = publicAddress(addr.Unmap())
	}
	if err := o.logins(&opts); err != nil {
		return opts, err
	}
	return opts, setFaults(&opts.Faults, &opts.Tolerances, o.faults, o.tolerances)
}

// logins reads users and passwords. No message repeats a password.
func (o *serveOptions) logins(opts *reference.Options) error {
	if len(o.users) == 0 {
		if o.password != "" {
			return usagef("--password without --user gives nobody a password; add --user NAME")
		}
		return nil
	}
	opts.Users = map[string]string{}
	for _, u := range o.users {
		name, password, ok := strings.Cut(u, ":")
		switch {
		case name == "" || strings.ContainsAny(u, "\r\n\x00"):
			return usagef("a --user has no name, or a line end in it; write it as NAME:PASSWORD")
		case !ok && o.password == "":
			return usagef("--user %.60q has no password; write it as NAME:PASSWORD, or add --password", name)
		case !ok:
			password = o.password
		}
		opts.Users[name] = password
	}
	return nil
}
