package reference

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/ftpconform/ftpconform/ftp"
)

// cmdPORT is RFC 959 section 4.1.2. On an IPv6 control connection it is
// refused, because it cannot name the client.
func (s *session) cmdPORT(cmd ftp.Command) {
	f := &s.o.Faults
	switch {
	case f.NoPORT:
		s.reply(502, "PORT is not implemented.")
		return
	case s.barred("PORT"):
		return
	case !s.remote.Addr().Is4() && f.PORTOnIPv6:
		s.dropSetup("PORT")
		s.setup.kind = setupSpent
		s.acceptSetup("PORT")
		return
	case !s.remote.Addr().Is4():
		s.refuseSetup("PORT", 501, "PORT cannot express an IPv6 address, use EPSV or EPRT.")
		return
	case f.PORTRefusesZero && slices.Contains(strings.Split(cmd.Arg, ","), "0"):
		s.refuseSetup("PORT", 501, "Zero is not a number from 1 to 255.")
		return
	}
	ep, err := ftp.ParseHostPort(cmd.Arg)
	if err != nil && f.PORTLenient {
		if ep = lenientHostPort(cmd.Arg); ep.Port() != 0 {
			err = nil
		}
	}
	if head, zero := strings.CutSuffix(cmd.Arg, ",0,0"); err != nil && zero && f.PORTAcceptsPortZero {
		ep, err = ftp.ParseHostPort(head + ",0,1")
		ep = netip.AddrPortFrom(ep.Addr(), 0)
	}
	if err != nil {
		s.refuseSetup("PORT", 501, "PORT needs six numbers from 0 to 255 and a port that is not 0.")
		return
	}
	s.setEndpoint("PORT", ep)
}

// lenientHostPort reads what Faults.PORTLenient lets pass.
func lenientHostPort(s string) netip.AddrPort {
	var n [6]byte
	for i, field := range strings.SplitN(s, ",", 7) {
		digits := field[:len(field)-len(strings.TrimLeft(field, "0123456789"))]
		if v, err := strconv.ParseUint(digits, 10, 64); err == nil && i < len(n) {
			n[i] = byte(v)
		}
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(n[:4])), uint16(n[4])<<8|uint16(n[5]))
}

// cmdEPRT is RFC 2428 section 2. Exactly one space precedes its argument.
func (s *session) cmdEPRT(cmd ftp.Command) {
	f := &s.o.Faults
	switch {
	case s.barred("EPRT"):
		return
	case f.EPRTSpacesForget && strings.HasPrefix(cmd.Arg, " "):
		s.dropSetup("EPRT")
		s.setup.kind, s.setup.remote = setupActive, s.remote
		s.acceptSetup("EPRT")
		return
	case f.EPRTBarOnly && !strings.HasPrefix(cmd.Arg, "|"):
		s.refuseSetup("EPRT", 501, "EPRT needs |family|address|port|.")
		return
	}
	ep, err := ftp.ParseExtended(cmd.Arg)
	var family *ftp.FamilyError
	switch {
	case f.EPRTTakesZones && strings.Contains(cmd.Arg, "%"):
		if ep, err = lenientExtended(cmd.Arg); err != nil {
			break
		}
		s.dropSetup("EPRT")
		s.setup.kind, s.setup.remote = setupActive, ep
		s.acceptSetup("EPRT")
		return
	case errors.As(err, &family) && f.EPRTAnyFamily:
		s.dropSetup("EPRT")
		s.setup.kind = setupSpent
		s.acceptSetup("EPRT")
		return
	case err != nil && family == nil && f.EPRTLenient:
		ep, err = lenientExtended(cmd.Arg)
	}
	switch {
	case errors.As(err, &family):
		s.refuseFamily("EPRT", s.families()...)
	case err != nil, f.EPRTCanonicalOnly && !strings.Contains(cmd.Arg, cmd.Arg[:1]+ep.Addr().String()+cmd.Arg[:1]):
		s.refuseSetup("EPRT", 501, "EPRT needs |family|address|port|.")
	case !s.speaks(ep.Addr()) && !f.EPRTAnyFamily:
		s.refuseFamily("EPRT", s.families()...)
	case f.EPRTIgnored && ep.Addr() == s.remote.Addr() && ep.Port() >= 1024:
		s.reply(200, "EPRT command successful.")
	default:
		s.setEndpoint("EPRT", ep)
	}
}

// speaks reports whether the address belongs to a family that works on this
// connection. An IPv4-mapped address is an IPv4 one.
func (s *session) speaks(a netip.Addr) bool {
	return slices.Contains(s.families(), ftp.FamilyOf(a)) || s.o.Faults.AcceptsForeign || s.o.Faults.EPRTUnchecked
}

// lenientExtended reads what Faults.EPRTLenient lets pass.
func lenientExtended(s string) (netip.AddrPort, error) {
	if s == "" {
		return netip.AddrPort{}, ftp.ErrSyntax
	}
	parts := strings.Split(s, s[:1])
	if len(parts) < 4 || parts[1] != "1" && parts[1] != "2" {
		return netip.AddrPort{}, ftp.ErrSyntax
	}
	addr, err := netip.ParseAddr(parts[2])
	if err != nil {
		return netip.AddrPort{}, err
	}
	port, err := strconv.ParseUint(parts[3], 10, 32)
	return netip.AddrPortFrom(addr.WithZone(""), uint16(port)), err
}

// cmdLPRT is RFC 1639 section 2.
func (s *session) cmdLPRT(cmd ftp.Command) {
	if s.barred("LPRT") {
		return
	}
	ep, err := ftp.ParseLongHostPort(cmd.Arg)
	var family *ftp.FamilyError
	switch {
	case errors.As(err, &family), err == nil && !s.speaks(ep.Addr()):
		s.refuseLong()
	case err != nil:
		s.refuseSetup("LPRT", 501, "LPRT needs family, length, address, length, port.")
	default:
		s.setEndpoint("LPRT", ep)
	}
}

// refuseLong answers 521 with the list of address families, which LPRT
// numbers by IP version (RFC 1639 section 4).
func (s *session) refuseLong() {
	list := map[int]int{ftp.FamilyIPv4: 4, ftp.FamilyIPv6: 6}
	var versions []int
	for _, f := range s.families() {
		versions = append(versions, list[f])
	}
	text := "Supported address families are " + ftp.FormatFamilies(versions...)
	if s.o.Faults.LPRTFamilyUnlisted {
		text = "Address family not supported."
	}
	s.refuseSetup("LPRT", 521, text)
}
