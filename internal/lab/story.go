package lab

import (
	"net/netip"
	"time"

	"github.com/ftpconform/ftpconform/netsim/alg"
)

// Schema is the form of a Story in JSON. Its number rises when the form changes
// so that readers have to know.
const Schema = "ftpconform-lab/1"

// Story is what was played.
type Story struct {
	Schema   string `json:"schema"`
	Scenario string `json:"scenario"`
	Title    string `json:"title"`
	// Kernel is the release of the kernel that the gateways are; empty for
	// simulated ones.
	Kernel string `json:"kernel,omitempty"`
	// Differences lists what the topologies ask for and these gateways do in
	// their own way.
	Differences []string `json:"differences,omitempty"`
	// Command is what has started the server; empty for the reference server.
	Command string     `json:"command,omitempty"`
	Acts    []ActStory `json:"acts"`
}

// Outcome is how an act ended.
type Outcome string

// The outcomes.
const (
	Works   Outcome = "works"   // the file arrived, whole, and the server said so
	Fails   Outcome = "fails"   // it did not
	Stopped Outcome = "stopped" // a guard ended the simulation
)

// ActStory is one transfer.
type ActStory struct {
	Title   string     `json:"title"`
	Text    string     `json:"text,omitempty"`
	Network string     `json:"network"`
	Mode    Mode       `json:"mode"`
	Server  ServerKind `json:"server"`
	// Helper is the profile of the gateways' helpers, empty without gateways.
	Helper alg.Profile `json:"helper,omitempty"`
	// Seed decided all that is random.
	Seed  uint64 `json:"seed"`
	Brief bool   `json:"brief,omitempty"`
	// Nodes are those that had a part, in the order of the way from client to
	// server.
	Nodes    []Node    `json:"nodes"`
	Messages []Message `json:"messages"`
	// Tables is what each gateway remembers, after each change.
	Tables  []Snapshot `json:"tables"`
	Outcome Outcome    `json:"outcome"`
	// Reason is one sentence.
	Reason string `json:"reason"`
	// Reply is the server's last word about the transfer, empty if it had none.
	Reply string `json:"reply,omitempty"`
	// Seconds is how long the transfer took, from the command that sets the data
	// connection up to the outcome, in virtual time.
	Seconds float64 `json:"seconds"`

	record *recorder
}

// Node is a host, or a gateway.
type Node struct {
	Name    string `json:"name"`
	Gateway bool   `json:"gateway,omitempty"`
	// Addrs are its addresses; of a gateway those on the inside.
	Addrs []netip.Addr `json:"addresses"`
	// Outside are a gateway's addresses on the outside.
	Outside []netip.Addr `json:"outside,omitempty"`
}

// Part is where in the act a message belongs.
type Part string

// The parts of an act.
const (
	Login    Part = "login"    // the control connection, up to the login
	Transfer Part = "transfer" // all that is about the file
	End      Part = "end"      // QUIT and what follows
)

// Message is a line of the control connection or an event of a connection, on
// one wire.
type Message struct {
	// Number counts from 1 within the act.
	Number int  `json:"number"`
	Part   Part `json:"part"`
	// At is when it was sent, since the start.
	At time.Duration `json:"at_ns"`
	// From and To are neighbours. To is the name of a network where nobody on it
	// has the address, and From is one where the network itself answers.
	From string `json:"from"`
	To   string `json:"to"`
	// Wire is the network on which it travels.
	Wire string `json:"wire"`
	// Src and Dst are the addresses on this wire, without ports for ICMP.
	Src netip.AddrPort `json:"src"`
	Dst netip.AddrPort `json:"dst"`
	// Text is the line, or "SYN", "SYN ACK", "FIN", "RST", "ICMP host
	// unreachable", "1024 octets of data".
	Text string `json:"text"`
	// Control tells the control connection from the data connection.
	Control bool `json:"control"`
	// Translated says how the addresses differ from those with which the gateway
	// got it.
	Translated string `json:"translated,omitempty"`
	// Note says what a gateway did with the message, or why nobody got it.
	Note string `json:"note,omitempty"`
	// Lost says that nobody got it: lost on the way, still on it at the
	// end of the act, or thrown away where it came to.
	Lost bool `json:"lost,omitempty"`
	// Again is when it was sent again, since the first time.
	Again []time.Duration `json:"again_ns,omitempty"`
}

// Snapshot is what a gateway remembers from a moment on.
type Snapshot struct {
	At      time.Duration `json:"at_ns"`
	Gateway string        `json:"gateway"`
	// After is the number of the message that brought the change about, 0 if
	// none did.
	After   int     `json:"after"`
	Entries []Entry `json:"entries"`
}

// The kinds of entries.
const (
	KindMapping     = "mapping"
	KindConnection  = "connection"
	KindExpectation = "expectation"
)

// Entry is a line of a gateway's table. The fields that its kind does not have
// are left out.
type Entry struct {
	Kind string `json:"kind"`
	// Inside and Outside are the endpoints that a mapping ties together.
	Inside  netip.AddrPort `json:"inside,omitzero"`
	Outside netip.AddrPort `json:"outside,omitzero"`
	// Client and Server are the ends of a connection, each as it is and as the
	// other one sees it.
	Client     netip.AddrPort `json:"client,omitzero"`
	ClientSeen netip.AddrPort `json:"client_seen,omitzero"`
	Server     netip.AddrPort `json:"server,omitzero"`
	ServerSeen netip.AddrPort `json:"server_seen,omitzero"`
	// Expected is set for a connection that was announced, Helped for one into
	// which the helper looks.
	Expected bool `json:"expected,omitempty"`
	Helped   bool `json:"helped,omitempty"`
	// From is who may connect, anybody if it is missing; To is where, and LeadsTo
	// where he gets. Uses is for how many connections it is, 0 for any number,
	// and Left how long it lasts, 0 for as long as the connection that has
	// announced it.
	From    netip.Addr     `json:"from,omitzero"`
	To      netip.AddrPort `json:"to,omitzero"`
	LeadsTo netip.AddrPort `json:"leads_to,omitzero"`
	Uses    int            `json:"uses,omitempty"`
	Left    time.Duration  `json:"left_ns,omitempty"`
	// Text says it in words.
	Text string `json:"text"`
}
