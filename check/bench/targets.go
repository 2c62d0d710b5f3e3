package bench

import "fmt"

// This file is what a server is to reach beside redis-server 7.0: ratios of processor time a request,
// which are at most so large.

// goal is one of them; 0: there is none.
type goal struct{ cpu, user float64 }

type goalKey struct {
	workload  string
	pipeline  int
	generator string
}

var goals = map[goalKey]goal{
	{"get", 1, Awake}: {0.85, 0.40}, {"set", 1, Awake}: {0.85, 0.40}, {"incr", 1, Awake}: {0.95, 0},
	{"get", 16, Awake}: {0.45, 0}, {"set", 16, Awake}: {0.45, 0}, {"incr", 16, Awake}: {0.50, 0},
	{"get", 64, Awake}: {0.30, 0}, {"set", 64, Awake}: {0.30, 0}, {"incr", 64, Awake}: {0.35, 0},
	{"get", 1, Reference}: {1.00, 0}, {"get", 16, Reference}: {0.60, 0}, {"get", 64, Reference}: {0.40, 0},
	{"set", 1, Reference}: {1.00, 0}, {"set", 16, Reference}: {0.60, 0}, {"set", 64, Reference}: {0.40, 0},
	{"mset-10", 16, Reference}: {0.25, 0},
	{"set-4k", 1, Awake}:       {0.80, 0}, {"get-4k", 1, Awake}: {0.80, 0},
	{"set-64k", 1, Awake}: {0.80, 0}, {"get-64k", 1, Awake}: {0.80, 0},
}

// beside is what is written beside a ratio: what is to be reached, and whether it is. Nothing is said
// of servers beside another than Redis.
func (r *Report) beside(ratio, most float64) string {
	switch {
	case !r.Redis || most == 0:
		return ""
	case ratio <= most:
		return fmt.Sprintf(" (at most %.2f: met)", most)
	}
	return fmt.Sprintf(" (at most %.2f: **missed**)", most)
}
