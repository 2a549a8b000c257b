package suites

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/ftpconform/ftpconform/fakeclient"
	"github.com/ftpconform/ftpconform/ftp"
)

// Mode is a way to set a data connection up, named by its command.
type Mode string

// The modes.
const (
	PASV Mode = "PASV"
	EPSV Mode = "EPSV"
	PORT Mode = "PORT"
	EPRT Mode = "EPRT"
)

// Active reports whether the server dials in this mode.
func (m Mode) Active() bool { return m == PORT || m == EPRT }

// Path is a data connection that has been set up and not been used yet.
type Path struct {
	Mode Mode
	// Endpoint is where the listening side listens: announced by the server
	// in passive mode, by us in active mode.
	Endpoint netip.AddrPort
	Listener *fakeclient.Listener // active mode only

	c    *Control
	data *fakeclient.Data
}

// SetUp sets a data connection up; if the server does not do that, the check
// ends as inconclusive.
func (c *Control) SetUp(m Mode) *Path {
	switch m {
	case PORT, EPRT:
		l := c.Listen()
		c.Announce(m, l.Endpoint)
		return &Path{Mode: m, Endpoint: l.Endpoint, Listener: l, c: c}
	case EPSV:
		r := c.Must("EPSV")
		port, _, err := ftp.ScanEPSVReply(r.Text())
		if err != nil {
			c.s.Inconclusive("no port in the reply to EPSV: %v", err)
		}
		return &Path{Mode: m, Endpoint: netip.AddrPortFrom(c.Remote.Addr(), port), c: c}
	case PASV:
	}
	r := c.Must("PASV")
	ep, err := passiveEndpoint(r.Reply)
	if err != nil {
		c.s.Inconclusive("no endpoint in the reply to PASV: %v", err)
	}
	// The control peer is dialled, not the announced address: that the two
	// agree is a check of its own.
	return &Path{Mode: m, Endpoint: netip.AddrPortFrom(c.Remote.Addr(), ep.Port()), c: c}
}

// Listen opens a port for the server on the address that this control
// connection comes from. Neither octet of the port is zero: servers that
// stumble over a zero have a check of their own.
func (c *Control) Listen() *fakeclient.Listener {
	for {
		l, err := c.s.Client.Listen(netip.AddrPortFrom(c.Local.Addr(), 0))
		if err != nil {
			c.s.Inconclusive("%v", err)
		}
		if l.Endpoint.Port()&0xff != 0 {
			return l
		}
		_ = l.Close()
	}
}

// Closed returns an endpoint of the client where nobody listens, and where
// nobody will while the check runs: the near end of a connection that is kept
// open for that. A port that had only been closed could be the next one that
// somebody else is given.
func (c *Control) Closed() netip.AddrPort {
	l := c.Listen()
	defer func() { _ = l.Close() }()
	for {
		d, err := c.s.Client.DialData(netip.AddrPortFrom(c.Local.Addr(), 0), l.Endpoint)
		if err != nil {
			c.s.Inconclusive("%v", err)
		}
		if d.Local.Port()&0xff != 0 {
			return d.Local
		}
	}
}

// Announce sends PORT or EPRT for an endpoint and expects success.
func (c *Control) Announce(m Mode, ep netip.AddrPort) Received {
	return c.Must("%s", announcement(m, ep))
}

// announcement is the command line that names an endpoint.
func announcement(m Mode, ep netip.AddrPort) string {
	if m == EPRT {
		return "EPRT " + ftp.FormatExtended(ep)
	}
	return "PORT " + ftp.FormatHostPort(ep)
}

// Dial connects to a passive path now; it may be called once.
func (p *Path) Dial() (*fakeclient.Data, error) {
	if p.data != nil {
		return p.data, nil
	}
	d, err := p.c.s.Client.DialData(p.c.s.dataLocal(p.Endpoint), p.Endpoint)
	if err != nil {
		return nil, err
	}
	p.data = d
	return d, nil
}

// Transfer is a transfer command and what came of it.
type Transfer struct {
	Command     string
	Path        *Path            // nil when there was no set-up
	Data        *fakeclient.Data // nil when no data connection came up
	Preliminary []Received
	Final       Received // Code 0 until Finish has seen it
	// Err says why Data or Final is missing, beyond what Final tells.
	Err error

	c *Control
}

// Begin sends a transfer command and gets the data connection up: in passive
// mode it dials first, in active mode it waits for the server or its refusal.
func (c *Control) Begin(p *Path, format string, args ...any) *Transfer {
	t := &Transfer{Command: fmt.Sprintf(format, args...), Path: p, c: c}
	if !p.Mode.Active() {
		if t.Data, t.Err = p.Dial(); t.Err != nil {
			return t
		}
	}
	c.pending = true
	if t.Err = c.Send(t.Command); t.Err != nil {
		c.gone = true
		return t
	}
	if p.Mode.Active() {
		t.AwaitConnection(p.Listener, c.s.Bounds.Dial)
	}
	return t
}

// Start sends a transfer command and does nothing else: the check takes care
// of the data connection.
func (c *Control) Start(format string, args ...any) *Transfer {
	t := &Transfer{Command: fmt.Sprintf(format, args...), c: c}
	c.pending = true
	if t.Err = c.Send(t.Command); t.Err != nil {
		c.gone = true
	}
	return t
}

// AwaitConnection waits for the server to connect or to give up.
func (t *Transfer) AwaitConnection(l *fakeclient.Listener, bound time.Duration) {
	d, final, prelim, err := l.Await(t.c.Control, bound)
	t.Data, t.Err = d, err
	t.Preliminary = append(t.Preliminary, prelim...)
	if err != nil {
		t.c.lost(err)
	}
	if final != nil {
		t.settle(*final)
	}
}

func (t *Transfer) settle(final Received) {
	t.Final, t.c.pending = final, false
	t.c.file(t.Command, t.Preliminary, final)
}

// Finish waits for the final reply, unless it is there already.
func (t *Transfer) Finish(bound time.Duration) *Transfer {
	if t.Final.Code != 0 || t.c.gone {
		return t
	}
	final, prelim, err := t.c.Final(bound)
	t.Preliminary = append(t.Preliminary, prelim...)
	if err != nil {
		t.c.lost(err)
		t.Err = errors.Join(t.Err, fmt.Errorf("no final reply to %s: %w", verbOf(t.Command), err))
		t.c.file(t.Command, t.Preliminary, Received{})
		return t
	}
	t.settle(final)
	return t
}

// Retrieve carries out a transfer from the server to its end.
func (c *Control) Retrieve(p *Path, format string, args ...any) *Transfer {
	t := c.Begin(p, format, args...)
	if t.Data == nil {
		if t.Err == nil {
			t.Finish(c.s.Bounds.Transfer)
		}
		return t
	}
	t.Data.Start()
	if !t.refused() {
		t.Data.Wait(c.s.Bounds.Transfer)
	}
	t.Finish(c.s.Bounds.Reply)
	_ = t.Data.Close()
	return t
}

// refused reads ahead: when the server refuses the command at once, nothing
// will come on a passive connection that was made before.
func (t *Transfer) refused() bool {
	if t.Final.Code != 0 {
		return t.Final.Negative()
	}
	r, err := t.c.Reply(t.c.s.Bounds.Dial)
	switch {
	case err != nil:
		return false
	case r.Preliminary():
		t.Preliminary = append(t.Preliminary, r)
		return false
	}
	t.settle(r)
	return r.Negative()
}

// Store carries out a transfer to the server: it sends the content and closes.
func (c *Control) Store(p *Path, content []byte, format string, args ...any) *Transfer {
	t := c.Begin(p, format, args...)
	if t.Data == nil {
		if t.Err == nil {
			t.Finish(c.s.Bounds.Transfer)
		}
		return t
	}
	if _, err := t.Data.Send(content, c.s.Bounds.Transfer); err != nil {
		t.Err = err
	}
	_ = t.Data.Close()
	return t.Finish(c.s.Bounds.Transfer)
}

// OK reports whether the transfer ended with 226 or 250.
func (t *Transfer) OK() bool { return t.Final.In(226, 250) }

// String tells what came of the transfer: "150, 12 octets, FIN, 226".
func (t *Transfer) String() string {
	s := verbOf(t.Command) + ":"
	for _, p := range t.Preliminary {
		s += fmt.Sprintf(" %d,", p.Code)
	}
	switch {
	case t.Data == nil:
		s += " no data connection,"
	case t.Data.Total() > 0:
		s += fmt.Sprintf(" %d octets,", t.Data.Total())
	}
	if t.Final.Code == 0 {
		s += " no final reply"
	} else {
		s += " " + t.Final.String()
	}
	if t.Err != nil {
		s += fmt.Sprintf(" (%v)", t.Err)
	}
	return s
}

// MustRetrieve is Retrieve for a transfer that is not the check's subject: it
// has to succeed with exactly the content, or the check is inconclusive.
func (c *Control) MustRetrieve(m Mode, name string, want []byte) *Transfer {
	t := c.Retrieve(c.SetUp(m), "RETR %s", name)
	if !t.OK() || t.Data == nil || want != nil && !slices.Equal(t.Data.Bytes(), want) {
		c.s.Inconclusive("a plain transfer failed: %s", t)
	}
	return t
}

// MustStore is Store for a file that the check needs.
func (c *Control) MustStore(m Mode, name string, content []byte) {
	if t := c.Store(c.SetUp(m), content, "STOR %s", name); !t.OK() {
		c.s.Inconclusive("a file for the check could not be stored: %s", t)
	}
}

// Content fetches a file to look at what is stored; ok is false when there is
// none, or it cannot be fetched.
func (c *Control) Content(name string) (content []byte, ok bool) {
	t := c.Retrieve(c.SetUp(c.s.Mode()), "RETR %s", name)
	if !t.OK() || t.Data == nil {
		return nil, false
	}
	return t.Data.Bytes(), true
}

// Mode is a mode that works on the target, passive before active; for checks
// to which it does not matter.
func (s *Session) Mode() Mode {
	for _, m := range []Mode{PASV, EPSV, PORT, EPRT} {
		if s.Target.Works(m) {
			return m
		}
	}
	s.Inconclusive("no mode of data connection works on this target")
	return ""
}

// Modes are PASV and PORT, or with IPv6 EPSV and EPRT, as far as they work: for
// checks about both directions.
func (s *Session) Modes() []Mode {
	var out []Mode
	usual := []Mode{PASV, PORT}
	if s.Target.Address.Addr().Is6() {
		usual = []Mode{EPSV, EPRT}
	}
	for _, m := range usual {
		if s.Target.Works(m) {
			out = append(out, m)
		}
	}
	if len(out) == 0 {
		return []Mode{s.Mode()}
	}
	return out
}
