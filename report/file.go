package report

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// WriteFile writes a file, whole or not at all, and makes its directory.
func WriteFile(name string, write func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil { //nolint:gosec // as a program's files are by default
		return err
	}
	return ReplaceFile(name, write)
}

// CheckFile makes the directory of a file and reports why WriteFile would not
// work, as far as that can be known before there is something to write.
func CheckFile(name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil { //nolint:gosec // as a program's files are by default
		return err
	}
	return replaceable(name)
}

// ReplaceFile writes a file in a directory that is there, so that a reader sees the old content or the new
// one, whole: into a new file in the same directory, which then takes the
// name. A device or pipe is written to as it is.
func ReplaceFile(name string, write func(io.Writer) error) (err error) {
	name, special, err := resolve(name)
	if err != nil {
		return err
	}
	if special {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(write(f), f.Close())
	}
	f, err := besides(name)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close() // the first error is the one to tell
			_ = os.Remove(f.Name())
		}
	}()
	if info, err := os.Stat(name); err == nil {
		_ = f.Chmod(info.Mode().Perm()) // an existing file keeps its mode where that can be
	}
	if err := write(f); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// replaceable reports why ReplaceFile would not work, as far as that can be
// known before there is something to write.
func replaceable(name string) error {
	name, special, err := resolve(name)
	if err != nil || special {
		return err
	}
	f, err := besides(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// resolve follows symbolic links, so that a link stays one, and tells whether
// the name belongs to something that cannot be replaced by a file.
func resolve(name string) (string, bool, error) {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return name, false, nil
	case err != nil:
		return name, false, err
	case info.IsDir():
		return name, false, fmt.Errorf("%s is a directory", name)
	}
	return name, !info.Mode().IsRegular(), nil
}

// besides makes a new file in the directory of name, with the mode that a
// program's files have by default; os.CreateTemp would keep others from
// reading it.
func besides(name string) (*os.File, error) {
	dir, base := filepath.Split(name)
	var f *os.File
	var err error
	for range 100 {
		temp := fmt.Sprintf("%s.%s.%08x.tmp", dir, base, rand.Uint32())
		if f, err = os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666); !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
	return nil, err
}
