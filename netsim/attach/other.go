//go:build !linux

package attach

import (
	"context"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/namespace"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// Server is a real server as a node of the simulated network; there is none on
// this system.
type Server struct{}

// Available returns a *namespace.MissingError.
func (p *Process) Available() error { return namespace.Available(p.TUN) }

// Start returns a *namespace.MissingError.
func (p *Process) Start(context.Context, netsim.Place, func(string)) (netsim.Attached, error) {
	return nil, p.Available()
}

// Join returns a *namespace.MissingError.
func Join(context.Context, int, netsim.Place) (*Server, error) { return nil, namespace.Available("") }

// Input implements packet.Sink.
func (*Server) Input(p *packet.Packet) { p.Release() }

// Attach implements netsim.External.
func (*Server) Attach(packet.Sink) {}

// Gone returns nil.
func (*Server) Gone() <-chan struct{} { return nil }

// Fate returns nothing.
func (*Server) Fate() string { return "" }

// Close does nothing.
func (*Server) Close() error { return nil }
