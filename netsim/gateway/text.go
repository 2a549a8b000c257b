package gateway

import (
	"fmt"
	"strconv"
	"strings"
)

// The words for the options.
var (
	behaviourNames = []string{"endpoint-independent", "address-dependent", "address-and-port-dependent"}
	policyNames    = []string{"preserve", "random", "sequential"}
	poolingNames   = []string{"paired", "arbitrary"}
	hairpinNames   = []string{"on", "internal-source", "off"}
	unknownNames   = []string{"hold", "drop", "reset", "icmp"}
	actionNames    = []string{"accept", "drop", "reject-reset", "reject-net", "reject-host", "reject-port", "reject-admin-prohibited"}
	stateNames     = []string{"new", "established", "related", "invalid"}
)

func (b Behaviour) String() string  { return nameOf(b, behaviourNames) }
func (p PortPolicy) String() string { return nameOf(p, policyNames) }
func (p Pooling) String() string    { return nameOf(p, poolingNames) }
func (h Hairpin) String() string    { return nameOf(h, hairpinNames) }
func (u Unknown) String() string    { return nameOf(u, unknownNames) }
func (a Action) String() string     { return nameOf(a, actionNames) }

// String lists the states of a set, "established,related"; the empty set is
// "any".
func (s State) String() string {
	var names []string
	for i, name := range stateNames {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "any"
	}
	return strings.Join(names, ",")
}

// String is "50000-50100", and "21" for one port.
func (r PortRange) String() string {
	if r.First == r.Last {
		return strconv.Itoa(int(r.First))
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

// nameOf is the name of a value, its number if it has none.
func nameOf[T ~uint8](v T, names []string) string {
	if int(v) >= len(names) {
		return strconv.Itoa(int(v))
	}
	return names[v]
}
