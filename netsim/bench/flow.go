package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/netip"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
	"github.com/ftpconform/ftpconform/netsim"
)

// The network of all measurements is a client, a NAT and a server, as in the
// topology client-nat.
var (
	serverAddr  = netip.MustParseAddr("218.63.1.100")
	outsideAddr = netip.MustParseAddr("218.63.1.5") // of the NAT
)

// port is where the server listens; it is not that of FTP, so that no helper
// looks into what is sent.
const port = 5001

// chunk is how much is written and read at a time.
const chunk = 64 << 10

// flowPart is one connection in real time, through our NAT and the kernel's. lab
// is nil where there is no kernel to compare with.
func flowPart(lab *kernelLab, octets int) part {
	return part{
		name: "a connection in real time",
		rows: []row{
			{name: "TCP through our NAT, MTU 1500", unit: "MB/s"},
			{name: "  CPU time", unit: "s/GiB"},
			{name: "TCP through the kernel's NAT, MTU 1500, offloads off", unit: "MB/s"},
			{name: "  CPU time", unit: "s/GiB"},
			{name: "  ours / kernel's", goal: atLeast(0.85)},
			{name: "the same, computing checksums as ours must", unit: "MB/s"},
			{name: "  ours / kernel's"},
		},
		run: func(ctx context.Context) ([]float64, error) {
			ours, cpu, err := speed(octets, func() (time.Duration, error) { return realFlow(ctx, octets) })
			none := math.NaN()
			if lab == nil || err != nil {
				return []float64{ours, cpu, none, none, none, none, none}, err
			}
			var theirs [2]float64
			var theirCPU [2]float64
			for i, checksums := range []bool{false, true} {
				if err := lab.setChecksums(ctx, checksums); err != nil {
					return nil, err
				}
				theirs[i], theirCPU[i], err = speed(octets, func() (time.Duration, error) { return lab.flow(ctx, octets) })
				if err != nil {
					return nil, fmt.Errorf("through the kernel: %w", err)
				}
			}
			return []float64{ours, cpu, theirs[0], theirCPU[0], ours / theirs[0], theirs[1], ours / theirs[1]}, nil
		},
	}
}

// speed returns megabytes in a second and seconds of CPU time for a GiB.
func speed(octets int, f func() (time.Duration, error)) (rate, cpu float64, err error) {
	before := cpuTime()
	took, err := f()
	return float64(octets) / 1e6 / took.Seconds(), (cpuTime() - before) * (1 << 30) / float64(octets), err
}

// realFlow sends octets through our NAT in real time.
func realFlow(ctx context.Context, octets int) (took time.Duration, err error) {
	w, err := world(netsim.Options{Real: true})
	if err != nil {
		return 0, err
	}
	defer w.Close()
	var failed error
	err = w.Run(ctx, "transfer", func() { took, failed = transfer(ctx, w.Client(), w.Server(), octets) })
	return took, errors.Join(err, failed)
}

// world builds the network.
func world(o netsim.Options) (*netsim.World, error) {
	t, err := netsim.Builtin("client-nat")
	if err != nil {
		return nil, err
	}
	return netsim.Build(t, o)
}

// transfer sends octets from a client to a server and returns the time from the
// first one to the end of all.
func transfer(ctx context.Context, client, server host.Network, octets int) (time.Duration, error) {
	at := netip.AddrPortFrom(serverAddr, port)
	l, err := server.Listen(ctx, at)
	if err != nil {
		return 0, err
	}
	defer l.Close()
	type end struct {
		at  time.Time
		err error
	}
	received := make(chan end, 1)
	go func() {
		err := receive(l, octets)
		received <- end{time.Now(), err}
	}()
	c, err := client.Dial(ctx, netip.AddrPort{}, at)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	began := time.Now()
	if err := send(c, octets); err != nil {
		return 0, err
	}
	e := <-received
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

// receive accepts a connection, which must come from the NAT, and reads it to
// its end.
func receive(l net.Listener, octets int) error {
	c, err := l.Accept()
	if err != nil {
		return err
	}
	defer c.Close()
	if from := host.AddrPort(c.RemoteAddr()); from.Addr() != outsideAddr {
		return fmt.Errorf("the connection comes from %s, and not from the NAT", from)
	}
	b := make([]byte, chunk)
	for got := 0; ; {
		n, err := c.Read(b)
		got += n
		switch {
		case errors.Is(err, io.EOF) && got != octets:
			return fmt.Errorf("%d octets came of %d", got, octets)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}
