package workload

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// A Mix says what clients ask for, by weights. Words are single commands (words.go), Forms are the
// ways in which they travel (form.go). Everything not named has weight 0.
type Mix struct {
	Name  string
	Does  string // for people who choose one
	Words weights
	Forms weights
}

type weights map[string]int

// plain are the forms without transactions, which every mix builds on.
var plain = weights{
	"single": 60, "chase": 14, "burst": 12, "fragments": 6, "lost": 1, "half": 1,
}

// with returns w with more entries.
func (w weights) with(more weights) weights {
	sum := weights{}
	for _, from := range []weights{w, more} {
		for name, n := range from {
			sum[name] = n
		}
	}
	return sum
}

// Mixes are the mixes by name. "full" is what a run takes if not told otherwise. The weights
// follow what was found to tell a faulty server from a correct one: self-describing writes (a
// unique value, SET..GET, GETEX, tagged INCRBY) instead of commands whose reply says nothing, and
// 5 to 10 % commands that pin the server's clock (PTTL, PEXPIRETIME).
var Mixes = []Mix{
	{
		Name: "full", Does: "every command and every form",
		Words: weights{
			"get": 22, "set": 3, "set px": 13, "set pxat": 5, "set ex": 1, "set keepttl": 5,
			"set nx": 4, "set xx": 3, "set get": 4, "set px get": 4, "setnx": 1, "getset": 1,
			"psetex": 2, "getex": 5, "getex persist": 1, "getdel": 2, "incrby": 6, "decrby": 1,
			"append": 3, "strlen": 2, "getrange": 1, "pexpire": 5, "pexpire option": 7,
			"pexpireat": 3, "persist": 3, "pttl": 5, "pexpiretime": 3, "ttl": 1, "type": 1,
			"exists": 4, "del": 3, "unlink": 1, "mget": 4, "mset": 2, "msetnx": 1,
			"rename": 2, "renamenx": 1, "copy": 3,
		},
		Forms: plain.with(weights{"transaction": 8, "watch": 8, "discard": 1}),
	},
	{
		Name: "expiry", Does: "values with short deadlines, and readers that chase them",
		Words: weights{
			"get": 30, "set px": 14, "set pxat": 6, "set keepttl": 3, "set px get": 4, "getex": 4,
			"pexpire": 4, "pexpire option": 4, "persist": 2, "pttl": 6, "pexpiretime": 4,
			"exists": 8, "strlen": 2, "incrby": 4,
		},
		Forms: plain.with(weights{"chase": 40}),
	},
	{
		Name: "counter", Does: "counters that many clients add to, with deadlines",
		Words: weights{
			"incrby": 40, "decrby": 10, "get": 20, "pexpire option": 10, "pexpire": 5, "pttl": 6,
			"set px": 5, "getdel": 2,
		},
		Forms: plain.with(weights{"transaction": 8, "watch": 4}),
	},
	{
		Name: "register", Does: "plain reads and writes without any deadline",
		Words: weights{"get": 50, "set": 10, "set get": 25, "del": 4, "append": 6},
		Forms: plain.with(weights{"chase": 0}),
	},
	{
		Name: "tx", Does: "transactions and watches above all",
		Words: weights{
			"get": 20, "set px": 10, "set": 5, "incrby": 10, "mget": 6, "mset": 4, "rename": 3,
			"copy": 3, "del": 3, "getex": 4, "pttl": 5, "pexpiretime": 3, "exists": 4, "pexpire": 5,
			"append": 3,
		},
		Forms: plain.with(weights{"transaction": 40, "watch": 40, "discard": 6}),
	},
	{
		Name: "queue", Does: "lists, and clients that wait for them",
		Words: weights{
			"rpush": 24, "lpush": 5, "blpop": 26, "brpop": 6, "blmpop": 4, "blmove": 6, "lrange": 6, "llen": 6,
			"lpop": 3, "lmove": 2, "rename": 2, "del": 1,
		},
		Forms: plain.with(weights{"chase": 0, "lost": 2, "transaction": 5, "unblock": 5}),
	},
}

// mixNamed finds a mix; the error names them all.
func mixNamed(name string) (Mix, error) {
	if name == "" {
		return Mixes[0], nil
	}
	var names []string
	for _, m := range Mixes {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return Mix{}, fmt.Errorf("no workload mix is named %q; there are: %s",
		name, strings.Join(names, ", "))
}

// plan is a mix reduced to what the target has, ready to draw from.
type plan struct {
	words     []string
	wordSums  []int
	forms     []string
	formSums  []int
	reads     []string // words that read one key and leave it
	deadlines bool     // some word sets a deadline that ends within a group
	waits     bool     // some word may wait
	left      []string // words and forms left out: the target lacks their command

	transactions bool
}

// planFor leaves out what the target lacks (by its COMMAND) and, without TIME, what needs to know
// the target's clock: absolute deadlines.
func planFor(m Mix, has func(command string) bool) (plan, error) {
	var p plan
	kept := weights{}
	for name, n := range m.Words {
		w := words[name]
		switch {
		case n == 0:
		case !has(w.command) || w.absolute && !has("time"):
			p.left = append(p.left, name)
		default:
			kept[name] = n
			p.deadlines, p.waits = p.deadlines || w.deadline, p.waits || w.waits
		}
	}
	kinds := weights{}
	for name, n := range m.Forms {
		if n > 0 && !hasAll(has, forms[name].needs) {
			p.left = append(p.left, name)
			continue
		}
		kinds[name] = n
	}
	if !p.deadlines {
		delete(kinds, "chase")
	}
	sort.Strings(p.left)
	p.transactions = kinds["transaction"] > 0
	p.words, p.wordSums = sums(kept)
	for _, name := range p.words {
		if words[name].readsOne {
			p.reads = append(p.reads, name)
		}
	}
	p.forms, p.formSums = sums(kinds)
	if len(p.reads) == 0 || len(p.forms) == 0 {
		return p, fmt.Errorf("the target has none of the reading commands of mix %q", m.Name)
	}
	return p, nil
}

// commands are those of the words, each once.
func (p plan) commands() (names []string) {
	for _, w := range p.words {
		if c := words[w].command; !slices.Contains(names, c) {
			names = append(names, c)
		}
	}
	return names
}

// withoutTransactions leaves out the forms that make or need one. If there are no others, it leaves
// out nothing.
func (p plan) withoutTransactions() plan {
	kept := weights{}
	for i, name := range p.forms {
		if len(forms[name].needs) == 0 {
			kept[name] = p.formSums[i]
			if i > 0 {
				kept[name] -= p.formSums[i-1]
			}
		}
	}
	if len(kept) > 0 {
		p.transactions = false
		p.forms, p.formSums = sums(kept)
	}
	return p
}

func hasAll(has func(string) bool, needs []string) bool {
	for _, n := range needs {
		if !has(n) {
			return false
		}
	}
	return true
}

// sums returns the names in order, so that a seed means the same in every process, and the running
// totals of their weights.
func sums(w weights) (names []string, totals []int) {
	for name, n := range w {
		if n > 0 {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	total := 0
	for _, name := range names {
		total += w[name]
		totals = append(totals, total)
	}
	return names, totals
}
