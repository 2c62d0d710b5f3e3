package history

// Bounds of a history file. A file beyond them is refused with a line number.
const (
	// LineBytesMax is the longest line: an operation with all its arguments and its reply.
	LineBytesMax = 64 << 20
	// OpsMax is how many operations Read takes into memory, at about 200 bytes each. A Reader, which
	// forgets them, has no such bound.
	OpsMax = 20_000_000
	// MarksMax is how many marks a file may hold.
	MarksMax = 100_000
	// writeBytes is how much a Writer holds back.
	writeBytes = 64 << 10
	// TimeMax is how far from 0 times, the offset, the slack and maxDisorder may be, in ns: 146 years.
	// So the sum of two, and the distance between two, is a number of 64 bits.
	TimeMax = 1<<62 - 1
	// DepthMax is how deep replies may nest.
	DepthMax = 32
	// connsMax is how many connections a Checker remembers before it forgets quiet ones.
	connsMax = 10_000
	// blockBytes is how much of a file one goroutine reads at a time, if lines are not longer.
	blockBytes = 256 << 10
	// readersMax is how many goroutines read one file.
	readersMax = 4
)
