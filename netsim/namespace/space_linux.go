package namespace

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Space is a network namespace with a child that holds it.
type Space struct {
	// Devices are those of Options.Links, in their order.
	Devices []*Device

	channel
	cmd   *exec.Cmd
	ended chan struct{} // the child, and all it has started
	logs  sync.WaitGroup
	once  sync.Once
}

// startBound is how long a child may take to set its devices up: it does
// nothing but a few calls to the kernel, on a machine that may be busy.
const startBound = 30 * time.Second

// Start makes a namespace. The error is a *MissingError where this machine or
// this user cannot have one.
func Start(ctx context.Context, o Options) (*Space, error) {
	if o.TUN == "" {
		o.TUN = defaultTUN
	}
	links := make([]Link, len(o.Links))
	for i, l := range o.Links {
		links[i] = l.withDefaults()
	}
	config, err := json.Marshal(o.Config)
	if err != nil {
		return nil, err
	}
	s := &Space{ended: make(chan struct{})}
	if err := s.spawn(o); err != nil {
		return nil, err
	}
	err = s.setUp(ctx, setup{Links: links, Join: o.Join, TUN: o.TUN, Sysctls: o.Sysctls, Config: config})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// spawn starts the child.
func (s *Space) spawn(o Options) error {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("make a socket pair: %w", err)
	}
	near, far := os.NewFile(uintptr(pair[0]), "namespace"), os.NewFile(uintptr(pair[1]), "child")
	defer near.Close()
	defer far.Close()
	conn, err := net.FileConn(near) // a copy
	if err != nil {
		return fmt.Errorf("make a socket pair: %w", err)
	}
	s.conn = conn.(*net.UnixConn)
	said, says, err := os.Pipe()
	if err != nil {
		return errors.Join(fmt.Errorf("make a pipe: %w", err), s.conn.Close())
	}
	defer says.Close()
	s.cmd = &exec.Cmd{Path: "/proc/self/exe", Args: []string{childName, o.Role}, Stdout: says, Stderr: says,
		ExtraFiles: []*os.File{far, says}, SysProcAttr: attributes(o.Join != 0)}
	if err := s.cmd.Start(); err != nil {
		return errors.Join(noNamespace(err), said.Close(), s.conn.Close())
	}
	s.logs.Go(func() { follow(said, o.Log) })
	go func() {
		_ = s.cmd.Wait() // how it ends is told before, if it matters
		s.logs.Wait()    // nobody is left who could write, and the last words are out
		close(s.ended)
	}()
	return nil
}

// noNamespace says why a child could not be started: because the kernel makes
// no namespaces for this user, or for another reason.
func noNamespace(err error) error {
	for _, no := range []error{unix.EPERM, unix.EACCES, unix.EINVAL, unix.ENOSPC, unix.EUSERS} {
		if errors.Is(err, no) {
			missing := &MissingError{What: "a network namespace cannot be made", Err: err}
			if os.Geteuid() == 0 {
				missing.Hint = "this root lacks CAP_SYS_ADMIN" + inContainer
				return missing
			}
			missing.Hint = "run as root, or let users make user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, and the rules of AppArmor)"
			return missing
		}
	}
	return fmt.Errorf("start a process for a namespace: %w", err)
}

// inContainer is how root gets in a container what it has elsewhere.
const inContainer = "; a container is given it all with --cap-add SYS_ADMIN --cap-add NET_ADMIN --device /dev/net/tun"

// attributes are those of a child. It has a session of its own, so that
// Ctrl-C at the terminal reaches this process alone, which then ends the child.
func attributes(joins bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setsid: true}
	if joins {
		return a
	}
	a.Cloneflags = unix.CLONE_NEWNET | unix.CLONE_NEWPID
	if uid := os.Geteuid(); uid != 0 {
		a.Cloneflags |= unix.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{HostID: uid, Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	return a
}

// setUp lets the child make the devices.
func (s *Space) setUp(ctx context.Context, o setup) error {
	stop := context.AfterFunc(ctx, func() { _ = s.conn.Close() }) // ends the wait
	defer stop()
	if err := s.send(o); err != nil {
		return fmt.Errorf("tell a namespace what to set up: %w", err)
	}
	var r ready
	fds, err := s.receive(&r, startBound)
	for i, fd := range fds {
		d, derr := newDevice(fd, o.Links[i])
		if derr != nil {
			err = errors.Join(err, derr)
			continue
		}
		s.Devices = append(s.Devices, d)
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("a namespace does not answer: %w", err)
	case r.Lacks != "":
		return &MissingError{What: r.Lacks, Err: errors.New(r.Error), Hint: r.Hint}
	case r.Error != "":
		return fmt.Errorf("set a namespace up: %s", r.Error)
	case len(s.Devices) != len(o.Links):
		return fmt.Errorf("a namespace has %d devices of %d", len(s.Devices), len(o.Links))
	}
	return nil
}

// Send tells the child something.
func (s *Space) Send(v any) error { return s.send(v) }

// Receive waits for a message of the child; see Child.Receive.
func (s *Space) Receive(v any, bound time.Duration) error {
	_, err := s.receive(v, bound)
	return err
}

// Ended is closed when the child has ended, and all that it has started.
func (s *Space) Ended() <-chan struct{} { return s.ended }

// Close ends everything in the namespace, and it with that; a namespace that
// was entered loses the devices. It waits for the processes to be gone.
func (s *Space) Close() error {
	s.once.Do(func() {
		_ = s.conn.Close() // the child's word to end
		late := time.AfterFunc(endBound, func() { _ = s.cmd.Process.Kill() })
		<-s.ended
		late.Stop()
		for _, d := range s.Devices {
			d.close()
		}
		s.logs.Wait()
	})
	return nil
}

// endBound is how long a child may take to end by itself.
const endBound = 5 * time.Second

// The bounds of a log. What a process says beyond them is read and forgotten,
// so that it is not held up.
const (
	maxLine  = 2048
	maxLines = 20_000
)

// follow reads the outputs of the processes until they are gone.
func follow(from io.ReadCloser, log func(string)) {
	defer from.Close()
	r := bufio.NewReaderSize(from, maxLine)
	for n := 0; ; {
		line, err := r.ReadSlice('\n')
		whole := !errors.Is(err, bufio.ErrBufferFull)
		if text := strings.TrimRight(string(line), "\r\n"); text != "" && n < maxLines && log != nil {
			n++
			log(text)
		}
		for !whole { // the rest of a line that is too long
			_, err = r.ReadSlice('\n')
			whole = !errors.Is(err, bufio.ErrBufferFull)
		}
		if err != nil {
			return
		}
	}
}

// Available reports whether this user can have a namespace with a TUN device on
// this machine: the error is a *MissingError that says what is missing. The
// path is as in Options.
func Available(tun string) error {
	s, err := Start(context.Background(), Options{Role: trialRole, TUN: tun, Links: []Link{{}}})
	if err != nil {
		return err
	}
	return s.Close()
}

// trialRole is a role in which nothing is done.
const trialRole = "trial"

func init() { Serve(trialRole, func(*Child) error { return nil }) }
