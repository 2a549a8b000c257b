package kernel_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ftpconform/ftpconform/fakeclient"
	"github.com/ftpconform/ftpconform/ftp"
	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/kernel"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// needs skips a test where there can be no such gateway.
func needs(t *testing.T) {
	t.Helper()
	if err := kernel.Available(t.Context()); err != nil {
		t.Skip(err)
	}
}

// build makes a topology whose gateways are the kernel's.
func build(t *testing.T, topology string, change func(*netsim.Topology)) *netsim.World {
	t.Helper()
	needs(t)
	spec, err := netsim.Builtin(topology)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&spec)
	}
	w, err := netsim.Build(spec, netsim.Options{Real: true, Gateways: func(o gateway.Options, h alg.Options) (netsim.Router, error) {
		return kernel.New(t.Context(), o, h)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// within runs f in the network.
func within(t *testing.T, w *netsim.World, f func(ctx context.Context)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := w.Run(ctx, "test", func() { f(ctx) }); err != nil {
		t.Error(err)
	}
}

// TestHelper plays the story of the tutorials with the real helper: PORT is
// rewritten, and the server gets through; without the helper neither happens.
func TestHelper(t *testing.T) {
	for topology, want := range map[string]string{"client-nat": "PORT 192,168,1,2,195,80", "client-nat-alg": "PORT 218,63,1,5,195,80"} {
		t.Run(topology, func(t *testing.T) {
			w := build(t, topology, nil)
			within(t, w, func(ctx context.Context) { portThroughNAT(ctx, t, w, want) })
		})
	}
}

func portThroughNAT(ctx context.Context, t *testing.T, w *netsim.World, want string) {
	t.Helper()
	l, err := w.Server().Listen(ctx, netip.MustParseAddrPort("218.63.1.100:21"))
	if err != nil {
		t.Error(err)
		return
	}
	defer l.Close()
	got := make(chan string, 1)
	server := func(c net.Conn) {
		_, _ = io.WriteString(c, "220 ready\r\n")
		b := make([]byte, 512)
		for {
			n, err := c.Read(b)
			if err != nil {
				return
			}
			if text := string(b[:n]); strings.HasPrefix(text, "PORT") {
				got <- strings.TrimSpace(text)
			}
			_, _ = io.WriteString(c, "200 ok\r\n")
		}
	}
	go func() {
		if c, err := l.Accept(); err == nil {
			defer c.Close()
			server(c)
		}
	}()
	fc := fakeclient.New(ctx, fakeclient.Options{Network: w.Client(), Clock: w.Client()})
	defer fc.Close()
	c, err := fc.Dial(netip.MustParseAddrPort("192.168.1.2:40001"), netip.MustParseAddrPort("218.63.1.100:21"))
	if err != nil {
		t.Error(err)
		return
	}
	data, err := fc.Listen(netip.MustParseAddrPort("192.168.1.2:50000"))
	if err != nil {
		t.Error(err)
		return
	}
	for _, line := range []string{"", "NOOP", "PORT " + ftp.FormatHostPort(data.Endpoint)} {
		if line != "" {
			if err := c.Send(line); err != nil {
				t.Error(err)
			}
		}
		if _, _, err := c.Final(5 * time.Second); err != nil {
			t.Error(err)
		}
	}
	line := <-got
	if line != want {
		t.Errorf("the server gets %q, not %q", line, want)
	}
	table, err := w.Router("gw").Table()
	if err != nil {
		t.Fatal(err)
	}
	if len(table.Connections) != 1 || table.Connections[0].Client.String() != "192.168.1.2:40001 <-> 218.63.1.5:40001" || table.Connections[0].Phase != gateway.PhaseEstablished {
		t.Errorf("the table is\n%v", table)
	}
	ep, _ := ftp.ParseHostPort(strings.TrimPrefix(line, "PORT "))
	dial, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := w.Server().Dial(dial, netip.MustParseAddrPort("218.63.1.100:20"), ep)
	if helped := want == "PORT 218,63,1,5,195,80"; helped != (err == nil) {
		t.Errorf("the data connection: %v", err)
	}
	if err != nil {
		return
	}
	defer conn.Close()
	if x := table.Expectations; len(x) != 1 || x[0].To.String() != "218.63.1.5:50000" || x[0].Real.String() != "192.168.1.2:50000" ||
		x[0].From.String() != "218.63.1.100" || x[0].By.String() != "192.168.1.2:40001" {
		t.Errorf("expected is %v", x)
	}
	if table, err = w.Router("gw").Table(); err != nil || len(table.Expectations) != 0 || !slices.ContainsFunc(table.Connections, func(c gateway.ConnectionInfo) bool { return c.Expected }) {
		t.Errorf("the table is\n%v%v", table, err)
	}
}
