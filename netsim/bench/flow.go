package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
	"github.com/ftpconform/ftpconform/netsim"
)

// port is where the servers of the measurements listen; it is not that of FTP,
// so that no helper would look into the transfer.
const port = 5001

// chunk is how much is written and read at a time, as io.Copy does it twice
// over.
const chunk = 64 << 10

// transfer sends octets over a connection that ends on this listener, and
// returns the time from the first octet to the end of the stream.
func transfer(ctx context.Context, l net.Listener, dial func() (net.Conn, error), octets int, now func() time.Time) (time.Duration, error) {
	type end struct {
		err error
		at  time.Time
	}
	received := make(chan end, 1)
	go func() {
		err := receive(l, octets)
		received <- end{err, now()}
	}()
	defer l.Close() // wakes the receiver when the sender fails
	c, err := dial()
	if err != nil {
		return 0, err
	}
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	began := now()
	err = send(c, octets)
	if err != nil {
		_ = c.Close()
		return 0, err
	}
	e := <-received
	_ = c.Close()
	return e.at.Sub(began), e.err
}

// send writes octets and the end of the stream.
func send(c net.Conn, octets int) error {
	b := make([]byte, chunk)
	for octets > 0 {
		n, err := c.Write(b[:min(octets, chunk)])
		if err != nil {
			return err
		}
		octets -= n
	}
	return c.(interface{ CloseWrite() error }).CloseWrite()
}

// receive accepts a connection and reads it to its end.
func receive(l net.Listener, octets int) error {
	c, err := l.Accept()
	if err != nil {
		return err
	}
	defer c.Close()
	b := make([]byte, chunk)
	got := 0
	for {
		n, err := c.Read(b)
		got += n
		switch {
		case errors.Is(err, io.EOF) && got != octets:
			return fmt.Errorf("received %d octets of %d", got, octets)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// between sends octets from one host to another at an address.
func between(ctx context.Context, from, to host.Network, at netip.Addr, octets int, now func() time.Time) (time.Duration, error) {
	remote := netip.AddrPortFrom(at, port)
	l, err := to.Listen(ctx, remote)
	if err != nil {
		return 0, err
	}
	return transfer(ctx, l, func() (net.Conn, error) { return from.Dial(ctx, netip.AddrPort{}, remote) }, octets, now)
}

// realFlow sends octets from a client through a NAT in real time.
func realFlow(ctx context.Context, octets int) (took time.Duration, err error) {
	t, err := netsim.Builtin("client-nat")
	if err != nil {
		return 0, err
	}
	w, err := netsim.Build(t, netsim.Options{Real: true})
	if err != nil {
		return 0, err
	}
	defer w.Close()
	var failed error
	err = w.Run(ctx, "flow", func() {
		took, failed = between(ctx, w.Client(), w.Server(), w.Topology.Dial, octets, time.Now)
	})
	return took, errors.Join(err, failed)
}
