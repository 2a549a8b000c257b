package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// action is what action.yml says.
type action struct {
	Name, Description string
	Branding          map[string]string
	Inputs            map[string]struct {
		Description string
		Default     *string
	}
	Outputs map[string]struct{ Description, Value string }
	Runs    struct {
		Using string
		Steps []actionStep
	}
}

type actionStep struct {
	Name, ID, If, Uses, Shell, Run string
	With, Env                      map[string]string
}

func readAction(t *testing.T) (*action, string) {
	t.Helper()
	text := read(t, filepath.Join(root, "action.yml"))
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	a := new(action)
	if err := d.Decode(a); err != nil {
		t.Fatal(err)
	}
	return a, text
}

// step finds the step of a name.
func (a *action) step(t *testing.T, name string) actionStep {
	t.Helper()
	i := slices.IndexFunc(a.Runs.Steps, func(s actionStep) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("there is no step %q", name)
	}
	return a.Runs.Steps[i]
}

// bash is as GitHub calls it for "shell: bash".
var bash = []string{"--noprofile", "--norc", "-eo", "pipefail"}

// TestAction holds action.yml together: what is declared is used and the other way
// round, and no input is pasted into a script.
func TestAction(t *testing.T) {
	t.Parallel()
	a, text := readAction(t)
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`inputs\.([a-z-]+)`).FindAllStringSubmatch(text, -1) {
		used[m[1]] = true
	}
	declared := slices.Sorted(maps.Keys(a.Inputs))
	if got := slices.Sorted(maps.Keys(used)); !slices.Equal(got, declared) {
		t.Errorf("inputs used are %v, declared %v", got, declared)
	}
	for name, in := range a.Inputs {
		if in.Description == "" || in.Default == nil {
			t.Errorf("the input %s has no description or no default", name)
		}
	}
	for _, s := range a.Runs.Steps {
		switch {
		case s.Uses != "":
			if !slices.Contains([]string{"actions/setup-go", "actions/upload-artifact"}, strings.Split(s.Uses, "@")[0]) {
				t.Errorf("an action of others: %s", s.Uses)
			}
		case s.Shell != "bash":
			t.Errorf("the step %q has no shell", s.Name)
		case strings.Contains(s.Run, "${{"):
			t.Errorf("the step %q pastes an expression into its script", s.Name)
		default:
			parses(t, tool(t, "bash"), s.Run)
		}
	}
	if last := a.Runs.Steps[len(a.Runs.Steps)-1]; !strings.Contains(last.If, "always()") || last.With["path"] != "${{ inputs.reports }}" {
		t.Errorf("the reports are not kept when a run fails: %+v", last)
	}
	if a.Runs.Using != "composite" || a.Outputs["exit-code"].Value != "${{ steps.run.outputs.exit-code }}" || a.step(t, "Run ftpconform").ID != "run" {
		t.Errorf("the exit code is not the output: %+v", a.Outputs)
	}
}

// TestActionRuns plays the script of the action as a runner does.
func TestActionRuns(t *testing.T) {
	t.Parallel()
	a, _ := readAction(t)
	shell, program := tool(t, "bash"), tool(t, "ftpconform")
	script := a.step(t, "Run ftpconform")
	const user, password = "üser", "p@:s/s %'\"$(x)" //nolint:gosec // of a server of the test
	broken := serving(t, "", "--user", user+":"+password, "--fault", "PORTKeepsFirst")
	reply := "--only=port-replaces-port,port-works"
	for name, c := range map[string]struct {
		inputs map[string]string
		want   int
		says   string
		leaves bool // a record
	}{
		"the embedded server": {map[string]string{"args": "--only=port-works\n--topology=direct\n"}, 0, "conforms: 1 pass", true},
		"a target":            {map[string]string{"target": broken, "user": user, "password": password, "args": reply}, 1, "fail  port-replaces-port", true},
		"a baseline":          {map[string]string{"target": broken, "user": user, "password": password, "args": reply, "baseline": "known.yaml", "min-checks": "2"}, 0, "conforms but for 1 known", true},
		"too few":             {map[string]string{"args": "--only=port-works\n--topology=direct", "min-checks": "2"}, 5, "too few answers", true},
		"another password":    {map[string]string{"target": broken, "user": user, "password": "wrong", "args": "--timeout-scale=0.5"}, 3, "ftpconform: ", false},
		"an unknown flag":     {map[string]string{"args": "--frobnicate"}, 2, "frobnicate", false},
		"no words are split":  {map[string]string{"args": "--only=port-works; touch pasted"}, 2, "touch pasted", false},
		"two users":           {map[string]string{"target": "ftp://x:y@127.0.0.1/", "user": user}, 2, "leave one of them out", false},
		"a user for nothing":  {map[string]string{"user": user}, 2, "there is neither", false},
		"an unknown server":   {map[string]string{"server": "nothing-like-it"}, 2, "nothing-like-it", false},
		"no such command":     {map[string]string{"exec": "/nothing/like-it -x"}, 2, "ftpconform: --exec", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.inputs["exec"] != "" && os.Geteuid() != 0 {
				t.Skip("the script would ask sudo")
			}
			dir := t.TempDir()
			if err := os.Symlink(program, filepath.Join(dir, "ftpconform")); err != nil {
				t.Skipf("no symbolic links here: %v", err)
			}
			write(t, filepath.Join(dir, "known.yaml"), "deviations:\n  - {check: port-replaces-port, verdict: fail, reason: so}\n")
			write(t, filepath.Join(dir, "script.sh"), script.Run)
			env := []string{"GITHUB_OUTPUT=" + filepath.Join(dir, "output"), "RUNNER_TEMP=" + dir, "GITHUB_ACTIONS=true", "GITHUB_STEP_SUMMARY=" + filepath.Join(dir, "summary.md")}
			for variable, expression := range script.Env {
				input := strings.TrimSuffix(strings.TrimPrefix(expression, "${{ inputs."), " }}")
				value, given := c.inputs[input]
				if !given {
					value = *a.Inputs[input].Default
				}
				env = append(env, variable+"="+value)
			}
			code, said := codeIn(t, dir, env, shell, append(slices.Clone(bash), "script.sh")...)
			if code != c.want || !strings.Contains(said, c.says) {
				t.Errorf("code %d, want %d, saying %q: %s", code, c.want, c.says, said)
			}
			if got, want := read(t, filepath.Join(dir, "output")), "exit-code="+string(rune('0'+c.want))+"\n"; got != want {
				t.Errorf("the output is %q, want %q", got, want)
			}
			if strings.Contains(said, password) || strings.Contains(said, "%24%28x") {
				t.Errorf("the password is told: %s", said)
			}
			// What was begun and has no record says why in its summary.
			why := strings.Contains(said, "::error title=ftpconform::")
			for file, want := range map[string]bool{"ftpconform-reports/run.json": c.leaves, "ftpconform-reports/junit.xml": c.leaves, "summary.md": c.leaves || why} {
				if _, err := os.Stat(filepath.Join(dir, file)); (err == nil) != want {
					t.Errorf("%s: %v", file, err)
				}
			}
			if _, err := os.Stat(filepath.Join(dir, "pasted")); err == nil {
				t.Error("an input was obeyed by the shell")
			}
		})
	}
}

// TestActionInstalls builds the program as the action does.
func TestActionInstalls(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds the program")
	}
	a, _ := readAction(t)
	shell := tool(t, "bash")
	tool(t, "go")
	abs, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "script.sh"), a.step(t, "Install ftpconform").Run)
	env := []string{"RUNNER_TEMP=" + dir, "ACTION_PATH=" + abs, "ACTION_REF=v9.8.7"}
	if code, said := codeIn(t, dir, env, shell, append(slices.Clone(bash), "script.sh")...); code != 0 {
		t.Fatalf("code %d: %s", code, said)
	}
	if _, said := codeIn(t, dir, nil, filepath.Join(dir, "ftpconform"), "version"); !strings.Contains(said, "ftpconform v9.8.7\n") {
		t.Errorf("it says: %s", said)
	}
}

// fence finds the code of a language in a page.
var fence = regexp.MustCompile("(?ms)^```(yaml|yml)\n(.*?)^```$")

// TestPipelineExamples: the examples of the documents are YAML, their scripts
// parse, and they give the action inputs that it has.
func TestPipelineExamples(t *testing.T) {
	t.Parallel()
	a, _ := readAction(t)
	shell, seen := tool(t, "bash"), 0
	for _, page := range []string{"README.md", filepath.Join("docs", "ci.md")} {
		for _, m := range fence.FindAllStringSubmatch(read(t, filepath.Join(root, page)), -1) {
			var example any
			if err := yaml.Unmarshal([]byte(m[2]), &example); err != nil {
				t.Errorf("%s: %v", page, err)
			}
			walk(example, func(node map[string]any) {
				if uses, _ := node["uses"].(string); strings.HasPrefix(uses, "ftpconform/ftpconform@") {
					seen++
					with, _ := node["with"].(map[string]any)
					for name := range with {
						if _, ok := a.Inputs[name]; !ok {
							t.Errorf("%s: the action has no input %q", page, name)
						}
					}
				}
				if run, _ := node["run"].(string); run != "" {
					parses(t, shell, run)
				}
				if lines, _ := node["script"].([]any); lines != nil {
					for _, line := range lines {
						parses(t, shell, line.(string))
					}
				}
			})
		}
	}
	if seen < 2 {
		t.Errorf("the action is used %d times; README.md and docs/ci.md show it", seen)
	}
}

// walk visits all mappings of a document.
func walk(node any, visit func(map[string]any)) {
	switch n := node.(type) {
	case map[string]any:
		visit(n)
		for _, child := range n {
			walk(child, visit)
		}
	case []any:
		for _, child := range n {
			walk(child, visit)
		}
	}
}
