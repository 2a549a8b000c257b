package lab

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ftpconform/ftpconform/fakeclient"
	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/reference"
)

// The file that is fetched. It has no line ends, so that its type makes no
// difference.
const (
	fileName = "story.txt"
	fileSize = 1024
)

// lull is how long an act goes on after its last word, for the last segments.
const (
	lull     = 2 * time.Second
	realLull = 200 * time.Millisecond
)

// actPatience bounds an act in real time: each of its waits is shorter.
const actPatience = 4 * time.Minute

// Play plays the acts of a story, one after the other. The error says which act
// could not be played to its end, and wraps ErrBuild, a *clock.LimitError or a
// *clock.DeadlockError, or the context's error; the story then ends with that
// act, as far as it went.
func Play(ctx context.Context, scenario Scenario) (*Story, error) {
	s := &Story{Schema: Schema, Scenario: scenario.Name, Title: scenario.Title, Kernel: scenario.Stage.Kernel, Acts: []ActStory{}}
	if scenario.Stage.Server != nil {
		s.Command = scenario.Stage.Server.Name()
	}
	for i := range scenario.Acts {
		act := scenario.Acts[i].withDefaults()
		act.stage = &scenario.Stage
		s.differs(&act)
		told, err := play(ctx, &act)
		if told != nil {
			s.Acts = append(s.Acts, *told)
		}
		if err != nil {
			return s, fmt.Errorf("%s: %w", act.Title, err)
		}
	}
	return s, nil
}

// differs notes what the gateways of an act do in their own way.
func (s *Story) differs(act *Act) {
	if act.stage.Differences == nil {
		return
	}
	for _, g := range act.Topology.Gateways {
		for _, text := range act.stage.Differences(gateway.Options{Name: g.Name, NAT: g.NAT, Unknown: g.Unknown}) {
			if text += " (" + g.Name + ")"; !slices.Contains(s.Differences, text) {
				s.Differences = append(s.Differences, text)
			}
		}
	}
}

// play plays one act; the story is nil when it did not begin.
func play(ctx context.Context, act *Act) (*ActStory, error) {
	w, end, err := act.stage.build(ctx, act)
	if err != nil {
		return nil, err
	}
	defer end()
	var srv *reference.Server
	if act.stage.Server == nil {
		if srv, err = server(w, act); err != nil {
			return nil, err
		}
	}
	if act.stage.real() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, actPatience, fmt.Errorf("the act did not end within %v", actPatience))
		defer cancel()
	}
	r := record(w)
	c := &client{act: act, world: w, record: r}
	err = w.Run(ctx, "act", func() { c.failed = onStage(ctx, w, srv, r, c.fetch) })
	r.stop()
	if err == nil {
		err = c.failed
	}
	return tell(act, w, r, c, err), err
}

// onStage lets the server listen while f runs, unless it is one that does so by
// itself; inside Run. The recording ends
// with f, some time later: taking the server away is no part of the story.
func onStage(ctx context.Context, w *netsim.World, srv *reference.Server, r *recorder, f func(context.Context)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() { // those who wait for each other, and not for time, must give up as well
		select {
		case <-w.Clock.Stopped():
			cancel(w.Clock.Err())
		case <-ctx.Done():
		}
	}()
	if srv != nil {
		var serving sync.WaitGroup
		defer serving.Wait()
		defer srv.Close()
		for _, a := range w.Server().Addrs() {
			l, err := w.Server().Listen(ctx, netip.AddrPortFrom(a.Addr(), controlPort))
			if err != nil {
				return fmt.Errorf("start the server: %w", err)
			}
			serving.Go(func() { _ = srv.Serve(ctx, l) }) // it ends with an error when it is closed
		}
	}
	f(ctx)
	rest := lull
	if r.real {
		rest = realLull
	}
	_ = w.Client().Sleep(ctx, rest)
	r.stop()
	return nil
}

// server makes the reference server of an act.
func server(w *netsim.World, act *Act) (*reference.Server, error) {
	files := reference.NewMemory()
	content := slices.Repeat([]byte("There and back. "), fileSize/16)
	if err := files.WriteFile("/"+fileName, content, w.Clock.Start()); err != nil {
		return nil, fmt.Errorf("make the file: %w", err)
	}
	spec, random := w.Topology, w.Rand("server")
	var mu sync.Mutex
	o := reference.Options{Network: w.Server(), Clock: w.Server(), Files: files, Users: map[string]string{}, Anonymous: true,
		Random: func(n int) int {
			mu.Lock()
			defer mu.Unlock()
			return random.IntN(n)
		},
		PassivePorts: reference.PortRange{Min: spec.PassivePorts.First, Max: spec.PassivePorts.Last},
		DataTimeout:  serverPatience, AllowForeign: act.Server == Trusting}
	if act.stage.real() {
		o.DataTimeout = realServerPatience
	}
	if act.Server == Today {
		o.Tolerances.RefusesWith500 = true // as most servers do
	}
	if spec.Advertise.IsValid() {
		o.PassiveAddr = func(local, _ netip.Addr) netip.Addr {
			if local.Is4() == spec.Advertise.Is4() {
				return spec.Advertise
			}
			return local
		}
	}
	return reference.NewServer(o), nil
}

// tell makes the story of an act that was played; err is why it was cut off.
func tell(act *Act, w *netsim.World, r *recorder, c *client, err error) *ActStory {
	r.finish()
	t := retell(r)
	r.annotate(t)
	s := &ActStory{Title: act.Title, Text: act.Text, Network: act.Network, Mode: act.Mode, Server: act.stage.kind(act),
		Helper: act.helper(), Seed: act.Seed, Brief: act.Brief, Messages: t.messages, record: r,
		Nodes: nodes(&w.Topology, t.messages), Tables: snapshots(r, t.of)}
	if s.Messages == nil {
		s.Messages = []Message{}
	}
	if act.stage.Server != nil {
		s.hide(act.stage.Password)
	}
	if err != nil {
		s.Outcome, s.Reason, s.Seconds = Stopped, stopped(err), w.Clock.Now().Sub(r.start).Seconds()
		return s
	}
	s.Reply, s.Seconds = c.reply, (c.until - c.from).Seconds()
	s.Outcome, s.Reason = judge(act, &w.Topology, s, c, t)
	return s
}

// hide takes a password out of the messages.
func (s *ActStory) hide(password string) {
	for i := range s.Messages {
		m := &s.Messages[i]
		if verb, _, ok := strings.Cut(m.Text, " "); ok && m.Control && strings.EqualFold(verb, "PASS") {
			m.Text = verb + " ****"
		}
		m.Text = fakeclient.HideSecret(m.Text, password)
	}
}

// stopped says in a sentence why an act was cut off.
func stopped(err error) string { return capital(err.Error()) + "." }
