package wire_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/clock"
	"github.com/ftpconform/ftpconform/netsim/packet"
	"github.com/ftpconform/ftpconform/netsim/wire"
)

// sink keeps what arrives, with the time.
type sink struct {
	clock *clock.Clock
	at    []time.Duration
	got   []byte // the first octet of each
}

func (s *sink) Input(p *packet.Packet) {
	s.at = append(s.at, s.clock.Now().Sub(s.clock.Start()))
	s.got = append(s.got, p.Data[0])
	p.Release()
}

// carry sends packets of n octets, numbered from 0, all at once from end 0.
func carry(t *testing.T, s wire.Spec, count, n int) (*sink, map[wire.Moment]int) {
	t.Helper()
	c := clock.New(clock.Options{Seed: 7})
	w, err := wire.New(c, "w", s, wire.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	out := &sink{clock: c}
	w.Attach(1, out)
	seen := map[wire.Moment]int{}
	w.Tap(func(m wire.Moment, _ int, _ time.Time, _ *packet.Packet) { seen[m]++ })
	node := c.Node()
	node.Go("sender", func() {
		for i := range count {
			p := packet.New(n)
			clear(p.Data)
			p.Data[0] = byte(i)
			w.End(0).Input(p)
		}
		_ = node.Sleep(t.Context(), time.Hour)
	})
	if err := c.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return out, seen
}

func TestDelayAndRate(t *testing.T) {
	out, _ := carry(t, wire.Spec{Delay: 10 * time.Millisecond, Rate: 1e6}, 3, 1000)
	want := []time.Duration{11 * time.Millisecond, 12 * time.Millisecond, 13 * time.Millisecond}
	if !slices.Equal(out.at, want) {
		t.Errorf("arrivals at %v, want %v", out.at, want)
	}
}

func TestDelayIsNeverZero(t *testing.T) {
	out, _ := carry(t, wire.Spec{}, 1, 1000)
	if out.at[0] < wire.DefaultDelay {
		t.Errorf("arrival after %v", out.at[0])
	}
}

func TestJitterKeepsTheOrder(t *testing.T) {
	out, _ := carry(t, wire.Spec{Jitter: 50 * time.Millisecond}, 200, 100)
	if len(out.got) != 200 || !slices.IsSorted(out.got) {
		t.Errorf("%d arrived, in order: %v", len(out.got), slices.IsSorted(out.got))
	}
	if spread := out.at[len(out.at)-1] - out.at[0]; spread < 10*time.Millisecond {
		t.Errorf("all arrive within %v: no jitter", spread)
	}
}

func TestImpairments(t *testing.T) {
	tests := map[string]struct {
		spec  wire.Spec
		check func(t *testing.T, out *sink, seen map[wire.Moment]int)
	}{
		"loss": {wire.Spec{Loss: 0.5}, func(t *testing.T, out *sink, seen map[wire.Moment]int) {
			t.Helper()
			if n := len(out.got); n < 60 || n > 140 || seen[wire.Lost] != 200-n {
				t.Errorf("%d of 200 arrived, %d were lost", n, seen[wire.Lost])
			}
		}},
		"all lost": {wire.Spec{Loss: 1}, func(t *testing.T, out *sink, _ map[wire.Moment]int) {
			t.Helper()
			if len(out.got) != 0 {
				t.Errorf("%d arrived", len(out.got))
			}
		}},
		"duplicates": {wire.Spec{Duplicate: 0.5}, func(t *testing.T, out *sink, _ map[wire.Moment]int) {
			t.Helper()
			if n := len(out.got); n < 260 || n > 340 {
				t.Errorf("%d arrived of 200 sent", n)
			}
		}},
		"reordering": {wire.Spec{Reorder: 0.2}, func(t *testing.T, out *sink, _ map[wire.Moment]int) {
			t.Helper()
			if len(out.got) != 200 || slices.IsSorted(out.got) {
				t.Errorf("%d arrived, in order: %v", len(out.got), slices.IsSorted(out.got))
			}
		}},
		"queue": {wire.Spec{Rate: 1000, Queue: 1000}, func(t *testing.T, out *sink, _ map[wire.Moment]int) {
			t.Helper()
			if n := len(out.got); n < 10 || n > 12 {
				t.Errorf("%d of 200 found room, want about 10 packets of 100 octets", n)
			}
		}},
		"mtu": {wire.Spec{MTU: 99}, func(t *testing.T, out *sink, _ map[wire.Moment]int) {
			t.Helper()
			if len(out.got) != 0 {
				t.Errorf("%d packets of 100 octets went through a wire for 99", len(out.got))
			}
		}},
		"cut": {wire.Spec{Rate: 1e9, Cuts: []wire.Cut{{At: 0, For: time.Second}}}, func(t *testing.T, out *sink, _ map[wire.Moment]int) {
			t.Helper()
			if len(out.got) != 0 {
				t.Errorf("%d packets went through a cut wire", len(out.got))
			}
		}},
		"not cut any more": {wire.Spec{Cuts: []wire.Cut{{At: time.Second}}}, func(t *testing.T, out *sink, _ map[wire.Moment]int) {
			t.Helper()
			if len(out.got) != 200 {
				t.Errorf("%d packets went through before the cut", len(out.got))
			}
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			out, seen := carry(t, test.spec, 200, 100)
			test.check(t, out, seen)
		})
	}
}

func TestCorruptionChangesOneBit(t *testing.T) {
	c := clock.New(clock.Options{Seed: 1})
	w, err := wire.New(c, "w", wire.Spec{Corrupt: 1}, wire.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	bits := 0
	w.Attach(1, sinkFunc(func(p *packet.Packet) {
		for _, b := range p.Data {
			for ; b != 0; b &= b - 1 {
				bits++
			}
		}
	}))
	n := c.Node()
	n.Go("sender", func() {
		p := packet.New(100)
		clear(p.Data)
		w.End(0).Input(p)
		_ = n.Sleep(t.Context(), time.Second)
	})
	if err := c.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if bits != 1 {
		t.Errorf("%d bits changed", bits)
	}
}

type sinkFunc func(*packet.Packet)

func (f sinkFunc) Input(p *packet.Packet) { f(p) }

func TestSpecCheck(t *testing.T) {
	for _, test := range []struct {
		spec wire.Spec
		want string
	}{
		{wire.Spec{Loss: 1.5}, "loss is 1.5"},
		{wire.Spec{Corrupt: -0.1}, "corrupt is -0.1"},
		{wire.Spec{Delay: -1}, "must not be negative"},
		{wire.Spec{Rate: -1}, "must not be negative"},
		{wire.Spec{MTU: 20}, "MTU 20"},
	} {
		_, err := wire.New(clock.New(clock.Options{}), "gw/outside", test.spec, wire.Spec{})
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "wire gw/outside: ") {
			t.Errorf("%+v: error is %v", test.spec, err)
		}
	}
}

// TestLossesSayWhy: the tap finds the reason in the note of what is lost.
func TestLossesSayWhy(t *testing.T) {
	for want, spec := range map[string]wire.Spec{
		"by chance":                     {Loss: 1},
		"it is cut":                     {Cuts: []wire.Cut{{}}},
		"its queue is full":             {Rate: 1000, Queue: 1},
		"100 octets, and its MTU is 99": {MTU: 99},
	} {
		c := clock.New(clock.Options{})
		w, err := wire.New(c, "w", spec, wire.Spec{})
		if err != nil {
			t.Fatal(err)
		}
		w.Attach(1, &sink{clock: c})
		got := ""
		w.Tap(func(m wire.Moment, _ int, _ time.Time, p *packet.Packet) {
			if m == wire.Lost {
				got = p.Note
			}
		})
		n := c.Node()
		n.Go("sender", func() {
			for range 2 {
				p := packet.New(100)
				p.Note = "something else"
				clear(p.Data)
				w.End(0).Input(p)
			}
			_ = n.Sleep(t.Context(), time.Second)
		})
		if err := c.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
