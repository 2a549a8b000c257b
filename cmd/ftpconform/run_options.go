package main

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/reference"
	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

// runOptions are the flags of run.
type runOptions struct {
	selection
	gateOptions
	failOn                   string
	slow, strict             bool
	jobs                     int
	scale                    float64
	localAddr, strangerAddr  string
	insideAddr               string
	reports                  []string
	writeDir, fullDir        string
	active                   bool
	dataTimeout, idleTimeout time.Duration
	passivePorts             string
	quiet, verbose           bool
	faults, tolerances       []string
	topologies               []string
	loopback                 bool
	attached                 attachOptions
	fleet                    fleetOptions
	port                     uint16
	restart                  bool
	network                  string
}

func (o *runOptions) flags(cmd *cobra.Command) {
	o.checkFlags(cmd)
	o.gateFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.localAddr, "local-addr", "", "the client's `ADDRESS` on this machine, or that of the simulated NAT before a target")
	f.StringVar(&o.insideAddr, "inside-addr", "", "the client's `ADDRESS` behind a simulated NAT before a target (default 192.0.2.2, which is nobody's)")
	f.StringVar(&o.strangerAddr, "stranger-addr", "", "a second `ADDRESS` of this machine, for the checks about strangers")
	f.StringArrayVar(&o.reports, "report", nil, "write a report, `FORMAT=PATH` with the format json or junit and - for the\nstandard output; repeatable")
	f.StringVar(&o.writeDir, "write-dir", "", "the `DIRECTORY` on the target for the files of the run")
	f.StringVar(&o.fullDir, "full-dir", "", "a `DIRECTORY` on the target with room for less than 1 MiB")
	f.BoolVar(&o.active, "active", true, "the target is meant to support active mode")
	f.DurationVar(&o.dataTimeout, "data-timeout", 0, "the target's own timeout of data connections, if known, such as `30s`: it shortens waits")
	f.DurationVar(&o.idleTimeout, "idle-timeout", 0, "the target's own idle timeout, if known, such as `5m`")
	f.StringVar(&o.passivePorts, "passive-ports", "", "the target's configured passive ports, `MIN-MAX`")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "print the dialogue of every check")
	f.StringSliceVar(&o.faults, "fault", nil, "switch the fault `NAME` of the embedded server on; repeatable, see serve --list-faults")
	f.StringSliceVar(&o.tolerances, "tolerance", nil, "switch the legal oddity `NAME` of the embedded server on; repeatable")
	f.BoolVar(&o.loopback, "loopback", false, "put the embedded server on this machine's loopback, in real time")
	o.attached.flags(cmd)
	o.fleet.flags(cmd)
	f.Uint16Var(&o.port, "port", 21, "the control `PORT` of a server of --exec")
	f.StringVar(&o.network, "network", "simulated", "what the gateways before a server of --exec are: simulated, or kernel for Linux itself")
	complete(cmd, "network", words("simulated", "kernel"))
	complete(cmd, "report", words("json=", "junit="))
	complete(cmd, "fault", faultNames)
	complete(cmd, "tolerance", toleranceNames)
}

// checkFlags are those about what is checked, and how, whatever the server.
func (o *runOptions) checkFlags(cmd *cobra.Command) {
	o.selection.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.failOn, "fail-on", "must", "the `LEVEL` that makes the exit code 1: must, or should as well")
	f.BoolVar(&o.slow, "slow", false, "include the checks that wait for more than "+suites.SlowWait.String())
	f.BoolVar(&o.strict, "strict", false, "grade accepted deviations as breaches")
	f.IntVarP(&o.jobs, "jobs", "j", 0, fmt.Sprintf("`N` checks at a time (default 1, %d with --server, and %d with --loopback)", fleetJobs, suites.EmbeddedJobs))
	f.Float64Var(&o.scale, "timeout-scale", 1, fmt.Sprintf("multiply every bound by this `FACTOR`, for slow links and busy machines;\nwith --server, by %v of it: the server is near", fleetScale))
	f.StringSliceVar(&o.topologies, "topology", nil, "the `NETWORK` between client and server: direct, client-nat, …, or all;\nrepeatable (default direct, and client-nat too for the embedded server)")
	f.BoolVar(&o.restart, "restart", false, "start a server of --exec or --server again when it has ended or hangs")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print the last line only")
	complete(cmd, "topology", topologyNames)
	complete(cmd, "fail-on", words("must", "should"))
}

// plan is a run that makes sense, as far as can be told without the target.
type plan struct {
	cfg     suites.Config
	checks  []suites.Choice // those that are going to run
	gate    report.Gate
	reports []report.Destination
	quiet   bool
	fleet   *fleetRun // nil where no container is to be started
}

// plan validates every flag; all errors are mistakes of usage.
func (o *runOptions) plan(ctx context.Context, args []string) (*plan, error) {
	p := &plan{quiet: o.quiet, cfg: suites.Config{Slow: o.slow, Strict: o.strict, Jobs: o.jobs, TimeoutScale: o.scale,
		WriteDir: o.writeDir, FullDir: o.fullDir, PassiveOnly: !o.active, DataTimeout: o.dataTimeout, IdleTimeout: o.idleTimeout}}
	if len(args) == 1 {
		p.cfg.Target = args[0]
		if p.cfg.Target == "" {
			return nil, usagef("the target is empty; leave it out to check the embedded server")
		}
		if err := suites.CheckTarget(p.cfg.Target); err != nil {
			return nil, err
		}
	}
	attach := func(p *plan) error { return o.attach(ctx, p) }
	gate := func(p *plan) error { return o.gate(&p.gate) }
	for _, step := range []func(*plan) error{o.numbers, gate, o.addresses, o.networks, attach, o.start, o.embedded, o.choose, o.destinations} {
		if err := step(p); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (o *runOptions) numbers(p *plan) error {
	switch {
	case o.jobs < 0:
		return usagef("--jobs is %d; it must be at least 1", o.jobs)
	case !(o.scale > 0) || math.IsInf(o.scale, 0):
		return usagef("--timeout-scale is %v; it must be more than 0, such as 2 for a slow link", o.scale)
	case o.dataTimeout < 0 || o.idleTimeout < 0:
		return usagef("a timeout cannot be negative; write it as 30s or 5m")
	case o.quiet && o.verbose:
		return usagef("--quiet and --verbose exclude each other")
	}
	switch strings.ToLower(o.failOn) {
	case "must":
		p.gate.FailOn = suites.MUST
	case "should":
		p.gate.FailOn = suites.SHOULD
	default:
		return usagef("--fail-on is %q; it must be must or should", o.failOn)
	}
	var err error
	p.cfg.PassivePorts, err = parsePorts(o.passivePorts)
	return err
}

// addresses reads the client's addresses and makes sure that they are of this
// machine.
func (o *runOptions) addresses(p *plan) error {
	for _, a := range []struct {
		flag, text string
		into       *netip.Addr
	}{{"--local-addr", o.localAddr, &p.cfg.LocalAddr}, {"--stranger-addr", o.strangerAddr, &p.cfg.StrangerAddr}} {
		if a.text == "" {
			continue
		}
		addr, err := netip.ParseAddr(a.text)
		if err != nil {
			return usagef("%s %q is not an IP address", a.flag, a.text)
		}
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, 0)))
		if err != nil {
			return usagef("%s %s is not an address of this machine that can be used: %w", a.flag, addr, err)
		}
		_ = l.Close() // it was only tried
		*a.into = addr.Unmap()
	}
	if o.localAddr != "" && p.cfg.LocalAddr == p.cfg.StrangerAddr {
		return usagef("--local-addr and --stranger-addr are the same; a stranger has another address")
	}
	return o.inside(p)
}

// inside reads the address of a client behind a simulated NAT.
func (o *runOptions) inside(p *plan) error {
	if o.insideAddr == "" {
		return nil
	}
	addr, err := netip.ParseAddr(o.insideAddr)
	last := byte(0)
	if err == nil && addr.Is4() {
		last = addr.As4()[3]
	}
	switch {
	case last == 0 || last == 255 || addr.IsMulticast() || addr.IsUnspecified():
		return usagef("--inside-addr %q is not the IPv4 address of a host; the client behind the NAT needs one like 192.0.2.2", o.insideAddr)
	case p.cfg.Target == "" || !slices.ContainsFunc(o.topologies, func(t string) bool { return t != string(suites.Direct) }):
		return usagef("--inside-addr is about a simulated NAT before a target; give a target, and --topology client-nat")
	}
	p.cfg.InsideAddr = addr
	return nil
}

// attach reads what is said about a server that is to be attached.
func (o *runOptions) attach(ctx context.Context, p *plan) error {
	switch {
	case p.cfg.Target != "" && o.attached.given():
		return usagef("--exec starts a server, and there is a target as well; leave one of them out")
	case o.port == 0:
		return usagef("--port is 0; it must be from 1 to 65535")
	}
	server, err := o.attached.process("write user and password of another one into the target, ftp://user:password@host:port/dir")
	if err != nil {
		return err
	}
	if server == nil && !o.fleet.given {
		for flag, given := range map[string]bool{"--restart": o.restart, "--port": o.port != 21, "--network": o.network != "simulated"} {
			if given {
				return usagef("%s is about a server of --exec; there is none", flag)
			}
		}
		return nil
	}
	if server != nil {
		p.cfg.Attach, p.cfg.User, p.cfg.Password, p.cfg.Port = server, o.attached.user, o.attached.password, o.port
	}
	p.cfg.Restart = o.restart
	if p.cfg.Gateways, p.cfg.Kernel, err = gateways(ctx, o.network); err != nil {
		return err
	}
	if p.cfg.Gateways != nil && len(o.faults) > 0 {
		return usagef("--fault %s is one of the simulated gateways, and --network kernel leaves them out", o.faults[0])
	}
	for flag, given := range map[string]bool{"--local-addr": o.localAddr != "", "--stranger-addr": o.strangerAddr != ""} {
		if given {
			return usagef("%s is about this machine's sockets, and a server of --exec lives in the simulated network; leave it out", flag)
		}
	}
	return nil
}

// embedded keeps apart what is said about a target and what is said about the
// embedded server.
func (o *runOptions) embedded(p *plan) error {
	if p.cfg.Target != "" || p.cfg.Attach != nil {
		return o.foreign(p)
	}
	for flag, given := range map[string]bool{"--local-addr": o.localAddr != "", "--stranger-addr": o.strangerAddr != "", "--jobs": o.jobs > 1} {
		if given && !o.loopback {
			return usagef("%s is about this machine's sockets, and the embedded server lives in a simulated network; add --loopback, or give a target", flag)
		}
	}
	if o.loopback && len(o.topologies) > 0 {
		return usagef("--topology is about the simulated network, and --loopback leaves it out")
	}
	for flag, given := range map[string]bool{"--write-dir": o.writeDir != "", "--full-dir": o.fullDir != "", "--passive-ports": o.passivePorts != ""} {
		if given {
			return usagef("%s describes a target, and there is none; the embedded server needs no description", flag)
		}
	}
	return deviate(&p.cfg, o.faults, o.tolerances)
}

// foreign refuses what is about the embedded server, where the target is
// another one. The gateways around an attached one may have faults.
func (o *runOptions) foreign(p *plan) error {
	if o.loopback {
		return usagef("--loopback is about the embedded server; leave the target out")
	}
	simulated := p.cfg.Attach != nil || slices.ContainsFunc(o.topologies, func(t string) bool { return t != string(suites.Direct) })
	if len(o.tolerances) > 0 || len(o.faults) > 0 && !simulated {
		return usagef("--fault and --tolerance change the embedded server; leave the target out, or use ftpconform serve")
	}
	for _, name := range o.faults {
		if p.cfg.NetFaults.Set(name) != nil {
			return usagef("--fault %s changes the embedded server; for another one there are faults of gateways only, see ftpconform serve --list-faults", name)
		}
	}
	return nil
}

// start reads what is said about a server that is to be started in a container.
func (o *runOptions) start(p *plan) error {
	if !o.fleet.given {
		if o.fleet.keep {
			return usagef("--keep is about a server of --server; there is none")
		}
		return nil
	}
	for flag, given := range map[string]bool{"a target": p.cfg.Target != "", "--exec": o.attached.exec != "", "--passive-ports": o.passivePorts != "", "--port": o.port != 21} {
		if given {
			return usagef("--server starts and describes a server, and there is %s as well; leave one of them out", flag)
		}
	}
	spec, err := specification(o.fleet.server)
	if err != nil {
		return usagef("--server: %w", err)
	}
	p.fleet = &fleetRun{spec: spec, keep: o.fleet.keep}
	return p.fleet.describe(&p.cfg)
}

// networks reads the topologies.
func (o *runOptions) networks(p *plan) error {
	for _, t := range o.topologies {
		if t == "all" {
			p.cfg.Topologies = suites.Topologies()
			break
		}
		p.cfg.Topologies = append(p.cfg.Topologies, suites.Topology(t))
	}
	return nil
}

func (o *runOptions) choose(p *plan) error {
	p.cfg.Loopback = o.loopback
	if err := o.apply(&p.cfg); err != nil {
		return err
	}
	choices, err := suites.Choose(p.cfg)
	for _, c := range choices {
		if c.Excluded == "" {
			p.checks = append(p.checks, c)
		}
	}
	return err
}

// destinations reads the reports that were asked for and finds out whether
// they can be written.
func (o *runOptions) destinations(p *plan) error {
	for _, spec := range o.reports {
		d, err := report.ParseDestination(spec)
		if err != nil {
			return usagef("%w", err)
		}
		same := func(x report.Destination) bool { return filepath.Clean(x.Path) == filepath.Clean(d.Path) }
		if slices.ContainsFunc(p.reports, same) {
			return usagef("two reports would go to %s", d.Path)
		}
		if err := d.Check(); err != nil {
			return usagef("%w", err)
		}
		p.reports = append(p.reports, d)
	}
	return nil
}

// topologyNames are the values of --topology.
func topologyNames() []string {
	out := []string{"all"}
	for _, t := range suites.Topologies() {
		out = append(out, string(t))
	}
	return out
}

// parsePorts reads a range of ports, "MIN-MAX"; empty is the zero range.
func parsePorts(text string) (reference.PortRange, error) {
	if text == "" {
		return reference.PortRange{}, nil
	}
	low, high, ok := strings.Cut(text, "-")
	if !ok {
		high = low
	}
	a, err1 := strconv.ParseUint(strings.TrimSpace(low), 10, 16)
	b, err2 := strconv.ParseUint(strings.TrimSpace(high), 10, 16)
	if err1 != nil || err2 != nil || a == 0 || b < a {
		return reference.PortRange{}, usagef("--passive-ports is %q; write the range as MIN-MAX, such as 50000-50100", text)
	}
	return reference.PortRange{Min: uint16(a), Max: uint16(b)}, nil
}
