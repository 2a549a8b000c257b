package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// netns is a network namespace without a name: it belongs to a thread that does
// what it is told, and vanishes with that thread and the last socket in it, at
// the latest with the process, however that ends.
type netns struct {
	thread int
	work   chan func()
}

// newNetns makes a network namespace. The lock on its thread is never undone,
// so that the runtime ends the thread and gives it to nobody else.
func newNetns() (*netns, error) {
	n := &netns{work: make(chan func())}
	made := make(chan error)
	go func() {
		runtime.LockOSThread()
		n.thread = unix.Gettid()
		err := unix.Unshare(unix.CLONE_NEWNET)
		made <- err
		for err == nil {
			f, ok := <-n.work
			if !ok {
				return
			}
			f()
		}
	}()
	if err := <-made; err != nil {
		return nil, fmt.Errorf("make a network namespace: %w", err)
	}
	return n, nil
}

// do runs f in the namespace and waits for it. Sockets that f makes stay in the
// namespace, whoever uses them.
func (n *netns) do(f func() error) error {
	done := make(chan error)
	n.work <- func() { done <- f() }
	return <-done
}

// close ends the thread.
func (n *netns) close() { close(n.work) }

// run runs commands in the namespace, which their processes inherit from the
// thread; THREAD stands for the number of that of another namespace.
func (n *netns) run(ctx context.Context, other int, commands ...string) error {
	return n.do(func() error {
		for _, line := range commands {
			args := strings.Fields(strings.ReplaceAll(line, "THREAD", strconv.Itoa(other)))
			out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
			if err != nil {
				return fmt.Errorf("%s: %w: %s", line, err, strings.TrimSpace(string(out)))
			}
		}
		return nil
	})
}

// errForwarding says that the namespace refuses to be a router.
var errForwarding = errors.New("cannot switch IPv4 forwarding on")

// forwards makes the namespace a router for IPv4.
func (n *netns) forwards() error {
	return n.do(func() error {
		if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0); err != nil {
			return fmt.Errorf("%w: %w", errForwarding, err)
		}
		return nil
	})
}
