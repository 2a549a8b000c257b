package reference_test

import (
	"bufio"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
	"github.com/ftpconform/ftpconform/reference"
)

func TestActiveSourceFaults(t *testing.T) {
	t.Parallel()
	free, at := listener(t, "127.0.0.1")
	free.Close()
	source := func(f reference.Faults) netip.AddrPort {
		srv := serve(t, reference.Options{Faults: f, DataPort: at.Port()}, "127.0.0.2")
		c := login(t, srv)
		l, ep := listener(t, "127.0.0.1")
		c.cmd(200, port(ep))
		c.cmd(150, "RETR text")
		d := accepted(t, l)
		slurp(t, d)
		c.want(226)
		return host.AddrPort(d.RemoteAddr())
	}
	if got := source(reference.Faults{}); got != netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), at.Port()) {
		t.Errorf("plain: %v", got)
	}
	if got := source(reference.Faults{EphemeralSource: true}); got.Port() == at.Port() {
		t.Errorf("EphemeralSource: %v", got)
	}
	if got := source(reference.Faults{ActiveFromOtherAddress: true}); got.Addr() != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("ActiveFromOtherAddress: %v", got)
	}
}

// TestDefaultPort listens on the client's control port, the default data
// port.
func TestDefaultPort(t *testing.T) {
	t.Parallel()
	for _, twice := range []bool{false, true} {
		at := serve(t, reference.Options{Faults: reference.Faults{ActiveDialsTwice: twice}}, "127.0.0.1")
		free, own := listener(t, "127.0.0.1")
		free.Close()
		conn, err := host.OS{}.Dial(t.Context(), own, at)
		if err != nil {
			t.Skip(err)
		}
		t.Cleanup(func() { conn.Close() })
		c := &control{t: t, conn: conn.(*net.TCPConn), r: bufio.NewReader(conn)}
		c.want(220)
		c.cmd(331, "USER user")
		c.cmd(230, "PASS pass")
		l, err := host.OS{}.Listen(t.Context(), own)
		if err != nil {
			t.Skip(err)
		}
		defer l.Close()
		c.cmd(150, "RETR text")
		if slurp(t, accepted(t, l.(*net.TCPListener))) == "" {
			t.Error("no data on the default data port")
		}
		c.want(226)
		other, ep := listener(t, "127.0.0.1")
		c.cmd(200, port(ep))
		c.cmd(150, "RETR text")
		slurp(t, accepted(t, other))
		c.want(226)
		if nobody(l.(*net.TCPListener)) == twice {
			t.Errorf("ActiveDialsTwice %v: dialled the default port: %v", twice, !twice)
		}
	}
}

func TestLoginDelay(t *testing.T) {
	t.Parallel()
	const delay = 700 * time.Millisecond
	took := func(f reference.Faults) time.Duration {
		c := connect(t, serve(t, reference.Options{LoginDelay: delay, Faults: f}, "127.0.0.1"))
		c.cmd(331, "USER user")
		start := time.Now()
		c.cmd(530, "PASS wrong")
		return time.Since(start)
	}
	if d := took(reference.Faults{}); d < delay {
		t.Errorf("answered after %v", d)
	}
	if d := took(reference.Faults{NoLoginDelay: true}); d >= delay {
		t.Errorf("NoLoginDelay: answered after %v", d)
	}
}
