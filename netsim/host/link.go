package host

import (
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/ftpconform/ftpconform/netsim/clock"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// link is the stack's way to the wire: IP packets without a link layer.
type link struct {
	host *Host
	out  packet.Sink
	mtu  uint32
	up   stack.NetworkDispatcher

	mu sync.Mutex
	waiting []*packet.Packet
	pumping bool
}

var _ stack.LinkEndpoint = (*link)(nil)

// WritePackets hands the stack's packets to the wire.
func (l *link) WritePackets(list stack.PacketBufferList) (int, tcpip.Error) {
	n := 0
	for _, b := range list.AsSlice() {
		p := packet.New(b.Size())
		at := 0
		for _, s := range b.AsSlices() {
			at += copy(p.Data[at:], s)
		}
		if l.out == nil {
			p.Release()
			continue
		}
		l.host.sendUrgent(p)
		if l.host.Virtual() {
			l.out.Input(p)
		} else {
			l.queue(p)
		}
		n++
	}
	return n, nil
}

// queue hands a packet to the pump.
func (l *link) queue(p *packet.Packet) {
	l.mu.Lock()
	l.waiting = append(l.waiting, p)
	start := !l.pumping
	if start {
		l.pumping = true
	}
	l.mu.Unlock()
	if start {
		go l.pump()
	}
}

func (l *link) pump() {
	var batch []*packet.Packet
	for {
		l.mu.Lock()
		batch, l.waiting = l.waiting, batch[:0]
		if len(batch) == 0 {
			l.pumping = false
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		for _, p := range batch {
			l.out.Input(p)
		}
	}
}

// deliver hands a packet to the stack.
func (l *link) deliver(p *packet.Packet, version uint8) {
	if l.up == nil {
		p.Release()
		return
	}
	protocol := ipv4.ProtocolNumber
	if version == 6 {
		protocol = ipv6.ProtocolNumber
	}
	b := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(p.Data)})
	p.Release()
	l.up.DeliverNetworkPacket(protocol, b)
	b.DecRef()
}

// The rest of stack.LinkEndpoint: a link without a hardware address.

func (l *link) MTU() uint32                                { return l.mtu }
func (l *link) SetMTU(mtu uint32)                          { l.mtu = mtu }
func (*link) MaxHeaderLength() uint16                      { return 0 }
func (*link) LinkAddress() tcpip.LinkAddress               { return "" }
func (*link) SetLinkAddress(tcpip.LinkAddress)             {}
func (*link) Capabilities() stack.LinkEndpointCapabilities { return stack.CapabilityNone }
func (l *link) Attach(d stack.NetworkDispatcher)           { l.up = d }
func (l *link) IsAttached() bool                           { return l.up != nil }
func (*link) Wait()                                        {}
func (*link) ARPHardwareType() header.ARPHardwareType      { return header.ARPHardwareNone }
func (*link) AddHeader(*stack.PacketBuffer)                {}
func (*link) ParseHeader(*stack.PacketBuffer) bool         { return true }
func (*link) Close()                                       {}
func (*link) SetOnCloseAction(func())                      {}

// stackClock is the network's clock in the stack's terms.
type stackClock struct{ node *clock.Node }

func (c stackClock) Now() time.Time { return c.node.Now() }

func (c stackClock) NowMonotonic() tcpip.MonotonicTime {
	return tcpip.MonotonicTime{}.Add(c.node.Now().Sub(c.node.Start()))
}

func (c stackClock) AfterFunc(d time.Duration, f func()) tcpip.Timer {
	return stackTimer{c.node.Schedule(d, f)}
}

// stackTimer is an event as a tcpip.Timer.
type stackTimer struct{ event *clock.Event }

func (t stackTimer) Stop() bool            { return t.event.Stop() }
func (t stackTimer) Reset(d time.Duration) { t.event.Reset(d) }
