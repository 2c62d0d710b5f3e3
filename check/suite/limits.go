package suite

import "time"

// Bounds of the suite.
const (
	// parallelDefault is how many cases run side by side. Most of them wait most of the time.
	parallelDefault = 8
	// briefWaits is how long a conversation may wait that belongs into a quick run.
	briefWaits = 250 * time.Millisecond
	// caseTimeout ends a case that does not end by itself: an error, not a verdict.
	caseTimeout = 60 * time.Second
	// replyTimeout is how long one reply may take before the target counts as not answering.
	replyTimeout = 8 * time.Second
	// workersTime is how long the cases with concurrent clients drive them.
	workersTime = 250 * time.Millisecond
	// stopGrace is how long a case may take to end when the run is stopped.
	stopGrace = time.Second
	// endGrace is how long after a failure a server that crashed may take to be gone.
	endGrace = 200 * time.Millisecond
	// goneTries is how many connections in a row a server at an address refuses before it counts as
	// gone for good, gonePause the time between two.
	goneTries = 5
	gonePause = 200 * time.Millisecond
	// closeTimeout is how long a connection that must be closed may stay open.
	closeTimeout = 5 * time.Second
)
