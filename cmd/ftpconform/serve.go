package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/reference"
	"github.com/ftpconform/ftpconform/report"
)

func newServe() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the reference server, correct or broken in chosen ways",
		Long: `Serve runs the reference server until it is interrupted. With faults it is broken on
purpose: something to practise against, or to test a client with.`,
		Example: `  ftpconform serve
  ftpconform serve --listen 127.0.0.1:2121 --root ./files --user alice:secret
  ftpconform serve --fault PASVWrongAddress`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.listFaults {
				return listFaults(cmd.OutOrStdout(), screenOf(cmd.OutOrStdout()).Style)
			}
			return o.serve(cmd)
		},
	}
	o.flags(cmd)
	return cmd
}

// serve runs the server until the context of the command ends: that is the
// normal end.
func (o *serveOptions) serve(cmd *cobra.Command) error {
	opts, err := o.options()
	if err != nil {
		return err
	}
	if o.root != "" {
		dir, err := reference.OpenDir(o.root)
		if err != nil {
			return usagef("%w; choose a directory with --root, or none to serve from memory", err)
		}
		defer dir.Close()
		opts.Files = dir
	}
	errs := cmd.ErrOrStderr()
	opts.Logger = slog.New(slog.NewTextHandler(errs, nil))
	var lc net.ListenConfig
	l, err := lc.Listen(cmd.Context(), "tcp", o.listen)
	if err != nil {
		return usagef("%w; choose another address with --listen", err)
	}
	announceFaults(errs, screenOf(errs).Style, "The reference server", reference.FaultNames(), opts.Faults.Names())
	if err := o.announce(cmd.OutOrStdout(), screenOf(cmd.OutOrStdout()).Style, opts, l.Addr()); err != nil {
		_ = l.Close() // nobody has been told of it
		return fmt.Errorf("print the address: %w", err)
	}
	srv := reference.NewServer(opts)
	err = srv.Serve(cmd.Context(), l)
	if err := errors.Join(err, srv.Close()); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// announce prints where the server is and who may log in. A password that the
// user chose is not printed.
func (o *serveOptions) announce(w io.Writer, style report.Style, opts reference.Options, at net.Addr) error {
	names := slices.Sorted(maps.Keys(opts.Users))
	if opts.Users == nil {
		names = []string{"user"}
		if _, err := fmt.Fprintf(w, "serving ftp://user:pass@%s/\n", at); err != nil {
			return err
		}
	} else if _, err := fmt.Fprintf(w, "serving ftp://%s/\n", at); err != nil {
		return err
	}
	if opts.Anonymous {
		names = append(names, "anonymous", "ftp")
	}
	from := "memory"
	if o.root != "" {
		from = o.root
	}
	_, err := fmt.Fprintln(w, style.Wrap("", fmt.Sprintf("files from %s; users: %s; Ctrl-C ends it", report.Printable(from), report.Printable(strings.Join(names, ", ")))))
	return err
}

// serveOptions are the flags of serve.
type serveOptions struct {
	listen, root             string
	users                    []string
	password                 string
	anonymous                bool
	passivePorts, publicAddr string
	foreign, lowPorts        bool
	dataTimeout, idleTimeout time.Duration
	maxSessions              int
	rate                     int64
	faults, tolerances       []string
	listFaults               bool
}

// publicAddress is the function that announces one address in 227 and 228.
func publicAddress(addr netip.Addr) func(local, remote netip.Addr) netip.Addr {
	return func(netip.Addr, netip.Addr) netip.Addr { return addr }
}
