package suites

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/ftpconform/ftpconform/fakeclient"
)

// preflightTries is how often a server that does not survive the preflight is
// started, where it is to be started again at all.
const preflightTries = 3

// fallenError says that the server has ended, or hangs, since it was started.
type fallenError struct{ how string }

func (e *fallenError) Error() string { return e.how }

// fell says how the server was lost, and when; "" if it was not.
func (st *site) fell() string {
	bad, during := st.trouble()
	if during != "" {
		bad += ", during " + during
	}
	return bad
}

// prepare makes the preflight on a server that has just been started; where it
// has been made already, it sees to the files only. A server that ends meanwhile
// is no error: the site is condemned.
func (r *run) prepare(ctx context.Context, st *site, t Topology) error {
	known, target := r.known(t), st.target
	if known != nil {
		target = known.as(st.target)
		target.lacks = maps.Clone(known.lacks) // others may be reading them
	}
	if r.target == nil {
		r.target = target
	}
	s := r.session(ctx, &Check{ID: "preflight"}, target, &st.Scene)
	preflight := s.preflight
	if known != nil {
		preflight = s.restock
	}
	err := s.bounded(preflight)
	if known == nil && r.cfg.attached() {
		r.cfg.untold(target, &st.Topology)
	}
	if _, bare := target.Lacks(NeedFiles); err != nil || bare {
		if bad := st.ails(ctx, Inconclusive, r.cfg.bounds()); bad != "" {
			st.condemn(bad, "the preflight"+lastWord(s.Client.Trace()))
			if r.cfg.Restart {
				return nil // what was found out is about a dying server
			}
			err = nil
			for _, n := range needs {
				target.lacks[n] = Lack{Inconclusive, st.fell()}
			}
		}
	}
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.targets[t] = target
	return nil
}

// lastWord is the first command that was not answered to its end, as a message
// goes on with it.
func lastWord(t *fakeclient.Trace) string {
	events := t.Events()
	answered := -1
	for i, e := range events {
		if e.Kind == fakeclient.KindReceive && e.Side == fakeclient.ByServer {
			answered = i
		}
	}
	word := func(e fakeclient.Event) bool { return e.Kind == fakeclient.KindSend }
	if answered >= 0 && strings.HasPrefix(events[answered].Text, "1") { // it has begun to work on it
		for _, e := range slices.Backward(events[:answered]) {
			if word(e) {
				return ", after " + e.Text
			}
		}
	}
	if i := slices.IndexFunc(events[answered+1:], word); i >= 0 {
		return ", after " + events[answered+1+i].Text
	}
	return ""
}
