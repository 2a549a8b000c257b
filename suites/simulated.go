package suites

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"

	"github.com/ftpconform/ftpconform/fakeclient"
	"github.com/ftpconform/ftpconform/internal/host"
	"github.com/ftpconform/ftpconform/netsim"
	simhost "github.com/ftpconform/ftpconform/netsim/host"
	"github.com/ftpconform/ftpconform/reference"
)

// Scene is the simulated network of a check, with a server in it. Checks of
// gateways and of the ways through networks look into it; for all others it
// does not exist.
type Scene struct {
	*netsim.World
	// Files are those of the reference server; nil for an attached one.
	Files *reference.Memory

	server *reference.Server // nil for an attached one
	site   *site             // of an attached one; nil otherwise
	target *Target
	wg     sync.WaitGroup
}

// hear lets a trace have what an attached server writes, until the function that
// it returns is called.
func (sc *Scene) hear(t *fakeclient.Trace) (enough func()) {
	if sc == nil || sc.site == nil {
		return func() {}
	}
	return sc.site.tell(t)
}

// controlPort is where the servers of the simulated network listen.
const controlPort = 21

// scene builds the network for a check. Nothing moves in it before Run.
func (r *run) scene(c *Check, t Topology) (*Scene, error) {
	spec, err := netsim.Builtin(string(t))
	if err != nil {
		return nil, err
	}
	if c.Network != nil {
		c.Network(&spec)
	}
	files, err := embeddedFiles(BigContent[:simulatedBigSize])
	if err != nil {
		return nil, err
	}
	w, err := netsim.Build(spec, netsim.Options{Seed: seed(c.ID, t), Faults: r.cfg.NetFaults})
	if err != nil {
		return nil, err
	}
	spec, files.Now = w.Topology, w.Clock.Now
	sc := &Scene{World: w, Files: files, target: sceneTarget(w)}
	random := locked(w.Rand("server"))
	o := reference.Options{Network: w.Server(), Clock: w.Server(), Random: random, Files: files,
		Users: map[string]string{"user": "pass"}, PassivePorts: sc.target.PassivePorts, MainAddr: w.Server().Addrs()[0].Addr(),
		DataTimeout: r.cfg.DataTimeout, LoginDelay: embeddedLoginDelay,
		Faults: r.cfg.Faults, Tolerances: r.cfg.Tolerances}
	if spec.Advertise.IsValid() {
		o.PassiveAddr = func(local, _ netip.Addr) netip.Addr {
			if local.Is4() {
				return spec.Advertise
			}
			return local
		}
	}
	if c.Server != nil {
		c.Server(&o)
	}
	sc.server = reference.NewServer(o)
	return sc, nil
}

// sceneTarget is the server as the client of the network knows it.
func sceneTarget(w *netsim.World) *Target {
	t := placed(w, controlPort)
	t.User, t.Password, t.Dir = "user", "pass", "/"
	t.Name = "ftp://user@" + t.Address.String() + "/ (embedded reference server)"
	return t
}

// placed is what the network says of a target.
func placed(w *netsim.World, port uint16) *Target {
	spec, addr := w.Topology, w.Topology.Dial
	t := &Target{Address: netip.AddrPortFrom(addr, port), Local: w.Client().Addr(addr), lacks: map[Need]Lack{},
		PassivePorts: reference.PortRange{Min: spec.PassivePorts.First, Max: spec.PassivePorts.Last}}
	if s := w.Stranger(); s != nil {
		t.Stranger = s.Addr(addr)
	}
	server, _ := spec.Host(spec.Server)
	if slices.Contains(server.Addrs, addr) { // it is not reached by one of another
		for _, a := range server.Addrs {
			if a != addr && a.Is4() == addr.Is4() {
				t.Others = append(t.Others, a)
			}
		}
	}
	return t
}

// start lets the server listen on all its addresses; inside Run.
func (sc *Scene) start(ctx context.Context) error {
	for _, a := range sc.Server().Addrs() {
		l, err := sc.Server().Listen(ctx, netip.AddrPortFrom(a.Addr(), controlPort))
		if err != nil {
			return fmt.Errorf("start the embedded server: %w", err)
		}
		sc.wg.Go(func() { _ = sc.server.Serve(ctx, l) })
	}
	return nil
}

// stop ends the server; inside Run.
func (sc *Scene) stop() {
	_ = sc.server.Close() // nothing can be done about it any more
	sc.wg.Wait()
}

// inWorld runs one check in a simulated network of its own, in virtual time.
func (r *run) inWorld(ctx context.Context, c Check, t Topology) Result {
	res := notRun(c, t, "")
	sc, err := r.scene(&c, t)
	if err == nil {
		defer sc.Close()
		// Check.Network may have given the network other addresses than those
		// that the preflight saw.
		target := r.targets[t].as(sc.target)
		target.Stranger, target.Others = sc.target.Stranger, sc.target.Others
		err = sc.Run(ctx, c.ID, func() {
			if err := sc.start(ctx); err != nil {
				res.Verdict, res.Message = HarnessError, err.Error()
				return
			}
			defer sc.stop()
			res = r.judge(ctx, c, t, target, sc)
		})
	}
	if err != nil && ctx.Err() == nil {
		res.Verdict, res.Message = HarnessError, err.Error()
	}
	return res
}

// preflightIn finds out about the target in a simulated network.
func (r *run) preflightIn(ctx context.Context, t Topology) (*Target, error) {
	c := &Check{ID: "preflight"}
	sc, err := r.scene(c, t)
	if err != nil {
		return nil, err
	}
	defer sc.Close()
	var failed error
	err = sc.Run(ctx, c.ID, func() {
		if failed = sc.start(ctx); failed != nil {
			return
		}
		defer sc.stop()
		failed = r.survey(ctx, c, sc.target, sc)
	})
	if err == nil {
		err = failed
	}
	return sc.target, err
}

// seed depends on what is checked and where, so that a check behaves the same
// whatever runs beside it.
func seed(check string, t Topology) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(check + "\x00" + string(t))) // a hash takes everything
	return h.Sum64()
}

// locked makes a source of randomness fit for several goroutines.
func locked(r *rand.Rand) func(n int) int {
	var mu sync.Mutex
	return func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return r.IntN(n)
	}
}

// machines lets a client speak from several hosts of a simulated network: from
// the one that has the local address that is asked for.
type machines struct{ *netsim.World }

func (m machines) having(a netip.Addr) *simhost.Host {
	for _, h := range m.Topology.Hosts {
		if h.Name != m.Topology.Decoy && slices.Contains(h.Addrs, a) {
			return m.Host(h.Name)
		}
	}
	return m.Client()
}

// Dial implements host.Network.
func (m machines) Dial(ctx context.Context, local, remote netip.AddrPort) (net.Conn, error) {
	return m.having(local.Addr()).Dial(ctx, local, remote)
}

// Listen implements host.Network.
func (m machines) Listen(ctx context.Context, local netip.AddrPort) (net.Listener, error) {
	return m.having(local.Addr()).Listen(ctx, local)
}

var _ host.Network = machines{}
