package suites

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ftpconform/ftpconform/fakeclient"
)

// Verify runs the selected checks against the target and returns the record.
//
// A *UsageError says that the configuration makes no sense, a *PreflightError
// that the target cannot be reached, logged in to or prepared: no check has
// run then and the report is nil. When the context ends, the report holds what
// was found until then, and Interrupted is set.
func Verify(ctx context.Context, cfg Config) (*Report, error) {
	r, err := newRun(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	defer r.close()
	if err := r.preflight(ctx); err != nil {
		return nil, r.redactError(err)
	}
	r.all(ctx)
	return r.report(ctx), nil
}

// task is a check in a topology.
type task struct {
	check    string
	topology Topology
}

// run is one run of the checks.
type run struct {
	cfg   *Config
	sel   *selection
	start time.Time
	// target is what the preflight found out; targets is that for each
	// topology.
	target  *Target
	targets map[Topology]*Target
	pool    *pool // of embedded servers on the loopback; nil otherwise
	// sites are those of an attached server, or before a remote one.
	sites map[Topology]*sites
	// noPortal is why there can be no simulated NAT before a remote target.
	noPortal string

	// door is held by those who wait for their greeting; nil where they do not
	// wait in real time.
	door chan struct{}

	// alone keeps exclusive checks apart from the others.
	alone sync.RWMutex

	mu         sync.Mutex
	results    map[task]Result
	violations []Violation
	total      int
	lost       string // why the target cannot be reached any more
	// progress serialises the callback.
	progress sync.Mutex
}

func newRun(ctx context.Context, cfg *Config) (*run, error) {
	r := &run{cfg: cfg, results: map[task]Result{}, targets: map[Topology]*Target{}, start: cfg.clock().Now()}
	if !cfg.embedded() {
		r.door = make(chan struct{}, knocking)
	}
	var err error
	if r.sel, err = newSelection(cfg); err != nil {
		return nil, err
	}
	switch {
	case cfg.simulated():
		cfg.FullDir, cfg.Slow = "/"+fullDir, true // waiting costs nothing here
		if cfg.DataTimeout == 0 {
			cfg.DataTimeout = simulatedDataTimeout
		}
		return r, nil
	case cfg.embedded():
		r.pool = newPool(cfg)
		return r, cfg.checkAddrs(netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	case cfg.attached():
		r.openSites(nil)
		return r, nil
	}
	if r.target, err = ParseTarget(ctx, cfg.Target); err != nil {
		return nil, err
	}
	if cfg.WriteDir != "" {
		r.target.Dir = cfg.WriteDir
	}
	r.target.PassivePorts = cfg.PassivePorts
	r.target.lacks = map[Need]Lack{}
	if err := cfg.checkAddrs(r.target.Address.Addr()); err != nil {
		return nil, err
	}
	return r, r.open()
}

// open finds out how the simulated networks before a remote target go on, if
// there are to be any.
func (r *run) open() error {
	if !slices.ContainsFunc(r.cfg.topologies(), r.cfg.sited) {
		return nil
	}
	given := *r.target
	b, err := newBeyond(r.cfg, &given)
	var no *noPortalError
	if errors.As(err, &no) {
		r.noPortal = no.reason
		return nil
	}
	if err != nil {
		return err
	}
	r.openSites(b)
	return nil
}

func (r *run) close() {
	if r.pool != nil {
		r.pool.close()
	}
	for _, s := range r.sites {
		_ = s.close() // nothing can be done about it any more
	}
}

// preflight finds out about the target once, in every topology. Where a network
// other than the direct one lets no session come about, the checks there have
// no answer; that is no reason not to run the others.
func (r *run) preflight(ctx context.Context) error {
	if r.cfg.attached() { // where it is started anew in each network, that is looked at when its turn comes
		return r.know(ctx, r.cfg.topologies()[0])
	}
	if !r.cfg.simulated() {
		if r.pool != nil {
			t, err := r.pool.take(ctx)
			if err != nil {
				return err
			}
			defer r.pool.give(t)
			r.target = t
		}
		r.targets[Direct] = r.target
		return r.survey(ctx, &Check{ID: "preflight"}, r.target, nil)
	}
	for _, t := range r.cfg.topologies() {
		target, err := r.preflightIn(ctx, t)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil && (t == Direct || target == nil):
			return err
		case err != nil:
			for _, n := range needs {
				target.lacks[n] = Lack{Inconclusive, fmt.Sprintf("no session in %s: %v", t, err)}
			}
		}
		r.targets[t] = target
		if r.target == nil {
			r.target = target
		}
	}
	return nil
}

// survey is the preflight on one target.
func (r *run) survey(ctx context.Context, c *Check, t *Target, sc *Scene) error {
	s := r.session(ctx, c, t, sc)
	return s.bounded(s.preflight)
}

// bounded makes a preflight, and ends the session.
func (s *Session) bounded(preflight func() error) error {
	defer s.abandon()
	defer s.Scene.hear(s.Client.Trace())()
	// Every wait has a bound; this is for a server that keeps each just short,
	// with preliminary replies without end for example.
	defer s.clock().AfterFunc(preflightLimit*s.Bounds.checkLimit(0), s.Client.Expire)()
	return preflight()
}

// session makes what a check is handed; sc is nil outside the simulated
// network.
func (r *run) session(ctx context.Context, c *Check, t *Target, sc *Scene) *Session {
	o := fakeclient.Options{Network: r.cfg.Network, Clock: r.cfg.clock()}
	if sc != nil {
		o.Network, o.Clock = machines{sc.World}, sc.Client()
	}
	o.Trace = fakeclient.NewTrace(o.Clock)
	if !r.cfg.embedded() { // its password is known to everybody
		o.Trace.Hide(t.Password)
	}
	b := r.cfg.bounds()
	o.DialBound = b.Dial
	cfg := *r.cfg
	cfg.Network, cfg.Clock = o.Network, o.Clock
	if t.Local.IsValid() {
		cfg.LocalAddr = t.Local
	}
	return &Session{Config: &cfg, Target: t, Bounds: b, Client: fakeclient.New(ctx, o), Scene: sc, check: c, door: r.door}
}

// all runs the selected checks: those that are no invariants first, because
// the invariants judge what was seen meanwhile.
func (r *run) all(ctx context.Context) {
	var first, last []task
	for _, c := range Checks() {
		r.total += len(r.cfg.places(c))
	}
	for _, c := range Checks() {
		for _, t := range r.cfg.places(c) {
			switch reason := r.sel.excludes(c, t); {
			case reason != "":
				r.file(notRun(c, t, reason))
			case c.Watch != nil:
				last = append(last, task{c.ID, t})
			default:
				first = append(first, task{c.ID, t})
			}
		}
	}
	// Those that wait long start early.
	slices.SortStableFunc(first, func(a, b task) int { return int(r.waits(b.find()) - r.waits(a.find())) })
	r.everywhere(ctx, first)
	r.everywhere(ctx, last)
	if !r.cfg.embedded() {
		r.cleanUp(ctx)
	}
}

// cleanUp removes the files of the run, even when the run was interrupted, as
// far as that is possible in a short time. It finds out, too, whether the
// target is still there.
func (r *run) cleanUp(ctx context.Context) {
	limit := r.cfg.bounds().Greet + r.cfg.bounds().Login
	if ctx.Err() != nil {
		limit = r.cfg.bounds().Close
	}
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	if r.cfg.attached() {
		r.cleanUpSite(clean)
		return
	}
	s := r.session(clean, &Check{ID: "clean-up"}, r.target, nil)
	defer s.abandon()
	c, err := s.dial(s.Config.LocalAddr, r.target.Address)
	var full *greetingError
	switch {
	case errors.As(err, &full): // it is there
	case err != nil && ctx.Err() == nil:
		r.lost = err.Error()
		return
	case err == nil:
		c.End()
	}
	s.cleanUp()
}

func (r *run) waits(c Check) time.Duration {
	if c.Waits == nil {
		return 0
	}
	return c.Waits(r.cfg)
}

func (r *run) file(res Result) {
	for i := range res.Violations {
		res.Violations[i].Within = res.Check
	}
	r.progress.Lock()
	defer r.progress.Unlock()
	r.mu.Lock()
	r.violations = append(r.violations, res.Violations...)
	r.results[task{res.Check, res.Topology}] = res
	done := len(r.results)
	r.mu.Unlock()
	if r.cfg.Progress != nil {
		r.cfg.Progress(done, r.total, res)
	}
}

func blank(c Check, t Topology) Result {
	return Result{Check: c.ID, Title: c.Title, Topic: c.Topic(), Requirements: c.Requirements, Level: c.Level(),
		Topology: t, Findings: []Finding{}, Events: []Observation{}}
}

func notRun(c Check, t Topology, reason string) Result {
	res := blank(c, t)
	res.Verdict, res.Message = NotRun, reason
	return res
}

func resultOf(c Check, t Topology, s *Session) Result {
	res := blank(c, t)
	res.Verdict = Pass
	for _, f := range s.findings {
		if graver(res.Verdict, f.Verdict) != res.Verdict {
			res.Verdict, res.Message = f.Verdict, f.Message
		}
	}
	if len(s.findings) > 0 {
		res.Findings = s.findings
	}
	if res.Verdict == Pass {
		res.Message = c.Title
		if len(s.findings) > 0 { // what was seen says more
			res.Message = s.findings[0].Message
		}
	}
	res.Events = observations(s.Client.Trace().Events())
	return res
}

// report puts the record together, every registered check exactly once.
func (r *run) report(ctx context.Context) *Report {
	rep := &Report{Schema: Schema, Tool: CurrentTool(), Topologies: r.cfg.topologies(), Kernel: r.cfg.Kernel, Strict: r.cfg.Strict,
		Catalogue: Edition{Version: LoadCatalogue().Version, SHA256: LoadCatalogue().Hash},
		Target: TargetFacts{Address: r.target.Name, Embedded: r.cfg.embedded(), Faults: slices.Concat(r.cfg.Faults.Names(), r.cfg.NetFaults.Names()),
			Banner: r.target.Banner, SYST: r.target.SYST, FEAT: append([]string{}, r.target.FEAT...)},
		Start: r.start.UTC(), DurationMS: r.cfg.clock().Now().Sub(r.start).Milliseconds(),
		Interrupted: errors.Is(ctx.Err(), context.Canceled) || errors.Is(ctx.Err(), context.DeadlineExceeded)}
	rep.TargetLost = r.lost
	for _, c := range Checks() {
		for _, t := range r.cfg.places(c) {
			rep.Results = append(rep.Results, r.results[task{c.ID, t}])
		}
	}
	r.redactFacts(&rep.Target)
	rep.Summary = summarise(rep.Results)
	return rep
}

// pluralise prints a count with its noun.
func pluralise(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, strings.TrimSuffix(noun, "s"))
}
