package gateway

import (
	_ "embed" // the comments on the faults are shown to users
	"slices"
	"sync"

	"github.com/ftpconform/ftpconform/internal/named"
)

//go:embed faults.go
var faultsSource string

var faultFields = sync.OnceValue(func() []FaultInfo { return named.Fields[Faults](faultsSource) })

// FaultInfo describes a field of Faults.
type FaultInfo = named.Field

// FaultNames lists the fields of Faults in their order.
func FaultNames() []FaultInfo { return slices.Clone(faultFields()) }

// Set switches a fault on by its name, case-blind. An unknown name gives an
// error that offers the nearest ones.
func (f *Faults) Set(name string) error { return named.Set(f, "fault", name) }

// Names lists the faults that are switched on.
func (f Faults) Names() []string { return named.Names(f) }
