package reference

import (
	"maps"
	"slices"
	"strings"

	"github.com/ftpconform/ftpconform/ftp"
)

// cmdNOOP touches nothing.
func (s *session) cmdNOOP(ftp.Command) {
	code := 200
	if s.o.Faults.OddDigits {
		code = 290
	}
	s.courteous(code, "NOOP command successful.")
}

// cmdSYST names the nearest thing in the registry of operating systems.
func (s *session) cmdSYST(ftp.Command) {
	s.reply(215, "UNIX Type: L8")
	if s.o.Faults.SYSTTwice {
		s.reply(215, "UNIX Type: L8")
	}
}

// cmdHELP lists the commands, or tells whether one is among them.
func (s *session) cmdHELP(cmd ftp.Command) {
	if s.o.Faults.PreliminaryToHELP {
		s.reply(150, "Looking it up.")
	}
	if cmd.Arg != "" {
		verb := strings.ToUpper(cmd.Arg)
		if _, ok := s.srv.commands[canonical(verb)]; !ok {
			s.reply(501, "No such command.")
			return
		}
		s.reply(214, verb+" is implemented.")
		return
	}
	lines := []string{"These commands are implemented:"}
	for row := range slices.Chunk(slices.Sorted(maps.Keys(s.srv.commands)), 8) {
		lines = append(lines, " "+strings.Join(row, " "))
	}
	lines = append(lines, "End of the list.")
	if !s.o.Faults.HELPWrongTerminator {
		s.reply(214, lines...)
		return
	}
	text := string(ftp.Reply{Code: 214, Lines: lines}.Bytes())
	s.send([]byte(strings.Replace(text, "\r\n214 ", "\r\n211 ", 1)))
}

// cmdSITE has nothing but HELP.
func (s *session) cmdSITE(cmd ftp.Command) {
	if strings.EqualFold(cmd.Arg, "HELP") {
		s.reply(214, "There are no SITE commands but HELP.")
		return
	}
	s.reply(504, "SITE knows nothing but HELP.")
}

// cmdFEAT lists the extensions, each after exactly one space (RFC 2389
// section 3.2).
func (s *session) cmdFEAT(ftp.Command) {
	s.reply(211, "Extensions supported:",
		" EPRT",
		" EPSV",
		" MDTM",
		" MLST "+s.factList(),
		" REST STREAM",
		" SIZE",
		" TVFS",
		" UTF8",
		"End.")
}

// cmdOPTS knows MLST and UTF8 (RFC 2389 section 4).
func (s *session) cmdOPTS(cmd ftp.Command) {
	target, arg, _ := strings.Cut(cmd.Arg, " ")
	switch strings.ToUpper(target) {
	case "MLST":
		s.optsMLST(arg)
	case "UTF8":
		if arg != "" && !strings.EqualFold(arg, "ON") {
			s.reply(501, "Names are UTF-8 here.")
			return
		}
		s.reply(200, "Names are UTF-8 here.")
	default:
		s.reply(501, "No options for this.")
	}
}
