package reference

import (
	"errors"
	"io"
	"io/fs"
)

// ErrNoSpace is wrapped by the error of a write that found no room; the
// transfer then ends with 452.
var ErrNoSpace = errors.New("reference: no space left")

// FileSystem is what a server serves. Names are absolute, separated by
// slashes and clean in the sense of path.Clean; "/" is the root. They are
// sequences of octets, not always UTF-8, and hold neither NUL nor LF. Errors
// wrap those of package io/fs, and ErrNoSpace. The methods may be called from
// several goroutines at once.
type FileSystem interface {
	// Stat describes an object.
	Stat(name string) (fs.FileInfo, error)
	// ReadDir lists a directory in the order of the names, without "." and
	// "..".
	ReadDir(name string) ([]fs.FileInfo, error)
	// OpenFile opens a regular file. The flags are os.O_RDONLY or os.O_WRONLY
	// with os.O_CREATE and os.O_EXCL.
	OpenFile(name string, flag int) (File, error)
	// Mkdir makes a directory whose parent exists.
	Mkdir(name string) error
	// Remove deletes a file or an empty directory.
	Remove(name string) error
	// Rename moves a file or directory; an existing file is replaced.
	Rename(from, to string) error
}

// File is an open file of a FileSystem. One goroutine uses it at a time.
type File interface {
	io.ReadWriteSeeker
	io.Closer
	// Truncate cuts the file to size octets.
	Truncate(size int64) error
}
