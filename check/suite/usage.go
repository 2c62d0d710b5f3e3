package suite

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"rondo/check/target"
	"rondo/check/wire"
	"rondo/model"
)

// The cases about what memory is used for compare figures with each other: what a server needs for a
// key is its own affair.
var usageCases = []Case{
	{Name: "data/memory-usage", Clauses: []string{"KEY-24"}, Needs: []string{"memory|usage"}, Run: memoryUsage},
	{Name: "data/used-memory", Clauses: []string{"KEY-25"}, Needs: []string{"info"}, Exclusive: true,
		Run: usedMemory},
	{Name: "data/memory-stats", Clauses: []string{"KEY-25"}, Needs: []string{"memory|stats", "info"},
		Exclusive: true, Run: memoryStats},
}

// memoryUsage: a value that is ten times as long takes at least its own length, more than the shorter
// one, and not several times what it needs.
func memoryUsage(t *T) {
	c, last := t.Conn(), int64(0)
	for n := 10; n <= 1_000_000; n *= 10 {
		k := t.Key(fmt.Sprint("k", n))
		t.Want(c, "+OK", "SET", k, strings.Repeat("v", n))
		used := t.Want(c, ":*", "MEMORY", "USAGE", k).Int
		if used <= last || used < int64(n) || used > int64(3*n+300) {
			t.Failf(c, fmt.Sprintf("more than %d, %d at least and hardly more, for a value of %d bytes", last, n, n),
				"%d", used)
		}
		last = used
		t.Want(c, ":1", "DEL", k)
		t.Want(c, "nil", "MEMORY", "USAGE", k)
	}
}

// memoryFields are the fields of INFO memory, which have to agree with each other.
func (t *T) memoryFields(c *wire.Conn) map[string]int64 {
	fields := map[string]int64{}
	for name, value := range target.Fields(t.Do(c, "INFO", "memory").Str) {
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			fields[name] = n
		}
	}
	used, known := fields["used_memory"]
	if !known {
		t.Skip("INFO memory tells no used_memory")
	}
	if peak, ok := fields["used_memory_peak"]; ok && peak < used {
		t.Failf(c, "used_memory_peak of at least used_memory", "%d and %d", peak, used)
	}
	overhead, ok := fields["used_memory_overhead"]
	if sum := overhead + fields["used_memory_dataset"]; ok && sum != used {
		t.Failf(c, fmt.Sprintf("used_memory_overhead and used_memory_dataset to make %d", used), "%d", sum)
	}
	return fields
}

// usedMemory stores 4 MB in short and in long values, and deletes them.
func usedMemory(t *T) {
	c := t.Conn()
	for _, size := range []int{1000, 100_000} {
		t.memoryFollows(c, size)
	}
}

// memoryFollows stores values of a size and deletes them. Something else may be freed meanwhile that
// earlier cases have left, as a collector does, so there are some tries.
func (t *T) memoryFollows(c *wire.Conn, size int) {
	const total, tries = 4_000_000, 5
	for try := 1; ; try++ {
		before := t.memoryFields(c)["used_memory"]
		var keys []string
		for i := range total / size {
			k := t.Key(fmt.Sprint(size, "-", i))
			t.Want(c, "+OK", "SET", k, strings.Repeat("v", size))
			keys = append(keys, k)
		}
		full := t.memoryFields(c)["used_memory"]
		t.Do(c, append([]string{"UNLINK"}, keys...)...)
		switch {
		case full-before >= total*9/10:
			t.eventually("used_memory to fall when values are deleted", func() bool {
				return t.memoryFields(c)["used_memory"] < full-total*8/10
			})
			return
		case try == tries:
			t.Failf(c, fmt.Sprintf("used_memory to rise by %d bytes that are stored", total), "by %d", full-before)
		}
	}
}

// memoryStats: the figures of one answer agree, and with the number of keys.
func memoryStats(t *T) {
	c := t.Conn()
	for i := range 100 {
		t.Want(c, "+OK", "SET", t.Key(fmt.Sprint("k", i)), "v")
	}
	stats := t.pairs(c, t.Do(c, "MEMORY", "STATS"))
	used, peak := stats["total.allocated"], stats["peak.allocated"]
	if used <= 0 || peak < used {
		t.Failf(c, "a peak.allocated of at least total.allocated", "%d and %d", peak, used)
	}
	if sum := stats["overhead.total"] + stats["dataset.bytes"]; sum != used {
		t.Failf(c, fmt.Sprintf("overhead.total and dataset.bytes to make %d", used), "%d", sum)
	}
	keys := int64(0)
	info := target.Fields(t.Do(c, "INFO", "keyspace").Str)
	for _, db := range slices.Sorted(maps.Keys(info)) {
		var n int64
		_, _ = fmt.Sscanf(info[db], "keys=%d", &n) // what is no database counts nothing
		keys += n
	}
	if got := stats["keys.count"]; got != keys {
		t.Failf(c, fmt.Sprintf("a keys.count of %d, as INFO keyspace has it", keys), "%d", got)
	}
}

// pairs reads names and integers, in a flat array or a map.
func (t *T) pairs(c *wire.Conn, r model.Reply) map[string]int64 {
	if len(r.Elems) == 0 || len(r.Elems)%2 != 0 {
		t.Fail(c, "names and figures", r.String())
	}
	found := map[string]int64{}
	for i := 0; i < len(r.Elems); i += 2 {
		if v := r.Elems[i+1]; v.Kind == model.Int {
			found[r.Elems[i].Str] = v.Int
		}
	}
	return found
}
