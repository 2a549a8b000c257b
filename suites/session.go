package suites

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/ftpconform/ftpconform/fakeclient"
	"github.com/ftpconform/ftpconform/internal/host"
)

// Session is what a check is handed: the means to open connections to the
// target, and to state findings. It belongs to the check's goroutine.
type Session struct {
	Config *Config
	Target *Target
	Bounds Bounds
	// Client opens connections and holds the trace.
	Client *fakeclient.Client
	// Scene is the simulated network; nil outside of it.
	Scene *Scene

	check    *Check
	door     chan struct{} // see knock
	controls []*Control
	findings []Finding
}

// stopped is the panic with which a check ends early, after its finding has
// been stated. Nothing else may recover it than the runner.
type stopped struct{}

func (s *Session) state(v Verdict, format string, args []any) {
	msg := fmt.Sprintf(format, args...)
	if err := s.Client.Err(); err != nil && v != HarnessError {
		// Waits end early from here on: what is missing proves nothing.
		v, msg = Inconclusive, fmt.Sprintf("cut short (%v): %s", err, msg)
	}
	// What is seen twice is said once; the dialogue has both places.
	if f := (Finding{Verdict: v, Message: msg}); !slices.Contains(s.findings, f) {
		s.findings = append(s.findings, f)
	}
	s.Client.Trace().Note("%s: %s", v, msg)
}

func (s *Session) stop(v Verdict, format string, args []any) {
	s.state(v, format, args)
	panic(stopped{})
}

// Fail states that the requirement is broken: fail for a MUST, warn for a
// SHOULD or for a MAY that the server does not do as described. The message
// says what was seen and what should have been. The check goes on.
func (s *Session) Fail(format string, args ...any) { s.state(s.check.broken(), format, args) }

// Fatal is Fail, and ends the check.
func (s *Session) Fatal(format string, args ...any) { s.stop(s.check.broken(), format, args) }

// Strict states a deviation that a conflict position of the catalogue, or
// common practice, allows: broken in the strict profile, a remark otherwise.
func (s *Session) Strict(format string, args ...any) {
	if s.Config.Strict {
		s.state(s.check.broken(), format, args)
		return
	}
	s.state(Info, format, args)
}

// Note states a remark: conforming, but worth reporting.
func (s *Session) Note(format string, args ...any) { s.state(Info, format, args) }

// Unsupported ends the check: the server does not offer what it is about.
func (s *Session) Unsupported(format string, args ...any) { s.stop(Unsupported, format, args) }

// NotApplicable ends the check: it has no meaning for this target.
func (s *Session) NotApplicable(format string, args ...any) { s.stop(NotApplicable, format, args) }

// Inconclusive ends the check: something that is not its subject went wrong.
func (s *Session) Inconclusive(format string, args ...any) { s.stop(Inconclusive, format, args) }

// broken is the verdict of a broken requirement of the check's level.
func (c *Check) broken() Verdict {
	if c.Level() == MUST {
		return Fail
	}
	return Warn
}

// Connect opens a control connection and reads the greeting.
func (s *Session) Connect() *Control { return s.ConnectFrom(s.Config.LocalAddr, s.Target.Address) }

// ConnectFrom opens a control connection from a client address, which may be
// the zero value, to an endpoint of the target. A target that is full is asked
// again for as long as it may take to notice that others have left.
func (s *Session) ConnectFrom(local netip.Addr, remote netip.AddrPort) *Control {
	until := s.Client.Trace().Now() + s.Bounds.Close
	c, err := s.dial(local, remote)
	for full(err) && s.Client.Trace().Now() < until {
		s.Sleep(s.Bounds.Close / 8)
		c, err = s.dial(local, remote)
	}
	if err != nil {
		s.Inconclusive("no session: %v", err)
	}
	return c
}

// Login opens a control connection, logs in, goes to the directory of the run
// and selects TYPE I.
func (s *Session) Login() *Control { return s.LoginFrom(s.Config.LocalAddr, s.Target.Address) }

// LoginFrom is Login from and to chosen addresses.
func (s *Session) LoginFrom(local netip.Addr, remote netip.AddrPort) *Control {
	c := s.ConnectFrom(local, remote)
	if err := c.login(); err != nil {
		s.Inconclusive("no session: %v", err)
	}
	return c
}

// TryLogin is Login for a check that opens more sessions than the server may
// allow; it returns the error in place of ending the check.
func (s *Session) TryLogin() (*Control, error) {
	c, err := s.dial(s.Config.LocalAddr, s.Target.Address)
	if err != nil {
		return nil, err
	}
	return c, c.login()
}

// Stranger is a client of another address; the check must need NeedStranger.
func (s *Session) Stranger() netip.Addr { return s.Target.Stranger }

func (s *Session) dial(local netip.Addr, remote netip.AddrPort) (*Control, error) {
	if !local.IsValid() && remote.Addr().IsLoopback() {
		// A bound local address lets the port be listened on as well.
		local = remote.Addr()
		if remote.Addr().Is4() {
			local = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		}
	}
	defer s.knock()()
	k, err := s.Client.Dial(netip.AddrPortFrom(local, 0), remote)
	if err != nil {
		return nil, err
	}
	c := &Control{Control: k, s: s}
	s.controls = append(s.controls, c)
	r, err := c.await("", s.Bounds.Greet)
	switch {
	case err != nil:
		return nil, &strangeError{err}
	case r.Code != 220:
		c.End()
		return nil, &greetingError{reply: r}
	}
	return c, nil
}

// knocking is how many clients may wait for their greeting at a time. The queue
// of a server in which they do is short, 32 in vsftpd and 5 where inetd listens;
// who does not fit in waits for seconds, and would blame the server.
const knocking = 4

// knock waits for a turn to connect; the turn is over when the greeting has come.
// A server that does not greet holds nobody up for longer than it may take to.
func (s *Session) knock() (over func()) {
	if s.door == nil {
		return func() {}
	}
	late := time.NewTimer(s.Bounds.Greet)
	defer late.Stop()
	select {
	case s.door <- struct{}{}:
		return func() { <-s.door }
	case <-late.C:
		return func() {}
	}
}

// greetingError says that the server is there and does not serve.
type greetingError struct{ reply Received }

func (e *greetingError) Error() string { return fmt.Sprintf("the greeting is %s", e.reply) }

// full reports whether a connection was refused because there are too many, or
// for another reason that may pass.
func full(err error) bool {
	var refusal *greetingError
	return errors.As(err, &refusal) && refusal.reply.Code == 421
}

// strangeError says that somebody is there, and does not greet as an FTP server
// does.
type strangeError struct{ err error }

func (e *strangeError) Error() string { return fmt.Sprintf("no greeting: %v", e.err) }

func (e *strangeError) Unwrap() error { return e.err }

// clock is that of the network.
func (s *Session) clock() host.Clock { return s.Config.clock() }

// Sleep waits, deliberately: the caller says why.
func (s *Session) Sleep(d time.Duration) { s.Client.Sleep(d) }

// Refused reports whether nobody listens on a passive endpoint any more. A
// listener may take the Close bound to go away. A connection that is accepted
// and closed at once does not count: somebody still listens. Nor does silence
// on a port that has accepted before: its queue is full, because nobody takes
// connections out of it.
func (s *Session) Refused(ep netip.AddrPort) bool {
	until := s.Client.Trace().Now() + s.Bounds.Close
	for opened := false; ; opened = true {
		d, err := s.Client.DialData(s.dataLocal(ep), ep)
		switch {
		case errors.Is(err, fakeclient.ErrTimeout):
			return !opened
		case err != nil:
			return true
		}
		// A listener that goes away takes the connections in its queue along.
		end := d.Wait(max(until-s.Client.Trace().Now(), 0))
		_ = d.Close()
		if end.Ending == fakeclient.EndNone || s.Client.Trace().Now() >= until {
			return false
		}
		s.Sleep(s.Bounds.Close / 8) // for a server that accepts in order to refuse, and closes late
	}
}

// dataLocal is the local endpoint for data connections to a remote one.
func (s *Session) dataLocal(remote netip.AddrPort) netip.AddrPort {
	local := s.Config.LocalAddr
	if !local.IsValid() && remote.Addr().IsLoopback() && remote.Addr().Is4() {
		local = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.AddrPortFrom(local, 0)
}

// finish proves that the reply streams are in step: every control connection
// that is still usable answers one NOOP with one 200. What is out of step is
// reported by the invariants. Then all is closed.
func (s *Session) finish() []Violation {
	var out []Violation
	for _, c := range s.controls {
		if v := c.inStep(); v != nil {
			out = append(out, *v)
		}
	}
	return append(out, s.watch()...)
}

// abandon closes everything at once.
func (s *Session) abandon() { s.Client.Close() }

// cancelled reports whether the run was interrupted, by whatever cause.
func (s *Session) cancelled() bool { return s.Client.Err() != nil && !s.Client.Expired() }
