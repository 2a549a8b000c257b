package suites

import (
	"bytes"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/ftpconform/ftpconform/fakeclient"
)

// The checks of the data connection: RFC 959 sections 2.3, 3.1 to 3.4, 4.1 to
// 4.2, 5.2 and 5.4, RFC 1123 sections 4.1.2.9 and 4.1.3.3. This file has those
// about how a connection comes about; dataend.go has those about its end,
// datacontent.go about what travels on it, databusy.go about many transfers
// and commands during one, dataparties.go about several sessions or servers.
var dataChecks = slices.Concat(dataConnChecks, dataEndChecks, dataContentChecks, dataBusyChecks, dataPartyChecks)

var dataConnChecks = []Check{
	{
		ID: "data-default-port", Requirements: []string{"FTP-DATA-001"}, Needs: []Need{NeedActive, NeedFiles},
		Title:    "Without a set-up command the server connects to the port that the control connection comes from",
		Why:      "Clients that send no PORT rely on the default ports; most servers of today refuse, and the least that is needed is an answer.",
		Conforms: []string{"a connection to that port, 1yz, the file, 226 (RFC 959 sections 3.2 and 5.2)"},
		Noted:    []string{"a refusal, 425 or 503 as a rule, which is what nearly every server does (conflict C-06); it fails in the strict profile"},
		Fails: []string{"neither a connection nor a final reply (RFC 959 section 4.2)", "success without a connection (RFC 959 section 5.2)",
			"a connection and not the file (RFC 959 section 3.2)", "in the strict profile: a refusal (RFC 959 section 3.2)"},
		Run: dataDefaultPort,
	},
	{
		ID: "data-agreed-endpoint", Requirements: []string{"FTP-DATA-002"}, Needs: []Need{NeedActive, NeedFiles},
		Title:    "The server connects to the agreed endpoint and nowhere else",
		Why:      "Only the client knows what its firewall lets in; a stray connection meets another program, or another session.",
		Conforms: []string{"after PORT nobody comes to the default data port, and without PORT nobody comes to the endpoint of another session (RFC 959 section 3.3)"},
		Noted:    []string{"without PORT a connection to the port below that of the control connection, the server's rule taken for the client's (conflict C-06); it fails in the strict profile"},
		Fails:    []string{"a connection to another endpoint than the agreed one (RFC 959 section 3.3)"},
		Run:      dataAgreedEndpoint,
	},
	{
		ID: "data-125-or-150", Requirements: []string{"FTP-DATA-008"}, Needs: []Need{NeedActive, NeedFiles},
		Title:    "125 is not said of a data connection that does not exist",
		Why:      "A client may take 125 for the sign that its listener has been reached, and wait for data.",
		Conforms: []string{"125 or 150 over a passive connection that is open; no 125 where the port of the client refuses (RFC 959 section 4.2.1)"},
		Fails:    []string{"125 before any connection exists (RFC 959 section 4.2.1)", "another preliminary reply (RFC 959 section 5.4)"},
		Run:      data125Or150,
	},
	{
		ID: "data-missing-file", Requirements: []string{"FTP-DATA-009"}, Needs: []Need{NeedData, NeedFiles},
		Title:    "An error known before the data phase is a final reply at once, without a data connection",
		Why:      "A client that has seen 150 waits for the end of the data, and takes an empty stream for an empty file.",
		Conforms: []string{"550 or 450 without 1yz, and no connection to the endpoint of PORT (RFC 959 section 5.4)"},
		Noted: []string{"1yz or a connection before the error, when the connection is closed again; it fails in the strict profile",
			"another 4yz or 5yz (RFC 959 section 5.4)"},
		Fails: []string{"the data connection is left open (RFC 959 section 3.2)", "success, or no final reply (RFC 959 section 5.4)",
			"in the strict profile: 1yz or a connection before the error (RFC 959 section 5.4)"},
		Run: dataMissingFile,
	},
	{
		ID: "data-after-failure", Requirements: []string{"FTP-DATA-010"}, Needs: []Need{NeedPassive, NeedFiles},
		Title:    "A transfer after one that failed early, without a new set-up, is answered",
		Why:      "Whether the set-up survives is not defined, so clients try; what they cannot cope with is silence.",
		Conforms: []string{"the transfer works, or is refused (RFC 959 section 4.1.2)"},
		Fails:    []string{"no final reply (RFC 959 section 4.2)"},
		Run:      dataAfterFailure,
	},
}

func dataDefaultPort(s *Session) {
	c := s.Login()
	l := s.ownPort(c)
	t := c.Start("RETR %s", SmallFile)
	t.AwaitConnection(l, s.Bounds.Dial)
	if t.Data != nil {
		t.Data.Wait(s.Bounds.Transfer)
		t.Finish(s.Bounds.Reply)
	}
	switch {
	case t.Data == nil && t.Final.Code == 0:
		s.Fail("without a set-up command there was neither a connection to the default data port nor a final reply: %s", t)
	case t.Data == nil && t.Final.Positive():
		s.Fail("without a set-up command the transfer claims success, and nobody connected to the default data port: %s", t)
	case t.Data == nil:
		s.Strict("a transfer to the default data port was refused: %s", t.Final)
	case !t.OK() || !bytes.Equal(t.Data.Bytes(), SmallContent):
		s.Fail("the server connected to the default data port, and the transfer failed: %s", t)
	}
}

func dataAgreedEndpoint(s *Session) {
	c := s.Login()
	fallback := s.ownPort(c)
	p := c.SetUp(PORT)
	if t := c.Retrieve(p, "RETR %s", SmallFile); !t.OK() || t.Data == nil {
		s.Inconclusive("a plain transfer failed: %s", t)
	}
	if _, err := fallback.Accept(s.Bounds.Quiet); err == nil {
		s.Fatal("after PORT the server also connected to the default data port")
	}
	other := s.Login()
	own := s.ownPort(other)
	below, berr := s.Client.Listen(netip.AddrPortFrom(other.Local.Addr(), other.Local.Port()-1))
	t := other.Start("RETR %s", SmallFile)
	t.AwaitConnection(own, s.patience())
	if t.Data != nil {
		t.Data.Wait(s.Bounds.Transfer)
		t.Finish(s.Bounds.Reply)
	}
	if _, err := p.Listener.Accept(0); err == nil {
		s.Fail("without a set-up command the server connected to the endpoint of another session's PORT")
	}
	if berr != nil {
		return // the port belongs to somebody else, and cannot be watched
	}
	if _, err := below.Accept(0); err == nil {
		s.Strict("without a set-up command the server connected to port %d; the default data port is %d, that of the control connection", below.Endpoint.Port(), own.Endpoint.Port())
	}
}

// ownPort listens on the port that the control connection comes from, the
// client's default data port.
func (s *Session) ownPort(c *Control) *fakeclient.Listener {
	l, err := s.Client.Listen(c.Local)
	if err != nil {
		s.Inconclusive("the default data port cannot be opened beside the control connection: %v", err)
	}
	return l
}

func data125Or150(s *Session) {
	if s.Target.Works(PASV) {
		c := s.Login()
		t := c.Retrieve(c.SetUp(PASV), "RETR %s", SmallFile)
		if len(t.Preliminary) > 0 && !t.Preliminary[0].In(125, 150) {
			s.Fail("the preliminary reply over an open connection is %s", t.Preliminary[0])
		}
	}
	// Where nobody listens there is never a connection, whenever 125 comes.
	c := s.Login()
	c.Announce(PORT, c.Closed())
	t := c.Start("RETR %s", SmallFile)
	t.hear(s.Bounds.Dial)
	switch {
	case len(t.Preliminary) > 0 && t.Preliminary[0].Code == 125:
		s.Fail("%s came where the port of the client refuses, so that no connection can have existed", t.Preliminary[0])
	case len(t.Preliminary) == 0 && t.Final.Code == 0:
		s.Inconclusive("no reply where the port of the client refuses: %s", t)
	}
	c.End() // the final reply is not the subject
}

func dataMissingFile(s *Session) {
	for _, m := range s.Modes() {
		c := s.Login()
		p := c.SetUp(m)
		if m.Active() {
			if _, err := p.Listener.Accept(s.Bounds.Quiet / 4); err == nil {
				s.Inconclusive("the server connected at %s already, which is another subject", m)
			}
		}
		t := c.Begin(p, "RETR %s", MissingFile)
		if t.Data != nil {
			t.Data.Start()
		}
		if t.Finish(s.Bounds.Reply); t.Data == nil && m.Active() {
			t.Data, _ = p.Listener.Accept(s.Bounds.Quiet) // it must not come later either
		}
		// A passive connection is the client's, and may wait for the next
		// transfer unless this one has begun.
		begun := len(t.Preliminary) > 0 || m.Active() && t.Data != nil
		switch {
		case t.Final.Code == 0:
			s.Fail("RETR of a missing file in mode %s has no final reply: %s", m, t)
		case t.Final.Positive():
			s.Fail("RETR of a missing file in mode %s was answered %s", m, t.Final)
		case begun && t.Data != nil && t.Data.Wait(s.Bounds.Close).Ending == fakeclient.EndNone:
			s.Fail("the data connection in mode %s was still open %v after the error about a missing file: %s", m, s.Bounds.Close, t)
		case begun:
			s.Strict("the error about a missing file in mode %s came only after a preliminary reply or a connection: %s", m, t)
		case !t.Final.In(450, 550):
			s.Note("RETR of a missing file was answered %s", t.Final)
		}
	}
}

func dataAfterFailure(s *Session) {
	c := s.Login()
	p := c.SetUp(PASV)
	first := c.Start("RETR %s", MissingFile)
	if first.hear(s.patience()); first.Final.Code == 0 {
		// Some servers wait for the connection before they look for the file.
		if d, err := p.Dial(); err == nil {
			d.Start()
		}
	}
	if !first.Finish(s.Bounds.Reply).Final.Negative() {
		s.Inconclusive("RETR of a missing file did not fail: %s", first)
	}
	again := &Path{Mode: PASV, Endpoint: p.Endpoint, c: c}
	d, err := again.Dial() // refused where the set-up is gone
	t := c.Start("RETR %s", SmallFile)
	if err == nil {
		t.Data = d
		d.Start()
	}
	bound, proves := s.stallBound()
	switch t.Finish(bound); {
	case t.Final.Code != 0:
	case proves || c.gone:
		s.Fail("a transfer after a failed one has no final reply within %v: %s", bound, t)
	default:
		s.Inconclusive("a transfer after a failed one has no final reply within %v; run with --slow to wait longer, or say the target's own timeout with --data-timeout", bound)
	}
}

// stallBound is how long a transfer may take that waits for a data connection
// in vain, and whether silence for so long proves anything: where the target's
// own timeout is not known, only a run of slow checks waits it out.
func (s *Session) stallBound() (bound time.Duration, proves bool) {
	bound = s.Config.dataTimeout()
	if bound > SlowWait && !s.Config.Slow {
		return SlowWait, false
	}
	return bound, true
}

// hearOut hears what the server says before data flows: until it pauses, or
// has nothing left to say.
func (t *Transfer) hearOut() {
	for said := -1; said < len(t.Preliminary) && t.Final.Code == 0; {
		said = len(t.Preliminary)
		t.hear(t.c.s.Bounds.Quiet / 4)
	}
}

// hear takes the next reply to a transfer command if one comes within the
// bound: a preliminary one, or the final one. Silence is no error here.
func (t *Transfer) hear(bound time.Duration) {
	if t.Final.Code != 0 || t.c.gone {
		return
	}
	switch r, err := t.c.Reply(bound); {
	case errors.Is(err, fakeclient.ErrTimeout):
	case err != nil:
		t.c.lost(err)
		t.Err = errors.Join(t.Err, err)
	case r.Preliminary():
		t.Preliminary = append(t.Preliminary, r)
	default:
		t.settle(r)
	}
}
