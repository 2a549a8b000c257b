package gateway

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// Phase is how far a connection has come (RFC 5382 section 5).
type Phase uint8

// The phases of a connection.
const (
	PhaseOpening     Phase = iota // not both ends have sent an ACK
	PhaseEstablished              // both have
	PhaseHalfClosed               // one end has sent a FIN
	PhaseClosing                  // both have
	PhaseReset                    // an end has sent a RST
)

func (p Phase) String() string {
	return [...]string{"opening", "established", "half-closed", "closing", "reset"}[p]
}

// conn is a connection in the table.
type conn struct {
	gateway   *Gateway
	id        uint64
	ends      [2]end // by Side
	sent      [2]packet.Flags
	phase     Phase
	related   bool
	linked    bool // in the table
	gone      bool // removed
	idle      time.Duration
	expires   time.Time
	inspector Inspector
	announced []*expectation // by this connection, the oldest first
	windows   [2]window      // by Side, where they are followed
}

// end is what the gateway knows of a side of a connection.
type end struct {
	real, seen netip.AddrPort
	translated bool     // they differ
	outside    bool     // its packets come in by an outside interface
	out        *port    // and leave by this one; nil if there is no way
	mapping    *mapping // of real to seen; nil for others
	place      int      // among the users of the mapping
}

// phaseOf tells the phase from the flags that each end has sent so far.
func phaseOf(sent [2]packet.Flags) Phase {
	one, both := sent[0]|sent[1], sent[0]&sent[1]
	switch {
	case one.Has(packet.RST):
		return PhaseReset
	case both.Has(packet.FIN):
		return PhaseClosing
	case !both.Has(packet.ACK):
		return PhaseOpening
	case one.Has(packet.FIN):
		return PhaseHalfClosed
	}
	return PhaseEstablished
}

// in returns how long a connection may be idle in a phase.
func (t Timeouts) in(p Phase) time.Duration {
	switch p {
	case PhaseEstablished, PhaseHalfClosed:
		return t.Established
	case PhaseReset:
		return t.Close
	default:
		return t.Transitory
	}
}

// track follows the connection through its phases. A RST does not end it at
// once, because it may be forged: traffic that goes on keeps it alive.
func (g *Gateway) track(c *conn, flags packet.Flags, from Side) {
	if all := c.sent[from] | flags; all != c.sent[from] || c.idle == 0 {
		c.sent[from] = all
		c.phase = phaseOf(c.sent)
		c.idle = g.state.timeouts.in(c.phase)
		if c.phase == PhaseHalfClosed && g.faults.ForgetsHalfClosed {
			c.idle = 0 // this packet is the last one
		}
		g.table.noteExpiry(g.now.Add(c.idle))
	}
	c.expires = g.now.Add(c.idle)
}

// minds reports whether it matters to the gateway that a segment is undamaged:
// whether it may change the phase, or is read. To verify the others would cost
// more than all the rest of their way; a wrong checksum is still wrong after
// translation (RFC 1624), and the receiver drops them.
func (c *conn) minds(v *packet.View) bool {
	return c.inspector != nil || c.phase == PhaseOpening || v.Flags&(packet.SYN|packet.FIN|packet.RST) != 0
}

// state is what the filter calls the connection.
func (c *conn) state() State {
	switch {
	case c.Established():
		return StateEstablished
	case c.related:
		return StateRelated
	}
	return StateNew
}

// Real implements Connection.
func (c *conn) Real(s Side) netip.AddrPort { return c.ends[s].real }

// Seen implements Connection.
func (c *conn) Seen(s Side) netip.AddrPort { return c.ends[s].seen }

// Established implements Connection.
func (c *conn) Established() bool { return c.sent[Client] != 0 && c.sent[Server] != 0 }

// Now implements Connection.
func (c *conn) Now() time.Time { return c.gateway.now }

// Send implements Connection. A packet that is none of the connection's, or
// that the next network cannot carry, is dropped.
func (c *conn) Send(p *packet.Packet, to Side) {
	g, from := c.gateway, to.Other()
	v, err := p.Parse()
	if err != nil || !v.TCP || v.Fragment() || v.Src != c.ends[from].real || v.Dst != c.ends[to].seen {
		g.drop(p, ByHelper)
		return
	}
	trim(p)
	out := c.ends[from].out
	switch {
	case out == nil:
		g.drop(p, NoRoute)
		return
	case len(p.Data) > out.mtu && v.DontFragment:
		g.drop(p, TooBig)
		return
	}
	g.track(c, v.Flags, from)
	g.translate(p, &v, c, from)
	g.leave(nil, out, p, &v)
}

// Note implements Connection.
func (c *conn) Note(format string, args ...any) {
	if p := c.gateway.inspected; p != nil {
		if p.Note != "" {
			p.Note += "; "
		}
		p.Note += fmt.Sprintf(format, args...)
	}
}
