//go:build linux || darwin || freebsd || dragonfly

package kernel

import "golang.org/x/sys/unix"

// threadClock is the clock of the processor time of this thread.
const threadClock = unix.CLOCK_THREAD_CPUTIME_ID
