package attach

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/namespace"
)

// processRole is that of a child that runs a server.
const processRole = "process"

func init() { namespace.Serve(processRole, runProcess) }

// command is the configuration of the role.
type command struct {
	Path string   `json:"path"`
	Argv []string `json:"argv"`
	Env  []string `json:"env"`
}

// begun is the child's first word, over its last.
type (
	begun struct {
		Error string `json:"error,omitempty"`
	}
	over struct {
		Fate string `json:"fate"`
	}
)

// stopGrace is how long a server may take to end when it is told to (SIGTERM),
// before it is ended.
const stopGrace = 500 * time.Millisecond

// Available reports whether processes can be attached here: the error is a
// *namespace.MissingError.
func (p *Process) Available() error { return namespace.Available(p.TUN) }

// Start implements netsim.Attacher. Log, if not nil, is told what the server
// writes to its standard outputs.
func (p *Process) Start(ctx context.Context, place netsim.Place, log func(line string)) (netsim.Attached, error) {
	argv := Expand(p.Argv, place)
	if len(argv) == 0 {
		return nil, errors.New("the command is empty")
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	space, err := namespace.Start(ctx, namespace.Options{Role: processRole, TUN: p.TUN, Links: []namespace.Link{link(place)}, Log: log,
		Config: command{Path: path, Argv: argv, Env: slices.Concat(os.Environ(), Environ(place), p.Env)}})
	if err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	var b begun
	if err := space.Receive(&b, beginBound); err != nil {
		return nil, errors.Join(fmt.Errorf("start the server: its namespace does not answer: %w", err), space.Close())
	}
	if b.Error != "" {
		return nil, errors.Join(fmt.Errorf("start the server: %s", b.Error), space.Close())
	}
	s := newServer(space)
	go func() {
		fate := "ended with its namespace"
		var o over
		if space.Receive(&o, 0) == nil {
			fate = o.Fate
		}
		<-space.Ended() // what it has started, too
		s.gone(fate)
	}()
	return s, nil
}

// beginBound is how long a child may take to start a program.
const beginBound = 30 * time.Second

// runProcess is what the child does: it starts the server, waits for its end,
// and buries what the server has left behind. When the Space is closed, it lets
// the server end, and then ends itself and all others.
func runProcess(c *namespace.Child) error {
	var o command
	if err := c.Config(&o); err != nil {
		return err
	}
	// The standard input cannot be read. It can be written to: it is the place
	// where vsftpd says why it does not start.
	proc, err := os.StartProcess(o.Path, o.Argv, &os.ProcAttr{Env: o.Env, Files: []*os.File{c.Log, c.Log, c.Log}})
	if err != nil {
		return c.Send(begun{Error: err.Error()})
	}
	if err := c.Send(begun{}); err != nil {
		return err
	}
	closed, ended := make(chan struct{}), make(chan string, 1)
	go func() {
		var never struct{}
		for c.Receive(&never, 0) == nil {
			continue // nothing is said
		}
		close(closed)
	}()
	go func() { ended <- bury(proc.Pid) }()
	select {
	case fate := <-ended:
		return c.Send(over{Fate: fate})
	case <-closed:
	}
	_ = proc.Signal(unix.SIGTERM) // it may be gone by itself
	late := time.NewTimer(stopGrace)
	defer late.Stop()
	select {
	case <-ended:
	case <-late.C:
	}
	return nil
}

// bury waits for the end of a process and says how it ended. It takes the other
// dead along, because this process is the parent of all orphans.
func bury(pid int) (fate string) {
	for {
		var status unix.WaitStatus
		dead, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return err.Error()
		case dead != pid:
		case status.Signaled():
			return fmt.Sprintf("was ended by signal %d (%v)", status.Signal(), status.Signal())
		case status.Exited():
			return fmt.Sprintf("exited with status %d", status.ExitStatus())
		}
	}
}
