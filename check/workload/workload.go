// Package workload drives a server with seeded concurrent clients and records what they saw.
package workload

import (
	"context"
	"time"

	"rondo/check/history"
	"rondo/check/target"
)

// Options bound a run. Zero values take sensible defaults.
type Options struct {
	Clients  int           // connections at the same time (default 8)
	Ops      int           // operations to record (default 10,000)
	Duration time.Duration // no new group starts after this long (0: no bound)
	Seed     int64         // decides every choice of operation
	Mix      string        // the name of a Mix; "" is "full"
	Progress func(done, total int)
}

// Run drives t and returns the history it saw.
func Run(ctx context.Context, t *target.Target, opt Options) (*history.History, Stats, error) {
	panic("todo")
}

// Stats tell how much a history can mean.
type Stats struct {
	Ops int
}

// Vacuous gives the reason why a history means too little, or "".
func (s Stats) Vacuous() string { panic("todo") }
