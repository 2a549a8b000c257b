package reference

import (
	"fmt"
	"strings"

	"github.com/ftpconform/ftpconform/ftp"
)

// cmdABOR gets its turn when no transfer runs. It closes what is open of a
// data connection (RFC 959 section 4.1.3); transfer parameters, PORT among
// them, stay.
func (s *session) cmdABOR(ftp.Command) {
	nothing := s.setup.passive == nil && s.setup.idle == nil
	if nothing && s.o.Faults.ABORIdleRefused {
		s.reply(450, "No transfer to abort.")
		return
	}
	s.answerABOR()
}

// answerABOR is the reply to an ABOR. The transfer that it stopped, if any,
// has been answered before.
func (s *session) answerABOR() {
	s.dropSetup("ABOR")
	if s.o.Faults.ABORResetsType {
		s.typ, s.format = 'A', 'N'
	}
	if s.o.Faults.EPSVAllForgotten {
		s.epsvAll = false
	}
	code := 226
	if s.o.Tolerances.ABOR225 {
		code = 225
	}
	s.reply(code, "ABOR command successful.")
}

// cmdSTAT without an argument tells about a running transfer or the session,
// with one it is LIST over the control connection (RFC 959 section 4.1.3).
func (s *session) cmdSTAT(cmd ftp.Command) {
	switch {
	case cmd.Arg != "" && !s.loggedIn:
		s.reply(530, "Please log in first.")
	case cmd.Arg != "":
		s.statPath(cmd.Arg)
	case len(s.running) > 0:
		s.statTransfer(s.running[0])
	default:
		s.statSession()
	}
}

// statTransfer tells how far a transfer has got.
func (s *session) statTransfer(t *transfer) {
	if s.o.Faults.STATEndsTransfer && !t.swapped {
		t.swapped = true
		s.sendReply(t.success())
		return
	}
	s.reply(211, "Status of the transfer:",
		fmt.Sprintf(" %s, %d octets so far", t.job.verb, t.moved.Load()), "End of status.")
}

// statSession shows the parameters.
func (s *session) statSession() {
	lines := []string{"Status of the session:"}
	if s.loggedIn {
		lines = append(lines, " Logged in as "+s.user)
	}
	typ := map[byte]string{'A': "A " + string(rune(s.format)), 'I': "I", 'L': "L 8"}[s.typ]
	format := map[byte]string{'N': "non-print", 'T': "Telnet"}[s.format]
	if s.typ != 'A' {
		format = "none"
	}
	lines = append(lines, fmt.Sprintf(" TYPE: %s, FORMAT: %s, STRUcture: F, MODE: %c", typ, format, s.mode),
		" No transfer in progress", "End of status.")
	if !s.o.Faults.STATNests {
		s.reply(211, lines...)
		return
	}
	inner := ftp.Reply{Code: 213, Lines: []string{"Status of the host:", " It is well", "End of host."}}
	outer := string(ftp.Reply{Code: 211, Lines: lines}.Bytes())
	s.send([]byte(strings.Replace(outer, "\r\n211 ", "\r\n"+string(inner.Bytes())+"211 ", 1)))
}

// statPath lists over the control connection, each line after a space so that
// no name can look like the end of the reply (RFC 959 section 4.2).
func (s *session) statPath(arg string) {
	entries, _, err := s.listEntries(s.resolve(arg))
	if err != nil {
		s.reply(450, "No such file or directory.")
		return
	}
	if s.o.Faults.STATColumnOne {
		text := "213-Status follows:\r\n"
		for _, info := range entries {
			text += info.Name() + "\r\n"
		}
		s.send([]byte(text + "213 End of status.\r\n"))
		return
	}
	lines := []string{"Status follows:"}
	for _, info := range entries {
		lines = append(lines, " "+s.longLine(info, true))
	}
	s.reply(213, append(lines, "End of status.")...)
}
