package history

// Bounds of a history file. A file beyond them is refused with a line number.
const (
	// LineBytesMax is the longest line: an operation with all its arguments and its reply.
	LineBytesMax = 64 << 20
	// OpsMax is how many operations a file may hold.
	OpsMax = 20_000_000
	// MarksMax is how many marks a file may hold.
	MarksMax = 100_000
	// writeBytes is how much a Writer holds back.
	writeBytes = 64 << 10
	// DepthMax is how deep replies may nest.
	DepthMax = 32
)
