package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/internal/lab"
	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/clock"
)

// labOptions are the flags of lab.
type labOptions struct {
	modes         []string
	server, alg   string
	seed          seedValue
	step          bool
	pcap          string
	mermaid, json bool
	list          bool
	limits        clock.Limits
	network       string
	attached      attachOptions
}

// seedValue is the value of --seed.
type seedValue uint64

func (v *seedValue) String() string { return strconv.FormatUint(uint64(*v), 10) }

func (v *seedValue) Type() string { return "uint64" }

// Set implements pflag.Value.
func (v *seedValue) Set(s string) error {
	n, err := strconv.ParseUint(s, 0, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return errors.New("it must not be greater than 18446744073709551615")
	case err != nil:
		return errors.New("it must be a whole number from 0 on")
	}
	*v = seedValue(n)
	return nil
}

func newLab() *cobra.Command { return newLabWithin(clock.Limits{}) }

// newLabWithin is newLab with guards of its own, for tests.
func newLabWithin(limits clock.Limits) *cobra.Command {
	o := labOptions{limits: limits}
	cmd := &cobra.Command{
		Use:   "lab [SCENARIO]",
		Short: "Play a transfer in a simulated network, and tell it message by message",
		Long: `Lab plays transfers in a simulated network and tells them as a sequence of
messages: each line and each connection on every wire that it crosses, with the
addresses that it has there, the table of the NAT when it changes, and the
reason of the outcome. It needs no privileges and no network.

--exec puts a real server in the place of the reference server, and --network
kernel makes the gateways Linux itself, with its own helper (nf_conntrack_ftp,
nf_nat_ftp). Both need Linux and root, and take real time.

Without SCENARIO it tells why PORT fails behind a NAT, why PASV does not, and
what an FTP helper in the gateway changes (nat-port). SCENARIO is one of those
that --list shows, or a topology in a YAML file, see docs/scenarios.md; then
each mode is played in it.

--pcap writes a file for each act with both ends of every wire, and beside it a
directory with a file for each end. Of the first, programs take what they see
again on the next wire for retransmissions; the others open without a warning.

A transfer that fails is no error: the exit code is 0. A mistake in a file is 2,
and a simulation that does not end is 4.`,
		Example: `  ftpconform lab
  ftpconform lab client-nat --mode eprt --server trusting
  ftpconform lab double-nat --alg linux
  ftpconform lab nat-port --pcap captures
  ftpconform lab my-network.yaml --mermaid
  ftpconform lab nat-port --network kernel
  ftpconform lab nat-port --exec 'vsftpd /etc/vsftpd.conf'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("lab takes one scenario, and there are %d arguments", len(args))
			}
			return nil
		},
		ValidArgsFunction: completeScenarios,
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	o.flags(cmd)
	return cmd
}

func (o *labOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVar(&o.modes, "mode", nil, "play this `MODE`: port, pasv, eprt or epsv; repeatable (default port and pasv)")
	f.StringVar(&o.server, "server", "", "the `KIND` of server: today refuses an address that is not the client's, trusting\ndials whatever it is told (default today)")
	f.StringVar(&o.alg, "alg", "", "the FTP helper of every gateway: a `PROFILE` such as linux or off, see --list\n(default: what the topology says)")
	o.seed = 1
	f.Var(&o.seed, "seed", "`N` decides all that is random; one seed gives one story")
	f.BoolVar(&o.step, "step", false, "wait for Enter after each message; q and Enter ends it")
	f.StringVar(&o.pcap, "pcap", "", "write the packets of each act as pcapng into `DIR`, both ends of every wire")
	f.BoolVar(&o.mermaid, "mermaid", false, "print a Mermaid sequence diagram for each act")
	f.BoolVar(&o.json, "json", false, "print as JSON")
	f.StringVar(&o.network, "network", "simulated", "what the gateways are: simulated, or kernel for Linux itself, with its own FTP helper\n(Linux, root)")
	o.attached.flags(cmd)
	f.BoolVar(&o.list, "list", false, "list scenarios and helpers, and end")
	complete(cmd, "mode", func() []string { return lower(lab.Modes()) })
	complete(cmd, "server", func() []string { return lower(lab.ServerKinds()) })
	complete(cmd, "alg", profiles)
	complete(cmd, "network", words("simulated", "kernel"))
}

func (o *labOptions) run(cmd *cobra.Command, args []string) error {
	if o.list {
		return o.listScenarios(cmd, args)
	}
	if err := o.check(cmd.InOrStdin()); err != nil {
		return err
	}
	scenario, err := o.scenario(cmd, args)
	if err != nil {
		return err
	}
	stage, err := o.stage(cmd.Context())
	if err != nil {
		return err
	}
	scenario = scenario.With(stage)
	for i := range scenario.Acts {
		scenario.Acts[i].Limits = o.limits
	}
	if err := prepareCaptures(o.pcap, scenario); err != nil {
		return err
	}
	story, err := lab.Play(cmd.Context(), scenario)
	switch {
	case cmd.Context().Err() != nil:
		return &exitError{exitInterrupted, errors.New("interrupted before the end of the story; there is nothing to tell")}
	case errors.Is(err, lab.ErrBuild):
		return usagef("%w", err)
	case err != nil && len(story.Acts) == 0 && o.attached.exec != "":
		return &exitError{exitUnreachable, err}
	}
	// What was played before a guard ended it is told all the same.
	return errors.Join(o.tell(cmd, story), endless(err))
}

// endless explains why a simulation was stopped.
func endless(err error) error {
	var limit *clock.LimitError
	var deadlock *clock.DeadlockError
	switch {
	case errors.As(err, &limit) && !strings.HasSuffix(limit.Limit, " of simulated time"):
		err = fmt.Errorf("%w; too many packets are under way: look in the topology for what makes more of them, or sends them round", err)
	case limit != nil || errors.As(err, &deadlock):
		err = fmt.Errorf("%w; look for a wire of the topology that is too slow, or cut", err)
	}
	if err != nil {
		return &exitError{exitHarness, err}
	}
	return nil
}

// check refuses flags that do not go together.
func (o *labOptions) check(in io.Reader) error {
	switch {
	case o.json && o.mermaid:
		return usagef("--json and --mermaid exclude each other")
	case o.step && (o.json || o.mermaid):
		return usagef("--step is for the text; leave --json and --mermaid out")
	case o.step && !isTerminal(in):
		return usagef("--step waits for Enter, and the standard input is no terminal; leave it out")
	}
	return nil
}

// tell prints the story in the form that was asked for, and writes the
// captures.
func (o *labOptions) tell(cmd *cobra.Command, s *lab.Story) error {
	out := cmd.OutOrStdout()
	paths, err := writeCaptures(o.pcap, s)
	if err != nil {
		return &exitError{exitHarness, err}
	}
	switch {
	case o.json:
		err = printJSON(out, s)
	case o.mermaid:
		err = printMermaid(out, s)
	default:
		err = o.tellText(cmd.Context(), cmd.InOrStdin(), out, s)
	}
	if err == nil && len(paths) > 0 {
		if o.json || o.mermaid {
			out = cmd.ErrOrStderr()
		}
		_, err = fmt.Fprintf(out, "written:\n  %s\n", strings.Join(paths, "\n  "))
	}
	var own *exitError
	if err != nil && !errors.As(err, &own) {
		return fmt.Errorf("print the story: %w", err)
	}
	return err
}

func (o *labOptions) tellText(ctx context.Context, in io.Reader, out io.Writer, s *lab.Story) error {
	t := &storyteller{Style: screenOf(out).Style, w: bufio.NewWriter(out)}
	if o.step {
		t.pause = newStepper(ctx, in).wait
	}
	return t.story(s)
}

// listScenarios prints the scenarios that need no file, and the helpers.
func (o *labOptions) listScenarios(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("--list takes no scenario; see ftpconform lab --help")
	}
	out := cmd.OutOrStdout()
	if o.json {
		return printJSON(out, lab.Builtins())
	}
	style := screenOf(out).Style
	rows := [][]string{{"SCENARIO", ""}}
	for _, s := range lab.Builtins() {
		rows = append(rows, []string{s.Name, s.Title})
	}
	if err := table(out, style, rows); err != nil {
		return err
	}
	t := &storyteller{Style: style, w: bufio.NewWriter(out)}
	t.line("")
	t.line(t.Strong("HELPER (--alg)"))
	const indent = 19
	for _, p := range alg.Profiles() {
		t.beside(fmt.Sprintf("%-*s", indent, p), indent, p.Doc())
	}
	return t.w.Flush()
}

// profiles are the values of --alg, with what they do.
func profiles() []string {
	var out []string
	for _, p := range alg.Profiles() {
		out = append(out, string(p)+"\t"+p.Doc())
	}
	return out
}

// completeScenarios offers the scenarios; files are completed by the shell.
func completeScenarios(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	for _, s := range lab.Builtins() {
		out = append(out, s.Name+"\t"+s.Title)
	}
	return out, cobra.ShellCompDirectiveDefault
}

// lower are names in the form of values of flags.
func lower[T ~string](names []T) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strings.ToLower(string(n))
	}
	return out
}
