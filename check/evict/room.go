package evict

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"rondo/check/target"
)

// makeRoom empties the server, finds out what so many keys need, and gives it as much and no more.
func (b *bench) makeRoom(policy string) error {
	for _, line := range [][]string{{"CONFIG", "SET", "maxmemory", "0"}, {"FLUSHALL"},
		{"CONFIG", "SET", "maxmemory-policy", policy, "maxmemory-samples", strconv.Itoa(samplesAsked)}} {
		if _, err := b.do(line...); err != nil {
			return err
		}
	}
	if err := b.pipeline(b.opt.Keys, func(i int) []string { return set(policy, i, longest) }, ignore); err != nil {
		return err
	}
	room, err := b.used()
	if err != nil {
		return err
	}
	if _, err = b.do("FLUSHALL"); err != nil {
		return err
	}
	if b.empty, err = b.used(); err == nil {
		_, err = b.do("CONFIG", "SET", "maxmemory", strconv.FormatInt(room, 10))
	}
	return err
}

// used is what counts against maxmemory.
func (b *bench) used() (int64, error) {
	r, err := b.do("INFO", "memory")
	if err != nil {
		return 0, err
	}
	info := target.Fields(r.Str)
	used, err := strconv.ParseInt(info["used_memory"], 10, 64)
	if err != nil {
		return 0, errors.New("INFO memory tells no used_memory")
	}
	apart, _ := strconv.ParseInt(info["mem_not_counted_for_evict"], 10, 64) // none is 0
	return used - apart, nil
}

// longest is a deadline that no run reaches, in seconds.
const longest = 100_000

var value = strings.Repeat("v", valueBytes)

func key(i int) string { return fmt.Sprintf("key:%010d", i) }

// set sets a key, with a deadline if the policy wants one.
func set(policy string, i, seconds int) []string {
	line := []string{"SET", key(i), value}
	if strings.HasPrefix(policy, "volatile") {
		line = append(line, "EX", strconv.Itoa(seconds))
	}
	return line
}
