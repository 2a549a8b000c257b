package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ftpconform/ftpconform/netsim/attach"
	"github.com/ftpconform/ftpconform/netsim/kernel"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){"ftpconform": main})
}

type tests struct{ *testing.M }

// Run runs them. Where they are a step of GitHub themselves, the program is not.
func (t tests) Run() int {
	for _, name := range []string{"GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"} {
		if err := os.Unsetenv(name); err != nil {
			panic(err)
		}
	}
	return t.M.Run()
}

// TestScripts runs the program as a user does. Beyond the commands of
// testscript there are:
//
//	exits CODE ARGS...      run ftpconform and expect this exit code
//	serve NAME FLAGS...     run ftpconform serve until the script ends and put
//	                        its HOST:PORT into the variable NAME
//	closed NAME             put a HOST:PORT where nobody listens into NAME
//	interrupt TEXT ARGS...  run ftpconform, send SIGINT once the standard error
//	                        holds TEXT, and expect exit code 130
//
// The condition attach holds where servers can be attached to the simulated
// network, kernel where Linux can be a gateway of it, and root for root on Linux.
func TestScripts(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the scripts take two minutes under the race detector, and what they run has tests of its own")
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "serve": serveInBackground, "closed": closedPort, "interrupt": interrupt,
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "attach":
				return (&attach.Process{}).Available() == nil, nil
			case "kernel":
				return kernel.Available(context.Background()) == nil, nil
			case "root":
				return runtime.GOOS == "linux" && os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: exits CODE ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec("ftpconform", args[1:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("the exit code is %d, want %d", got, want)
	}
}

func closedPort(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], l.Addr().String())
	ts.Check(l.Close())
}

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; make it with go test ./cmd/ftpconform -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got), accept it with -update:\n%s", file, diff)
	}
}

// call runs the program inside the test.
func call(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = execute(args, &out, &errs)
	return code, out.String(), errs.String()
}
