// Package suites holds what is demanded of an FTP server's active and passive
// modes, and the means to find out whether a server complies: the catalogue
// of requirements (data), the checks (plain values, one file a topic), the
// runner, and a thin adapter to Ginkgo.
//
// A check acts on a server through package fakeclient and states findings.
// What conforms, what is only noted and what fails is written down with each
// check, with its clause; a check asserts the class of a reply unless a clause
// names the code. It never waits for a 150 before it dials or accepts.
//
// Three entries serve library users: Verify runs checks and returns a report,
// Run does so as subtests of a Go test, and Register builds Ginkgo specs.
//
// A Config must not be changed while it is in use. Verify may be called from
// several goroutines at once.
package suites

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/reference"
)

// Need is something a check cannot do without. What the target lacks is found
// out once, before the checks run.
type Need string

// The needs of checks.
const (
	NeedData     Need = "data"     // some mode in which files can be transferred
	NeedPassive  Need = "passive"  // working PASV transfers
	NeedActive   Need = "active"   // working PORT transfers
	NeedEPSV     Need = "epsv"     // EPSV is offered
	NeedEPRT     Need = "eprt"     // EPRT is offered
	NeedStranger Need = "stranger" // a second client address
	NeedModeB    Need = "mode-b"   // MODE B is offered
	NeedModeC    Need = "mode-c"   // MODE C is offered
	NeedFiles    Need = "files"    // the prepared files are on the target
	NeedPORT     Need = "port"     // PORT is meant to work: not a passive-only target

	NeedAdvertise Need = "advertise"  // the server knows the outside address of its NAT
	NeedOpenPorts Need = "open-ports" // the server uses the passive ports that the network opens
	NeedFewPorts  Need = "few-ports"  // the server can be given another passive range
	// NeedServerSide is that the network on the server's side is simulated too.
	NeedServerSide Need = "server-side"
)

// Check is one question to a server. Everything about it is in the value; the
// function only observes and states findings.
type Check struct {
	// ID is the stable name: topic, hyphen, what is checked; lower case.
	ID string
	// Title is the conforming observation as a sentence.
	Title string
	// Requirements are the ids of what is checked; the first one is the
	// subject and gives the topic.
	Requirements []string
	// Needs are looked at before the check is run.
	Needs []Need
	// Conforms, Noted and Fails are the outcomes, each with its clause.
	Conforms, Noted, Fails []string
	// Why says what goes wrong for users when the requirement is broken.
	Why string
	// Waits returns the longest deliberate wait, nil when there is none worth
	// mentioning. A check that must wait for more than SlowWait is slow.
	Waits func(*Config) time.Duration
	// Exclusive checks look at what other sessions could disturb, ports that
	// must be closed for example; nothing else runs beside them.
	Exclusive bool
	// Watch, if set, makes the check an invariant: it is also applied to
	// every dialogue of every other check.
	Watch func(*Dialogue) []Violation
	// In are the topologies in which the check holds; empty means Direct alone.
	// Elsewhere the network, and not the target, would decide what comes of it.
	In []Topology
	// Varies says that what conforms depends on the topology, so that the check
	// has to be proven in each of them and not in the first alone.
	Varies bool
	// Network and Server, if set, change the simulated network and the
	// embedded server before they are built, for checks of gateways that need
	// a network of their own. A check that has one of them is run in the
	// simulated network only.
	Network func(*netsim.Topology)
	Server  func(*reference.Options)
	// Run acts and states findings on the session.
	Run func(*Session)
}

// SlowWait is the deliberate wait from which on a check is slow, and left out
// unless slow checks are asked for.
const SlowWait = 30 * time.Second

// Topic is the topic of the check's subject.
func (c Check) Topic() string {
	r, _ := LoadCatalogue().Requirement(c.Requirements[0])
	return r.Topic
}

// Role is who is judged: "server", or "nat" for a gateway of the network.
func (c Check) Role() string {
	r, _ := LoadCatalogue().Requirement(c.Requirements[0])
	return string(r.Role)
}

// Level is the most binding level among the check's requirements.
func (c Check) Level() Level {
	level := MAY
	for _, id := range c.Requirements {
		if r, _ := LoadCatalogue().Requirement(id); r.Level.rank() > level.rank() {
			level = r.Level
		}
	}
	return level
}

// Slow reports whether the check must wait longer than SlowWait under the
// configuration, and for how long.
func (c Check) Slow(cfg *Config) (time.Duration, bool) {
	if c.Waits == nil || cfg.simulated() { // waiting costs nothing there
		return 0, false
	}
	if c.Network != nil && (cfg.attached() || cfg.remote()) {
		return 0, false // it waits for a server that tries what cannot work, and few do
	}
	d := c.Waits(cfg)
	return d, d > SlowWait
}

// Topologies are those in which the check can be run.
func (c Check) Topologies() []Topology {
	if len(c.In) == 0 {
		return []Topology{Direct}
	}
	return c.In
}

// Labels are the labels of the check in Ginkgo and in label filters.
func (c Check) Labels(cfg *Config, t Topology) []string {
	out := []string{"topic:" + c.Topic(), "level:" + string(c.Level()), "role:" + c.Role(), "topology:" + string(t), "check:" + c.ID}
	for _, id := range c.Requirements {
		out = append(out, "req:"+id)
	}
	if _, slow := c.Slow(cfg); slow {
		out = append(out, "slow")
	}
	return out
}

// Checks returns all checks in the order of their topics and requirements.
// The result must not be changed.
var Checks = sync.OnceValue(func() []Check {
	all := slices.Concat(portChecks, pasvChecks, eprtChecks, epsvChecks, longChecks, dataChecks, dataModeChecks,
		replyChecks, invariantChecks, abortChecks, securityChecks, controlChecks, pathChecks, ipv6Checks, algChecks, algExpectChecks, algNumberChecks, algSplitChecks,
		natMappingChecks, natFilterChecks, natLifeChecks)
	topics := LoadCatalogue().Topics
	slices.SortStableFunc(all, func(a, b Check) int {
		if d := slices.Index(topics, a.Topic()) - slices.Index(topics, b.Topic()); d != 0 {
			return d
		}
		return strings.Compare(a.Requirements[0], b.Requirements[0])
	})
	return all
})

// FindCheck finds a check by its id, or by the id of a requirement that it is
// about, case-blind. Several checks can be about one requirement.
func FindCheck(id string) []Check {
	var out []Check
	for _, c := range Checks() {
		if strings.EqualFold(c.ID, id) || slices.ContainsFunc(c.Requirements, func(r string) bool { return strings.EqualFold(r, id) }) {
			out = append(out, c)
		}
	}
	return out
}

// Describe names the check in a message: its id and first requirement.
func (c Check) Describe() string { return fmt.Sprintf("%s (%s)", c.ID, c.Requirements[0]) }
