package report

import _ "embed" // the schema is part of the package

//go:embed schema/run.schema.json
var runSchema []byte

// RunSchema returns the JSON Schema (2020-12) of the run record.
func RunSchema() []byte { return append([]byte(nil), runSchema...) }
