package suites

import (
	"net/netip"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/reference"
)

// Config says what to check, and what is known of the target. The zero value
// checks the embedded reference server.
type Config struct {
	// Target is the server: "ftp://user:password@host:port/dir". Empty is the
	// embedded reference server, or that of Attach.
	Target string
	// Attach, if set, starts the server in the simulated network, which then
	// runs in real time. User and Password are for it, anonymous if empty, and
	// Port is where it listens, default 21.
	Attach         netsim.Attacher
	User, Password string
	Port           uint16
	// Gateways, if set, makes the gateways of an attached server's networks, as in
	// netsim.Options, and Kernel is the release of the kernel that they are.
	Gateways func(o gateway.Options, helper alg.Options) (netsim.Router, error)
	Kernel   string
	// Restart starts an attached server again, for the next check, when it has
	// ended or does not answer any more. Otherwise the rest has no answer.
	Restart bool
	// Faults and Tolerances are those of the embedded server.
	Faults     reference.Faults
	Tolerances reference.Tolerances

	// Topologies are the networks in which to check; default Direct, and
	// ClientNAT as well for a server in the simulated network. Before a Target
	// the NATs of clients can be simulated: in others its checks have no answer.
	Topologies []Topology
	// Loopback puts the embedded server on this machine's loopback, in real
	// time, in place of the simulated network.
	Loopback bool
	// NetFaults are those of the gateways of the simulated network.
	NetFaults netsim.Faults

	// Only and Skip select checks; see Select. Level leaves out those below
	// it; empty takes all.
	Only, Skip []string
	Level      Level
	// Slow includes the checks that wait for more than SlowWait.
	Slow bool
	// Strict grades as failures what the conflict positions of the catalogue
	// accept as widespread deviations.
	Strict bool

	// Jobs is the number of checks at a time; default 1 against a target, and
	// EmbeddedJobs against the embedded server on the loopback. Networks is in how
	// many of them at a time an attached server is checked that can be started
	// several times, with Jobs in each; default 4.
	Jobs, Networks int
	// TimeoutScale multiplies every bound; default 1.
	TimeoutScale float64

	// LocalAddr is the client's address, or, where a simulated NAT stands before
	// a target, that of the NAT; default the host's choice.
	LocalAddr netip.Addr
	// InsideAddr is the client's IPv4 address behind that NAT; default one that
	// is nobody's, such as 192.0.2.2 (RFC 5737), because the server may connect
	// to it.
	InsideAddr netip.Addr
	// StrangerAddr is a second address of this machine, from which another
	// client comes; default 127.0.0.2 for a target on 127.0.0.1.
	StrangerAddr netip.Addr

	// WriteDir is the directory on the target for the files of the run;
	// default the path of Target, or where the login leads.
	WriteDir string
	// FullDir is a directory on the target that has room for less than 1 MiB;
	// without it, what happens on a full disk is not checked.
	FullDir string
	// PassiveOnly says that the target is configured without active mode.
	PassiveOnly bool
	// DataTimeout and IdleTimeout are the target's own, where known: they
	// make waits shorter. 0 means unknown.
	DataTimeout, IdleTimeout time.Duration
	// PassivePorts is the target's configured passive range, where known.
	PassivePorts reference.PortRange

	// Network and Clock are those of the client; default the operating
	// system's.
	Network host.Network
	Clock   host.Clock

	// once runs a check in the first of its topologies only, unless it varies:
	// for the proof that faults break it.
	once bool

	// Progress, if set, is told of every result as it is made, one call at a
	// time.
	Progress func(done, total int, r Result)
}

// Deviate makes the embedded server or the gateways of the simulated network
// deviate in one way, a fault or a tolerance by its name, and reports whether
// it was a tolerance.
func (c *Config) Deviate(name string) (tolerance bool, err error) {
	if err = c.Faults.Set(name); err == nil {
		return false, nil
	}
	if c.Tolerances.Set(name) == nil {
		return true, nil
	}
	if c.NetFaults.Set(name) == nil {
		return false, nil
	}
	return false, err
}

// EmbeddedJobs is the default number of concurrent checks against the embedded
// server on the loopback: most of them wait most of the time.
const EmbeddedJobs = 32

func (c *Config) embedded() bool { return c.Target == "" && c.Attach == nil }

// attached reports whether the target is a real server in the simulated
// network.
func (c *Config) attached() bool { return c.Attach != nil }

// port is where the servers of the simulated network listen.
func (c *Config) port() uint16 {
	if c.Port != 0 {
		return c.Port
	}
	return controlPort
}

func (c *Config) jobs() int {
	switch {
	case c.Jobs > 0:
		return c.Jobs
	case c.embedded() && c.Loopback:
		return EmbeddedJobs
	}
	return 1 // simulated networks run one at a time anyhow
}

// networks is the number of simulated networks at a time.
func (c *Config) networks() int {
	switch {
	case !c.attached() || !c.Attach.Apart():
		return 1
	case c.Networks > 0:
		return c.Networks
	}
	return 4
}

func (c *Config) bounds() Bounds {
	b := DefaultBounds()
	if c.embedded() && c.Loopback {
		b = embeddedBounds()
	}
	return b.Scale(c.TimeoutScale)
}

func (c *Config) clock() host.Clock {
	if c.Clock != nil {
		return c.Clock
	}
	return host.RealTime{}
}

// dataTimeout is how long the target may take to give up a data connection
// that never comes: its own timeout and some grace where that is known, else
// the bound of the catalogue.
func (c *Config) dataTimeout() time.Duration {
	if c.DataTimeout > 0 {
		return c.DataTimeout + c.bounds().Close
	}
	return c.bounds().Stall
}
