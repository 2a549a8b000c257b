package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ftpconform/ftpconform/internal/lab"
)

// captureName is the name of the file of an act; n counts from 1. It depends on
// the scenario alone, so that a second run replaces the files of the first and
// no others.
func captureName(dir, scenario string, n int, mode lab.Mode) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_':
			return r
		}
		return '-'
	}, scenario)
	return filepath.Join(dir, fmt.Sprintf("%s-%d-%s.pcapng", clean, n, strings.ToLower(string(mode))))
}

// prepareCaptures makes the directory, and finds out before anything is played
// whether the files can be written.
func prepareCaptures(dir string, s lab.Scenario) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return usagef("--pcap: %w", err)
	}
	for i, a := range s.Acts {
		name := captureName(dir, s.Name, i+1, a.Mode)
		info, err := os.Lstat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return usagef("--pcap: %w", err)
		case !info.Mode().IsRegular():
			return usagef("--pcap: %s is there and is no file; choose another directory", name)
		}
	}
	probe, err := os.CreateTemp(dir, ".ftpconform-*")
	if err != nil {
		return usagef("--pcap: %w", err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// writeCaptures writes the packets of each act and returns the paths.
func writeCaptures(dir string, s *lab.Story) ([]string, error) {
	if dir == "" {
		return nil, nil
	}
	var paths []string
	for i := range s.Acts {
		name := captureName(dir, s.Scenario, i+1, s.Acts[i].Mode)
		f, err := os.Create(name)
		if err == nil {
			err = errors.Join(s.Acts[i].WriteCapture(f), f.Close())
		}
		if err != nil {
			return paths, fmt.Errorf("write the capture %s: %w", name, err)
		}
		paths = append(paths, name)
	}
	return paths, nil
}
