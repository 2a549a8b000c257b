package lab

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"time"
)

// attempt is how a host tried to connect: the client to the server for the
// control connection, or the dialler to the listener for data.
type attempt struct {
	j           *judgement
	who, target string
	n           int      // SYNs that were sent
	first       *Message // of the SYNs
	syn         *Message // the hop with which a SYN got furthest
	ack         *Message // and of the answering SYN ACK
	refusal     *Message // the RST or ICMP error that came back
}

// attempt finds what became of the SYNs of a connection.
func (j *judgement) attempt(control bool) *attempt {
	a := &attempt{j: j, who: j.dialler(), target: j.listener()}
	if control {
		a.who, a.target = j.spec.Client, j.spec.Server
	}
	for i := range j.story.Messages {
		m := &j.story.Messages[i]
		icmp := strings.HasPrefix(m.Text, "ICMP")
		switch {
		case m.Control != control && !icmp:
		case m.Text == "SYN":
			a.sent(m)
		case m.Text == "SYN ACK":
			if a.ack == nil || a.ack.To != a.who || a.ack.Lost {
				a.ack = m
			}
		case m.To == a.who && !m.Lost && (icmp || m.Text == "RST"):
			a.refusal = m
		}
	}
	return a
}

// sent takes note of a hop of a SYN.
func (a *attempt) sent(m *Message) {
	if a.first == nil {
		a.first = m
	}
	if m.From == a.who {
		a.n += 1 + len(m.Again)
	}
	if !a.reached() {
		a.syn = m
	}
}

// reached reports whether a SYN got to the one for whom it was.
func (a *attempt) reached() bool { return a.syn != nil && a.syn.To == a.target && !a.syn.Lost }

// answered reports whether a SYN ACK got back.
func (a *attempt) answered() bool { return a.ack != nil && a.ack.To == a.who && !a.ack.Lost }

// connected reports whether the dialler has got its SYN ACK, from where it had
// sent its SYN to and while it waited.
func (a *attempt) connected() bool {
	return a.reached() && a.answered() && a.ack.Src == a.first.Dst && a.took() < a.j.act.stage.dialFor()
}

// took is how long it was from the first SYN until the SYN ACK was back.
func (a *attempt) took() time.Duration { return a.j.told.arrived[a.ack.Number-1] - a.first.At }

func (a *attempt) String() string {
	if a.first == nil {
		return "no SYN was sent"
	}
	text := fmt.Sprintf("the %s sends %s to %v, ", a.who, plural(a.n, "SYN"), a.first.Dst)
	if a.reached() {
		return text + a.noAnswer()
	}
	text += "but "
	if ep, name := a.j.openedElsewhere(); name != "" && a.who == a.j.dialler() && !a.first.Control {
		text += fmt.Sprintf("the helper of %s has opened %v for this; ", name, ep)
	}
	text += a.whereabouts()
	if a.refusal != nil {
		text += a.answer()
	}
	return text
}

// noAnswer says why a SYN that has reached its host led to nothing.
func (a *attempt) noAnswer() string {
	switch {
	case a.ack == nil && a.refusal != nil:
		origin := a.j.origin(a.refusal)
		return fmt.Sprintf("but %s answers with %s", a.party(origin.From), origin.Text)
	case a.ack == nil:
		return fmt.Sprintf("but the %s does not take them", a.target)
	case a.ack.Lost:
		what, predicate := fate(a.ack, 1)
		if predicate {
			return fmt.Sprintf("but the SYN ACK of the %s is %s", a.target, what)
		}
		return fmt.Sprintf("and the %s answers with SYN ACK, but %s", a.target, what)
	case a.ack.To != a.who:
		return fmt.Sprintf("but the SYN ACK of the %s gets no further than %s", a.target, a.ack.To)
	case a.ack.Src != a.first.Dst:
		return fmt.Sprintf("but the %s answers from %v, and the %s knows of no such connection", a.target, a.ack.Src, a.who)
	}
	return fmt.Sprintf("but the SYN ACK of the %s comes %s after the first one, too late", a.target, a.took().Round(100*time.Millisecond))
}

// answer names the one who has answered, with its own message.
func (a *attempt) answer() string {
	origin := a.j.origin(a.refusal)
	if a.syn.To == origin.From && (a.syn.To == a.who || !a.syn.Lost) {
		return ", which answers with " + origin.Text
	}
	return fmt.Sprintf(", and %s answers with %s", a.party(origin.From), origin.Text)
}

// party is a node in a sentence.
func (a *attempt) party(name string) string {
	if name == a.j.spec.Client || name == a.j.spec.Server {
		return "the " + name
	}
	return name
}

// whereabouts says where the SYNs have got to.
func (a *attempt) whereabouts() string {
	m := a.syn
	switch {
	case m.Lost:
		what, predicate := fate(m, a.n)
		if predicate {
			return "what is sent is " + what
		}
		return what
	case m.To == a.who:
		return fmt.Sprintf("the way leads back to the %s itself, at %v", a.who, m.Dst)
	}
	return fmt.Sprintf("the way leads to %s, at %v", m.To, m.Dst)
}

// fate says why nobody has got a message that was sent n times: what it is, as
// in "lost on the wire", or else who does what to it.
func fate(m *Message, n int) (what string, predicate bool) {
	why := m.Note[strings.LastIndex(m.Note, "; ")+1:]
	why = strings.TrimSpace(why)
	switch {
	case strings.HasPrefix(why, nobodyOn) && private(m.Dst.Addr()):
		return fmt.Sprintf("nobody on %s has this private address", network(m.Wire)), false
	case strings.HasPrefix(why, nobodyOn):
		return fmt.Sprintf("nobody on %s has this address", network(m.Wire)), false
	case onWire(why):
		return why, true
	case n > 1:
		why = strings.Replace(why, " it", " them", 1)
	}
	return why, false
}

// onWire reports whether a packet was lost because of a wire.
func onWire(why string) bool {
	return strings.HasPrefix(why, lostOnWire) || why == damagedOnWire || why == stillOnWire
}

// origin follows a message back through the gateways that have passed it on, to
// the one who has written it.
func (j *judgement) origin(m *Message) *Message {
	for {
		i, ok := j.told.came[m.Number-1]
		if !ok || j.story.Messages[i].Text != m.Text {
			return m
		}
		m = &j.story.Messages[i]
	}
}

// opened finds in the note of a helper the endpoint that it has opened.
var opened = regexp.MustCompile(`(\S+) opened for `)

// openedElsewhere is what the helper of a gateway has opened where it is not what
// it has written; the name is empty otherwise.
func (j *judgement) openedElsewhere() (netip.AddrPort, string) {
	for _, m := range j.story.Messages {
		wrote, ok := endpointIn(m.Text)
		is := opened.FindStringSubmatch(m.Note)
		if !ok || is == nil {
			continue
		}
		if ep, err := netip.ParseAddrPort(is[1]); err == nil && ep != wrote {
			return ep, m.From
		}
	}
	return netip.AddrPort{}, ""
}
