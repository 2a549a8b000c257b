package suites

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ftpconform/ftpconform/fakeclient"
	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/portal"
	"github.com/ftpconform/ftpconform/reference"
)

// site is a network in real time with an attached server in it. Checks that
// change nothing about the network share it.
type site struct {
	Scene
	spec   netsim.Topology
	server netsim.Attached // nil where the network goes on in a portal
	portal *portal.Portal  // nil where it does not
	// opening is the first line of every trace, if there is one.
	opening string
	end     func()        // lets its time stop
	over    chan struct{} // it stands still

	mu     sync.Mutex
	traces []*fakeclient.Trace // who is told what the server writes
	words  []string            // the last that it has written
	bad    string              // why nothing can be asked of it any more
	during string              // the check that found that out
}

// lastWords is how many lines of a server's log are kept for error messages.
const lastWords = 4

// openSite starts the server in a network and waits until it answers.
func openSite(ctx context.Context, cfg *Config, spec netsim.Topology) (*site, error) {
	st := &site{spec: spec, over: make(chan struct{})}
	st.site = st
	failed := func(err error, hint string) error {
		if words := st.lastWords(); words != "" {
			err = fmt.Errorf("%w; its last words: %s", err, words)
		}
		return &PreflightError{Stage: StageReach, Target: cfg.Attach.Name(), Err: err, Hint: hint}
	}
	var err error
	place := spec.ServerPlace(cfg.port())
	if st.server, err = cfg.Attach.Start(ctx, place, st.say); err != nil {
		return nil, failed(err, "")
	}
	if err := netsim.Await(ctx, st.server, place, cfg.bounds().Greet); err != nil {
		err = failed(err, place.Advice(err))
		return nil, errors.Join(err, st.server.Close())
	}
	st.World, err = netsim.Build(spec, netsim.Options{Seed: 1, Real: true, Faults: cfg.NetFaults, Gateways: cfg.Gateways, Hosts: map[string]netsim.External{spec.Server: st.server}})
	if err != nil {
		return nil, errors.Join(err, st.server.Close())
	}
	st.target = placed(st.World, cfg.port())
	st.target.User, st.target.Password, st.target.Dir = cfg.login()
	st.target.Name = fmt.Sprintf("ftp://%s@%s/%s (%s)", url.PathEscape(st.target.User), st.target.Address, st.target.Dir, cfg.Attach.Name())
	if !cfg.knowsRange() {
		st.target.PassivePorts = reference.PortRange{}
	}
	st.run()
	return st, nil
}

// login is how one logs in to an attached server.
func (c *Config) login() (user, password, dir string) {
	user, password = c.User, c.Password
	if user == "" {
		user, password = anonymous, anonymousPassword
	}
	return user, password, c.WriteDir
}

// run lets time pass until the site is closed.
func (st *site) run() {
	ctx, cancel := context.WithCancel(context.Background())
	st.end = cancel
	go func() {
		defer close(st.over)
		_ = st.Run(ctx, "site", func() { <-ctx.Done() }) // it ends because it is ended
	}()
}

// fate is how the server has ended by itself; "" when it has not, or nobody can
// know.
func (st *site) fate() string {
	if st.server == nil {
		return ""
	}
	return st.server.Fate()
}

// hitches are what this machine could not do for the network so far.
func (st *site) hitches() []string {
	if st.portal == nil {
		return nil
	}
	return st.portal.Hitches()
}

// close ends the server and lets the network stand still.
func (st *site) close() error {
	var err error
	if st.server != nil {
		err = st.server.Close()
	}
	if st.portal != nil {
		st.portal.Close()
	}
	st.end()
	<-st.over
	st.Close()
	return err
}

// greets connects to the server and waits for the first octet of its greeting.
func (st *site) greets(ctx context.Context, bound time.Duration) error {
	conn, err := st.Client().Dial(ctx, netip.AddrPort{}, st.target.Address)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	_ = conn.SetReadDeadline(st.Client().Now().Add(bound))
	_, err = conn.Read(make([]byte, 1))
	return err
}

// say takes a line that the server has written.
func (st *site) say(line string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.words = append(st.words, line)
	if len(st.words) > lastWords {
		st.words = st.words[1:]
	}
	for _, t := range st.traces {
		t.Add("server", fakeclient.ByServer, fakeclient.KindLog, line)
	}
}

func (st *site) lastWords() string {
	st.mu.Lock()
	defer st.mu.Unlock()
	return strings.Join(st.words, " | ")
}

// tell lets a trace have what the server writes, until the function that it
// returns is called.
func (st *site) tell(t *fakeclient.Trace) (enough func()) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.traces = append(st.traces, t)
	if st.opening != "" {
		t.Note("%s", st.opening)
	}
	return func() {
		st.mu.Lock()
		defer st.mu.Unlock()
		st.traces = slices.DeleteFunc(st.traces, func(o *fakeclient.Trace) bool { return o == t })
	}
}

// trouble is why nothing can be asked of the server any more, empty if there is
// no reason; check is who has found it.
func (st *site) trouble() (bad, check string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.bad, st.during
}

// condemn notes that nothing can be asked of the server any more.
func (st *site) condemn(bad, check string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.bad == "" {
		st.bad, st.during = bad, check
	}
}

// examine finds out whether the server is still there after a check that has not
// gone well. A check that has an answer all the same keeps it.
func (st *site) examine(ctx context.Context, res *Result, b Bounds) {
	bad, _ := st.trouble()
	if bad == "" {
		if bad = st.ails(ctx, res.Verdict, b); bad == "" {
			return
		}
		st.condemn(bad, res.Check)
	}
	switch res.Verdict {
	case Pass, Info, Unsupported, NotApplicable, NotRun, HarnessError:
	case Fail, Warn, Inconclusive:
		// What was seen may be the effect of its end, and not of a breach.
		res.Verdict, res.Message = Inconclusive, bad+"; seen before: "+res.Message
	}
}

// ails says what is wrong with the server as a whole, as far as a check with such
// a verdict is a reason to look; "" when nothing is.
func (st *site) ails(ctx context.Context, v Verdict, b Bounds) string {
	if st.server == nil {
		return ""
	}
	well := true
	if (v == Fail || v == Warn || v == Inconclusive) && ctx.Err() == nil && st.server.Fate() == "" {
		probe, cancel := context.WithTimeout(ctx, b.Greet)
		defer cancel()
		err := st.greets(probe, b.Greet)
		well = err == nil
		late := probe.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, syscall.ETIMEDOUT)
		if !well && (!late || ctx.Err() != nil) {
			st.mourn(ctx)
			well = true // it may be full, or refuse us
		}
	}
	switch fate := st.server.Fate(); {
	case fate != "":
		if words := st.lastWords(); words != "" {
			fate += " (" + words + ")"
		}
		return "target " + fate
	case !well:
		return fmt.Sprintf("target hangs: it runs, and does not greet within %v", b.Greet)
	}
	return ""
}

// mournBound is how long the news that a server has ended may be on its way, on a
// busy machine.
const mournBound = 3 * time.Second

// mourn waits for the news that the server has ended: its connections end earlier.
func (st *site) mourn(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, mournBound)
	defer cancel()
	select {
	case <-st.server.Gone():
	case <-ctx.Done():
	}
}

// fit makes a built-in network one in which the server listens on another port
// than 21, or uses other passive ports.
func fit(t *netsim.Topology, port uint16, passive reference.PortRange) {
	from := []gateway.PortRange{{First: controlPort, Last: controlPort}, t.PassivePorts}
	to := []gateway.PortRange{{First: port, Last: port}, t.PassivePorts}
	if passive != (reference.PortRange{}) {
		to[1] = gateway.PortRange{First: passive.Min, Last: passive.Max}
		t.PassivePorts = to[1]
	}
	change := func(r *gateway.PortRange) {
		if i := slices.Index(from, *r); i >= 0 {
			*r = to[i]
		}
	}
	for i := range t.Gateways {
		g := &t.Gateways[i]
		if g.NAT != nil {
			for j := range g.NAT.Forwards {
				change(&g.NAT.Forwards[j].Ports)
			}
		}
		if g.Filter != nil {
			for j := range g.Filter.Rules {
				change(&g.Filter.Rules[j].Ports)
			}
		}
		if g.ALG.Profile != "" && g.ALG.Profile != alg.Off {
			g.ALG.Ports = []uint16{port}
		}
	}
}
