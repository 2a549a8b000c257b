package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/ftpconform/ftpconform/report"
)

// github is what GitHub Actions asks of a step by its environment; the zero
// value asks for nothing.
type github struct {
	// summary is the file for the job summary.
	summary string
	// annotate says that workflow commands are read in what is printed.
	annotate bool
}

// onGitHub reads the environment.
func onGitHub() github {
	return github{summary: os.Getenv("GITHUB_STEP_SUMMARY"), annotate: os.Getenv("GITHUB_ACTIONS") == "true"}
}

// quote keeps what a server says from being obeyed as a workflow command, from
// now until resume is called. A second call does nothing.
func (g github) quote(w io.Writer) (resume func()) {
	if !g.annotate {
		return func() {}
	}
	token := rand.Text()
	fmt.Fprintf(w, "::stop-commands::%s\n", token)
	return func() {
		if token != "" {
			fmt.Fprintf(w, "::%s::\n", token)
		}
		token = ""
	}
}

// tell prints the annotations and appends to the job summary, each if it is
// asked for. A summary that is full is no problem of this run: it is said to
// errs.
func (g github) tell(w, errs io.Writer, annotations func(io.Writer) error, summary func(w io.Writer, room int) error) error {
	var problem error
	if g.annotate {
		problem = annotations(w)
	}
	if g.summary == "" {
		return problem
	}
	err := g.append(summary)
	if full := (*report.FullError)(nil); errors.As(err, &full) {
		fmt.Fprintln(errs, "ftpconform: "+full.Error())
		return problem
	}
	if err != nil {
		err = fmt.Errorf("the job summary could not be written into the file that GITHUB_STEP_SUMMARY names: %w; unset it to go without", err)
	}
	return errors.Join(problem, err)
}

// fail tells why a run, or a matrix, came to no record, and returns the error as
// one that has been told.
func (g github) fail(w, errs io.Writer, err error, hide func(string) string) error {
	why := hide(oneLine(err.Error()))
	problem := g.tell(w, errs,
		func(w io.Writer) error { return report.AnnotateFailure(w, why) },
		func(w io.Writer, room int) error { return report.SummarizeFailure(w, why, room) })
	tell(errs, problem, hide) // the failure itself decides about the code
	return told(err)
}

// append adds to the file what there is room for.
func (g github) append(summary func(w io.Writer, room int) error) error {
	f, err := os.OpenFile(g.summary, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o666) //nolint:gosec // as a program's files are by default
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	return errors.Join(summary(f, report.SummaryLimit-int(info.Size())), f.Close())
}
