package suites

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// The checks of what a NAT lets in: RFC 5382 sections 4.2 and 4.3.
var natFilterChecks = []Check{
	{
		ID: "nat-simultaneous-open", Requirements: []string{"FTP-NAT-017"}, In: []Topology{ClientNAT},
		Title:    "A connection that both ends open at once comes about, also when the outer SYN is the earlier one",
		Why:      "Peers behind NATs open connections that way; who drops or refuses the SYN that comes from outside ends the attempt.",
		Conforms: []string{"SYNs that cross behind the gateway both arrive, and one that came before the inner one is passed over in silence; each time the connection carries data (RFC 5382 sections 4.2 and 4.3)"},
		Fails:    []string{"the SYN from outside does not pass (RFC 5382 section 4.2)", "no connection comes about (RFC 5382 sections 4.2 and 4.3)"},
		Run:      natSimultaneousOpen,
	},
	{
		ID: "nat-unsolicited", Requirements: []string{"FTP-NAT-018"}, In: []Topology{ClientNAT},
		Title:    "A SYN that nobody has asked for is not answered for six seconds",
		Why:      "A RST in answer to it ends the simultaneous open of which it may be the first half.",
		Conforms: []string{"silence for 6 s, then an ICMP port unreachable (RFC 5382 section 4.3)"},
		Noted:    []string{"silence for good, as a matter of policy (RFC 5382 section 4.3)"},
		Fails:    []string{"an answer within 6 s, or a RST later (RFC 5382 section 4.3)"},
		Run:      natUnsolicited,
	},
	{
		ID: "nat-filtering", Requirements: []string{"FTP-NAT-019"}, In: []Topology{ClientNAT},
		Title:    "The server gets through to the default data port, the one that the control connection comes from",
		Why:      "A client that sends no PORT waits there; what the server needs to know it sees.",
		Conforms: []string{"a connection from the server's port 20 arrives, with filtering that does not depend on the peer and with one that depends on its address (RFC 5382 section 4.3)"},
		Noted:    []string{"nobody gets through, where the filtering depends on the port as well; it fails in the strict profile"},
		Fails:    []string{"in the strict profile: nobody gets through (RFC 5382 section 4.3)"},
		Network: func(t *netsim.Topology) {
			addHome(t, "open", 6, gateway.NAT{}, "")
		},
		Run: natFiltering,
	},
}

// dialled is what came of a dial in the background.
type dialled struct {
	conn net.Conn
	err  error
}

// dialFrom dials from a host of the network while the check goes on.
func (s *Session) dialFrom(host string, from, to netip.AddrPort) <-chan dialled {
	h, out := s.Scene.Host(host), make(chan dialled, 1)
	h.Go(host, func() {
		ctx, cancel := context.WithCancel(context.Background())
		defer h.AfterFunc(s.Bounds.Dial, cancel)()
		conn, err := h.Dial(ctx, from, to)
		out <- dialled{conn, err}
	})
	return out
}

// carries reports why a connection does not carry data in both directions.
func (s *Session) carries(ends ...dialled) error {
	for i, from := range ends {
		to := ends[1-i]
		if err := errors.Join(from.err, to.err); err != nil {
			return err
		}
		text, got := []byte("octets"), make([]byte, 6)
		_, err := from.conn.Write(text)
		err = errors.Join(err, to.conn.SetReadDeadline(s.clock().Now().Add(s.Bounds.Reply)))
		if _, rerr := io.ReadFull(to.conn, got); err != nil || rerr != nil || !bytes.Equal(got, text) {
			return errors.Join(err, rerr)
		}
	}
	return nil
}

func natSimultaneousOpen(s *Session) {
	b := s.border(theGateway)
	inner := netip.AddrPortFrom(s.Scene.Client().Addr(outsideAddr), 40001)
	// Which endpoint the client has outside, its peer learns from a third party.
	if _, err := s.Client.DialData(inner, s.Target.Address); err != nil {
		s.Inconclusive("no connection: %v", err)
	}
	outer := b.outside.syns(s.Target.Address)[0].View.Src
	for _, early := range []struct {
		what  string
		inner time.Duration // the inner SYN is so much later than the outer one
	}{
		// The first one, because the second makes the stranger a known peer.
		{"a SYN that comes 2 s before the client's own", 2 * time.Second},
		{"SYNs that cross behind the gateway", -700 * time.Microsecond}, // less than the way from there to the stranger
	} {
		peer := netip.AddrPortFrom(s.Scene.Stranger().Addr(outsideAddr), uint16(otherPort+early.inner/time.Second))
		var near, far <-chan dialled
		dialNear := func() { near = s.dialFrom("client", inner, peer) }
		dialFar := func() { far = s.dialFrom("stranger", peer, outer) }
		if early.inner < 0 {
			dialNear()
			s.Sleep(-early.inner)
			dialFar()
		} else {
			dialFar()
			s.Sleep(early.inner)
			dialNear()
		}
		ends := []dialled{<-near, <-far}
		if syns := b.outside.syns(peer); len(syns) == 0 || syns[0].View.Src != outer {
			s.Inconclusive("%s, which is %s for others, has another outside endpoint for %s", inner, outer, peer)
		}
		if err := s.carries(ends...); err != nil {
			s.Fail("after %s, between %s (outside %s) and %s, no connection comes about: %v", early.what, inner, outer, peer, err)
		}
		for _, d := range ends {
			if d.conn != nil {
				defer func() { _ = d.conn.Close() }()
			}
		}
		passed := b.inside.all(func(x passage) bool {
			return x.Sent && x.opens(inner) && x.View.Src == peer
		})
		if early.inner < 0 && len(passed) == 0 {
			s.Fail("the SYN of %s that crosses that of %s does not reach it", peer, inner)
		}
		s.Sleep(hold) // the silence about the early one is to last, as it has been answered
		for _, x := range b.outside.all(func(x passage) bool { return x.Sent && x.Err == nil && !x.View.TCP }) {
			s.Fail("after %s, the gateway sent %v", early.what, x.Packet)
		}
	}
}

// hold is how long nothing must be said about an unsolicited SYN (RFC 5382
// REQ-4).
const hold = 6 * time.Second

func natUnsolicited(s *Session) {
	b := s.border(theGateway)
	from := netip.AddrPortFrom(s.Scene.Stranger().Addr(outsideAddr), otherPort)
	to := netip.AddrPortFrom(outsideAddr, 40001)
	// A host would repeat its SYN, and could not tell to which the answer is.
	s.Scene.put("stranger", packet.TCP(packet.Segment{Src: from, Dst: to, Seq: 1000, Flags: packet.SYN, Window: 65535}))
	s.Sleep(2 * hold)
	came := b.outside.syns(to)
	if len(came) != 1 {
		s.Inconclusive("the SYN did not reach the gateway")
	}
	answers := b.outside.all(func(x passage) bool { return x.Sent && x.Err == nil && x.View.Dst.Addr() == from.Addr() })
	if len(answers) == 0 {
		s.Note("the SYN was never answered; after 6 s the sender should hear of it, unless that is not wanted")
	}
	for _, x := range answers {
		switch after := x.At.Sub(came[0].At); {
		case after < hold:
			s.Fail("%v after the SYN %v the gateway sent %v; it should say nothing for 6 s", after.Round(time.Millisecond), came[0].Packet, x.Packet)
		case x.View.TCP:
			s.Fail("%v after the SYN %v the gateway sent %v; it should be an ICMP error", after.Round(time.Millisecond), came[0].Packet, x.Packet)
		}
	}
}

func natFiltering(s *Session) {
	for _, host := range []string{"client", "open"} {
		gw := map[string]string{"client": theGateway, "open": "open-gw"}[host]
		b := s.border(gw)
		c := s.LoginFrom(s.Scene.Host(host).Addr(outsideAddr), s.Target.Address)
		k := b.follow(c)
		l := s.ownPort(c)
		t := c.Start("RETR %s", SmallFile)
		t.AwaitConnection(l, s.Config.dataTimeout())
		if t.Data != nil {
			t.Data.Wait(s.Bounds.Transfer)
			t.Finish(s.Bounds.Reply)
		}
		switch {
		case t.Data == nil && len(b.outside.syns(k.out.client)) == 0:
			s.Inconclusive("the server did not connect to %s, where the control connection comes from: %s", k.out.client, t)
		case t.Data == nil:
			s.Strict("the server connects to %s, where the control connection comes from, and does not get through %s to %s: %s", k.out.client, gw, l.Endpoint, t)
		case t.Data != nil && !t.OK():
			s.Inconclusive("the transfer failed: %s", t)
		}
	}
}
