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

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// link is the stack's way to the wire and back: IP packets without a link layer.
//
// In virtual time whoever brings a packet hands it to the stack, one packet at
// an event. In real time a goroutine of the receiver's does, for as long as
// there are packets: the sender need not wait for it, and what has come in the
// meantime is handed over in one go.
type link struct {
	host *Host
	out  packet.Sink
	mtu  uint32

	mu      sync.Mutex
	up      stack.NetworkDispatcher // nil when the stack is gone
	waiting []arrival               // their number is bounded by the windows of TCP
	spare   []arrival               // that the pump used before
	pumping bool
	rest    sync.Cond // the pump has ended
}

// arrival is a packet for the stack.
type arrival struct {
	p       *packet.Packet
	version uint8
	headers int // octets at the beginning that the stack reads
}

func newLink(h *Host, mtu int) *link {
	l := &link{host: h, mtu: uint32(mtu)}
	l.rest.L = &l.mu
	return l
}

var _ stack.LinkEndpoint = (*link)(nil)

// WritePackets hands the stack's packets to the wire.
func (l *link) WritePackets(list stack.PacketBufferList) (int, tcpip.Error) {
	n := 0
	for _, b := range list.AsSlice() {
		if l.send(flat(b)) {
			n++
		}
	}
	return n, nil
}

// flat copies a packet of the stack's.
func flat(b *stack.PacketBuffer) *packet.Packet {
	p := packet.New(b.Size())
	views, skip := b.AsViewList()
	at := 0
	for v := views.Front(); v != nil; v = v.Next() {
		s := v.AsSlice()
		n := min(skip, len(s)) // room for headers that was not needed
		at += copy(p.Data[at:], s[n:])
		skip -= n
	}
	return p
}

// loopDelay is what a packet takes from a host to itself: not nothing, for the
// same reason as that of a wire.
const loopDelay = 10 * time.Microsecond

// send puts a packet on its way, and reports whether there is one.
func (l *link) send(p *packet.Packet) bool {
	v, err := p.Parse()
	if err == nil {
		l.host.sendUrgent(p, &v)
	}
	switch {
	case err == nil && l.host.has(v.Dst.Addr()):
		l.loop(p, v)
	case l.out == nil:
		p.Release()
		return false
	default:
		l.out.Input(p)
	}
	return true
}

// loop brings a packet back to the host that sends it.
func (l *link) loop(p *packet.Packet, v packet.View) {
	if l.host.Virtual() {
		l.host.Schedule(loopDelay, func() { l.host.receive(p, &v) })
	} else {
		l.host.receive(p, &v)
	}
}

// receive takes a packet that is for the stack.
func (l *link) receive(p *packet.Packet, v *packet.View) {
	a := arrival{p, v.Version, len(p.Data)}
	if v.TCP {
		a.headers -= v.Len()
	}
	l.mu.Lock()
	if l.host.Virtual() {
		up := l.up
		l.mu.Unlock()
		a.deliver(up)
		return
	}
	l.waiting = append(l.waiting, a)
	start := !l.pumping
	l.pumping = true
	l.mu.Unlock()
	if start {
		go l.pump()
	}
}

// pump hands packets to the stack until there are none.
func (l *link) pump() {
	l.mu.Lock()
	for len(l.waiting) > 0 {
		batch, up := l.waiting, l.up
		l.waiting = l.spare[:0]
		l.mu.Unlock()
		for _, a := range batch {
			a.deliver(up)
		}
		clear(batch)
		l.mu.Lock()
		l.spare = batch
	}
	l.pumping = false
	l.rest.Broadcast()
	l.mu.Unlock()
}

// wait waits for the pump to end; nothing must come in any more.
func (l *link) wait() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.pumping {
		l.rest.Wait()
	}
}

// deliver hands a packet to the stack. The stack makes a copy of what a view
// holds when it reads headers from one that is shared, as it does with every
// packet: a view of their own keeps that small.
func (a arrival) deliver(up stack.NetworkDispatcher) {
	if up == nil {
		a.p.Release()
		return
	}
	protocol := ipv4.ProtocolNumber
	if a.version == 6 {
		protocol = ipv6.ProtocolNumber
	}
	data := buffer.MakeWithView(buffer.NewViewWithData(a.p.Data[:a.headers]))
	if a.headers < len(a.p.Data) {
		_ = data.Append(buffer.NewViewWithData(a.p.Data[a.headers:])) // fails for a negative size only
	}
	a.p.Release()
	b := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: data})
	up.DeliverNetworkPacket(protocol, b)
	b.DecRef()
}

// The rest of stack.LinkEndpoint: a link without a hardware address.

func (l *link) MTU() uint32                                { return l.mtu }
func (l *link) SetMTU(mtu uint32)                          { l.mtu = mtu }
func (*link) MaxHeaderLength() uint16                      { return 0 }
func (*link) LinkAddress() tcpip.LinkAddress               { return "" }
func (*link) SetLinkAddress(tcpip.LinkAddress)             {}
func (*link) Capabilities() stack.LinkEndpointCapabilities { return stack.CapabilityNone }
func (*link) Wait()                                        {}
func (*link) ARPHardwareType() header.ARPHardwareType      { return header.ARPHardwareNone }
func (*link) AddHeader(*stack.PacketBuffer)                {}
func (*link) ParseHeader(*stack.PacketBuffer) bool         { return true }
func (*link) Close()                                       {}
func (*link) SetOnCloseAction(func())                      {}

// Attach says where arriving packets go.
func (l *link) Attach(d stack.NetworkDispatcher) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.up = d
}

// IsAttached reports whether there is somebody to take packets.
func (l *link) IsAttached() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.up != nil
}
