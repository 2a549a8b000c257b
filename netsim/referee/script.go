package main

import (
	"fmt"
	"net/netip"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// script is a dialogue that is fed to both gateways.
type script struct {
	name  string
	net   string // of the nets
	steps []step
}

// who sends the packet of a step.
type who uint8

const (
	client who = iota
	server
	stranger // beside the server
)

// step is one packet: a segment of the control connection, or the first one of
// another connection.
type step struct {
	from who
	// At is where in the stream of the sender the text begins, -1 for its end.
	at   int
	text string
	// Ack is how many octets of the other side are acknowledged beyond what has
	// come in order; negative is less.
	ack int
	// Sacks are selective acknowledgements: pairs of positions of the other
	// side's stream.
	sacks []int
	flags packet.Flags
	// Dial, if set, is where a new connection goes; fromPort is where it comes
	// from.
	dial     netip.AddrPort
	fromPort uint16
}

func (s step) String() string {
	name := [...]string{"client", "server", "stranger"}[s.from]
	if s.dial.IsValid() {
		return fmt.Sprintf("%s connects from port %d to %v", name, s.fromPort, s.dial)
	}
	text := fmt.Sprintf("%s says %q", name, s.text)
	if s.at >= 0 {
		text += fmt.Sprintf(" at %d", s.at)
	}
	if s.ack != 0 {
		text += fmt.Sprintf(", acknowledges %+d", s.ack)
	}
	if len(s.sacks) > 0 {
		text += fmt.Sprintf(", selectively %v", s.sacks)
	}
	if s.flags != 0 {
		text += ", " + s.flags.String()
	}
	return text
}

// say is a segment with new text.
func say(from who, text string) step { return step{from: from, at: -1, text: text} }

// again is a segment with text that begins where other text was before.
func again(from who, at int, text string) step { return step{from: from, at: at, text: text} }

// connects is a new connection.
func connects(from who, port uint16, to netip.AddrPort) step {
	return step{from: from, dial: to, fromPort: port}
}

// The text with which a dialogue begins, so that both sides have a line behind
// them.
const (
	greeting = "220 ready\r\n"
	userLine = "USER anonymous\r\n"
	askReply = "331 password\r\n"
	passLine = "PASS guest\r\n"
	welcome  = "230 welcome\r\n"
)

// loggedIn is a script that begins with a login.
func loggedIn(name, net string, steps ...step) script {
	all := []step{say(server, greeting), say(client, userLine), say(server, askReply), say(client, passLine), say(server, welcome)}
	return script{name: name, net: net, steps: append(all, steps...)}
}

// loginLen and welcomeLen are the octets of the two sides up to there.
const (
	loginLen   = len(userLine) + len(passLine)
	welcomeLen = len(greeting) + len(askReply) + len(welcome)
)
