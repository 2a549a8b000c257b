package suites

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"
)

// preflight reaches the target, logs in, prepares the directory of the run and
// finds out what the target can do. It writes its findings into s.Target.
func (s *Session) preflight() (err error) {
	defer s.recovered(&err)
	c, err := s.reach()
	if err != nil {
		return err
	}
	s.introduce()
	if err := s.ownDirectory(c); err != nil {
		return err
	}
	s.addresses()
	s.probe(c)
	if err := s.prepareFiles(c); err != nil {
		return err
	}
	c.Quit()
	return nil
}

// recovered makes an error of what would end a check: in the preflight there is
// none.
func (s *Session) recovered(err *error) {
	if p := recover(); p != nil {
		if _, ok := p.(stopped); !ok {
			panic(p)
		}
		*err = &PreflightError{Stage: StagePrepare, Target: s.Target.Name, Err: errors.New(s.findings[len(s.findings)-1].Message)}
	}
}

// restock prepares the directory of the run once more, on a server that has
// been started again and may have forgotten it.
func (s *Session) restock() (err error) {
	defer s.recovered(&err)
	t := *s.Target
	t.Dir, t.own = t.base, false
	s.Target = &t
	c, err := s.reach()
	if err == nil {
		err = s.ownDirectory(c)
	}
	if err == nil {
		err = s.prepareFiles(c)
	}
	if err == nil {
		c.Quit()
	}
	return err
}

func (s *Session) reach() (*Control, error) {
	t := s.Target
	c, err := s.dial(s.Config.LocalAddr, t.Address)
	if err != nil {
		return nil, &PreflightError{Stage: StageReach, Target: t.Name, Err: err, Hint: unreached(err)}
	}
	t.Banner = c.turns[0].Final.Text()
	if err := c.login(); err != nil {
		var login *LoginError
		p := &PreflightError{Stage: StageLogin, Target: t.Name, Err: err}
		switch {
		case errors.As(err, &login):
			p.Hint = "give user and password in the target: ftp://user:password@host:port/dir"
			if s.Config.attached() {
				p.Hint = "give user and password with --user and --password"
			}
		case strings.Contains(err.Error(), "CWD"):
			p.Stage, p.Hint = StagePrepare, "choose a directory that exists with --write-dir or in the target"
		}
		return nil, p
	}
	return c, nil
}

// unreached is what to look at when nobody greets.
func unreached(err error) string {
	var strange *strangeError
	var refusal *greetingError
	switch {
	case errors.As(err, &strange):
		return "somebody takes connections there; is it an FTP server without TLS, and is this its control port?"
	case errors.As(err, &refusal):
		return "it is there and lets nobody in; its log may say why"
	}
	return "is the server running, and is this its control port?"
}

// introduce asks the server what it is. Nothing here decides about a check:
// announced features are probed. It has a session of its own, which odd answers
// cannot put out of step for the rest.
func (s *Session) introduce() {
	c, err := s.TryLogin()
	if err != nil {
		return
	}
	defer c.End()
	if r, err := c.Try("SYST"); err == nil && r.Code == 215 {
		s.Target.SYST = r.Text()
	}
	if r, err := c.Try("FEAT"); err == nil && r.Code == 211 && len(r.Lines) > 2 {
		for _, line := range r.Lines[1 : len(r.Lines)-1] {
			s.Target.FEAT = append(s.Target.FEAT, strings.TrimSpace(line))
		}
	}
}

// runDir is the directory that the run makes for itself.
const runDir = "ftpconform-run"

// ownDirectory makes a directory for the run, so that checks can list and
// delete without touching what is there. A target that refuses MKD is used
// where it is.
func (s *Session) ownDirectory(c *Control) error {
	r, err := c.Try("CWD " + runDir)
	if err != nil {
		return &PreflightError{Stage: StagePrepare, Target: s.Target.Name, Err: err}
	}
	if !r.Positive() {
		if r, err = c.Try("MKD " + runDir); err != nil {
			return &PreflightError{Stage: StagePrepare, Target: s.Target.Name, Err: err}
		}
		if !r.Positive() {
			return nil // storing is tried before anything is concluded
		}
		if r, err = c.Try("CWD " + runDir); err != nil || !r.Positive() {
			return nil
		}
	}
	s.Target.own, s.Target.base = true, s.Target.Dir
	if d := s.Target.Dir; d != "" {
		s.Target.Dir = strings.TrimSuffix(d, "/") + "/" + runDir
	} else {
		s.Target.Dir = runDir
	}
	return nil
}

// addresses finds a stranger's address, and other addresses of the target.
func (s *Session) addresses() {
	t := s.Target
	if !t.Stranger.IsValid() {
		t.Stranger = strangerOf(s.Config, t.Address.Addr())
	}
	loopback := t.Address.Addr().IsLoopback() && t.Address.Addr().Is4()
	if t.Stranger.IsValid() {
		l, err := s.Client.Listen(netip.AddrPortFrom(t.Stranger, 0))
		if err != nil {
			s.lack(NeedStranger, Inconclusive, "the stranger's address %s cannot be used on this machine: %v", t.Stranger, err)
		} else {
			_ = l.Close()
		}
	} else {
		s.lack(NeedStranger, Inconclusive, "needs a second address of this machine, from which a stranger comes: --stranger-addr")
	}
	others := []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 3}), netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	switch {
	case s.Config.attached(): // the machine has them; whether the server answers there is its own affair
		others, t.Others = t.Others, nil
	case !loopback || s.Scene != nil: // in a simulated network they would be those of others
		return
	}
	for _, other := range others {
		if other == t.Address.Addr() {
			continue
		}
		if c, err := s.dial(s.Config.LocalAddr, netip.AddrPortFrom(other, t.Address.Port())); err == nil {
			t.Others = append(t.Others, other)
			c.Quit()
		}
	}
}

func (s *Session) lack(n Need, v Verdict, format string, args ...any) {
	s.Target.lacks[n] = Lack{Verdict: v, Reason: fmt.Sprintf(format, args...)}
}

// probe tries every mode with a small transfer in each direction that needs
// no file: the listing of the directory.
func (s *Session) probe(c *Control) {
	if s.Config.PassiveOnly {
		s.lack(NeedPORT, NotApplicable, "the target is configured passive-only")
	}
	works := false
	for _, m := range []Mode{PASV, EPSV, PORT, EPRT} {
		if m.Active() && s.Config.PassiveOnly {
			s.lack(needOf[m], NotApplicable, "the target is configured passive-only")
			s.offer(m, Lack{NotApplicable, "the target is configured passive-only"})
			continue
		}
		if (m == PORT || m == PASV) && s.Target.Address.Addr().Is6() {
			// RFC 2428 section 1; that the server says so is a check of its own.
			s.lack(needOf[m], NotApplicable, "%s cannot name an IPv6 endpoint", m)
			continue
		}
		lack, bad := s.probeMode(m)
		if !bad {
			works = true
			continue
		}
		s.lack(needOf[m], Inconclusive, "%s does not work here (%s)", m, lack.Reason)
		if lack.Verdict == Unsupported {
			s.lack(needOf[m], Unsupported, "%s is not offered: %s", m, lack.Reason)
			s.offer(m, lack)
		}
	}
	if !works {
		s.lack(NeedData, Inconclusive, "no mode of data connection works on this target")
	}
	for need, letter := range map[Need]string{NeedModeB: "B", NeedModeC: "C"} {
		r, err := c.Try("MODE " + letter)
		switch {
		case err != nil:
			s.lack(need, Inconclusive, "MODE %s: %v", letter, err)
		case !r.Positive():
			s.lack(need, Unsupported, "MODE %s is not offered: %s", letter, r)
		default:
			_, _ = c.Try("MODE S") // the session ends after this
		}
	}
}

// offer notes that EPSV or EPRT is not offered at all.
func (s *Session) offer(m Mode, l Lack) {
	switch m {
	case EPSV:
		s.Target.lacks[NeedEPSV] = l
	case EPRT:
		s.Target.lacks[NeedEPRT] = l
	case PASV, PORT: // these are not optional: their checks run all the same
	}
}

// probeMode lists the directory in one mode, in a session of its own so that
// nothing is left over.
func (s *Session) probeMode(m Mode) (lack Lack, bad bool) {
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(stopped); !ok {
				panic(p)
			}
			last := s.findings[len(s.findings)-1]
			lack, bad = Lack{Inconclusive, last.Message}, true
		}
	}()
	c, err := s.TryLogin()
	if err != nil {
		return Lack{Inconclusive, err.Error()}, true
	}
	defer c.End()
	if r := s.unknown(c, m); r != nil {
		return Lack{Unsupported, r.String()}, true
	}
	t := c.Retrieve(c.SetUp(m), "LIST")
	if !t.OK() || t.Data == nil {
		return Lack{Inconclusive, t.String()}, true
	}
	c.Quit()
	return Lack{}, false
}

// unknown returns the reply when the server does not know the command of an
// optional mode.
func (s *Session) unknown(c *Control, m Mode) *Received {
	line := "EPSV"
	if m == EPRT {
		l := c.Listen()
		line = announcement(EPRT, l.Endpoint)
		_ = l.Close()
	}
	if m == PASV || m == PORT {
		return nil
	}
	r, err := c.Try(line)
	if err == nil && r.In(500, 502) {
		return &r
	}
	return nil
}

// prepareFiles puts the files of the run onto the target. A server that
// refuses to store is an error of preparation; one with which no data
// connection works is what the checks are for.
func (s *Session) prepareFiles(c *Control) error {
	if _, lacks := s.Target.Lacks(NeedData); lacks {
		s.lack(NeedFiles, Inconclusive, "the files of the run could not be stored: no mode of data connection works")
		return nil
	}
	for name, content := range runFiles(s.big()) {
		if s.stored(c, name, content) {
			continue
		}
		t := c.Store(c.SetUp(s.Mode()), content, "STOR %s", name)
		switch {
		case t.OK():
			if !slices.Contains(s.Target.stored, name) {
				s.Target.stored = append(s.Target.stored, name)
			}
		case t.Data == nil && t.Final.Class() == 5, t.Final.In(532, 550, 552, 553, 502, 500, 530):
			return &PreflightError{Stage: StagePrepare, Target: s.Target.Name, Err: fmt.Errorf("%s", t),
				Hint: "choose a directory that the user may write to with --write-dir"}
		default:
			s.lack(NeedFiles, Inconclusive, "the files of the run could not be stored: %s", t)
			return nil
		}
	}
	return nil
}

// stored reports whether a file is on the target already, left by an earlier
// run that was cut off, or put there by the embedded server. It is compared
// by content where it is small, by SIZE where not.
func (s *Session) stored(c *Control, name string, content []byte) bool {
	r, err := c.Try("SIZE " + name)
	if err != nil || r.Code != 213 || r.Text() != fmt.Sprint(len(content)) {
		return false
	}
	if len(content) > len(SmallContent) {
		return s.Config.embedded() || slices.Contains(s.Target.stored, name)
	}
	t := c.Retrieve(c.SetUp(s.Mode()), "RETR %s", name)
	return t.OK() && t.Data != nil && bytes.Equal(t.Data.Bytes(), content)
}

// cleanUp removes what the run put onto the target: all that is in the
// directory of the run and the directory itself, or, where there is none, the
// files of the preflight. It does what it can; a target that cannot be reached
// any more keeps the files.
func (s *Session) cleanUp() {
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(stopped); !ok {
				panic(p)
			}
		}
	}()
	c, err := s.TryLogin()
	if err != nil {
		return
	}
	names := s.Target.stored
	if s.Target.own {
		t := c.Retrieve(c.SetUp(s.Mode()), "NLST")
		if t.OK() && t.Data != nil {
			names = strings.Fields(string(t.Data.Bytes()))
		}
	}
	for _, name := range names {
		name = path.Base(name)
		if r, err := c.Try("DELE " + name); err == nil && !r.Positive() {
			_, _ = c.Try("RMD " + name) // a check was cut short in a directory of its own
		}
	}
	if s.Target.own {
		_, _ = c.Try("CDUP")
		_, _ = c.Try("RMD " + runDir)
	}
	c.Quit()
}
