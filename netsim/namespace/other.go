//go:build !linux

package namespace

import (
	"context"
	"runtime"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// Space is a namespace; there is none on this system.
type Space struct{ Devices []*Device }

// Device is a TUN device; there is none on this system.
type Device struct{}

// Child is the one who holds a namespace.
type Child struct{}

// Serve does nothing on this system.
func Serve(string, func(*Child) error) {}

// Start returns a *MissingError.
func Start(context.Context, Options) (*Space, error) { return nil, Available("") }

// Available returns a *MissingError.
func Available(string) error {
	return &MissingError{What: "network namespaces are a thing of Linux, and this is " + runtime.GOOS,
		Hint: "use a Linux machine; simulated networks and targets at an address need none"}
}

// Close does nothing.
func (*Space) Close() error { return nil }

// Input implements packet.Sink.
func (*Device) Input(p *packet.Packet) { p.Release() }

// Attach does nothing.
func (*Device) Attach(packet.Sink) {}
