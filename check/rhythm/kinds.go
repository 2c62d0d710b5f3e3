package rhythm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rondo/check/target"
	"rondo/check/wire"
)

// Kind is one kind of long work.
type Kind struct {
	Name    string
	What    string // a sentence; "#" is the number of keys, "@" the size of the large string
	prepare func(*stage) error
	work    func(*stage) error
	turn    bool // the longest maintenance of a turn is to be at most turnTarget
	lag     *aim // what its lag is to be
}

// aim is what a figure of a lag is to be at most.
type aim struct {
	what string
	most float64 // ms
	of   func(Lag) float64
	keys int // more than that is not meant; 0: any number
}

// Kinds are all of them, in an order in which the keys of one serve the next.
var Kinds = []Kind{
	{Name: "idle", What: "nobody else: the baseline", prepare: (*stage).flush, work: idle},
	{Name: "growth", What: "one client writes # keys, 16 at a time", prepare: (*stage).flush, work: grow, turn: true},
	{Name: "eviction", What: "# keys fill maxmemory, and a quarter as many come new: allkeys-lru", prepare: beforeEviction, work: evict, turn: true},
	{Name: "keys", What: "KEYS * of # keys", prepare: (*stage).full, work: keys},
	{Name: "snapshot", What: "BGSAVE of # keys", prepare: beforeSave, work: save},
	{Name: "flushall", What: "FLUSHALL of # keys", prepare: (*stage).full, work: flushing()},
	{Name: "flushall-async", What: "FLUSHALL ASYNC of # keys", prepare: (*stage).full, work: flushing("ASYNC")},
	{Name: "expiry-storm", What: "# keys are due in the same millisecond", prepare: beforeExpiryStorm, work: expiryStorm, turn: true,
		lag: &aim{"all gone within 2 s", 2000, func(l Lag) float64 { return l.Max }, KeysDefault}},
	{Name: "due-among", What: "a thousand keys are due, one each ms, among # that are not", prepare: fillVolatile, work: dueAmong, turn: true,
		lag: &aim{"p99 at most 50 ms late", 50, func(l Lag) float64 { return l.P99 }, 0}},
	{Name: "del-large", What: "DEL of a set, or list, of a million elements", prepare: largeCollection, work: removing("DEL")},
	{Name: "unlink-large", What: "UNLINK of a set, or list, of a million elements", prepare: largeCollection, work: removing("UNLINK")},
	{Name: "list-middle", What: "a client asks 20,000 times for the middle of a list of a million elements", prepare: largeList, work: middles},
	{Name: "trim-list", What: "LTRIM of a list of a million elements to two", prepare: largeList, work: trim},
	{Name: "del-string", What: "DEL of a string of @", prepare: largeString, work: removing("DEL")},
	{Name: "unlink-string", What: "UNLINK of a string of @", prepare: largeString, work: removing("UNLINK")},
	{Name: "slow-reader", What: "a client asks for @ at once and takes 64 KiB every 10 ms", prepare: slowValues, work: slowReader},
	{Name: "deep-pipeline", What: "a client sends half a million requests at once", prepare: slowValues, work: deepPipeline},
	{Name: "connections", What: "2,000 connections at once, five times", prepare: (*stage).flush, work: connections},
}

// turnTarget is the longest that the maintenance of one turn may take, µs of CPU time.
const turnTarget = 1000

// Select finds kinds by name; wrong is one that is not there.
func Select(names []string) (out []Kind, wrong string) {
	return ByName(Kinds, names, func(k Kind) string { return k.Name })
}

// ByName are those of all that have one of the names, all of them if there are none; wrong is a name that
// nothing has.
func ByName[K any](all []K, names []string, nameOf func(K) string) (out []K, wrong string) {
	if len(names) == 0 {
		return all, ""
	}
	for _, name := range names {
		i := slices.IndexFunc(all, func(k K) bool { return nameOf(k) == name })
		if i < 0 {
			return nil, name
		}
		out = append(out, all[i])
	}
	return out, ""
}

// Title says what is done, with its sizes.
func (k Kind) Title(opt Options) string {
	return strings.NewReplacer("#", grouped(opt.Keys), "@", fmt.Sprintf("%d MB", opt.Big>>20)).Replace(k.What)
}

// grouped writes a number as people do: 1,000,000.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// judge compares with what is to be reached. That is said of the default number of keys and of more.
func (r *Result) judge(k Kind, opt Options) {
	if opt.Keys < KeysDefault || !r.Measured() {
		return
	}
	if k.turn && r.TurnUs != nil {
		r.Targets = append(r.Targets, Target{What: "longest maintenance of a turn at most 1 ms of CPU", Met: *r.TurnUs <= turnTarget})
	}
	if k.lag != nil && r.Lag != nil && (k.lag.keys == 0 || opt.Keys <= k.lag.keys) {
		t := Target{What: k.lag.what, Met: k.lag.of(*r.Lag) <= k.lag.most}
		if !t.Met && r.Control.Max > k.lag.most/2 {
			t.Note = fmt.Sprintf(" on a machine that was itself late by %s ms", Ms(r.Control.Max))
		}
		r.Targets = append(r.Targets, t)
	}
}

// flush empties the server, but for the key of the probe.
func (s *stage) flush() error {
	s.keys = -1
	if _, err := s.ask("FLUSHALL"); err != nil {
		return err
	}
	_, err := s.ask("SET", ProbeKey, "v")
	s.keys = 0
	return err
}

// full has N keys in the server.
func (s *stage) full() error {
	if s.keys == s.opt.Keys {
		return nil
	}
	return s.fill(s.opt.Keys, fillBatch)
}

// fill puts n keys into an emptied server.
func (s *stage) fill(n, batch int, options ...string) error {
	if err := s.flush(); err != nil {
		return err
	}
	began := time.Now()
	if err := s.flood(n, batch, setter(options...)); err != nil {
		s.keys = -1
		return err
	}
	if s.keys = n; batch == fillBatch {
		s.rate = float64(n) / time.Since(began).Seconds()
	}
	return nil
}

// Fill puts n keys of 16 bytes, with values of 16, into a target.
func Fill(ctx context.Context, t *target.Target, n int, options ...string) error {
	return Flood(ctx, t, n, fillBatch, setter(options...))
}

// setter makes the requests that SET key number i, with a value of 16 bytes.
func setter(options ...string) func([]byte, int) []byte {
	args := [][]byte{[]byte("SET"), []byte("key:000000000000"), []byte("vvvvvvvvvvvvvvvv")}
	for _, o := range options {
		args = append(args, []byte(o))
	}
	return func(b []byte, i int) []byte {
		for at := len(args[1]) - 1; at >= len("key:"); at, i = at-1, i/10 {
			args[1][at] = '0' + byte(i%10)
		}
		return wire.AppendCommand(b, args...)
	}
}

func idle(s *stage) error { return Pause(s.ctx, min(idleTime, s.opt.Limit/2)) }

func grow(s *stage) error { return s.fill(s.opt.Keys, growBatch) }

func keys(s *stage) error {
	lines := 0
	err := s.read([]string{"KEYS", "*"}, func(line []byte) bool {
		if lines == 0 && line[0] == '*' {
			n, _ := strconv.Atoi(strings.TrimSpace(string(line[1:])))
			lines = 1 + 2*n
		}
		lines--
		return lines > 0 // an error is one line
	})
	return orSkip(err)
}

// flushing is FLUSHALL with a word or none.
func flushing(words ...string) func(*stage) error {
	return func(s *stage) error {
		s.keys = -1
		_, err := s.ask(append([]string{"FLUSHALL"}, words...)...)
		return orSkip(err)
	}
}

// ours is the reason to leave alone what is not only data.
func (s *stage) ours(what string) error {
	if !s.t.Caps().Owned {
		return skip(what + ", on a server that was not started here: -flush allows it")
	}
	return nil
}

func beforeSave(s *stage) error {
	if err := s.ours("it writes a file"); err != nil {
		return err
	}
	if _, err := s.ask("LASTSAVE"); err != nil {
		return orSkip(err) // a server without snapshots
	}
	return s.full()
}

func save(s *stage) error {
	if _, err := s.ask("BGSAVE"); err != nil {
		return orSkip(err)
	}
	for {
		if err := Pause(s.ctx, savePoll); err != nil {
			return err
		}
		switch busy, err := s.info("persistence", "rdb_bgsave_in_progress"); {
		case err != nil:
			return err
		case busy != "1":
			return nil
		}
	}
}

func beforeEviction(s *stage) error {
	if err := s.ours("it changes maxmemory"); err != nil {
		return err
	}
	if err := s.full(); err != nil {
		return err
	}
	used, err := s.info("memory", "used_memory")
	if err != nil || used == "" {
		return errors.Join(err, skip("INFO does not say used_memory"))
	}
	for _, set := range [][2]string{{"maxmemory-policy", "allkeys-lru"}, {"maxmemory", used}} {
		was, err := s.ask("CONFIG", "GET", set[0])
		if err != nil || len(was.Elems) != 2 {
			return errors.Join(orSkip(err), skip("it has no "+set[0]))
		}
		if _, err := s.ask("CONFIG", "SET", set[0], set[1]); err != nil {
			return orSkip(err)
		}
		// Last in, first out: no limit before the policy goes.
		s.undo = append([]func() error{func() error {
			_, err := s.ask("CONFIG", "SET", set[0], was.Elems[1].Str)
			return err
		}}, s.undo...)
	}
	return nil
}

func evict(s *stage) error {
	before, _ := s.info("stats", "evicted_keys")
	n := s.keys
	s.keys = -1
	set := setter()
	err := s.flood(n/4, growBatch, func(b []byte, i int) []byte { return set(b, n+i) })
	after, _ := s.info("stats", "evicted_keys")
	was, err1 := strconv.Atoi(before)
	is, err2 := strconv.Atoi(after)
	if err1 == nil && err2 == nil {
		s.note = grouped(is-was) + " keys evicted"
		if is == was {
			s.note = "nothing was evicted: maxmemory was not reached"
		}
	}
	return err
}

// bigKey is the large value that is removed.
const bigKey = "rondo:{rhythm}large"

// largeCollection makes a set, which is the most to free, or a list.
func largeCollection(s *stage) error {
	if err := s.flush(); err != nil {
		return err
	}
	err := s.elements("SADD")
	if errors.As(err, new(refused)) {
		err = s.elements("RPUSH")
	}
	return orSkip(err)
}

func largeList(s *stage) error {
	if err := s.flush(); err != nil {
		return err
	}
	return orSkip(s.elements("RPUSH"))
}

// middlesAsked is how often list-middle asks.
const middlesAsked = 20_000

func middles(s *stage) error {
	index := strconv.AppendInt(nil, int64(min(s.opt.Keys, elementsMax)/2), 10)
	return orSkip(s.flood(middlesAsked, growBatch, func(b []byte, _ int) []byte {
		return wire.AppendCommand(b, []byte("LINDEX"), []byte(bigKey), index)
	}))
}

func trim(s *stage) error {
	_, err := s.ask("LTRIM", bigKey, "1", "2")
	return orSkip(err)
}

func (s *stage) elements(command string) error {
	n := min(s.opt.Keys, elementsMax)
	err := s.flood((n+elementsBatch-1)/elementsBatch, 16, func(b []byte, i int) []byte {
		args := [][]byte{[]byte(command), []byte(bigKey)}
		for e := i * elementsBatch; e < min(n, (i+1)*elementsBatch); e++ {
			args = append(args, fmt.Appendf(nil, "element:%012d", e))
		}
		return wire.AppendCommand(b, args...)
	})
	s.note = fmt.Sprintf("%s elements, made by %s", grouped(n), command)
	return err
}

func largeString(s *stage) error {
	if err := s.flush(); err != nil {
		return err
	}
	const piece = 1 << 20
	part := []byte(strings.Repeat("v", piece))
	return orSkip(s.flood(max(s.opt.Big/piece, 1), 1, func(b []byte, _ int) []byte {
		return wire.AppendCommand(b, []byte("APPEND"), []byte(bigKey), part)
	}))
}

// removing is DEL or UNLINK of the large value.
func removing(command string) func(*stage) error {
	return func(s *stage) error {
		_, err := s.ask(command, bigKey)
		return orSkip(err)
	}
}
