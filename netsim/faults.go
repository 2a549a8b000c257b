package netsim

import (
	"slices"

	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
)

// Faults are deviations of the gateways of a network, as quirky middleboxes
// have them; the zero value is correct. All gateways of a network have them.
type Faults struct {
	Gateway gateway.Faults
	ALG     alg.Faults
}

// FaultInfo describes a fault.
type FaultInfo = gateway.FaultInfo

// FaultNames lists the faults of gateways and of their helpers.
func FaultNames() []FaultInfo { return slices.Concat(gateway.FaultNames(), alg.FaultNames()) }

// Set switches a fault on by its name, case-blind.
func (f *Faults) Set(name string) error {
	err := f.Gateway.Set(name)
	if err != nil && f.ALG.Set(name) == nil {
		return nil
	}
	return err
}

// Names lists the faults that are switched on.
func (f Faults) Names() []string { return slices.Concat(f.Gateway.Names(), f.ALG.Names()) }
