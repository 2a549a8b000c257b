package reference

import (
	_ "embed" // the comments on the faults are shown to users
	"slices"
	"sync"

	"github.com/ftpconform/ftpconform/internal/named"
)

//go:embed faults.go
var faultsSource string

var (
	faultFields     = sync.OnceValue(func() []FaultInfo { return named.Fields[Faults](faultsSource) })
	toleranceFields = sync.OnceValue(func() []FaultInfo { return named.Fields[Tolerances](faultsSource) })
)

// FaultInfo describes a field of Faults or Tolerances: its name, its row in the
// catalogue of defects ("M49"), and what the server does then.
type FaultInfo = named.Field

// FaultNames lists the fields of Faults in their order.
func FaultNames() []FaultInfo { return slices.Clone(faultFields()) }

// ToleranceNames lists the fields of Tolerances in their order.
func ToleranceNames() []FaultInfo { return slices.Clone(toleranceFields()) }

// Set switches a fault on by its name or its id, both case-blind. An unknown
// name gives an error that offers the nearest ones.
func (f *Faults) Set(name string) error { return named.Set(f, "fault", name) }

// Set switches a tolerance on by its name, case-blind.
func (t *Tolerances) Set(name string) error { return named.Set(t, "tolerance", name) }

// Names lists the faults that are switched on.
func (f Faults) Names() []string { return named.Names(f) }
