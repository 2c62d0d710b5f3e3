package fuzz

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// seedsFolder, if it is set, is where the seeds of each target are written too, in a folder of its
// name, as files for an engine that knows only one string of bytes (oss-fuzz/build.sh).
const seedsFolder = "RONDO_SEEDS"

// addSeed adds an input that a target begins with.
func addSeed(f *testing.F, args ...[]byte) {
	f.Helper()
	all := make([]any, len(args))
	for i, a := range args {
		all[i] = a
	}
	f.Add(all...)
	dir := os.Getenv(seedsFolder)
	data, ok := joined(args)
	if dir == "" || !ok {
		return
	}
	dir = filepath.Join(dir, f.Name())
	if err := os.MkdirAll(dir, 0o755); err != nil {
		f.Fatal(err)
	}
	written, err := os.ReadDir(dir)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, fmt.Sprint(len(written))), data, 0o600)
	}
	if err != nil {
		f.Fatal(err)
	}
}

// joined makes one string of arguments, as the adapter of OSS-Fuzz takes it apart: a byte of weight for
// each, then all of them; of the bytes each but the last gets its weight's share, rounded down. False:
// no weights give these lengths.
func joined(args [][]byte) ([]byte, bool) {
	if len(args) == 1 {
		return append([]byte{1}, args[0]...), true
	}
	total := len(args[0]) + len(args[1])
	for sum := 1; sum <= 0xff; sum++ {
		for w := range sum + 1 {
			if total*w/sum == len(args[0]) {
				return slices.Concat([]byte{byte(w), byte(sum - w)}, args[0], args[1]), true
			}
		}
	}
	return nil, false
}

// TestJoined takes apart what was joined.
func TestJoined(t *testing.T) {
	for a := range 60 {
		for _, b := range []int{0, 1, 2, 3, 50, 700} {
			first, second := noise(1, a), noise(2, b)
			data, ok := joined([][]byte{first, second})
			if !ok {
				if a+b <= 0xff && a+b > 0 { // the lengths themselves are weights
					t.Errorf("lengths %d and %d have no weights", a, b)
				}
				continue
			}
			w, sum, rest := int(data[0]), int(data[0])+int(data[1]), data[2:]
			if n := len(rest) * w / sum; string(rest[:n]) != string(first) || string(rest[n:]) != string(second) {
				t.Errorf("lengths %d and %d become %d and %d", a, b, n, len(rest)-n)
			}
		}
	}
	if data, _ := joined([][]byte{[]byte("x")}); string(data) != "\x01x" {
		t.Errorf("one argument becomes %q", data)
	}
}
