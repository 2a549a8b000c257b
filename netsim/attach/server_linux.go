package attach

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/namespace"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// Server is a real server as a node of the simulated network.
type Server struct {
	space *namespace.Space

	mu   sync.Mutex
	fate string
	over chan struct{}
	// watch ends the look after a container.
	watch func()
}

var _ netsim.External = (*Server)(nil)

func newServer(space *namespace.Space) *Server {
	return &Server{space: space, over: make(chan struct{}), watch: func() {}}
}

// link is the device of a server.
func link(p netsim.Place) namespace.Link {
	return namespace.Link{Addrs: p.Addrs, MTU: p.MTU, Default: true, Refuse: true}
}

// Input implements packet.Sink.
func (s *Server) Input(p *packet.Packet) { s.space.Devices[0].Input(p) }

// Attach implements netsim.External.
func (s *Server) Attach(out packet.Sink) { s.space.Devices[0].Attach(out) }

// gone notes the end of the server.
func (s *Server) gone(fate string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fate == "" {
		s.fate = fate
		close(s.over)
	}
}

// Gone is closed when the server has ended.
func (s *Server) Gone() <-chan struct{} { return s.over }

// Fate says how the server has ended, as what one says of it: "exited with
// status 1"; empty while it runs.
func (s *Server) Fate() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fate
}

// Close ends a process, with all that it has started; a container loses its
// device, and goes on.
func (s *Server) Close() error {
	s.watch()
	err := s.space.Close()
	<-s.over
	return err
}

// joinRole is that of a child that makes a device in somebody else's namespace.
const joinRole = "join"

func init() { namespace.Serve(joinRole, func(*namespace.Child) error { return nil }) }

// Join enters the network namespace of a process, the first one of a container
// that was started without a network, and puts a device there.
func Join(ctx context.Context, pid int, place netsim.Place) (*Server, error) {
	alive, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("attach the container: process %d: %w", pid, err)
	}
	space, err := namespace.Start(ctx, namespace.Options{Role: joinRole, Join: pid, Links: []namespace.Link{link(place)}})
	if err != nil {
		_ = unix.Close(alive)
		return nil, fmt.Errorf("attach the container: %w", err)
	}
	s := newServer(space)
	s.lookAfter(alive)
	return s, nil
}
