package suites

import (
	"errors"
	"fmt"
	"time"

	"github.com/ftpconform/ftpconform/fakeclient"
	"github.com/ftpconform/ftpconform/ftp"
)

// Received is a reply with the time of its arrival.
type Received = fakeclient.Received

// Control is a control connection of a check. It keeps the dialogue for the
// invariants; commands that a check sends as raw octets are not part of it.
type Control struct {
	*fakeclient.Control

	s     *Session
	turns []Turn
	// raw is set once the check has taken the dialogue into its own hands, so
	// that replies can no longer be told apart by order.
	raw bool
	// gone is set when the connection is known to have ended.
	gone bool
	// pending is set while a transfer has no final reply; owed counts the
	// ABORs that have none.
	pending bool
	owed    int
}

// Turn is one command with its replies.
type Turn struct {
	Verb        string // "" for the greeting
	Line        string // the command without secrets
	Preliminary []Received
	Final       Received // Code 0 when none came
}

// String prints the turn as a message quotes it: "NOOP → 200 ok".
func (t Turn) String() string {
	s := t.Line
	if t.Verb == "" {
		s = "(greeting)"
	}
	for _, p := range t.Preliminary {
		s += " → " + p.String()
	}
	if t.Final.Code == 0 {
		return s + " → no final reply"
	}
	return s + " → " + t.Final.String()
}

// await reads the final reply to a command and files the turn.
func (c *Control) await(line string, bound time.Duration) (Received, error) {
	final, prelim, err := c.Final(bound)
	c.file(line, prelim, final)
	if err != nil {
		c.lost(err)
	}
	return final, err
}

// file adds a turn to the dialogue.
func (c *Control) file(line string, prelim []Received, final Received) {
	cmd, err := ftp.ParseCommand([]byte(line))
	if err != nil {
		cmd = ftp.Command{}
		if line != "" {
			return // malformed on purpose: no list of codes applies
		}
	}
	c.turns = append(c.turns, Turn{Verb: cmd.Verb, Line: cmd.Redacted(), Preliminary: prelim, Final: final})
}

func (c *Control) lost(err error) {
	c.raw = true
	if !errors.Is(err, fakeclient.ErrTimeout) {
		c.gone = true
	}
}

// Try sends a command and waits for its final reply.
func (c *Control) Try(line string) (Received, error) {
	if err := c.Send(line); err != nil {
		c.gone = true
		return Received{}, err
	}
	r, err := c.await(line, c.s.Bounds.Reply)
	if err != nil {
		return r, fmt.Errorf("no reply to %s: %w", verbOf(line), err)
	}
	return r, nil
}

// Cmd sends a command and returns its final reply; without one the check ends
// as inconclusive, because silence is the subject of other checks.
func (c *Control) Cmd(format string, args ...any) Received {
	r, err := c.Try(fmt.Sprintf(format, args...))
	if err != nil {
		c.s.Inconclusive("%v", err)
	}
	return r
}

// Must is Cmd for a command that has to succeed before the check's subject
// comes up: 2yz, or 3yz.
func (c *Control) Must(format string, args ...any) Received {
	r := c.Cmd(format, args...)
	if r.Class() != 2 && r.Class() != 3 {
		c.s.Inconclusive("%s was answered %s", verbOf(fmt.Sprintf(format, args...)), r)
	}
	return r
}

// Alive reports whether the session still answers NOOP in step, and fails the
// check if not; what says after which event.
func (c *Control) Alive(after string) bool {
	r, err := c.Try("NOOP")
	if err == nil && r.In(500, 502) { // a minimal server: anything else that does no harm is as good
		r, err = c.Try("PWD")
	}
	switch {
	case err != nil:
		c.s.Fail("the session does not go on after %s: %v", after, err)
	case !r.Positive():
		c.s.Fail("after %s NOOP was answered %s", after, r)
	default:
		return true
	}
	return false
}

// Raw sends octets as they are; the dialogue is the check's from here on.
func (c *Control) Raw(p []byte) {
	c.raw = true
	if err := c.SendOctets(p); err != nil {
		c.s.Inconclusive("the connection does not take more: %v", err)
	}
}

// Next waits for the next reply of whatever kind, for checks that have taken
// the dialogue into their own hands.
func (c *Control) Next(bound time.Duration) (Received, error) {
	c.raw = true
	r, err := c.Reply(bound)
	if err != nil {
		c.lost(err)
	}
	return r, err
}

// Quit ends the session in order: QUIT, its reply, close.
func (c *Control) Quit() {
	if _, err := c.Try("QUIT"); err == nil {
		c.WaitClosed(c.s.Bounds.Close)
	}
	c.End()
}

// End closes the connection at once.
func (c *Control) End() {
	c.gone = true
	_ = c.Close() // it may be gone already
}

// inStep sends a last NOOP; a reply that is not its own is a violation of the
// invariant about unsolicited replies.
func (c *Control) inStep() *Violation {
	if c.gone || c.raw || c.pending || c.owed > 0 {
		return nil
	}
	extra, err := c.Quiet(0)
	if err != nil {
		return nil
	}
	if len(extra) == 0 {
		r, err := c.Try("NOOP")
		if err != nil || r.Positive() {
			return nil
		}
		// Somebody else's reply is followed by that of NOOP. Else it was its own: a
		// server may refuse NOOP where nobody has logged in (vsftpd), or always
		// (aioftp), and that is another subject.
		if own, err := c.Quiet(c.s.Bounds.Quiet); len(own) == 0 || err != nil {
			return nil
		}
		extra = append(extra, r)
	}
	return &Violation{Check: unsolicitedID, Message: fmt.Sprintf("%s came without a command that asked for it, after %s", extra[0], c.lastTurn())}
}

func (c *Control) lastTurn() string {
	if len(c.turns) == 0 {
		return "the connection was made"
	}
	return c.turns[len(c.turns)-1].Line
}

// login logs in and prepares the session.
func (c *Control) login() error {
	t := c.s.Target
	r, err := c.Try("USER " + t.User)
	if err == nil && r.Code == 331 {
		r, err = c.tryLong("PASS "+t.Password, c.s.Bounds.Login)
	}
	switch {
	case err != nil:
		return err
	case r.Code != 230 && r.Code != 202:
		return &LoginError{User: t.User, Reply: r}
	}
	if t.Dir != "" {
		if r, err := c.Try("CWD " + t.Dir); err != nil || !r.Positive() {
			return errors.Join(err, fmt.Errorf("CWD %s was answered %s", t.Dir, r))
		}
	}
	if r, err := c.Try("TYPE I"); err != nil || !r.Positive() {
		return errors.Join(err, fmt.Errorf("TYPE I was answered %s", r))
	}
	return nil
}

// tryLong is Try with another bound than that of simple replies.
func (c *Control) tryLong(line string, bound time.Duration) (Received, error) {
	if err := c.Send(line); err != nil {
		return Received{}, err
	}
	r, err := c.await(line, bound)
	if err != nil {
		return r, fmt.Errorf("no reply to %s: %w", verbOf(line), err)
	}
	return r, nil
}

// LoginError says that the target does not let the user in.
type LoginError struct {
	User  string
	Reply Received
}

func (e *LoginError) Error() string { return fmt.Sprintf("login as %s: %s", e.User, e.Reply) }

// verbOf names a command in messages, without its argument if that is secret.
func verbOf(line string) string {
	cmd, err := ftp.ParseCommand([]byte(line))
	if err != nil { // not to be shown: it may be a malformed PASS
		return "a malformed command"
	}
	return fmt.Sprintf("%.80s", cmd.Redacted())
}
