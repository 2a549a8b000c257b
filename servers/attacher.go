package servers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/testcontainers/testcontainers-go"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/attach"
	"github.com/ftpconform/ftpconform/netsim/namespace"
)

// Attacher starts a server in containers without a network, each of which
// becomes a host of a simulated one.
type Attacher struct {
	// Spec is the server's description, and Image the name of its image.
	Spec  *Spec
	Image string

	mu      sync.Mutex
	version string
}

var _ netsim.Attacher = (*Attacher)(nil)

// Attachable reports whether containers can be attached here: the error is a
// *namespace.MissingError.
func Attachable() error {
	if os.Geteuid() != 0 {
		return &namespace.MissingError{What: "entering the namespace of a container needs root",
			Hint: "use sudo; --topology direct without --restart needs none"}
	}
	return namespace.Available("")
}

// Attacher builds the image, if need be, for servers that are attached.
func (s *Spec) Attacher(ctx context.Context, o Options) (*Attacher, error) {
	if err := Attachable(); err != nil {
		return nil, err
	}
	image, err := s.Image(ctx, o.Announce)
	if err != nil {
		return nil, err
	}
	return &Attacher{Spec: s, Image: image}, nil
}

// Name implements netsim.Attacher.
func (a *Attacher) Name() string { return a.Spec.Name }

// Tells implements netsim.Attacher.
func (a *Attacher) Tells() netsim.Told { return a.Spec.Tells() }

// Apart implements netsim.Attacher: each container has its own disk.
func (a *Attacher) Apart() bool { return true }

// Version is that of the server, empty before one has been started.
func (a *Attacher) Version() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.version
}

// Start implements netsim.Attacher.
func (a *Attacher) Start(ctx context.Context, place netsim.Place, log func(line string)) (netsim.Attached, error) {
	b, err := newBox(ctx, a.Spec, setting{image: a.Image, place: place, network: noNetwork, owner: owner(), log: &lines{tell: log}})
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	a.version = b.version
	a.mu.Unlock()
	info, err := b.c.Inspect(ctx)
	if err == nil && !info.State.Running {
		err = fmt.Errorf("the server %s", b.fate(ctx))
	}
	var s *attach.Server
	if err == nil {
		s, err = attach.Join(ctx, info.State.Pid, place)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", a.Spec.Name, err), b.end())
	}
	return &attached{Server: s, box: b}, nil
}

// attached is a container that is a host of a simulated network.
type attached struct {
	*attach.Server
	box *box
}

// Fate implements netsim.Attached; the engine knows more than that the first
// process is gone.
func (a *attached) Fate() string {
	fate := a.Server.Fate()
	if fate == "" {
		return ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeBound)
	defer cancel()
	if told := a.box.fate(ctx); told != "" {
		return told
	}
	return fate
}

// Close implements netsim.Attached.
func (a *attached) Close() error { return errors.Join(a.Server.Close(), a.box.end()) }

// lines cuts what a container writes into lines.
type lines struct {
	tell func(line string)

	mu   sync.Mutex
	rest map[string][]byte // by stream
}

var _ testcontainers.LogConsumer = (*lines)(nil)

// maxLine is where a line without an end is cut.
const maxLine = 4096

// Accept implements testcontainers.LogConsumer.
func (l *lines) Accept(o testcontainers.Log) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tell == nil {
		return
	}
	if l.rest == nil {
		l.rest = map[string][]byte{}
	}
	text := append(l.rest[o.LogType], o.Content...)
	for {
		i := bytes.IndexByte(text, '\n')
		if i < 0 && len(text) > maxLine {
			i = maxLine
		}
		if i < 0 {
			break
		}
		l.tell(string(bytes.TrimRight(text[:i], "\r")))
		text = bytes.TrimPrefix(text[i:], []byte("\n"))
	}
	l.rest[o.LogType] = bytes.Clone(text)
}
