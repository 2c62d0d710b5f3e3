package mutant

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"rondo/model"
	"rondo/spec/commands"
)

// maxmemory, beside the model: what keys occupy is reckoned here, and an evicted key is deleted by
// nobody.

// stock is what the server knows of a key while memory is limited.
type stock struct {
	bytes    int64
	deadline int64 // -1: none
}

// What a server occupies without keys, and a key beside its bytes.
const (
	bytesEmpty = 1 << 20
	bytesKey   = 100
)

var policies = []string{"volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl",
	"allkeys-lru", "allkeys-lfu", "allkeys-random", "noeviction"}

const errOOM = "OOM command not allowed when used memory > 'maxmemory'."

// memorySetting is with for the settings of this file.
func (c *config) memorySetting(name, value string) (known bool, err error) {
	switch name {
	case "maxmemory":
		var ok bool
		if c.maxmemory, ok = bytesOf(value); !ok {
			return true, errors.New("argument must be a memory value")
		}
		c.texts[name] = strconv.FormatInt(c.maxmemory, 10)
	case "maxmemory-policy":
		if !slices.Contains(policies, value) {
			return true, errors.New("argument(s) must be one of the following: " + strings.Join(policies, ", "))
		}
		c.policy = value
	case "lfu-log-factor":
		c.logFactor, err = between(value, 0, 2147483647)
	case "maxmemory-clients":
		return true, c.clientsSetting(name, value)
	case "maxmemory-samples": // all are looked at
		_, err = between(value, 1, 2147483647)
	default:
		return false, nil
	}
	return true, err
}

// clientsSetting takes bytes, or a part of maxmemory that is not used here.
func (c *config) clientsSetting(name, value string) error {
	if percent, ok := strings.CutSuffix(value, "%"); ok {
		if n, err := strconv.Atoi(percent); err == nil && n > 100 {
			return errors.New("percentage argument must be less or equal to 100")
		}
		c.clientsMax = 0
		return nil
	}
	n, ok := bytesOf(value)
	if !ok {
		return errors.New("argument must be a memory or percent value")
	}
	c.clientsMax, c.texts[name] = n, strconv.FormatInt(n, 10)
	return nil
}

func (c *config) frequency() bool { return strings.HasSuffix(c.policy, "lfu") }

// uncounted are the commands that look at a key and do not use it.
var uncounted = []string{"exists", "type", "ttl", "pttl", "expiretime", "pexpiretime", "object", "memory"}

// countUses keeps the counts that OBJECT FREQ answers, and COPY and RENAME bring along or do not.
func (u *unit) countUses() {
	if !u.s.config.frequency() || slices.Contains(uncounted, u.name) || u.s.at.countsNothing {
		return
	}
	for _, i := range commands.Keys(u.cmd) {
		key := string(u.cmd[i])
		k := usedKey{u.c.db, key}
		switch n := u.s.uses[k]; {
		case u.asNobody(u.c.db, line("exists", key)).Int == 0:
			u.s.uses[k] = 5
			if u.name == "rename" && i == 2 || u.name == "copy" && i == 2 && u.s.at.copiesUses {
				u.s.uses[k] = u.s.uses[usedKey{u.c.db, string(u.cmd[1])}]
			}
		case int64(u.s.rng.IntN(1<<20))*(max(0, int64(n)-5)*u.s.config.logFactor+1) < 1<<20:
			u.s.uses[k] = min(255, n+1)
		}
	}
}

// takeStock reckons all keys.
func (u *unit) takeStock() {
	u.s.stock = map[usedKey]stock{}
	for db := range 16 {
		for _, key := range u.asNobody(db, line("keys", "*")).Elems {
			u.reckon(db, key.Str)
		}
	}
}

func (u *unit) reckon(db int, key string) {
	k := usedKey{db, key}
	if u.asNobody(db, line("exists", key)).Int == 0 {
		delete(u.s.stock, k)
		return
	}
	u.s.stock[k] = stock{bytesKey + int64(len(key)) + u.asNobody(db, line("strlen", key)).Int,
		model.Fix(u.asNobody(db, line("pexpiretime", key))).Int}
}

// reckonKeys is what follows a command while memory is limited.
func (u *unit) reckonKeys(cmds ...[][]byte) {
	if u.s.config.maxmemory == 0 {
		return
	}
	for _, cmd := range cmds {
		switch name := strings.ToLower(string(cmd[0])); name {
		case "flushall", "flushdb", "swapdb", "move":
			u.takeStock()
		}
		for _, i := range commands.Keys(cmd) {
			u.reckon(u.c.db, string(cmd[i]))
		}
	}
}

// usedMemory counts keys, and what clients have queued.
func (u *unit) usedMemory() int64 {
	n := int64(bytesEmpty)
	for _, k := range u.s.stock {
		n += k.bytes
	}
	for _, c := range u.s.conns {
		if !u.s.at.queuesAreFree {
			n += c.queued()
		}
	}
	return n
}

// queued is what a client holds.
func (c *conn) queued() (n int64) {
	for _, cmd := range c.queue {
		for _, arg := range cmd {
			n += int64(len(arg))
		}
	}
	return n
}

// closeLargest closes a client if all together hold more than they may (CONN-36).
func (s *Server) closeLargest() {
	if s.config.clientsMax == 0 || s.at.clientsUnlimited {
		return
	}
	var most *conn
	all := int64(0)
	for _, c := range s.conns {
		all += c.queued()
		if most == nil || c.queued() > most.queued() != s.at.closesSmallest {
			most = c
		}
	}
	if all > s.config.clientsMax {
		most.queue = nil
		most.kill()
	}
}

// refusal makes room, and answers what cannot be executed for want of it.
func (u *unit) refusal(cmd [][]byte) (r model.Reply, refused bool) {
	known, ok := commands.Find(cmd)
	limit := u.s.config.maxmemory
	if limit == 0 || !ok || !known.Fits(len(cmd)) || u.s.at.noMemoryLimit {
		return r, false
	}
	over := false
	for used := u.usedMemory(); used > limit; {
		freed := u.evict()
		over = freed == 0 || u.s.at.refusesFirst
		if used -= freed; freed == 0 {
			break
		}
	}
	needs := known.Has("denyoom") || u.s.at.refusesAll && known.Has("readonly")
	isExec := known.Name == "exec"
	for _, q := range u.c.queue {
		c, _ := commands.Find(q)
		needs = needs || isExec && (c.Has("denyoom") && !u.s.at.execNeedsNothing || u.s.at.execNeedsAll)
	}
	leaves := isExec || known.Name == "quit" || known.Name == "reset" || known.Name == "discard" && !u.s.at.discardNeeds
	if u.c.multi && !leaves && !u.s.at.queueNeedsNothing {
		needs = true
	}
	if !over || !needs {
		return r, false
	}
	switch {
	case isExec:
		u.model(u.c.id, line("discard"))
		u.c.endTransaction()
		return model.Err("EXECABORT Transaction discarded because of: " + errOOM), true
	case u.c.multi:
		u.model(u.c.id, line("no-such-command")) // it spoils the transaction
	}
	return model.Err(errOOM), true
}

// evict removes one key, and returns what it has occupied, 0 if there is none to evict.
func (u *unit) evict() int64 {
	policy := u.s.config.policy
	if policy == "noeviction" && !u.s.at.alwaysEvicts || u.s.at.neverEvicts {
		return 0
	}
	var best usedKey
	found, rank := false, int64(0)
	for k, s := range u.s.stock {
		if strings.HasPrefix(policy, "volatile") && s.deadline < 0 && !u.s.at.evictsAny {
			continue
		}
		r := u.rank(k, s)
		if u.s.at.evictsTheBest {
			r = -r
		}
		if !found || r < rank {
			best, found, rank = k, true, r
		}
	}
	if !found {
		return 0
	}
	s := u.s.stock[best]
	delete(u.s.stock, best)
	u.evictKey(best)
	return s.bytes
}

// rank is lowest of the key that the policy would lose first.
func (u *unit) rank(k usedKey, s stock) int64 {
	switch policy := u.s.config.policy; {
	case strings.HasSuffix(policy, "lru"):
		return u.s.used[k].UnixNano()
	case strings.HasSuffix(policy, "lfu"):
		return int64(u.s.uses[k])
	case strings.HasSuffix(policy, "ttl"):
		return s.deadline
	}
	return int64(u.s.rng.IntN(1 << 30))
}

func (u *unit) evictKey(k usedKey) {
	if !u.s.at.evictsUncounted {
		u.s.evicted++
	}
	var blind []*conn // that watch the key and will not know
	for _, c := range u.s.conns {
		watches := slices.ContainsFunc(c.watched, func(b []byte) bool { return string(b) == k.key })
		if u.s.at.evictsQuietly && watches && !c.multi {
			u.model(c.id, line("unwatch"))
			blind = append(blind, c)
		}
	}
	u.asNobody(k.db, line("del", k.key))
	for _, c := range blind {
		u.model(c.id, line("watch", k.key))
	}
}

// objectFreq is OBJECT FREQ of a key that exists.
func (u *unit) objectFreq(cmd [][]byte) model.Reply {
	if !u.s.config.frequency() {
		return model.Err("ERR An LFU maxmemory policy is not selected, access frequency not tracked. " + adjusts)
	}
	return model.Num(int64(u.s.uses[usedKey{u.c.db, string(cmd[2])}]))
}

const (
	adjusts = "Please note that when switching between policies at runtime LRU and LFU data will take " +
		"some time to adjust."
	errFrequency = "ERR An LFU maxmemory policy is selected, idle time not tracked. " + adjusts
)

// memoryFaults are those of maxmemory.
var memoryFaults = []Fault{
	{"memory without limit", "Nothing is ever refused for want of memory, and nothing evicted.",
		[]string{"KEY-15", "KEY-19", "KEY-23"}, points{noMemoryLimit: true}},
	{"OOM by another name", "The error for want of memory has another text.",
		[]string{"KEY-15"}, points{after: errorText("OOM", always("ERR out of memory"))}},
	{"reads need memory", "Without memory commands that only read are refused too.",
		[]string{"KEY-15"}, points{refusesAll: true}},
	{"noeviction evicts", "Keys are evicted under noeviction.",
		[]string{"KEY-15"}, points{alwaysEvicts: true}},
	{"evicts nothing", "Under every policy commands are refused and no key is evicted.",
		[]string{"KEY-16"}, points{neverEvicts: true}},
	{"OOM before evicting", "A command that finds the memory used up makes room for the next and is refused.",
		[]string{"KEY-16"}, points{refusesFirst: true}},
	{"volatile evicts all", "The volatile policies evict keys without a deadline too.",
		[]string{"KEY-17"}, points{evictsAny: true}},
	{"WATCH blind to eviction", "A watched key that is evicted does not stop EXEC.",
		[]string{"KEY-18"}, points{evictsQuietly: true}},
	{"evictions not counted", "INFO says that no key was evicted.",
		[]string{"KEY-18"}, points{evictsUncounted: true}},
	{"EXEC needs no memory", "EXEC runs commands that alone would be refused for want of memory.",
		[]string{"KEY-19"}, points{execNeedsNothing: true}},
	{"EXEC always needs memory", "EXEC is refused for want of memory whatever its queue holds.",
		[]string{"KEY-19"}, points{execNeedsAll: true}},
	{"queue needs no memory", "Commands are queued although there is no memory.",
		[]string{"KEY-19"}, points{queueNeedsNothing: true}},
	{"DISCARD needs memory", "DISCARD is refused for want of memory.",
		[]string{"KEY-19"}, points{discardNeeds: true}},
	{"uses not counted", "OBJECT FREQ stays what it is.",
		[]string{"KEY-20"}, points{countsNothing: true}},
	{"COPY copies uses", "COPY gives the new key the count of the old one's uses.",
		[]string{"KEY-20"}, points{copiesUses: true}},
	{"idle under LFU", "OBJECT IDLETIME answers a number under a policy of frequency.",
		[]string{"KEY-20"}, points{after: onDone(func(u *unit) {
			if u.reply.Str == errFrequency {
				u.reply = model.Num(0)
			}
		}, "object")}},
	{"evicts the best", "Keys that were just used, or used most, go first.",
		[]string{"KEY-21"}, points{evictsTheBest: true}},
	{"clients unlimited", "Clients may hold as much as they like together.",
		[]string{"CONN-36"}, points{clientsUnlimited: true}},
	{"small clients closed", "When clients hold too much together the one that holds least is closed.",
		[]string{"CONN-36"}, points{closesSmallest: true}},
	{"queues are free", "What clients have queued does not count as memory.",
		[]string{"KEY-23"}, points{queuesAreFree: true}},
}
