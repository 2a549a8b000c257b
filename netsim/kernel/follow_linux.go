package kernel

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

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
	conn    *netlink.Conn
	flows   map[uint32]conntrack.Flow
	expects map[uint32]conntrack.Expect
}

// eventBuffer is room for the events of many packets, in octets.
const eventBuffer = 4 << 20

func newFollower() (*follower, error) {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, nil)
	if err != nil {
		return nil, err
	}
	f := &follower{conn: conn, flows: map[uint32]conntrack.Flow{}, expects: map[uint32]conntrack.Expect{}}
	_ = conn.SetReadBuffer(eventBuffer) // a smaller one will do
	for _, g := range []netfilter.NetlinkGroup{netfilter.GroupCTNew, netfilter.GroupCTUpdate, netfilter.GroupCTDestroy,
		netfilter.GroupCTExpNew, netfilter.GroupCTExpUpdate, netfilter.GroupCTExpDestroy} {
		if err := conn.JoinGroup(uint32(g)); err != nil {
			return nil, errors.Join(fmt.Errorf("follow the kernel's table: %w", err), conn.Close())
		}
	}
	return f, nil
}

// catchUp takes in what has happened.
func (f *follower) catchUp() error {
	for {
		// Events are there when the packet leaves that has brought them about.
		if err := f.conn.SetReadDeadline(time.Now().Add(time.Millisecond / 10)); err != nil {
			return err
		}
		messages, err := f.conn.Receive()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case err != nil:
			return fmt.Errorf("follow the kernel's table: %w", err)
		}
		for _, m := range messages {
			if err := f.take(m); err != nil {
				return err
			}
		}
	}
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
