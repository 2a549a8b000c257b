package reference

import (
	"net/netip"

	"github.com/ftpconform/ftpconform/ftp"
)

// setupKind is what the set-up commands have led to.
type setupKind int

const (
	setupNone    setupKind = iota // none given: the default data port counts
	setupActive                   // PORT, EPRT or LPRT named an endpoint
	setupPassive                  // a listener waits
	setupSpent                    // used up, aborted or refused: there is none
	setupVoid                     // for Faults.ForeignPORTLost
)

// setup is where the next data connection comes from. The endpoint of PORT
// stays for later transfers (RFC 959 section 5.1); a listener serves one.
type setup struct {
	kind    setupKind
	remote  netip.AddrPort // of setupActive
	passive *passive       // of setupPassive
	epsv    bool           // the listener was opened by EPSV
	ever    bool           // some set-up command has succeeded
	idle    *dataConn      // a connection that is open between transfers

	used  bool           // for Faults.UsedSetupHangs: a listener has served
	ascii bool           // for Faults.TypeAtSetup
	older netip.AddrPort // for Faults.PASVKeepsPort
	// lastPort is the passive port announced last, whoever used it.
	lastPort uint16
}

// closeIdle closes the connection that is open between transfers.
func (st *setup) closeIdle() {
	if st.idle != nil {
		st.idle.Close()
		st.idle = nil
	}
}

// dropSetup ends the present set-up: RFC 959 section 3.2 wants the data
// connection closed as soon as the port specification changes. The verb is
// that of the command that does it, "" at the end of the session.
func (s *session) dropSetup(verb string) {
	f := &s.o.Faults
	port, eprt := verb == "PORT", verb == "EPRT"
	repeat := verb == "PASV" || verb == "EPSV"
	keepListener := f.PORTKeepsListener && (port || eprt) || f.EPRTKeepsListener && eprt ||
		f.PASVLeaks && repeat
	keepConn := f.PORTKeepsDataConn && port || f.PASVKeepsDataConn && repeat ||
		f.ABORKeepsDataConn && verb == "ABOR"
	if s.setup.idle != nil && keepConn {
		s.leaked = append(s.leaked, s.setup.idle)
		s.setup.idle = nil
	}
	s.setup.closeIdle()
	s.setup.used = false
	if p := s.setup.passive; p != nil {
		switch {
		case f.ABORKeepsListener && verb == "ABOR":
			p.dropConn()
			return // and still in force
		case f.ListenerOutlivesControl && verb == "":
			s.srv.linger(p)
			return
		case keepListener:
			s.leaked = append(s.leaked, p)
			if !keepConn {
				p.dropConn()
			}
		case keepConn:
			s.leaked = append(s.leaked, p)
			p.closeListener()
		default:
			p.Close()
		}
		s.setup.passive, s.setup.kind = nil, setupSpent
	}
}

// refuseSetup answers a set-up command that cannot be obeyed. The endpoint
// that was in force before is forgotten: the client meant to replace it, and
// would get its data at the wrong place.
func (s *session) refuseSetup(verb string, code int, text string) {
	keep := s.o.Faults.RefusedKeepsOlder && verb == "PORT" && s.setup.kind == setupActive
	if !keep {
		s.dropSetup(verb)
		s.setup.kind, s.setup.older = setupSpent, netip.AddrPort{}
	}
	if s.o.Tolerances.RefusesWith500 && (code == 501 || code == 504 || code == 522) {
		code = 500
	}
	s.reply(code, text)
}

// barred reports, and answers, a command that EPSV ALL has ruled out (RFC
// 2428 section 4). The set-up by EPSV stays in force.
func (s *session) barred(verb string) bool {
	f := &s.o.Faults
	switch {
	case !s.epsvAll,
		f.PORTAfterEPSVAll && (verb == "PORT" || verb == "EPRT" || verb == "LPRT"),
		f.PASVAfterEPSVAll && (verb == "PASV" || verb == "LPSV"):
		return false
	}
	s.reply(503, verb+" is not allowed after EPSV ALL.")
	return true
}

// refuseFamily answers 522 with the list of families that work on this
// connection as the last thing in it (RFC 2428 section 2).
func (s *session) refuseFamily(verb string, families ...int) {
	text := "Network protocol not supported, use " + ftp.FormatFamilies(families...)
	switch {
	case s.o.Faults.FamilyUnlisted:
		text = "Network protocol not supported."
	case s.o.Faults.FamilyNoText:
		text = ftp.FormatFamilies(families...)
	}
	s.refuseSetup(verb, 522, text)
}

// families lists the network protocols that work on this connection.
func (s *session) families() []int {
	if s.o.AllowForeign {
		return []int{ftp.FamilyIPv4, ftp.FamilyIPv6}
	}
	return []int{ftp.FamilyOf(s.remote.Addr())}
}

// special reports addresses that no data connection can go to.
func special(a netip.Addr) bool {
	return a.IsUnspecified() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// setEndpoint takes the endpoint of PORT, EPRT or LPRT, if the rules of RFC
// 2577 section 3 let it.
func (s *session) setEndpoint(verb string, ep netip.AddrPort) {
	f := &s.o.Faults
	ep = netip.AddrPortFrom(ep.Addr().Unmap(), ep.Port())
	if ep.Addr() == s.remote.Addr().WithZone("") {
		ep = netip.AddrPortFrom(s.remote.Addr(), ep.Port()) // with the zone
	}
	checked := verb == "PORT" || !f.EPRTUnchecked
	foreign := ep.Addr() != s.remote.Addr() && !s.o.AllowForeign && checked
	switch {
	case special(ep.Addr()) && checked && f.AcceptsSpecial:
		s.dropSetup(verb)
		s.setup.kind = setupSpent
		s.acceptSetup(verb)
		return
	case special(ep.Addr()) && checked:
		s.refuseSetup(verb, 501, "No data connection can go to this address.")
		return
	case foreign && f.ForeignPORTLost && verb == "PORT":
		s.dropSetup(verb)
		s.setup.kind = setupVoid
		s.acceptSetup(verb)
		return
	case foreign && (!f.AcceptsForeign || verb == "LPRT"):
		s.refuseSetup(verb, 504, "Data connections go to your own address only.")
		if f.StoresRefused && verb == "PORT" {
			s.setup.kind, s.setup.remote = setupActive, ep
		}
		return
	case ep.Port() < 1024 && ep.Port() != 0 && checked && !s.o.AllowLowPorts && !f.AcceptsLowPort:
		s.refuseSetup(verb, 504, "Data connections go to ports from 1024 on only.")
		return
	case f.PORTKeepsFirst && verb == "PORT" && s.setup.kind == setupActive:
		s.acceptSetup(verb)
		return
	}
	if f.PORTSwapsOctets && verb == "PORT" || f.LPRTSwapsOctets && verb == "LPRT" {
		ep = netip.AddrPortFrom(ep.Addr(), ep.Port()<<8|ep.Port()>>8)
	}
	s.dropSetup(verb)
	s.setup.kind, s.setup.remote, s.setup.older = setupActive, ep, ep
	if f.EagerDial && verb != "LPRT" {
		conn, err := s.dial(s.lost, ep)
		if err != nil {
			s.reply(425, "Cannot open data connection.")
			return
		}
		s.setup.idle = newDataConn(conn, s.o, false)
	}
	s.acceptSetup(verb)
}

// acceptSetup answers 200 to PORT, EPRT or LPRT.
func (s *session) acceptSetup(verb string) {
	s.noteSetup()
	code := 200
	if s.o.Faults.PORTAnswers250 && verb == "PORT" {
		code = 250
	}
	s.reply(code, verb+" command successful.")
}

// noteSetup is called by every set-up command that succeeds.
func (s *session) noteSetup() {
	s.setup.ever, s.setup.ascii = true, s.ascii()
	s.failed = false
}
