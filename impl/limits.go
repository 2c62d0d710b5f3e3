package impl

import "time"

// Every bound of the server stands here: of its turns, its buffers and its waits. What an operator
// may move is an option instead (options.go).
const (
	// One turn.
	eventsMax     = 1024     // readiness events taken from one wait; the rest comes with the next
	readBytesMax  = 64 << 10 // one read, but for the rest of a large argument (LOOP-7)
	writeBytesMax = 64 << 10 // written to one client in a turn (LOOP-6)
	commandsMax   = 512      // of one client in a turn (LOOP-18)
	replyBytesMax = 64 << 10 // replied to one client in a turn, and the reply begun (LOOP-18)
	acceptsMax    = 1000     // connections accepted per event of a listener
	arrivedMax    = 16       // connections read from before the first of them is served
	aheadFrames   = 16       // decoded before the first of them is executed

	expireKeysMax  = 1024                   // keys removed by one slice of active expiry (TIME-16)
	expireKeysUnit = 16                     // removed between two looks at the monotonic clock
	expireTimeMax  = 250 * time.Microsecond // length of such a slice
	evictKeysUnit  = 8                      // evicted between two looks at that clock
	evictStep      = 50 * time.Microsecond  // of an eviction's time, for each step of the tenacity
	evictSteps     = 10                     // from there on a step is 15 % more
	// Redis' figures for sampled expiry, at an effort of 1.
	sampleKeys         = 20               // with a deadline, at a look
	samplePlaces       = 20               // for each of them, should these mean nothing
	sampleStalePercent = 10               // of expired keys among those met that are accepted
	sampleTickPercent  = 25               // of a tick's period
	sampleTurnTime     = time.Millisecond // at the end of a turn, if that was too little

	upkeepUnits    = 16                     // housekeeping between two looks at that clock
	upkeepTimeMax  = 250 * time.Microsecond // housekeeping of the keyspaces in a turn (LOOP-17)
	maintenanceMax = time.Millisecond       // processor time of a turn's time events and completions

	// Buffers. An idle connection owns none.
	carryBytesMax  = 4 << 10   // a longer incomplete frame grows in place instead of being carried
	arenaBytes     = 136 << 10 // of what has arrived; and there must be room for another read
	arenaSlack     = 8         // behind the read arena: a decoder may look ahead by a word
	growBytesMin   = 16 << 10  // the room a growing frame is read into, at least
	trustBytesMax  = 1 << 20   // allocated on the word of a bulk header alone; beyond, it must arrive
	tailBytes      = 512       // room for what comes behind a large argument, such as options
	hintBytesMax   = 1 << 20   // a frame that long makes the next be read to where it may stay
	directMax      = 256 << 10 // of a large string that is written without a copy of it
	lendBytesMax   = 512 << 10 // the arena that the replies of one turn share
	lendBytesMin   = 128 << 10 // with a shorter tail the turn's replies are flushed early
	poolBytesMin   = 512       // smallest buffer kept for reuse
	poolBytesMax   = 1 << 20   // largest buffer kept for reuse
	poolClassMax   = 1 << 21   // bytes kept for reuse per size class
	backlogBytes   = 16 << 10  // of replies not taken; from there on more begin another buffer
	shrinkBytes    = 64 << 10  // a written prefix longer than this, and half the buffer, is cut off
	clientBytesMin = 128 << 10 // that maxmemory-clients leaves to all of them together
	connBytes      = 640       // what a connection without buffers counts as, against maxmemory
	decodersMax    = 64        // decoders kept for the next incomplete frames
	listensMax     = 16        // addresses of bind
	configLineMax  = 64 << 10  // bytes in a line of a configuration file
	nameBytesMax   = 120       // of an unknown option's name echoed in an error
	fdReserve      = 32        // descriptors that are no clients: listeners, poller, log
	fdSetSize      = 1024      // what select can watch: FD_SETSIZE
	hzMin, hzMax   = 1, 500    // ticks a second
	clientsTickHz  = 200       // clients a tick, above which dynamic-hz doubles the ticks
	clientsTick    = 5         // connections looked at per tick, at least
	scrapeHeadMax  = 8 << 10   // bytes of the header of a request of metrics
	percentileMax  = 64        // of latency-tracking-info-percentiles
	rateSamples    = 16        // of the instantaneous figures in INFO
	heapShareMin   = 64 << 20  // of memory-limit, for the Go heap: an eighth, but
	heapShareMax   = 256 << 20 // no less and no more than these
	ratePeriod     = 100 * time.Millisecond
	measurePeriod  = time.Second // between two looks at the process as the system sees it
	publishPeriod  = time.Second // between two snapshots for metrics, if any are wanted

	// Waits.
	scrapeMax   = 10 * time.Second       // for a request of metrics, and for its answer
	acceptPause = 100 * time.Millisecond // after running out of descriptors (LOOP-9)
	partingMax  = 2 * time.Second        // for written replies to arrive before the close
	upkeepPause = 10 * time.Millisecond  // between two turns with housekeeping, while there is more to do
	partingPoll = 50 * time.Millisecond  // between two looks at whether they have
)

// shutdownFlush is for what is owed when the server stops (LOOP-15). It is a variable for the tests of
// the program, which a busy machine may hold up for longer.
var shutdownFlush = 2 * time.Second
