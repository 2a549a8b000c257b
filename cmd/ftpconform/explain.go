package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

func newExplain() *cobra.Command {
	var noDialogue bool
	cmd := &cobra.Command{
		Use:   "explain ID...",
		Short: "Explain a check, a requirement, a conflict position or a verdict",
		Long: `Explain tells what a check (port-works), a requirement (FTP-PORT-001), a conflict
position (C-06) or a verdict (inconclusive) means. For a check it plays two
dialogues, with the reference server as it is and with a fault that the check
catches.`,
		Example: `  ftpconform explain port-source-port
  ftpconform explain FTP-PASV-010 C-06 --no-dialogue`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("explain needs the id of a check, a requirement or a conflict position, or a verdict")
			}
			return nil
		},
		ValidArgsFunction: completeSubjects,
		RunE: func(cmd *cobra.Command, args []string) error {
			e := explainer{ctx: cmd.Context(), style: screenOf(cmd.OutOrStdout()).Style, dialogue: !noDialogue}
			return e.all(cmd.OutOrStdout(), args)
		},
	}
	cmd.Flags().BoolVar(&noDialogue, "no-dialogue", false, "do not play the dialogues")
	return cmd
}

// explainer prints explanations.
type explainer struct {
	ctx      context.Context
	style    report.Style
	dialogue bool
	w        *bufio.Writer
}

// all explains each subject; an unknown one is found before anything is
// printed.
func (e *explainer) all(w io.Writer, ids []string) error {
	var say []func()
	for _, id := range ids {
		f := e.subject(id)
		if f == nil {
			return unknownSubject(id)
		}
		say = append(say, f)
	}
	e.w = bufio.NewWriter(w)
	for i, f := range say {
		if i > 0 {
			e.line("")
		}
		f()
		if err := e.w.Flush(); err != nil {
			return fmt.Errorf("print the explanation: %w", err)
		}
		if err := e.ctx.Err(); err != nil {
			return &exitError{code: exitInterrupted}
		}
	}
	return nil
}

// subject finds what an id means, nil if it means nothing.
func (e *explainer) subject(id string) func() {
	if r, ok := suites.LoadCatalogue().Requirement(id); ok {
		return func() { e.requirement(r) }
	}
	if c, ok := suites.LoadCatalogue().Conflict(id); ok {
		return func() { e.conflict(c) }
	}
	if v := suites.Verdict(strings.ToLower(id)); slices.Contains(suites.Verdicts, v) {
		return func() { e.verdict(v) }
	}
	for _, c := range suites.FindCheck(id) {
		if strings.EqualFold(c.ID, id) {
			return func() { e.check(c) }
		}
	}
	return nil
}

// subjects lists everything that can be explained.
func subjects() []string {
	var out []string
	for _, c := range suites.Checks() {
		out = append(out, c.ID)
	}
	for _, v := range suites.Verdicts {
		out = append(out, string(v))
	}
	for _, r := range suites.LoadCatalogue().Requirements {
		out = append(out, r.ID)
	}
	for _, c := range suites.LoadCatalogue().Conflicts {
		out = append(out, c.ID)
	}
	return out
}

func unknownSubject(id string) error {
	if near := nearest(id, subjects()); len(near) > 0 {
		return usagef("nothing is called %.60q; did you mean %s?", id, strings.Join(near, " or "))
	}
	return usagef("nothing is called %.60q; see ftpconform list for checks and ftpconform list --requirements for requirements", id)
}

func completeSubjects(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return subjects(), cobra.ShellCompDirectiveNoFileComp
}

// The indentations of an explanation.
const (
	oneStep  = "  "
	twoSteps = "      "
)

func (e *explainer) line(text string) { fmt.Fprintln(e.w, text) }

// heading prints what is explained, or the name of a part.
func (e *explainer) heading(indent, text string) { e.line(indent + e.style.Strong(text)) }

// text prints a paragraph, if there is one.
func (e *explainer) text(indent, text string) {
	if text != "" {
		e.line(e.style.Wrap(indent, text))
	}
}

// items prints a part that is a list, if there is one.
func (e *explainer) items(name string, items []string) {
	if len(items) == 0 {
		return
	}
	e.line("")
	e.heading(oneStep, name)
	for _, item := range items {
		wrapped := e.style.Wrap(twoSteps+"  ", item)
		e.line(twoSteps + "- " + strings.TrimPrefix(wrapped, twoSteps+"  "))
	}
}
