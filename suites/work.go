package suites

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// everywhere runs checks in their networks.
func (r *run) everywhere(ctx context.Context, tasks []task) {
	if r.sites == nil {
		r.each(ctx, tasks)
		return
	}
	var wg sync.WaitGroup
	room := make(chan struct{}, r.cfg.networks())
	for _, t := range r.cfg.topologies() {
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			for _, group := range inTurn(tasks, t) {
				r.each(ctx, group)
			}
			if r.cfg.networks() > 1 { // nobody else comes here for now
				_ = r.sites[t].close() // nothing can be done about it
			}
		})
	}
	wg.Wait()
}

// inTurn are the tasks of a topology in groups that run one after another: those
// that share the network, those that want it for themselves, and those that want
// another. So it is made anew seldom, and who waits is not in the way of others.
func inTurn(tasks []task, in Topology) (groups [3][]task) {
	for _, t := range tasks {
		if t.topology != in {
			continue
		}
		n := 0
		switch c := t.find(); {
		case c.Network != nil:
			n = 2
		case c.Exclusive:
			n = 1
		}
		groups[n] = append(groups[n], t)
	}
	return groups
}

// each runs checks, as many at a time as the configuration says.
func (r *run) each(ctx context.Context, tasks []task) {
	work := make(chan task)
	var wg sync.WaitGroup
	for range min(r.cfg.jobs(), len(tasks)) {
		wg.Go(func() {
			for t := range work {
				r.file(r.one(ctx, t.find(), t.topology))
			}
		})
	}
	for _, t := range tasks {
		work <- t
	}
	close(work)
	wg.Wait()
}

// one runs one check in one topology. Whatever happens in it, a result comes
// out.
func (r *run) one(ctx context.Context, c Check, topology Topology) (res Result) {
	defer func() {
		if p := recover(); p != nil {
			res = notRun(c, topology, fmt.Sprintf("the runner panicked: %v\n%s", p, debug.Stack()))
			res.Verdict = HarnessError
		}
		r.redact(&res)
	}()
	if ctx.Err() != nil {
		return notRun(c, topology, "the run was interrupted")
	}
	switch {
	case r.cfg.attached():
		return r.inSite(ctx, c, topology)
	case r.cfg.sited(topology):
		return r.inPortal(ctx, c, topology)
	}
	for _, n := range c.Needs {
		if l, lacks := r.targets[topology].Lacks(n); lacks {
			res := notRun(c, topology, l.Reason)
			res.Verdict = l.Verdict
			return res
		}
	}
	switch t := r.target; {
	case r.cfg.simulated():
		return r.inWorld(ctx, c, topology)
	case r.pool != nil:
		// Every check has a server of its own, so nothing disturbs it.
		own, err := r.pool.take(ctx)
		if err != nil {
			res := notRun(c, topology, "no embedded server: "+err.Error())
			if ctx.Err() == nil {
				res.Verdict = Inconclusive
			}
			return res
		}
		defer r.pool.give(own)
		return r.judge(ctx, c, topology, t.as(own), nil)
	case c.Exclusive:
		r.alone.Lock()
		defer r.alone.Unlock()
		return r.judge(ctx, c, topology, t, nil)
	default:
		r.alone.RLock()
		defer r.alone.RUnlock()
		return r.judge(ctx, c, topology, t, nil)
	}
}

// judge hands the check a session and draws the result from its findings.
func (r *run) judge(ctx context.Context, c Check, topology Topology, t *Target, sc *Scene) Result {
	s := r.session(ctx, &c, t, sc)
	defer s.abandon()
	defer sc.hear(s.Client.Trace())()
	began := s.clock().Now()
	violations := s.run(ctx, r.seen)
	res := resultOf(c, topology, s)
	res.DurationMS = s.clock().Now().Sub(began).Milliseconds()
	res.Violations = violations
	if s.cancelled() && res.Verdict != Fail && res.Verdict != Warn {
		res.Verdict, res.Message = NotRun, "the run was interrupted"
	}
	return res
}

// find returns the check of the task.
func (t task) find() Check {
	all := Checks()
	return all[slices.IndexFunc(all, func(c Check) bool { return c.ID == t.check })]
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
	late := s.clock().AfterFunc(limit, s.Client.Expire)
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
