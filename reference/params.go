package reference

import (
	"strconv"
	"strings"

	"github.com/ftpconform/ftpconform/ftp"
)

// params are the transfer parameters. They keep their values until they are
// set again or REIN resets them (RFC 959 section 5.1).
type params struct {
	typ     byte // A, I or L
	format  byte // N or T, for type A; this host makes no difference
	mode    byte // S, B or C
	restart int64
	restore bool // REST was given for the next transfer
	epsvAll bool
	facts   []string // of MLST and MLSD
}

func defaultParams() params {
	return params{typ: 'A', format: 'N', mode: 'S', facts: allFacts()}
}

// ascii reports whether line ends are converted. Local octets of 8 bits are
// image here (RFC 1123 section 4.1.2.1).
func (p params) ascii() bool { return p.typ == 'A' }

// cmdTYPE knows A, A N, A T, I and L 8. EBCDIC, carriage control and other
// octet sizes are refused with 504.
func (s *session) cmdTYPE(cmd ftp.Command) {
	fields := strings.Fields(strings.ToUpper(cmd.Arg))
	fields = append(fields, "", "")
	typ, second := fields[0], fields[1]
	code := 200
	switch {
	case len(fields) > 4, len(typ) != 1, typ == "I" && second != "":
		code = 501
	case typ == "A" && (second == "" || second == "N" || second == "T"):
		s.typ, s.format = 'A', 'N'
		if second == "T" {
			s.format = 'T'
		}
	case typ == "I":
		s.typ = 'I'
	case typ == "L" && second == "8":
		s.typ = 'L'
	case typ == "L" && !isNumber(second):
		code = 501
	default:
		code = 504
	}
	if code != 200 {
		s.reply(code, "TYPE must be A, A N, I or L 8.")
		return
	}
	s.courteous(200, "TYPE set.")
}

// cmdMODE closes a data connection that block or compressed mode left open:
// what comes over it next would be read in another mode.
func (s *session) cmdMODE(cmd ftp.Command) {
	switch strings.ToUpper(cmd.Arg) {
	case "S", "B", "C":
		if mode := strings.ToUpper(cmd.Arg)[0]; mode != s.mode {
			s.setup.closeIdle()
			s.mode, s.restore = mode, false
		}
		s.reply(200, "MODE set.")
	default:
		s.refuseLetter(cmd.Arg, "MODE must be S, B or C.")
	}
}

// cmdSTRU knows files only: this host has no records (RFC 1123 section
// 4.1.2.3).
func (s *session) cmdSTRU(cmd ftp.Command) {
	if strings.EqualFold(cmd.Arg, "F") {
		s.reply(200, "STRU set.")
		return
	}
	s.refuseLetter(cmd.Arg, "STRU must be F.")
}

// refuseLetter tells an unsupported letter from an argument that is none.
func (s *session) refuseLetter(arg, text string) {
	if len(arg) != 1 {
		s.reply(501, text)
		return
	}
	s.reply(504, text)
}

// cmdALLO has nothing to do, because files grow as they like.
func (s *session) cmdALLO(cmd ftp.Command) {
	fields := strings.Fields(strings.ToUpper(cmd.Arg))
	withRecord := len(fields) == 3 && fields[1] == "R" && isNumber(fields[2])
	if (len(fields) != 1 && !withRecord) || !isNumber(fields[0]) {
		s.reply(501, "ALLO needs a number, or two with R between them.")
		return
	}
	s.reply(202, "No allocation needed.")
}

// cmdREST takes the offset of the next transfer: in stream mode in octets of
// the transfer (RFC 3659 section 5.3), in the other modes the marker that a
// 110 reply has named, which here is an offset in the file.
func (s *session) cmdREST(cmd ftp.Command) {
	n, err := strconv.ParseInt(cmd.Arg, 10, 64)
	if err != nil || !isNumber(cmd.Arg) {
		s.reply(501, "REST needs a number.")
		return
	}
	s.restart, s.restore = n, n > 0
	s.reply(350, "Restarting at "+strconv.FormatInt(n, 10)+", send a transfer command.")
}

// takeRestart returns the offset for one transfer command and forgets it,
// whether the transfer succeeds or not.
func (s *session) takeRestart() (offset int64, given bool) {
	offset, given = s.restart, s.restore
	s.restart, s.restore = 0, false
	return offset, given
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
