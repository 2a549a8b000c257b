package reference_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ftpconform/ftpconform/reference"
)

// TestDir serves a directory of the host, and tries to get out of it.
func TestDir(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	inside := filepath.Join(outside, "inside")
	secret := filepath.Join(outside, "secret")
	for _, err := range []error{
		os.MkdirAll(filepath.Join(inside, "sub"), 0o755),
		os.WriteFile(secret, []byte("secret"), 0o644),
		os.WriteFile(filepath.Join(inside, "plain"), []byte("plain\n"), 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"abs": secret, "rel": "../secret", "up": "..", "in": "plain"} {
		if err := os.Symlink(to, filepath.Join(inside, name)); err != nil {
			t.Skip(err)
		}
	}
	files, err := reference.OpenDir(inside)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { files.Close() })
	c := started(t, reference.Options{Files: files})
	c.cmd(200, "TYPE I")
	for _, name := range []string{"../secret", "/../secret", "sub/../../secret", "abs", "rel", "up/secret", "/up/secret", secret} {
		c.cmd(550, "RETR "+name)
		c.cmd(550, "SIZE "+name)
		c.cmd(550, "DELE "+name)
		c.cmd(550, "RNFR "+name)
	}
	c.cmd(550, "CWD up")
	c.cmd(250, "CWD ..")
	c.cmd(257, "PWD")
	c.cmd(553, "STOR up/x")
	c.cmd(553, "STOR rel")
	c.cmd(350, "RNFR plain")
	c.cmd(553, "RNTO up/plain")
	if b, err := os.ReadFile(secret); err != nil || string(b) != "secret" {
		t.Errorf("secret: %q, %v", b, err)
	}
	if got := c.get("NLST"); got != "in\r\nplain\r\nsub\r\n" {
		t.Errorf("NLST: %q", got)
	}
	if got := c.get("RETR in"); got != "plain\n" {
		t.Errorf("RETR of a link inside: %q", got)
	}
	a, b := c.cmd(250, "MLST in").Lines[1], c.cmd(250, "MLST plain").Lines[1]
	if a[:strings.Index(a, "; ")] != b[:strings.Index(b, "; ")] {
		t.Errorf("two names, two facts: %q, %q", a, b)
	}
	c.cmd(257, "MKD sub/below")
	c.cmd(550, "MKD up/below")
	c.cmd(250, "RMD sub/below")
	c.cmd(553, "STOR sub")
	c.put("STOR sub/new", "data")
	c.cmd(350, "RNFR sub/new")
	c.cmd(250, "RNTO sub/old")
	c.cmd(550, "RMD sub")
	c.cmd(250, "DELE sub/old")
	c.cmd(250, "RMD sub")
	c.inStep()
}

func TestMemory(t *testing.T) {
	t.Parallel()
	m := seeded(t)
	m.Quota = 100
	tests := map[string]struct {
		err  error
		want error
	}{
		"mkdir over a file":     {m.Mkdir("/text"), fs.ErrExist},
		"mkdir nowhere":         {m.Mkdir("/a/b"), fs.ErrNotExist},
		"mkdir in a file":       {m.Mkdir("/text/b"), fs.ErrNotExist},
		"remove a full one":     {m.Remove("/dir"), fs.ErrInvalid},
		"remove the root":       {m.Remove("/"), fs.ErrPermission},
		"rename into itself":    {m.Rename("/dir", "/dir/x"), fs.ErrInvalid},
		"rename over directory": {m.Rename("/text", "/dir"), fs.ErrExist},
		"rename nothing":        {m.Rename("/nothing", "/x"), fs.ErrNotExist},
		"write a directory":     {m.WriteFile("/dir", nil, birth), fs.ErrInvalid},
		"write under a file":    {m.WriteFile("/text/x", nil, birth), fs.ErrNotExist},
	}
	for name, tt := range tests {
		if !errors.Is(tt.err, tt.want) {
			t.Errorf("%s: %v, want %v", name, tt.err, tt.want)
		}
	}
	if _, err := m.OpenFile("/text", os.O_WRONLY|os.O_CREATE|os.O_EXCL); !errors.Is(err, fs.ErrExist) {
		t.Errorf("exclusive: %v", err)
	}
	f, err := m.OpenFile("/grow", os.O_WRONLY|os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	n, err := f.Write(make([]byte, 200))
	if !errors.Is(err, reference.ErrNoSpace) || n == 0 || n >= 100 {
		t.Errorf("beyond the quota: %d, %v", n, err)
	}
	if err := f.Truncate(0); err != nil {
		t.Error(err)
	}
	if _, err := f.Seek(1, io.SeekStart); err == nil {
		t.Error("a hole was made")
	}
	if err := m.Rename("/text", "/empty"); err != nil {
		t.Error(err)
	}
	if b, _ := m.ReadFile("/empty"); len(b) != 14 {
		t.Errorf("after the rename: %q", b)
	}
}
