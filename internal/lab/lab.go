// Package lab plays transfers of FTP in a simulated network and tells what
// happened: every line of the control connection and every event of a
// connection on each wire that it crosses, with the addresses that it has
// there, what each gateway remembers, and the reason of the outcome. It prints
// nothing: a Story is data.
//
// An Act is one transfer, of 1024 octets from server to client, in a World of
// its own. The server is package reference's, the client says what RFC 959
// section 5.2 and RFC 2428 ask for, and connects where the server tells it to.
// One act and one seed give the same story and the same capture, octet for
// octet. On another Stage the server is a real one, of which a listing is asked
// for, or the gateways are Linux itself; then an act takes the time that it
// takes.
//
// All functions may be called from any goroutine; acts in virtual time are
// played one at a time.
package lab

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/clock"
)

// Mode is how the data connection is set up.
type Mode string

// The modes.
const (
	PORT Mode = "PORT" // RFC 959: the server connects to the client
	PASV Mode = "PASV" // RFC 959: the client connects to the server
	EPRT Mode = "EPRT" // RFC 2428: as PORT
	EPSV Mode = "EPSV" // RFC 2428: as PASV
)

// Modes lists the modes.
func Modes() []Mode { return []Mode{PORT, PASV, EPRT, EPSV} }

// Active reports whether the server connects to the client.
func (m Mode) Active() bool { return m == PORT || m == EPRT }

// ParseMode reads a mode in any case.
func ParseMode(s string) (Mode, error) {
	if m := Mode(strings.ToUpper(s)); slices.Contains(Modes(), m) {
		return m, nil
	}
	return "", fmt.Errorf("unknown mode %.40q; the modes are port, pasv, eprt and epsv", s)
}

// ServerKind is how the server deals with an address that is not the client's.
type ServerKind string

// The kinds of servers.
const (
	// Today refuses it, as RFC 2577 section 3 asks.
	Today ServerKind = "today"
	// Trusting connects to it, as RFC 959 lets servers do.
	Trusting ServerKind = "trusting"
)

// ServerKinds lists the kinds of servers.
func ServerKinds() []ServerKind { return []ServerKind{Today, Trusting} }

// ParseServerKind reads a kind of server in any case.
func ParseServerKind(s string) (ServerKind, error) {
	if k := ServerKind(strings.ToLower(s)); slices.Contains(ServerKinds(), k) {
		return k, nil
	}
	return "", fmt.Errorf("unknown server %.40q; it is today or trusting", s)
}

// Act is a transfer to be played.
type Act struct {
	// Title and Text are told before it; Network is a short name of the network
	// for tables.
	Title, Text, Network string
	Topology             netsim.Topology
	Mode                 Mode
	// Server is the kind of the server; default Today.
	Server ServerKind
	// ALG is the helper of every gateway; the zero value leaves each the one
	// that the topology gives it.
	ALG alg.Profile
	// Seed decides all that is random.
	Seed uint64
	// Brief says that the outcome is all that readers need.
	Brief bool
	// Limits guard against a simulation without end; see clock.Limits.
	Limits clock.Limits

	stage *Stage
}

// ErrBuild says that no network can be made of a topology.
var ErrBuild = errors.New("the network cannot be built")

// withDefaults fills in what was left out.
func (a Act) withDefaults() Act {
	if a.Server == "" {
		a.Server = Today
	}
	if a.Network == "" {
		a.Network = a.Topology.Name
	}
	if a.ALG != "" {
		if a.Network == a.Topology.Name {
			a.Network += ", helper " + string(a.ALG)
		}
		a.Topology.Gateways = slices.Clone(a.Topology.Gateways)
		for i := range a.Topology.Gateways {
			a.Topology.Gateways[i].ALG.Profile = a.ALG
		}
	}
	return a
}

// helper is the profile of the gateways, empty if there is no gateway.
func (a *Act) helper() alg.Profile {
	var p alg.Profile
	for _, g := range a.Topology.Gateways {
		if p == "" || p == alg.Off {
			p = g.ALG.Profile
			if p == "" {
				p = alg.Off
			}
		}
	}
	return p
}
