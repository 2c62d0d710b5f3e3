package kernel

import (
	"os"
	"runtime/metrics"
	"strconv"
	"strings"
	"syscall"
)

// Process is what the system and the collector say of this process.
type Process struct {
	ID         int
	Executable string // empty if unknown
	Resident   int64  // its memory, 0 where the system does not say so
	Heap       int64  // of objects on the Go heap
	HeapHeld   int64  // of the spans that these are in
	HeapSpare  int64  // held for more, though it has been used
	Cycles     uint64 // of the collector
	User       int64  // processor time (ns) of its own code
	System     int64  // and of the system's for it
}

// OSProcess asks about the one that this is.
func OSProcess() Process {
	samples := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/gc/cycles/total:gc-cycles"},
	}
	metrics.Read(samples)
	value := func(i int) int64 { return int64(samples[i].Value.Uint64()) }
	executable, _ := os.Executable()
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used) // documented never to fail for this
	return Process{ID: os.Getpid(), Executable: executable, Resident: residentBytes(), Heap: value(0),
		HeapHeld: value(0) + value(1), HeapSpare: value(2), Cycles: samples[3].Value.Uint64(),
		User: used.Utime.Nano(), System: used.Stime.Nano()}
}

// residentBytes is the memory the process occupies, 0 where the system does not say so.
func residentBytes() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	words := strings.Fields(string(text))
	if len(words) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
