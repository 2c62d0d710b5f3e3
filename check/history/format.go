package history

import "io"

// Read parses a history file. An error names the line.
func Read(r io.Reader) (*History, error) { panic("todo") }

// Write writes h in the file format.
func Write(w io.Writer, h *History) error { panic("todo") }

// Validate reports why h cannot be a recording of anything.
func (h *History) Validate() error { panic("todo") }
