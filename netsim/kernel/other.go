//go:build !linux

package kernel

import (
	"context"

	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/namespace"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// Gateway is the kernel as a gateway; there is none on this system.
type Gateway struct{}

// Version returns nothing.
func Version() string { return "" }

// Available returns a *namespace.MissingError.
func Available(context.Context) error { return namespace.Available("") }

// New returns a *namespace.MissingError.
func New(_ context.Context, o gateway.Options, helper alg.Options) (*Gateway, error) {
	if err := check(o, helper); err != nil {
		return nil, err
	}
	return nil, namespace.Available("")
}

// Interface returns nil.
func (*Gateway) Interface(int) packet.Sink { return nil }

// Connect does nothing.
func (*Gateway) Connect(int, packet.Sink) {}

// Table returns nothing.
func (*Gateway) Table() (gateway.Table, error) { return gateway.Table{}, nil }

// Forget does nothing.
func (*Gateway) Forget() error { return nil }

// Close does nothing.
func (*Gateway) Close() error { return nil }
