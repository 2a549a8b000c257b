package kernel

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"syscall"

	"github.com/mdlayher/netlink"
	"github.com/ti-mo/conntrack"
	"github.com/ti-mo/netfilter"
	"golang.org/x/sys/unix"

	"github.com/ftpconform/ftpconform/netsim/gateway"
)

// follower keeps a copy of what the kernel remembers, by the events that tell
// of its changes: to look through the kernel's own table takes milliseconds,
// however few entries it has. One goroutine uses it.
type follower struct {
	fd      int
	buffer  []byte
	flows   map[uint32]conntrack.Flow
	expects map[uint32]conntrack.Expect
}

// eventBuffer is room for the events of many packets, in octets.
const eventBuffer = 4 << 20

func newFollower() (*follower, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, fmt.Errorf("follow the kernel's table: %w", err)
	}
	f := &follower{fd: fd, buffer: make([]byte, 64<<10), flows: map[uint32]conntrack.Flow{}, expects: map[uint32]conntrack.Expect{}}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, eventBuffer) // a smaller one will do
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, errors.Join(fmt.Errorf("follow the kernel's table: %w", err), unix.Close(fd))
	}
	for _, g := range []netfilter.NetlinkGroup{netfilter.GroupCTNew, netfilter.GroupCTUpdate, netfilter.GroupCTDestroy,
		netfilter.GroupCTExpNew, netfilter.GroupCTExpUpdate, netfilter.GroupCTExpDestroy} {
		if err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, int(g)); err != nil {
			return nil, errors.Join(fmt.Errorf("follow the kernel's table: %w", err), unix.Close(fd))
		}
	}
	return f, nil
}

// catchUp takes in what has happened. An event is there when the packet leaves
// that has brought it about.
func (f *follower) catchUp() error {
	for {
		n, _, err := unix.Recvfrom(f.fd, f.buffer, 0)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return nil
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ENOBUFS): // some were lost
			if err := f.lookUp(); err != nil {
				return err
			}
			continue
		case err != nil:
			return fmt.Errorf("follow the kernel's table: %w", err)
		}
		messages, err := syscall.ParseNetlinkMessage(f.buffer[:n])
		if err != nil {
			return fmt.Errorf("read an event of the kernel's table: %w", err)
		}
		for _, m := range messages {
			if err := f.take(netlink.Message{Header: netlink.Header{Length: m.Header.Len, Type: netlink.HeaderType(m.Header.Type),
				Flags: netlink.HeaderFlags(m.Header.Flags), Sequence: m.Header.Seq, PID: m.Header.Pid}, Data: m.Data}); err != nil {
				return err
			}
		}
	}
}

// lookUp reads the kernel's own table.
func (f *follower) lookUp() error {
	c, err := conntrack.Dial(nil)
	if err != nil {
		return err
	}
	defer c.Close()
	flows, err := c.Dump(nil)
	if err != nil {
		return err
	}
	expects, err := c.DumpExpect()
	if err != nil {
		return err
	}
	clear(f.flows)
	clear(f.expects)
	for _, x := range flows {
		f.flows[x.ID] = x
	}
	for _, x := range expects {
		f.expects[x.ID] = x
	}
	return nil
}

// take takes in one event.
func (f *follower) take(m netlink.Message) error {
	var e conntrack.Event
	if err := e.Unmarshal(m); err != nil {
		return fmt.Errorf("read an event of the kernel's table: %w", err)
	}
	switch e.Type {
	case conntrack.EventNew, conntrack.EventUpdate:
		old, known := f.flows[e.Flow.ID]
		if known && e.Flow.Helper.Name == "" { // it is told once
			e.Flow.Helper = old.Helper
		}
		if known && e.Flow.ProtoInfo.TCP == nil {
			e.Flow.ProtoInfo = old.ProtoInfo
		}
		f.flows[e.Flow.ID] = *e.Flow
	case conntrack.EventDestroy:
		delete(f.flows, e.Flow.ID)
	case conntrack.EventExpNew:
		f.expects[e.Expect.ID] = *e.Expect
	case conntrack.EventExpDestroy:
		delete(f.expects, e.Expect.ID)
	case conntrack.EventUnknown:
	}
	return nil
}

// table is what the kernel remembers now.
func (f *follower) table() (gateway.Table, error) {
	if err := f.catchUp(); err != nil {
		return gateway.Table{}, err
	}
	return tableOf(slices.Collect(maps.Values(f.flows)), slices.Collect(maps.Values(f.expects))), nil
}
