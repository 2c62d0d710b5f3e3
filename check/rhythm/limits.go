package rhythm

import "time"

// Every bound of a measurement.
const (
	KeysDefault  = 1_000_000
	RateDefault  = 1000             // requests of the probe a second
	LimitDefault = 60 * time.Second // of preparing a kind of work, and of the work
	BigDefault   = 64 << 20         // bytes of the large string

	keysMax = 100_000_000
	rateMax = 10_000
	bigMax  = 512 << 20 // what a server takes as one value

	settleTime = 300 * time.Millisecond // after preparing: what was put off comes to its end
	leadTime   = 300 * time.Millisecond // the probe runs before the work begins
	windowMin  = time.Second            // counted from the beginning of the work: p99.9 wants a thousand
	drainTime  = 5 * time.Second        // for the last answers to the probe
	idleTime   = 3 * time.Second        // of the kind without work

	fillBatch     = 1000                 // requests written at once where nobody measures
	growBatch     = 16                   // and where growing itself is measured
	elementsMax   = 1_000_000            // of the large collection
	elementsBatch = 200                  // in one request that adds to it
	dueKeys       = 1000                 // among those that are not due
	lagWait       = 10 * time.Second     // for due keys to go, before the rest is called left
	lagPoll       = 2 * time.Millisecond // between two looks at how many keys there are
	savePoll      = 20 * time.Millisecond
	slowTime      = 3 * time.Second // that the slow reader takes
	slowReads     = 64 << 10        // bytes it takes at a time,
	slowPause     = 10 * time.Millisecond
	slowValue     = 1 << 20 // of the values it asks for, BigBytes of them
	pipelineDepth = 500_000 // requests of the deep pipeline
	stormConns    = 2000    // connections at once,
	stormRounds   = 5       // and how often
	stormDialers  = 64      // that are being opened at the same time

	seriesMax = 240 // columns of a picture
)
