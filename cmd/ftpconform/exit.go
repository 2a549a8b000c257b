package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/ftpconform/ftpconform/suites"
)

// The exit codes. Scripts rely on them; they never change.
const (
	exitConforms    = 0   // no requirement is broken
	exitBroken      = 1   // requirements are broken
	exitUsage       = 2   // the command line makes no sense
	exitUnreachable = 3   // the target was not reached, let nobody in, or could not be prepared
	exitHarness     = 4   // the program itself failed
	exitStale       = 5   // nothing unknown is broken, but the baseline or the number of answers does not fit
	exitInterrupted = 130 // the user ended it, as a shell reports SIGINT
)

// exitError ends the program with a code of its own. Without an error inside
// everything has been said already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// toldError is an error of which GitHub, where it asks for that, has been told.
type toldError struct{ error }

func (e toldError) Unwrap() error { return e.error }

// told marks an error, if it is one.
func told(err error) error {
	if err == nil {
		return nil
	}
	return toldError{err}
}

// usagef is a mistake on the command line.
func usagef(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// exitCode finds the code for what a command returned.
func exitCode(err error) int {
	var (
		own       *exitError
		usage     *suites.UsageError
		preflight *suites.PreflightError
	)
	switch {
	case err == nil:
		return exitConforms
	case errors.As(err, &own):
		return own.code
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &preflight):
		return exitUnreachable
	case errors.Is(err, errUnproven):
		return exitBroken
	}
	return exitHarness
}

// undecided is the end of a run in which no check has an answer, with the first
// reason for that.
func undecided(rep *suites.Report) error {
	reason := "they are left out"
	for _, r := range rep.Results {
		if r.Verdict != suites.NotRun {
			reason = r.Message
			break
		}
	}
	return &exitError{exitStale, fmt.Errorf("no check has an answer, so nothing is known of the server: %s", reason)}
}

// tell prints an error as one sentence, if there is something to say.
func tell(stderr io.Writer, err error, hide func(string) string) {
	if err == nil || err.Error() == "" {
		return
	}
	fmt.Fprintln(stderr, "ftpconform: "+hide(oneLine(err.Error())))
}

// panicked describes a panic in one sentence, with the place: that is what a
// report of the defect needs.
func panicked(p any) error {
	place := "an unknown place"
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for seen := false; ; {
		f, more := frames.Next()
		if seen && !strings.HasPrefix(f.Function, "runtime.") {
			place = fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Line)
			break
		}
		seen = seen || f.Function == "runtime.gopanic"
		if !more {
			break
		}
	}
	return &exitError{exitHarness, fmt.Errorf("internal error at %s: %v; this is a defect of ftpconform, please report it with the command line", place, p)}
}
