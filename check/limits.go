package check

import "time"

// The bounds of a long run. What it needs of memory and disk does not depend on how long it goes on.
const (
	// StretchMax and StretchOpsMax bound one stretch of recording, by what comes first. A stretch has
	// a clock measurement, a judge and a file of its own; two of them are in memory at most. The
	// stretches of the first round end after StretchFirst, those of the second after twice that ...
	StretchFirst  = 5 * time.Second
	StretchMax    = 30 * time.Second
	StretchOpsMax = 300_000
	// OnlineTimeout is how long the search of one component may hold up the others.
	OnlineTimeout = 5 * time.Second
	// OnlineSampleOps is how many operations of each mix are kept in memory, to be measured on.
	OnlineSampleOps = 10_000
	// AccusedMax is how many illegal components of each mix are judged again, for what holds of them
	// all the same.
	AccusedMax = 16
	// StretchVoidsMax is how many stretches in a row a stepping clock may void before the run ends.
	StretchVoidsMax = 3

	// LogFileBytesMax is the longest file of a long run: a stretch ends with its file. LogFilesMax is
	// how many files of legal histories are kept, LogKeptMax how many of those that were illegal or
	// not decided.
	LogFileBytesMax = 64 << 20
	LogFilesMax     = 5
	LogKeptMax      = 20

	// QuickMax is how long a -quick run goes on with a server of which something is broken already.
	QuickMax = 20 * time.Second

	// StreamBytes is the size from which on a recorded file is judged as a stream, if it can be.
	StreamBytes = 32 << 20
	// clientsCounted is how many connections of a stream are told apart.
	clientsCounted = 1_000_000
	// shownEach is after how many operations of it progress is reported.
	shownEach = 10_000
	// ViolationsMax is how many illegal components a long run describes for each mix, if not each of
	// them breaks a clause in a way of its own.
	ViolationsMax = 20
	// FaultsMax is how many faults it lists for each mix.
	FaultsMax = 100
	// ProgressEvery is how often a long run says where it is.
	ProgressEvery = 200 * time.Millisecond
)
