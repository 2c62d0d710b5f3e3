package report

import (
	"encoding/json"
	"io"
)

// JSON writes the run as report.json: one versioned object, indented.
func JSON(w io.Writer, r *Run) error { return encode(w, r) }

func encode(w io.Writer, value any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(value)
}
