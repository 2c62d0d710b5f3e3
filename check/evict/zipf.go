package evict

import (
	"context"
	"math/rand"
	"time"

	"rondo/model"
)

// cache asks for keys by Zipf's law, and sets those that miss. The pace is one at which a key that
// is asked for once stays for seconds, since servers count age in seconds.
func (b *bench) cache(ctx context.Context, res *Result) error {
	rng := rand.New(rand.NewSource(b.opt.Seed))
	zipf := rand.NewZipf(rng, zipfExponent, 1, uint64(b.opt.Keys*universe-1))
	n := b.opt.Keys * turnover
	asked := make([]int, batch)
	hits, all := 0, 0
	start := time.Now()
	for done := 0; done < n; done += batch {
		if err := pause(ctx, time.Until(start.Add(b.opt.Time*time.Duration(done)/time.Duration(n)))); err != nil {
			return err
		}
		for i := range asked {
			asked[i] = int(zipf.Uint64())
		}
		var missed []int
		err := b.pipeline(batch, func(i int) []string { return []string{"GET", key(asked[i])} },
			func(i int, r model.Reply) {
				if r.IsNull() {
					missed = append(missed, asked[i])
				}
			})
		if err != nil {
			return err
		}
		if done >= n/2 {
			all, hits = all+batch, hits+batch-len(missed)
		}
		err = b.pipeline(len(missed), func(i int) []string { return set(res.Policy, missed[i], b.life(missed[i])) }, ignore)
		if err != nil {
			return err
		}
	}
	res.HitRate = float64(hits) / float64(all)
	r, err := b.do("DBSIZE")
	res.Held = int(r.Int)
	return err
}

// life is how long a key of the cache is to live, in seconds: the more popular, the longer, as who
// trusts in volatile-ttl would have it.
func (b *bench) life(i int) int { return 1000 + longest*b.opt.Keys/(b.opt.Keys+i) }

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(max(0, d)):
		return nil
	}
}
