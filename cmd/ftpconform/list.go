package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/suites"
)

// listOptions are the flags of list.
type listOptions struct {
	selection
	slow, slowGiven    bool
	requirements, json bool
}

func newList() *cobra.Command {
	var o listOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the checks, or the requirements and what checks them",
		Long: `List prints the checks that a selection holds, in the order in which they stand in
reports. Slow is how long a check may have to wait when nothing is known of the
server's timeouts; run leaves such checks out unless it is given --slow.

With --requirements it prints the requirements of the catalogue with their
checks, or the reason why there is none.`,
		Example: `  ftpconform list --only port,pasv --level MUST
  ftpconform list --requirements --only tls --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.slowGiven = cmd.Flags().Changed("slow")
			if o.requirements {
				return o.listRequirements(cmd)
			}
			return o.listChecks(cmd)
		},
	}
	o.flags(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.slow, "slow", false, "only slow checks; --slow=false: only the others")
	f.BoolVar(&o.requirements, "requirements", false, "list requirements in place of checks")
	f.BoolVar(&o.json, "json", false, "print as JSON")
	return cmd
}

// listedCheck is a check in the output of list.
type listedCheck struct {
	ID    string       `json:"id"`
	Level suites.Level `json:"level"`
	Topic string       `json:"topic"`
	// Role is who is judged: server, or nat for a gateway.
	Role string `json:"role"`
	// Topologies are the networks in which it holds.
	Topologies   []suites.Topology `json:"topologies"`
	Requirements []string          `json:"requirements"`
	Title        string            `json:"title"`
	// SlowSeconds is the longest wait of a slow check, 0 for the others.
	SlowSeconds float64 `json:"slow_seconds"`
}

// unknownServer is a configuration for a server of which nothing is known:
// the waits of checks depend on it.
func unknownServer() suites.Config { return suites.Config{Target: "ftp://unknown", Slow: true} }

func (o *listOptions) listChecks(cmd *cobra.Command) error {
	// Everything that can be checked anywhere; only the waits depend on the
	// server.
	all, cfg := suites.Config{Topologies: suites.Topologies()}, unknownServer()
	if err := o.apply(&all); err != nil {
		return err
	}
	choices, err := suites.Choose(all)
	if err != nil {
		return err
	}
	listed := []listedCheck{}
	for _, c := range choices {
		wait, slow := c.Check.Slow(&cfg)
		if c.Excluded != "" || o.slowGiven && slow != o.slow {
			continue
		}
		l := listedCheck{ID: c.Check.ID, Level: c.Check.Level(), Topic: c.Check.Topic(), Role: c.Check.Role(), Topologies: c.Check.Topologies(),
			Requirements: c.Check.Requirements, Title: c.Check.Title}
		if slow {
			l.SlowSeconds = wait.Seconds()
		}
		listed = append(listed, l)
	}
	if o.json {
		return printJSON(cmd.OutOrStdout(), listed)
	}
	rows := [][]string{{"CHECK", "LEVEL", "TOPIC", "REQUIREMENTS", "SLOW", "TITLE"}}
	for _, l := range listed {
		rows = append(rows, []string{l.ID, string(l.Level), l.Topic, strings.Join(l.Requirements, " "), duration(l.SlowSeconds), l.Title})
	}
	return table(cmd.OutOrStdout(), screenOf(cmd.OutOrStdout()).Style, rows)
}
