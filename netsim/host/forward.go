package host

import (
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// maxRequests is how many connections may wait for a decision; further ones are
// as if they had been lost.
const maxRequests = 256

// Request is a connection that somebody wants to make to a port of the host. One
// of its methods has to be called, once.
type Request struct {
	// From is who wants it, To where.
	From, To netip.AddrPort

	host *Host
	r    *tcp.ForwarderRequest
}

// Forward lets f decide about connections to ports on which nobody listens, each
// call in a goroutine of its own. It needs real time.
//
// The host's TIME-WAIT is as good as none from here on: while it lasts the stack
// lets a client come from the same port again only where there is a listener.
func (h *Host) Forward(f func(*Request)) {
	brief := tcpip.TCPTimeWaitTimeoutOption(time.Millisecond)
	_ = h.stack.SetTransportProtocolOption(tcp.ProtocolNumber, &brief) // it fails for other protocols only
	fw := tcp.NewForwarder(h.stack, 0, maxRequests, func(r *tcp.ForwarderRequest) {
		id := r.ID()
		from, _ := netip.AddrFromSlice(id.RemoteAddress.AsSlice())
		to, _ := netip.AddrFromSlice(id.LocalAddress.AsSlice())
		f(&Request{From: netip.AddrPortFrom(from, id.RemotePort), To: netip.AddrPortFrom(to, id.LocalPort), host: h, r: r})
	})
	h.stack.SetTransportProtocolHandler(tcp.ProtocolNumber, fw.HandlePacket)
}

// Accept makes the connection.
func (r *Request) Accept() (*Conn, error) {
	queue := new(waiter.Queue)
	ep, err := r.r.CreateEndpoint(queue)
	r.r.Complete(false)
	if err != nil {
		return nil, opError("accept", "accept", r.From, r.To, err)
	}
	c, err := r.host.newConn(ep, queue)
	if err != nil {
		ep.Close()
		return nil, opError("accept", "accept", r.From, r.To, err)
	}
	return c, nil
}

// Refuse answers with RST.
func (r *Request) Refuse() { r.r.Complete(true) }

// Ignore gives no answer, so that the other end asks again.
func (r *Request) Ignore() { r.r.Complete(false) }
