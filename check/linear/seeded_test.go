package linear_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rondo/check/linear"
	"rondo/check/synth"
)

// This file lets the judge explain every seeded bug of the simulator, and looks at what it says.

// seeded is what at least one sentence about each bug says.
var seeded = map[string]string{
	"expired key served 5 ms late":             `served at least \d ms late$`,
	"expired key served 5 ms late, 1 op in 50": `served at least \d ms late$`,
	"expires 3 ms early":                       `expired at least \d ms early$`,
	"expired iff now >= deadline":              `expired at least 1 ms early$`,
	"SET keeps the old TTL":                    `(TTL|PERSIST|PEXPIRE).* only before SET `,
	"KEEPTTL lost":                             `TTL .* answered :-1: .* only before .* PX `,
	"INCR drops the TTL":                       `TTL .* answered :-1`,
	"PERSIST does nothing":                     `only before PERSIST`,
	"GETEX option ignored":                     `before GETEX`,
	"PEXPIRE NX ignored":                       `PEXPIRE .* NX .* answered :1`,
	"PEXPIRE GT and LT swapped":                `PEXPIRE .* (GT|LT) .* answered`,
	"TTL rounded down":                         `TTL .* although the deadline lies in`,
	"lost update in INCR, 20 % racy":           `INCR.* no order of these`,
	"stale read of 1 ms, 2 % of GETs":          `GET .* only before`,
	"stale read of 0.2 ms, 2 % of GETs":        `GET .* only before`,
}

// timely are the bugs whose only error is the clock: no order may be accused.
var timely = regexp.MustCompile(`^expire|^TTL`)

// TestSeededBugs: cores are small, their sentences name the bug, and every one says why.
func TestSeededBugs(t *testing.T) {
	cores, large, orders := 0, 0, 0
	mixes, ops := []string{"counter", "full", "fullg"}, 3000
	switch {
	case linear.Full():
		mixes = []string{"register", "ttlreg", "lock", "counter", "full", "fullg"}
	case testing.Short():
		mixes, ops = []string{"register", "counter", "fullg"}, 800
	}
	for _, bug := range synth.Bugs {
		pattern, known := seeded[bug.Name]
		if !known {
			continue // not the judge's: nothing is expected of it here
		}
		convicted, named := 0, 0
		for _, mix := range mixes {
			h := synth.Make(synth.Options{Mix: mix, Ops: ops, Clients: 8, Keys: ops / 190, Seed: 3, Bug: bug.Name})
			res := linear.Check(h, linear.Options{})
			for _, c := range res.Components {
				if c.Verdict != linear.Illegal {
					continue
				}
				convicted++
				cores++
				if len(c.Core) > 5 {
					large++
				}
				if regexp.MustCompile(pattern).MatchString(c.Sentence) {
					named++
				}
				if timely.MatchString(bug.Name) && !strings.HasPrefix(c.Clause, "TIME-") {
					orders++
					t.Logf("%s, mix %s: %s: %s", bug.Name, mix, c.Clause, c.Sentence)
				}
				if opposite(bug.Name, c) {
					t.Errorf("%s, mix %s: %s", bug.Name, mix, c.Sentence)
				}
				if why := lacking(c); why != "" {
					t.Errorf("%s, mix %s: %s\n%s: %s\n%s\n%s", bug.Name, mix, why, c.Clause, c.Sentence,
						strings.Join(c.Steps, "\n"), strings.Join(c.Why, "\n"))
				}
			}
			if n := count(res.Findings); n != res.Counts[linear.Illegal] {
				t.Errorf("%s, mix %s: findings about %d components of %d", bug.Name, mix, n,
					res.Counts[linear.Illegal])
			}
		}
		if named == 0 && !testing.Short() {
			t.Errorf("%s: convicted %d times, and no sentence names it", bug.Name, convicted)
		}
	}
	if orders > 0 {
		t.Errorf("%d cores accuse an order, where the clock alone is wrong", orders)
	}
	if cores < 20 || large*20 > cores {
		t.Errorf("%d of %d cores have more than 5 operations", large, cores)
	}
}

// ms is by how much a sentence says that the server was wrong.
var ms = regexp.MustCompile(`at least (\d+) ms`)

// opposite says that a sentence tells of the bug's opposite: of a late server that it was early.
func opposite(bug string, c linear.Component) bool {
	late := strings.HasPrefix(bug, "expired key served")
	early := strings.HasPrefix(bug, "expires") || strings.HasPrefix(bug, "expired iff")
	return late && strings.Contains(c.Sentence, " early") || early && strings.Contains(c.Sentence, " late")
}

var (
	reading = regexp.MustCompile(`\bt(\d+)`)
	cited   = regexp.MustCompile(`  since (.*) (?:answered|took effect|had returned at|was called at) `)
	called  = regexp.MustCompile(`\[([0-9.]+), `)
)

// astray is a fact about the clock that names a reading without a row, or an operation that its row
// does not show; or a row out of order.
func astray(c linear.Component) string {
	for i, line := range c.Why {
		if i == 0 || !strings.HasPrefix(c.Why[0], "t1") {
			continue
		}
		left, _, _ := strings.Cut(line, "  since ")
		for _, m := range reading.FindAllStringSubmatch(left, -1) {
			if n, err := strconv.Atoi(m[1]); err != nil || n < 1 || n > len(c.Steps) {
				return line
			}
		}
		if m := cited.FindStringSubmatch(line); m != nil && !slices.ContainsFunc(c.Steps, func(step string) bool {
			return strings.Contains(step, "  "+m[1]+" -> ")
		}) {
			return line
		}
	}
	last := -1.0
	for _, step := range c.Steps[:len(c.Core)] {
		at, err := strconv.ParseFloat(called.FindStringSubmatch(step)[1], 64)
		if err != nil || at < last {
			return step
		}
		last = at
	}
	return ""
}

// lacking says what is wrong with an explanation.
func lacking(c linear.Component) string {
	switch {
	case len(c.Core) == 0 || len(c.Steps) < len(c.Core):
		return "no core"
	case c.Cause == "":
		return "no cause"
	case !strings.Contains(c.Sentence, " answered "):
		return "the sentence names no observation"
	case len(c.Why) == 0:
		return "nothing says why"
	case c.Clause == "TIME-5" && !regexp.MustCompile(`miss each other by \d+ ms$`).MatchString(c.Why[len(c.Why)-1]):
		return "the clock's facts contradict nothing"
	case ms.MatchString(c.Sentence) && !strings.HasSuffix(c.Why[len(c.Why)-1], " "+ms.FindStringSubmatch(c.Sentence)[1]+" ms"):
		return "the sentence has another number than the facts"
	case astray(c) != "":
		return "no row shows: " + astray(c)
	case len(c.Facts) != len(c.Core), !slices.ContainsFunc(c.Facts, func(f linear.Fact) bool { return f.Reply }):
		return "nothing says which facts matter"
	}
	return ""
}

func count(findings []linear.Finding) (n int) {
	for _, f := range findings {
		n += f.Count
	}
	return n
}
