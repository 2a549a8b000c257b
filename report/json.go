package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/ftpconform/ftpconform/suites"
)

// ErrSchema says that a record has another form than this program reads.
var ErrSchema = errors.New("not a run record of this form")

// ErrMatrix says that a record is that of a matrix, which ReadMatrix reads.
var ErrMatrix = fmt.Errorf("%w: it is the record of a matrix", ErrSchema)

// WriteJSON writes the run record as indented JSON.
func WriteJSON(w io.Writer, rep *suites.Report) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(rep); err != nil {
		return fmt.Errorf("write the run record: %w", err)
	}
	return nil
}

// ReadJSON reads a run record. One of another form is ErrSchema, and that of a
// matrix ErrMatrix as well; members that this program does not know are passed
// over, because the number of the form rises when they may not be.
func ReadJSON(r io.Reader) (*suites.Report, error) {
	rep := new(suites.Report)
	if err := decode(r, suites.Schema, rep); err != nil {
		return nil, err
	}
	return rep, nil
}

// decode reads a record of one form.
func decode(r io.Reader, schema string, into any) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("read the run record: %w", err)
	}
	var form struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(text, &form); err != nil {
		return fmt.Errorf("%w: %w", ErrSchema, err)
	}
	switch form.Schema {
	case schema:
	case MatrixSchema:
		return ErrMatrix
	default:
		return fmt.Errorf("%w: its schema is %.40q, %q was expected", ErrSchema, form.Schema, schema)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%w: %w", ErrSchema, err)
	}
	return nil
}

// ReadFile is ReadJSON for a file.
func ReadFile(name string) (*suites.Report, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read the run record: %w", err)
	}
	defer f.Close()
	return ReadJSON(f)
}
