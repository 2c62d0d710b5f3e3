package formal

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// What a model says and no state reaches is either wrong or out of bounds, and shows nothing. The
// verifier lists the statements it never came to. An inline is a copy wherever it is used, so a
// statement counts as unreached only if all its copies are. What stands on a line with BUG is a fault,
// and not there.

var (
	// A line of the listing of all statements, and one of those never reached.
	listed    = regexp.MustCompile(`(?m)^\tstate +([0-9]+) -\(tr .*\.pml:([0-9]+) => (.*)$`)
	unreached = regexp.MustCompile(`(?m)^\t(?:.*/)?[a-z]+\.pml:([0-9]+), state [0-9]+, "(.*)"$`)
	faulty    = regexp.MustCompile(`\(0==[0-9]+\)`) // BUG is 0
)

type statement struct{ line, text string }

// uncovered gives the statements that were not reached in any copy.
func uncovered(all, out, source, model string) (left []string) {
	copies, missed := map[statement]int{}, map[statement]int{}
	seen := map[string]bool{}
	for _, m := range listed.FindAllStringSubmatch(all, -1) {
		s := statement{m[2], m[3]}
		if key := m[1] + s.line + s.text; !seen[key] {
			seen[key] = true
			copies[s]++
		}
	}
	for _, m := range unreached.FindAllStringSubmatch(out, -1) {
		missed[statement{m[1], m[2]}]++
	}
	lines := strings.Split(source, "\n")
	for s, n := range missed {
		if s.text == "-end-" || n < copies[s] || isFault(lines, s) {
			continue
		}
		what := fmt.Sprintf("%s.pml:%s %s", model, s.line, s.text)
		if unreachable[what] == "" {
			left = append(left, what)
		}
	}
	slices.Sort(left)
	return left
}

func isFault(lines []string, s statement) bool {
	n := 0
	if _, err := fmt.Sscan(s.line, &n); err != nil || n < 1 || n > len(lines) {
		return false
	}
	return strings.Contains(lines[n-1], "BUG") || faulty.MatchString(s.text)
}
