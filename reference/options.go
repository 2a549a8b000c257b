package reference

import (
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
)

// Network is what opens connections; see host.Network.
type Network = host.Network

// Clock is what tells the time; see host.Clock.
type Clock = host.Clock

// PortRange confines passive ports: Min to Max, both included. The zero value
// leaves the choice to the host.
type PortRange struct{ Min, Max uint16 }

// Options configure a Server. The zero value works: a server with files in
// memory and one user, that trusts nobody.
type Options struct {
	// Network opens data connections and listeners; default host.OS.
	Network Network
	// Clock drives every timeout and delay; default host.RealTime.
	Clock Clock
	// Random returns a number from 0 to n-1 and may be called from several
	// goroutines; default rand.IntN. Passive ports are drawn with it.
	Random func(n int) int

	// Files is what the server serves; default a new Memory.
	Files FileSystem
	// Users maps names to passwords; default "user" with "pass". Give a map
	// without entries for a server that nobody can log in to by password.
	Users map[string]string
	// Anonymous lets "anonymous" and "ftp" in with any password; default no.
	Anonymous bool
	// Greeting is the text of the 220 reply; default a plain one.
	Greeting string

	// PassivePorts confines the ports of PASV, EPSV and LPSV; default any.
	PassivePorts PortRange
	// PassiveAddr chooses the address announced in 227 and 228 from the two
	// ends of the control connection; default the local one. It never
	// changes where the server listens.
	PassiveAddr func(local, remote netip.Addr) netip.Addr
	// DataPort is the server's own port of active data connections. The
	// default 0 stands for the port one below the control port (RFC 959
	// section 8). Where it cannot be bound, any port is used.
	DataPort uint16
	// MainAddr is the address of this host that Faults.ActiveFromOtherAddress
	// and EPSVOtherAddress take, whichever the client reached; default
	// 127.0.0.1.
	MainAddr netip.Addr
	// AllowForeign permits third-party transfers: PORT, EPRT and LPRT to other
	// hosts, and passive connections from them; default no (RFC 2577
	// section 3).
	AllowForeign bool
	// AllowLowPorts permits PORT, EPRT and LPRT to ports below 1024; default
	// no (RFC 2577 section 3).
	AllowLowPorts bool

	// DataTimeout bounds the making of a data connection; default 30 s.
	DataTimeout time.Duration
	// IdleTimeout ends a session without commands and transfers; default
	// 5 min, the least that RFC 1123 section 4.1.3.2 wants as a default.
	IdleTimeout time.Duration
	// StallTimeout ends a transfer in which no octet moves, and a session
	// that does not take its replies; default 5 min.
	StallTimeout time.Duration
	// LoginDelay is the wait before a wrong password is answered; default 5 s
	// (RFC 2577 section 5). A negative value means none.
	LoginDelay time.Duration

	// MaxSessions bounds the sessions of the server; 0 means no bound.
	MaxSessions int
	// MaxSessionsPerHost bounds the sessions of one client address; 0 means no
	// bound.
	MaxSessionsPerHost int
	// MaxLogins is the number of failed logins that ends a session; default 3
	// (RFC 2577 section 5).
	MaxLogins int
	// Rate bounds every data connection, in octets per second; 0 means no
	// bound.
	Rate int64

	// Logger reports sessions, faults and panics, never passwords; default
	// none.
	Logger *slog.Logger

	// Faults makes the server wrong; default it conforms.
	Faults Faults
	// Tolerances makes the server unusual; default it is plain.
	Tolerances Tolerances
}

// withDefaults fills in what was left out.
func (o Options) withDefaults() Options {
	if o.Network == nil {
		o.Network = host.OS{}
	}
	if o.Clock == nil {
		o.Clock = host.RealTime{}
	}
	if !o.MainAddr.IsValid() {
		o.MainAddr = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	if o.Random == nil {
		o.Random = rand.IntN
	}
	if o.Files == nil {
		o.Files = NewMemory()
	}
	if o.Users == nil {
		o.Users = map[string]string{"user": "pass"}
	}
	if o.Greeting == "" {
		o.Greeting = "FTP reference server ready."
	}
	if o.PassivePorts.Max < o.PassivePorts.Min {
		o.PassivePorts.Max = o.PassivePorts.Min
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.MaxLogins <= 0 {
		o.MaxLogins = 3
	}
	orElse(&o.DataTimeout, 30*time.Second)
	orElse(&o.IdleTimeout, 5*time.Minute)
	orElse(&o.StallTimeout, 5*time.Minute)
	if o.LoginDelay == 0 {
		o.LoginDelay = 5 * time.Second
	}
	return o
}

func orElse(d *time.Duration, def time.Duration) {
	if *d <= 0 {
		*d = def
	}
}
