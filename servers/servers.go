// Package servers runs the FTP servers of others in containers: the fleet on
// which the checks are tried, and any further server that somebody describes in
// the same way. Each has a folder, with a Dockerfile that installs it and a
// server.yaml, read into a Spec, that says how it is configured and started.
//
// Start puts a server on the engine's bridge, where this machine's sockets reach
// it; Attacher puts it into a simulated network, of which nothing but Linux and
// root is asked. An image is built when it is needed for the first time, and is
// named after what it was made of. Containers end with who has started them:
// with Close, and, where a process could not do that any more, when the next one
// starts any.
//
// It needs Docker Engine, or what speaks its protocol, on Linux: elsewhere the
// address of a container is not this machine's to reach. Everything here may be
// used from several goroutines.
package servers

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// The folders of the fleet. Those of servers that are Go modules cannot be in
// here (package embed leaves modules out) and are found beside the source.
//
//go:embed aioftp busybox inetutils-ftpd linux-ftpd-ssl proftpd pure-ftpd
//go:embed pyftpdlib rclone twisted vsftpd
var embedded embed.FS

// specFile is what makes a folder that of a server.
const specFile = "server.yaml"

// Names lists the fleet.
func Names() []string {
	seen := map[string]bool{}
	folders := []fs.FS{embedded}
	if dir, ok := source(); ok {
		folders = append(folders, os.DirFS(dir))
	}
	for _, f := range folders {
		found, _ := fs.Glob(f, "*/"+specFile) // the pattern is well-formed
		for _, name := range found {
			seen[filepath.Dir(name)] = true
		}
	}
	out := make([]string, 0, len(seen))
	for name := range seen {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Find reads the description of a server of the fleet, or, where the name has a
// slash in it, that in any folder. The error names the mistake in the file.
func Find(name string) (*Spec, error) {
	if name == "" {
		return nil, errors.New("the name of a server is empty")
	}
	if filepath.Base(name) != name || name == "." {
		return read(os.DirFS(name), filepath.Clean(name))
	}
	if dir, ok := source(); ok {
		s, err := read(os.DirFS(filepath.Join(dir, name)), filepath.Join(dir, name))
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return s, err
		}
	}
	sub, err := fs.Sub(embedded, name)
	if err != nil {
		return nil, fmt.Errorf("no server %q: %w", name, err)
	}
	s, err := read(sub, "")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no server %q in the fleet; write ./%s for a folder", name, name)
	}
	return s, err
}

// source finds this folder beside the source: upwards from where the program
// runs.
func source() (string, bool) {
	dir, err := os.Getwd()
	for err == nil {
		at := filepath.Join(dir, "servers")
		if _, err := os.Stat(filepath.Join(at, "servers.go")); err == nil {
			return at, true
		}
		up := filepath.Dir(dir)
		if up == dir {
			break
		}
		dir = up
	}
	return "", false
}
