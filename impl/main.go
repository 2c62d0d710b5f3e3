package impl

import "io"

// Main is the program rondo-server: it returns the exit status.
func Main(args []string, stdout, stderr io.Writer) int { panic("todo") }
