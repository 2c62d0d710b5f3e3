package workload

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"rondo/check/history"
	"rondo/check/wire"
	"rondo/model"
)

// client is one of the clients of a group. It lives on when its connection dies, as a new client of
// the history.
type client struct {
	g    *group
	s    *source
	conn *wire.Conn
	log  *history.Log
	left int // operations it may still record

	called int64 // stamp of its latest request

	// What others know of it, while they may: under which name its connection can be unblocked, which
	// stays its own as long as somebody holds named; and that a command is on its way that may wait.
	named   sync.RWMutex
	name    atomic.Pointer[name]
	waiting atomic.Bool
}

// name is what a connection is called: by the server, and in the history.
type name struct{ id, number string }

// request is one command on its way.
type request struct {
	step
	inner []step   // of EXEC
	want  string   // the only simple string it may be answered with; such a request is not recorded
	told  [][]byte // what is recorded in its place, where that differs
}

func record(st step) request { return request{step: st} }

func unrecorded(st step, want string) request { return request{step: st, want: want} }

func bare(command string) step { return step{args: [][]byte{[]byte(command)}} }

// encode returns the bytes of the requests and where each of them ends.
func encode(reqs []request) (buf []byte, ends []int) {
	for _, r := range reqs {
		buf = wire.AppendCommand(buf, r.args...)
		ends = append(ends, len(buf))
	}
	return buf, ends
}

func (c *client) now() int64 { return c.g.run.rec.Now() }

// live works until the client's share of operations is used up or the run ends.
func (c *client) live() {
	defer c.leave()
	for c.left > 0 && !c.g.run.over.Load() {
		if c.conn == nil && !c.open() {
			return
		}
		name := c.s.pick(c.s.plan.forms, c.s.plan.formSums)
		if c.left < formOpsMax {
			name = "single"
		}
		pause := time.Duration(c.s.rng.ExpFloat64() * float64(c.g.shape.think))
		forms[name].run(c)
		if pause > 0 {
			time.Sleep(pause)
		}
	}
}

// formOpsMax is how many operations one form may record.
const formOpsMax = BurstMax + 1

// open takes a connection and begins a log.
func (c *client) open() bool {
	conn, err := c.g.run.pool.get()
	if err != nil {
		if !c.g.run.over.Load() {
			c.g.run.fail(fmt.Errorf("workload: connect: %w", err))
		}
		return false
	}
	c.conn, c.log = conn, c.g.run.rec.Open()
	if c.s.plan.waits {
		c.introduce()
	}
	return true
}

// introduce asks the server for the number of the connection. One that does not tell is not unblocked.
func (c *client) introduce() {
	if r, err := c.conn.Do("CLIENT", "ID"); err == nil && r.Kind == model.Int {
		c.name.Store(&name{strconv.FormatInt(r.Int, 10), strconv.Itoa(c.log.Client)})
	}
}

// leave ends the log and gives the connection to whoever comes next.
func (c *client) leave() {
	if c.conn != nil {
		c.log.Close()
		c.named.Lock()
		c.name.Store(nil)
		c.named.Unlock()
		c.g.run.pool.put(c.conn)
		c.conn = nil
	}
}

// close ends the log and the connection.
func (c *client) close() {
	c.log.Close()
	c.name.Store(nil)
	c.conn.Close()
	c.conn = nil
}

// several draws n commands.
func (c *client) several(n int) []request {
	reqs := make([]request, n)
	for i := range reqs {
		reqs[i] = record(c.s.next())
	}
	return reqs
}

// transaction draws MULTI, n commands, EXEC. Only EXEC is recorded, with its body.
func (c *client) transaction(n int) []request {
	reqs := []request{unrecorded(bare("multi"), "OK")}
	exec := record(bare("exec"))
	for range n {
		st := c.s.next()
		exec.inner = append(exec.inner, st)
		reqs = append(reqs, unrecorded(st, "QUEUED"))
	}
	return append(reqs, exec)
}

// do sends requests in so many writes and reads and records their replies. It reports whether the
// connection is still there.
func (c *client) do(pieces int, reqs ...request) bool {
	c.log.Begin()
	defer c.log.End()
	buf, ends := encode(reqs)
	c.waiting.Store(slices.ContainsFunc(reqs, func(r request) bool { return r.waits && r.want == "" }))
	defer c.waiting.Store(false)
	calls, err := c.send(buf, ends, pieces)
	got := 0
	for err == nil && got < len(calls) {
		if err = c.receive(reqs[got], calls[got]); err == nil {
			got++
		}
	}
	switch {
	case err == nil:
		return true
	case errors.Is(err, errDeclined): // it had no effect; what EXEC makes of that is not for a history
		c.forget(reqs[got+1:], calls[got+1:])
		return false
	}
	c.forget(reqs[got:], calls[got:])
	if c.g.run.opt.Fault != "" && brokenClause(err) == "CONN-1" {
		c.g.run.pool.close() // those that nobody uses may be dead too
		return false
	}
	c.g.run.broke(brokenClause(err), fmt.Sprintf("%s: %v", describe(reqs[got:]), err))
	return false
}

// send writes buf cut at random bytes. The call stamp of a request is taken just before the write
// of its last byte: before that it must not be executed (WIRE-1). A request whose last byte no
// write has tried to send gets none.
func (c *client) send(buf []byte, ends []int, pieces int) (calls []int64, err error) {
	cuts := []int{len(buf)}
	for range pieces - 1 {
		cuts = append(cuts, 1+c.s.rng.IntN(len(buf)))
	}
	sort.Ints(cuts)
	from := 0
	for _, to := range cuts {
		if to == from {
			continue
		}
		if from > 0 {
			time.Sleep(time.Duration(c.s.rng.Int64N(int64(PieceGapMax))))
		}
		c.called = c.now()
		for len(calls) < len(ends) && ends[len(calls)] <= to {
			calls = append(calls, c.called)
		}
		if err := c.conn.SendRaw(buf[from:to]); err != nil {
			return calls, err
		}
		from = to
	}
	return calls, nil
}

// receive reads the reply of one request and records it.
func (c *client) receive(r request, call int64) error {
	reply, err := c.conn.Receive(time.Now().Add(ReplyTimeout))
	if err != nil {
		return err
	}
	returned := c.now()
	if why := c.g.run.target.Excuse(reply); why != "" {
		c.left--
		c.g.run.declined(why)
		return errDeclined
	}
	if c.g.run.refused(reply) {
		time.Sleep(DialPause) // it will say the same for a while
		return errDeclined
	}
	if r.want == "" {
		c.append(r, call, returned, &reply)
		for _, st := range append(r.inner, r.step) {
			if st.hasLife {
				c.g.board.put(st.key, call+st.life*int64(time.Millisecond))
			}
		}
		return nil
	}
	if reply.Kind != model.Simple || reply.Str != r.want {
		return fmt.Errorf("%w: %s, expected +%s", errQueue, reply.String(), r.want)
	}
	return nil
}

func (c *client) append(r request, call, returned int64, reply *model.Reply) {
	op := history.Op{Call: call, Return: returned, Cmd: r.args, Reply: reply}
	if r.told != nil {
		op.Cmd = r.told
	}
	for _, st := range r.inner {
		op.Body = append(op.Body, st.args)
	}
	c.log.Append(op)
	c.left--
	c.g.run.done.Add(1)
}

// forget records what was sent and not answered, and drops the connection.
func (c *client) forget(reqs []request, calls []int64) {
	for i, call := range calls {
		if reqs[i].want == "" {
			c.append(reqs[i], call, history.Never, nil)
		}
	}
	c.close()
}

// die sends the requests but for the last `short` bytes and ends the connection without reading.
func (c *client) die(reqs []request, short int) {
	buf, ends := encode(reqs)
	reset, linger := c.s.rng.IntN(2) == 0, time.Duration(c.s.rng.Int64N(int64(LingerMax)))
	c.log.Begin()
	defer c.log.End()
	calls, _ := c.send(buf[:len(buf)-short], ends, 1)
	time.Sleep(linger)
	if reset {
		c.conn.Reset()
	}
	c.forget(reqs, calls)
}

// hunt reads a key one to three times within NearMs of a deadline, at moments chosen by chance. The
// key dies with the first tick after the deadline, hence half a millisecond later.
func (c *client) hunt(key string, deadline int64) {
	const near = int64(NearMs * time.Millisecond)
	moments := make([]int64, 1+c.s.rng.IntN(3))
	for i := range moments {
		moments[i] = deadline + int64(time.Millisecond)/2 - near + c.s.rng.Int64N(2*near)
	}
	sort.Slice(moments, func(i, j int) bool { return moments[i] < moments[j] })
	for _, at := range moments {
		st := c.s.read(key)
		if c.left <= 0 || c.g.run.over.Load() {
			return
		}
		time.Sleep(time.Duration(at - c.now()))
		if !c.do(1, record(st)) {
			return
		}
	}
}

var (
	errQueue    = errors.New("answered")
	errDeclined = errors.New("declined")
)

// brokenClause names the obligation that an error of the connection breaks.
func brokenClause(err error) string {
	var malformed *wire.MalformedError
	switch {
	case errors.Is(err, errQueue):
		return "EXEC-1"
	case errors.As(err, &malformed):
		return "CONN-4"
	}
	return "CONN-1"
}

// describe shows the first of the requests that got no proper reply.
func describe(reqs []request) string {
	if len(reqs) == 0 {
		return "while sending"
	}
	return string(bytes.Join(reqs[0].args, []byte(" ")))
}
