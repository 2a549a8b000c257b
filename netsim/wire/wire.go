// Package wire carries packets between two nodes of the simulated network and
// does to them what real lines do: it takes time, has a rate, a queue and an
// MTU, and it may lose, repeat, delay out of turn and damage packets, or be
// cut for a while.
//
// The two directions are independent, each with randomness of its own from the
// clock's seed. Ends may be used from several goroutines.
package wire

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/ftpconform/ftpconform/netsim/clock"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// Spec says what a direction of a wire is like; the zero value is a good line
// of 1 Gbit/s and 500 µs.
type Spec struct {
	// Delay is the time on the way; 0 means DefaultDelay. Jitter is the most
	// that is added to it at random; it does not change the order.
	Delay, Jitter time.Duration
	// Rate is in octets a second; 0 means DefaultRate. Queue is how many
	// octets may wait for their turn, the rest is lost; 0 means DefaultQueue.
	Rate  float64
	Queue int
	// Loss, Duplicate, Reorder and Corrupt are probabilities from 0 to 1.
	Loss, Duplicate, Reorder, Corrupt float64
	// MTU is the largest packet in octets; 0 means 1500. What is larger is
	// lost: sending it is the mistake of the node before.
	MTU int
	// Cuts are times during which everything is lost.
	Cuts []Cut
}

// Cut is a time during which a wire is cut; For 0 means for good.
type Cut struct {
	At, For time.Duration // since the start of the clock
}

// Defaults of a Spec. The delay of a wire is never 0 and its rate never
// without bound: with a round trip time of 0 the recovery of TCP can go round
// in circles without time passing.
const (
	DefaultDelay = 500 * time.Microsecond
	DefaultRate  = 125e6
	DefaultQueue = 4 << 20
	DefaultMTU   = 1500
)

// Check returns an error for a specification that makes no sense.
func (s Spec) Check() error {
	for _, p := range []struct {
		name string
		p    float64
	}{{"loss", s.Loss}, {"duplicate", s.Duplicate}, {"reorder", s.Reorder}, {"corrupt", s.Corrupt}} {
		if !(p.p >= 0 && p.p <= 1) { // NaN is neither
			return fmt.Errorf("%s is %v, and must be from 0 to 1", p.name, p.p)
		}
	}
	switch {
	case s.Delay < 0 || s.Jitter < 0:
		return fmt.Errorf("delay %v and jitter %v must not be negative", s.Delay, s.Jitter)
	case s.Rate < 0 || s.Queue < 0:
		return fmt.Errorf("rate %v and queue %v must not be negative", s.Rate, s.Queue)
	case s.MTU != 0 && (s.MTU < 68 || s.MTU > 65535): // RFC 791 section 3.2
		return fmt.Errorf("MTU %d must be from 68 to 65535", s.MTU)
	}
	return nil
}

func (s Spec) withDefaults() Spec {
	if s.Delay == 0 {
		s.Delay = DefaultDelay
	}
	if s.Rate == 0 {
		s.Rate = DefaultRate
	}
	if s.Queue == 0 {
		s.Queue = DefaultQueue
	}
	if s.MTU == 0 {
		s.MTU = DefaultMTU
	}
	return s
}

// Moment is a place and way in which a tap sees a packet.
type Moment uint8

// The moments.
const (
	Sent    Moment = iota // at the end where it goes in
	Arrived               // at the end where it comes out
	Lost                  // not to arrive: lost, cut off, too large, or no room
)

// Tap looks at packets; it must not change or keep them. From is the end where
// the packet went in. At Lost the packet's note says why; it is empty for what
// Intercept has taken out.
type Tap func(m Moment, from int, at time.Time, p *packet.Packet)

// Wire joins two nodes by its ends 0 and 1.
type Wire struct {
	Name string
	node *clock.Node
	ways [2]way // ways[i] begins at end i

	mu   sync.Mutex
	taps []*Tap
	pass func(from int, p *packet.Packet) bool
}

// way is one direction.
type way struct {
	w    *Wire
	from int
	out  packet.Sink

	spec Spec
	rand *rand.Rand
	free time.Time // when the last packet has gone out
	last time.Time // when the last packet in order arrives
	cut  bool
	fast bool
}

// New makes a wire; there and back are the directions from end 0 and from
// end 1. A wire on a real clock whose direction has the zero Spec delivers at
// once.
func New(c *clock.Clock, name string, there, back Spec) (*Wire, error) {
	w := &Wire{Name: name, node: c.Node()}
	for i, s := range []Spec{there, back} {
		if err := s.Check(); err != nil {
			return nil, fmt.Errorf("wire %s: %w", name, err)
		}
		fast := !c.Virtual() && s.Delay == 0 && s.Jitter == 0 && s.Rate == 0 && s.Loss == 0 && s.Duplicate == 0 && s.Reorder == 0 && s.Corrupt == 0 && len(s.Cuts) == 0
		w.ways[i] = way{w: w, from: i, spec: s.withDefaults(), fast: fast, rand: c.Rand(fmt.Sprintf("wire %s %d", name, i))}
	}
	return w, nil
}

// End returns where a node puts packets in; Attach says where those come out
// that were put in at the other end. Both ends must be attached before packets
// flow.
func (w *Wire) End(i int) packet.Sink { return &w.ways[i] }

// Attach connects the node at an end.
func (w *Wire) Attach(i int, out packet.Sink) { w.ways[1-i].out = out }

// MTU returns the largest packet that may go in at an end.
func (w *Wire) MTU(i int) int { return w.ways[i].spec.MTU }

// Tap adds a tap, and returns how to take it away again.
func (w *Wire) Tap(t Tap) (remove func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.taps = append(w.taps, &t)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.taps = slices.DeleteFunc(slices.Clone(w.taps), func(o *Tap) bool { return o == &t })
	}
}

// Intercept sets a function that decides about every packet that is put in:
// for tests that lose one certain packet. nil lets all pass.
func (w *Wire) Intercept(pass func(from int, p *packet.Packet) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pass = pass
}

// SetCut cuts the wire or heals it, now.
func (w *Wire) SetCut(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ways[0].cut, w.ways[1].cut = cut, cut
}

// tapped shows a packet to the taps; the mutex is held.
func (w *Wire) tapped(m Moment, from int, at time.Time, p *packet.Packet) {
	for _, t := range w.taps {
		(*t)(m, from, at, p)
	}
}

// Input implements packet.Sink.
func (y *way) Input(p *packet.Packet) {
	w := y.w
	if y.fast {
		y.direct(p)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.node.Now()
	w.tapped(Sent, y.from, now, p)
	why, lost := "", w.pass != nil && !w.pass(y.from, p)
	if !lost {
		why = y.obstacle(now, p)
		lost = why != ""
	}
	if lost {
		p.Note = why
		w.tapped(Lost, y.from, now, p)
		p.Release()
		return
	}
	y.damage(p)
	copies := 1
	if y.chance(y.spec.Duplicate) {
		copies = 2
	}
	for range copies {
		c := p
		if copies == 2 {
			c = p.Clone()
		}
		w.node.Schedule(y.arrival(now, len(p.Data)).Sub(now), func() { y.deliver(c) })
	}
	if copies == 2 {
		p.Release()
	}
}

// direct delivers at once.
func (y *way) direct(p *packet.Packet) {
	w := y.w
	w.mu.Lock()
	why, pass := "", w.pass == nil || w.pass(y.from, p)
	if pass {
		why = y.closed(p)
		pass = why == ""
	}
	if len(w.taps) > 0 {
		now := w.node.Now()
		w.tapped(Sent, y.from, now, p)
		if pass {
			w.tapped(Arrived, y.from, now, p)
		} else {
			p.Note = why
			w.tapped(Lost, y.from, now, p)
		}
	}
	w.mu.Unlock()
	if !pass {
		p.Release()
		return
	}
	p.Note = ""
	y.out.Input(p)
}

// The reasons of losses, for the notes of packets.
const (
	isCut   = "it is cut"
	noRoom  = "its queue is full"
	atWhim  = "by chance"
	tooLong = "%d octets, and its MTU is %d"
)

// closed says why a wire takes no such packet at all, "" if it does.
func (y *way) closed(p *packet.Packet) string {
	switch {
	case y.cut:
		return isCut
	case len(p.Data) > y.spec.MTU:
		return fmt.Sprintf(tooLong, len(p.Data), y.spec.MTU)
	}
	return ""
}

// obstacle says why a packet does not get through, "" if it does.
func (y *way) obstacle(now time.Time, p *packet.Packet) string {
	if why := y.closed(p); why != "" {
		return why
	}
	for _, c := range y.spec.Cuts {
		if since := now.Sub(y.w.node.Start()); since >= c.At && (c.For == 0 || since < c.At+c.For) {
			return isCut
		}
	}
	if wait := y.free.Sub(now); wait > 0 && wait.Seconds()*y.spec.Rate > float64(y.spec.Queue) {
		return noRoom
	}
	if y.chance(y.spec.Loss) {
		return atWhim
	}
	return ""
}

// arrival is the time at which a packet of n octets comes out.
func (y *way) arrival(now time.Time, n int) time.Time {
	if y.free.Before(now) {
		y.free = now
	}
	y.free = y.free.Add(max(time.Duration(float64(n)/y.spec.Rate*float64(time.Second)), 1))
	at := y.free.Add(y.spec.Delay)
	if y.spec.Jitter > 0 {
		at = at.Add(time.Duration(y.rand.Int64N(int64(y.spec.Jitter) + 1)))
	}
	if y.chance(y.spec.Reorder) {
		return at.Add(y.spec.Delay + y.spec.Jitter) // others overtake it
	}
	if at.Before(y.last) {
		at = y.last
	}
	y.last = at
	return at
}

func (y *way) damage(p *packet.Packet) {
	if y.chance(y.spec.Corrupt) && len(p.Data) > 0 {
		p.Data[y.rand.IntN(len(p.Data))] ^= 1 << y.rand.IntN(8)
	}
}

func (y *way) deliver(p *packet.Packet) {
	w := y.w
	w.mu.Lock()
	w.tapped(Arrived, y.from, w.node.Now(), p)
	w.mu.Unlock()
	p.Note = "" // it was about the way to here
	y.out.Input(p)
}

// chance draws only where there is a chance, so that a good wire costs nothing.
func (y *way) chance(p float64) bool { return p > 0 && y.rand.Float64() < p }
