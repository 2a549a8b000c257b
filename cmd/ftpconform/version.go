package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/ftpconform/ftpconform/suites"
)

// about is what version tells.
type about struct {
	suites.Tool
	Catalogue    suites.Edition `json:"catalogue"`
	Checks       int            `json:"checks"`
	Requirements int            `json:"requirements"`
}

func newVersion() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the versions of the program and of its catalogue",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c := suites.LoadCatalogue()
			a := about{Tool: suites.CurrentTool(), Catalogue: suites.Edition{Version: c.Version, SHA256: c.Hash},
				Checks: len(suites.Checks()), Requirements: len(c.Requirements)}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), a)
			}
			commit := a.Commit
			if commit == "" {
				commit = "unknown"
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s %s\ncommit        %s\ngo            %s\ncatalogue     %d, SHA-256 %s\nchecks        %d\nrequirements  %d\n",
				a.Name, a.Version, commit, a.Go, a.Catalogue.Version, a.Catalogue.SHA256, a.Checks, a.Requirements)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return cmd
}

// printJSON prints a value as indented JSON.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
