package suites

import (
	"context"
	"net/netip"
)

// pathDialled is the case with a server of the document's time.
func pathDialled(s *Session) {
	f := pathFact{outcome: lost, broken: "FTP-PORT-015", because: "the client is behind a NAT, and where the server is nobody knows its address"}
	w := s.watchServer()
	for _, m := range []Mode{PORT, EPRT} {
		c := s.Login()
		l := c.Listen()
		r, err := c.Try(announcement(m, l.Endpoint))
		switch {
		case err != nil:
			s.breach(f.broken, "%v; %s only names an endpoint and is answered at once", err, m)
			continue
		case m == EPRT && r.In(500, 502):
			s.Note("EPRT is not offered: %s", r)
			continue
		case !r.Positive():
			s.Inconclusive("%s was answered %s, and the server was told to dial foreign addresses", m, r)
		}
		if s.dialsInVain(c, m, l, f) == nil || c.gone {
			continue
		}
		s.told("until then the server sent %d SYN to %s", w.attempts(l.Endpoint.Addr()), l.Endpoint.Addr())
		if !c.Alive("a failed " + string(m)) {
			continue
		}
		if t := c.Retrieve(c.SetUp(PASV), "RETR %s", SmallFile); !t.OK() {
			s.Fail("in the session in which %s had failed a transfer with PASV failed too: %s", m, t)
		}
	}
}

// avoidsDecoy names the client's private address, where another machine in the
// server's network has it and listens.
func (s *Session) avoidsDecoy(m Mode) {
	w := s.watchServer()
	decoy := s.Scene.Host(s.Scene.Topology.Decoy)
	c := s.Login()
	ep := c.Listen().Endpoint
	l, err := decoy.Listen(context.Background(), ep)
	if err != nil {
		s.Inconclusive("the decoy cannot listen: %v", err)
	}
	defer func() { _ = l.Close() }()
	line := announcement(m, ep)
	r := c.Cmd("%s", line)
	t := c.Start("RETR %s", SmallFile)
	switch t.Finish(max(pathPatience, s.Config.dataTimeout())); {
	case w.attempts(ep.Addr()) > 0:
		s.Fail("%s was answered %s, and after RETR the server connected to the machine in its own network that has this address: %s", line, r, t)
	case t.Final.Code == 0:
		s.Fail("%s was answered %s, and RETR has no final reply: %s", line, r, t)
	case t.Final.Positive():
		s.Fail("%s was answered %s, and RETR %s, although the data went nowhere", line, r, t.Final)
	case r.Class() == 5:
		s.told("%s was answered %s, and the machine in the server's network that has this address heard nothing", line, r)
	default:
		s.Note("%s was answered %s; RETR was refused with %s, and nobody was dialled", line, r, t.Final)
	}
}

func pathAdvertised(s *Session) {
	outside := s.Scene.Topology.Advertise
	c := s.Login()
	r := c.Cmd("PASV")
	switch {
	case r.Class() == 4:
		s.Fatal("PASV was answered %s; the server has to name %s, which is the NAT's, and to listen on its own address", r, outside)
	case !r.Positive():
		s.Inconclusive("PASV was answered %s", r)
	}
	ep, err := passiveEndpoint(r.Reply)
	if err != nil {
		s.Inconclusive("no endpoint in the reply to PASV: %v", err)
	}
	p := &Path{Mode: PASV, Endpoint: ep, c: c}
	if ep.Addr() != outside {
		s.Fail("227 names %s; the server is reached at %s, and has been told so", ep.Addr(), outside)
		// What is left to a client is the address that it has reached.
		p.Endpoint = netip.AddrPortFrom(c.Remote.Addr(), ep.Port())
		if t := c.Retrieve(p, "RETR %s", SmallFile); t.OK() {
			s.Note("a client that goes to %s all the same gets the file", p.Endpoint)
		}
	} else if t := c.Retrieve(p, "RETR %s", SmallFile); !t.OK() {
		s.Fail("the transfer over %s, which 227 names, failed: %s", ep, t)
	}
	if !s.Target.Works(EPSV) {
		return
	}
	c = s.Login()
	if t := c.Retrieve(c.SetUp(EPSV), "RETR %s", SmallFile); !t.OK() {
		s.Fail("the transfer with EPSV, which names no address, failed: %s", t)
	}
}

func pathRange(s *Session) {
	r := s.Scene.Topology.PassivePorts
	size := int(r.Last-r.First) + 1
	modes := []Mode{PASV}
	if s.Target.Works(EPSV) {
		modes = append(modes, EPSV)
	}
	var (
		sessions = []*Control{s.Login(), s.Login()}
		held     = map[*Control]netip.AddrPort{}
	)
	for i := range 4 * size {
		c := sessions[i%2]
		p := s.portInRange(c, modes[i/2%len(modes)], i)
		for other, ep := range held {
			if other != c && ep.Port() == p.Endpoint.Port() {
				s.Fatal("port %d was named to two sessions at once", ep.Port())
			}
		}
		held[c] = p.Endpoint
		// Every third is used, the others are replaced.
		if i%3 != 0 {
			continue
		}
		if t := c.Retrieve(p, "RETR %s", SmallFile); !t.OK() {
			s.Fatal("the transfer over port %d, number %d of %d in two sessions, failed: %s", p.Endpoint.Port(), i+1, 4*size, t)
		}
		delete(held, c)
	}
	for _, c := range sessions {
		c.Quit()
	}
	s.usesUp(size)
}

// portInRange sets a passive path up and looks at its port.
func (s *Session) portInRange(c *Control, m Mode, i int) *Path {
	r := s.Scene.Topology.PassivePorts
	reply := c.Cmd("%s", m)
	switch {
	case !reply.Positive() && !reply.In(421, 425, 451):
		s.Inconclusive("%s was answered %s", m, reply)
	case !reply.Positive():
		s.Fatal("%s number %d of two sessions was answered %s; no more than two ports of the range can be in use", m, i+1, reply)
	}
	var p *Path
	if m == EPSV {
		p = c.extendedPath(reply)
	} else {
		ep, err := passiveEndpoint(reply.Reply)
		if err != nil {
			s.Inconclusive("no endpoint in the reply to PASV: %v", err)
		}
		p = &Path{Mode: m, Endpoint: netip.AddrPortFrom(c.Remote.Addr(), ep.Port()), c: c}
	}
	if port := p.Endpoint.Port(); port < r.First || port > r.Last {
		s.Fatal("%s names port %d, outside of the range %d to %d that the firewall opens", m, port, r.First, r.Last)
	}
	if _, err := p.Dial(); err != nil {
		s.Fatal("port %d of %s is in the range and does not accept through the firewall: %v", p.Endpoint.Port(), m, err)
	}
	return p
}

// usesUp opens a port in each of so many sessions as there are ports, and one
// more; then it gives one back. A server that looks for a port at random may not
// find the last ones.
func (s *Session) usesUp(size int) {
	var open []*Control
	seen := map[uint16]bool{}
	late := s.Login()
	r := late.Cmd("PASV")
	for ; r.Positive(); r = late.Cmd("PASV") {
		ep, err := passiveEndpoint(r.Reply)
		switch {
		case err != nil:
			s.Inconclusive("no endpoint in the reply to PASV: %v", err)
		case seen[ep.Port()]:
			s.Fatal("port %d was named to two sessions at once", ep.Port())
		case len(open) == size: // more ports than there are
			s.Fatal("with %d of %d passive ports in use PASV was answered %s; 425 was expected", len(open), size, r)
		}
		seen[ep.Port()], open = true, append(open, late)
		late = s.Login()
	}
	switch {
	case !r.In(425, 421, 451):
		s.Fatal("with %d of %d passive ports in use PASV was answered %s; 425 was expected", len(open), size, r)
	case len(open) < size:
		s.Note("only %d of %d ports of the range could be used", len(open), size)
	}
	if late.gone || len(open) == 0 {
		return
	}
	open[0].Quit()
	s.Sleep(s.Bounds.Close)
	if r := late.Cmd("PASV"); !r.Positive() {
		s.Fail("when one of %d passive ports was free again PASV was still answered %s", size, r)
	}
}
