package suites

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
	"github.com/ftpconform/ftpconform/reference"
)

// Embedded servers use a block of ports each: the default data port, the
// control port, and a passive range with a spare port above it. The blocks lie
// below the range from which systems take ephemeral ports.
const (
	blockSize  = 64
	firstBlock = 10240
	blocks     = (32000 - firstBlock) / blockSize
	rangeSize  = 60
)

// embeddedDataTimeout is how long an embedded server waits for a data
// connection; long enough to be told from an answer at once.
const embeddedDataTimeout = 2 * time.Second

// simulatedDataTimeout is the same in the simulated network, where waiting
// costs nothing: what servers of today do.
const simulatedDataTimeout = 60 * time.Second

// embeddedLoginDelay keeps the delay after a wrong password (RFC 2577
// section 5) and still lets a run end soon.
const embeddedLoginDelay = 1100 * time.Millisecond

// nextBlock spreads the blocks of several processes and servers.
var nextBlock atomic.Int64

func init() { nextBlock.Store(int64(os.Getpid()) * 7) }

// pool hands out embedded reference servers, one to a check at a time.
type pool struct {
	cfg *Config

	mu   sync.Mutex
	idle []*Target
	all  []*reference.Server
	// ctx ends the servers.
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func newPool(cfg *Config) *pool {
	p := &pool{cfg: cfg}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	if cfg.DataTimeout == 0 {
		cfg.DataTimeout = time.Duration(float64(embeddedDataTimeout) * max(cfg.TimeoutScale, 1))
	}
	cfg.FullDir = "/" + fullDir
	return p
}

// take returns a server that nobody else uses.
func (p *pool) take(ctx context.Context) (*Target, error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		t := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return t, nil
	}
	p.mu.Unlock()
	return p.start(ctx)
}

// give returns a server.
func (p *pool) give(t *Target) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, t)
}

func (p *pool) close() {
	p.cancel()
	p.mu.Lock()
	for _, s := range p.all {
		_ = s.Close() // nothing can be done about it any more
	}
	p.mu.Unlock()
	p.wg.Wait()
}

// fullDir is a directory of the embedded server where nothing fits.
const fullDir = "full"

func (p *pool) start(ctx context.Context) (*Target, error) {
	files, err := embeddedFiles(BigContent)
	if err != nil {
		return nil, err
	}
	network := p.cfg.Network
	if network == nil {
		network = host.OS{}
	}
	var last error
	for range blocks {
		block := nextBlock.Add(1) % blocks
		base := uint16(firstBlock + blockSize*block)
		at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), base+1)
		l, err := network.Listen(ctx, at)
		if err != nil {
			last = err
			continue // in use by somebody else: the next block
		}
		t := &Target{Address: at, User: "user", Password: "pass", Dir: "/", Name: "ftp://user@" + at.String() + "/ (embedded reference server)",
			Local: p.clientAddr(ctx, network, int(block)), Stranger: p.cfg.StrangerAddr, PassivePorts: reference.PortRange{Min: base + 2, Max: base + 1 + rangeSize}, lacks: map[Need]Lack{}}
		srv := reference.NewServer(reference.Options{Network: p.cfg.Network, Clock: p.cfg.Clock, Files: files,
			Users: map[string]string{t.User: t.Password}, PassivePorts: t.PassivePorts, LoginDelay: embeddedLoginDelay,
			DataTimeout: p.cfg.DataTimeout, Faults: p.cfg.Faults, Tolerances: p.cfg.Tolerances})
		p.mu.Lock()
		p.all = append(p.all, srv)
		p.mu.Unlock()
		p.wg.Go(func() { _ = srv.Serve(p.ctx, l) })
		// A second address, for the checks about hosts with several.
		if l2, err := network.Listen(ctx, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 3}), base+1)); err == nil {
			p.wg.Go(func() { _ = srv.Serve(p.ctx, l2) })
		}
		return t, nil
	}
	return nil, fmt.Errorf("no port from %d to %d is free on 127.0.0.1: %w", firstBlock, firstBlock+blocks*blockSize, last)
}

// clientAddr is the address of the client of the server in a block. Each has
// its own where all of 127.0.0.0/8 is this machine: then no port that one check
// has closed can be another check's listener, whatever runs beside, in this
// process or another. No octet is zero, because servers that stumble over a
// zero have a check of their own.
func (p *pool) clientAddr(ctx context.Context, network host.Network, block int) netip.Addr {
	if p.cfg.LocalAddr.IsValid() {
		return p.cfg.LocalAddr
	}
	own := netip.AddrFrom4([4]byte{127, 77, byte(1 + block/250), byte(1 + block%250)})
	l, err := network.Listen(ctx, netip.AddrPortFrom(own, 0))
	if err != nil {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	_ = l.Close()
	return own
}

// embeddedFiles is the file system of an embedded server, with the files of
// the run in place.
func embeddedFiles(big []byte) (*reference.Memory, error) {
	m := reference.NewMemory()
	when := time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
	for name, content := range runFiles(big) {
		if err := m.WriteFile("/"+runDir+"/"+name, content, when); err != nil {
			return nil, err
		}
	}
	if err := m.MkdirAll("/" + fullDir); err != nil {
		return nil, err
	}
	m.Quotas = map[string]int64{"/" + fullDir: 64 << 10}
	return m, nil
}

// as returns the target at another server of the pool: what is known of one
// holds for all.
func (t *Target) as(own *Target) *Target {
	c := *t
	c.Address, c.Local, c.PassivePorts = own.Address, own.Local, own.PassivePorts
	return &c
}
