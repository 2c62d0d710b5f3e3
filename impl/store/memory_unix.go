//go:build unix

package store

import "syscall"

// mapMemory asks the system for zeroed memory; false if it has none to give.
func mapMemory(n int) ([]byte, bool) {
	b, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_ANON|syscall.MAP_PRIVATE)
	return b, err == nil
}

// unmapMemory gives memory back; what came from the Go heap is left to the collector.
func unmapMemory(b []byte) { _ = syscall.Munmap(b) }
