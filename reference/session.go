package reference

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/ftpconform/ftpconform/ftp"
	"github.com/ftpconform/ftpconform/internal/host"
)

// Reasons for which a context of a session ends.
var (
	errControlLost = errors.New("control connection lost")
	errAborted     = errors.New("aborted by the client")
	errCutOff      = errors.New("cut off by a later command")
)

// maxPending bounds the lines that wait for the end of a transfer. When it is
// reached the server stops reading, and hears an ABOR only later.
const maxPending = 256

// session is one control connection. Fields without a word about it belong to
// the goroutine of serve.
type session struct {
	srv           *Server
	o             *Options
	conn          net.Conn
	local, remote netip.AddrPort // of the control connection

	ctx     context.Context         // ends when the server closes; any goroutine
	lost    context.Context         // ends with the control connection too; any goroutine
	lose    context.CancelCauseFunc // ends lost; any goroutine
	lines   chan line               // from read
	ended   chan struct{}           // closed when nobody takes lines any more
	writing sync.Mutex              // serialises send
	wg      sync.WaitGroup          // goroutines of the session

	over    bool   // no further command is wanted
	pending []line // what waits for the end of a transfer, in order

	login
	params
	cwd        string
	renameFrom string // between RNFR and RNTO
	setup      setup
	running    []*transfer
	results    chan result
	leaked     []io.Closer // what faults leave open, until the session ends

	transfers   int  // for Faults.TransferLimit
	failed      bool // for Faults.FailedTransferHangsNext
	spoilt      bool // for Faults.ABORSpoilsNext
	closesLate  bool // for Faults.BlockClosesLate
	passiveUses int  // for Faults.PASVDefaultPort
}

func newSession(ctx context.Context, srv *Server, conn net.Conn) *session {
	s := &session{
		srv: srv, o: &srv.o, conn: conn, ctx: ctx,
		local: host.AddrPort(conn.LocalAddr()), remote: host.AddrPort(conn.RemoteAddr()),
		lines: make(chan line, 16), ended: make(chan struct{}),
		results: make(chan result, 4), cwd: "/", params: defaultParams(),
	}
	s.lost, s.lose = context.WithCancelCause(ctx)
	return s
}

func (s *session) now() time.Time { return s.o.Clock.Now() }

// refuseSession answers 421 in place of the greeting.
func (s *session) refuseSession() {
	s.reply(421, "Too many sessions, try again later.")
	halfClose(s.conn)
	s.conn.Close()
	s.lose(errControlLost)
}

// serve runs the session to its end.
func (s *session) serve() {
	s.o.Logger.Info("session begins", "client", s.remote)
	// An error means that the system takes urgent data out of the stream;
	// Telnet.Decode copes with that.
	_ = host.InlineUrgent(s.conn)
	stop := context.AfterFunc(s.ctx, s.hurry)
	s.wg.Go(s.read)
	s.guarded()
	stop()
	s.end()
	s.o.Logger.Info("session ends", "client", s.remote)
}

// guarded runs the loop; a panic costs the client its session and nobody
// else's.
func (s *session) guarded() {
	defer func() {
		if r := recover(); r != nil {
			s.o.Logger.Error("panic", "in", "session", "client", s.remote, "value", r)
			s.over = true
			s.reply(421, "Internal error, closing control connection.")
		}
	}()
	s.greet()
	for !s.over {
		s.step()
	}
}

func (s *session) greet() {
	switch {
	case s.o.Faults.Latin1Greeting:
		s.reply(220, "Gr\xfc\xdfe: "+s.o.Greeting)
	case s.o.Tolerances.LongGreeting:
		s.reply(220, s.o.Greeting, "226 is not the code of this line,", "2026 is not a code at all,",
			"and 220-", "220 is the last one.")
	default:
		s.reply(220, s.o.Greeting)
	}
}

// step waits for the next thing that happens and handles it.
func (s *session) step() {
	busy := len(s.running) > 0
	if !busy && len(s.pending) > 0 {
		l := s.pending[0]
		s.pending = s.pending[1:]
		s.handle(l)
		return
	}
	lines, idle := s.lines, make(chan struct{})
	if busy && len(s.pending) >= maxPending {
		lines = nil
	}
	if !busy { // the idle time does not run during a transfer
		defer s.o.Clock.AfterFunc(s.o.IdleTimeout, func() { close(idle) })()
	}
	select {
	case l, ok := <-lines:
		switch {
		case !ok:
			s.over = true
		case busy:
			s.arrive(l)
		default:
			s.handle(l)
		}
	case r := <-s.results:
		s.finish(r)
	case <-idle:
		s.over = true
		s.reply(421, "Idle for too long, closing control connection.")
	case <-s.ctx.Done():
		s.over = true
		s.reply(421, "Server shuts down, closing control connection.")
	}
}

// arrive takes a line that comes in during a transfer.
func (s *session) arrive(l line) {
	f := &s.o.Faults
	verb := l.verb()
	switch {
	case verb == "ABOR" && f.ABORNeedsSynch && !l.synch:
		return
	case f.DropsQueued && verb != "ABOR" && verb != "STAT":
		return
	case f.SetupKillsTransfer && isSetup(verb), f.QUITTruncates && verb == "QUIT":
		for _, t := range s.running {
			t.cancel(errCutOff)
		}
	}
	s.pending = append(s.pending, l)
	s.lookAhead()
}

// lookAhead acts on what does not wait for the end of a transfer: an ABOR,
// wherever it stands in the queue, and a STAT that is next (RFC 959 section
// 4.1.3). Their replies come out in the order of the commands all the same. An
// ABOR stops every transfer in front of it, not just the one that runs when it
// comes in.
func (s *session) lookAhead() {
	for i := range s.pending {
		if s.pending[i].is("ABOR") {
			s.pending[i].acted = true
			for _, t := range s.running {
				t.abort()
			}
		}
	}
	for len(s.running) > 0 && len(s.pending) > 0 {
		verb := s.pending[0].verb()
		stat := s.pending[0].is("STAT") && !s.o.Tolerances.DefersSTAT
		overlap := s.o.Faults.OverlappingTransfers && ftp.IsTransfer(verb)
		if !stat && !overlap {
			return
		}
		l := s.pending[0]
		s.pending = s.pending[1:]
		s.handle(l)
	}
}

// end gives everything back that the session holds.
func (s *session) end() {
	for _, t := range s.running {
		if !s.o.Faults.DataOutlivesControl {
			t.cancel(errControlLost)
		}
	}
	for range s.running {
		r := <-s.results
		r.release()
	}
	s.dropSetup("")
	for _, c := range s.leaked {
		c.Close()
	}
	close(s.ended)
	// The last reply must not be lost to an RST that input nobody has read
	// would cause: half-close, and wait for the client's FIN for a moment.
	halfClose(s.conn)
	stop := s.o.Clock.AfterFunc(2*time.Second, func() { s.conn.Close() })
	unhook := context.AfterFunc(s.ctx, func() { s.conn.Close() })
	<-s.lost.Done()
	stop()
	unhook()
	s.conn.Close()
	s.wg.Wait()
}

// halfClose sends FIN and keeps the way in open, where conn can do that.
func halfClose(conn net.Conn) {
	if c, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
}
