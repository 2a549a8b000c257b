package reference_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ftpconform/ftpconform/ftp"
	"github.com/ftpconform/ftpconform/internal/host"
	"github.com/ftpconform/ftpconform/reference"
)

// The tests mostly wait, so that many of them fit on one processor.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// pause lets a moment pass in which something ought not to happen, or in
// which another goroutine of the server gets its turn.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	if err := (host.RealTime{}).Sleep(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

// patience bounds every wait of a test for something that has to happen.
const patience = 10 * time.Second

// serve starts a server on a loopback address and returns where it is.
func serve(t *testing.T, o reference.Options, on string) netip.AddrPort {
	t.Helper()
	if o.LoginDelay == 0 {
		o.LoginDelay = -1
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	if o.Files == nil {
		o.Files = seeded(t)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(on, "0"))
	if err != nil {
		t.Skipf("no listener on %s: %v", on, err)
	}
	s := reference.NewServer(o)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Serve(context.WithoutCancel(t.Context()), l); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	t.Cleanup(func() {
		s.Close()
		wg.Wait()
	})
	return host.AddrPort(l.Addr())
}

// big is the contents of /big: more than sockets buffer.
var big = strings.Repeat("0123456789abcdef", 8<<16)

var birth = time.Date(2024, 2, 29, 12, 34, 56, 0, time.UTC)

// seeded is a file system with something of everything.
func seeded(t *testing.T) *reference.Memory {
	t.Helper()
	m := reference.NewMemory()
	for name, data := range map[string]string{
		"/text":         "one\ntwo\nthree\n",
		"/empty":        "",
		"/dir/a b":      "spaces",
		"/dir/ ahead":   "leading",
		"/dir/213 x":    "looks like a reply",
		"/dir/\xff\xfe": "octets",
	} {
		if err := m.WriteFile(name, []byte(data), birth); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"/void", "/full"} {
		if err := m.Mkdir(name); err != nil {
			t.Fatal(err)
		}
	}
	m.Quotas = map[string]int64{"/full": 0}
	return m
}

// addresses counts what ownAddress has given out.
var addresses atomic.Int32

// ownAddress is a loopback address that no other test uses, so that a port
// which is closed there stays closed; where there is only one, that one.
func ownAddress(t *testing.T) string {
	t.Helper()
	n := addresses.Add(1)
	own := fmt.Sprintf("127.1.%d.%d", n>>8, n&255)
	l, err := net.Listen("tcp", net.JoinHostPort(own, "0"))
	if err != nil {
		return "127.0.0.1"
	}
	l.Close()
	return own
}

// enlarge adds /big.
func enlarge(t *testing.T, m *reference.Memory) *reference.Memory {
	t.Helper()
	if err := m.WriteFile("/big", []byte(big), birth); err != nil {
		t.Fatal(err)
	}
	return m
}

// control is a control connection under the fingers of a test.
type control struct {
	t    *testing.T
	conn *net.TCPConn
	r    *bufio.Reader
}

// connect opens a control connection and takes the greeting.
func connect(t *testing.T, at netip.AddrPort) *control {
	t.Helper()
	conn, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c := &control{t: t, conn: conn, r: bufio.NewReader(conn)}
	c.want(220)
	return c
}

// login opens a control connection and logs in.
func login(t *testing.T, at netip.AddrPort) *control {
	t.Helper()
	c := connect(t, at)
	c.cmd(331, "USER user")
	c.cmd(230, "PASS pass")
	return c
}

// started is a server with a session that is logged in.
func started(t *testing.T, o reference.Options) *control {
	t.Helper()
	return login(t, serve(t, o, "127.0.0.1"))
}

func (c *control) raw(s string) {
	c.t.Helper()
	if _, err := c.conn.Write([]byte(s)); err != nil {
		c.t.Fatalf("send %.40q: %v", s, err)
	}
}

// read returns the next reply.
func (c *control) read() (ftp.Reply, error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	var p ftp.ReplyReader
	for {
		text, err := c.r.ReadString('\n')
		if err != nil {
			return ftp.Reply{}, err
		}
		r, done, err := p.Add(strings.TrimSuffix(text, "\r\n"))
		if err != nil || done {
			return r, err
		}
	}
}

// want reads replies, which have to have these codes.
func (c *control) want(codes ...int) ftp.Reply {
	c.t.Helper()
	var r ftp.Reply
	for i, code := range codes {
		var err error
		if r, err = c.read(); err != nil {
			c.t.Fatalf("reply %d of %v: %v", i+1, codes, err)
		}
		if r.Code != code {
			c.t.Fatalf("reply %d of %v: got %v", i+1, codes, r)
		}
	}
	return r
}

// cmd sends a line and wants one reply.
func (c *control) cmd(code int, line string) ftp.Reply {
	c.t.Helper()
	c.raw(line + "\r\n")
	r, err := c.read()
	if err != nil {
		c.t.Fatalf("%.60q: %v", line, err)
	}
	if code != 0 && r.Code != code {
		c.t.Fatalf("%.60q: got %v, want %d", line, r, code)
	}
	return r
}

// inStep proves that no reply is missing or left over.
func (c *control) inStep() {
	c.t.Helper()
	if r := c.cmd(257, "PWD"); r.Code != 257 {
		c.t.Fatalf("out of step: %v", r)
	}
	if quiet(c.conn, c.r) != nil {
		c.t.Fatal("a reply that nobody asked for")
	}
}

// quiet returns an error when something arrives within a moment.
func quiet(conn net.Conn, r *bufio.Reader) error {
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
	b, err := r.Peek(1)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return nil
	}
	return fmt.Errorf("got %q, %w", b, err)
}

// closed waits for the end of the control connection.
func (c *control) closed() {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	if rest, err := io.ReadAll(c.r); err != nil || len(rest) > 0 {
		c.t.Fatalf("control connection not closed: %q, %v", rest, err)
	}
}

// epsv sets up passively and returns the endpoint.
func (c *control) epsv() netip.AddrPort {
	c.t.Helper()
	port, err := ftp.ParseEPSVReply(c.cmd(229, "EPSV").Text())
	if err != nil {
		c.t.Fatal(err)
	}
	return netip.AddrPortFrom(host.AddrPort(c.conn.RemoteAddr()).Addr(), port)
}

// pasv does the same with PASV.
func (c *control) pasv() netip.AddrPort {
	c.t.Helper()
	ep, err := ftp.ParsePASVReply(c.cmd(227, "PASV").Text())
	if err != nil {
		c.t.Fatal(err)
	}
	return ep
}

// dial opens a data connection.
func dial(t *testing.T, at netip.AddrPort) *net.TCPConn {
	t.Helper()
	conn, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return conn
}

// data sets up and connects.
func (c *control) data() *net.TCPConn { c.t.Helper(); return dial(c.t, c.epsv()) }

// refused reports whether nobody listens there.
func refused(t *testing.T, at netip.AddrPort) bool {
	t.Helper()
	conn, err := net.DialTimeout("tcp", at.String(), patience)
	if err == nil {
		conn.Close()
	}
	return err != nil
}

// eventually waits for a condition that another goroutine brings about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	end := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
		pause(t, 5*time.Millisecond)
	}
}

// slurp reads a data connection to its end.
func slurp(t *testing.T, conn net.Conn) string {
	t.Helper()
	b, err := io.ReadAll(conn)
	if err != nil {
		t.Fatalf("data after %d octets: %v", len(b), err)
	}
	return string(b)
}

// get retrieves a file.
func (c *control) get(command string) string {
	c.t.Helper()
	d := c.data()
	c.cmd(150, command)
	got := slurp(c.t, d)
	c.want(226)
	return got
}

// put stores a file.
func (c *control) put(command, text string) {
	c.t.Helper()
	d := c.data()
	c.cmd(150, command)
	if _, err := io.WriteString(d, text); err != nil {
		c.t.Fatal(err)
	}
	d.Close()
	c.want(226)
}

// listener opens an active endpoint and returns it with its six numbers.
func listener(t *testing.T, on string) (*net.TCPListener, netip.AddrPort) {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(on, "0"))
	if err != nil {
		t.Skipf("no listener on %s: %v", on, err)
	}
	t.Cleanup(func() { l.Close() })
	return l.(*net.TCPListener), host.AddrPort(l.Addr())
}

// accepted waits for a connection.
func accepted(t *testing.T, l *net.TCPListener) net.Conn {
	t.Helper()
	_ = l.SetDeadline(time.Now().Add(patience))
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return conn
}

// deaf is an endpoint where nobody listens, below the ports that the host
// hands out.
func deaf() netip.AddrPort { return netip.MustParseAddrPort("127.0.0.1:20999") }

// nobody reports whether no connection comes for a moment.
func nobody(l *net.TCPListener) bool {
	_ = l.SetDeadline(time.Now().Add(50 * time.Millisecond))
	conn, err := l.Accept()
	if err == nil {
		conn.Close()
	}
	return err != nil
}
