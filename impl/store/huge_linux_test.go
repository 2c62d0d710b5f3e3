package store

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// Pieces of huge pages lie two and two in one of them, and the system knows that it may use them.
func TestHugePages(t *testing.T) {
	if err := HugePages(); err != nil {
		t.Skip(err)
	}
	m := SystemMemory()
	m.UseHugePages()
	var pieces [][]byte
	for range 64 {
		for began := time.Now(); len(m.ready) < m.ordered && time.Since(began) < time.Second; {
			time.Sleep(100 * time.Microsecond)
		}
		pieces = append(pieces, m.take())
	}
	huge := 0
	for _, b := range pieces {
		at := uintptr(unsafe.Pointer(&b[0]))
		if strings.Contains(flagsOf(t, at), " hg") {
			huge++
			b[0], b[pieceBytes-1] = 1, 2 // it is ours
		}
	}
	if huge < 32 { // the first were made before anybody asked for huge ones
		t.Errorf("%d pieces of %d may have huge pages", huge, len(pieces))
	}
	m.give(pieces, 0)
	m.Close()
}

// flagsOf are those of the mapping that an address lies in.
func flagsOf(t *testing.T, at uintptr) string {
	text, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Skip(err)
	}
	inside := false
	for line := range strings.Lines(string(text)) {
		var from, to uintptr
		if n, _ := fmt.Sscanf(line, "%x-%x ", &from, &to); n == 2 {
			inside = from <= at && at < to
		}
		if flags, ok := strings.CutPrefix(line, "VmFlags:"); ok && inside {
			return flags
		}
	}
	t.Fatalf("no mapping has %#x", at)
	return ""
}
