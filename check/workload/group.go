package workload

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"rondo/check/target"
)

// group is some clients on a fresh set of keys, which no other group touches: its operations are
// one component of the history, small enough to be decided.
type group struct {
	run    *run
	shape  shape
	plan   plan
	keys   []string
	board  board
	losses atomic.Int64

	clients []*client
}

// shape is what the seed decides about a group.
type shape struct {
	clients, keys, ops int
	think              time.Duration // mean pause of a client between two things it does
	large              bool          // makes no transactions, which make components hard
}

// tempi are the mean pauses. A hot key never expires: somebody overwrites it first. So most groups
// are slow enough that overwrites are about as far apart as the short TTLs, and some are not, for
// contention.
var tempi = []time.Duration{0, 0, time.Millisecond, 2 * time.Millisecond, 4 * time.Millisecond,
	6 * time.Millisecond}

func rngOf(seed int64, group, slot int) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(seed), uint64(group)<<16|uint64(slot)))
}

// shapeOf draws the n-th group of a run of so many operations, with at most clientsMax connections
// and opsMax operations. A long run has large groups too, on one key that may be hot; a short one
// needs many small ones.
func shapeOf(seed int64, n, runOps, clientsMax, opsMax int) shape {
	rng := rngOf(seed, n, 0xffff)
	sizes, share, most := []int{2, 4, 4, 8, 8}, 25+rng.IntN(35), SeveralOpsMax
	s := shape{keys: 1 + rng.IntN(GroupKeysMax), think: tempi[rng.IntN(len(tempi))]}
	if s.keys == 1 && runOps >= LargeGroupsMin && n >= LargeGroupsFrom {
		s.large, sizes, share, most = true, []int{4, 8, 8, 16, 16}, 3*share, GroupOpsMax
	}
	s.clients = min(sizes[rng.IntN(len(sizes))], clientsMax)
	if s.think == 0 { // always in flight: half as many are as hard to decide
		s.clients = min(s.clients, sizes[len(sizes)-1]/2)
	}
	s.ops = min(s.clients*share, most, opsMax)
	return s
}

// forQueues makes a group smaller for clients that wait: all of them are in flight nearly always.
func (s shape) forQueues() shape {
	s.clients, s.ops, s.large = min(s.clients, QueueClientsMax), min(s.ops, QueueOpsMax), false
	return s
}

func newGroup(r *run, n int, s shape) *group {
	g := &group{run: r, shape: s, plan: r.plan}
	if s.large {
		g.plan = r.large
	}
	tag := r.target.Tag(fmt.Sprintf("%s.%d", r.prefix, n))
	for i := range s.keys {
		g.keys = append(g.keys, fmt.Sprintf("%s%s%c", target.KeyPrefix, tag, 'a'+i))
	}
	g.board.keys = g.keys
	return g
}

// work runs the clients of the group to their end.
func (g *group) work(n int) {
	var all sync.WaitGroup
	for slot := range g.shape.clients {
		g.clients = append(g.clients, &client{g: g, left: g.share(slot), s: &source{
			rng: rngOf(g.run.opt.Seed, n, slot), plan: g.plan, keys: g.keys,
			slot: int64(slot), wallMs: g.run.wallMs,
		}})
	}
	for _, c := range g.clients {
		all.Add(1)
		go func() {
			defer all.Done()
			c.live()
		}()
	}
	all.Wait()
	g.run.end(g)
	g.clean()
}

// burst is the deepest pipeline of this group. What is in flight at once is what makes a component
// hard to decide, so many clients send short ones.
func (g *group) burst() int {
	flight := SeveralFlightMax
	if g.shape.large {
		flight = GroupFlightMax
	}
	return max(2, min(BurstMax, flight/g.shape.clients))
}

// share divides the operations of the group among its clients.
func (g *group) share(slot int) int {
	n := g.shape.ops / g.shape.clients
	if slot < g.shape.ops%g.shape.clients {
		n++
	}
	return n
}

// waiter is a client of the group whose waiting c may end: one that waits, if there is any.
func (g *group) waiter(c *client) (found *client) {
	for _, i := range c.s.rng.Perm(len(g.clients)) {
		if other := g.clients[i]; other != c && (found == nil || other.waiting.Load()) {
			found = other
		}
	}
	return found
}

// mayLose counts a connection that is going to die.
func (g *group) mayLose() bool { return g.losses.Add(1) <= GroupLossesMax }

// clean deletes the keys of the group: a run leaves nothing behind. Nobody looks at them any
// more, so this is no operation of the history, and if it fails that is no finding.
func (g *group) clean() {
	conn, err := g.run.pool.get()
	if err != nil {
		return
	}
	if _, err := conn.Do(append([]string{"DEL"}, g.keys...)...); err != nil {
		conn.Close()
		return
	}
	g.run.pool.put(conn)
}

// board holds for each key of a group when it will probably expire, for the clients that chase
// deadlines.
type board struct {
	keys  []string
	times [GroupKeysMax]atomic.Int64
}

func (b *board) put(key string, at int64) {
	for i, k := range b.keys {
		if k == key {
			b.times[i].Store(at)
		}
	}
}

// next is the earliest deadline that is still to come and comes soon.
func (b *board) next(now int64) (key string, at int64, ok bool) {
	const soon = int64((ShortTTLMax + NearMs) * time.Millisecond)
	for i, k := range b.keys {
		t := b.times[i].Load()
		if t > now && t < now+soon && (!ok || t < at) {
			key, at, ok = k, t, true
		}
	}
	return key, at, ok
}
