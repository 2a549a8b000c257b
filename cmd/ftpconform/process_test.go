package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// process is the program running in the background, with what it has said.
type process struct {
	*exec.Cmd
	lines  chan string // of both outputs, as they come
	stdout said
	stderr said
}

// said is what was written to one output.
type said struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// background starts the program in a directory.
func background(dir string, args ...string) (*process, error) {
	p := &process{Cmd: exec.Command("ftpconform", args...), lines: make(chan string, 10_000)}
	p.Dir = dir
	out, err := p.StdoutPipe()
	if err != nil {
		return nil, err
	}
	errs, err := p.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.Start(); err != nil {
		return nil, err
	}
	var both sync.WaitGroup
	both.Go(func() { p.follow(out, &p.stdout) })
	both.Go(func() { p.follow(errs, &p.stderr) })
	go func() {
		both.Wait()
		close(p.lines)
	}()
	return p, nil
}

func (p *process) follow(from io.Reader, s *said) {
	for r := bufio.NewReader(from); ; {
		line, err := r.ReadString('\n')
		s.mu.Lock()
		s.b.WriteString(line)
		s.mu.Unlock()
		if err != nil {
			return
		}
		p.lines <- line
	}
}

// patience bounds the waits for a program in the background.
const patience = 60 * time.Second

// await waits for a line that holds text; ok is false when it does not come.
func (p *process) await(text string) (line string, ok bool) {
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		select {
		case line, ok := <-p.lines:
			if !ok || strings.Contains(line, text) {
				return line, ok
			}
		case <-late.C:
			return "", false
		}
	}
}

// end waits for the end of the program and returns its exit code, -1 when a
// signal ended it.
func (p *process) end() int { return p.endWithin(patience) }

// longPatience is for programs that judge a real server.
const longPatience = 8 * time.Minute

// endWithin is end with another bound.
func (p *process) endWithin(bound time.Duration) int {
	late := time.AfterFunc(bound, func() { _ = p.Process.Kill() })
	defer late.Stop()
	for line := range p.lines {
		_ = line // until the outputs are closed
	}
	_ = p.Wait() // the code tells
	return p.ProcessState.ExitCode()
}

// servingAt finds the address in what serve prints.
var servingAt = regexp.MustCompile(`[0-9.]+:[0-9]+`)

// serveAt starts "ftpconform serve" on a free port and returns its HOST:PORT.
func serveAt(dir string, flags ...string) (*process, string, error) {
	p, err := background(dir, append([]string{"serve", "--listen", "127.0.0.1:0"}, flags...)...)
	if err != nil {
		return nil, "", err
	}
	line, ok := p.await("serving ftp://")
	if !ok {
		_ = p.Process.Kill()
		return nil, "", exec.ErrNotFound
	}
	return p, servingAt.FindString(line), nil
}

// serveInBackground is the command "serve" of scripts.
func serveInBackground(ts *testscript.TestScript, _ bool, args []string) {
	p, at, err := serveAt(ts.MkAbs("."), args[1:]...)
	ts.Check(err)
	ts.Setenv(args[0], at)
	ts.Defer(func() {
		_ = p.Process.Signal(os.Interrupt)
		if code := p.end(); code != 0 {
			ts.Logf("%s", p.stderr.String())
			ts.Fatalf("serve ended with code %d", code)
		}
	})
}

// interrupt is the command "interrupt" of scripts. What the program said goes
// into the files out and err.
func interrupt(ts *testscript.TestScript, _ bool, args []string) {
	p, err := background(ts.MkAbs("."), args[1:]...)
	ts.Check(err)
	if _, ok := p.await(args[0]); !ok {
		_ = p.Process.Kill()
		ts.Fatalf("%q did not come: %s", args[0], p.stderr.String())
	}
	ts.Check(p.Process.Signal(os.Interrupt))
	code := p.end()
	ts.Check(os.WriteFile(ts.MkAbs("out"), []byte(p.stdout.String()), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("err"), []byte(p.stderr.String()), 0o600))
	if code != exitInterrupted {
		ts.Fatalf("the exit code is %d: %s", code, p.stderr.String())
	}
}
