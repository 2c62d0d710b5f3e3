// The MEMORY command: what keys, and the server as a whole, occupy.
package command

import (
	"fmt"
	"strings"

	"rondo/impl/resp"
	"rondo/impl/store"
)

// MemoryReport is what memory is used for, in bytes. Used is all that is accounted for: Dataset and
// Overhead, the latter with Tables and Clients in it. Active and Resident are what was taken from the
// system for it, without and with what is ready or may go; RSS is what the system says.
type MemoryReport struct {
	Used, Peak, Startup                int64
	Dataset, Overhead, Tables, Clients int64
	Active, Resident, RSS              int64

	Keys           int64
	Freeing, Freed int64  // values in memory that is given back elsewhere, and that was
	Moves          int64  // of cells, to make memory dense
	Cycles         uint64 // of the garbage collector
}

// PeakPart is how much of the peak is used now, DatasetPart how much of what came after the start is
// data.
func (r *MemoryReport) PeakPart() float64 { return share(r.Used, r.Peak) }

func (r *MemoryReport) DatasetPart() float64 { return min(1, share(r.Dataset, r.Used-r.Startup)) }

func share(part, whole int64) float64 {
	if whole <= 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// memoryUsage does not count as a use of the key.
func memoryUsage(c *Call) {
	leaves := 5 // of a list: the default of SAMPLES
	for i := 3; i < len(c.Args); i += 2 {
		if !is(c.Args[i], "SAMPLES") || i+1 == len(c.Args) {
			c.fail(errSyntax)
			return
		}
		if n, ok := resp.ParseInt(c.Args[i+1]); !ok {
			c.fail(errNotInt)
			return
		} else if n < 0 {
			c.fail(errSyntax)
			return
		} else {
			leaves = int(n)
		}
	}
	c.X.expireIfDue(c.S.DB, c.Args[2], c.Now)
	if n, ok := c.DB.Footprint(c.Args[2], leaves); ok {
		c.int(int64(n))
	} else {
		c.null()
	}
}

// memoryStats has the fields of Redis, of which some are always 0 here, and in the same order.
func memoryStats(c *Call) {
	r := c.X.host.Memory()
	type field struct {
		name  string
		value any
	}
	fields := []field{
		{"peak.allocated", r.Peak}, {"total.allocated", r.Used}, {"startup.allocated", r.Startup},
		{"replication.backlog", int64(0)}, {"clients.slaves", int64(0)}, {"clients.normal", r.Clients},
		{"cluster.links", int64(0)}, {"aof.buffer", int64(0)}, {"lua.caches", int64(0)},
		{"functions.caches", int64(0)},
	}
	for i, db := range c.X.dbs {
		if db.Len() > 0 {
			fields = append(fields, field{fmt.Sprint("db.", i), db.Usage()})
		}
	}
	perKey := int64(0)
	if r.Keys > 0 {
		perKey = max(0, r.Used-r.Startup) / r.Keys
	}
	fields = append(fields, []field{
		{"overhead.total", r.Overhead}, {"keys.count", r.Keys}, {"keys.bytes-per-key", perKey},
		{"dataset.bytes", r.Dataset}, {"dataset.percentage", r.DatasetPart() * 100},
		{"peak.percentage", r.PeakPart() * 100}, {"allocator.allocated", r.Used},
		{"allocator.active", r.Active}, {"allocator.resident", r.Resident},
		{"allocator-fragmentation.ratio", share(r.Active, r.Used)},
		{"allocator-fragmentation.bytes", r.Active - r.Used},
		{"allocator-rss.ratio", share(r.Resident, r.Active)},
		{"allocator-rss.bytes", r.Resident - r.Active},
		{"rss-overhead.ratio", share(r.RSS, r.Resident)}, {"rss-overhead.bytes", r.RSS - r.Resident},
		{"fragmentation", share(r.RSS, r.Used)}, {"fragmentation.bytes", r.RSS - r.Used},
	}...)
	c.mapOf(len(fields))
	for _, f := range fields {
		c.text(f.name)
		switch v := f.value.(type) {
		case int64:
			c.int(v)
		case float64:
			c.double(v)
		case store.Usage:
			c.mapOf(3)
			c.text("overhead.hashtable.main")
			c.int(int64(v.Table))
			c.text("overhead.hashtable.expires")
			c.int(int64(v.Calendar))
			c.text("overhead.hashtable.slot-to-keys")
			c.int(0)
		}
	}
}

// What MEMORY DOCTOR looks at.
const (
	doctorBytesMin   = 5 << 20 // with less there is nothing to say
	doctorPeakTimes  = 1.5
	doctorSpareTimes = 1.4
	doctorSpareMin   = 10 << 20
	doctorClientPart = 0.2
)

func memoryDoctor(c *Call) {
	r := c.X.host.Memory()
	var found []string
	if share(r.Peak, r.Used) > doctorPeakTimes {
		found = append(found, "The peak was far above what is used now. Memory of that time goes back to "+
			"the system by and by, unless activedefrag is off; MEMORY PURGE asks for the rest.")
	}
	if share(r.Active, r.Used) > doctorSpareTimes && r.Active-r.Used > doctorSpareMin {
		found = append(found, "Much of what was taken for keys is unused: they have left holes. "+
			"With activedefrag, they are filled by and by.")
	}
	if share(r.RSS, r.Active) > doctorSpareTimes && r.RSS-r.Active > doctorSpareMin {
		found = append(found, "The process occupies much more than it uses. MEMORY PURGE gives back what "+
			"the garbage collector keeps; the rest is the system's.")
	}
	if share(r.Clients, r.Used) > doctorClientPart {
		found = append(found, "Clients hold much of the memory: they send or queue long requests, or do "+
			"not read their replies. CLIENT LIST shows who (qbuf, multi-mem, omem).")
	}
	switch {
	case r.Used-r.Startup < doctorBytesMin:
		c.verbatim([]byte("There is too little in this server to find anything wrong with its memory.\n"))
	case len(found) == 0:
		c.verbatim([]byte("Nothing is wrong with the memory of this server.\n"))
	default:
		c.verbatim([]byte(" * " + strings.Join(found, "\n * ") + "\n"))
	}
}

func memoryPurge(c *Call) {
	c.X.host.Purge()
	c.ok()
}

// memoryMalloc shows the cells that keys live in, by database and size.
func memoryMalloc(c *Call) {
	var b strings.Builder
	for i, db := range c.X.dbs {
		if db.Held() == 0 {
			continue
		}
		u := db.Usage()
		fmt.Fprintf(&b, "db%d: %d bytes held, %d in records, %d in the table, %d in the calendar, %d cells moved\n",
			i, u.Held, u.Records, u.Table, u.Calendar, u.Moves)
		fmt.Fprintf(&b, "%10s %10s %12s %12s\n", "cell bytes", "pages", "cells used", "of")
		for class := range db.Classes {
			fmt.Fprintf(&b, "%10d %10d %12d %12d\n", class.Bytes, class.Pages, class.Live, class.Cells)
		}
	}
	c.verbatim([]byte(b.String()))
}

func memoryHelp(c *Call) {
	c.help("MEMORY", []string{
		"DOCTOR",
		"    Return memory problems reports.",
		"MALLOC-STATS",
		"    Return internal statistics report from the memory allocator.",
		"PURGE",
		"    Attempt to purge dirty pages for reclamation by the allocator.",
		"STATS",
		"    Return information about the memory usage of the server.",
		"USAGE <key> [SAMPLES <count>]",
		"    Return memory in bytes used by <key> and its value. Nested values are",
		"    sampled up to <count> times (default: 5, 0 means sample all).",
	})
}
