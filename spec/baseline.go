package spec

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Baselines are the servers that a target can be held to, the first being the one that the levels
// of the clauses are about. Where the others oblige to more, or to less, the clause's range begins
// with the level, whom it holds for, and the source:
//
//	*Range.* MUST as redis-7.2, redis-8, valkey-8 (redis/redis#10300). Anything else in words.
var Baselines = []string{"redis-7.0", "redis-7.2", "redis-8", "valkey-8"}

var rangeLevel = regexp.MustCompile(`^(MUST|SHOULD|MAY) as ([^(]+) \(([^)]+)\)\.`)

// LevelAs is the clause's level where the target is held to a baseline ("": the first).
func (c Clause) LevelAs(baseline string) Level {
	if level, names, ok := c.ranged(); ok && slices.Contains(names, baseline) {
		return level
	}
	return c.Level
}

// ranged reads the beginning of the range.
func (c Clause) ranged() (level Level, baselines []string, ok bool) {
	m := rangeLevel.FindStringSubmatch(c.Range)
	if m == nil {
		return "", nil, false
	}
	return Level(m[1]), strings.Split(m[2], ", "), true
}

// checkRange refuses a range that seems to name baselines and cannot be read.
func checkRange(c Clause) error {
	_, names, ok := c.ranged()
	if first, _, _ := strings.Cut(c.Range, " "); !ok && slices.Contains([]string{"MUST", "SHOULD", "MAY"}, first) {
		return fmt.Errorf("%s:%d: %s: write the range as \"MUST as BASELINE, BASELINE (source).\"",
			c.File, c.Line, c.ID)
	}
	for _, name := range names {
		if !slices.Contains(Baselines, name) {
			return fmt.Errorf("%s:%d: %s: there is no baseline %q, but %s", c.File, c.Line, c.ID, name,
				strings.Join(Baselines, ", "))
		}
	}
	return nil
}

// FrozenAs says whether a baseline reads its clock once for a command or a whole EXEC (EXEC-16,
// TIME-17), so that histories are judged with that, whatever the target says of itself.
func FrozenAs(baseline string) bool {
	c, ok := Lookup("EXEC-16")
	return ok && c.LevelAs(baseline) == Must
}
