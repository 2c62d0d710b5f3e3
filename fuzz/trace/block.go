package trace

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// block.pml: commands that wait. Requests are units and replies are taken at once, all of them. A timeout
// that comes is a moment of the clock, and the same for everybody.

// Block is block.pml.
var Block = Model{
	Name:   "block",
	unseen: map[string]bool{"SEND": true, "LEAVE": true, "DUE": true, "REPLY": true},
	player: func(a *actor) player { return &blockPlayer{actor: a, timeouts: timeouts(a.script)} },
	scribe: func(r *recorder) scribe { return newBlockScribe(r) },
}

// The operations of the model, and the first replies.
const (
	opPop = iota
	opPopTime
	opPush
	opPushTwo
	opUnblock // of client 0, and so on
)

const (
	replyNull    = iota
	replyNumber  // 0, and 2 more is 1, and so on
	replyElement // likewise
)

// timeoutMax is later than all that come due in a trace.
const timeoutMax = 40 * time.Millisecond

// wait is what is known of the waiting of a client.
type wait struct {
	timeouts []time.Duration // of the requests
	deadline int64           // of the wait that may be under way; 0: none
	armed    int             // where in the trace that began
	told     bool            // that its timeout has come stands there
	replied  int             // requests, by what was written
	ending   bool            // the server has found the end of the client
	stops    bool            // in a wait, and that has to be told
}

// words are those of the next request that a client sends.
func (st *stage) words(s *seat, op int, timeout time.Duration) []string {
	element := 2 * (s.client*st.Requests + len(s.sent))
	switch op {
	case opPop:
		return []string{"BLPOP", "k", "0"}
	case opPopTime:
		return []string{"BLPOP", "k", strconv.FormatFloat(timeout.Seconds(), 'f', -1, 64)}
	case opPush:
		return []string{"RPUSH", "k", label(element)}
	case opPushTwo:
		return []string{"RPUSH", "k", label(element), label(element + 1)}
	}
	return []string{"CLIENT", "UNBLOCK", fmt.Sprint(st.seats[op-opUnblock].id)}
}

func label(element int) string { return fmt.Sprintf("e%d", element) }

// send lets a request arrive.
func (st *stage) send(s *seat, op int, timeout time.Duration) {
	words := st.words(s, op, timeout)
	s.ops, s.wait.timeouts, s.sent = append(s.ops, op), append(s.wait.timeouts, timeout), append(s.sent, words)
	s.rx = append(s.rx, frame(words))
}

// begins notes that a client may wait from now on, and counts the request.
func (st *stage) begins(s *seat, at int) {
	s.wait.deadline, s.wait.told = 0, false
	if s.ops[s.done] == opPopTime {
		s.wait.deadline, s.wait.armed = st.Mono()+int64(s.wait.timeouts[s.done]), at
	}
	s.done++
}

// due is the set of those whose timeout has come.
func (st *stage) due() int {
	return st.set(func(s *seat) bool { return s.wait.deadline != 0 && s.wait.deadline <= st.Mono() })
}

// first is the earliest deadline; 0 if there is none.
func (st *stage) first() (first int64) {
	for _, s := range st.seats {
		if s.wait.deadline != 0 && (first == 0 || s.wait.deadline < first) {
			first = s.wait.deadline
		}
	}
	return first
}

// What a wait is for, in a TURN: never, or
const (
	work      = iota // it ends at once
	aDeadline        // of somebody who waits
)

// until says what the server waits for. That is the deadline which comes first, to the nanosecond.
func (st *stage) until(until, began int64) (int, error) {
	switch first := st.first(); {
	case until <= began && until != first:
		return work, nil
	case first != 0 && until == first:
		return aDeadline, nil
	case first == 0 && until >= began+int64(idleMin):
		return never, nil
	default:
		return 0, fmt.Errorf("the server sleeps until %d, and the first deadline is %d", until, first)
	}
}

// ends notes that the server has found the end of a client.
func (s *seat) ends(waits bool) { s.wait.deadline, s.wait.ending, s.wait.stops = 0, true, waits }

// mayClose: only who has left is closed, and if it waited that was told.
func (s *seat) mayClose() error {
	if !s.wait.ending || s.wait.stops {
		return fmt.Errorf("client %d is closed, and has ended: %t, and still waits: %t",
			s.client, s.wait.ending, s.wait.stops)
	}
	return nil
}

// told are the replies that a client is written, by their numbers.
func (b Bounds) told(bytes string) (numbers []int, err error) {
	for bytes != "" {
		reply, n := firstReply(bytes, replyElement+4*b.Clients*b.Requests, told)
		if n < 0 {
			return nil, fmt.Errorf("%q is no reply of the model", bytes)
		}
		numbers, bytes = append(numbers, n), bytes[len(reply):]
	}
	return numbers, nil
}

// told is the reply that a number of the model stands for.
func told(n int) string {
	switch {
	case n == replyNull:
		return "*-1\r\n"
	case n%2 == replyNumber:
		return fmt.Sprintf(":%d\r\n", (n-replyNumber)/2)
	}
	return "*2\r\n" + bulk("k") + bulk(label((n-replyElement)/2))
}

// ---- model to server ----

type blockPlayer struct {
	*actor
	timeouts map[[2]int]time.Duration
}

// timeouts are those of the requests (a client and a number) that are executed. Each DUE of the script is a
// millisecond after the one before, and has to find the wait which it ends at its deadline.
func timeouts(script []Event) map[[2]int]time.Duration {
	all, begun := map[[2]int]time.Duration{}, map[[2]int]time.Duration{}
	executed := map[int]int{}
	now := time.Duration(0)
	for _, e := range script {
		switch e.Name {
		case "ASK":
			request := [2]int{e.A, executed[e.A]}
			all[request], begun[request] = timeoutMax, now
			executed[e.A]++
		case "DUE":
			waits := [2]int{e.A, executed[e.A] - 1}
			now += time.Millisecond
			all[waits] = now - begun[waits]
		}
	}
	return all
}

func (a *blockPlayer) happen(e Event) error {
	s := a.seats[e.A]
	switch e.Name {
	case "SEND":
		a.send(s, e.B, a.timeouts[[2]int{e.A, len(s.ops)}])
	case "LEAVE":
		s.left = true
	case "REPLY": // what it says is known when it is written
		s.wait.deadline = 0
	case "DUE":
		a.tick()
		if s.wait.deadline != a.Mono() {
			return fmt.Errorf("%v, and its deadline is in %d ns", e, s.wait.deadline-a.Mono())
		}
	}
	return nil
}

func (a *blockPlayer) wait(until int64) error {
	forWhat, err := a.until(until, a.began)
	if err != nil {
		return err
	}
	if forWhat != a.turn.A {
		return fmt.Errorf("the server waits for %d, and the model %v", forWhat, a.turn)
	}
	return a.wake(a.due, a.rest)
}

func (a *blockPlayer) rest() error {
	for _, s := range a.seats {
		if s.left != s.gone || s.wait.deadline != 0 {
			return fmt.Errorf("the model is at rest, and client %d is %+v", s.client, *s)
		}
	}
	return nil
}

func (a *blockPlayer) read(s *seat) error {
	if err := a.world(); err != nil {
		return err
	}
	if len(s.rx) > 0 {
		return a.reads(s)
	}
	e, err := a.next("CLOSE", s.client)
	s.ends(e.B != 0)
	return err
}

func (a *blockPlayer) clock() error { return nil }

func (a *blockPlayer) executes(s *seat, args []string, _ int64) error {
	e, err := a.next("ASK", s.client)
	if err != nil {
		return err
	}
	if err := s.asks(e.B, args); err != nil {
		return err
	}
	a.begins(s, a.at)
	return nil
}

func (a *blockPlayer) write(s *seat, bytes string) (int, error) {
	numbers, err := a.told(bytes)
	if err != nil {
		return 0, err
	}
	for _, n := range numbers {
		e, err := a.next("WRITE", s.client)
		if err != nil {
			return 0, err
		}
		if e.B != n {
			return 0, fmt.Errorf("the server replies %d in %q, and the model %v", n, bytes, e)
		}
	}
	return len(bytes), nil
}

func (a *blockPlayer) timesOut(s *seat) error {
	_, err := a.next("FIRE", s.client)
	return err
}

func (a *blockPlayer) stopsWaiting(s *seat) error {
	if !s.wait.stops {
		return fmt.Errorf("client %d stops waiting, and in the model it does not wait", s.client)
	}
	s.wait.stops = false
	return nil
}

func (a *blockPlayer) closed(s *seat) error { return s.mayClose() }

// ---- server to model ----

// recordedMs is the longest timeout of a recording.
const recordedMs = 3

type blockScribe struct {
	*recorder
	leavers int // the set of those who may leave: most stay, or there is little to see
}

func newBlockScribe(r *recorder) *blockScribe {
	some := r.random(256)
	return &blockScribe{r, some & r.random(256)}
}

func (r *blockScribe) can() (can []func()) {
	for _, s := range r.seats {
		if s.left {
			continue
		}
		if len(s.ops) < r.Requests {
			can = append(can, func() { r.sendSome(s) })
		}
		if r.leavers>>s.client&1 != 0 {
			can = append(can, func() {
				r.note("LEAVE", s.client, 0)
				s.left = true
			})
		}
	}
	if r.first() > r.Mono() {
		can = append(can, r.tick)
	}
	return can
}

func (r *blockScribe) sendSome(s *seat) {
	// More wait than push: else few timeouts come.
	op := []int{opPop, opPopTime, opPopTime, opPush, opPushTwo, opUnblock}[r.random(6)]
	if op == opUnblock {
		op += r.random(r.Clients)
	}
	r.note("SEND", s.client, op)
	r.send(s, op, time.Duration(1+r.random(recordedMs))*time.Millisecond)
}

func (r *blockScribe) wait(until int64) error {
	n, err := r.until(until, r.began)
	if err != nil {
		return err
	}
	r.sleeps(n)
	return r.wake(until, r.comeDue)
}

// comeDue notes whose timeouts have come, the first first, and gives the set of them. Until the server
// wakes nobody can see that, whenever it was.
func (r *blockScribe) comeDue() int {
	seats := slices.Clone(r.seats)
	slices.SortFunc(seats, func(s, t *seat) int {
		return cmp.Or(cmp.Compare(s.wait.deadline, t.wait.deadline), cmp.Compare(s.wait.armed, t.wait.armed))
	})
	due := r.due()
	for _, s := range seats {
		if due>>s.client&1 != 0 && !s.wait.told {
			r.note("DUE", s.client, 0)
			s.wait.told = true
		}
	}
	return due
}

func (r *blockScribe) read(s *seat) error {
	if len(s.rx) > 0 || !s.left {
		return r.reads(s)
	}
	r.world()
	r.note("CLOSE", s.client, 0)
	s.ends(false)
	return nil
}

func (r *blockScribe) clock() error {
	r.world()
	return nil
}

func (r *blockScribe) executes(s *seat, args []string, _ int64) error {
	if err := r.asks(s, args); err != nil {
		return err
	}
	r.begins(s, len(r.script))
	return nil
}

// write takes all. Who has been replied to all that was executed does not wait.
func (r *blockScribe) write(s *seat, bytes string) (int, error) {
	r.world()
	numbers, err := r.told(bytes)
	for _, n := range numbers {
		r.note("WRITE", s.client, n)
	}
	if s.wait.replied += len(numbers); s.wait.replied == s.done {
		s.wait.deadline = 0
	}
	return len(bytes), err
}

func (r *blockScribe) timesOut(s *seat) error {
	r.note("FIRE", s.client, 0)
	return nil
}

func (r *blockScribe) stopsWaiting(s *seat) error {
	last := &r.script[len(r.script)-1]
	if last.Name != "CLOSE" || last.A != s.client {
		return fmt.Errorf("client %d stops waiting after %v", s.client, *last)
	}
	last.B = 1
	return nil
}

func (r *blockScribe) closed(s *seat) error { return s.mayClose() }
