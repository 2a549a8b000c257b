package lab

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/wire"
)

// Stage is what acts are played on. The zero value is the simulated network in
// virtual time, with the reference server; everything else takes real time, and
// then the times of a story differ from one telling to the next.
type Stage struct {
	// Server is attached in the place of the reference server; Name is what it
	// is called in tables, and User and Password are for it, anonymous if empty.
	Server         netsim.Attacher
	Name           string
	User, Password string
	// Gateways makes the gateways, as in netsim.Options; Kernel is then the
	// release of the kernel that they are.
	Gateways func(o gateway.Options, helper alg.Options) (netsim.Router, error)
	Kernel   string
	// Differences, if set, lists what a gateway is asked for and they do in their
	// own way.
	Differences func(o gateway.Options) []string
}

// real reports whether time is.
func (s *Stage) real() bool { return s.Server != nil || s.Gateways != nil }

// The reference server's own patience with a data connection, which is shorter
// where waiting takes real time.
const (
	serverPatience     = 30 * time.Second
	realServerPatience = 5 * time.Second
)

// greetPatience is how long an attached server may take until it greets.
const greetPatience = 30 * time.Second

// build makes the network of an act, and starts the server if it is a real one.
// The function that it returns takes everything away again.
func (s *Stage) build(ctx context.Context, act *Act) (w *netsim.World, end func(), err error) {
	o := netsim.Options{Seed: act.Seed, Limits: act.Limits, Real: s.real(), Gateways: s.Gateways}
	spec, stop := act.Topology, func() {}
	if s.real() {
		spec = paced(spec)
	}
	if s.Server != nil {
		place := spec.ServerPlace(controlPort)
		var words words
		srv, err := s.Server.Start(ctx, place, words.say)
		if err != nil {
			return nil, nil, err
		}
		stop = func() { _ = srv.Close() } // nothing can be done about it any more
		if err := netsim.Await(ctx, srv, place, greetPatience); err != nil {
			stop()
			return nil, nil, fmt.Errorf("start the server: %w%s; %s", err, words.last(), place.Advice(err))
		}
		o.Hosts = map[string]netsim.External{spec.WithDefaults().Server: srv}
	}
	if w, err = netsim.Build(spec, o); err != nil {
		stop()
		return nil, nil, fmt.Errorf("%w: %w", ErrBuild, err)
	}
	end = func() {
		w.Close()
		stop()
	}
	return w, end, nil
}

// words are the last lines that a server has written.
type words struct {
	mu    sync.Mutex
	lines []string
}

// lastWords is how many lines are kept for error messages.
const lastWords = 4

func (w *words) say(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, line)
	if len(w.lines) > lastWords {
		w.lines = w.lines[1:]
	}
}

// last is how an error message goes on with them.
func (w *words) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.lines) == 0 {
		return ""
	}
	return "; its last words: " + strings.Join(w.lines, " | ")
}

// paced gives the wires their usual delay, which they have not by themselves in
// real time: then one thing happens after the other, and can be told like that.
func paced(t netsim.Topology) netsim.Topology {
	wires := map[string]netsim.Wire{}
	for _, w := range t.Wires {
		wires[w.Name] = w
	}
	t.Wires = nil
	add := func(name string) {
		w := wires[name]
		w.Name = name
		for _, s := range []*wire.Spec{&w.Out, &w.In} {
			if s.Delay == 0 {
				s.Delay = wire.DefaultDelay
			}
		}
		t.Wires = append(t.Wires, w)
	}
	for _, h := range t.Hosts {
		add(h.Name)
	}
	for _, g := range t.Gateways {
		add(g.Name + "/inside")
		add(g.Name + "/outside")
	}
	return t
}

// kind is what the server of an act is called.
func (s *Stage) kind(act *Act) ServerKind {
	if s.Server != nil {
		return ServerKind(s.Name)
	}
	return act.Server
}
