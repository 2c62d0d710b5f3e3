package evict

import (
	"context"
	"strconv"
	"strings"
	"time"

	"rondo/model"
)

// experiment fills the server with keys, each of which is a better one to lose than the next: it was
// used earlier, or less often, or has a nearer deadline. Then it takes away the room of every second
// key, and looks which are left. There are no new keys, since of those the policies have their own
// opinions: what was used once only is the first to go where it is uses that count.
func (b *bench) experiment(ctx context.Context, res *Result) error {
	if err := b.makeRoom(res.Policy); err != nil {
		return err
	}
	n := b.opt.Keys * 95 / 100 // so that none has to go yet
	if err := b.makeKeys(ctx, res.Policy, n); err != nil {
		return err
	}
	if err := b.takeRoom(ctx); err != nil {
		return err
	}
	res.Gone = make([]bool, n)
	all := 0
	err := b.pipeline(n, func(i int) []string { return []string{"EXISTS", key(i)} }, // which is no use of it
		func(i int, r model.Reply) {
			if r.Int == 0 {
				res.Gone[i] = true
				all++
			}
		})
	mistaken := 0
	for _, gone := range res.Gone[all:] { // whoever knew it all would have kept these
		if gone {
			mistaken++
		}
	}
	res.Mistaken = float64(mistaken) / float64(max(1, all))
	return err
}

// makeKeys makes keys that differ by what the policy goes by.
func (b *bench) makeKeys(ctx context.Context, policy string, n int) error {
	life := func(int) int { return longest }
	if strings.HasSuffix(policy, "ttl") {
		life = func(i int) int { return 1000 + i }
	}
	if err := b.pipeline(n, func(i int) []string { return set(policy, i, life(i)) }, ignore); err != nil {
		return err
	}
	switch {
	case strings.HasSuffix(policy, "lru"): // used once, in their order
		start := time.Now()
		for from := 0; from < n; from += batch {
			if err := pause(ctx, time.Until(start.Add(b.opt.Time*time.Duration(from)/time.Duration(n)))); err != nil {
				return err
			}
			if err := b.use(from, min(from+batch, n)); err != nil {
				return err
			}
		}
	case strings.HasSuffix(policy, "lfu"): // used up to so often
		if _, err := b.do("CONFIG", "SET", "lfu-log-factor", "1"); err != nil {
			return err
		}
		for k := range times {
			if err := b.use(n*k/times, n); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *bench) use(from, to int) error {
	return b.pipeline(to-from, func(i int) []string { return []string{"GET", key(from + i)} }, ignore)
}

// takeRoom leaves room for half of the keys, and waits until no more go.
func (b *bench) takeRoom(ctx context.Context) error {
	used, err := b.used()
	if err == nil {
		_, err = b.do("CONFIG", "SET", "maxmemory", strconv.FormatInt(b.empty+(used-b.empty)/2, 10))
	}
	for before, now := int64(-1), int64(0); err == nil && before != now; {
		if err = pause(ctx, restTime); err != nil {
			break
		}
		var r model.Reply
		r, err = b.do("DBSIZE")
		before, now = now, r.Int
	}
	return err
}
