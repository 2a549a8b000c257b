package reference

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ftpconform/ftpconform/ftp"
)

// cmdPASV is RFC 959 section 4.1.2. On an IPv6 control connection it is
// refused, because 227 could not name the server.
func (s *session) cmdPASV(cmd ftp.Command) {
	f, t := &s.o.Faults, &s.o.Tolerances
	switch {
	case f.NoPASV:
		s.reply(502, "PASV is not implemented.")
		return
	case s.barred("PASV"):
		return
	case cmd.Arg != "" && !f.PASVIgnoresArgument:
		s.refuseSetup("PASV", 501, "PASV takes no argument.")
		return
	case !s.local.Addr().Is4() && !f.PASVOnIPv6:
		s.refuseSetup("PASV", 501, "PASV cannot express an IPv6 address, use EPSV.")
		return
	}
	at := s.local.Addr()
	if f.PassiveAddrBound {
		at = s.announced()
	}
	p, ok := s.openPassive("PASV", at)
	if !ok {
		return
	}
	tuple := ftp.FormatHostPort(netip.AddrPortFrom(s.announced(), p.port))
	text := "Entering Passive Mode (" + tuple + ")"
	switch {
	case f.PASVFiveNumbers:
		text = "Entering Passive Mode (" + tuple[:strings.LastIndexByte(tuple, ',')] + ")"
	case f.PASVDigitInText:
		text = "Entering IPv4 Passive Mode (" + tuple + ")"
	case t.PASVNoParentheses:
		text = "Entering Passive Mode " + tuple
	case t.PASVTextAround:
		text = "Very well, connect to (" + tuple + ") please"
	}
	s.reply(227, text)
}

// announced is the address for 227, where it has to be an IPv4 one.
func (s *session) announced() netip.Addr {
	if s.o.Faults.PASVWrongAddress {
		return netip.AddrFrom4([4]byte{127, 0, 1, 1})
	}
	if !s.local.Addr().Is4() { // Faults.PASVOnIPv6
		return netip.IPv4Unspecified()
	}
	if s.o.PassiveAddr != nil && !s.o.Faults.PassiveAddrIgnored {
		if a := s.o.PassiveAddr(s.local.Addr(), s.remote.Addr()).Unmap(); a.Is4() {
			return a
		}
	}
	return s.local.Addr()
}

// cmdEPSV is RFC 2428 section 3.
func (s *session) cmdEPSV(cmd ftp.Command) {
	f := &s.o.Faults
	if s.epsvAll && f.EPSVAllLocksEPSV {
		s.reply(503, "EPSV is not allowed after EPSV ALL.")
		return
	}
	arg, err := ftp.ParseEPSVArg(cmd.Arg)
	if f.EPSVIgnoresArgument {
		arg, err = ftp.EPSVArg{}, nil
	}
	var family *ftp.FamilyError
	wrongFamily := errors.As(err, &family) || arg.Family != 0 && !slices.Contains(s.ownFamily(), arg.Family)
	switch {
	case arg.All:
		s.allowOnlyEPSV()
		return
	case f.EPSVRefusesFamily && (arg.Family != 0 || family != nil):
		s.refuseSetup("EPSV", 501, "EPSV takes no argument here.")
		return
	case f.EPSVRefusesIPv4 && s.local.Addr().Is4():
		s.refuseFamily("EPSV", ftp.FamilyIPv6)
		return
	case wrongFamily:
		s.refuseFamily("EPSV", s.ownFamily()...)
		return
	case err != nil:
		s.refuseSetup("EPSV", 501, "EPSV takes a family or ALL.")
		return
	}
	at := s.local.Addr()
	if f.EPSVOtherAddress {
		at = s.o.MainAddr
	}
	p, ok := s.openPassive("EPSV", at)
	if !ok {
		return
	}
	s.setup.epsv = true
	port := p.port
	if f.EPSVClosedPort {
		port = s.closedPort(port)
	}
	s.reply(229, s.formatEPSV(port))
}

// ownFamily is what EPSV can serve: the listener is on the address that the
// client has reached.
func (s *session) ownFamily() []int { return []int{ftp.FamilyOf(s.local.Addr())} }

// formatEPSV prints the text of 229, with the deviations asked for.
func (s *session) formatEPSV(port uint16) string {
	text := ftp.FormatEPSVReply(port)
	if s.o.Faults.EPSVFillsAddress {
		ep := netip.AddrPortFrom(s.local.Addr(), port)
		text = "Entering Extended Passive Mode (" + ftp.FormatExtended(ep) + ")"
	}
	if s.o.Tolerances.EPSVOtherDelimiter {
		text = strings.ReplaceAll(text, "|", "!")
	}
	if s.o.Tolerances.EPSVTrailingDot {
		text += "."
	}
	return text
}

// allowOnlyEPSV is EPSV ALL: from now on no other set-up is accepted, and an
// endpoint that one of them has set before counts no more (RFC 2428 section
// 4). Only the end of the session or REIN lifts it.
func (s *session) allowOnlyEPSV() {
	s.epsvAll = true
	if s.setup.kind != setupPassive || !s.setup.epsv {
		s.dropSetup("EPSV")
		s.setup.kind = setupSpent
	}
	s.reply(200, "EPSV ALL command successful.")
}

// cmdLPSV is RFC 1639 section 3.
func (s *session) cmdLPSV(cmd ftp.Command) {
	switch {
	case s.barred("LPSV"):
		return
	case cmd.Arg != "":
		s.refuseSetup("LPSV", 501, "LPSV takes no argument.")
		return
	}
	p, ok := s.openPassive("LPSV", s.local.Addr())
	if !ok {
		return
	}
	at := s.local.Addr()
	if at.Is4() {
		at = s.announced()
	}
	port := p.port
	if s.o.Faults.LPSVWrongPort {
		port++
	}
	s.reply(228, ftp.FormatLPSVReply(netip.AddrPortFrom(at.WithZone(""), port)))
}

// openPassive replaces the set-up by a listener that is open before the reply
// is sent. Failure is answered with 425, for it may pass.
func (s *session) openPassive(verb string, at netip.Addr) (*passive, bool) {
	s.dropSetup(verb)
	s.setup.kind, s.setup.epsv = setupSpent, false
	p, err := s.listen(at)
	if err != nil {
		s.o.Logger.Warn("no passive port", "client", s.remote, "err", fmt.Errorf("%s: %w", verb, err))
		s.reply(425, "Cannot open a passive port.")
		return nil, false
	}
	s.setup.kind, s.setup.passive, s.setup.lastPort = setupPassive, p, p.port
	s.noteSetup()
	return p, true
}
