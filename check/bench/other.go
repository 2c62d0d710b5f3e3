//go:build !linux

package bench

import (
	"context"
	"errors"
	"time"
)

var errLinux = errors.New("the processor time of another process is read from /proc, and the generator uses epoll: Linux only")

type usage struct {
	user, system time.Duration
	sleeps       int64
}

func usageOf(int) (usage, error)    { return usage{}, errLinux }
func residentOf(int) (int64, error) { return 0, errLinux }

func ask(context.Context, string, Workload, int, int, Options) (int, error) { return 0, errLinux }

func redisBenchmark(context.Context, string, Workload, int, Options) (Sample, error) {
	return Sample{}, errLinux
}
