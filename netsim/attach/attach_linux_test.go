package attach_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/ftpconform/ftpconform/internal/host"
	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/attach"
	"github.com/ftpconform/ftpconform/netsim/namespace"
)

// actor is the variable that makes the test binary a server.
const actor = "FTPCONFORM_TEST_ACTOR"

func TestMain(m *testing.M) {
	if part := os.Getenv(actor); part != "" {
		os.Exit(act(part)) //nolint:forbidigo // this is the server's main
	}
	goleak.VerifyTestMain(m)
}

// act is a server of one of several kinds.
func act(part string) int {
	fmt.Fprintln(os.Stdout, "here is", part, os.Getenv("FTPCONFORM_ADDRESS"), os.Getenv("FTPCONFORM_TOPOLOGY"))
	switch part {
	case "exit":
		return 7
	case "crash":
		_ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
		select {}
	case "daughter": // leaves a process behind
		_ = exec.Command("sleep", "1000").Start()
	}
	l, err := net.Listen("tcp", net.JoinHostPort("", os.Getenv("FTPCONFORM_PORT")))
	if err != nil {
		fmt.Fprintln(os.Stdout, err)
		return 1
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return 1
		}
		go func() {
			_, _ = fmt.Fprintf(c, "hello %s\n", c.RemoteAddr())
			_, _ = io.Copy(c, c)
			_ = c.Close()
		}()
	}
}

// lines is a log.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) add(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, s)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.all, "\n")
}

// needs skips a test where no namespace can be had.
func needs(t *testing.T) {
	t.Helper()
	if err := namespace.Available(""); err != nil {
		t.Skip(err)
	}
}

// start puts the test binary into a topology as a server.
func start(t *testing.T, part, topology string) (netsim.Attached, *netsim.World, *lines) {
	t.Helper()
	needs(t)
	spec, err := netsim.Builtin(topology)
	if err != nil {
		t.Fatal(err)
	}
	log := &lines{}
	p := attach.Process{Argv: []string{os.Args[0]}, Env: []string{actor + "=" + part}}
	s, err := p.Start(t.Context(), spec.ServerPlace(21), log.add)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	w, err := netsim.Build(spec, netsim.Options{Real: true, Hosts: map[string]netsim.External{"server": s}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return s, w, log
}

// dial connects to the server, which may not listen yet.
func dial(ctx context.Context, w *netsim.World) (net.Conn, error) {
	to := netip.AddrPortFrom(w.Topology.Dial, 21)
	for {
		c, err := w.Client().Dial(ctx, netip.AddrPort{}, to)
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return c, err
		}
		if err := w.Client().Sleep(ctx, 10*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// TestProcess talks to a process through networks that it takes for the world.
func TestProcess(t *testing.T) {
	for _, c := range []struct{ topology, sees, address string }{
		{"direct", "218.63.1.9", "218.63.1.100"},
		{"client-nat", "218.63.1.5", "218.63.1.100"},
		{"server-nat", "218.63.1.9", "192.168.1.100"},
		{"ipv6", "[2001:db8:63:1::9]", "2001:db8:63:1::100"},
	} {
		t.Run(c.topology, func(t *testing.T) {
			s, w, log := start(t, "echo", c.topology)
			ctx := bounded(t)
			err := w.Run(ctx, "client", func() {
				conn, err := dial(ctx, w)
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				_ = conn.SetDeadline(w.Clock.Now().Add(10 * time.Second))
				text := strings.Repeat("there and back again\n", 50_000) // 1 MB
				go func() {
					_, _ = io.WriteString(conn, text)
					_ = conn.(interface{ CloseWrite() error }).CloseWrite()
				}()
				got, err := io.ReadAll(conn)
				greeting, rest, _ := strings.Cut(string(got), "\n")
				if err != nil || rest != text || !strings.HasPrefix(greeting, "hello "+c.sees+":") {
					t.Errorf("greeting %q, %d octets of %d, %v", greeting, len(rest), len(text), err)
				}
			})
			if err != nil {
				t.Error(err)
			}
			if s.Fate() != "" {
				t.Errorf("it has ended: %s", s.Fate())
			}
			if want := "here is echo " + c.address + " " + c.topology; !strings.Contains(log.String(), want) {
				t.Errorf("no line %q in its log:\n%s", want, log)
			}
		})
	}
}

func TestProcessEnds(t *testing.T) {
	for part, want := range map[string]string{"exit": "exited with status 7", "crash": "was ended by signal 9"} {
		t.Run(part, func(t *testing.T) {
			s, _, _ := start(t, part, "direct")
			select {
			case <-s.Gone():
			case <-bounded(t).Done():
				t.Fatal("its end is not noticed")
			}
			if got := s.Fate(); !strings.HasPrefix(got, want) {
				t.Errorf("it %s", got)
			}
		})
	}
}

// leftovers lists the processes that belong to the servers of this test.
func leftovers(t *testing.T) []string {
	t.Helper()
	var out []string
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		env, err := os.ReadFile(filepath.Join(dir, "environ"))
		if err == nil && slices.Contains(strings.Split(string(env), "\x00"), actor+"=daughter") {
			out = append(out, dir)
		}
	}
	return out
}

// spaces counts the network namespaces that this process and its descendants are
// in; other tests have theirs.
func spaces(t *testing.T) int {
	t.Helper()
	parents := map[string]string{}
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		status, _ := os.ReadFile(filepath.Join(dir, "status"))
		_, rest, _ := strings.Cut(string(status), "\nPPid:\t")
		parents[filepath.Base(dir)], _, _ = strings.Cut(rest, "\n")
	}
	seen := map[string]bool{}
	for pid := range parents {
		for up := pid; up != "" && up != "0"; up = parents[up] {
			if up != strconv.Itoa(os.Getpid()) {
				continue
			}
			if to, err := os.Readlink(filepath.Join("/proc", pid, "ns", "net")); err == nil {
				seen[to] = true
			}
			break
		}
	}
	return len(seen)
}

// descriptors counts the open files of this process.
func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// TestNothingIsLeft attaches and detaches a server with a child of its own, as
// often as the issue asks for. TestMain looks for goroutines.
func TestNothingIsLeft(t *testing.T) {
	needs(t)
	before, files := spaces(t), 0
	times := 50
	if testing.Short() {
		times = 5
	}
	for i := range times {
		s, w, _ := start(t, "daughter", "direct")
		if i == 0 && spaces(t) != before+1 {
			t.Error("the server is in no network namespace of its own")
		}
		ctx := bounded(t)
		err := w.Run(ctx, "client", func() {
			if conn, err := dial(ctx, w); err != nil {
				t.Error(err)
			} else {
				_ = conn.Close()
			}
		})
		w.Close()
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			files = descriptors(t)
		}
	}
	if left := leftovers(t); len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
	if now := spaces(t); now > before {
		t.Errorf("there are %d network namespaces, and %d before", now, before)
	}
	if now := descriptors(t); now > files {
		t.Errorf("%d files are open, and %d after the first time", now, files)
	}
}

// TestDiesWithUs kills a process that has attached a server, and looks for the
// server.
func TestDiesWithUs(t *testing.T) {
	needs(t)
	if os.Getenv("FTPCONFORM_TEST_VICTIM") != "" {
		_, _, _ = start(t, "daughter", "direct")
		fmt.Fprintln(os.Stdout, "attached")
		<-t.Context().Done() // never
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestDiesWithUs$", "-test.v") //nolint:gosec // ourselves
	cmd.Env = append(os.Environ(), "FTPCONFORM_TEST_VICTIM=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 0, 4096)
	for !strings.Contains(string(said), "attached") {
		b := make([]byte, 512)
		n, err := out.Read(b)
		if err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		said = append(said, b[:n]...)
	}
	if len(leftovers(t)) == 0 {
		t.Fatal("the server does not run")
	}
	_ = cmd.Process.Signal(unix.SIGKILL)
	_ = cmd.Wait()
	ctx := bounded(t)
	for len(leftovers(t)) > 0 {
		if (host.RealTime{}).Sleep(ctx, 20*time.Millisecond) != nil {
			t.Fatalf("these live on: %v", leftovers(t))
		}
	}
}

// TestJoin attaches a process that is in a namespace without a network, as a
// container is.
func TestJoin(t *testing.T) {
	needs(t)
	if os.Geteuid() != 0 {
		t.Skip("namespaces of others are entered by root")
	}
	spec, err := netsim.Builtin("client-nat")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0]) //nolint:gosec // ourselves
	cmd.Env = append(os.Environ(), actor+"=echo", "FTPCONFORM_PORT=21")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	s, err := attach.Join(t.Context(), cmd.Process.Pid, spec.ServerPlace(21))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w, err := netsim.Build(spec, netsim.Options{Real: true, Hosts: map[string]netsim.External{"server": s}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	ctx := bounded(t)
	err = w.Run(ctx, "client", func() {
		conn, err := dial(ctx, w)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		b := make([]byte, 64)
		if n, err := conn.Read(b); err != nil || !strings.HasPrefix(string(b[:n]), "hello 218.63.1.5:") {
			t.Errorf("%q, %v", b[:n], err)
		}
	})
	if err != nil {
		t.Error(err)
	}
	_ = cmd.Process.Kill()
	select {
	case <-s.Gone():
	case <-ctx.Done():
		t.Error("the end of the container is not noticed")
	}
}
