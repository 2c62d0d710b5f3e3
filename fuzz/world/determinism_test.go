package world

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// The server is a deterministic function of its seed and its inputs: no order of a Go map, no real
// clock, no goroutine decides anything that can be seen. What can be seen is the trace: every call of
// the port, with its bytes, and everything that is executed.

const (
	seedsTwice  = 1000
	seedsAbroad = 100 // in another process, where maps have other orders and memory other places
)

// traceOf is the trace of a storm without audits, which change nothing.
func traceOf(t *testing.T, seed uint64, leak func(*storm)) string {
	t.Helper()
	s, err := newStorm(seed)
	if err != nil {
		t.Fatal(err)
	}
	s.options.Unaudited = true
	if leak != nil {
		leak(s)
	}
	if err := s.run(); err != nil {
		t.Fatalf("storm %d: %v", seed, err)
	}
	return s.Trace()
}

func TestSameSeedSameTrace(t *testing.T) {
	seeds := seedsTwice
	if testing.Short() {
		seeds /= 10
	}
	traces := map[string]bool{}
	for seed := range uint64(seeds) {
		a, b := traceOf(t, seed, nil), traceOf(t, seed, nil)
		if a != b {
			t.Fatalf("two storms of seed %d differ", seed)
		}
		traces[a] = true
	}
	if len(traces) < seeds {
		t.Errorf("%d seeds made only %d traces", seeds, len(traces))
	}
}

// The check of the check: a Go map that decides which client goes next shows.
func TestOrderOfAMapShows(t *testing.T) {
	leak := func(s *storm) {
		some := map[int]bool{}
		for i := range 8 {
			some[i] = true
		}
		for i := range some {
			s.Dial().write(Encode("SET", "leak", strconv.Itoa(i)))
		}
	}
	for seed := range uint64(20) {
		once, again := traceOf(t, seed, leak), traceOf(t, seed, leak)
		if once != again {
			return
		}
	}
	t.Error("20 storms in which the order of a map decides have the same trace twice")
}

const abroad = "RONDO_STORMS" // how many traces the test below prints, as another process

func TestSameSeedSameTraceInAnotherProcess(t *testing.T) {
	if n, _ := strconv.Atoi(os.Getenv(abroad)); n > 0 {
		fmt.Printf("traces %s\n", tracesOf(t, n))
		return
	}
	self := exec.Command(os.Args[0], "-test.run=^TestSameSeedSameTraceInAnotherProcess$")
	self.Env = append(os.Environ(), fmt.Sprintf("%s=%d", abroad, seedsAbroad))
	out, err := self.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	there := ""
	for lines := bufio.NewScanner(strings.NewReader(string(out))); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "traces "); ok {
			there = rest
		}
	}
	if here := tracesOf(t, seedsAbroad); there != here {
		t.Errorf("%d storms: %s here, %s in another process", seedsAbroad, here, there)
	}
}

// tracesOf is one hash for the first n seeds.
func tracesOf(t *testing.T, n int) string {
	all := sha256.New()
	for seed := range uint64(n) {
		_, _ = io.WriteString(all, traceOf(t, seed, nil))
	}
	return hex.EncodeToString(all.Sum(nil))
}
