package report

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ftpconform/ftpconform/suites"
)

// Format names a form of report that goes into a file.
type Format string

// The formats.
const (
	JSON  Format = "json"
	JUnit Format = "junit"
)

// Formats lists the formats.
func Formats() []Format { return []Format{JSON, JUnit} }

// Stdout is the path that stands for the standard output.
const Stdout = "-"

// Destination is a report that was asked for.
type Destination struct {
	Format Format
	// Path is the file, or Stdout.
	Path string
}

// ParseDestination reads "FORMAT=PATH".
func ParseDestination(spec string) (Destination, error) {
	format, path, ok := strings.Cut(spec, "=")
	d := Destination{Format: Format(strings.ToLower(format)), Path: path}
	switch {
	case !ok || path == "":
		return d, fmt.Errorf("report %q is not of the form FORMAT=PATH, such as json=run.json", spec)
	case !slices.Contains(Formats(), d.Format):
		return d, fmt.Errorf("report %q has an unknown format; the formats are json and junit", spec)
	}
	return d, nil
}

// Check finds out whether the report can be written, without leaving anything
// behind: a run of minutes should not end in the news that it cannot.
func (d Destination) Check() error {
	if d.Path == Stdout {
		return nil
	}
	if err := replaceable(d.Path); err != nil {
		return fmt.Errorf("the report %s cannot be written: %w", d.Path, err)
	}
	return nil
}

// Write writes the report, a file atomically.
func (d Destination) Write(stdout io.Writer, rep *suites.Report, g Gate) error {
	write := func(w io.Writer) error {
		switch d.Format {
		case JSON:
			return WriteJSON(w, rep)
		case JUnit:
			return WriteJUnit(w, rep, g)
		}
		return errors.New("unknown format " + string(d.Format))
	}
	err := error(nil)
	if d.Path == Stdout {
		err = write(stdout)
	} else {
		err = ReplaceFile(d.Path, write)
	}
	if err != nil {
		return fmt.Errorf("the report %s could not be written: %w", d.Path, err)
	}
	return nil
}
