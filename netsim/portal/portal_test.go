package portal_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ftpconform/ftpconform/ftp"
	"github.com/ftpconform/ftpconform/internal/host"
	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	simhost "github.com/ftpconform/ftpconform/netsim/host"
	"github.com/ftpconform/ftpconform/netsim/portal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The addresses: of the server and of this machine as the server sees it, both on
// the loopback, and of the client, which nobody has.
var (
	serverAddr = netip.MustParseAddr("127.0.0.1")
	ourAddr    = netip.MustParseAddr("127.0.0.3")
	clientAddr = netip.MustParseAddr("192.0.2.2")
)

const bound = 5 * time.Second

// lab is a client behind a simulated NAT, and a server on this machine.
type lab struct {
	t      *testing.T
	world  *netsim.World
	server net.Listener
	at     netip.AddrPort // of the server

	blind atomic.Bool // nobody looks which ports are taken

	mu  sync.Mutex
	log []string
}

func newLab(t *testing.T, helper alg.Profile) *lab {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has all of 127.0.0.0/8")
	}
	l := &lab{t: t}
	var p *portal.Portal
	var err error
	if l.server, err = (host.OS{}).Listen(t.Context(), netip.AddrPortFrom(serverAddr, 0)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.server.Close() })
	l.at = host.AddrPort(l.server.Addr())
	l.world, err = netsim.Build(netsim.Topology{Name: "here", Loopback: true,
		Networks: []netsim.Network{{Name: "home", Prefix: netip.MustParsePrefix("192.0.2.0/24"), Via: "gw"},
			{Name: "internet", Prefix: netip.MustParsePrefix("127.0.0.0/8"), Silent: true}},
		Hosts: []netsim.Host{{Name: "client", Network: "home", Addrs: []netip.Addr{clientAddr}},
			{Name: "server", Network: "internet", Addrs: []netip.Addr{serverAddr}}},
		Gateways: []netsim.Gateway{{Name: "gw", NAT: &gateway.NAT{}, ALG: alg.Options{Profile: helper, Ports: []uint16{l.at.Port()}},
			Inside:  netsim.Side{Network: "home", Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.1")}},
			Outside: netsim.Side{Network: "internet", Addrs: []netip.Addr{ourAddr}}}}},
		netsim.Options{Real: true, Taken: func(at netip.AddrPort) bool { return !l.blind.Load() && p.Taken(at) }})
	if err != nil {
		t.Fatal(err)
	}
	p = portal.Open(l.world.Server(), portal.Options{
		Expected: func() (out []netip.AddrPort) {
			for _, x := range l.world.Gateway("gw").Table().Expectations {
				if x.To.Addr() == ourAddr {
					out = append(out, x.To)
				}
			}
			return out
		},
		Log: func(line string) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.log = append(l.log, line)
		}})
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = l.world.Run(ctx, "test", func() { <-ctx.Done() })
	}()
	t.Cleanup(func() {
		p.Close()
		stop()
		<-over
		l.world.Close()
	})
	return l
}

// told is what the portal has logged.
func (l *lab) told() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.log, "\n")
}

// connect connects the client to the server, and returns both ends.
func (l *lab) connect() (near *simhost.Conn, far *net.TCPConn) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), bound)
	defer cancel()
	c, err := l.world.Client().Dial(ctx, netip.AddrPort{}, l.at)
	if err != nil {
		l.t.Fatal(err)
	}
	near = c.(*simhost.Conn)
	far = l.accept(l.server).(*net.TCPConn)
	return near, far
}

func (l *lab) accept(from net.Listener) net.Conn {
	l.t.Helper()
	_ = from.(interface{ SetDeadline(t time.Time) error }).SetDeadline(time.Now().Add(bound))
	c, err := from.Accept()
	if err != nil {
		l.t.Fatal(err, l.told())
	}
	l.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(bound))
	return c
}

// line sends one and reads it at the other end.
func (l *lab) line(from, to net.Conn, text string) string {
	l.t.Helper()
	if _, err := io.WriteString(from, text); err != nil {
		l.t.Fatal(err)
	}
	got, err := bufio.NewReader(to).ReadString('\n')
	if err != nil {
		l.t.Fatal(err)
	}
	return got
}

func TestControlConnection(t *testing.T) {
	t.Parallel()
	l := newLab(t, alg.Off)
	near, far := l.connect()
	if from := host.AddrPort(far.RemoteAddr()).Addr(); from != ourAddr {
		t.Errorf("the server sees %v, not the address of the gateway", from)
	}
	if got := l.line(far, near, "220 hello\r\n"); got != "220 hello\r\n" {
		t.Errorf("the client got %q", got)
	}
	const port = "PORT 192,0,2,2,195,80\r\n"
	if got := l.line(near, far, port); got != port {
		t.Errorf("without a helper the server got %q", got)
	}
	// Half of the connection ends, then the other.
	if err := near.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if n, err := far.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("after the client's FIN the server reads %d, %v", n, err)
	}
	if got := l.line(far, near, "221 bye\r\n"); got != "221 bye\r\n" {
		t.Errorf("after its FIN the client got %q", got)
	}
	_ = far.Close()
	if n, err := near.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("after the server's FIN the client reads %d, %v", n, err)
	}
}

func TestResets(t *testing.T) {
	t.Parallel()
	l := newLab(t, alg.Off)
	near, far := l.connect()
	_ = far.SetLinger(0)
	_ = far.Close()
	if _, err := near.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client reads %v", err)
	}
	near, far = l.connect()
	_ = near.SetLinger(0)
	_ = near.Close()
	if _, err := far.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the server reads %v", err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t, alg.Off)
	_ = l.server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	if c, err := l.world.Client().Dial(ctx, netip.AddrPort{}, l.at); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("connected %v, %v", c, err)
	}
}

// TestUrgent sends a Telnet Synch (RFC 854).
func TestUrgent(t *testing.T) {
	t.Parallel()
	l := newLab(t, alg.Off)
	near, far := l.connect()
	if err := near.WriteUrgent([]byte{255, 244, 255}); err != nil {
		t.Fatal(err)
	}
	if _, err := near.Write([]byte{242}); err != nil {
		t.Fatal(err)
	}
	// Without SO_OOBINLINE the urgent octet is not in the stream.
	got := make([]byte, 3)
	if _, err := io.ReadFull(far, got); err != nil || string(got) != "\xff\xf4\xf2" {
		t.Errorf("the server reads % x, %v", got, err)
	}
}

// TestActive is active mode with a helper in the gateway.
func TestActive(t *testing.T) {
	t.Parallel()
	l := newLab(t, alg.Linux)
	near, far := l.connect()
	l.line(far, near, "220 hello\r\n")
	l.line(near, far, "USER a\r\n")
	data, err := l.world.Client().Listen(t.Context(), netip.AddrPortFrom(clientAddr, 50_000))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		got := l.line(near, far, "PORT 192,0,2,2,195,80\r\n")
		to, err := ftp.ParseHostPort(strings.TrimSpace(strings.TrimPrefix(got, "PORT ")))
		if err != nil || to != netip.AddrPortFrom(ourAddr, 50_000) {
			t.Fatalf("the server got %q: %v", got, err)
		}
		// Somebody else is sent away and spoils nothing.
		c, err := (host.OS{}).Dial(t.Context(), netip.MustParseAddrPort("127.0.0.4:0"), to)
		switch {
		case errors.Is(err, syscall.ECONNRESET): // sooner than it could look
		case err != nil:
			t.Error(err)
		default:
			_ = c.SetDeadline(time.Now().Add(bound))
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("a stranger reads %v", err)
			}
			_ = c.Close()
		}
		c, err = (host.OS{}).Dial(t.Context(), netip.AddrPortFrom(serverAddr, 0), to)
		if err != nil {
			t.Fatal(err, l.told())
		}
		_ = c.SetDeadline(time.Now().Add(bound))
		in := l.accept(data)
		if from, want := host.AddrPort(in.RemoteAddr()), host.AddrPort(c.LocalAddr()); from != want {
			t.Errorf("the client sees %v, and the server is %v", from, want)
		}
		if got := l.line(c, in, "a listing\n"); got != "a listing\n" {
			t.Errorf("the client got %q", got)
		}
		_ = c.Close()
		_, _ = io.Copy(io.Discard, in)
		_ = in.Close()
	}
	// What was expected is used up, and this machine listens no more.
	l.line(near, far, "NOOP\r\n")
	if c, err := (host.OS{}).Dial(t.Context(), netip.AddrPort{}, netip.AddrPortFrom(ourAddr, 50_000)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("connected %v, %v\n%s", c, err, l.told())
	}
	if told := l.told(); strings.Count(told, "127.0.0.4") != 3 {
		t.Errorf("logged:\n%s", told)
	}
}

// TestPortInUse: this machine cannot listen where the gateway would expect the
// server, so it expects it elsewhere; when nobody has looked, that is a hitch.
func TestPortInUse(t *testing.T) {
	t.Parallel()
	l := newLab(t, alg.Linux)
	// announce announces a port that is in use on this machine.
	announce := func() (port uint16, told string) {
		taken, err := (host.OS{}).Listen(t.Context(), netip.AddrPortFrom(ourAddr, 0))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = taken.Close() })
		port = host.AddrPort(taken.Addr()).Port()
		near, far := l.connect()
		l.line(far, near, "220 hello\r\n")
		l.line(near, far, "USER a\r\n")
		return port, l.line(near, far, fmt.Sprintf("PORT 192,0,2,2,%d,%d\r\n", port>>8, port&255))
	}
	port, told := announce()
	at, err := ftp.ParseHostPort(strings.TrimPrefix(strings.TrimSpace(told), "PORT "))
	if err != nil || at.Addr() != ourAddr || at.Port() == port {
		t.Errorf("the server is told %q: %v", told, err)
	}
	if c, err := net.Dial("tcp", at.String()); err != nil {
		t.Errorf("nobody listens there: %v", err)
	} else {
		_ = c.Close()
	}
	if told := l.told(); strings.Contains(told, "cannot listen") {
		t.Errorf("logged: %q", told)
	}
	l.blind.Store(true)
	announce()
	if told := l.told(); !strings.Contains(told, "cannot listen there") {
		t.Errorf("logged: %q", told)
	}
}

// TestSamePortAgain: a client may come from the same port again when the server
// has ended the connection before, which then waits at the server's end.
func TestSamePortAgain(t *testing.T) {
	t.Parallel()
	l := newLab(t, alg.Off)
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), bound)
		near, err := l.world.Client().Dial(ctx, netip.AddrPortFrom(clientAddr, 40000), l.at)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		_ = l.accept(l.server).Close()
		if n, err := near.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("after the server's FIN the client reads %d, %v", n, err)
		}
		_ = near.Close()
		if err := (host.RealTime{}).Sleep(t.Context(), 100*time.Millisecond); err != nil { // the last segments are on their way
			t.Fatal(err)
		}
	}
}

// TestStall: a reader that does not read stops the writer at the other end.
func TestStall(t *testing.T) {
	t.Parallel()
	l := newLab(t, alg.Off)
	near, far := l.connect()
	_ = near.SetReadBuffer(16 << 10)
	_ = far.SetWriteDeadline(time.Now().Add(time.Second))
	n, err := far.Write(make([]byte, 64<<20))
	var late net.Error
	if !errors.As(err, &late) || !late.Timeout() {
		t.Errorf("all %d octets are gone, and nobody has read: %v", n, err)
	}
	t.Logf("%d octets are on their way", n)
}
