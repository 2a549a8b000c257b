package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/suites"
)

// selection holds the flags that select checks.
type selection struct {
	only, skip []string
	level      string
}

// flags adds them to a command.
func (s *selection) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&s.only, "only", nil, "only these `CHECKS`: topics, ids of checks or requirements, globs,\nor a label filter such as 'topic:port && level:MUST'; separated by commas, repeatable")
	f.StringArrayVar(&s.skip, "skip", nil, "leave these `CHECKS` out, in the same words")
	f.StringVar(&s.level, "level", "", "leave out what is below this `LEVEL`: MUST, SHOULD or MAY")
	complete(cmd, "level", levels)
	complete(cmd, "only", checkNames)
	complete(cmd, "skip", checkNames)
}

// apply puts the selection into a configuration.
func (s *selection) apply(cfg *suites.Config) error {
	cfg.Level = suites.Level(strings.ToUpper(s.level))
	for name, lists := range map[string]struct {
		in  []string
		out *[]string
	}{"--only": {s.only, &cfg.Only}, "--skip": {s.skip, &cfg.Skip}} {
		for _, text := range lists.in {
			for _, entry := range split(text) {
				if entry = strings.TrimSpace(entry); entry == "" {
					return usagef("%s has an empty entry; see ftpconform list for what can be selected", name)
				}
				*lists.out = append(*lists.out, entry)
			}
		}
	}
	return nil
}

// split cuts a list at its commas, but not inside the brackets and regular
// expressions of a label filter: {a, b}, (a, b) and /a,b/ stay whole, and so
// does everything when they do not match up.
func split(text string) []string {
	var (
		out     []string
		depth   int
		pattern bool
		from    int
	)
	for i := range len(text) {
		switch c := text[i]; {
		case c == '/':
			pattern = !pattern
		case pattern:
		case strings.IndexByte("({[", c) >= 0:
			depth++
		case strings.IndexByte(")}]", c) >= 0:
			depth--
		case c == ',' && depth == 0:
			out = append(out, text[from:i])
			from = i + 1
		}
	}
	if depth != 0 || pattern {
		return []string{text}
	}
	return append(out, text[from:])
}

// checkNames lists topics and checks for completion.
func checkNames() []string {
	var out []string
	for _, c := range suites.Checks() {
		if t := c.Topic(); !slices.Contains(out, t) {
			out = append(out, t)
		}
		out = append(out, c.ID+"\t"+c.Title)
	}
	return out
}

func levels() []string {
	return []string{string(suites.MUST), string(suites.SHOULD), string(suites.MAY)}
}

// complete registers the values of a flag with the shell's completion.
func complete(cmd *cobra.Command, flag string, values func() []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values(), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // a flag that does not exist, or exists twice: a slip in this program
	}
}

// words makes fixed values for complete.
func words(values ...string) func() []string { return func() []string { return values } }
