//go:build unix

package main

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// TestSecondInterrupt: the first interrupt lets the run clean up, which can
// take a while when the target has gone silent; the second ends it at once.
func TestSecondInterrupt(t *testing.T) {
	t.Parallel()
	server, at, err := serveAt(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = server.Process.Signal(syscall.SIGCONT)
		_ = server.Process.Signal(os.Interrupt)
		if code := server.end(); code != 0 {
			t.Errorf("serve ended with code %d: %s", code, server.stderr.String())
		}
	}()
	run, err := background(t.TempDir(), "run", "ftp://user:pass@"+at+"/", "--timeout-scale", "20", "--only", "port-works,pasv")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := run.await("done"); !ok {
		t.Fatalf("no check was done: %s", run.stderr.String())
	}
	_ = server.Process.Signal(syscall.SIGSTOP) // cleaning up would now take 100 s
	began := time.Now()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	ended := make(chan int, 1)
	go func() { ended <- run.end() }()
	for sent := 0; ; {
		select {
		case <-again.C:
			_ = run.Process.Signal(os.Interrupt)
			sent++
		case code := <-ended:
			if took := time.Since(began); took > 30*time.Second || code != -1 {
				t.Errorf("it ended with code %d after %v and %d interrupts", code, took, sent)
			}
			return
		}
	}
}
