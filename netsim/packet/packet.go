// Package packet holds the IP packets of the simulated network: their
// headers read, changed with the checksums kept right, built, fragmented, put
// together again, and printed.
// IPv4 (RFC 791) and IPv6 (RFC 8200) with TCP (RFC 9293) and ICMP errors
// (RFC 792, RFC 4443) are known; other protocols are carried as they are.
//
// A Packet has one holder at a time and is not safe for concurrent use.
package packet

import "sync"

// Packet is one IP packet in flight.
type Packet struct {
	// Data begins with the IP header.
	Data []byte
	// Note tells what a gateway did with the packet, for captures; most have
	// none.
	Note string
}

// Sink takes packets: a host, a wire's end, a gateway's interface. Input
// becomes the holder of the packet; it must not block.
type Sink interface{ Input(p *Packet) }

// room is the capacity of pooled packets: an Ethernet frame's payload and what
// a gateway may add.
const room = 2048

var pool = sync.Pool{New: func() any { return &Packet{Data: make([]byte, 0, room)} }}

// New returns a packet of n octets whose contents are not defined.
func New(n int) *Packet {
	p := pool.Get().(*Packet)
	if cap(p.Data) < n {
		p.Data = make([]byte, n, n+room/8)
	}
	p.Data, p.Note = p.Data[:n], ""
	return p
}

// Of returns a packet with a copy of the octets.
func Of(data []byte) *Packet {
	p := New(len(data))
	copy(p.Data, data)
	return p
}

// Clone returns a copy, its note included.
func (p *Packet) Clone() *Packet {
	c := Of(p.Data)
	c.Note = p.Note
	return c
}

// Release gives the packet back; the holder must not touch it any more. It is
// never necessary.
func (p *Packet) Release() {
	if room <= cap(p.Data) && cap(p.Data) <= 2*room {
		pool.Put(p)
	}
}
