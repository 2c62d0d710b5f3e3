package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// usage is what a process has used, with all its threads.
type usage struct {
	user, system time.Duration
	sleeps       int64 // voluntary context switches
}

// tick is the unit in which the system counts processor time for other processes.
const tick = 10 * time.Millisecond

func usageOf(pid int) (u usage, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	// The name of the program, in brackets, may hold anything.
	f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const utime, stime = 14 - 3, 15 - 3 // proc(5) counts from 1, and pid and name are gone
	if len(f) <= stime {
		return u, fmt.Errorf("/proc/%d/stat is too short", pid)
	}
	for i, to := range map[int]*time.Duration{utime: &u.user, stime: &u.system} {
		n, err := strconv.ParseInt(f[i], 10, 64)
		if err != nil {
			return u, err
		}
		*to = time.Duration(n) * tick
	}
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	for _, name := range threads {
		if n, err := field(name, "voluntary_ctxt_switches:"); err == nil {
			u.sleeps += n
		} // else the thread has ended
	}
	return u, err
}

// residentOf is the resident size of a process, in bytes.
func residentOf(pid int) (int64, error) {
	n, err := field(fmt.Sprintf("/proc/%d/status", pid), "VmRSS:")
	return n << 10, err
}

// field reads a number from a status file of proc(5).
func field(file, name string) (int64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no %s", file, name)
}
