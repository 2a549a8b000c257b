package suites

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// The checks of what a helper makes of the numbers of TCP where a text changes
// its length, and of the checksums: RFC 2663 section 7.1, RFC 3022 section 4.4,
// RFC 3027 section 4.1.
var algNumberChecks = []Check{
	{
		ID: "alg-sequence-numbers", Requirements: []string{"FTP-NAT-005"}, In: []Topology{ClientNATALG},
		Title:    "After a text has grown or shrunk, the control connection stays in step for good",
		Why:      "Without the correction of every later segment the session stalls, or commands lose their first octet.",
		Conforms: []string{"after a PORT that grew, and after one that shrank, with another command behind it, 500 commands are answered; but for the endpoint, both ends have one stream, and nothing had to be repeated (RFC 3022 section 4.4, RFC 2663 section 7.1)"},
		Fails: []string{"a command is not answered, or something else is (RFC 3022 section 4.4)", "octets are lost, added or changed (RFC 2663 section 7.1)",
			"segments are repeated although none was lost (RFC 3022 section 4.4)"},
		Network: func(t *netsim.Topology) {
			addHost(t, "second", "home", "10.200.200.200")
			renumber(t, "10.0.0.0/8", "10.0.0.1", "10.0.0.2", "10.200.200.200")
		},
		Run: algSequenceNumbers,
	},
	{
		ID: "alg-sack", Requirements: []string{"FTP-NAT-005"}, In: []Topology{ClientNATALG},
		Title:    "Selective acknowledgements are corrected like the others",
		Why:      "A sender that is told of octets it never sent takes no selective acknowledgement for valid, or takes the wrong ones for received.",
		Conforms: []string{"after a PORT that grew and the loss of a later segment, the edges in the acknowledgements that reach the client are edges of its own segments (RFC 3022 section 4.4, RFC 2018 section 3)"},
		Fails:    []string{"an edge that is none (RFC 2018 section 3)"},
		Network:  growing,
		Run:      algSACK,
	},
	{
		ID: "alg-same-length", Requirements: []string{"FTP-NAT-006"}, In: []Topology{ClientNATALG, ServerNATALG}, Varies: true,
		Title:    "Where a text keeps its length, only the checksum changes",
		Why:      "The simplest case is the one that every helper has to get right.",
		Conforms: []string{"the translated segment has the right TCP checksum, and all segments have the same numbers on both sides (RFC 2663 section 7.1)"},
		Fails:    []string{"a wrong checksum (RFC 2663 section 7.1)", "another sequence number or acknowledgement (RFC 2663 section 7.1)"},
		Network:  sameLength,
		Run:      algSameLength,
	},
	{
		ID: "alg-checksums", Requirements: []string{"FTP-NAT-007"}, In: []Topology{ClientNATALG, ServerNATALG}, Varies: true,
		Title:    "Whatever leaves the gateway has the right lengths and checksums",
		Why:      "The receiver drops a damaged packet without a word; the sender repeats it until it gives up.",
		Conforms: []string{"of all packets that leave on either side, the length and checksum in the IP header and the TCP checksum are right (RFC 3027 section 4.1, RFC 3022 section 4.1)"},
		Fails:    []string{"one that is not (RFC 3027 section 4.1, RFC 3022 section 4.1)"},
		Network:  growing,
		Run:      algChecksums,
	},
	{
		ID: "alg-many-texts", Requirements: []string{"FTP-NAT-008"}, In: []Topology{ClientNATALG, ServerNATALG}, Varies: true,
		Title:    "The changes of many texts add up",
		Why:      "A client sends PORT before every transfer; a helper that knows the last change alone loses the session at the second file.",
		Conforms: []string{"after each of 50 PORT and EPRT commands, or 227 replies, the next command is answered, and both ends have one stream but for the endpoints (RFC 3022 section 4.4)"},
		Fails:    []string{"a command is not answered, or something else is (RFC 3022 section 4.4)", "octets are lost, added or changed (RFC 2663 section 7.1)"},
		Network:  growing,
		Run:      algManyTexts,
	},
	{
		ID: "alg-repetition", Requirements: []string{"FTP-NAT-009"}, In: []Topology{ClientNATALG, ServerNATALG}, Varies: true,
		Title:    "A segment that is sent again is translated again to the same text, and counts once",
		Why:      "Segments get lost; the repetition must not tell the server the private address, nor put the numbers out of step.",
		Conforms: []string{"when the first copy of PORT, or of 227, is lost behind the gateway, the second one has the same text and number, and the session goes on (RFC 2663 section 7.1)"},
		Fails:    []string{"the repetition has another text or number (RFC 2663 section 7.1)", "the session is out of step afterwards (RFC 3022 section 4.4)"},
		Network:  growing,
		Run:      algRepetition,
	},
}

// clientHelped reports whether it is the client that is behind the gateway with
// the helper, and not the server.
func (s *Session) clientHelped() bool { return s.Scene.Topology.Gateways[0].Inside.Network == "home" }

// inStepAfter sends commands and fails the check if one is not answered as it
// should be.
func (c *Control) inStepAfter(what string, commands int) {
	for range commands {
		if !c.Alive(what) {
			panic(stopped{}) // Alive has said why
		}
	}
}

// oneStream checks that both ends of a control connection have the same texts,
// but for what has been translated: it makes the texts outside of those inside.
func (k *talk) oneStream(translate *strings.Replacer) {
	for _, dir := range []struct {
		who string
		get func(*tape) (string, error)
	}{{"client", k.commands}, {"server", k.replies}} {
		inside, err := dir.get(k.b.inside)
		if err != nil {
			k.b.s.Fail("inside, what the %s said cannot be put together: %v", dir.who, err)
		}
		outside, err := dir.get(k.b.outside)
		if err != nil {
			k.b.s.Fail("outside, what the %s said cannot be put together: %v", dir.who, err)
		}
		if want := translate.Replace(inside); want != outside {
			i := 0
			for i < min(len(want), len(outside)) && want[i] == outside[i] {
				i++
			}
			k.b.s.Fail("what the %s said is not the same on both sides: at octet %d, %.40q should stand outside, and %.40q does", dir.who, i, want[i:], outside[i:])
		}
	}
}

// repeated counts the segments with octets that came to the gateway a second
// time.
func (k *talk) repeated() int {
	n := 0
	for _, way := range [][2]netip.AddrPort{{k.in.client, k.in.server}, {k.in.server, k.in.client}} {
		var next uint32
		for i, x := range k.b.inside.segments(way[0], way[1]) {
			if i > 0 && x.View.Len() > 0 && int32(x.View.Seq-next) < 0 {
				n++
			}
			if i == 0 || int32(x.View.Next()-next) > 0 {
				next = x.View.Next()
			}
		}
	}
	return n
}

func algSequenceNumbers(s *Session) {
	b := s.border(theGateway)
	for _, host := range []string{"client", "second"} {
		from := s.Scene.Host(host).Addr(outsideAddr)
		c := s.LoginFrom(from, s.Target.Address)
		k := b.follow(c)
		l := c.Listen()
		line := announcement(PORT, l.Endpoint)
		// One segment, so that something follows the text that changes.
		if err := c.SendOctets([]byte(line + "\r\nNOOP\r\n")); err != nil {
			s.Inconclusive("%v", err)
		}
		if r, err := c.await(line, s.Bounds.Reply); err != nil || !r.Positive() {
			s.Inconclusive("PORT was answered %s%s", r, because(err))
		}
		to, _ := k.announced(PORT)
		if to.Addr() != outsideAddr {
			s.Inconclusive("PORT was not translated: outside it names %s", to)
		}
		if r, err := c.await("NOOP", s.Bounds.Reply); err != nil || !r.Positive() {
			s.Fatal("the command right behind PORT, in its segment, was answered %s%s", r, because(err))
		}
		c.inStepAfter(fmt.Sprintf("PORT for %s has become one for %s", l.Endpoint, to), 500)
		k.oneStream(strings.NewReplacer(line, announcement(PORT, to)))
		if n := k.repeated(); n > 0 {
			s.Fail("%d segments were repeated, although none was lost", n)
		}
	}
}

func algSACK(s *Session) {
	b := s.border(theGateway)
	c := s.Login()
	k := b.follow(c)
	l := c.Listen()
	to := k.mustAnnounce(c, PORT, l.Endpoint)
	if len(commas(to.Addr())) == len(commas(l.Endpoint.Addr())) {
		s.Inconclusive("the text has kept its length")
	}
	lost := false
	s.Scene.intercept(theGateway+"/outside", func(_ *packet.Packet, v *packet.View) bool {
		if v.Len() > 0 && !lost {
			lost = true
			return false
		}
		return true
	})
	for range 4 {
		if err := c.Send("NOOP"); err != nil {
			s.Inconclusive("%v", err)
		}
	}
	for range 4 {
		if r, err := c.await("NOOP", s.Bounds.Reply); err != nil || !r.Positive() {
			s.Inconclusive("after the loss of a segment NOOP was answered %s%s", r, because(err))
		}
	}
	edges := map[uint32]bool{}
	for _, x := range b.inside.segments(k.in.client, k.in.server) {
		edges[x.View.Seq], edges[x.View.Next()] = true, true
	}
	blocks := 0
	for _, x := range b.inside.segments(k.in.server, k.in.client) {
		x.MapSACK(&x.View, func(edge uint32) uint32 {
			if blocks++; !edges[edge] {
				s.Fatal("an acknowledgement of the server reaches the client with the edge %d, where none of its segments begins or ends", edge)
			}
			return edge
		})
	}
	if blocks == 0 {
		s.Inconclusive("there was no selective acknowledgement")
	}
}

func algSameLength(s *Session) {
	b := s.border(theGateway)
	c := s.Login()
	k := b.follow(c)
	word, m := "PORT ", PORT
	from, to := k.out.client, k.out.server
	if s.clientHelped() {
		_, _ = c.Try(announcement(PORT, c.Listen().Endpoint)) // what it has become is looked at below
	} else {
		word, m = "227 ", PASV
		from, to = to, from
		_, _ = c.Try("PASV")
	}
	if ep, line := k.announced(m); ep.Addr() != outsideAddr {
		s.Inconclusive("the text is not translated: %q", line)
	}
	for _, x := range b.outside.segments(from, to) {
		if strings.HasPrefix(string(x.Payload(&x.View)), word) && !x.ChecksumOK(&x.View) {
			s.Fatal("the translated segment %v has left with a wrong TCP checksum", x.Packet)
		}
	}
	for _, way := range [][4]netip.AddrPort{{k.in.client, k.in.server, k.out.client, k.out.server}, {k.in.server, k.in.client, k.out.server, k.out.client}} {
		inside, outside := b.inside.segments(way[0], way[1]), b.outside.segments(way[2], way[3])
		for i := range min(len(inside), len(outside)) {
			x, y := &inside[i].View, &outside[i].View
			if x.Seq != y.Seq || x.Ack != y.Ack || x.Len() != y.Len() {
				s.Fatal("inside a segment is %v, and outside %v; with a text of the same length the numbers should be the same", inside[i].Packet, outside[i].Packet)
			}
		}
	}
}

// damage says what is wrong with a packet as it was sent, "" if nothing is.
func (x *passage) damage() string {
	switch {
	case x.Err != nil:
		return x.Err.Error()
	case len(x.Data) != len(x.IPPayload(&x.View))+20:
		return fmt.Sprintf("%d octets, and the IP header says %d", len(x.Data), len(x.IPPayload(&x.View))+20)
	case !x.ChecksumOK(&x.View):
		return "wrong TCP or ICMP checksum"
	}
	return ""
}

// damaged finds the first damaged packet that has left the gateway, nil if there
// is none.
func (b *border) damaged() *passage {
	for _, x := range b.leaving() {
		if x.damage() != "" {
			return &x
		}
	}
	return nil
}

func algChecksums(s *Session) {
	b := s.border(theGateway)
	defer func() {
		if x := b.damaged(); x != nil {
			s.Fail("a damaged packet has left the gateway (%s): %v", x.damage(), x.Packet)
		}
	}()
	c, err := s.TryLogin()
	if err != nil {
		s.Inconclusive("no session: %v", err)
	}
	if s.clientHelped() {
		l := c.Listen()
		c.Cmd("%s", announcement(PORT, l.Endpoint))
		c.Retrieve(&Path{Mode: PORT, Endpoint: l.Endpoint, Listener: l, c: c}, "RETR %s", SmallFile)
	} else {
		c.Retrieve(c.SetUp(PASV), "RETR %s", SmallFile)
	}
}

func algManyTexts(s *Session) {
	b := s.border(theGateway)
	c := s.Login()
	k := b.follow(c)
	var pairs []string
	for i := range 49 { // and one more, the first time
		// Ports of one to three digits in both octets, in no order.
		ep := netip.AddrPortFrom(c.Local.Addr(), uint16(1025+i*7919%64000))
		m := []Mode{PORT, EPRT}[i%2]
		line := announcement(m, ep)
		if !s.clientHelped() {
			m, line = PASV, "PASV"
		}
		if i == 0 {
			k.mustTranslate(c, m, line)
		}
		r, err := c.Try(line)
		if err != nil {
			s.Fatal("after %d translated texts: %v", i+1, err)
		}
		to, said := k.announced(m)
		switch {
		case to.Addr() != outsideAddr:
			s.Inconclusive("the text is not translated: %q", said)
		case !r.Positive():
			s.Fatal("after %d translated texts %s was answered %s", i+1, line, r)
		}
		if m.Active() {
			pairs = append(pairs, line, announcement(m, to))
		}
		c.inStepAfter(fmt.Sprintf("%d translated texts", i+2), 1)
	}
	if !s.clientHelped() {
		inside := s.Scene.Server().Addr(outsideAddr)
		pairs = []string{commas(inside) + ",", commas(outsideAddr) + ","}
	}
	k.oneStream(strings.NewReplacer(pairs...))
}

func algRepetition(s *Session) {
	b := s.border(theGateway)
	c := s.Login()
	k := b.follow(c)
	word, m, line := "PORT ", PORT, announcement(PORT, c.Listen().Endpoint)
	from, to := k.out.client, k.out.server
	if !s.clientHelped() {
		word, m, line = "227 ", PASV, "PASV"
		from, to = to, from
	}
	lost := false
	s.Scene.intercept(theGateway+"/outside", func(p *packet.Packet, v *packet.View) bool {
		first := !lost && strings.HasPrefix(string(p.Payload(v)), word)
		lost = lost || first
		return !first
	})
	_, err := c.Try(line)
	var copies []passage
	for _, x := range b.outside.segments(from, to) {
		if strings.HasPrefix(string(x.Payload(&x.View)), word) {
			copies = append(copies, x)
		}
	}
	if len(copies) > 0 {
		x := copies[0]
		if ep, err := endpointIn(m, strings.TrimRight(string(x.Payload(&x.View)), "\r\n")); err != nil || ep.Addr() != outsideAddr {
			s.Inconclusive("the text is not translated: %q", x.Payload(&x.View))
		}
		for _, y := range copies[1:] {
			if string(x.Payload(&x.View)) != string(y.Payload(&y.View)) || x.View.Seq != y.View.Seq {
				s.Fatal("%q has left with number %d, and when it was repeated, as %q with number %d",
					x.Payload(&x.View), x.View.Seq, y.Payload(&y.View), y.View.Seq)
			}
		}
	}
	if err != nil || len(copies) < 2 {
		s.Inconclusive("%d copies of the segment have left the gateway%s", len(copies), because(err))
	}
	c.inStepAfter("the repetition of a translated text", 3)
}
