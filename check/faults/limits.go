package faults

import "time"

// Every bound of a run.
const (
	ClientsDefault = 10_000
	WindowDefault  = 3 * time.Second
	WaitDefault    = time.Second

	clientsMax = 50_000
	windowMin  = 100 * time.Millisecond
	windowMax  = time.Minute

	leadTime    = time.Second            // the others have the server for themselves
	connLimit   = 30 * time.Second       // of a connection of a fault, all in all
	othersCount = 4                      // clients that compare answers
	othersPause = 2 * time.Millisecond   // between two requests of one of them
	othersLimit = 15 * time.Second       // for one of their answers
	probeRate   = 250                    // requests a second
	dialers     = 64                     // connections that are being opened, or used, at the same time
	lorisPart   = 10                     // one in so many clients of the largest crowd trickles
	takers      = 16                     // clients that do not take their replies
	valueBytes  = 256 << 10              // of the value they ask for,
	valueAsks   = 32                     // and how often: more than the sockets of both sides hold
	shallow     = 4 << 10                // bytes of the buffer of a socket that is not to take much
	pipeline    = 16                     // requests that one of many clients sends at once
	descriptors = 64                     // that the server may have,
	spareMin    = 24                     // but so many more than it has
	strangers   = 200                    // connections that then want to come in
	resumeTime  = 5 * time.Second        // until they do once there is room
	feelTime    = 300 * time.Millisecond // for the answers of those who are in
	stoppedLead = 300 * time.Millisecond // that peers take replies before they are stopped
	lossyCount  = 8                      // clients behind a bad line
)
