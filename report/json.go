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

// ReadJSON reads a run record. One of another form is ErrSchema; members that
// this program does not know are passed over, because the number of the form
// rises when they may not be.
func ReadJSON(r io.Reader) (*suites.Report, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read the run record: %w", err)
	}
	var form struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(text, &form); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchema, err)
	}
	if form.Schema != suites.Schema {
		return nil, fmt.Errorf("%w: its schema is %.40q, %q was expected", ErrSchema, form.Schema, suites.Schema)
	}
	rep := new(suites.Report)
	if err := json.Unmarshal(text, rep); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchema, err)
	}
	return rep, nil
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
