package namespace

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"
)

// childName is what the program is called where it is a child.
const childName = "ftpconform-namespace"

// The descriptors of a child.
const (
	channelFD = 3
	logFD     = 4
)

// Child is the one who holds a namespace, in a role. It has one goroutine.
type Child struct {
	channel
	config json.RawMessage
	// Log is where the outputs of processes go.
	Log *os.File
}

// Serve makes the process play a role if it was started for that, and then
// never returns. It belongs into an init function of the package that knows the
// role: in whatever program that package is, also in a test, it can be a child.
// The devices are there when do is called; what it returns is told by nobody,
// and the child ends.
func Serve(role string, do func(c *Child) error) {
	if len(os.Args) != 2 || os.Args[0] != childName || os.Args[1] != role {
		return
	}
	runtime.LockOSThread() // to which a namespace that is entered belongs
	code := 0
	if err := play(do); err != nil {
		fmt.Fprintln(os.Stderr, "ftpconform:", err) // into the log
		code = 1
	}
	os.Exit(code) //nolint:forbidigo // this process is another one's namespace, and has no main
}

func play(do func(c *Child) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a namespace: %v\n%s", p, debug.Stack())
		}
	}()
	c, err := newChild()
	if err != nil {
		return err
	}
	var s setup
	if _, err := c.receive(&s, startBound); err != nil {
		return fmt.Errorf("nobody says what to set up: %w", err)
	}
	c.config = s.Config
	fds, err := s.make()
	if err := c.send(readyFor(err), fds...); err != nil {
		return err
	}
	for _, fd := range fds {
		_ = unix.Close(fd) // the other side has its own
	}
	if err != nil {
		return nil // it has been told
	}
	return do(c)
}

func newChild() (*Child, error) {
	unix.CloseOnExec(channelFD)
	unix.CloseOnExec(logFD)
	f := os.NewFile(channelFD, "channel")
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("this process is to be started by ftpconform: %w", err)
	}
	_ = f.Close() // conn has a copy
	u, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, errors.New("this process is to be started by ftpconform")
	}
	return &Child{channel: channel{u}, Log: os.NewFile(logFD, "log")}, nil
}

// Config reads the configuration of the role.
func (c *Child) Config(v any) error { return json.Unmarshal(c.config, v) }

// Send tells the Space something.
func (c *Child) Send(v any) error { return c.send(v) }

// Receive waits for a message of the Space. The error is io.EOF when the Space
// is closed or its process gone, and wraps os.ErrDeadlineExceeded after the
// bound; 0 is for ever.
func (c *Child) Receive(v any, bound time.Duration) error {
	_, err := c.receive(v, bound)
	return err
}

// readyFor is the answer to a setup.
func readyFor(err error) ready {
	var missing *MissingError
	switch {
	case err == nil:
		return ready{}
	case errors.As(err, &missing):
		r := ready{Lacks: missing.What, Hint: missing.Hint, Error: "unknown"}
		if missing.Err != nil {
			r.Error = missing.Err.Error()
		}
		return r
	}
	return ready{Error: err.Error()}
}

// make makes the devices, and returns their descriptors.
func (s *setup) make() (fds []int, err error) {
	if s.Join != 0 {
		if err := enter(s.Join); err != nil {
			return nil, err
		}
	} else if err := loopback(); err != nil {
		return nil, err
	}
	for name, value := range s.Sysctls {
		if err := sysctl(name, value); err != nil {
			return nil, err
		}
	}
	defer func() {
		if err != nil {
			for _, fd := range fds {
				_ = unix.Close(fd)
			}
			fds = nil
		}
	}()
	for _, l := range s.Links {
		fd, err := openTUN(s.TUN, l.Name)
		if err != nil {
			return fds, err
		}
		fds = append(fds, fd)
		if err := l.configure(); err != nil {
			return fds, fmt.Errorf("device %s: %w", l.Name, err)
		}
	}
	return fds, nil
}

// enter changes to the network namespace of a process.
func enter(pid int) error {
	fd, err := unix.Open(fmt.Sprintf("/proc/%d/ns/net", pid), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("find the network namespace of process %d: %w", pid, err)
	}
	defer unix.Close(fd)
	if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
		return &MissingError{What: fmt.Sprintf("the network namespace of process %d cannot be entered", pid), Err: err, Hint: "run as root"}
	}
	return nil
}

// sysctl sets a parameter of the namespace.
func sysctl(name, value string) error {
	path := filepath.Join("/proc/sys", filepath.FromSlash(name))
	if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
		return fmt.Errorf("set %s to %s: %w", name, value, err)
	}
	return nil
}
