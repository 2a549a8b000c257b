package reference_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/ftp"
	"github.com/ftpconform/ftpconform/internal/host"
	"github.com/ftpconform/ftpconform/reference"
)

// port prints the set-up command for a listener.
func port(at netip.AddrPort) string { return "PORT " + ftp.FormatHostPort(at) }

func TestActive(t *testing.T) {
	t.Parallel()
	c := started(t, reference.Options{})
	l, at := listener(t, "127.0.0.1")
	for _, setup := range []string{port(at), "EPRT " + ftp.FormatExtendedWith('~', at), "LPRT " + ftp.FormatLongHostPort(at)} {
		c.cmd(200, setup)
		if !nobody(l) {
			t.Errorf("%s: dialled before the transfer command", setup)
		}
		c.cmd(150, "RETR text")
		d := accepted(t, l)
		if got := host.AddrPort(d.RemoteAddr()).Port(); got != host.AddrPort(c.conn.RemoteAddr()).Port()-1 {
			t.Logf("%s: from port %d", setup, got) // it may be in use
		}
		if got := slurp(t, d); got != "one\r\ntwo\r\nthree\r\n" {
			t.Errorf("%s: %q", setup, got)
		}
		c.want(226)
	}
	c.cmd(150, "RETR empty") // the endpoint stays
	if got := slurp(t, accepted(t, l)); got != "" {
		t.Errorf("without a new set-up: %q", got)
	}
	c.want(226)
	c.cmd(150, "STOR up")
	d := accepted(t, l)
	fmt.Fprint(d, "data")
	d.(*net.TCPConn).CloseWrite()
	if got := slurp(t, d); got != "" {
		t.Errorf("STOR sent %q", got)
	}
	c.want(226)
	c.cmd(200, port(deaf()))
	c.cmd(150, "RETR text")
	c.want(425)
	c.inStep()
}

// TestDataPort checks the default data ports of both ends: the control port
// less one here, the client's control endpoint there.
func TestDataPort(t *testing.T) {
	t.Parallel()
	at := serve(t, reference.Options{}, "127.0.0.1")
	c := login(t, at)
	c.cmd(150, "RETR text") // to U, where nobody listens
	c.want(425)
	l, _ := listener(t, "127.0.0.1")
	c.cmd(200, port(host.AddrPort(l.Addr())))
	free, err := net.Listen("tcp", netip.AddrPortFrom(at.Addr(), at.Port()-1).String())
	if err == nil {
		free.Close()
	}
	c.cmd(150, "RETR text")
	d := accepted(t, l)
	if got := host.AddrPort(d.RemoteAddr()).Port(); err == nil && got != at.Port()-1 {
		t.Errorf("dialled from port %d, want %d", got, at.Port()-1)
	}
	slurp(t, d)
	c.want(226)
}

func TestIPv6(t *testing.T) {
	t.Parallel()
	c := login(t, serve(t, reference.Options{}, "::1"))
	c.cmd(501, "PASV")
	c.cmd(501, "PORT 127,0,0,1,200,1")
	l, at := listener(t, "::1")
	c.cmd(200, "EPRT "+ftp.FormatExtended(at))
	c.cmd(150, "RETR text")
	slurp(t, accepted(t, l))
	c.want(226)
	if got := c.get("RETR text"); got == "" {
		t.Error("EPSV: no data")
	}
	for line, want := range map[string]string{"EPSV 1": "(2)", "EPSV 3": "(2)", "EPRT |1|127.0.0.1|51200|": "(2)"} {
		if got := c.cmd(522, line).Text(); !strings.HasSuffix(got, want) {
			t.Errorf("%s: %q", line, got)
		}
	}
	c.cmd(229, "EPSV 2")
	c.cmd(228, "LPSV")
	c.inStep()
}

func TestQueue(t *testing.T) {
	t.Parallel()
	c := started(t, reference.Options{Files: enlarge(t, seeded(t))})
	c.cmd(200, "TYPE I")
	d := c.data()
	c.cmd(150, "RETR big")
	c.cmd(211, "STAT") // at once
	c.raw("PASV\r\nTYPE A\r\nPWD\r\nSTAT\r\nZZZZ\r\n")
	if got := slurp(t, d); got != big {
		t.Errorf("got %d octets of %d", len(got), len(big))
	}
	c.want(226, 227, 200, 257, 211, 500)
	c.inStep()
	d = c.data()
	c.cmd(150, "RETR big")
	c.raw("QUIT\r\n")
	if got := slurp(t, d); got != big {
		t.Errorf("QUIT: got %d octets of %d", len(got), len(big))
	}
	c.want(226, 221)
	c.closed()
}

func TestREINDuringTransfer(t *testing.T) {
	t.Parallel()
	c := started(t, reference.Options{Files: enlarge(t, seeded(t))})
	d := c.data()
	c.cmd(150, "RETR big")
	c.raw("REIN\r\nLIST\r\n")
	if got := slurp(t, d); len(got) != len(big) {
		t.Errorf("got %d octets of %d", len(got), len(big))
	}
	c.want(226, 220, 530)
}

func TestBrokenTransfers(t *testing.T) {
	t.Parallel()
	m := enlarge(t, seeded(t))
	c := started(t, reference.Options{Files: m})
	for _, verb := range []string{"RETR big", "STOR broken"} {
		d := c.data()
		c.cmd(150, verb)
		fmt.Fprint(d, "half of it")
		if verb == "RETR big" {
			io.ReadFull(d, make([]byte, 1000))
		} else {
			eventually(t, "data stored", func() bool { b, _ := m.ReadFile("/broken"); return len(b) == 10 })
		}
		d.SetLinger(0)
		d.Close()
		c.want(426)
	}
	if b, _ := m.ReadFile("/broken"); string(b) != "half of it" {
		t.Errorf("kept: %q", b)
	}
	d := c.data()
	c.cmd(150, "STOR /full/x")
	fmt.Fprint(d, "no room")
	d.Close()
	c.want(452)
	c.inStep()
}

func TestNobodyConnects(t *testing.T) {
	t.Parallel()
	m := seeded(t)
	c := started(t, reference.Options{Files: m, DataTimeout: 50 * time.Millisecond})
	for _, line := range []string{"RETR text", "STOR new", "STOR text"} {
		c.cmd(227, "PASV")
		c.cmd(150, line)
		c.want(425)
	}
	if _, err := m.Stat("/new"); err == nil {
		t.Error("a file was made for a transfer that did not come about")
	}
	if b, _ := m.ReadFile("/text"); len(b) != 14 {
		t.Errorf("the file was cut: %q", b)
	}
	c.inStep()
}

func TestPassivePorts(t *testing.T) {
	t.Parallel()
	// A range that is free at this moment.
	var r reference.PortRange
	eventually(t, "free range", func() bool {
		r.Min = uint16(22000 + rand.IntN(8000)) // below what the host hands out
		r.Max = r.Min + 1
		here := netip.MustParseAddr("127.0.0.1")
		return refused(t, netip.AddrPortFrom(here, r.Min)) && refused(t, netip.AddrPortFrom(here, r.Max))
	})
	at := serve(t, reference.Options{PassivePorts: r}, "127.0.0.1")
	c := login(t, at)
	seen := map[uint16]bool{}
	for range 16 {
		seen[c.epsv().Port()] = true
	}
	if !seen[r.Min] || !seen[r.Max] || len(seen) != 2 {
		t.Errorf("range %v: got %v", r, seen)
	}
	other := login(t, at)
	other.epsv()
	third := login(t, at)
	third.cmd(425, "PASV")
	third.cmd(425, "EPSV")
	third.inStep()
	other.cmd(226, "ABOR")
	if third.get("RETR text") == "" {
		t.Error("no data after the range had been exhausted")
	}
}

// TestThirdParty has one server connect to another (RFC 959 section 3.2), which
// both have to be allowed to.
func TestThirdParty(t *testing.T) {
	t.Parallel()
	from, to := seeded(t), seeded(t)
	a := login(t, serve(t, reference.Options{Files: from, AllowForeign: true}, "127.0.0.1"))
	b := login(t, serve(t, reference.Options{Files: to, AllowForeign: true}, "127.0.0.2"))
	for _, c := range []*control{a, b} {
		c.cmd(200, "TYPE I")
	}
	b.cmd(200, port(a.pasv()))
	a.cmd(150, "RETR text")
	b.cmd(150, "STOR copy")
	a.want(226)
	b.want(226)
	if got, _ := to.ReadFile("/copy"); string(got) != "one\ntwo\nthree\n" {
		t.Errorf("copied %q", got)
	}
}

func TestAnnouncedAddress(t *testing.T) {
	t.Parallel()
	c := started(t, reference.Options{PassiveAddr: func(_, _ netip.Addr) netip.Addr { return netip.MustParseAddr("192.0.2.1") }})
	if got := c.pasv(); got.Addr().String() != "192.0.2.1" {
		t.Errorf("227 announces %v", got)
	}
	c = started(t, reference.Options{})
	if got := c.pasv(); got.Addr() != host.AddrPort(c.conn.RemoteAddr()).Addr() {
		t.Errorf("227 announces %v", got)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	at := serve(t, reference.Options{MaxSessionsPerHost: 1, IdleTimeout: time.Second, Rate: 12}, "127.0.0.1")
	c := login(t, at)
	conn := dial(t, at)
	if got := slurp(t, conn); !strings.HasPrefix(got, "421 ") {
		t.Errorf("second session: %q", got)
	}
	start := time.Now()
	if got := c.get("RETR text"); len(got) != 17 { // longer than the idle time
		t.Errorf("got %q", got)
	}
	if took := time.Since(start); took < 1200*time.Millisecond {
		t.Errorf("17 octets at 12 per second took %v", took)
	}
	c.want(421)
	c.closed()
}

func TestStall(t *testing.T) {
	t.Parallel()
	c := started(t, reference.Options{Files: enlarge(t, seeded(t)), StallTimeout: 100 * time.Millisecond})
	c.data()
	c.cmd(150, "STOR up")
	c.want(426)
	c.data()
	c.cmd(150, "RETR big")
	c.want(426)
	c.inStep()
}

func TestCloseServer(t *testing.T) {
	t.Parallel()
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	s := reference.NewServer(reference.Options{Files: enlarge(t, seeded(t))})
	done := make(chan error, 1)
	go func() { done <- s.Serve(t.Context(), l) }()
	c := login(t, host.AddrPort(l.Addr()))
	d := c.data()
	c.cmd(150, "RETR big")
	other := login(t, host.AddrPort(l.Addr()))
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	other.want(421)
	if n, _ := io.Copy(io.Discard, d); n == int64(len(big)) {
		t.Error("the transfer was not stopped")
	}
	l2, _ := net.Listen("tcp", "127.0.0.1:0")
	if err := s.Serve(t.Context(), l2); !errors.Is(err, reference.ErrServerClosed) {
		t.Errorf("Serve after Close: %v", err)
	}
	if _, err := net.Dial("tcp", l2.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("listener given to a closed server: %v", err)
	}
}
