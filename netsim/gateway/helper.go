package gateway

import (
	"net/netip"
	"time"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// Side is an end of a connection.
type Side uint8

// The sides of a connection.
const (
	Client Side = iota // who sent the first SYN
	Server
)

// Other returns the other side.
func (s Side) Other() Side { return 1 - s }

func (s Side) String() string { return [...]string{"client", "server"}[s] }

// Helper is an application level gateway: it is asked about every new
// connection.
type Helper interface {
	// Attach returns what is to look into the connection, nil for a connection
	// that is none of the helper's business.
	Attach(c Connection) Inspector
}

// Inspector looks into the packets of one connection. It is called with every
// packet of the connection, in both directions, before the addresses are
// translated: the packet has the numbers that its sender gave it, and the
// inspector is responsible for changing sequence numbers, acknowledgements and
// selective acknowledgements to what the receiver knows. Calls are serialised.
type Inspector interface {
	// Inspect may change the packet. It returns false when the packet must not
	// go on.
	Inspect(p *packet.Packet, v *packet.View, from Side) bool
}

// Renumberer is an Inspector that changes the lengths of texts, and says what an
// acknowledgement of the receiver's means in the numbers of the sender, who is
// on a side.
type Renumberer interface {
	Renumber(sender Side, ack uint32) uint32
}

// Connection is what an Inspector knows of its connection and may ask of the
// gateway. Its methods may only be called during Attach and Inspect.
type Connection interface {
	// Seen returns the endpoint of a side as the other side sees it, and Real as
	// it is. They differ for a side that is translated.
	Real(Side) netip.AddrPort
	Seen(Side) netip.AddrPort
	// Established reports whether traffic has been seen from both sides.
	Established() bool
	// Now is the time.
	Now() time.Time
	// Expect announces a connection that will come, and returns the endpoint
	// to which the peer will have to connect. It fails when no endpoint can be
	// found, or too many are expected.
	Expect(Expectation) (netip.AddrPort, error)
	// Send lets a packet of the inspector's own go to a side; it is in the
	// numbers and, before translation, in the addresses of the other side.
	Send(p *packet.Packet, to Side)
	// Note adds to the note of the packet that is being inspected, for
	// captures and stories.
	Note(format string, args ...any)
}

// Expectation is a connection that a control connection has announced.
type Expectation struct {
	// By is the side that will be connected to.
	By Side
	// To is the endpoint that has been announced, in the announcer's own
	// addresses.
	To netip.AddrPort
	// From is who may connect, any port; the zero value lets anybody.
	From netip.Addr
	// Life is how long it lasts; 0 means for ever.
	Life time.Duration
	// Uses is the number of connections that it allows, 0 for any number.
	Uses int
	// Max is how many expectations the control connection may have at a time; a
	// new one drives the oldest out. 0 means any number.
	Max int
	// Verbatim expects the peer at To as it stands, as Linux does where its
	// helper is loose or has found no port, even though nobody can come there.
	Verbatim bool
	// Port chooses the outside port where To's own cannot be used; nil lets the
	// gateway choose.
	Port func(taken func(port uint16) bool) uint16
}
