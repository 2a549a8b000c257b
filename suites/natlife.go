package suites

import (
	"errors"
	"net/netip"
	"syscall"
	"time"

	"github.com/ftpconform/ftpconform/fakeclient"
	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// The checks of how long a NAT keeps a connection, and of what must not end it:
// RFC 5382 sections 4.2, 5 and 7.3, RFC 5508 section 4.
var natLifeChecks = []Check{
	{
		ID: "nat-established", Requirements: []string{"FTP-NAT-020"}, In: []Topology{ClientNAT},
		Title:    "A silent control connection is kept for two hours and four minutes",
		Why:      "The control connection says nothing while a long transfer goes on; a gateway that forgets it loses the 226, and the client waits for ever.",
		Conforms: []string{"after a transfer of almost 2 h 4 min the final reply arrives (RFC 5382 section 5)"},
		Fails:    []string{"it does not (RFC 5382 section 5)"},
		Waits:    func(*Config) time.Duration { return establishedTime },
		Run:      natEstablished,
	},
	{
		ID: "nat-transitory", Requirements: []string{"FTP-NAT-020"}, In: []Topology{ClientNAT},
		Title:    "A connection that is being opened or closed is kept for four minutes",
		Why:      "A slow or lossy peer answers a SYN late, and repeats its FIN; who is forgotten by then gets no answer.",
		Conforms: []string{"almost 4 min after the last segment, a SYN ACK and a repeated FIN of the outer end get through (RFC 5382 section 5)"},
		Fails:    []string{"one of them does not (RFC 5382 section 5)"},
		Waits:    func(*Config) time.Duration { return 2 * transitoryTime },
		Run:      natTransitory,
	},
	{
		ID: "nat-forgotten", Requirements: []string{"FTP-NAT-020"}, In: []Topology{ClientNAT},
		Title:    "What is sent over a connection that the gateway has forgotten does not leave with its inside address",
		Why:      "Nobody can answer such a packet, so that the client waits for ever, and it tells the world how the inside network is numbered.",
		Conforms: []string{"the gateway makes the connection anew, or drops or rejects the packet (RFC 5382 section 5, RFC 1918 section 3)"},
		Fails:    []string{"a packet leaves with an inside address (RFC 1918 section 3)"},
		Waits:    func(*Config) time.Duration { return 2 * shortTime },
		Network:  func(t *netsim.Topology) { t.Gateways[0].NAT.Timeouts.Established = shortTime },
		Run:      natForgotten,
	},
	{
		ID: "nat-half-closed", Requirements: []string{"FTP-NAT-017"}, In: []Topology{ClientNAT},
		Title:    "After the FIN of one end, what the other one still has to send gets through",
		Why:      "The end that closes first may still be waiting for data, or for the acknowledgement of its own.",
		Conforms: []string{"octets that the outer end sends half a minute after the FIN of the inner one arrive (RFC 5382 section 4.2)"},
		Fails:    []string{"they do not (RFC 5382 section 4.2)"},
		Run:      natHalfClosed,
	},
	{
		ID: "nat-icmp-harmless", Requirements: []string{"FTP-NAT-024"}, In: []Topology{ClientNAT},
		Title:    "An ICMP error about a connection does not end it",
		Why:      "Anybody can send one, and most are about a trouble that passes; it is for the ends to decide.",
		Conforms: []string{"after an ICMP error about the control connection the server's reply still arrives (RFC 5382 section 7.3)"},
		Fails:    []string{"it does not (RFC 5382 section 7.3)"},
		Run:      natICMPHarmless,
	},
	{
		ID: "nat-icmp-translated", Requirements: []string{"FTP-NAT-024"}, In: []Topology{ClientNAT},
		Title:    "An ICMP error reaches the host that it is for, and quotes that host's own packet",
		Why:      "A client that is not told that a data connection cannot be made waits for its own timeout.",
		Conforms: []string{"host unreachable in answer to the SYN of a data connection arrives and names the client's own endpoint, the client gives up at once, and the control connection is not affected (RFC 5382 section 7.3, RFC 5508 section 4)"},
		Fails:    []string{"the error does not arrive, or quotes an endpoint that the client does not know (RFC 5382 section 7.3, RFC 5508 section 4)"},
		Network: func(t *netsim.Topology) {
			for i := range t.Networks {
				t.Networks[i].Silent = false // a router answers for hosts that are not there
			}
		},
		Run: natICMPTranslated,
	},
}

// The times of RFC 5382 REQ-5, and one that is far below.
const (
	establishedTime = 2*time.Hour + 4*time.Minute
	transitoryTime  = 4 * time.Minute
	shortTime       = time.Minute
)

// almost is by how much a wait stays below a time that must be kept.
const almost = 2 * time.Second

func natEstablished(s *Session) {
	s.border(theGateway)
	c := s.Login()
	t := c.Begin(c.SetUp(PASV), "STOR %s", "slow.bin")
	if t.Data == nil {
		s.Inconclusive("no data connection: %s", t)
	}
	t.hear(s.Bounds.Reply) // 150
	const every = 45 * time.Second
	until := s.Client.Trace().Now() + establishedTime - almost
	octets := 0
	for ; s.Client.Trace().Now() < until; octets++ {
		if _, err := t.Data.Send([]byte{'x'}, s.Bounds.Reply); err != nil {
			s.Inconclusive("the data connection does not last: %v", err)
		}
		s.Sleep(min(every, max(until-s.Client.Trace().Now(), 0)))
	}
	_ = t.Data.Close()
	switch t.Finish(s.Bounds.Transfer); {
	case t.Final.Code == 0:
		s.Fail("after a transfer of %v, in which the control connection was silent, its final reply does not arrive: %s", establishedTime-almost, t)
		c.End()
	case !t.OK():
		s.Inconclusive("the transfer failed: %s", t)
	}
}

// party is an end of a connection of which a check makes every segment itself.
type party struct {
	host string
	at   netip.AddrPort // where its segments come from
	to   netip.AddrPort // and go to
	seq  uint32
}

// says sends a segment of a party, which acknowledges all that the other one has
// said.
func (s *Session) says(p, other *party, f packet.Flags) {
	g := packet.Segment{Src: p.at, Dst: p.to, Seq: p.seq, Flags: f, Window: 65535}
	if f.Has(packet.ACK) {
		g.Ack = other.seq
	}
	if f&(packet.SYN|packet.FIN) != 0 {
		p.seq++
	}
	s.Scene.put(p.host, packet.TCP(g))
	s.Sleep(10 * time.Millisecond) // for the way
}

func natTransitory(s *Session) {
	b := s.border(theGateway)
	for _, closing := range []bool{false, true} {
		inner := &party{host: "client", at: netip.AddrPortFrom(s.Scene.Client().Addr(outsideAddr), 40001), seq: 1000}
		outer := &party{host: "stranger", at: netip.AddrPortFrom(s.Scene.Stranger().Addr(outsideAddr), otherPort), seq: 5000}
		if closing {
			inner.at = netip.AddrPortFrom(inner.at.Addr(), 40002)
		}
		inner.to = outer.at
		// The hosts know nothing of this connection, and would reset it.
		for _, host := range []string{"client", "stranger"} {
			s.Scene.intercept(host, func(_ *packet.Packet, v *packet.View) bool { return !v.Flags.Has(packet.RST) })
		}
		s.says(inner, outer, packet.SYN)
		syns := b.outside.syns(outer.at)
		if len(syns) == 0 {
			s.Inconclusive("the SYN did not pass the gateway")
		}
		outer.to = syns[len(syns)-1].View.Src
		last, phase := packet.SYN|packet.ACK, "is being opened"
		if closing {
			s.says(outer, inner, packet.SYN|packet.ACK)
			s.says(inner, outer, packet.ACK)
			s.says(inner, outer, packet.FIN|packet.ACK)
			s.says(outer, inner, packet.FIN|packet.ACK)
			outer.seq-- // to be repeated
			last, phase = packet.FIN|packet.ACK, "is being closed"
		}
		passed := func() int { return len(b.inside.segments(outer.at, inner.at)) }
		before := passed()
		s.Sleep(transitoryTime - almost)
		if s.says(outer, inner, last); passed() == before {
			s.Fail("%v after the last segment of a connection that %s, %v from %s to %s does not get through", transitoryTime-almost, phase, last, outer.at, outer.to)
		}
	}
}

func natForgotten(s *Session) {
	b := s.border(theGateway)
	c := s.Login()
	k := b.follow(c)
	s.Sleep(2 * shortTime)
	if r, err := c.Try("NOOP"); err != nil {
		s.Client.Trace().Note("the session does not go on: %v", err)
		c.End()
	} else {
		s.Client.Trace().Note("the session goes on: %s", r)
	}
	for _, x := range b.outside.all(func(x passage) bool { return x.Sent && x.Err == nil }) {
		if x.View.Src.Addr() == k.in.client.Addr() {
			s.Fatal("%v after its last segment, one of the control connection has left the gateway as %v", 2*shortTime, x.Packet)
		}
	}
}

func natHalfClosed(s *Session) {
	s.border(theGateway)
	near, far := s.pair(netip.AddrPortFrom(s.Scene.Client().Addr(outsideAddr), 0), netip.AddrPortFrom(s.Scene.Stranger().Addr(outsideAddr), otherPort))
	if err := near.CloseWrite(); err != nil {
		s.Inconclusive("%v", err)
	}
	if _ = far.Read(1, s.Bounds.Close); far.End().Ending != fakeclient.EndFIN {
		s.Inconclusive("the FIN has not arrived: %s", far.End().Ending)
	}
	s.Sleep(30 * time.Second)
	text := []byte("still there")
	_, err := far.Send(text, s.Bounds.Reply)
	if rerr := near.Read(int64(len(text)), s.Bounds.Transfer); err != nil || rerr != nil {
		s.Fail("half a minute after the FIN of %s, %d octets of %s do not arrive there: %v", near.Local, len(text), far.Local, errors.Join(err, rerr))
	}
}

func natICMPHarmless(s *Session) {
	b := s.border(theGateway)
	c := s.Login()
	k := b.follow(c)
	t := c.Begin(c.SetUp(PASV), "STOR %s", "small2.bin")
	if t.Data == nil {
		s.Inconclusive("no data connection: %s", t)
	}
	t.hear(s.Bounds.Reply) // 150
	said := b.outside.segments(k.out.client, k.out.server)
	about := said[len(said)-1]
	for _, why := range []packet.Unreachable{packet.HostUnreachable, packet.PortUnreachable} {
		s.Scene.put("stranger", packet.ICMPError(s.Scene.Stranger().Addr(outsideAddr), about.Packet, &about.View, why, 0))
	}
	s.Sleep(time.Second)
	_, err := t.Data.Send(SmallContent, s.Bounds.Reply)
	_ = t.Data.Close()
	switch t.Finish(s.Bounds.Transfer); {
	case t.Final.Code == 0:
		s.Fail("after ICMP errors about %v the reply of the server does not arrive: %s", about.Packet, t)
		c.End()
	case err != nil || !t.OK():
		s.Inconclusive("the transfer failed: %s%s", t, because(err))
	}
}

func natICMPTranslated(s *Session) {
	b := s.border(theGateway)
	c := s.Login()
	nobody := netip.AddrPortFrom(netip.MustParseAddr("218.63.1.77"), 50000)
	began := s.Client.Trace().Now()
	_, err := s.Client.DialData(netip.AddrPortFrom(c.Local.Addr(), 0), nobody)
	took := s.Client.Trace().Now() - began
	errorsAt := func(t *tape, sent bool) []passage {
		return t.all(func(x passage) bool {
			_, _, dst, ok := x.Quote(&x.View)
			return x.Sent == sent && x.Err == nil && ok && dst == nobody
		})
	}
	came, passed := errorsAt(b.outside, false), errorsAt(b.inside, true)
	if len(came) == 0 {
		s.Inconclusive("there was no ICMP error about a connection to %s%s", nobody, because(err))
	}
	if len(passed) == 0 {
		s.Fatal("%v has come to the gateway, and none has left it for the client, who gave up after %v: %v", came[0].Packet, took, err)
	}
	syns := b.inside.syns(nobody)
	if _, src, _, _ := passed[0].Quote(&passed[0].View); src != syns[0].View.Src {
		s.Fatal("%v has come to the gateway, and left as %v; the client knows the connection as one of %s", came[0].Packet, passed[0].Packet, syns[0].View.Src)
	}
	if !errors.Is(err, syscall.EHOSTUNREACH) && !errors.Is(err, syscall.ENETUNREACH) {
		s.Inconclusive("the client's host was told by %v, and does not mind: %v", passed[0].Packet, err)
	}
	c.Alive("an ICMP error about another connection")
}
