//go:build unix

package store

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// All that is unsafe in this package stands here. It holds by two rules: a slice is made of memory
// exactly as long as the system has given it, and memory is unmapped by whoever was the last to refer
// to it (Memory.give), whole pages of it at a time.

// mapMemory asks the system for zeroed memory; false if it has none to give. It has no byte to spare
// behind its end, see newMemory.
func mapMemory(n int) ([]byte, bool) {
	p, err := unix.MmapPtr(-1, 0, nil, uintptr(n), unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, false
	}
	return unsafe.Slice((*byte)(p), n), true
}

// unmapMemory gives memory back; what came from the Go heap is left to the collector.
func unmapMemory(b []byte) {
	if len(b) > 0 && cap(b) == len(b) {
		_ = unix.MunmapPtr(unsafe.Pointer(unsafe.SliceData(b)), uintptr(len(b)))
	}
}

// mapAligned is mapMemory of n bytes at a multiple of n.
func mapAligned(n int) ([]byte, bool) {
	b, ok := mapMemory(2 * n)
	if !ok {
		return nil, false
	}
	at := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) & uintptr(n-1))
	unmapMemory(b[:at:at])
	unmapMemory(b[at+n:])
	return b[at : at+n : at+n], true
}
