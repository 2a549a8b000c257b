package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// errEnough says that the reader wants no more.
var errEnough = errors.New("enough")

// stepper waits for a reader to go on.
type stepper struct {
	ctx   context.Context
	lines <-chan string // closed at the end of the input
}

// newStepper begins to read. The goroutine that does it ends with the input, or
// with the program.
func newStepper(ctx context.Context, in io.Reader) *stepper {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(in); s.Scan(); {
			select {
			case lines <- s.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	return &stepper{ctx, lines}
}

// wait returns after Enter. It returns errEnough after q or at the end of the
// input.
func (s *stepper) wait() error {
	select {
	case line, ok := <-s.lines:
		if !ok || strings.EqualFold(strings.TrimSpace(line), "q") {
			return errEnough
		}
		return nil
	case <-s.ctx.Done():
		return &exitError{code: exitInterrupted}
	}
}

// isTerminal reports whether a reader is a terminal.
func isTerminal(in io.Reader) bool {
	f, ok := in.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
