package reference_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/ftpconform/ftpconform/ftp"
)

// foreign is a well-formed argument with another host's address.
const foreign = "127,0,0,2,200,1"

// faultProbes make an observation that a fault changes.
var faultProbes = map[string]func(p *probe) string{
	"NoPORT":              func(p *probe) string { return p.say(port(p.ep)) },
	"PORTSwapsOctets":     func(p *probe) string { return p.say(port(p.ep), "RETR text") + comes(p.l) },
	"PORTRefusesZero":     func(p *probe) string { return p.say(port(p.ep)) },
	"PORTLenient":         func(p *probe) string { return p.say("PORT 127,0,0,1,200") },
	"PORTAcceptsPortZero": func(p *probe) string { return p.say("PORT 127,0,0,1,0,0") },
	"PORTAnswers250":      func(p *probe) string { return p.say(port(p.ep)) },
	"EagerDial":           func(p *probe) string { return p.say(port(deaf())) },
	"PORTKeepsFirst": func(p *probe) string {
		l, at := listener(p.t, "127.0.0.1")
		p.say(port(p.ep), port(at), "RETR text")
		return comes(p.l) + comes(l)
	},
	"PORTKeepsListener": func(p *probe) string { at := p.epsv(); p.say(port(p.ep)); return p.open(at) },
	"PORTKeepsDataConn": func(p *probe) string { d := p.data(); p.say(port(p.ep)); return state(d) },
	"PASVKeepsPort":     func(p *probe) string { p.say(port(p.ep), "EPSV", "RETR text"); return comes(p.l) },
	"PORTForgets": func(p *probe) string {
		p.say(port(p.ep), "RETR text")
		comes(p.l)
		p.hear()
		return p.say("RETR text")
	},
	"RefusedDataAnswers550": func(p *probe) string { p.say(port(deaf()), "RETR text"); return p.hear() },
	"RefusedDataSilent":     func(p *probe) string { p.say(port(deaf()), "RETR text"); return p.hear() },
	"LPRTSwapsOctets":       func(p *probe) string { p.say("LPRT "+ftp.FormatLongHostPort(p.ep), "RETR text"); return comes(p.l) },
	"LPRTFamilyUnlisted":    func(p *probe) string { return p.say("LPRT 16,4,1,2,3,4,2,10,10") },
	"LPSVWrongPort": func(p *probe) string {
		ep, _, err := ftp.ScanLPSVReply(strings.TrimPrefix(p.say("LPSV"), "228 "))
		return p.open(ep) + fmt.Sprint(err)
	},
	"EPRTIgnored":      func(p *probe) string { p.say("EPRT "+ftp.FormatExtended(p.ep), "RETR text"); return comes(p.l) },
	"EPRTBarOnly":      func(p *probe) string { return p.say("EPRT " + ftp.FormatExtendedWith('!', p.ep)) },
	"EPRTSpacesForget": func(p *probe) string { return p.say("EPRT  " + ftp.FormatExtended(p.ep)) },
	"EPRTAnyFamily":    func(p *probe) string { return p.say("EPRT |7|x|2000|") },
	"FamilyUnlisted":   func(p *probe) string { return p.say("EPRT |7|x|2000|") },
	"FamilyNoText":     func(p *probe) string { return p.say("EPSV 7") },
	"EPRTLenient":      func(p *probe) string { return p.say("EPRT |2|127.0.0.1|70000") },
	"EPRTCanonicalOnly": func(p *probe) string {
		return p.say("EPRT |2|0:0:0:0:0:0:0:1|2000|") + p.say("EPRT |2|::1|2000|")
	},
	"EPRTTakesZones": func(p *probe) string { return p.say("EPRT |2|fe80::1%lo|2000|") },
	"EPRTUnchecked":  func(p *probe) string { return p.say("EPRT |1|127.0.0.1|1000|") },
	"EPRTKeepsListener": func(p *probe) string {
		at := p.epsv()
		p.say("EPRT " + ftp.FormatExtended(p.ep))
		return p.open(at)
	},

	"NoPASV":           func(p *probe) string { return p.say("PASV")[:3] },
	"PASVFiveNumbers":  func(p *probe) string { return fmt.Sprint(strings.Count(p.say("PASV"), ",")) },
	"PASVDigitInText":  func(p *probe) string { return p.say("PASV")[:17] },
	"PASVWrongAddress": func(p *probe) string { return p.say("PASV")[:36] },
	"PASVDefaultPort": func(p *probe) string {
		for range 4 {
			p.pasv()
		}
		return fmt.Sprint(p.pasv().Port() == p.at.Port()-1)
	},
	"PASVListensLate": func(p *probe) string {
		at := p.epsv()
		before := p.open(at)
		p.say("RETR text")
		pause(p.t, 50*time.Millisecond)
		return before + p.open(at)
	},
	"PASVImpatient":         func(p *probe) string { return p.say("PASV", "RETR text") },
	"PASVSharesListener":    func(p *probe) string { first := p.pasv(); return fmt.Sprint(p.pasv() == first) },
	"PASVLeaks":             func(p *probe) string { at := p.epsv(); p.epsv(); return p.open(at) },
	"PASVKeepsDataConn":     func(p *probe) string { d := p.data(); p.epsv(); return state(d) },
	"UsedSetupHangs":        func(p *probe) string { p.get("RETR text"); return p.say("RETR text") + p.say("NOOP", "ABOR") },
	"NoSetupHangs":          func(p *probe) string { return p.say("RETR text") + p.say("NOOP") },
	"PASVIgnoresArgument":   func(p *probe) string { return p.say("PASV 1")[:3] },
	"SetupBeforeLogin550":   func(p *probe) string { return p.say("REIN", "PASV") },
	"PassiveSTORLosesTail":  func(p *probe) string { p.put("STOR up", "data"); return p.stored("/up") },
	"RangeOffByOne":         func(p *probe) string { return fmt.Sprint(p.epsv().Port() == 21013) },
	"SequentialPorts":       func(p *probe) string { first := p.epsv(); return fmt.Sprint(p.epsv().Port() == first.Port()+1) },
	"PeerUnchecked":         func(p *probe) string { d := p.stranger(p.epsv()); p.say("RETR text"); return state(d) },
	"StrangerClosesSession": func(p *probe) string { state(p.stranger(p.epsv())); return p.hear() },
	"StrangerReply":         func(p *probe) string { state(p.stranger(p.epsv())); return p.hear() },
	"ServesEveryConnection": func(p *probe) string {
		at := p.epsv()
		a, b := dial(p.t, at), dial(p.t, at)
		pause(p.t, 20*time.Millisecond)
		p.say("RETR text")
		return state(a) + state(b)
	},
	"CrossesSessions": func(p *probe) string {
		other := login(p.t, p.at)
		mine, its := p.epsv(), other.epsv()
		first := dial(p.t, its)
		pause(p.t, 20*time.Millisecond)
		second := dial(p.t, mine)
		pause(p.t, 20*time.Millisecond)
		p.say("RETR text")
		return state(first) + state(second)
	},

	"EPSVClosedPort":      func(p *probe) string { return p.open(p.epsv()) },
	"EPSVFillsAddress":    func(p *probe) string { return p.say("EPSV")[:43] },
	"EPSVOtherAddress":    func(p *probe) string { return p.open(p.epsv()) },
	"EPSVRefusesIPv4":     func(p *probe) string { return p.say("EPSV")[:3] },
	"EPSVRefusesFamily":   func(p *probe) string { return p.say("EPSV 1")[:3] },
	"EPSVIgnoresArgument": func(p *probe) string { return p.say("EPSV ALL")[:3] + p.say("EPSV 9")[:3] },
	"PASVAfterEPSVAll":    func(p *probe) string { return p.say("EPSV ALL", "PASV")[:3] + p.say(port(p.ep)) },
	"PORTAfterEPSVAll":    func(p *probe) string { return p.say("EPSV ALL", "PASV")[:3] + p.say(port(p.ep)) },
	"EPSVAllForgotten":    func(p *probe) string { return p.say("EPSV ALL", "ABOR", "PASV")[:3] },
	"EPSVAllLocksEPSV":    func(p *probe) string { return p.say("EPSV ALL", "EPSV")[:3] },
	"EPSVAllDialsDefault": func(p *probe) string { return p.say("EPSV ALL", "RETR text") },

	"DefaultPortRefused": func(p *probe) string { return p.say("RETR text") },
	"DataReset":          func(p *probe) string { d := p.data(); p.say("RETR text"); p.hear(); return state(d) },
	"STORLosesTail":      func(p *probe) string { p.put("STOR up", strings.Repeat("x", 600)); return p.stored("/up") },
	"STORKeepsDataOpen": func(p *probe) string {
		d := p.data()
		p.say("STOR up")
		d.CloseWrite()
		return p.hear() + state(d)
	},
	"FullAnswers226": func(p *probe) string {
		d := p.data()
		p.say("STOR /full/x")
		fmt.Fprint(d, "data")
		d.Close()
		return p.hear()
	},
	"FailedTransferAnswers226": func(p *probe) string {
		d := p.data()
		p.say("STOR up")
		d.SetLinger(0)
		d.Close()
		return p.hear()
	},
	"Answers125First":         func(p *probe) string { return p.say(port(p.ep), "RETR text") },
	"MissingFileOpensData":    func(p *probe) string { d := p.data(); return p.say("RETR missing") + p.hear() + state(d) },
	"FailedTransferHangsNext": func(p *probe) string { p.epsv(); return p.say("RETR missing", "RETR text") + p.say("NOOP") },
	"EmptyFileNoData":         func(p *probe) string { d := p.data(); return p.say("RETR empty") + p.hear() + state(d) },
	"EmptyListNoData":         func(p *probe) string { d := p.data(); return p.say("NLST void") + p.hear() + state(d) },
	"TransferLimit": func(p *probe) string {
		for range 30 {
			p.get("RETR text")
		}
		p.data()
		return p.say("RETR text")
	},
	"OverlappingTransfers": func(p *probe) string { p.stalled(); return p.say("RETR text") },
	"SetupKillsTransfer":   func(p *probe) string { p.stalled(); return p.say("EPSV") },
	"STATEndsTransfer":     func(p *probe) string { d := p.stalled(); s := p.say("STAT"); state(d); return s + p.hear() },
	"TypeAtSetup":          func(p *probe) string { d := p.data(); p.say("TYPE I", "RETR text"); return state(d) },
	"STORAppends":          func(p *probe) string { p.put("STOR text", "four"); return p.stored("/text") },
	"STOUUnnamed":          func(p *probe) string { p.epsv(); return p.say("STOU x") },
	"DataTelnet":           func(p *probe) string { p.say("TYPE I"); p.put("STOR up", "a\xffb"); return p.stored("/up") },
	"BlockNoEOF":           func(p *probe) string { p.say("MODE B"); d := p.data(); p.say("RETR text"); return state(d) },
	"BlockClosesLate": func(p *probe) string {
		p.say("MODE B")
		d := p.data()
		p.say("RETR empty")
		p.hear()
		p.say("NOOP")
		return state(d)
	},
	"CompressedNoEscape": func(p *probe) string {
		p.say("TYPE I")
		p.put("STOR up", "a\x00b")
		p.say("MODE C")
		d := p.data()
		p.say("RETR up")
		return state(d)
	},
	"ForeignPORTLost":     func(p *probe) string { return p.say("PORT "+foreign) + p.say("RETR text") + p.hear() },
	"DataOutlivesControl": func(p *probe) string { d := p.stalled(); p.conn.Close(); pause(p.t, moment); return state(d) },
	"ListenerOutlivesControl": func(p *probe) string {
		at := p.epsv()
		p.say("QUIT")
		p.closed()
		pause(p.t, moment)
		return p.open(at)
	},

	"BareLF":              func(p *probe) string { p.raw("NOOP\r\n"); s, _ := p.r.ReadString('\n'); return s[len(s)-2:] },
	"OddDigits":           func(p *probe) string { return p.say("NOOP") },
	"HELPWrongTerminator": func(p *probe) string { return p.say("HELP") },
	"STATColumnOne":       func(p *probe) string { return p.say("STAT /dir") + p.say("NOOP") },
	"STATNests":           func(p *probe) string { return p.say("STAT") },
	"SYSTTwice":           func(p *probe) string { return p.say("SYST") + p.hear() },
	"TwoPreliminaries":    func(p *probe) string { p.data(); return p.say("RETR text") + p.hear() },
	"PreliminaryToHELP":   func(p *probe) string { return p.say("HELP") },
	"DropsQueued": func(p *probe) string {
		d := p.stalled()
		p.raw("NOOP\r\n")
		pause(p.t, moment/4) // the line has to arrive before the transfer goes on
		state(d)
		return p.hear() + p.hear()
	},
	"QUITTruncates": func(p *probe) string { p.stalled(); return p.say("QUIT") },
	"OddCodes":      func(p *probe) string { return p.say("PWD") },
	"TooManyLoginsStays": func(p *probe) string {
		for range 3 {
			p.say("USER x", "PASS x")
		}
		p.raw("NOOP\r\n")
		return p.hear()
	},
	"NoPreliminary":  func(p *probe) string { p.data(); return p.say("RETR text") },
	"EarlyFinal":     func(p *probe) string { p.stalled(); return p.hear() },
	"LateClose":      func(p *probe) string { d := p.data(); p.say("RETR empty"); return p.hear() + state(d) },
	"Latin1Greeting": func(p *probe) string { return p.say("REIN") },

	"ABOROneReply": func(p *probe) string { p.stalled(); return p.say("ABOR") + p.hear() },
	"ABORRaceOneReply": func(p *probe) string {
		d := p.data()
		p.say("RETR text")
		slurp(p.t, d)
		return p.say("ABOR") + p.hear()
	},
	"ABORSTOROneReply":  func(p *probe) string { p.data(); return p.say("STOR up", "ABOR") + p.hear() },
	"ABORIdleRefused":   func(p *probe) string { return p.say("ABOR") },
	"ABORKeepsDataConn": func(p *probe) string { d := p.data(); p.say("ABOR"); return state(d) },
	"ABORKeepsListener": func(p *probe) string { at := p.epsv(); p.say("ABOR"); return p.open(at) },
	"ABORResetsType":    func(p *probe) string { p.say("TYPE I", "ABOR"); return p.say("SIZE text") },
	"ABORSpoilsNext":    func(p *probe) string { p.stalled(); p.say("ABOR"); p.hear(); p.data(); return p.say("RETR text") },
	"ABORNeedsSynch": func(p *probe) string {
		p.stalled()
		return p.say("ABOR") + p.say("\xff\xf4\xff\xf2ABOR") + p.hear()
	},
	"TelnetBlind":        func(p *probe) string { return p.say("\xff\xf4\xff\xf2NOOP") },
	"ABORHangsOnConnect": func(p *probe) string { return p.say("EPSV", "RETR text", "ABOR") },

	"AcceptsLowPort": func(p *probe) string { return p.say("PORT 127,0,0,1,0,25") },
	"AcceptsForeign": func(p *probe) string { return p.say("PORT "+foreign) + p.say("EPRT |1|127.0.0.2|2000|") },
	"StoresRefused": func(p *probe) string {
		l, at := listener(p.t, "127.0.0.2")
		return p.say(port(at), "RETR text") + comes(l)
	},
	"RefusedKeepsOlder": func(p *probe) string { p.say(port(p.ep), "PORT "+foreign, "RETR text"); return comes(p.l) },
	"AcceptsSpecial":    func(p *probe) string { return p.say("PORT 0,0,0,0,200,1") + p.say("RETR text") },
	"UnlimitedLogins": func(p *probe) string {
		for range 3 {
			p.say("USER x", "PASS x")
		}
		return p.say("USER x", "PASS x")
	},
	"UserOracle": func(p *probe) string { return p.say("USER x") },
}
