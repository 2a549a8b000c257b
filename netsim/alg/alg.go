// Package alg is the application level gateway for FTP of the simulated
// network (RFC 2663 section 2.9). It looks into the control connections that
// pass a gateway, puts the addresses and ports that the other side can use into
// PORT, EPRT and the replies 227 and 229, and announces the data connections
// that will come, before the text has gone on (RFC 3022 section 4.4, RFC 3027
// section 4.1, RFC 2428 section 4). Where a text changes its length, it keeps
// sequence numbers, acknowledgements and selective acknowledgements right for
// both ends.
//
// There are several, called profiles. Linux looks at one segment at a time and
// does what nf_conntrack_ftp and nf_nat_ftp were seen to do, including the
// things that hurt. Reassembling looks at the stream of octets and is what one
// would wish for. The others are wrong, each in a way that real devices are.
//
// A helper can be shared by gateways and goroutines unless it has a Rand; an
// inspector is used by one goroutine at a time, as package gateway promises.
package alg

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/ftpconform/ftpconform/netsim/gateway"
)

// DefaultPort is the control port of FTP (RFC 959 section 5.2).
const DefaultPort = 21

// Options of a helper; the zero value is none.
type Options struct {
	Profile Profile
	// Ports are the control ports on which it looks, as the server itself has
	// them; default DefaultPort alone.
	Ports []uint16
	// Loose is Linux' module parameter of that name: also an address is taken
	// that is not the announcer's own. The other profiles do not know it.
	Loose bool
	// Rand is the source of ports where an announced one cannot be kept; Linux
	// and NoLengthAdjust need one.
	Rand *rand.Rand
	// Faults come on top of the profile.
	Faults Faults
}

// New returns the helper of a profile, nil for Off.
func New(o Options) (gateway.Helper, error) {
	if o.Profile == Off || o.Profile == "" {
		return nil, nil
	}
	i := slices.IndexFunc(profiles, func(p profile) bool { return strings.EqualFold(string(p.name), string(o.Profile)) })
	if i < 0 {
		return nil, fmt.Errorf("alg: unknown profile %q; there are %v", o.Profile, Profiles())
	}
	h := &helper{Options: o, profile: profiles[i]}
	if h.segments && o.Rand == nil {
		return nil, errors.New("alg: profile " + string(h.name) + " needs a source of random ports")
	}
	if h.alters != nil {
		h.alters(&h.Faults)
	}
	if len(h.Ports) == 0 {
		h.Ports = []uint16{DefaultPort}
	}
	return h, nil
}

// helper is a profile with its options.
type helper struct {
	Options
	profile
}

// Attach implements gateway.Helper.
func (h *helper) Attach(c gateway.Connection) gateway.Inspector {
	if !slices.Contains(h.Ports, c.Real(gateway.Server).Port()) {
		return nil
	}
	s := session{helper: h, conn: c}
	if h.segments {
		return &linux{session: s}
	}
	return newReassembling(s)
}
