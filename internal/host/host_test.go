package host_test

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ftpconform/ftpconform/internal/host"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// TestOnePortForManyConnections dials two peers from one local port at a time,
// as a server does from its default data port.
func TestOnePortForManyConnections(t *testing.T) {
	t.Parallel()
	a, err := host.OS{}.Listen(t.Context(), netip.AddrPortFrom(loopback, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := host.OS{}.Listen(t.Context(), netip.AddrPortFrom(loopback, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	first, err := host.OS{}.Dial(t.Context(), netip.AddrPortFrom(loopback, 0), host.AddrPort(a.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	from := host.AddrPort(first.LocalAddr())
	second, err := host.OS{}.Dial(t.Context(), from, host.AddrPort(b.Addr()))
	if err != nil {
		t.Fatalf("a second connection from %s: %v", from, err)
	}
	defer second.Close()
	if got := host.AddrPort(second.LocalAddr()); got != from {
		t.Errorf("it came from %s, not %s", got, from)
	}
}

func TestListenIPv4Only(t *testing.T) {
	t.Parallel()
	l, err := host.OS{}.Listen(t.Context(), netip.AddrPortFrom(loopback, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := host.AddrPort(l.Addr()); got.Addr() != loopback || got.Port() == 0 {
		t.Errorf("it listens on %s", got)
	}
}

func TestUrgentDataStaysInLine(t *testing.T) {
	t.Parallel()
	l, err := host.OS{}.Listen(t.Context(), netip.AddrPortFrom(loopback, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := host.OS{}.Dial(t.Context(), netip.AddrPort{}, host.AddrPort(l.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if err := host.InlineUrgent(server); err != nil {
		t.Skipf("this system cannot read urgent data in line: %v", err)
	}
	if err := host.SendUrgent(client, []byte("ab!")); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Write([]byte("cd")); err != nil {
		t.Fatal(err)
	}
	_ = client.Close()
	if got, err := io.ReadAll(server); string(got) != "ab!cd" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	clock := host.RealTime{}
	ctx, cancel := context.WithCancel(t.Context())
	fired := make(chan struct{})
	clock.AfterFunc(time.Millisecond, func() { close(fired) })
	<-fired
	if !clock.AfterFunc(time.Hour, func() { t.Error("a stopped timer fired") })() {
		t.Error("the timer could not be stopped")
	}
	if err := clock.Sleep(ctx, time.Millisecond); err != nil {
		t.Error(err)
	}
	cancel()
	if err := clock.Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("the sleep ended with %v", err)
	}
	if clock.Now().IsZero() {
		t.Error("no time")
	}
}

func TestAddrPort(t *testing.T) {
	t.Parallel()
	if got := host.AddrPort(nil); got.IsValid() {
		t.Errorf("no address gives %s", got)
	}
	mapped := addr("[::ffff:127.0.0.1]:21")
	if got := host.AddrPort(mapped); got != netip.MustParseAddrPort("127.0.0.1:21") {
		t.Errorf("a mapped address gives %s", got)
	}
}

type addr string

func (addr) Network() string  { return "tcp" }
func (a addr) String() string { return string(a) }
