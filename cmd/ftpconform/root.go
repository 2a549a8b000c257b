package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

// execute runs the program and returns its exit code.
func execute(args []string, stdout, stderr io.Writer) int {
	return perform(newRoot(), args, stdout, stderr)
}

// perform runs a command tree. A panic of a command is told like any other error.
func perform(root *cobra.Command, args []string, stdout, stderr io.Writer) int {
	// The first signal ends the context; the second finds the handler gone
	// and ends the program at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, stop)()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := guarded(ctx, root)
	tell(stderr, err, hider(args))
	// On the standard error, because the other output may be that of a report.
	if cmd, _, _ := root.Find(args); err != nil && !errors.As(err, new(toldError)) && (cmd.Name() == "run" || cmd.Name() == "matrix") {
		err = onGitHub().fail(stderr, stderr, err, hider(args))
	}
	return exitCode(err)
}

func guarded(ctx context.Context, root *cobra.Command) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	return root.ExecuteContext(ctx)
}

// newRoot builds the command tree.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "ftpconform",
		Short: "Check whether active and passive mode of an FTP server really work",
		Long: `ftpconform checks FTP servers against the documents that define active and
passive mode, RFC 959, 1123, 1579, 2428, 2577 and others, and shows the dialogue
that proves what it finds.

Exit codes: 0 conforms, 1 requirements are broken, 2 usage or configuration,
3 target unreachable, login or preparation failed, 4 error of the harness,
5 the baseline does not fit, or too few answers or none, 130 interrupted.`,
		Example: `  ftpconform run                                   check the reference server inside this program
  ftpconform run ftp://user:password@192.0.2.7/    check a server
  ftpconform explain port-works                    what a check is about, with dialogues
  ftpconform serve --fault EagerDial               a broken server to practise against
  ftpconform lab                                   why PORT fails behind a NAT, message by message`,
		Version:       suites.Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          knownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SetOut(cmd.ErrOrStderr())
			_ = cmd.Help() // nothing can be done about a standard error that is gone
			return &exitError{code: exitUsage}
		},
	}
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return noneEmpty(cmd) }
	root.SetVersionTemplate("ftpconform {{.Version}}\n")
	root.SuggestionsMinimumDistance = 2
	root.AddCommand(newRun(), newMatrix(), newBaseline(), newReport(), newList(), newExplain(), newServe(), newLab(), newSelftest(), newVersion())
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w; see %s --help", err, cmd.CommandPath())
	})
	for _, cmd := range root.Commands() {
		if check := cmd.Args; check != nil {
			cmd.Args = func(cmd *cobra.Command, args []string) error {
				if err := check(cmd, args); err != nil {
					return usagef("%w; see %s --help", err, cmd.CommandPath())
				}
				return nil
			}
		}
	}
	return root
}

// knownCommand refuses what is no command. The word is not repeated when it
// could hold a password.
func knownCommand(root *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case strings.Contains(args[0], "://"):
		return usagef("a target needs a command before it: ftpconform run TARGET")
	}
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		return usagef("unknown command %.60q; did you mean %s?", args[0], strings.Join(near, " or "))
	}
	return usagef("unknown command %.60q; see ftpconform --help", args[0])
}

// noArguments refuses arguments in words that fit; cobra.NoArgs takes them for
// commands.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes no arguments but flags", cmd.Name())
	}
	return nil
}

// oneLine makes an error fit for a terminal: it may quote a server.
func oneLine(s string) string { return report.Printable(strings.ReplaceAll(s, "\n", "; ")) }

// mayBeEmpty are flags for which an empty value means something, or which have
// words of their own for it.
var mayBeEmpty = []string{"password", "exec", "server"}

// noneEmpty refuses flags that are given nothing: an empty variable of a script
// must not silently be another question.
func noneEmpty(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		text := f.Value.String()
		if err == nil && (text == "" && f.Value.Type() == "string" || text == "[]") && !slices.Contains(mayBeEmpty, f.Name) {
			err = usagef("--%s is empty; give it a value, or leave it out", f.Name)
		}
	})
	return err
}
