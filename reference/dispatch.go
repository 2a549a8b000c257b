package reference

import (
	"slices"
	"strings"

	"github.com/ftpconform/ftpconform/ftp"
)

// command says how a verb is carried out.
type command struct {
	do func(*session, ftp.Command)
	// free commands are for everybody; the others need a login first.
	free bool
	// path commands take their argument with every space in it, because it
	// may be part of the name (RFC 2640 section 3.2, RFC 3659 section 2.2).
	path bool
	// bare commands take no argument.
	bare bool
	// need is set where an argument has to be there.
	need bool
}

// canonical returns the verb that has the meaning of verb: RFC 1123 section
// 4.1.3.1 keeps the verbs of RFC 775 as synonyms.
func canonical(verb string) string {
	switch verb {
	case "XMKD", "XRMD", "XPWD", "XCWD":
		return verb[1:]
	case "XCUP":
		return "CDUP"
	}
	return verb
}

// unimplemented reports verbs that are known and deliberately left out.
func unimplemented(verb string) bool {
	return slices.Contains([]string{"SMNT", "AUTH", "ADAT", "PBSZ", "PROT", "CCC", "MIC", "CONF", "ENC",
		"LANG", "HOST", "ALGS"}, verb)
}

// isSetup reports whether the verb sets a data connection up.
func isSetup(verb string) bool {
	return slices.Contains([]string{"PORT", "PASV", "EPRT", "EPSV", "LPRT", "LPSV"}, verb)
}

// commands is the table of what the server implements. It is made once per
// server: the commands themselves lead back to it, so that it cannot be a
// package variable.
func commands() map[string]command {
	return map[string]command{
		"USER": {do: (*session).cmdUSER, free: true, need: true, path: true},
		"PASS": {do: (*session).cmdPASS, free: true, path: true},
		"ACCT": {do: (*session).cmdACCT, free: true, need: true},
		"REIN": {do: (*session).cmdREIN, free: true},
		"QUIT": {do: (*session).cmdQUIT, free: true},
		"HELP": {do: (*session).cmdHELP, free: true},
		"NOOP": {do: (*session).cmdNOOP, free: true},
		"SYST": {do: (*session).cmdSYST, free: true, bare: true},
		"FEAT": {do: (*session).cmdFEAT, free: true, bare: true},
		"OPTS": {do: (*session).cmdOPTS, free: true, need: true},

		"PORT": {do: (*session).cmdPORT},
		"EPRT": {do: (*session).cmdEPRT, path: true},
		"LPRT": {do: (*session).cmdLPRT},
		"PASV": {do: (*session).cmdPASV},
		"EPSV": {do: (*session).cmdEPSV},
		"LPSV": {do: (*session).cmdLPSV},
		"TYPE": {do: (*session).cmdTYPE, need: true},
		"MODE": {do: (*session).cmdMODE, need: true},
		"STRU": {do: (*session).cmdSTRU, need: true},
		"ALLO": {do: (*session).cmdALLO, need: true},
		"REST": {do: (*session).cmdREST, need: true},

		"RETR": {do: (*session).cmdRETR, path: true, need: true},
		"STOR": {do: (*session).cmdSTOR, path: true, need: true},
		"APPE": {do: (*session).cmdAPPE, path: true, need: true},
		"STOU": {do: (*session).cmdSTOU, path: true},
		"LIST": {do: (*session).cmdLIST, path: true},
		"NLST": {do: (*session).cmdNLST, path: true},
		"MLSD": {do: (*session).cmdMLSD, path: true},
		"ABOR": {do: (*session).cmdABOR, free: true, bare: true},
		"STAT": {do: (*session).cmdSTAT, free: true, path: true},

		"CWD":  {do: (*session).cmdCWD, path: true, need: true},
		"CDUP": {do: (*session).cmdCDUP, bare: true},
		"PWD":  {do: (*session).cmdPWD, bare: true},
		"MKD":  {do: (*session).cmdMKD, path: true, need: true},
		"RMD":  {do: (*session).cmdRMD, path: true, need: true},
		"DELE": {do: (*session).cmdDELE, path: true, need: true},
		"RNFR": {do: (*session).cmdRNFR, path: true, need: true},
		"RNTO": {do: (*session).cmdRNTO, path: true, need: true},
		"SIZE": {do: (*session).cmdSIZE, path: true, need: true},
		"MDTM": {do: (*session).cmdMDTM, path: true, need: true},
		"MLST": {do: (*session).cmdMLST, path: true},
		"SITE": {do: (*session).cmdSITE, need: true},
	}
}

// handle carries one line out and answers it.
func (s *session) handle(l line) {
	if s.closesLate {
		s.closesLate = false
		s.setup.closeIdle()
	}
	if l.tooLong {
		s.reply(500, "Command line too long.")
		return
	}
	cmd, err := ftp.ParseCommand(l.text)
	if err != nil {
		s.reply(500, "Syntax error, command not understood.")
		return
	}
	cmd.Verb = canonical(cmd.Verb)
	s.o.Logger.Debug("command", "client", s.remote, "line", cmd.Redacted())
	c, known := s.srv.commands[cmd.Verb]
	if cmd.Verb != "RNTO" {
		s.renameFrom = "" // RNFR and RNTO have to follow each other
	}
	if cmd.Verb != "PASS" {
		s.awaiting = "" // and so have USER and PASS
	}
	switch {
	case !known && unimplemented(cmd.Verb):
		s.reply(502, cmd.Verb+" is not implemented.")
		return
	case !known:
		s.reply(500, "Unknown command.")
		return
	case !c.free && !s.loggedIn:
		code := 530
		if isSetup(cmd.Verb) && s.o.Faults.SetupBeforeLogin550 {
			code = 550
		}
		s.reply(code, "Please log in first.")
		return
	}
	if !c.path {
		cmd.Arg = strings.TrimLeft(cmd.Arg, " ")
	}
	switch {
	case c.bare && cmd.Arg != "":
		s.reply(501, cmd.Verb+" takes no argument.")
	case c.need && cmd.Arg == "":
		s.reply(501, cmd.Verb+" needs an argument.")
	case cmd.Verb == "ABOR" && l.acted:
		s.answerABOR()
	default:
		c.do(s, cmd)
	}
}
