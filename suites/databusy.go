package suites

import (
	"bytes"
	"net/netip"
	"slices"
	"time"

	"github.com/ftpconform/ftpconform/fakeclient"
)

// The checks about many transfers and about what happens during one: RFC 959
// sections 3.2, 3.3, 4.1.3 and 4.2, RFC 1123 section 4.1.3.3.
var dataBusyChecks = []Check{
	{
		ID: "data-many-transfers", Requirements: []string{"FTP-DATA-013"}, Needs: []Need{NeedData, NeedFiles}, Exclusive: true, In: []Topology{Direct, ClientNAT, DoubleNAT, ClientFirewall, IPv6},
		Title:    "Many transfers in a row work in one session",
		Why:      "To mirror a directory takes hundreds of them; ports and descriptors that are not given back end it half-way.",
		Conforms: []string{"100 passive transfers, 100 active ones and 25 in turn succeed, each with its own set-up, and old passive ports refuse (RFC 959 section 3.3)"},
		Noted:    []string{"the target is too slow for all of them within the bound"},
		Fails:    []string{"a transfer or its set-up fails (RFC 959 section 3.3)", "the port of an earlier transfer still accepts (RFC 959 section 3.2)"},
		Run:      dataManyTransfers,
	},
	{
		ID: "data-one-at-a-time", Requirements: []string{"FTP-DATA-014"}, Needs: []Need{NeedData, NeedFiles},
		Title:    "A second transfer command waits until the first transfer has finished",
		Why:      "The replies of two transfers at once cannot be told apart.",
		Conforms: []string{"nothing begins while the first transfer is stalled; it arrives whole, and the second command is answered after it (RFC 959 section 3.2)", "503, 450 or 425 at once"},
		Noted:    []string{"another refusal before the first transfer has finished"},
		Fails: []string{"a second connection or a second 1yz meanwhile (RFC 959 section 3.2)", "the first transfer or the session is damaged (RFC 959 section 3.2)",
			"no final reply to one of the two commands, or one too many (RFC 959 section 4.2)"},
		Run: dataOneAtATime,
	},
	{
		ID: "data-setup-during-transfer", Requirements: []string{"FTP-DATA-015"}, Needs: []Need{NeedData, NeedFiles}, In: whereExtended,
		Title:    "A set-up command during a transfer does not damage the transfer",
		Why:      "Clients that prepare the next transfer early lose the present one.",
		Conforms: []string{"the file arrives whole with 226 or 250, and the set-up command is answered, before or after that (RFC 959 section 4.2)"},
		Fails:    []string{"the file is cut, or its transfer has no completion reply (RFC 959 section 4.2)", "the session ends (RFC 959 section 4.2)"},
		Run:      dataSetupDuringTransfer,
	},
	{
		ID: "data-stat-during-transfer", Requirements: []string{"FTP-DATA-016"}, Needs: []Need{NeedData, NeedFiles}, In: whereExtended,
		Title:    "STAT during a transfer has a reply of its own, and the transfer goes on",
		Why:      "Clients ask for progress; a server that mixes the two replies up makes them take a running transfer for finished.",
		Conforms: []string{"211, 212 or 213 at once, or after the final reply of the transfer (RFC 1123 section 4.1.3.3)"},
		Noted:    []string{"STAT is refused"},
		Fails: []string{"STAT gets the reply of the transfer, or another one (RFC 959 section 4.1.3)", "no reply (RFC 959 section 4.2)",
			"the transfer or the session is damaged (RFC 959 section 4.1.3)"},
		Run: dataStatDuringTransfer,
	},
}

// underWay begins to fetch BigFile and stops reading. When it returns, the
// server has said what it says before the data and cannot say more until the
// check reads on; a server that does is not one for the check.
func (s *Session) underWay(c *Control, m Mode) *Transfer {
	t := s.stalled(c, m)
	if t.hearOut(); t.Final.Code != 0 || c.gone {
		s.Inconclusive("the transfer was over when %d of %d octets had been read: %s", t.Data.Total(), len(s.big()), t)
	}
	return t
}

// whole reads the rest of a stalled transfer of BigFile and reports whether
// it is all there.
func (t *Transfer) whole() bool {
	end := t.Data.Wait(t.c.s.Bounds.Transfer)
	return end.Ending == fakeclient.EndFIN && bytes.Equal(t.Data.Bytes(), t.c.s.big())
}

// damaged reads the rest of a stalled transfer and reports whether it is not
// all there. That is put down to what was done meanwhile only where a transfer
// that stood still for as long, and was not disturbed, arrives whole.
func (s *Session) damaged(t *Transfer) bool {
	if t.whole() {
		return false
	}
	other := s.underWay(s.Login(), t.Path.Mode)
	s.Sleep(s.Bounds.Quiet)
	if !other.whole() {
		s.Inconclusive("a slow reader does not get the whole file, disturbed or not: %d of %d octets, end %s", other.Data.Total(), len(s.big()), other.Data.End().Ending)
	}
	return true
}

func preliminary(r Received) bool { return r.Preliminary() }

// finals waits for n final replies and returns those that came. Which command
// each of them belongs to is for the check to tell, and to file.
func (c *Control) finals(n int, bound time.Duration) []Received {
	var out []Received
	for len(out) < n && !c.gone {
		r, _, err := c.Final(bound)
		if err != nil {
			c.lost(err)
			break
		}
		out = append(out, r)
	}
	return out
}

func dataManyTransfers(s *Session) {
	m := &manyTransfers{s: s, c: s.Login()}
	modes := s.Modes()
	for _, mode := range modes {
		m.group(100, mode)
	}
	if len(modes) > 1 {
		m.group(25, modes...)
	}
	if len(m.ports) == 0 {
		return
	}
	// The last port may be kept for the next transfer; what is older must be
	// gone. A sample tells enough.
	last := m.ports[len(m.ports)-1]
	old := slices.Compact(slices.Sorted(slices.Values(m.ports)))
	for i := 0; i < len(old); i += max(len(old)/5, 1) {
		if old[i] != last && !s.Refused(netip.AddrPortFrom(m.c.Remote.Addr(), old[i])) {
			s.Fail("port %d of an earlier transfer still accepts connections", old[i])
		}
	}
}

// manyTransfers is a session with a long row of transfers.
type manyTransfers struct {
	s         *Session
	c         *Control
	listeners []*fakeclient.Listener // kept open, so that no port comes twice
	ports     []uint16               // of the server, in passive mode
	done      int
}

// group makes n transfers, in the modes by turns, as far as the time goes.
func (m *manyTransfers) group(n int, modes ...Mode) {
	s, limit := m.s, m.s.Bounds.Transfer/2
	until := s.Client.Trace().Now() + limit
	for i := range n {
		if s.Client.Trace().Now() > until {
			s.Note("of %d transfers by %v only %d could be made in %v", n, modes, i, limit)
			return
		}
		mode := modes[i%len(modes)]
		t := m.one(mode)
		if mode.Active() && t.Data == nil && t.Final.Code == 425 {
			// The pair of endpoints may be in TIME_WAIT from before on the
			// server's machine: another port tells.
			t = m.one(mode)
		}
		if t.OK() && t.Data != nil && bytes.Equal(t.Data.Bytes(), SmallContent) {
			m.done++
			continue
		}
		for _, l := range m.listeners {
			if _, err := l.Accept(0); err == nil {
				s.Inconclusive("the server connected to the endpoint of an earlier PORT, which is the subject of other checks: %s", t)
			}
		}
		s.Fatal("after %d transfers in one session one by %s failed: %s", m.done, mode, t)
	}
}

// one makes a transfer.
func (m *manyTransfers) one(mode Mode) *Transfer {
	var p *Path
	if mode == PASV {
		p = m.passive()
	} else {
		p = m.c.SetUp(mode)
	}
	if mode.Active() {
		m.listeners = append(m.listeners, p.Listener)
	} else {
		m.ports = append(m.ports, p.Endpoint.Port())
	}
	return m.c.Retrieve(p, "RETR %s", SmallFile)
}

// passive is SetUp for PASV, where a refusal is the subject.
func (m *manyTransfers) passive() *Path {
	r, err := m.c.Try("PASV")
	switch {
	case err != nil:
		m.s.Fatal("after %d transfers in one session: %v", m.done, err)
	case r.Code != 227:
		m.s.Fatal("after %d transfers in one session PASV was answered %s", m.done, r)
	}
	ep, err := passiveEndpoint(r.Reply)
	if err != nil {
		m.s.Inconclusive("no endpoint in the reply to PASV: %v", err)
	}
	return &Path{Mode: PASV, Endpoint: netip.AddrPortFrom(m.c.Remote.Addr(), ep.Port()), c: m.c}
}

func dataOneAtATime(s *Session) {
	c := s.Login()
	// Where the server dials, a second transfer needs no second set-up.
	mode := s.Mode()
	if s.Target.Works(PORT) {
		mode = PORT
	}
	first := s.underWay(c, mode)
	announced := len(first.Preliminary) > 0
	second := c.Start("RETR %s", SmallFile)
	meanwhile, err := c.Quiet(s.Bounds.Quiet)
	if err != nil {
		s.Fatal("a second transfer command ended the session: %v", err)
	}
	if l := first.Path.Listener; l != nil {
		if _, err := l.Accept(0); err == nil {
			s.Fatal("the server made a second data connection while the first one was in use")
		}
	}
	for _, r := range meanwhile {
		switch {
		case r.Preliminary() && announced:
			s.Fatal("a second transfer was announced with %s while the first one was under way", r)
		case r.Preliminary():
			first.Preliminary, announced = append(first.Preliminary, r), true
		case r.Positive():
			s.Inconclusive("%s came while the first transfer was under way", r)
		default:
			s.refusedMeanwhile(second, r)
		}
	}
	if s.damaged(first) {
		s.Fatal("the first transfer was damaged by a second transfer command: %d of %d octets, end %s", first.Data.Total(), len(s.big()), first.Data.End().Ending)
	}
	for first.Final.Code == 0 {
		replies := c.finals(1, s.Bounds.Reply)
		switch {
		case len(replies) == 0:
			s.Fatal("the first transfer has no final reply after a second transfer command: %s", first)
		case replies[0].In(226, 250):
			first.settle(replies[0])
		default:
			s.refusedMeanwhile(second, replies[0])
		}
	}
	s.gradeSecond(second, first.Path)
}

// refusedMeanwhile takes a reply that came before the completion of the first
// transfer for the refusal of the second command, of which there is one.
func (s *Session) refusedMeanwhile(t *Transfer, r Received) {
	switch {
	case !r.Negative():
		s.Fatal("%s came before the final reply of the first transfer", r)
	case t.Final.Code != 0:
		s.Fatal("before the final reply of the first transfer came %s and %s; there was one command that could be refused", t.Final, r)
	}
	t.settle(r)
	t.c.pending = true // the first transfer is
	if !r.In(425, 450, 503) {
		s.Note("a second transfer command was refused with %s", r)
	}
}

// gradeSecond looks for the answer to a command that had to wait. It may use
// the endpoint of before, or be refused.
func (s *Session) gradeSecond(t *Transfer, p *Path) {
	if t.Final.Code != 0 {
		return
	}
	t.c.pending = true
	bound, proves := s.stallBound()
	if p.Listener != nil {
		t.AwaitConnection(p.Listener, bound)
	}
	if t.Data != nil {
		t.Data.Wait(s.Bounds.Transfer)
	}
	if t.Err == nil {
		t.Finish(bound)
	}
	switch {
	case t.Final.Code != 0:
	case t.c.gone:
		s.Fail("the session ended before the second transfer command was answered: %s", t)
	case t.c.forgot() && len(t.Preliminary) > 0:
		s.Inconclusive("the second transfer command was taken, and never ended; that is another subject: %s", t)
	case t.c.forgot():
		s.Inconclusive("the second transfer command was forgotten; that commands wait in a queue is another subject")
	case proves:
		s.Fail("the second transfer command has no final reply within %v: %s", bound, t)
	default:
		s.Inconclusive("the second transfer command has no final reply within %v; run with --slow to wait longer, or say the target's own timeout with --data-timeout", bound)
	}
}

// forgot reports whether the server answers NOOP although it owes a reply to
// an earlier command: it has dropped that one.
func (c *Control) forgot() bool {
	r, err := c.Try("NOOP")
	return err == nil && r.Positive()
}

func dataSetupDuringTransfer(s *Session) {
	for _, m := range s.Modes() {
		c := s.Login()
		line := string(m)
		if m.Active() {
			line = announcement(m, c.Listen().Endpoint)
		}
		if _, answered := s.interject(s.underWay(c, s.Mode()), line); !answered {
			s.Inconclusive("%s during a transfer was not answered; that commands wait in a queue is another subject", m)
		}
		c.End()
	}
}

func dataStatDuringTransfer(s *Session) {
	c := s.Login()
	switch stat, answered := s.interject(s.underWay(c, s.Mode()), "STAT"); {
	case !answered:
		s.Fail("STAT during a transfer has no reply, neither at once nor after the transfer")
	case stat.In(211, 212, 213):
	case stat.Negative():
		s.Note("STAT during a transfer was answered %s", stat)
	default:
		s.Fail("STAT during a transfer was answered %s; 211, 212 or 213 was expected", stat)
	}
}

// interject sends a command while a transfer of BigFile is stalled, then reads
// the rest, and tells the two replies apart: what comes before the client
// reads on belongs to the command, and so does what does not complete a
// transfer. The transfer has to succeed.
func (s *Session) interject(t *Transfer, line string) (own Received, answered bool) {
	c, verb := t.c, verbOf(line)
	if err := c.Send(line); err != nil {
		s.Inconclusive("%v", err)
	}
	// A server that looks up from its transfer has the time to do so.
	replies, err := c.Quiet(s.Bounds.Quiet)
	replies = slices.DeleteFunc(replies, preliminary)
	early := len(replies)
	switch {
	case err != nil:
		s.Fatal("%s during a transfer ended the session: %v", verb, err)
	case s.damaged(t):
		s.Fatal("%s damaged the transfer: %d of %d octets, end %s", verb, t.Data.Total(), len(s.big()), t.Data.End().Ending)
	}
	replies = append(replies, c.finals(2-early, s.Bounds.Reply)...)
	final := 0 // which of them is that of the transfer
	if early > 0 || len(replies) > 1 && !replies[0].In(226, 250) {
		final = 1
	}
	if final >= len(replies) || !replies[final].In(226, 250) {
		s.Fatal("after %s during a transfer no 226 came for the transfer; the replies were %v", verb, replies)
	}
	t.settle(replies[final])
	if len(replies) < 2 {
		return Received{}, false
	}
	c.file(line, nil, replies[1-final])
	return replies[1-final], true
}
