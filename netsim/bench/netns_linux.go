package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// netns is a network namespace without a name. It belongs to a thread that does
// what it is told, and vanishes with it and the last socket in it: at the latest
// with the process, however that ends.
type netns struct {
	thread int
	work   chan func()
}

// newNetns makes a namespace. Its thread is never unlocked, so that the runtime
// does not use it for anything else but ends it.
func newNetns() (*netns, error) {
	n := &netns{work: make(chan func())}
	made := make(chan error)
	go func() {
		runtime.LockOSThread()
		n.thread = unix.Gettid()
		made <- unix.Unshare(unix.CLONE_NEWNET)
		for f := range n.work {
			f()
		}
	}()
	if err := <-made; err != nil {
		n.close()
		return nil, fmt.Errorf("make a network namespace: %w", err)
	}
	return n, nil
}

// close ends the thread.
func (n *netns) close() { close(n.work) }

// do calls f in the namespace. Sockets that f makes stay there, whoever uses
// them afterwards.
func (n *netns) do(f func() error) error {
	done := make(chan error)
	n.work <- func() { done <- f() }
	return <-done
}

// run runs commands, which inherit the namespace from the thread that starts
// them. OTHER in them stands for another namespace.
func (n *netns) run(ctx context.Context, other *netns, commands ...string) error {
	for _, command := range commands {
		if other != nil {
			command = strings.ReplaceAll(command, "OTHER", strconv.Itoa(other.thread))
		}
		args := strings.Fields(command)
		err := n.do(func() error {
			out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
			if err != nil {
				return fmt.Errorf("%s: %w: %s", command, err, strings.TrimSpace(string(out)))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// routes makes the namespace a router.
func (n *netns) routes() error {
	return n.do(func() error { return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0) })
}
