package script

import "time"

// Bounds of one conversation.
const (
	// ReplyTimeout is how long an expected reply may take, CloseTimeout an expected close.
	ReplyTimeout = 5 * time.Second
	CloseTimeout = 5 * time.Second
	// fragmentPause separates the writes of a fragmented command, so that the server gets a chance
	// to read them one by one; fragmentPausesMax of them are made.
	fragmentPause     = 100 * time.Microsecond
	fragmentPausesMax = 200
	// slackMax is how late a conversation may run and still count as evidence if it goes wrong; a
	// later one is held again, Attempts times in all. See Run.
	slackMax = 15 * time.Millisecond
	Attempts = 5
	// notationBytesMax is how much of a reply a mismatch shows.
	notationBytesMax = 500
)
