package servers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/gateway"
)

// Port is where the servers listen.
const Port = 21

// The passive range of the simulated networks.
const (
	firstPassive = 50000
	passivePorts = 60
)

// greetBound is how long a server may take from its start to its greeting.
const greetBound = 60 * time.Second

// Options are those of Start; the zero value works.
type Options struct {
	// Announce, if set, is told of what takes long.
	Announce func(string)
	// Keep lets Close leave the server running.
	Keep bool
}

// Server is a server on the engine's bridge.
type Server struct {
	// Spec is its description, Version what its image says that it is.
	Spec    *Spec
	Version string
	// Image is the name of its image.
	Image string
	// Addr is its control port, and PassivePorts the range that it is told to
	// use; zero where it cannot be told.
	Addr         netip.AddrPort
	PassivePorts gateway.PortRange

	box  *box
	keep bool
}

// Start starts a server of the fleet on the engine's bridge and waits for its
// greeting. Without Docker the error is an *UnavailableError. Close the server
// when it is not needed any more.
func Start(ctx context.Context, name string) (*Server, error) {
	s, err := Find(name)
	if err != nil {
		return nil, err
	}
	return s.Start(ctx, Options{})
}

// Start is as the function Start.
func (s *Spec) Start(ctx context.Context, o Options) (*Server, error) {
	image, err := s.Image(ctx, o.Announce)
	if err != nil {
		return nil, err
	}
	place := netsim.Place{Topology: "direct", Port: Port, PassivePorts: s.passivePorts()}
	who := owner()
	if o.Keep {
		who = keeper
	}
	b, err := newBox(ctx, s, setting{image: image, place: place, network: bridge, owner: who})
	if err != nil {
		return nil, err
	}
	srv := &Server{Spec: s, Version: b.version, Image: image, box: b, keep: o.Keep}
	if s.Tells().PassivePorts {
		srv.PassivePorts = place.PassivePorts
	}
	if err := srv.greeted(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, errors.Join(context.Cause(ctx), b.end())
		}
		log := "it has written nothing"
		if said := b.log(context.WithoutCancel(ctx)); len(said) > 0 {
			log = "it ended so:\n" + strings.Join(lastLines(said, 6), "\n")
		}
		return nil, errors.Join(fmt.Errorf("start %s: %w; %s", s.Name, err, log), b.end())
	}
	return srv, nil
}

// greeted waits for the greeting.
func (s *Server) greeted(ctx context.Context) error {
	ip, err := s.box.c.ContainerIP(ctx)
	if err != nil {
		return err
	}
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		if fate := s.box.fate(ctx); fate != "" {
			return errors.New("the server " + fate)
		}
		return fmt.Errorf("the container has no address: %w", err)
	}
	s.Addr = netip.AddrPortFrom(addr, Port)
	wait, cancel := context.WithTimeout(ctx, greetBound)
	defer cancel()
	for {
		last := greeting(wait, s.Addr)
		if last == nil {
			return nil
		}
		if fate := s.box.fate(ctx); fate != "" {
			return errors.New("the server " + fate)
		}
		if err := (host.RealTime{}).Sleep(wait, 50*time.Millisecond); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("no greeting in %v: %w; it has to stay in the foreground, and to listen on port %d of every address", greetBound, last, Port)
		}
	}
}

// greeting connects, and reads the first octet that a server says.
func greeting(ctx context.Context, at netip.AddrPort) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", at.String())
	if err != nil {
		return err
	}
	defer c.Close()
	if end, ok := ctx.Deadline(); ok {
		_ = c.SetReadDeadline(end) // a connection that cannot have one does not block either
	}
	_, err = c.Read(make([]byte, 1))
	return err
}

// URL is the server as a target, with its user and password.
func (s *Server) URL() string {
	return s.Spec.URL(net.JoinHostPort(s.Addr.Addr().String(), strconv.Itoa(Port)))
}

// Container is the identifier of the container.
func (s *Server) Container() string { return s.box.c.GetContainerID()[:12] }

// Log are the last lines that the server has written so far; they do not hold the
// password.
func (s *Server) Log(ctx context.Context) []string { return s.box.log(ctx) }

// Fate says how the server has ended; empty while it runs.
func (s *Server) Fate(ctx context.Context) string { return s.box.fate(ctx) }

// Close removes the server, unless it is to be kept.
func (s *Server) Close() error {
	if s.keep {
		return nil
	}
	return s.box.end()
}
