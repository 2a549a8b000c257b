package suites

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/ftpconform/ftpconform/fakeclient"
	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
	"github.com/ftpconform/ftpconform/netsim/wire"
)

// The checks of texts that do not come in one packet, or do not fit one any
// more: RFC 2663 section 8.4, RFC 3027 section 4.1.
var algSplitChecks = []Check{
	{
		ID: "alg-fragments", Requirements: []string{"FTP-NAT-010"}, In: []Topology{ClientNATALG, ServerNATALG}, Varies: true,
		Title:    "A text that comes in IP fragments is put together and translated",
		Why:      "Behind a link with a small MTU everything comes in fragments, and only the first has the ports by which a NAT knows a connection.",
		Conforms: []string{"PORT, or 227, in fragments leaves with the outside address (RFC 2663 section 8.4)"},
		Fails:    []string{"the fragments get lost, or the text is not translated (RFC 2663 section 8.4)"},
		Network:  sameLength,
		Run:      algFragments,
	},
	{
		ID: "alg-split", Requirements: []string{"FTP-NAT-011"}, In: []Topology{ClientNATALG},
		Title:    "PORT that comes octet by octet is translated by a helper that puts lines together; with others it fails in a way that the client learns of",
		Why:      "People type with telnet, and TCP may cut anywhere; what must not happen is that both ends wait for ever, or that the server connects to a place that nobody meant.",
		Conforms: []string{"the helper that reads the stream translates PORT, and the data connection arrives (RFC 2663 section 8.4)"},
		Noted:    []string{"a helper that does not know PORT lets it pass, and the server refuses it; one that reads segments drops it, and the client's TCP gives up (RFC 2663 section 8.4, RFC 6384 section 5)"},
		Fails: []string{"the helper that reads the stream does not translate it (RFC 2663 section 8.4)",
			"elsewhere: the server is told an endpoint that nobody has named, or the client neither gets an answer nor an error (RFC 2663 section 8.4)"},
		Waits: func(*Config) time.Duration { return tcpGivesUp },
		Network: func(t *netsim.Topology) {
			sameLength(t)
			t.Gateways[0].ALG.Profile = alg.Reassembling
			filtered := gateway.NAT{Filtering: gateway.AddressDependent}
			addHome(t, "segments", 6, filtered, alg.Linux)
			addHome(t, "passive", 7, filtered, alg.PASVOnly)
		},
		Run: algSplit,
	},
	{
		ID: "alg-mtu", Requirements: []string{"FTP-NAT-012"}, In: []Topology{ClientNATALG},
		Title:    "A text that no longer fits its packet after the translation arrives all the same",
		Why:      "A full segment that grows by two octets does not fit the wire; dropped without a word, it is repeated until the session dies.",
		Conforms: []string{"the gateway sends it in fragments, or tells the sender with an ICMP error, and all commands in it are answered (RFC 3027 section 4.1)"},
		Fails:    []string{"the commands do not arrive (RFC 3027 section 4.1, RFC 1191 section 4)"},
		Network: func(t *netsim.Topology) {
			growing(t)
			// What the hosts here make of an MTU of 1500 has 1472 octets: they
			// leave room for all options that TCP may have.
			const mtu = 1472
			t.Wires = append(t.Wires, netsim.Wire{Name: theGateway + "/outside", Out: wire.Spec{MTU: mtu}, In: wire.Spec{MTU: mtu}})
		},
		Run: algMTU,
	},
}

// smallMTU is the least that every network carries (RFC 791 section 3.2).
const smallMTU = 68

// fragment cuts the segments that a host sends and that begin with a word into
// IP fragments, also when they are repeated.
func (sc *Scene) fragment(host, word string) {
	sc.intercept(host, func(p *packet.Packet, v *packet.View) bool {
		if !strings.HasPrefix(string(p.Payload(v)), word) {
			return true
		}
		whole, may := p.Clone(), *v
		may.DontFragment = false
		// The wire is not to be used while it asks.
		sc.Client().Schedule(0, func() {
			for _, f := range packet.Fragment(whole, &may, smallMTU) {
				sc.put(host, f)
			}
		})
		return false
	})
}

func algFragments(s *Session) {
	b := s.border(theGateway)
	c := s.Login()
	k := b.follow(c)
	m, line, host, word := PASV, "PASV", "server", "227 "
	if s.clientHelped() {
		m, line, host, word = PORT, announcement(PORT, c.Listen().Endpoint), "client", "PORT "
	}
	k.mustTranslate(c, m, line)
	s.Scene.fragment(host, word)
	r, err := c.Try(line)
	if came := b.inside.all(func(x passage) bool { return !x.Sent && x.Err == nil && x.View.Fragment() }); len(came) < 2 {
		s.Inconclusive("%d fragments have come to the gateway", len(came))
	}
	ep, said := k.announced(m)
	switch left := k.lines(m); {
	case err != nil && left < 2:
		s.Fail("the fragments of the text do not get through: %v", err)
	case err != nil:
		s.Inconclusive("the text has left as %q, and no answer came: %v", said, err)
	case ep.Addr() != outsideAddr:
		s.Fail("in fragments, the text is not translated: it has left as %q, and %s was answered %s", said, m, r)
	}
}

// mustTranslate gives a command whose text, or that of its reply, is to be
// translated: where that does not happen at all, there is nothing to be said
// about special cases.
func (k *talk) mustTranslate(c *Control, m Mode, line string) {
	c.Must("%s", line)
	if ep, said := k.announced(m); ep.Addr() != outsideAddr {
		k.b.s.Inconclusive("the text is not translated even in a packet of its own: %q", said)
	}
}

// lines counts the lines outside that announce an endpoint in a mode.
func (k *talk) lines(m Mode) int {
	if m.Active() {
		text, _ := k.commands(k.b.outside) // what is missing is not counted
		return strings.Count(text, string(m)+" ")
	}
	text, _ := k.replies(k.b.outside)
	return strings.Count(text, map[Mode]string{PASV: "227 ", EPSV: "229 "}[m])
}

// tcpGivesUp is longer than it takes a sender to give up a segment that is
// never acknowledged (RFC 9293 section 3.8.3: at least 100 s; 15 repetitions
// with up to 2 min between them are common).
const tcpGivesUp = 40 * time.Minute

func algSplit(s *Session) {
	for _, gw := range s.Scene.Topology.Gateways {
		host := gw.Name
		if host = strings.TrimSuffix(host, "-gw"); host == theGateway {
			host = "client"
		}
		b := s.border(gw.Name)
		c := s.LoginFrom(s.Scene.Host(host).Addr(outsideAddr), s.Target.Address)
		k := b.follow(c)
		l := c.Listen()
		if gw.ALG.Profile == alg.Reassembling {
			k.mustTranslate(c, PORT, announcement(PORT, c.Closed()))
		}
		r, err := c.octetByOctet(announcement(PORT, l.Endpoint))
		text, _ := k.commands(b.outside) // what is missing is missing
		_, line, arrived := cutLast(text, "PORT ")
		to, parse := endpointIn(PORT, line)
		how := "nothing of the line has left the gateway in order"
		if arrived {
			how = fmt.Sprintf("the last such line has left as %q", line)
		}
		how = fmt.Sprintf("%s (profile %s), PORT for %s octet by octet: %s, and the answer is %s%s", gw.Name, gw.ALG.Profile, l.Endpoint, how, r, because(err))
		switch translated := to == netip.AddrPortFrom(gw.Outside.Addrs[0], l.Endpoint.Port()); {
		case b.damaged() != nil:
			s.Inconclusive("a damaged packet has left %s: %v", gw.Name, b.damaged().Packet)
		case gw.ALG.Profile == alg.Reassembling && (!arrived || !translated):
			s.Fail("%s; it should have left for %s", how, gw.Outside.Addrs[0])
		case gw.ALG.Profile == alg.Reassembling:
			s.splitWorks(c, l, how)
		case arrived && (parse != nil || to != l.Endpoint && !translated):
			s.Fail("%s; nobody has named that endpoint", how)
		case errors.Is(err, fakeclient.ErrTimeout):
			s.Fail("%s: neither an answer nor an error", how)
		default:
			s.Note("%s", how)
		}
	}
}

// octetByOctet sends a command one octet at a time and waits for its reply, or
// for TCP to give up.
func (c *Control) octetByOctet(line string) (Received, error) {
	text := line + "\r\n"
	var cuts []int
	for i := 1; i < len(text); i++ {
		cuts = append(cuts, i)
	}
	if err := c.SendSplit([]byte(text), 10*time.Millisecond, cuts...); err != nil {
		c.lost(err)
		return Received{}, err
	}
	return c.await(line, tcpGivesUp)
}

// splitWorks sees whether the data connection comes that a line has announced.
func (s *Session) splitWorks(c *Control, l *fakeclient.Listener, how string) {
	if c.raw || c.gone {
		s.Inconclusive("%s", how)
	}
	c.settle()
	t := c.Retrieve(&Path{Mode: PORT, Endpoint: l.Endpoint, Listener: l, c: c}, "RETR %s", SmallFile)
	if t.Data == nil || !t.OK() {
		s.Fail("%s, and the transfer failed: %s", how, t)
	}
}

// cutLast cuts a text at the last line that begins with a word, which line
// includes.
func cutLast(text, word string) (before, line string, found bool) {
	lines := slices.Collect(strings.Lines(text))
	for i := len(lines) - 1; i >= 0; i-- {
		if strings.HasPrefix(lines[i], word) {
			return strings.Join(lines[:i], ""), strings.TrimRight(lines[i], "\r\n"), true
		}
	}
	return text, "", false
}

func algMTU(s *Session) {
	b := s.border(theGateway)
	c := s.Login()
	k := b.follow(c)
	l := c.Listen()
	// One segment as large as can be, which grows.
	const room, noops = 1420, 200
	text := announcement(PORT, l.Endpoint) + "\r\n" + strings.Repeat("NOOP\r\n", noops)
	text += "SIZE " + strings.Repeat("x", room-len(text)-len("SIZE \r\n")) + "\r\n"
	c.Raw([]byte(text))
	got, err := 0, error(nil)
	for got < noops+2 && err == nil {
		var r Received
		if r, err = c.Next(s.Bounds.Transfer); err == nil {
			if got++; got <= noops+1 && !r.Positive() {
				err = fmt.Errorf("the reply %s", r)
			}
		}
	}
	mtu, full := s.Scene.Wire(theGateway+"/outside").MTU(0), 0
	for _, x := range b.inside.segments(k.in.client, k.in.server) {
		full = max(full, len(x.Data))
	}
	to, line := k.commandsTo()
	switch {
	case full < mtu:
		s.Inconclusive("the largest packet has %d octets, so that none had to outgrow the %d of the next network", full, mtu)
	case b.damaged() != nil:
		s.Inconclusive("a damaged packet has left the gateway: %v", b.damaged().Packet)
	case line != "" && to.Addr() != outsideAddr:
		s.Inconclusive("PORT was not translated: %q", line)
	case err != nil:
		s.Fail("of %d commands in a full segment %d were answered, then came %v; the translation makes it %d octets too large", noops+2, got, err, len(commas(outsideAddr))-len(commas(l.Endpoint.Addr())))
	}
}

// commandsTo is announced for PORT, where there need not be one.
func (k *talk) commandsTo() (netip.AddrPort, string) {
	text, _ := k.commands(k.b.outside)
	_, line, _ := cutLast(text, "PORT ")
	ep, _ := endpointIn(PORT, line)
	return ep, line
}
