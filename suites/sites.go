package suites

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"github.com/ftpconform/ftpconform/netsim"
)

// sites opens the networks in which the attached server is checked, one at a
// time. Servers that keep apart have several of these, one for each topology.
type sites struct {
	cfg *Config

	// knowing is held by who makes the preflight.
	knowing sync.Mutex

	mu    sync.Mutex
	free  *sync.Cond // somebody has left
	cur   *site
	users int
	alone bool // the one user wants no other
	// failed is why there is no server in a topology.
	failed map[Topology]error
	// fell is how the server was lost in a network that is closed already, where
	// nobody has asked for its restart.
	fell string
	// beyond is where the networks before a remote target go on; nil for an
	// attached one.
	beyond *beyond
	// prepare makes a server that has just been started ready for checks.
	prepare func(ctx context.Context, st *site, t Topology) error
}

func newSites(cfg *Config, prepare func(ctx context.Context, st *site, t Topology) error) *sites {
	s := &sites{cfg: cfg, failed: map[Topology]error{}, prepare: prepare}
	s.free = sync.NewCond(&s.mu)
	return s
}

// openSites makes the sites of all topologies.
func (r *run) openSites(beyond *beyond) {
	shared := newSites(r.cfg, r.prepare)
	shared.beyond = beyond
	r.sites = map[Topology]*sites{}
	for _, t := range r.cfg.topologies() {
		r.sites[t] = shared
		if r.cfg.networks() > 1 {
			r.sites[t] = newSites(r.cfg, r.prepare)
		}
	}
}

// topology is the network of a check, and whether it is only for that one.
func (s *sites) topology(c *Check, t Topology) (spec netsim.Topology, alone bool, err error) {
	if spec, err = netsim.Builtin(string(t)); err != nil {
		return spec, false, err
	}
	port := s.cfg.port()
	if s.beyond != nil {
		port = s.beyond.target.Address.Port() // a helper has to look there
	}
	fit(&spec, port, s.cfg.PassivePorts)
	if c.Network != nil {
		c.Network(&spec)
		alone = true
	}
	if s.beyond != nil {
		s.beyond.relocate(&spec)
	}
	return spec.WithDefaults(), alone || c.Exclusive, nil
}

// enter waits for the site with a network, and opens it where it is not the
// current one. Whoever gets one has to leave it.
func (s *sites) enter(ctx context.Context, t Topology, spec netsim.Topology, alone bool) (*site, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		fits := s.cur != nil && reflect.DeepEqual(s.cur.spec, spec) && !s.dead()
		if s.users == 0 && !fits {
			if err := s.open(ctx, t, spec); err != nil {
				return nil, err
			}
			fits = true
		}
		if fits && !s.alone && (!alone || s.users == 0) {
			s.users++
			s.alone = alone
			return s.cur, nil
		}
		s.free.Wait()
	}
}

// dead reports whether the current server is to be started again.
func (s *sites) dead() bool {
	if fate := s.cur.fate(); fate != "" {
		s.cur.condemn("target "+fate, "")
	}
	bad, _ := s.cur.trouble()
	return bad != "" && s.cfg.Restart
}

// open makes a site the current one.
func (s *sites) open(ctx context.Context, t Topology, spec netsim.Topology) error {
	if err := s.failed[t]; err != nil {
		return err
	}
	if err := s.closeLocked(); err != nil {
		return err
	}
	for try := 1; ; try++ {
		st, err := s.start(ctx, t, spec)
		var fallen *fallenError
		if errors.As(err, &fallen) {
			if try < preflightTries && ctx.Err() == nil {
				continue
			}
			s.fell = fallen.how
		}
		if err != nil {
			if ctx.Err() == nil {
				s.failed[t] = err
			}
			return err
		}
		s.cur = st
		return nil
	}
}

// start opens a site and makes it ready. A server that does not survive that is
// a *fallenError where it is to be started again; elsewhere the site is handed
// out, condemned.
func (s *sites) start(ctx context.Context, t Topology, spec netsim.Topology) (st *site, err error) {
	if s.beyond != nil {
		st, err = s.beyond.open(s.cfg, spec)
	} else {
		st, err = openSite(ctx, s.cfg, spec)
	}
	if err != nil {
		return nil, err
	}
	err = s.prepare(ctx, st, t)
	if how := st.fell(); err == nil && how != "" && s.cfg.Restart {
		err = &PreflightError{Stage: StagePrepare, Target: st.target.Name, Err: &fallenError{how}}
	}
	if err != nil {
		return nil, errors.Join(err, st.close())
	}
	return st, nil
}

// lost is why nothing can be asked of the server any more, if it is not to be
// started again.
func (s *sites) lost() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cur == nil || s.cfg.Restart || s.fell != "" {
		return s.fell
	}
	if fate := s.cur.fate(); fate != "" {
		s.cur.condemn("target "+fate, "")
	}
	return s.cur.fell()
}

// leave gives a site back.
func (s *sites) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users--
	s.alone = false
	s.free.Broadcast()
}

// close ends the current site.
func (s *sites) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closeLocked()
}

func (s *sites) closeLocked() error {
	if s.cur == nil {
		return nil
	}
	if how := s.cur.fell(); s.fell == "" && !s.cfg.Restart {
		s.fell = how
	}
	err := s.cur.close()
	s.cur = nil
	if err != nil {
		return fmt.Errorf("end the server: %w", err)
	}
	return nil
}

// inSite runs one check against the attached server.
func (r *run) inSite(ctx context.Context, c Check, t Topology) Result {
	res := notRun(c, t, "")
	sites := r.sites[t]
	spec, alone, err := sites.topology(&c, t)
	if err != nil {
		res.Verdict, res.Message = HarnessError, err.Error()
		return res
	}
	if err := r.know(ctx, t); err != nil {
		return r.noSession(ctx, res, err)
	}
	known := r.known(t)
	for _, n := range c.Needs {
		if l, lacks := known.Lacks(n); lacks {
			res.Verdict, res.Message = l.Verdict, l.Reason
			return res
		}
	}
	st, err := sites.enter(ctx, t, spec, alone)
	if err != nil {
		return r.noSession(ctx, res, err)
	}
	defer sites.leave()
	if bad, check := st.trouble(); bad != "" {
		res.Verdict, res.Message = Inconclusive, bad
		if check != "" {
			res.Message += " during " + check + "; with --restart it is started again"
		}
		return res
	}
	target := known.as(st.target)
	target.Name, target.Stranger = st.target.Name, st.target.Stranger
	before := len(st.hitches())
	res = r.judge(ctx, c, t, target, &st.Scene)
	hinder(&res, st.hitches()[before:])
	st.examine(ctx, &res, r.cfg.bounds())
	return res
}

// noSession is the result of a check for which there was no server.
func (r *run) noSession(ctx context.Context, res Result, err error) Result {
	if ctx.Err() != nil {
		res.Message = "the run was interrupted"
		return res
	}
	res.Verdict, res.Message = Inconclusive, fmt.Sprintf("no session in %s: %v", res.Topology, err)
	return res
}

// know makes sure that the preflight has been made in a topology. Those that
// come meanwhile wait here: in the site each of them would want to be alone.
func (r *run) know(ctx context.Context, t Topology) error {
	sites := r.sites[t]
	sites.knowing.Lock()
	defer sites.knowing.Unlock()
	if r.known(t) != nil {
		return nil
	}
	spec, _, err := sites.topology(&Check{}, t)
	if err != nil {
		return err
	}
	if _, err = sites.enter(ctx, t, spec, true); err == nil {
		sites.leave()
	}
	return err
}

// known is what the preflight has found out in a topology; nil before.
func (r *run) known(t Topology) *Target {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.targets[t]
}

// cleanUpSite is cleanUp for an attached server.
func (r *run) cleanUpSite(ctx context.Context) {
	for _, t := range r.cfg.topologies() {
		if r.lost = r.sites[t].lost(); r.lost != "" {
			return
		}
	}
	t := r.cfg.topologies()[0]
	sites := r.sites[t]
	spec, _, err := sites.topology(&Check{}, t)
	known := r.known(t)
	if err != nil || known == nil {
		return
	}
	st, err := sites.enter(ctx, t, spec, true)
	if err != nil {
		return
	}
	defer sites.leave()
	if bad, _ := st.trouble(); bad == "" {
		s := r.session(ctx, &Check{ID: "clean-up"}, known.as(st.target), &st.Scene)
		defer s.abandon()
		s.cleanUp()
	}
}

// knowsRange reports whether it is known which passive ports an attached server
// uses.
func (c *Config) knowsRange() bool {
	return c.PassivePorts.Max != 0 || c.Attach.Tells().PassivePorts
}

// untold notes what an attached server has not been told of its place.
func (c *Config) untold(t *Target, spec *netsim.Topology) {
	told := c.Attach.Tells()
	lack := func(n Need, format string, args ...any) {
		t.lacks[n] = Lack{Inconclusive, fmt.Sprintf(format, args...)}
	}
	if !told.PassivePorts {
		lack(NeedFewPorts, "the server cannot be told another passive range; put {passive-min} and {passive-max} into its command")
	}
	if !c.knowsRange() && behindGateway(spec) {
		lack(NeedOpenPorts, "the passive ports %d to %d are open in this network, and nobody has said that the server uses them: --passive-ports, or {passive-min} and {passive-max} in its command",
			spec.PassivePorts.First, spec.PassivePorts.Last)
	}
	if spec.Advertise.IsValid() && !told.Advertise {
		lack(NeedAdvertise, "the server has not been told the outside address of its NAT, %s; put {advertise} into its command", spec.Advertise)
	}
}

// behindGateway reports whether a gateway protects the server.
func behindGateway(spec *netsim.Topology) bool {
	server, _ := spec.Host(spec.Server)
	return slices.ContainsFunc(spec.Gateways, func(g netsim.Gateway) bool { return g.Inside.Network == server.Network })
}
