package reference

import (
	"crypto/subtle"

	"github.com/ftpconform/ftpconform/ftp"
)

// login is who the client says it is. REIN and USER start it afresh.
type login struct {
	user     string // logged in as
	loggedIn bool
	awaiting string // named by USER, whose PASS has to follow at once
	failures int    // of the session, not of one name
}

// cmdUSER answers 331 whatever the name, so that nobody learns which names
// exist (RFC 2577 section 6). It discards an older login and leaves the
// transfer parameters alone (RFC 959 section 4.1.1).
func (s *session) cmdUSER(cmd ftp.Command) {
	s.user, s.loggedIn = "", false
	if _, known := s.o.Users[cmd.Arg]; !known && !s.anonymous(cmd.Arg) && s.o.Faults.UserOracle {
		s.reply(530, "No such user.")
		return
	}
	s.awaiting = cmd.Arg
	s.courteous(331, "Password please.")
}

func (s *session) anonymous(name string) bool {
	return s.o.Anonymous && (name == "anonymous" || name == "ftp")
}

// cmdPASS has to follow USER directly (RFC 959 section 4.1.1).
func (s *session) cmdPASS(cmd ftp.Command) {
	name := s.awaiting
	s.awaiting = ""
	if name == "" {
		s.reply(503, "USER comes first.")
		return
	}
	if s.anonymous(name) || s.checkPassword(name, cmd.Arg) {
		s.user, s.loggedIn = name, true
		s.courteous(230, "Logged in.")
		return
	}
	s.o.Logger.Info("login failed", "client", s.remote)
	if !s.o.Faults.NoLoginDelay && s.o.LoginDelay > 0 && s.o.Clock.Sleep(s.lost, s.o.LoginDelay) != nil {
		return // the client has gone
	}
	s.failures++
	if s.failures < s.o.MaxLogins || s.o.Faults.UnlimitedLogins {
		s.reply(530, "Login incorrect.")
		return
	}
	s.reply(421, "Too many failed logins, closing control connection.")
	s.over = !s.o.Faults.TooManyLoginsStays
}

// checkPassword takes the same time for an unknown name as for a known one.
func (s *session) checkPassword(name, password string) bool {
	want, known := s.o.Users[name]
	same := subtle.ConstantTimeCompare([]byte(want), []byte(password)) == 1
	return known && same
}

// cmdACCT is superfluous here, but part of the minimum (RFC 1123 section
// 4.1.2.13).
func (s *session) cmdACCT(ftp.Command) {
	if !s.loggedIn {
		s.reply(503, "USER comes first.")
		return
	}
	s.reply(202, "No account needed.")
}

// cmdREIN makes the session as fresh as after the greeting. A transfer has
// ended before this command gets its turn (RFC 959 section 4.1.1). The count
// of failed logins stays: otherwise REIN would lift the limit.
func (s *session) cmdREIN(ftp.Command) {
	s.dropSetup("REIN")
	s.setup = setup{}
	s.login = login{failures: s.failures}
	s.params = defaultParams()
	s.cwd, s.renameFrom = "/", ""
	s.failed, s.spoilt = false, false
	s.reply(220, s.o.Greeting)
}

// cmdQUIT gets its turn after the transfer too, so that the result is
// reported before the connection closes.
func (s *session) cmdQUIT(ftp.Command) {
	s.reply(221, "Goodbye.")
	s.over = true
}
