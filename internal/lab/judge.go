package lab

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ftpconform/ftpconform/ftp"
	"github.com/ftpconform/ftpconform/netsim"
)

// judgement finds the reason of an outcome in what the client knows and in what
// went over the wires.
type judgement struct {
	act    *Act
	spec   *netsim.Topology
	client *client
	story  *ActStory
	told   *teller
	// dials are the hops of the first segment of the data connection.
	dials []Message
}

// judge says how an act ended and why.
func judge(act *Act, spec *netsim.Topology, s *ActStory, c *client, t *teller) (Outcome, string) {
	j := &judgement{act: act, spec: spec, client: c, story: s, told: t}
	for _, m := range s.Messages {
		if !m.Control && m.Text == "SYN" {
			j.dials = append(j.dials, m)
		}
	}
	if c.stage == atEnd {
		return Works, j.works()
	}
	return Fails, j.fails()
}

// dialler and listener are the hosts that begin and await the data connection.
func (j *judgement) dialler() string {
	if j.act.Mode.Active() {
		return j.spec.Server
	}
	return j.spec.Client
}

func (j *judgement) listener() string {
	if j.act.Mode.Active() {
		return j.spec.Client
	}
	return j.spec.Server
}

// named is the endpoint that stands in the line that sets the data connection
// up, as it leaves its author and as it reaches the other one. ok is false when
// it did not get there, or names no address.
func (j *judgement) named() (wrote, read netip.AddrPort, ok bool) {
	for _, m := range j.story.Messages {
		if !m.Control {
			continue
		}
		ep, found := endpointIn(m.Text)
		if found && m.From == j.listener() {
			wrote = ep
		}
		if found && m.To == j.dialler() && !m.Lost {
			read, ok = ep, true
		}
	}
	return wrote, read, ok
}

// endpointIn finds the endpoint in a line of PORT, EPRT or 227.
func endpointIn(line string) (netip.AddrPort, bool) {
	var ep netip.AddrPort
	err := errors.ErrUnsupported
	if arg, ok := strings.CutPrefix(line, "PORT "); ok {
		ep, err = ftp.ParseHostPort(arg)
	} else if arg, ok := strings.CutPrefix(line, "EPRT "); ok {
		ep, err = ftp.ParseExtended(arg)
	} else if text, ok := strings.CutPrefix(line, "227 "); ok {
		ep, err = ftp.ParsePASVReply(text)
	}
	return ep, err == nil
}

// line is what the endpoint stands in.
func (j *judgement) line() string {
	switch j.act.Mode {
	case PASV:
		return "227"
	case EPSV:
		return "229"
	default:
		return string(j.act.Mode)
	}
}

// gateway finds a gateway by its name.
func (j *judgement) gateway(name string) (netsim.Gateway, bool) {
	for _, g := range j.spec.Gateways {
		if g.Name == name {
			return g, true
		}
	}
	return netsim.Gateway{}, false
}

// works says why a transfer worked: by what right the data connection has
// passed each gateway.
func (j *judgement) works() string {
	who := "the " + j.dialler()
	var passed []string
	outward := true
	for i, m := range j.dials {
		g, ok := j.gateway(m.To)
		if !ok || m.Lost {
			continue
		}
		passed = append(passed, g.Name)
		back := i+1 < len(j.dials) && j.dials[i+1].Wire == m.Wire
		outward = outward && m.Wire == g.Inside.Network && !back
	}
	switch to := j.client.announced; {
	case len(passed) == 0 && len(j.spec.Gateways) == 0:
		return fmt.Sprintf("Nothing stands between them: %s connects to %v.", who, j.first().Dst)
	case len(passed) == 0:
		return fmt.Sprintf("Both are on one network: %s connects to %v, and no gateway is on the way.", who, j.first().Dst)
	case outward:
		return fmt.Sprintf("%s makes the data connection itself, from inside, and %s it out.", capital(who), let(passed))
	case j.act.Mode == EPSV:
		return fmt.Sprintf("229 names a port alone: the client connects to the address that it knows, %v, and %s.", to, j.letsIn())
	default:
		return j.worksInward(who)
	}
}

// worksInward is works for a data connection that a gateway has let in.
func (j *judgement) worksInward(who string) string {
	wrote, read, ok := j.named()
	if ok && wrote != read {
		return j.helped(read, who)
	}
	return fmt.Sprintf("%s names %v, which %s can reach: %s.", j.line(), read, who, j.letsIn())
}

// letsIn says by what right the last gateway on the way let the data connection
// in.
func (j *judgement) letsIn() string {
	name, to := "", netip.AddrPort{}
	for _, m := range j.dials {
		if _, ok := j.gateway(m.To); ok {
			name, to = m.To, m.Dst
		}
	}
	for _, s := range j.story.Tables {
		for _, e := range s.Entries {
			switch {
			case s.Gateway != name || e.Kind != KindConnection || e.ServerSeen != to:
			case e.Expected:
				return name + " lets it in because its helper has read the announcement"
			case e.Server != e.ServerSeen:
				return fmt.Sprintf("%s leads this port to %v", name, e.Server)
			}
		}
	}
	return name + " lets it in"
}

// helped says that helpers have put an endpoint into the announcement.
func (j *judgement) helped(ep netip.AddrPort, who string) string {
	var names []string
	for _, m := range j.story.Messages {
		if _, ok := j.gateway(m.From); ok && m.Control && strings.Contains(m.Note, " becomes ") && !slices.Contains(names, m.From) {
			names = append(names, m.From)
		}
	}
	if len(names) == 1 {
		return fmt.Sprintf("The helper of %s writes %v into %s and lets %s in there.", names[0], ep, j.line(), who)
	}
	return fmt.Sprintf("The helpers of %s write into %s, so that it arrives with %v, and let %s in there.", strings.Join(names, " and "), j.line(), ep, who)
}

// let lists who lets something happen.
func let(names []string) string {
	if len(names) == 1 {
		return names[0] + " lets"
	}
	return strings.Join(names, " and ") + " let"
}

func (j *judgement) first() Message {
	if len(j.dials) == 0 {
		return Message{}
	}
	return j.dials[0]
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
