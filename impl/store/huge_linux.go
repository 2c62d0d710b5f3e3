package store

import (
	"errors"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// HugePages is why there are no huge pages to ask for, nil if there are.
func HugePages() error {
	text, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	switch {
	case err != nil:
		return errors.New("this kernel has no transparent huge pages")
	case strings.Contains(string(text), "[never]"):
		return errors.New("transparent huge pages are switched off on this machine")
	}
	return nil
}

// mapHuge is memory that the system may back with huge pages, once it is touched.
func mapHuge() ([]byte, bool) {
	b, ok := mapAligned(hugeBytes)
	if ok {
		_ = unix.Madvise(b, unix.MADV_HUGEPAGE) // without it, it is memory like any other
	}
	return b, ok
}
