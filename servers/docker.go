package servers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
)

// UnavailableError says that no container can be started here.
type UnavailableError struct{ Err error }

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("Docker cannot be used here (%v); start Docker Engine, let this user reach its socket, or name it in DOCKER_HOST", e.Err)
}

func (e *UnavailableError) Unwrap() error { return e.Err }

// pingBound is how long an engine may take to answer at all.
const pingBound = 10 * time.Second

// ryuk is the variable that keeps testcontainers from a container of its own
// that cleans up: it is an image more to fetch, and it ends what --keep leaves.
const ryuk = "TESTCONTAINERS_RYUK_DISABLED"

var engine = sync.OnceValues(func() (*testcontainers.DockerProvider, error) {
	if os.Getenv(ryuk) == "" {
		if err := os.Setenv(ryuk, "true"); err != nil {
			return nil, err
		}
	}
	return connect()
})

// connect finds the engine. Where there is none, testcontainers may panic; where
// there is one, it would tell so, by the logger of everybody.
func connect() (p *testcontainers.DockerProvider, err error) {
	quiet, before := log.NewNoopLogger(), log.Default()
	log.SetDefault(quiet)
	defer log.SetDefault(before)
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	// An engine that was named is not to be replaced by another one, which
	// testcontainers would look for.
	if os.Getenv("DOCKER_HOST") != "" {
		if err := ping(context.Background(), client.FromEnv); err != nil {
			return nil, err
		}
	}
	return testcontainers.NewDockerProvider(testcontainers.WithLogger(quiet), testcontainers.WithDefaultBridgeNetwork(bridge))
}

// ping asks the engine whether it is there.
func ping(ctx context.Context, o ...client.Opt) error {
	c, err := client.New(o...)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, pingBound)
	defer cancel()
	_, err = c.Ping(ctx, client.PingOptions{})
	return err
}

// docker returns the engine, after it has answered. The error is an
// *UnavailableError.
func docker(ctx context.Context) (*testcontainers.DockerProvider, error) {
	p, err := engine()
	if err == nil {
		ping, cancel := context.WithTimeout(ctx, pingBound)
		defer cancel()
		_, err = p.Client().Ping(ping, client.PingOptions{})
	}
	switch {
	case err == nil:
		return p, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	for u := errors.Unwrap(err); u != nil; u = errors.Unwrap(u) {
		err = u // the innermost says it; the others say who was asked
	}
	return nil, &UnavailableError{err}
}

// Available reports whether containers can be started here; the error is an
// *UnavailableError.
func Available(ctx context.Context) error {
	_, err := docker(ctx)
	return err
}
