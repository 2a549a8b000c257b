package trials_test

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
	"github.com/ftpconform/ftpconform/reference"
)

// actor is the variable that makes the test binary a server, which behaves until
// somebody says its cue.
const (
	actor = "FTPCONFORM_TEST_ACTOR"
	cue   = "EPSV ALL"
	// early is the variable with a cue that comes while the run is prepared.
	early = "FTPCONFORM_TEST_CUE"
)

func TestMain(m *testing.M) {
	if part := os.Getenv(actor); part != "" {
		os.Exit(act(part)) //nolint:forbidigo // this is the server's main
	}
	// Most tests here wait most of the time.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	os.Exit(m.Run()) //nolint:forbidigo // this is the main of the tests
}

// act serves in the place that the variables name, until its part is over.
func act(part string) int {
	fmt.Fprintln(os.Stdout, "here is", part)
	addr, err := netip.ParseAddr(os.Getenv("FTPCONFORM_ADDRESS"))
	port, perr := strconv.ParseUint(os.Getenv("FTPCONFORM_PORT"), 10, 16)
	if err != nil || perr != nil {
		fmt.Fprintln(os.Stdout, err, perr)
		return 2
	}
	l, err := host.OS{}.Listen(context.Background(), netip.AddrPortFrom(addr, uint16(port)))
	if err != nil {
		fmt.Fprintln(os.Stdout, err)
		return 2
	}
	if part == "is mute" {
		return mute(l)
	}
	srv := reference.NewServer(reference.Options{DataTimeout: time.Second, Users: map[string]string{"user": "pass"}})
	fmt.Fprintln(os.Stdout, srv.Serve(context.Background(), cued{l, part}))
	return 1
}

// mute takes connections and says nothing.
func mute(l net.Listener) int {
	for {
		if _, err := l.Accept(); err != nil {
			return 1
		}
	}
}

// cued is a listener whose connections wait for the cue.
type cued struct {
	net.Listener
	part string
}

func (l cued) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return cuedConn{c.(*net.TCPConn), l.part}, nil
}

type cuedConn struct {
	*net.TCPConn
	part string
}

func (c cuedConn) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	if word := cmp.Or(os.Getenv(early), cue); bytes.Contains(b[:n], []byte(word)) {
		fmt.Fprintln(os.Stdout, "my part is over")
		switch c.part {
		case "exits":
			os.Exit(7) //nolint:forbidigo // it is its part
		case "crashes":
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		case "hangs":
			_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		}
	}
	return n, err
}
