package reference

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
)

// ErrServerClosed is the cause with which Close ends sessions, and what Serve
// returns when it is called after Close.
var ErrServerClosed = errors.New("reference: server closed")

// Server is an FTP server. Use NewServer to make one. Its methods may be
// called from several goroutines.
type Server struct {
	o      Options
	ctx    context.Context // ends with Close
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup // every goroutine of the server
	cross  crossing       // for Faults.CrossesSessions

	commands map[string]command // never changed

	mu        sync.Mutex
	closed    bool
	listeners map[net.Listener]bool
	lingering []io.Closer // for Faults.ListenerOutlivesControl
	sessions  int
	perHost   map[netip.Addr]int
	sequence  int // for Faults.SequentialPorts
}

// NewServer prepares a server and does no I/O. A server with faults says so
// in the log, so that nobody serves a broken one by accident.
func NewServer(o Options) *Server {
	s := &Server{o: o.withDefaults(), listeners: make(map[net.Listener]bool), perHost: make(map[netip.Addr]int)}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	s.commands = commands()
	if names := o.Faults.Names(); len(names) > 0 {
		s.o.Logger.Warn("this FTP server is broken on purpose", "faults", names)
	}
	return s
}

// Serve accepts sessions on l until Close is called or ctx ends, closes l,
// waits for the sessions and returns nil. It may be called for several
// listeners at once. An error means that l failed for another reason, or
// that the server had been closed before (ErrServerClosed).
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	defer l.Close()
	if !s.adopt(l) {
		return ErrServerClosed
	}
	defer s.disown(l)
	ctx, cancel := context.WithCancelCause(ctx)
	defer context.AfterFunc(s.ctx, func() { cancel(ErrServerClosed) })()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	var sessions sync.WaitGroup
	defer sessions.Wait()
	defer cancel(ErrServerClosed)
	for pause := time.Duration(0); ; {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil || s.ctx.Err() != nil:
			if conn != nil {
				conn.Close()
			}
			return nil
		case temporary(err): // out of descriptors, mostly: sessions will end
			pause = min(pause+50*time.Millisecond, time.Second)
			if s.o.Clock.Sleep(ctx, pause) != nil {
				return nil
			}
			continue
		case err != nil:
			return fmt.Errorf("accept FTP session on %v: %w", l.Addr(), err)
		}
		pause = 0
		sessions.Add(1)
		if !s.spawn(func() { defer sessions.Done(); s.session(ctx, conn) }) {
			sessions.Done()
			conn.Close()
		}
	}
}

// Close ends listeners, sessions and transfers and waits until every
// goroutine of the server is gone. It is no error to close twice.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.cancel(ErrServerClosed) // before the listeners, so that Serve knows why
	for l := range s.listeners {
		l.Close()
	}
	for _, c := range s.lingering {
		c.Close()
	}
	s.lingering = nil
	s.mu.Unlock()
	s.wg.Wait()
	return nil
}

// session runs one session if the limits allow it.
func (s *Server) session(ctx context.Context, conn net.Conn) {
	peer := host.AddrPort(conn.RemoteAddr())
	ok := s.enter(peer.Addr())
	defer s.leave(peer.Addr())
	sess := newSession(ctx, s, conn)
	if !ok {
		s.o.Logger.Info("session refused: too many", "client", peer)
		sess.refuseSession()
		return
	}
	sess.serve()
}

// enter counts a session in and reports whether it is within the limits.
func (s *Server) enter(peer netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions++
	s.perHost[peer]++
	return (s.o.MaxSessions <= 0 || s.sessions <= s.o.MaxSessions) &&
		(s.o.MaxSessionsPerHost <= 0 || s.perHost[peer] <= s.o.MaxSessionsPerHost)
}

func (s *Server) leave(peer netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions--
	if s.perHost[peer]--; s.perHost[peer] <= 0 {
		delete(s.perHost, peer)
	}
}

// spawn runs f in a goroutine that Close waits for; false means that the
// server is closed and f was not run.
func (s *Server) spawn(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		defer s.recovered("server")
		f()
	}()
	return true
}

// recovered is deferred by goroutines: a panic ends that goroutine only.
func (s *Server) recovered(where string) {
	if r := recover(); r != nil {
		s.o.Logger.Error("panic", "in", where, slog.Any("value", r))
	}
}

// adopt notes a listener for Close.
func (s *Server) adopt(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.listeners[l] = true
	return true
}

func (s *Server) disown(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

// linger leaves c open until Close.
func (s *Server) linger(c io.Closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		c.Close()
		return
	}
	s.lingering = append(s.lingering, c)
}

// temporary reports whether an accept error may go away.
func temporary(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}
