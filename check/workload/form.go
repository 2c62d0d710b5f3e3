package workload

import "time"

// A form is a way in which commands travel: alone, in a burst, in pieces, in a transaction, on a
// connection that dies. Each does one thing and then leaves it to the client to think.
type form struct {
	needs []string
	run   func(c *client)
}

// forms are all of them; a Mix names them.
var forms = map[string]form{
	"single":      {run: single},
	"chase":       {run: chase},
	"burst":       {run: burst},
	"fragments":   {run: fragments},
	"transaction": {needs: []string{"multi", "exec"}, run: transaction},
	"watch":       {needs: []string{"multi", "exec", "watch", "unwatch", "discard"}, run: watch},
	"discard":     {needs: []string{"multi", "discard", "watch"}, run: discard},
	"lost":        {run: lost},
	"half":        {run: half},
	"unblock":     {needs: []string{"client"}, run: unblock},
}

// single sends one command and waits for its reply. Whoever sets a deadline that ends soon comes
// back for it half of the time: a deadline that nobody looks at proves nothing.
func single(c *client) {
	st, follow := c.s.next(), c.s.rng.IntN(2) == 0
	if c.do(1, record(st)) && follow && st.hasLife && st.life <= ShortTTLMax {
		c.hunt(st.key, c.called+st.life*int64(time.Millisecond))
	}
}

// chase reads around a deadline that some client of the group has set. It is also where a key is
// left alone until then: a key that is overwritten all the time never expires.
func chase(c *client) {
	if key, at, ok := c.g.board.next(c.now()); ok {
		c.hunt(key, at)
		return
	}
	single(c)
}

// burst sends several commands in one go and then reads their replies (CONN-1 to CONN-3).
func burst(c *client) {
	c.do(1, c.several(2+c.s.rng.IntN(c.g.burst()-1))...)
}

// fragments cuts one to three commands at random bytes (WIRE-2).
func fragments(c *client) {
	c.do(2+c.s.rng.IntN(PiecesMax-1), c.several(1+c.s.rng.IntN(min(3, c.g.burst())))...)
}

// transaction is MULTI to EXEC, half of the time in one write.
func transaction(c *client) {
	reqs := c.transaction(1 + c.s.rng.IntN(BodyMax))
	if c.s.rng.IntN(2) == 0 {
		c.do(1, reqs...)
		return
	}
	for _, r := range reqs {
		if !c.do(1, r) {
			return
		}
	}
}

// watch is the optimistic transaction: WATCH, a read, perhaps a pause in which others may write
// or a deadline may pass, then EXEC (or, now and then, a change of mind).
func watch(c *client) {
	keys := c.s.keysSome()
	pause := time.Duration(c.s.rng.ExpFloat64() * float64(c.g.shape.think))
	end, body := c.s.rng.IntN(10), c.transaction(1+c.s.rng.IntN(2))
	if !c.do(1, record(line(append([]string{"watch"}, keys...)...))) {
		return
	}
	if !c.do(1, record(c.s.read(keys[0]))) {
		return
	}
	time.Sleep(pause)
	switch end {
	case 0:
		c.do(1, record(bare("unwatch")))
	case 1: // own writes count as changes too (EXEC-10)
		if c.do(1, record(c.s.next())) {
			c.do(1, body...)
		}
	default:
		c.do(1, body...)
	}
}

// discard drops a transaction half made, with its watches (EXEC-8).
func discard(c *client) {
	reqs := c.transaction(1 + c.s.rng.IntN(2))
	reqs[len(reqs)-1] = record(bare("discard"))
	if c.do(1, record(line("watch", c.s.key()))) {
		c.do(1, reqs...)
	}
}

// unblock ends the waiting of another client of the group, of one that waits if there is such a one
// (BLOCK-7). That cannot leave its connection to others meanwhile, or it would be they who are hit.
func unblock(c *client) {
	other := c.g.waiter(c)
	if other == nil {
		single(c)
		return
	}
	other.named.RLock()
	defer other.named.RUnlock()
	name := other.name.Load()
	if name == nil {
		return
	}
	var how []string
	if c.s.rng.IntN(2) == 0 {
		how = []string{"error"}
	}
	r := record(line(append([]string{"client", "unblock", name.id}, how...)...))
	r.told = line(append([]string{"client", "unblock", name.number}, how...)...).args
	c.do(1, r)
}

// lost sends a command, a burst or a transaction and dies without having read a reply: what was
// sent happened or did not (LIN-5).
func lost(c *client) {
	if !c.g.mayLose() {
		single(c)
		return
	}
	reqs := c.several(1 + c.s.rng.IntN(2))
	if c.s.plan.transactions && c.s.rng.IntN(3) == 0 {
		reqs = c.transaction(1 + c.s.rng.IntN(2))
	}
	c.die(reqs, 0)
}

// half dies before the last byte of its last request, which must then have no effect (WIRE-3): that
// request is not recorded at all, so that any trace of it convicts. So do transactions without
// their EXEC (CONN-22).
func half(c *client) {
	if !c.g.mayLose() {
		single(c)
		return
	}
	reqs := []request{record(line("set", c.s.key(), c.s.value()))}
	if c.s.plan.transactions && c.s.rng.IntN(2) == 0 {
		reqs = c.transaction(1 + c.s.rng.IntN(2))
	}
	last, _ := encode(reqs[len(reqs)-1:])
	c.die(reqs, 1+c.s.rng.IntN(len(last)-1))
}
