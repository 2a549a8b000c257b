package main

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMatrixNoStaleRecord: a server that comes to no record leaves none of an
// earlier matrix.
func TestMatrixNoStaleRecord(t *testing.T) {
	t.Parallel()
	spec, err := specification("vsftpd")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"vsftpd.json", "proftpd.json"} {
		write(t, filepath.Join(dir, name), "{}")
	}
	o := matrixOptions{records: dir}
	ended, cancel := context.WithCancel(t.Context())
	cancel() // so that nothing starts, wherever this is
	for range 2 {
		r := &matrixRun{plan: &plan{fleet: &fleetRun{spec: spec}}}
		r.entry.Name = spec.Name
		if err := o.one(ended, r, func(string) {}); err != nil || r.entry.Error == "" {
			t.Errorf("%v; %+v", err, r.entry)
		}
	}
	left, err := fs.Glob(os.DirFS(dir), "*")
	if got := strings.Join(left, " "); err != nil || got != "proftpd.json" {
		t.Errorf("%q is left: %v", got, err)
	}
}

// TestMatrixHelp speaks of what there is: no --exec, no embedded server.
func TestMatrixHelp(t *testing.T) {
	t.Parallel()
	code, help, _ := call("matrix", "--help")
	for _, no := range []string{"--exec", "--loopback", "with --server", "embedded"} {
		if strings.Contains(help, no) {
			t.Errorf("it speaks of %s", no)
		}
	}
	for _, want := range []string{"exit code", "default 4, or"} {
		if code != 0 || !strings.Contains(help, want) {
			t.Errorf("code %d; it does not speak of %s", code, want)
		}
	}
}
