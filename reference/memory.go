package reference

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
)

// Memory is a FileSystem without a disk. Use NewMemory to make one.
type Memory struct {
	// Quota bounds the contents of all files together, in octets; 0 means no
	// bound. Set it before use.
	Quota int64
	// Quotas bounds the contents below single directories, in octets; a
	// directory that is to refuse every write has the quota 0. Set it before
	// use.
	Quotas map[string]int64
	// Now gives the times of files; default the host's clock. Set it before use.
	Now func() time.Time

	mu   sync.Mutex
	root *node
	next uint64 // the number of the next node
}

// node is a file or a directory; everything in it is guarded by Memory.mu.
type node struct {
	id       uint64
	name     string
	data     []byte
	shared   bool // data belongs to whoever seeded it and must not be changed
	modified time.Time
	entries  map[string]*node // nil for a file
}

// NewMemory returns a file system with an empty root.
func NewMemory() *Memory {
	m := &Memory{Now: host.RealTime{}.Now}
	m.root = m.newNode("/", true)
	return m
}

// newNode makes an object that is in no directory yet.
func (m *Memory) newNode(name string, dir bool) *node {
	m.next++
	n := &node{id: m.next, name: name, modified: m.Now()}
	if dir {
		n.entries = make(map[string]*node)
	}
	return n
}

// WriteFile stores a file whole, with the directories on the way to it. It
// replaces an older file and heeds no quota. It is meant for seeding: data is not
// copied, so that many file systems can share it, and must not be changed
// afterwards.
func (m *Memory) WriteFile(name string, data []byte, modified time.Time) error {
	name = path.Clean("/" + name)
	if err := m.MkdirAll(path.Dir(name)); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, err := m.find("write", path.Dir(name))
	if err != nil {
		return err
	}
	n := dir.entries[path.Base(name)]
	switch {
	case name == "/" || n != nil && n.entries != nil:
		return pathError("write", name, errIsDir)
	case n == nil:
		n = m.newNode(path.Base(name), false)
		dir.entries[n.name] = n
	}
	n.data, n.shared, n.modified = slices.Clip(data), true, modified
	return nil
}

// ReadFile returns the contents of a file.
func (m *Memory) ReadFile(name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find("read", path.Clean("/"+name))
	if err != nil {
		return nil, err
	}
	if n.entries != nil {
		return nil, pathError("read", name, errIsDir)
	}
	return slices.Clone(n.data), nil
}

// MkdirAll makes a directory and those on the way to it.
func (m *Memory) MkdirAll(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := m.root
	for part := range strings.SplitSeq(strings.Trim(path.Clean("/"+name), "/"), "/") {
		if part == "" {
			continue
		}
		n := at.entries[part]
		if n == nil {
			n = m.newNode(part, true)
			at.entries[part] = n
		}
		if n.entries == nil {
			return pathError("mkdir", name, errNotDir)
		}
		at = n
	}
	return nil
}

// find walks from the root; m.mu is held.
func (m *Memory) find(op, name string) (*node, error) {
	at := m.root
	for part := range strings.SplitSeq(strings.Trim(name, "/"), "/") {
		if part == "" {
			continue
		}
		if at.entries == nil {
			return nil, pathError(op, name, errNotDir)
		}
		if at = at.entries[part]; at == nil {
			return nil, pathError(op, name, fs.ErrNotExist)
		}
	}
	return at, nil
}

// size adds up the contents below n; m.mu is held.
func (n *node) size() int64 {
	total := int64(len(n.data))
	for _, e := range n.entries {
		total += e.size()
	}
	return total
}

// room returns how many octets more the quotas leave to name, at most want;
// m.mu is held.
func (m *Memory) room(name string, want int64) int64 {
	if m.Quota > 0 {
		want = min(want, m.Quota-m.root.size())
	}
	for dir, quota := range m.Quotas {
		if !strings.HasPrefix(name, strings.TrimSuffix(dir, "/")+"/") {
			continue
		}
		if n, err := m.find("quota", dir); err == nil {
			want = min(want, quota-n.size())
		}
	}
	return max(want, 0)
}

// Reasons that package io/fs has no sentinel for.
var (
	errIsDir    = fmt.Errorf("%w: is a directory", fs.ErrInvalid)
	errNotDir   = fmt.Errorf("%w: not a directory", fs.ErrNotExist)
	errNotEmpty = fmt.Errorf("%w: directory not empty", fs.ErrInvalid)
)

func pathError(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: err}
}
