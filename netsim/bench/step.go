package main

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/clock"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// stepPart is what our NAT does with a segment of an established connection.
func stepPart() part {
	return part{
		name: "the step of a NAT",
		rows: []row{
			{name: "a segment of 1500 octets through our NAT", unit: "ns", goal: atMost(150)},
			{name: "  allocations", goal: atMost(0)},
		},
		run: func(context.Context) ([]float64, error) { return step() },
	}
}

// step times batches that are shorter than a scheduler's turn, so that most of
// them are not interrupted, and takes the median.
func step() ([]float64, error) {
	const batches, pairs = 200, 500
	send, err := established()
	if err != nil {
		return nil, err
	}
	var times []float64
	for range batches {
		began := time.Now()
		for range pairs {
			send()
		}
		times = append(times, float64(time.Since(began).Nanoseconds())/(2*pairs))
	}
	return []float64{median(times), testing.AllocsPerRun(pairs, send) / 2}, nil
}

// established opens a connection through a NAT; send sends a full segment each
// way.
func established() (send func(), err error) {
	g, err := gateway.New(clock.New(clock.Options{}).Node(), gateway.Options{NAT: &gateway.NAT{},
		Interfaces: []gateway.Interface{
			{Addrs: []netip.Prefix{netip.MustParsePrefix("192.168.1.1/24")}},
			{Addrs: []netip.Prefix{netip.PrefixFrom(outsideAddr, 24)}, Outside: true},
		}})
	if err != nil {
		return nil, err
	}
	g.Connect(0, nowhere{})
	g.Connect(1, nowhere{})
	client, server := netip.MustParseAddrPort("192.168.1.2:40001"), netip.AddrPortFrom(serverAddr, port)
	outside := netip.AddrPortFrom(outsideAddr, client.Port())
	there := packet.Segment{Src: client, Dst: server, Flags: packet.SYN}
	back := packet.Segment{Src: server, Dst: outside, Flags: packet.SYN | packet.ACK}
	g.Interface(0).Input(packet.TCP(there))
	g.Interface(1).Input(packet.TCP(back))
	there.Flags, back.Flags = packet.ACK, packet.ACK
	g.Interface(0).Input(packet.TCP(there))
	if t := g.Table(); len(t.Connections) != 1 || t.Connections[0].Phase != gateway.PhaseEstablished {
		return nil, fmt.Errorf("no connection was established: %+v", t.Connections)
	}
	there.Payload, back.Payload = make([]byte, 1460), make([]byte, 1460)
	p, q := packet.TCP(there), packet.TCP(back)
	const headers = 40
	ph, qh := [headers]byte(p.Data), [headers]byte(q.Data)
	return func() {
		// The NAT has changed nothing but the headers.
		copy(p.Data, ph[:])
		g.Interface(0).Input(p)
		copy(q.Data, qh[:])
		g.Interface(1).Input(q)
	}, nil
}

// nowhere takes packets and leaves them alone.
type nowhere struct{}

// Input implements packet.Sink.
func (nowhere) Input(*packet.Packet) {}
