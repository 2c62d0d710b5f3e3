package mutant

import (
	"fmt"
	"strconv"

	"rondo/model"
)

// What INFO and MEMORY tell of memory.

// usage is what is used, the part of it that is not values, and how many keys there are.
func (u *unit) usage() (used, overhead int64, keys int) {
	if u.s.config.maxmemory == 0 {
		u.takeStock() // nobody has kept it
	}
	used, keys = u.usedMemory(), len(u.s.stock)
	u.s.peak = max(u.s.peak, used)
	return used, bytesEmpty + int64(keys)*bytesKey, keys
}

func (u *unit) memoryText() string {
	used, overhead, _ := u.usage()
	if u.s.at.memoryStill {
		used = overhead
	}
	return fmt.Sprintf("used_memory:%d\r\nused_memory_peak:%d\r\nused_memory_overhead:%d\r\n"+
		"used_memory_dataset:%d\r\nmaxmemory:%d\r\n", used, u.s.peak, overhead, used-overhead, u.s.config.maxmemory)
}

// memoryUsage: KEY-24.
func (u *unit) memoryUsage(args [][]byte) model.Reply {
	for i := 1; i < len(args); i += 2 {
		if !isWord(args[i], "samples") || i+1 == len(args) {
			return model.Err("ERR syntax error")
		}
		if n, err := strconv.ParseInt(string(args[i+1]), 10, 64); err != nil {
			return model.Err("ERR value is not an integer or out of range")
		} else if n < 0 {
			return model.Err("ERR syntax error")
		}
	}
	value := u.asNobody(u.c.db, line("get", string(args[0])))
	if value.IsNull() {
		return value
	}
	return model.Num(int64(bytesKey + len(value.Str)))
}

// memoryStats: KEY-25.
func (u *unit) memoryStats() model.Reply {
	used, overhead, keys := u.usage()
	r := model.Arr()
	for _, f := range []struct {
		name  string
		value int64
	}{{"peak.allocated", u.s.peak}, {"total.allocated", used}, {"startup.allocated", bytesEmpty},
		{"overhead.total", overhead}, {"keys.count", int64(keys)}, {"dataset.bytes", used - overhead}} {
		r.Elems = append(r.Elems, model.Str(f.name), model.Num(f.value))
	}
	return r
}

// usageFaults are those of what is told.
var usageFaults = []Fault{
	{"all values weigh the same", "MEMORY USAGE answers the same for every key.",
		[]string{"KEY-24"}, points{after: onDone(func(u *unit) {
			if u.reply.Kind == model.Int {
				u.reply.Int = 100
			}
		}, "memory")}},
	{"MEMORY USAGE of nothing", "MEMORY USAGE answers 0 for a missing key.",
		[]string{"KEY-24"}, points{after: onDone(func(u *unit) {
			if u.reply.IsNull() {
				u.reply = model.Num(0)
			}
		}, "memory")}},
	{"values weigh nothing", "used_memory in INFO does not count values.",
		[]string{"KEY-25"}, points{memoryStill: true}},
	{"overhead counted twice", "MEMORY STATS counts data as overhead too.",
		[]string{"KEY-25"}, points{after: onDone(func(u *unit) {
			for i := 0; i+1 < len(u.reply.Elems); i += 2 {
				if u.reply.Elems[i].Str == "overhead.total" {
					u.reply.Elems[i+1].Int += 1000
				}
			}
		}, "memory")}},
}
