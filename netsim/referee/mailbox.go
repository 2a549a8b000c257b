package main

import (
	"errors"
	"sync"
	"time"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// mailbox keeps what comes out of a side of the kernel, in its order.
type mailbox struct {
	mu   sync.Mutex
	got  []*packet.Packet
	news chan struct{}
}

// Input implements packet.Sink.
func (m *mailbox) Input(p *packet.Packet) {
	m.mu.Lock()
	m.got = append(m.got, p)
	m.mu.Unlock()
	select {
	case m.news <- struct{}{}:
	default:
	}
}

// take returns what has come since the last time.
func (m *mailbox) take() []*packet.Packet {
	m.mu.Lock()
	defer m.mu.Unlock()
	got := m.got
	m.got = nil
	return got
}

// fenceBound is how long the kernel may take to answer, on a busy machine.
const fenceBound = 5 * time.Second

var errNoFence = errors.New("the kernel does not answer a SYN for itself")

// until returns what comes up to the answer to a fence, which is left out.
func (m *mailbox) until(port uint16) ([]*packet.Packet, error) {
	late := time.NewTimer(fenceBound)
	defer late.Stop()
	var out []*packet.Packet
	for {
		for _, p := range m.take() {
			v, err := p.Parse()
			if err == nil && v.TCP && v.Flags.Has(packet.RST) && v.Src.Port() == fencePort {
				if v.Dst.Port() == port {
					return out, nil
				}
				continue // of one before
			}
			out = append(out, p)
		}
		select {
		case <-m.news:
		case <-late.C:
			return out, errNoFence
		}
	}
}
