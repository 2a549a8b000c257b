package suites

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
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

// run is one run of the checks.
type run struct {
	cfg    *Config
	sel    *selection
	start  time.Time
	target *Target
	pool   *pool // of embedded servers; nil for a foreign target

	// alone keeps exclusive checks apart from the others.
	alone sync.RWMutex

	mu         sync.Mutex
	results    map[string]Result
	violations []Violation
	total      int
	lost       string // why the target cannot be reached any more
	// progress serialises the callback.
	progress sync.Mutex
}

func newRun(ctx context.Context, cfg *Config) (*run, error) {
	r := &run{cfg: cfg, results: map[string]Result{}, start: cfg.clock().Now()}
	var err error
	if r.sel, err = newSelection(cfg); err != nil {
		return nil, err
	}
	if cfg.embedded() {
		r.pool = newPool(cfg)
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
	return r, nil
}

func (r *run) close() {
	if r.pool != nil {
		r.pool.close()
	}
}

// preflight finds out about the target once.
func (r *run) preflight(ctx context.Context) error {
	if r.pool != nil {
		t, err := r.pool.take(ctx)
		if err != nil {
			return err
		}
		defer r.pool.give(t)
		r.target = t
	}
	s := r.session(ctx, &Check{ID: "preflight"}, r.target)
	defer s.abandon()
	// Every wait has a bound; this is for a server that keeps each just short,
	// with preliminary replies without end for example.
	defer r.cfg.clock().AfterFunc(preflightLimit*s.Bounds.checkLimit(0), s.Client.Expire)()
	return s.preflight()
}

func (r *run) session(ctx context.Context, c *Check, t *Target) *Session {
	trace := fakeclient.NewTrace(r.cfg.clock())
	if !r.cfg.embedded() { // its password is known to everybody
		trace.Hide(t.Password)
	}
	b := r.cfg.bounds()
	client := fakeclient.New(ctx, fakeclient.Options{Network: r.cfg.Network, Clock: r.cfg.clock(), Trace: trace, DialBound: b.Dial})
	cfg := *r.cfg
	if t.Local.IsValid() {
		cfg.LocalAddr = t.Local
	}
	return &Session{Config: &cfg, Target: t, Bounds: b, Client: client, check: c}
}

// all runs the selected checks: those that are no invariants first, because
// the invariants judge what was seen meanwhile.
func (r *run) all(ctx context.Context) {
	var first, last []Check
	for _, c := range Checks() {
		r.total += len(c.Topologies())
	}
	for _, c := range Checks() {
		switch reason := r.sel.excludes(c); {
		case reason != "":
			r.file(notRun(c, reason))
		case c.Watch != nil:
			last = append(last, c)
		default:
			first = append(first, c)
		}
	}
	// Those that wait long start early.
	slices.SortStableFunc(first, func(a, b Check) int { return int(r.waits(b) - r.waits(a)) })
	r.each(ctx, first)
	r.each(ctx, last)
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
	s := r.session(clean, &Check{ID: "clean-up"}, r.target)
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

// each runs checks, as many at a time as the configuration says.
func (r *run) each(ctx context.Context, checks []Check) {
	work := make(chan Check)
	var wg sync.WaitGroup
	for range min(r.cfg.jobs(), len(checks)) {
		wg.Go(func() {
			for c := range work {
				r.file(r.one(ctx, c))
			}
		})
	}
	for _, c := range checks {
		work <- c
	}
	close(work)
	wg.Wait()
}

// one runs one check. Whatever happens in it, a result comes out.
func (r *run) one(ctx context.Context, c Check) (res Result) {
	defer func() {
		if p := recover(); p != nil {
			res = notRun(c, fmt.Sprintf("the runner panicked: %v\n%s", p, debug.Stack()))
			res.Verdict = HarnessError
		}
		r.redact(&res)
	}()
	if ctx.Err() != nil {
		return notRun(c, "the run was interrupted")
	}
	t := r.target
	if r.pool != nil {
		// Every check has a server of its own, so nothing disturbs it.
		own, err := r.pool.take(ctx)
		if err != nil {
			res := notRun(c, "no embedded server: "+err.Error())
			if ctx.Err() == nil {
				res.Verdict = Inconclusive
			}
			return res
		}
		defer r.pool.give(own)
		t = t.as(own)
	} else if c.Exclusive {
		r.alone.Lock()
		defer r.alone.Unlock()
	} else {
		r.alone.RLock()
		defer r.alone.RUnlock()
	}
	for _, n := range c.Needs {
		if l, lacks := t.Lacks(n); lacks {
			res := notRun(c, l.Reason)
			res.Verdict = l.Verdict
			return res
		}
	}
	s := r.session(ctx, &c, t)
	defer s.abandon()
	began := r.cfg.clock().Now()
	violations := s.run(ctx, r.seen)
	res = resultOf(c, s)
	res.DurationMS = r.cfg.clock().Now().Sub(began).Milliseconds()
	res.Violations = violations
	if s.cancelled() && res.Verdict != Fail && res.Verdict != Warn {
		res.Verdict, res.Message = NotRun, "the run was interrupted"
	}
	return res
}

// preflightLimit is how many times as long as a check the preflight may take:
// it tries every mode and stores the files.
const preflightLimit = 3

// checkLimit bounds a whole check. The waits in it have bounds of their own;
// this is for a server that keeps every one of them just short.
func (b Bounds) checkLimit(waits time.Duration) time.Duration {
	return 4*b.Transfer + 2*b.Dial + waits
}

// run carries the check out and recovers whatever it throws.
func (s *Session) run(ctx context.Context, seen func(id string) []Violation) (violations []Violation) {
	var waits time.Duration
	if s.check.Waits != nil {
		waits = s.check.Waits(s.Config)
	}
	limit := s.Bounds.checkLimit(waits)
	late := s.Config.clock().AfterFunc(limit, s.Client.Expire)
	defer late()
	defer func() {
		p := recover()
		if _, ok := p.(stopped); p != nil && !ok {
			s.state(HarnessError, "the check panicked: %v\n%s", []any{p, debug.Stack()})
		}
		if s.Client.Expired() {
			s.state(Inconclusive, "the check was ended after %v: the target answers, but too slowly", []any{limit})
		}
		if ctx.Err() == nil && !s.Client.Expired() {
			violations = s.finish()
		}
		s.invariants(violations, seen)
	}()
	s.check.Run(s)
	return nil
}

// invariants turns the violations of this check's own subject, seen here or
// anywhere in the run, into findings.
func (s *Session) invariants(own []Violation, seen func(id string) []Violation) {
	if s.check.Watch == nil {
		return
	}
	told := map[string]bool{}
	for _, v := range slices.Concat(own, seen(s.check.ID)) {
		if v.Check != s.check.ID || told[v.Message] || len(told) == maxViolations {
			continue
		}
		told[v.Message] = true
		where := ""
		if v.Within != "" && v.Within != s.check.ID {
			where = " (seen during " + v.Within + ")"
		}
		switch {
		case v.Remark && !s.Config.Strict:
			s.Note("%s%s", v.Message, where)
		default:
			s.Fail("%s%s", v.Message, where)
		}
	}
}

// seen returns the violations of an invariant in the checks so far.
func (r *run) seen(id string) []Violation {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Violation
	for _, v := range r.violations {
		if v.Check == id {
			out = append(out, v)
		}
	}
	return out
}

func (r *run) file(res Result) {
	for i := range res.Violations {
		res.Violations[i].Within = res.Check
	}
	r.progress.Lock()
	defer r.progress.Unlock()
	r.mu.Lock()
	r.violations = append(r.violations, res.Violations...)
	r.results[res.Check+"\x00"+string(res.Topology)] = res
	done := len(r.results)
	r.mu.Unlock()
	if r.cfg.Progress != nil {
		r.cfg.Progress(done, r.total, res)
	}
}

func blank(c Check) Result {
	return Result{Check: c.ID, Title: c.Title, Topic: c.Topic(), Requirements: c.Requirements, Level: c.Level(),
		Topology: Direct, Findings: []Finding{}, Events: []Observation{}}
}

func notRun(c Check, reason string) Result {
	res := blank(c)
	res.Verdict, res.Message = NotRun, reason
	return res
}

func resultOf(c Check, s *Session) Result {
	res := blank(c)
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
	}
	res.Events = observations(s.Client.Trace().Events())
	return res
}

// report puts the record together, every registered check exactly once.
func (r *run) report(ctx context.Context) *Report {
	rep := &Report{Schema: Schema, Tool: CurrentTool(), Topologies: []Topology{Direct}, Strict: r.cfg.Strict,
		Catalogue: Edition{Version: LoadCatalogue().Version, SHA256: LoadCatalogue().Hash},
		Target: TargetFacts{Address: r.target.Name, Embedded: r.cfg.embedded(), Faults: r.cfg.Faults.Names(),
			Banner: r.target.Banner, SYST: r.target.SYST, FEAT: append([]string{}, r.target.FEAT...)},
		Start: r.start.UTC(), DurationMS: r.cfg.clock().Now().Sub(r.start).Milliseconds(),
		Interrupted: errors.Is(ctx.Err(), context.Canceled) || errors.Is(ctx.Err(), context.DeadlineExceeded)}
	rep.TargetLost = r.lost
	for _, c := range Checks() {
		for _, t := range c.Topologies() {
			rep.Results = append(rep.Results, r.results[c.ID+"\x00"+string(t)])
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
