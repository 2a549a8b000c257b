package servers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/testcontainers/testcontainers-go"

	"github.com/ftpconform/ftpconform/fakeclient"
	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/attach"
)

const (
	// startBound is how long an engine may take to make and start a container,
	// closeBound to end one.
	startBound = 60 * time.Second
	closeBound = 30 * time.Second
	// openFiles is the limit of a container. That of an engine can be a million,
	// and some servers close every descriptor up to it at each login.
	openFiles = 4096
	// versionFile is where an image says which version it has.
	versionFile = "/version"
)

// box is a container with a server in it.
type box struct {
	spec    *Spec
	version string
	c       testcontainers.Container
}

// The networks of an engine.
const (
	bridge    = "bridge"
	noNetwork = "none"
)

// setting is what a container is made for.
type setting struct {
	image   string
	place   netsim.Place
	network string
	owner   string
	log     testcontainers.LogConsumer // nil: nobody listens
}

// newBox makes a container and starts the server in it. It goes on when ctx
// ends: half a container is worse.
func newBox(ctx context.Context, s *Spec, o setting) (*box, error) {
	p, err := docker(ctx)
	if err != nil {
		return nil, err
	}
	sweep(ctx, p)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), startBound)
	defer cancel()
	req := testcontainers.ContainerRequest{
		Image:      o.image,
		Entrypoint: attach.Expand(s.Command, o.place),
		Env:        map[string]string{},
		Labels:     map[string]string{fleetLabel: s.Name, ownerLabel: o.owner},
		HostConfigModifier: func(h *container.HostConfig) {
			h.NetworkMode = container.NetworkMode(o.network)
			// A server is not made to be the first process. vsftpd takes an orphan
			// that it inherits for a session of its own, and crashes.
			h.Init = new(true)
			h.CapAdd = s.Capabilities
			h.Ulimits = []*container.Ulimit{{Name: "nofile", Soft: openFiles, Hard: openFiles}}
			if o.network == noNetwork {
				h.Sysctls = map[string]string{"net.ipv6.conf.all.disable_ipv6": "0"} // engines forbid it there
			}
		},
	}
	for _, e := range attach.Environ(o.place) {
		name, value, _ := strings.Cut(e, "=")
		req.Env[name] = value
	}
	if s.FullPath != "" {
		req.Tmpfs = map[string]string{s.FullPath: "size=256k"}
	}
	for name, text := range s.Files {
		lines := attach.Expand(strings.SplitAfter(text, "\n"), o.place)
		req.Files = append(req.Files, testcontainers.ContainerFile{ContainerFilePath: name, FileMode: 0o644, Reader: strings.NewReader(strings.Join(lines, ""))})
	}
	if o.log != nil {
		req.LogConsumerCfg = &testcontainers.LogConsumerConfig{Consumers: []testcontainers.LogConsumer{o.log}}
	}
	c, err := p.RunContainer(ctx, req)
	b := &box{spec: s, c: c}
	if err == nil {
		b.version, err = b.readVersion(ctx)
	}
	if err != nil {
		if c != nil {
			err = errors.Join(err, b.end())
		}
		return nil, fmt.Errorf("start the container of %s: %w", s.Name, err)
	}
	return b, nil
}

// readVersion asks the image for the server's version.
func (b *box) readVersion(ctx context.Context) (string, error) {
	f, err := b.c.CopyFileFromContainer(ctx, versionFile)
	if err != nil {
		return "", fmt.Errorf("read %s, which its image has to have: %w", versionFile, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 200))
	return strings.TrimSpace(string(text)), err
}

// fate says how the server has ended; empty while it runs.
func (b *box) fate(ctx context.Context) string {
	state, err := b.c.State(ctx)
	switch {
	case err != nil || state.Running:
		return ""
	case state.OOMKilled:
		return "was ended because the memory ran out"
	}
	return fmt.Sprintf("exited with status %d", state.ExitCode)
}

// log are the last lines that the server has written so far, without the
// password.
func (b *box) log(ctx context.Context) []string {
	r, err := b.c.Logs(ctx)
	if err != nil {
		return nil
	}
	defer r.Close()
	var text bytes.Buffer
	_, _ = io.Copy(&text, io.LimitReader(r, logBytes)) // what there is of it
	if strings.TrimSpace(text.String()) == "" {
		return nil
	}
	said := fakeclient.HideSecret(text.String(), b.spec.Password)
	return strings.Split(tail(said, logLines), "\n")
}

// What is kept of what a server writes.
const (
	logBytes = 4 << 20
	logLines = 200
)

// end removes the container.
func (b *box) end() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeBound)
	defer cancel()
	if err := b.c.Terminate(ctx, testcontainers.StopTimeout(0)); err != nil {
		return fmt.Errorf("remove the container of %s: %w; docker rm -f %.12s removes it", b.spec.Name, err, b.c.GetContainerID())
	}
	return nil
}
