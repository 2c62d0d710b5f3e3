package target

import "time"

// Bounds of finding, starting and stopping a target.
const (
	// DialTimeout is how long opening a connection may take.
	DialTimeout = 5 * time.Second
	// StartTimeout is how long a started server may take until it answers PING.
	StartTimeout = 15 * time.Second
	// StopTimeout is how long after SIGTERM a started server is killed.
	StopTimeout = 5 * time.Second
	// startPause is the time between two tries to reach a starting server.
	startPause = 5 * time.Millisecond
	// portTries is how many ports are tried where another process was faster.
	portTries = 3
	// outputTailBytesMax is how much of a server's output is kept for errors.
	outputTailBytesMax = 4 << 10
	// databasesMax is how far databases are counted by trying where CONFIG GET does not tell.
	databasesMax = 64
	// tagTries is how many names are tried for one whose hash slot a cluster node serves.
	tagTries = 100_000
)
