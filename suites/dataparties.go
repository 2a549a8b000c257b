package suites

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
	"github.com/ftpconform/ftpconform/reference"
)

// The checks about several sessions, or servers: RFC 959 sections 2.3 and 5.2,
// RFC 2577 section 3.
var dataPartyChecks = []Check{
	{
		ID: "data-third-party", Requirements: []string{"FTP-DATA-023"}, Needs: []Need{NeedStranger, NeedFiles},
		Title:    "A transfer between two servers is either refused or carried out",
		Why:      "To refuse is the safe default; a server that claims to have sent what nobody received loses files.",
		Conforms: []string{"the foreign PORT is refused, or the foreign peer turned away (RFC 2577 section 3, conflict C-13)"},
		Noted:    []string{"the data moves (RFC 959 section 5.2); it should be wanted, because it permits the bounce attack (RFC 2577 section 3)"},
		Fails:    []string{"success is claimed and nothing has moved, or something else (RFC 959 section 5.2)"},
		Run:      dataThirdParty,
	},
	{
		ID: "data-sessions-apart", Requirements: []string{"FTP-DATA-024"}, Needs: []Need{NeedPassive, NeedFiles}, Exclusive: true,
		Title:    "Concurrent sessions get their own data",
		Why:      "Otherwise one user is handed the file of another.",
		Conforms: []string{"20 sessions of one client that connect in reverse order each receive their own file (RFC 959 section 2.3)"},
		Noted:    []string{"the target takes fewer sessions, or has fewer passive ports"},
		Fails:    []string{"a session receives the file of another, or none (RFC 959 section 2.3)"},
		Run:      dataSessionsApart,
	},
}

// thirdFile is the file of the second server, and the name under which the
// target is asked to store it.
const thirdFile = "data-third-party.bin"

func dataThirdParty(s *Session) {
	if !s.Target.Works(PORT) && !s.Target.Works(PASV) {
		s.Inconclusive("neither PORT nor PASV works here, and other modes name no other host")
	}
	c := s.Login()
	second := s.startSecond()
	defer second.close()
	second.login()
	if s.Target.Works(PORT) {
		second.fetchFrom(c)
	}
	if s.Target.Works(PASV) {
		second.sendTo(s.Login())
	}
}

// secondServer is a server at the stranger's address that agrees to transfers
// with anybody, and a session with it. That session is not the target's: the
// invariants do not see it.
type secondServer struct {
	*Control
	s      *Session
	at     netip.AddrPort
	files  *reference.Memory
	server *reference.Server
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func (s *Session) startSecond() *secondServer {
	network := s.Config.Network
	if network == nil {
		network = host.OS{}
	}
	x := &secondServer{s: s, files: reference.NewMemory()}
	if err := x.files.WriteFile("/"+thirdFile, BigContent[:1000], s.Config.clock().Now()); err != nil {
		s.Inconclusive("the second server has no file: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	l, err := network.Listen(ctx, netip.AddrPortFrom(s.Stranger(), 0))
	if err != nil {
		cancel()
		s.Inconclusive("the second server cannot listen: %v", err)
	}
	x.at, x.cancel = host.AddrPort(l.Addr()), cancel
	x.server = reference.NewServer(reference.Options{Network: s.Config.Network, Clock: s.Config.Clock, Files: x.files,
		Users: map[string]string{"third": "party"}, AllowForeign: true, DataTimeout: s.strangerWait()})
	x.wg.Go(func() { _ = x.server.Serve(ctx, l) })
	return x
}

func (x *secondServer) close() {
	if x.Control != nil {
		x.End()
	}
	x.cancel()
	_ = x.server.Close() // there is nothing to be done about an error
	x.wg.Wait()
}

func (x *secondServer) login() {
	k, err := x.s.Client.Dial(x.s.dataLocal(x.at), x.at)
	if err != nil {
		x.s.Inconclusive("no session with the second server: %v", err)
	}
	x.Control = &Control{Control: k, s: x.s}
	if _, err := x.await("", x.s.Bounds.Greet); err != nil {
		x.s.Inconclusive("no session with the second server: %v", err)
	}
	x.Must("USER third")
	x.Must("PASS party")
	x.Must("TYPE I")
}

// strangerWait is how long a server is given for a connection that it may
// refuse.
func (s *Session) strangerWait() time.Duration {
	return min(s.Bounds.Close, max(s.patience(), time.Second))
}

// fetchFrom lets the target send a file to the second server.
func (x *secondServer) fetchFrom(c *Control) {
	const name = "received.bin"
	p := x.SetUp(PASV)
	if !c.Cmd("%s", announcement(PORT, p.Endpoint)).Positive() {
		return // the safe default
	}
	in, out := x.Start("STOR %s", name), c.Start("RETR %s", SmallFile)
	if out.Finish(x.s.Bounds.Dial).Final.Code == 0 {
		x.s.Inconclusive("a transfer to a foreign endpoint has no final reply: %s", out)
	}
	in.Finish(x.s.Bounds.Reply)
	got, err := x.files.ReadFile("/" + name)
	x.s.gradeThirdParty(out, err == nil && bytes.Equal(got, SmallContent))
}

// sendTo lets the second server send a file to the target.
func (x *secondServer) sendTo(c *Control) {
	p := c.SetUp(PASV)
	x.Announce(PORT, p.Endpoint)
	in, out := c.Start("STOR %s", thirdFile), x.Start("RETR %s", thirdFile)
	out.Finish(x.s.Bounds.Reply)
	// A target that has turned the stranger away may go on waiting for its
	// own client, and what it says at the end of that is not waited for.
	for range 2 {
		in.hear(x.s.strangerWait())
	}
	c.End()
	if !in.Final.Positive() {
		return
	}
	k := x.s.Login()
	got, ok := k.Content(thirdFile)
	x.s.gradeThirdParty(in, ok && bytes.Equal(got, BigContent[:1000]))
	k.ask("DELE " + thirdFile)
}

// gradeThirdParty grades what the target says of a transfer with another
// server; moved tells whether the file has arrived.
func (s *Session) gradeThirdParty(t *Transfer, moved bool) {
	switch verb := verbOf(t.Command); {
	case t.Final.Positive() && moved:
		s.Note("%s with another host as the other end was carried out: %s", verb, t.Final)
	case t.Final.Positive():
		s.Fail("%s with another host as the other end was answered %s, and the file did not arrive", verb, t.Final)
	}
}

// visitor is one of several sessions.
type visitor struct {
	c       *Control
	path    *Path
	t       *Transfer
	content []byte
}

// sessionCount is the number of sessions at a time.
const sessionCount = 20

func dataSessionsApart(s *Session) {
	keeper := s.Login()
	name := func(i int) string { return fmt.Sprintf("data-sessions-apart-%02d.bin", i) }
	content := func(i int) []byte { return bytes.Repeat([]byte(name(i)), 100) }
	for i := range sessionCount {
		keeper.mustHold(name(i), content(i))
		defer keeper.ask("DELE " + name(i))
	}
	visitors := s.visitors()
	for _, v := range slices.Backward(visitors) {
		if _, err := v.path.Dial(); err != nil {
			s.Inconclusive("a passive port does not accept: %v", err)
		}
	}
	// Every other one first: the server may notice connections in their order
	// or in the reverse one, and this is neither.
	for start := range 2 {
		for i := start; i < len(visitors); i += 2 {
			v := visitors[i]
			v.content = content(i)
			v.t = v.c.Begin(v.path, "RETR %s", name(i))
			v.t.Data.Start()
		}
	}
	var without []*visitor
	for i, v := range visitors {
		v.t.Finish(s.Bounds.Transfer)
		v.t.Data.Wait(s.Bounds.Reply)
		got := v.t.Data.Bytes()
		if j := slices.IndexFunc(visitors, func(o *visitor) bool { return bytes.Equal(got, o.content) }); j >= 0 && j != i {
			s.Fatal("session %d of %d received the file of session %d", i+1, len(visitors), j+1)
		} else if j < 0 || !v.t.OK() {
			without = append(without, v)
		}
	}
	if len(without) > 0 {
		s.Fail("%d of %d sessions did not receive their file, one of them so: %s", len(without), len(visitors), without[0].t)
	}
}

// visitors opens sessions with a passive port each, as many as the target
// takes.
func (s *Session) visitors() []*visitor {
	var out []*visitor
	for i := range sessionCount {
		c, err := s.TryLogin()
		if err != nil {
			s.Note("the target takes no more than %d sessions: %v", i+1, err)
			break
		}
		r := c.Cmd("PASV")
		ep, err := passiveEndpoint(r.Reply)
		if r.Code != 227 || err != nil {
			s.Note("with %d passive ports in use PASV was answered %s", i, r)
			break
		}
		out = append(out, &visitor{c: c, path: &Path{Mode: PASV, Endpoint: netip.AddrPortFrom(c.Remote.Addr(), ep.Port()), c: c}})
	}
	if len(out) < 2 {
		s.Inconclusive("two sessions with a passive port each could not be had")
	}
	return out
}
