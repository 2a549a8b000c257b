package report_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ftpconform/ftpconform/report"
)

func TestParseDestination(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		spec    string
		want    report.Destination
		problem string
	}{
		{"json=run.json", report.Destination{Format: report.JSON, Path: "run.json"}, ""},
		{"JUnit=a=b.xml", report.Destination{Format: report.JUnit, Path: "a=b.xml"}, ""},
		{"json=-", report.Destination{Format: report.JSON, Path: report.Stdout}, ""},
		{"run.json", report.Destination{}, "FORMAT=PATH"},
		{"json=", report.Destination{}, "FORMAT=PATH"},
		{"html=x", report.Destination{}, "unknown format"},
		{"", report.Destination{}, "FORMAT=PATH"},
	} {
		t.Run(c.spec, func(t *testing.T) {
			t.Parallel()
			got, err := report.ParseDestination(c.spec)
			switch {
			case c.problem == "" && (err != nil || got != c.want):
				t.Errorf("got %v, %v; want %v", got, err, c.want)
			case c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)):
				t.Errorf("the error is %v; it should speak of %q", err, c.problem)
			}
		})
	}
}

func TestDestinationCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path string
		ok   bool
	}{
		"a new file":           {filepath.Join(dir, "new"), true},
		"an existing file":     {file, true},
		"the standard output":  {report.Stdout, true},
		"a directory":          {dir, false},
		"no such directory":    {filepath.Join(dir, "none", "x"), false},
		"a file for directory": {filepath.Join(file, "x"), false},
	} {
		t.Run(name, func(t *testing.T) {
			err := report.Destination{Format: report.JSON, Path: c.path}.Check()
			if (err == nil) != c.ok {
				t.Errorf("Check says %v", err)
			}
			if err != nil && !strings.Contains(err.Error(), c.path) {
				t.Errorf("%q does not name the path", err)
			}
		})
	}
	left(t, dir, "file")
}

// left makes sure that a directory holds these files and no others.
func left(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != strings.Join(want, " ") {
		t.Errorf("the directory holds %q, want %q", got, want)
	}
}

func TestDestinationWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := report.Destination{Format: report.JSON, Path: filepath.Join(dir, "run.json")}
	if err := os.WriteFile(d.Path, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(d.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Write(nil, sample(), report.Gate{}); err != nil {
		t.Fatal(err)
	}
	if _, err := report.ReadFile(d.Path); err != nil {
		t.Error(err)
	}
	after, err := os.Stat(d.Path)
	if err != nil || os.SameFile(before, after) || after.Mode() != before.Mode() {
		t.Errorf("the file was not replaced by one with its mode: %v, %v", after, err)
	}
	left(t, dir, "run.json")

	var out bytes.Buffer
	if err := (report.Destination{Format: report.JUnit, Path: report.Stdout}).Write(&out, sample(), report.Gate{}); err != nil || !strings.HasPrefix(out.String(), "<?xml") {
		t.Errorf("the standard output got %.20q, error %v", out.String(), err)
	}
}

func TestDestinationWriteKeepsLinks(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("symbolic links need a privilege there")
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	real, link := filepath.Join(dir, "sub", "real.json"), filepath.Join(dir, "link.json")
	if err := os.WriteFile(real, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	if err := (report.Destination{Format: report.JSON, Path: link}).Write(nil, sample(), report.Gate{}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is no link any more: %v, %v", info, err)
	}
	if _, err := report.ReadFile(real); err != nil {
		t.Error(err)
	}
}

func TestDestinationWriteFails(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	for _, f := range report.Formats() {
		d := report.Destination{Format: f, Path: "/dev/full"}
		if err := d.Check(); err != nil {
			t.Errorf("a device can be written to: %v", err)
		}
		if err := d.Write(nil, sample(), report.Gate{}); err == nil || !strings.Contains(err.Error(), "/dev/full") {
			t.Errorf("%s to a full device gives %v", f, err)
		}
	}
}
