package reference

import (
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
)

// Stat implements FileSystem.
func (m *Memory) Stat(name string) (fs.FileInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find("stat", name)
	if err != nil {
		return nil, err
	}
	return n.info(), nil
}

// ReadDir implements FileSystem.
func (m *Memory) ReadDir(name string) ([]fs.FileInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find("list", name)
	if err != nil {
		return nil, err
	}
	if n.entries == nil {
		return nil, pathError("list", name, errNotDir)
	}
	var out []fs.FileInfo
	for _, key := range slices.Sorted(maps.Keys(n.entries)) {
		out = append(out, n.entries[key].info())
	}
	return out, nil
}

// OpenFile implements FileSystem.
func (m *Memory) OpenFile(name string, flag int) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, err := m.find("open", path.Dir(name))
	if err != nil {
		return nil, err
	}
	if dir.entries == nil {
		return nil, pathError("open", name, errNotDir)
	}
	n := dir.entries[path.Base(name)]
	switch {
	case name == "/" || n != nil && n.entries != nil:
		return nil, pathError("open", name, errIsDir)
	case n == nil && flag&os.O_CREATE == 0:
		return nil, pathError("open", name, fs.ErrNotExist)
	case n != nil && flag&os.O_EXCL != 0:
		return nil, pathError("open", name, fs.ErrExist)
	case n == nil:
		n = m.newNode(path.Base(name), false)
		dir.entries[n.name] = n
	}
	return &memoryFile{m: m, n: n, name: name, writable: flag&(os.O_WRONLY|os.O_RDWR) != 0}, nil
}

// Mkdir implements FileSystem.
func (m *Memory) Mkdir(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, err := m.find("mkdir", path.Dir(name))
	if err != nil {
		return err
	}
	base := path.Base(name)
	switch {
	case dir.entries == nil:
		return pathError("mkdir", name, errNotDir)
	case name == "/" || dir.entries[base] != nil:
		return pathError("mkdir", name, fs.ErrExist)
	}
	dir.entries[base] = m.newNode(base, true)
	dir.modified = m.Now()
	return nil
}

// Remove implements FileSystem.
func (m *Memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find("remove", name)
	switch {
	case err != nil:
		return err
	case name == "/":
		return pathError("remove", name, fs.ErrPermission)
	case len(n.entries) > 0:
		return pathError("remove", name, errNotEmpty)
	}
	dir, err := m.find("remove", path.Dir(name))
	if err != nil {
		return err
	}
	delete(dir.entries, n.name)
	dir.modified = m.Now()
	return nil
}

// Rename implements FileSystem.
func (m *Memory) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find("rename", from)
	if err != nil {
		return err
	}
	dir, err := m.find("rename", path.Dir(to))
	if err != nil {
		return err
	}
	old := dir.entries[path.Base(to)]
	switch {
	case dir.entries == nil:
		return pathError("rename", to, errNotDir)
	case from == "/" || to == "/" || strings.HasPrefix(to+"/", from+"/") && to != from:
		return pathError("rename", to, fs.ErrInvalid)
	case old != nil && old != n && (old.entries != nil || n.entries != nil):
		return pathError("rename", to, fs.ErrExist)
	}
	source, err := m.find("rename", path.Dir(from))
	if err != nil {
		return err
	}
	delete(source.entries, n.name)
	n.name = path.Base(to)
	dir.entries[n.name] = n
	return nil
}
