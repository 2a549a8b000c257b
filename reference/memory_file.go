package reference

import (
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"
)

// memoryFile is an open file of Memory.
type memoryFile struct {
	m        *Memory
	n        *node
	name     string
	at       int64
	writable bool
}

// Read implements File.
func (f *memoryFile) Read(p []byte) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if f.at >= int64(len(f.n.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.n.data[f.at:])
	f.at += int64(n)
	return n, nil
}

// Write implements File. It writes as much as the quotas allow before it
// fails with ErrNoSpace.
func (f *memoryFile) Write(p []byte) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if !f.writable {
		return 0, pathError("write", f.name, fs.ErrPermission)
	}
	size := int64(len(f.n.data))
	grow := max(f.at+int64(len(p))-size, 0)
	var err error
	if grow > 0 {
		if room := f.m.room(f.name, grow); room < grow {
			err = pathError("write", f.name, ErrNoSpace)
			p = p[:max(int64(len(p))-(grow-room), 0)]
			grow = room
		}
	}
	if len(p) > 0 {
		if f.n.shared && f.at < size {
			f.n.data, f.n.shared = slices.Clone(f.n.data), false
		}
		f.n.data = append(f.n.data, make([]byte, grow)...)
		copy(f.n.data[f.at:], p)
		f.at += int64(len(p))
		f.n.modified = f.m.Now()
	}
	return len(p), err
}

// Seek implements File.
func (f *memoryFile) Seek(offset int64, whence int) (int64, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	switch whence {
	case io.SeekCurrent:
		offset += f.at
	case io.SeekEnd:
		offset += int64(len(f.n.data))
	}
	if offset < 0 || offset > int64(len(f.n.data)) {
		return 0, pathError("seek", f.name, fs.ErrInvalid) // no holes here
	}
	f.at = offset
	return offset, nil
}

// Truncate implements File.
func (f *memoryFile) Truncate(size int64) error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if !f.writable || size < 0 || size > int64(len(f.n.data)) {
		return pathError("truncate", f.name, fs.ErrInvalid)
	}
	f.n.data = f.n.data[:size:size]
	f.n.modified = f.m.Now()
	return nil
}

// Close implements File.
func (f *memoryFile) Close() error { return nil }

// memoryInfo implements fs.FileInfo.
type memoryInfo struct {
	name     string
	size     int64
	mode     fs.FileMode
	modified time.Time
	id       uint64
}

// info takes a copy of what there is to say about n; m.mu is held.
func (n *node) info() fs.FileInfo {
	i := memoryInfo{name: n.name, size: int64(len(n.data)), mode: 0o644, modified: n.modified, id: n.id}
	if n.entries != nil {
		i.mode, i.size = fs.ModeDir|0o755, 0
	}
	return i
}

func (i memoryInfo) Name() string       { return i.name }
func (i memoryInfo) Size() int64        { return i.size }
func (i memoryInfo) Mode() fs.FileMode  { return i.mode }
func (i memoryInfo) ModTime() time.Time { return i.modified }
func (i memoryInfo) IsDir() bool        { return i.mode.IsDir() }
func (i memoryInfo) Sys() any           { return nil }

// Unique is the value of the unique fact (RFC 3659 section 7.5.2).
func (i memoryInfo) Unique() string { return fmt.Sprintf("m%x", i.id) }
