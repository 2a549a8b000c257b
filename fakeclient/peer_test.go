package fakeclient_test

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ftpconform/ftpconform/fakeclient"
	"github.com/ftpconform/ftpconform/internal/host"
)

// bound is far more than any of the waits here needs on a busy machine.
const bound = 10 * time.Second

// short is for waits that have to run out.
const short = 50 * time.Millisecond

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// peer is the server's end of connections, in the hands of a test.
type peer struct {
	t *testing.T
	l net.Listener
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	l, err := host.OS{}.Listen(t.Context(), netip.AddrPortFrom(loopback, 0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return &peer{t: t, l: l}
}

func (p *peer) endpoint() netip.AddrPort { return host.AddrPort(p.l.Addr()) }

// accept takes the next connection.
func (p *peer) accept() *net.TCPConn {
	p.t.Helper()
	conn, err := p.l.Accept()
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(bound))
	return conn.(*net.TCPConn)
}

// read reads one segment, as it comes.
func (p *peer) read(conn net.Conn) string {
	p.t.Helper()
	buf := make([]byte, 128<<10)
	n, err := conn.Read(buf)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(buf[:n])
}

func (p *peer) write(conn net.Conn, s string) {
	p.t.Helper()
	if _, err := conn.Write([]byte(s)); err != nil {
		p.t.Fatal(err)
	}
}

// pair opens a control connection and returns both ends.
func pair(t *testing.T) (*fakeclient.Client, *fakeclient.Control, *peer, *net.TCPConn) {
	t.Helper()
	p := newPeer(t)
	c := fakeclient.New(t.Context(), fakeclient.Options{})
	t.Cleanup(c.Close)
	k, err := c.Dial(netip.AddrPortFrom(loopback, 0), p.endpoint())
	if err != nil {
		t.Fatal(err)
	}
	return c, k, p, p.accept()
}

// has reports whether the trace holds an event of a kind with a text.
func has(tr *fakeclient.Trace, kind fakeclient.Kind, text string) bool {
	for _, e := range tr.Events() {
		if e.Kind == kind && e.Text == text {
			return true
		}
	}
	return false
}
