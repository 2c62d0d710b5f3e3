package interop

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// TestGoRedis uses the server as an application would, in both protocols.
func TestGoRedis(t *testing.T) {
	addr := serve(t)
	for _, protocol := range []int{2, 3} {
		t.Run(fmt.Sprintf("RESP%d", protocol), func(t *testing.T) {
			c := redis.NewClient(&redis.Options{Addr: addr, Protocol: protocol, DB: protocol})
			defer c.Close()
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			t.Run("strings", func(t *testing.T) { goRedisStrings(ctx, t, c) })
			t.Run("pipeline", func(t *testing.T) { goRedisPipeline(ctx, t, c) })
			t.Run("transactions", func(t *testing.T) { goRedisTransactions(ctx, t, c) })
			t.Run("scan", func(t *testing.T) { goRedisScan(ctx, t, c) })
			t.Run("lists", func(t *testing.T) { goRedisLists(ctx, t, c) })
			t.Run("queue", func(t *testing.T) { goRedisQueue(ctx, t, c) })
		})
	}
}

func goRedisStrings(ctx context.Context, t *testing.T, c *redis.Client) {
	must(t, c.Set(ctx, "k", "v", 50*time.Millisecond).Err())
	if got := c.Get(ctx, "k").Val(); got != "v" {
		t.Errorf("GET = %q", got)
	}
	if d := c.PTTL(ctx, "k").Val(); d <= 0 || d > 50*time.Millisecond {
		t.Errorf("PTTL = %v", d)
	}
	time.Sleep(60 * time.Millisecond)
	if err := c.Get(ctx, "k").Err(); !errors.Is(err, redis.Nil) {
		t.Errorf("GET after the deadline: %v", err)
	}
	if n, err := c.IncrBy(ctx, "n", 41).Result(); n != 41 || err != nil {
		t.Errorf("INCRBY = %d, %v", n, err)
	}
	if f, err := c.IncrByFloat(ctx, "f", 0.5).Result(); f != 0.5 || err != nil {
		t.Errorf("INCRBYFLOAT = %v, %v", f, err)
	}
	if ok := c.SetNX(ctx, "n", 1, 0).Val(); ok {
		t.Error("SETNX replaced a value")
	}
	must(t, c.MSet(ctx, "a", "1", "b", "2").Err())
	if got := c.MGet(ctx, "a", "b", "none").Val(); len(got) != 3 || got[0] != "1" || got[2] != nil {
		t.Errorf("MGET = %v", got)
	}
	if err := c.Incr(ctx, "text").Err(); err != nil {
		t.Error(err)
	}
	must(t, c.Set(ctx, "text", "x", 0).Err())
	if err := c.Incr(ctx, "text").Err(); err == nil || err.Error() != "ERR value is not an integer or out of range" {
		t.Errorf("INCR of text: %v", err)
	}
	if _, err := c.Info(ctx, "server").Result(); err != nil {
		t.Error(err)
	}
	if m, err := c.Command(ctx).Result(); err != nil || m["get"] == nil || m["get"].Arity != 2 {
		t.Errorf("COMMAND: %v", err)
	}
}

func goRedisPipeline(ctx context.Context, t *testing.T, c *redis.Client) {
	const n = 2000
	cmds, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range n {
			p.Set(ctx, fmt.Sprint("p", i), i, 0)
			p.Get(ctx, fmt.Sprint("p", i))
		}
		return nil
	})
	must(t, err)
	for i := range n {
		if got := cmds[2*i+1].(*redis.StringCmd).Val(); got != fmt.Sprint(i) {
			t.Fatalf("reply %d is %q", i, got)
		}
	}
}

// goRedisTransactions lets clients raise a counter under WATCH: none of the rises may be lost.
func goRedisTransactions(ctx context.Context, t *testing.T, c *redis.Client) {
	const workers, rises = 4, 25
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for done := 0; done < rises; {
				err := c.Watch(ctx, func(tx *redis.Tx) error {
					n, err := tx.Get(ctx, "watched").Int()
					if err != nil && !errors.Is(err, redis.Nil) {
						return err
					}
					_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
						p.Set(ctx, "watched", n+1, 0)
						return nil
					})
					return err
				}, "watched")
				switch {
				case err == nil:
					done++
				case !errors.Is(err, redis.TxFailedErr):
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if n, err := c.Get(ctx, "watched").Int(); n != workers*rises {
		t.Errorf("the counter is %d, %v; want %d", n, err, workers*rises)
	}
}

func goRedisScan(ctx context.Context, t *testing.T, c *redis.Client) {
	seen := map[string]bool{}
	it := c.Scan(ctx, 0, "p*", 100).Iterator()
	for it.Next(ctx) {
		seen[it.Val()] = true
	}
	must(t, it.Err())
	if len(seen) != 2000 {
		t.Errorf("SCAN found %d keys of 2000", len(seen))
	}
	must(t, c.FlushDB(ctx).Err())
	if n := c.DBSize(ctx).Val(); n != 0 {
		t.Errorf("DBSIZE = %d after FLUSHDB", n)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func goRedisLists(ctx context.Context, t *testing.T, c *redis.Client) {
	if n, err := c.RPush(ctx, "l", "a", "b", "c").Result(); n != 3 || err != nil {
		t.Errorf("RPUSH = %d, %v", n, err)
	}
	must(t, c.LInsertAfter(ctx, "l", "a", "x").Err())
	must(t, c.LSet(ctx, "l", -1, "z").Err())
	if got := c.LRange(ctx, "l", 0, -1).Val(); !slices.Equal(got, []string{"a", "x", "b", "z"}) {
		t.Errorf("LRANGE = %v", got)
	}
	if at, err := c.LPos(ctx, "l", "b", redis.LPosArgs{}).Result(); at != 2 || err != nil {
		t.Errorf("LPOS = %d, %v", at, err)
	}
	if key, got, err := c.LMPop(ctx, "right", 3, "none", "l").Result(); key != "l" || len(got) != 3 || err != nil {
		t.Errorf("LMPOP = %q, %v, %v", key, got, err)
	}
	if got, err := c.BLPop(ctx, time.Second, "none", "l").Result(); !slices.Equal(got, []string{"l", "a"}) || err != nil {
		t.Errorf("BLPOP = %v, %v", got, err)
	}
	if err := c.BLPop(ctx, time.Second, "l").Err(); !errors.Is(err, redis.Nil) {
		t.Errorf("BLPOP of nothing: %v", err)
	}
}

// goRedisQueue is a queue as applications have it: workers wait for jobs, and move each to a list of
// those under way until it is done. Half of them have so little patience that their connections are
// often closed while they wait. Each job is done once, or was for one who had just gone, and is under way.
func goRedisQueue(ctx context.Context, t *testing.T, c *redis.Client) {
	const jobs, workers = 400, 8
	opt := *c.Options()
	opt.ContextTimeoutEnabled, opt.MaxRetries = true, -1
	impatient := redis.NewClient(&opt)
	defer impatient.Close()
	var wg sync.WaitGroup
	var done sync.Map
	work := func(c *redis.Client, patience time.Duration) {
		for {
			waits, cancel := context.WithTimeout(ctx, patience)
			job, err := c.BLMove(waits, "jobs", "under way", "left", "right", 0).Result()
			cancel()
			switch {
			case job == "stop":
				return
			case err == nil:
				if _, twice := done.LoadOrStore(job, true); twice {
					t.Errorf("%s is done twice", job)
				}
				c.LRem(ctx, "under way", 1, job)
			case ctx.Err() != nil:
				t.Error(err)
				return
			}
		}
	}
	for i := range workers {
		if i%2 == 0 {
			wg.Go(func() { work(c, time.Minute) })
		} else {
			wg.Go(func() { work(impatient, 2*time.Millisecond) })
		}
	}
	for i := range jobs {
		must(t, c.RPush(ctx, "jobs", fmt.Sprint("job ", i)).Err())
	}
	for c.LLen(ctx, "jobs").Val() > 0 {
		time.Sleep(time.Millisecond)
	}
	stopped := make(chan struct{})
	go func() { wg.Wait(); close(stopped) }()
	for waiting := true; waiting; {
		select {
		case <-stopped:
			waiting = false
		case <-time.After(time.Millisecond):
			c.RPush(ctx, "jobs", "stop") // it may be for one who has just gone
		}
	}
	lost := c.LRange(ctx, "under way", 0, -1).Val()
	for i := range jobs {
		job := fmt.Sprint("job ", i)
		if _, ok := done.Load(job); ok == slices.Contains(lost, job) {
			t.Errorf("%s: done %t, under way %t", job, ok, !ok)
		}
	}
}
