package netsim_test

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
	"io"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/host"
	"github.com/ftpconform/ftpconform/netsim/packet"
	"github.com/ftpconform/ftpconform/netsim/wire"
)

// lossy is a client behind a NAT with bad wires everywhere.
func lossy(tb testing.TB) netsim.Topology {
	tb.Helper()
	spec, err := netsim.Builtin("client-nat")
	if err != nil {
		tb.Fatal(err)
	}
	bad := wire.Spec{Delay: 3 * time.Millisecond, Jitter: 2 * time.Millisecond, Rate: 1e6,
		Loss: 0.02, Reorder: 0.02, Duplicate: 0.02, Corrupt: 0.002}
	for _, name := range []string{"client", "server", "gw/inside", "gw/outside"} {
		spec.Wires = append(spec.Wires, netsim.Wire{Name: name, Out: bad, In: bad})
	}
	return spec
}

// course plays 20 connections at once and returns a hash of all packets on all
// wires, with their times, and how many packets were lost.
func course(t *testing.T, seed uint64) (hash uint64, lost int) {
	t.Helper()
	w, err := netsim.Build(lossy(t), netsim.Options{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	sum := fnv.New64a()
	var mu sync.Mutex
	over := false
	for i, wi := range w.Wires() {
		wi.Tap(func(m wire.Moment, from int, at time.Time, p *packet.Packet) {
			mu.Lock()
			defer mu.Unlock()
			if over {
				return // a world that is closed sends its last packets in any order
			}
			if m == wire.Lost {
				lost++
			}
			var head [11]byte
			binary.BigEndian.PutUint64(head[:], uint64(at.UnixNano()))
			head[8], head[9], head[10] = byte(i), byte(m), byte(from)
			_, _ = sum.Write(head[:])
			_, _ = sum.Write(p.Data)
		})
	}
	run(t, w, func() {
		var flows sync.WaitGroup
		for range 20 {
			flows.Add(1)
			w.Client().Go("flow", func() {
				defer flows.Done()
				there(t, w)
			})
		}
		flows.Wait()
	})
	mu.Lock()
	defer mu.Unlock()
	over = true
	return sum.Sum64(), lost
}

// there sends some octets to the server and expects them back.
func there(t *testing.T, w *netsim.World) {
	t.Helper()
	sent := bytes.Repeat([]byte("0123456789abcdef"), 512)
	c := dial(t, w, w.Client())
	if c == nil {
		return
	}
	defer c.Close()
	w.Client().Go("writer", func() {
		if _, err := c.Write(sent); err != nil {
			t.Error(err)
		}
		if err := c.(*host.Conn).CloseWrite(); err != nil {
			t.Error(err)
		}
	})
	if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("got %d octets of %d, %v", len(got), len(sent), err)
	}
}

func TestSameSeedSameCourse(t *testing.T) {
	first, lost := course(t, 1)
	if lost < 20 {
		t.Errorf("only %d packets were lost", lost)
	}
	runs := 200
	if testing.Short() {
		runs = 20
	}
	for i := range runs - 1 {
		if got, _ := course(t, 1); got != first {
			t.Fatalf("run %d took another course", i+2)
		}
	}
	if got, _ := course(t, 2); got == first {
		t.Error("another seed makes no difference")
	}
}

// A connection that is idle makes no packets and costs no events, and a gateway
// remembers it for two hours and four minutes (RFC 5382 REQ-5).
func TestIdleForTwoHours(t *testing.T) {
	w := build(t, "client-nat", netsim.Options{})
	run(t, w, func() {
		c := dial(t, w, w.Client())
		if c == nil {
			return
		}
		defer c.Close()
		exchange(t, c)
		_ = w.Client().Sleep(t.Context(), time.Minute) // the last of the acknowledgements
		before := w.Clock.Events()
		_ = w.Client().Sleep(t.Context(), 2*time.Hour)
		if n := w.Clock.Events() - before; n > 10 {
			t.Errorf("there were %d events in two idle hours", n)
		}
		exchange(t, c)
	})
}

// made makes the world of a built-in topology, which the caller closes.
func made(b *testing.B, name string) *netsim.World {
	b.Helper()
	spec, err := netsim.Builtin(name)
	if err != nil {
		b.Fatal(err)
	}
	w, err := netsim.Build(spec, netsim.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return w
}

// BenchmarkSYNTimeout waits for a host that nobody answers.
func BenchmarkSYNTimeout(b *testing.B) {
	for b.Loop() {
		w := made(b, "client-nat")
		run(b, w, func() {
			if c, err := w.Server().Dial(b.Context(), netip.AddrPort{}, netip.MustParseAddrPort("192.168.1.2:5001")); err == nil {
				b.Errorf("%v answered", c.RemoteAddr())
			}
		})
		w.Close()
	}
}

// BenchmarkIdleTwoHours uses a connection through a NAT after two hours.
func BenchmarkIdleTwoHours(b *testing.B) {
	for b.Loop() {
		w := made(b, "client-nat")
		run(b, w, func() {
			c := dial(b, w, w.Client())
			if c == nil {
				return
			}
			defer c.Close()
			exchange(b, c)
			_ = w.Client().Sleep(b.Context(), 2*time.Hour)
			exchange(b, c)
		})
		w.Close()
	}
}

// BenchmarkEvent sends 16 MiB over two wires.
func BenchmarkEvent(b *testing.B) {
	const size = 16 << 20
	b.SetBytes(size)
	var events uint64
	for b.Loop() {
		w := made(b, "direct")
		at := netip.AddrPortFrom(w.Topology.Dial, 50000)
		run(b, w, func() {
			l, err := w.Server().Listen(b.Context(), at)
			if err != nil {
				b.Error(err)
				return
			}
			defer l.Close()
			w.Client().Go("client", func() {
				c, err := w.Client().Dial(b.Context(), netip.AddrPort{}, at)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = c.Write(make([]byte, size))
				_ = c.Close()
			})
			c, err := l.Accept()
			if err != nil {
				b.Error(err)
				return
			}
			if n, err := io.Copy(io.Discard, c); err != nil || n != size {
				b.Errorf("got %d octets, %v", n, err)
			}
			_ = c.Close()
		})
		events += w.Clock.Events()
		w.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
	b.ReportMetric(float64(events)/float64(b.N), "events/op")
}
