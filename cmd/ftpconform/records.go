package main

import (
	"errors"
	"io/fs"
	"os"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

// readRecord reads a run record that was named on the command line.
func readRecord(name string) (*suites.Report, error) {
	rep, err := report.ReadFile(name)
	switch {
	case errors.Is(err, report.ErrMatrix):
		return nil, usagef("%s: it is the record of a matrix, and that of one server is needed; ftpconform matrix --records DIRECTORY writes those too", name)
	case err != nil:
		return nil, usagef("%s: %w; ftpconform run --report json=FILE writes records", name, err)
	}
	return rep, nil
}

// recordFile is a file with a run record, or with that of a matrix.
type recordFile struct {
	name   string
	info   fs.FileInfo
	record *suites.Report
	matrix *report.Matrix // set where record is not
}

// readRecords reads the files that were named on the command line, each once.
func readRecords(names []string) ([]recordFile, error) {
	var out []recordFile
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return nil, usagef("read the run record: %w; ftpconform run --report json=FILE writes records", err)
		}
		for _, other := range out {
			if os.SameFile(other.info, info) {
				return nil, usagef("%s and %s are one file; name it once", other.name, name)
			}
		}
		f := recordFile{name: name, info: info}
		if f.record, err = report.ReadFile(name); errors.Is(err, report.ErrMatrix) {
			f.matrix, err = readMatrix(name)
		}
		if err != nil {
			return nil, usagef("%s: %w; ftpconform run --report json=FILE writes records", name, err)
		}
		out = append(out, f)
	}
	return out, nil
}

func readMatrix(name string) (*report.Matrix, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return report.ReadMatrix(f)
}
