package reference_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"

	"github.com/ftpconform/ftpconform/ftp"
	"github.com/ftpconform/ftpconform/internal/host"
	"github.com/ftpconform/ftpconform/reference"
)

func TestSetupLifeCycle(t *testing.T) {
	t.Parallel()
	at := serve(t, reference.Options{}, ownAddress(t))
	l, ep := listener(t, "127.0.0.1")
	tests := map[string]func(t *testing.T, c *control){
		"used up": func(t *testing.T, c *control) {
			t.Helper()
			c.get("RETR text")
			c.cmd(425, "RETR text")
		},
		"replaced listener": func(t *testing.T, c *control) {
			t.Helper()
			old := []netip.AddrPort{c.pasv(), c.epsv(), c.pasv()}
			last := c.epsv()
			for _, at := range old {
				if at != last && !refused(t, at) {
					t.Errorf("%v still open", at)
				}
			}
			dial(t, last)
		},
		"replaced connection": func(t *testing.T, c *control) {
			t.Helper()
			for _, next := range []string{"PASV", "EPSV", port(ep), "EPRT " + ftp.FormatExtended(ep), "LPSV", "ABOR", "REIN"} {
				d := c.data()
				c.cmd(0, next)
				if got, err := io.ReadAll(d); len(got) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("%s: got %q, %v", next, got, err) // FIN, or RST when not yet accepted
				}
				if next == "ABOR" {
					c.cmd(425, "RETR text")
				}
			}
			c.cmd(331, "USER user")
			c.cmd(230, "PASS pass")
		},
		"refused PORT forgets": func(t *testing.T, c *control) {
			t.Helper()
			for _, bad := range []string{"PORT 1,2,3", "PORT 127,0,0,2,200,1", "EPRT |1|127.0.0.1|25|", "EPSV 9", "LPRT x"} {
				c.cmd(200, port(ep))
				c.cmd(0, bad)
				c.cmd(425, "RETR text")
			}
			if !nobody(l) {
				t.Error("dialled")
			}
		},
		"survives an early error": func(t *testing.T, c *control) {
			t.Helper()
			d := c.data()
			c.cmd(550, "RETR missing")
			c.cmd(150, "RETR text")
			if slurp(t, d) == "" {
				t.Error("no data")
			}
			c.want(226)
		},
		"last one counts": func(t *testing.T, c *control) {
			t.Helper()
			c.cmd(200, port(ep))
			d := c.data()
			c.cmd(150, "RETR text")
			slurp(t, d)
			c.want(226)
			if !nobody(l) {
				t.Error("dialled after EPSV")
			}
		},
		"EPSV ALL forgets PORT": func(t *testing.T, c *control) {
			t.Helper()
			c.cmd(200, port(ep))
			c.cmd(200, "EPSV ALL")
			c.cmd(425, "RETR text")
			if c.get("RETR text") == "" {
				t.Error("EPSV does not work after EPSV ALL")
			}
		},
		"QUIT closes": func(t *testing.T, c *control) {
			t.Helper()
			at := c.epsv()
			c.cmd(221, "QUIT")
			c.closed()
			eventually(t, "listener closed", func() bool { return refused(t, at) })
			c.conn = login(t, host.AddrPort(c.conn.RemoteAddr())).conn
		},
		"loss closes": func(t *testing.T, c *control) {
			t.Helper()
			at := c.epsv()
			d := dial(t, at)
			c.conn.SetLinger(0)
			c.conn.Close()
			if got := slurp(t, d); got != "" {
				t.Errorf("got %q", got)
			}
			eventually(t, "listener closed", func() bool { return refused(t, at) })
		},
		"second connection": func(t *testing.T, c *control) {
			t.Helper()
			at := c.epsv()
			first, second := dial(t, at), dial(t, at)
			if got := slurp(t, second); got != "" {
				t.Errorf("second connection: %q", got)
			}
			c.cmd(150, "RETR text")
			if slurp(t, first) == "" {
				t.Error("no data on the first connection")
			}
			c.want(226)
		},
		"stranger": func(t *testing.T, c *control) {
			t.Helper()
			at := c.epsv()
			from := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}
			other, err := net.DialTCP("tcp", from, net.TCPAddrFromAddrPort(at))
			if err != nil {
				t.Skip(err)
			}
			defer other.Close()
			if got, _ := io.ReadAll(other); len(got) > 0 {
				t.Errorf("stranger got %q", got)
			}
			d := dial(t, at)
			c.cmd(150, "RETR text")
			if slurp(t, d) == "" {
				t.Error("no data for the client")
			}
			c.want(226)
		},
		"STAT and SIZE leave it": func(t *testing.T, c *control) {
			t.Helper()
			d := c.data()
			for _, line := range []string{"STAT", "STAT /", "MLST text", "SIZE text", "NOOP", "TYPE I", "CWD dir", "OPTS UTF8 ON"} {
				c.cmd(0, line)
			}
			c.cmd(150, "RETR /text")
			if got := slurp(t, d); got != "one\ntwo\nthree\n" {
				t.Errorf("got %q", got)
			}
			c.want(226)
		},
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			c := login(t, at)
			f(t, c)
			if name != "loss closes" && name != "QUIT closes" {
				c.inStep()
			}
		})
	}
}
