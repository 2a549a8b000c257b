package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ftpconform/ftpconform/internal/lab"
)

// captureName is the name of the file of an act, without its end; n counts from
// 1. It depends on the scenario alone, so that a second run replaces the files
// of the first and no others.
func captureName(dir, scenario string, n int, mode lab.Mode) string {
	return filepath.Join(dir, fmt.Sprintf("%s-%d-%s", plainName(scenario), n, strings.ToLower(string(mode))))
}

// plainName keeps of a name what every file system takes.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '-'
	}, name)
}

// pcapng is the end of the names of files.
const pcapng = ".pcapng"

// prepareCaptures makes the directories, and finds out before anything is played
// whether the files can be written.
func prepareCaptures(dir string, s lab.Scenario) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return usagef("--pcap: %w", err)
	}
	for i, a := range s.Acts {
		name := captureName(dir, s.Name, i+1, a.Mode) + pcapng
		info, err := os.Lstat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return usagef("--pcap: %w", err)
		case !info.Mode().IsRegular():
			return usagef("--pcap: %s is there and is no file; choose another directory", name)
		}
		if err := os.MkdirAll(strings.TrimSuffix(name, pcapng), 0o777); err != nil {
			return usagef("--pcap: %w", err)
		}
	}
	probe, err := os.CreateTemp(dir, ".ftpconform-*")
	if err != nil {
		return usagef("--pcap: %w", err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// writeCaptures writes the packets of each act, in one file and again in a
// directory with a file for each end of each wire. It returns the paths of the
// former and of the directories.
func writeCaptures(dir string, s *lab.Story) ([]string, error) {
	if dir == "" {
		return nil, nil
	}
	var paths []string
	for i := range s.Acts {
		a := &s.Acts[i]
		name := captureName(dir, s.Scenario, i+1, a.Mode)
		if err := writeCapture(name+pcapng, a.WriteCapture); err != nil {
			return paths, err
		}
		paths = append(paths, name+pcapng)
		for _, end := range a.Interfaces() {
			at := func(w io.Writer) error { return a.WriteCaptureAt(w, end) }
			if err := writeCapture(filepath.Join(name, plainName(end)+pcapng), at); err != nil {
				return paths, err
			}
		}
		paths = append(paths, name+string(filepath.Separator)+"*"+pcapng)
	}
	return paths, nil
}

// writeCapture makes one file.
func writeCapture(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err == nil {
		err = errors.Join(write(f), f.Close())
	}
	if err != nil {
		return fmt.Errorf("write the capture %s: %w", name, err)
	}
	return nil
}
