package reference

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
)

// Dir is a FileSystem over a directory of the host. Nothing outside of the
// directory can be reached, neither by "..", nor through symbolic links, nor
// by a race between the two (os.Root).
type Dir struct{ root *os.Root }

// OpenDir opens a directory of the host. Close it after the server.
func OpenDir(name string) (*Dir, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("open directory to serve: %w", err)
	}
	return &Dir{root: root}, nil
}

// Close gives the directory back.
func (d *Dir) Close() error { return d.root.Close() }

// local turns a name of FileSystem into one of os.Root.
func local(name string) string {
	if name = strings.TrimPrefix(path.Clean("/"+name), "/"); name == "" {
		return "."
	}
	return name
}

// Stat implements FileSystem. A symbolic link is followed inside the
// directory.
func (d *Dir) Stat(name string) (fs.FileInfo, error) {
	info, err := d.root.Stat(local(name))
	return info, hostError(err)
}

// ReadDir implements FileSystem. Names that no command line can carry, and
// links that lead nowhere inside the directory, are left out.
func (d *Dir) ReadDir(name string) ([]fs.FileInfo, error) {
	f, err := d.root.Open(local(name))
	if err != nil {
		return nil, hostError(err)
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	if err != nil {
		return nil, hostError(err)
	}
	var out []fs.FileInfo
	for _, e := range entries {
		if strings.ContainsAny(e.Name(), "\n") {
			continue
		}
		info, err := d.root.Stat(path.Join(local(name), e.Name()))
		if err != nil {
			continue // gone, or a link to the outside
		}
		if e.Type()&fs.ModeSymlink != 0 {
			info = renamed{FileInfo: info, name: e.Name()}
		}
		out = append(out, info)
	}
	slices.SortFunc(out, func(a, b fs.FileInfo) int { return strings.Compare(a.Name(), b.Name()) })
	return out, nil
}

// renamed is what a link points to, under the link's own name.
type renamed struct {
	fs.FileInfo
	name string
}

func (r renamed) Name() string { return r.name }

// OpenFile implements FileSystem. Anything but a regular file is refused
// before it is opened: to open a FIFO could block for ever.
func (d *Dir) OpenFile(name string, flag int) (File, error) {
	if info, err := d.root.Stat(local(name)); err == nil && !info.Mode().IsRegular() {
		return nil, pathError("open", name, errIsDir)
	}
	f, err := d.root.OpenFile(local(name), flag, 0o666)
	if err != nil {
		return nil, hostError(err)
	}
	return dirFile{f}, nil
}

// Mkdir implements FileSystem.
func (d *Dir) Mkdir(name string) error { return hostError(d.root.Mkdir(local(name), 0o777)) }

// Remove implements FileSystem.
func (d *Dir) Remove(name string) error { return hostError(d.root.Remove(local(name))) }

// Rename implements FileSystem.
func (d *Dir) Rename(from, to string) error {
	return hostError(d.root.Rename(local(from), local(to)))
}

// dirFile makes a full disk known as ErrNoSpace.
type dirFile struct{ *os.File }

func (f dirFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	return n, hostError(err)
}

// hostError wraps a full disk or a used-up quota as ErrNoSpace.
func hostError(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	return err
}
