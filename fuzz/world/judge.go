package world

import (
	"encoding/binary"
	"fmt"
	"strings"

	"rondo/check/explore"
	"rondo/check/wire"
	"rondo/impl"
	"rondo/impl/kernel/sim"
	"rondo/model"
	"rondo/spec/commands"
)

// judge is the Observer of a world's server: it knows what ought to be executed, and what the replies
// ought to be.
type judge struct {
	w     *World
	state model.State
	byID  map[int64]*Client
	now   *execution // under way, nil for none
	spare policy
}

// execution is a command between its beginning and its end. The model makes its step at the end, when
// it is known which keys had to go before.
type execution struct {
	c      *Client
	cmd    [][]byte
	ms     int64
	starve bool
	gone   []place // keys that were not there, or not due, when the command began
}

// place is where a key is stored.
type place struct {
	db  int
	key string
}

// policy is what maxmemory-policy allows to evict.
type policy struct{ evicts, timed bool }

// finds tells whether there is a key in a state that may be evicted.
func (p policy) finds(s model.State) bool {
	all, mortal := s.Keys()
	return p.evicts && all > 0 && (!p.timed || mortal > 0)
}

// due is a reply that a client is owed. The server may have had a choice: then all that the model
// allows at that state is allowed.
type due struct {
	cmd     [][]byte
	reply   model.Reply
	chosen  bool
	before  model.State
	ms      int64
	anyText bool // an error of this beginning: what is no request
}

func newJudge(w *World, cfg *impl.Config) judge {
	timed := strings.HasPrefix(cfg.MemoryPolicy, "volatile-")
	o := model.Options{Databases: int(cfg.Databases), BulkLenMax: cfg.BulkBytesMax, Password: cfg.RequirePass,
		Told: w.clockJumps()}
	return judge{w: w, state: model.Initial(o), byID: map[int64]*Client{},
		spare: policy{timed || strings.HasPrefix(cfg.MemoryPolicy, "allkeys-"), timed}}
}

// clockJumps tells whether the wall clock may be set.
func (w *World) clockJumps() bool { return w.options.Faults[sim.WallJump] != 0 }

// session is what the client is in the model, which CLIENT UNBLOCK names as the server does.
func (c *Client) session() model.Client { return model.Client(c.id) }

// ---- what the server does ----

func (j *judge) Joined(id int64, addr string) {
	c := j.w.port.names[addr]
	if c == nil || j.byID[id] != nil || c.id != 0 {
		j.broken("CONN-18", "the number %d was given to %s, and is another's", id, addr)
		return
	}
	c.id = id
	j.byID[id] = c
}

func (j *judge) Executes(id int64, args [][]byte, nowMs int64) {
	j.w.port.note("execute", int(id), binary.AppendVarint(nil, nowMs))
	c := j.byID[id]
	if c == nil {
		j.broken("LOOP-8", "a command of a connection is executed that is not there")
		return
	}
	want, fault := c.nextFrame()
	switch {
	case fault != nil:
		j.broken("WIRE-3", "%s: %q is executed, and has not been sent", c.Name, args)
	case !sameWords(want, args):
		j.broken("CONN-3", "%s: %q is executed, and %q is next", c.Name, args, want)
	case c.seen > c.sent-c.Peer.Unread():
		j.broken("WIRE-3", "%s: %q is executed before it has arrived", c.Name, args)
	case j.state.Waiting(c.session()):
		j.broken("BLOCK-9", "%s: %q is executed while it waits", c.Name, args)
	case c.ended:
		j.broken("CONN-6", "%s: %q is executed after the end", c.Name, args)
	case (nowMs > j.w.Kernel.Wall()/1e6 || nowMs < c.asked()) && !j.w.clockJumps():
		j.broken("TIME-17", "%s: %q is executed at %d, and was sent at %d; it is %d", c.Name, args, nowMs,
			c.asked(), j.w.Kernel.Wall()/1e6)
	default:
		j.now = &execution{c: c, cmd: want, ms: nowMs}
	}
}

func (j *judge) Starves(id int64) {
	switch now := j.now; {
	case now == nil || now.c.id != id:
		j.broken("KEY-15", "a command is refused that is not executed")
	case j.spare.finds(j.state):
		j.broken("KEY-16", "%s: %s is refused, and a key may be evicted", now.c.Name, words(now.cmd))
	default:
		now.starve = true
	}
}

// Removed: the key of the model goes too, before the command under way makes its step. What goes that
// was not due then, the command itself has put there.
func (j *judge) Removed(db int, key []byte, evicted bool, nowMs int64) {
	if j.w.options.Unjudged {
		return
	}
	if wall := j.w.Kernel.Wall() / 1e6; !j.w.clockJumps() {
		nowMs = min(nowMs, wall)
	}
	at, mortal, stored := j.state.Deadline(db, string(key))
	due := stored && mortal && at.Off < nowMs
	switch {
	case !evicted && !due && j.now != nil:
		j.now.gone = append(j.now.gone, place{db, string(key)})
		return
	case !evicted && !stored && !j.w.clockJumps(): // the model has looked at it before, and let it go
	case !evicted && !due:
		j.broken("TIME-3", "%q of database %d is removed at %d, and its deadline is not before", key, db, nowMs)
	case evicted && !stored:
		j.broken("KEY-18", "%q of database %d is evicted, and is not there", key, db)
	case evicted && (!j.spare.evicts || j.spare.timed && !mortal):
		j.broken("KEY-17", "%q of database %d is evicted, and may not be", key, db)
	}
	j.state = model.Remove(j.state, db, string(key))
}

func (j *judge) Executed(int64) {
	now := j.now
	if j.now = nil; now == nil {
		return
	}
	j.step(now)
	for _, p := range now.gone {
		if at, mortal, _ := j.state.Deadline(p.db, p.key); mortal && at.Off < now.ms {
			j.state = model.Remove(j.state, p.db, p.key)
		}
	}
}

// step runs the model, and owes its replies to whom they are for.
func (j *judge) step(now *execution) {
	c, cmd := now.c, now.cmd
	if j.w.options.Unjudged {
		c.ended = c.ended || isQuit(cmd)
		c.due = append(c.due, due{cmd: cmd, reply: model.Reply{Kind: model.Any}})
		return
	}
	before := j.state
	if now.starve {
		after, outs, may := model.Starve(before, c.session(), cmd)
		if !may {
			j.broken("KEY-15", "%s: %s is refused, and needs no memory", c.Name, words(cmd))
		}
		j.state = after
		j.owe(c, outs, due{cmd: cmd}, words(cmd))
		return
	}
	c.ended = c.ended || isQuit(cmd)
	env := model.Concrete{Ms: now.ms}
	chosen := false
	env.Pick = func(int) int { chosen = true; return 0 }
	asked, elsewhere := cmd, commands.Elsewhere(string(cmd[0]))
	if elsewhere { // the model knows that Redis has it, and this server has not: it refuses the name
		asked = [][]byte{[]byte("nosuch")}
	}
	after, outs := model.Step(&env, before, c.session(), asked)
	if j.state = after; elsewhere && len(outs) > 0 {
		outs[0].Msg = model.Like(model.Err("ERR unknown command"))
	}
	d := due{cmd: cmd, chosen: chosen, before: before, ms: now.ms}
	j.owe(c, outs, d, words(cmd))
}

func isQuit(cmd [][]byte) bool { return len(cmd) == 1 && strings.EqualFold(string(cmd[0]), "quit") }

func (j *judge) TimesOut(id int64) {
	c := j.byID[id]
	if c == nil || j.w.options.Unjudged {
		return
	}
	now := j.w.Kernel.Wall() / 1e6
	for _, e := range model.Due(j.state) {
		if e.Client != c.session() {
			continue
		}
		if e.At.Off > now && !j.w.clockJumps() {
			j.broken("BLOCK-4", "%s is told %d ms too soon that its time is up", c.Name, e.At.Off-now)
			return
		}
		after, outs := model.Fire(&model.Concrete{Ms: now}, j.state, e)
		j.state = after
		j.owe(c, outs, due{cmd: [][]byte{[]byte("a timeout")}}, "its time is up")
		return
	}
	j.broken("BLOCK-4", "%s is told that its time is up, and does not wait", c.Name)
}

// owe makes the replies due that the model gives to what c does.
func (j *judge) owe(c *Client, outs []model.Out, d due, what string) {
	for _, out := range outs {
		d.reply = out.Msg
		to := j.byID[int64(out.To)]
		to.due = append(to.due, d)
		switch {
		case !j.w.options.Shown:
		case to == c:
			j.w.show(explore.Row{Loop: fmt.Sprintf("%s: %s -> %s", c.Name, what, out.Msg)})
		default:
			j.w.show(explore.Row{Loop: fmt.Sprintf("and %s -> %s", to.Name, out.Msg)})
		}
	}
	if len(outs) == 0 && j.w.options.Shown {
		j.w.show(explore.Row{Loop: c.Name + ": " + what + " -> waits"})
	}
}

// StopsWaiting: of what the model knows of the client nothing matters any more.
func (j *judge) StopsWaiting(id int64) {
	if c := j.byID[id]; c != nil {
		c.ended = true
		j.state = model.Close(j.state, c.session())
	}
}

func (j *judge) Malformed(id int64, text string) {
	c := j.byID[id]
	if c == nil {
		j.broken("LOOP-8", "a request of a connection is refused that is not there")
		return
	}
	if _, fault := c.nextFrame(); fault == nil || fault == errIncomplete {
		j.broken("WIRE-13", "%s sends a request, and is told %q", c.Name, text)
		return
	}
	j.w.show(explore.Row{Loop: c.Name + ": " + text})
	c.ended = true
	c.due = append(c.due, due{reply: model.Err(text), anyText: true})
}

func (j *judge) Left(id int64) {
	c := j.byID[id]
	if c == nil || c.left {
		j.broken("CONN-22", "a client has left that was not there")
		return
	}
	c.left = true
	j.state = model.Close(j.state, c.session())
}

func (j *judge) Sleeps(untilMono int64) {
	j.w.port.note("sleep", 0, binary.AppendVarint(nil, untilMono))
	if !j.w.options.Unaudited {
		_ = j.w.fail(j.w.Server.AuditSleep(untilMono))
	}
}

func (j *judge) broken(clause, how string, args ...any) {
	_ = j.w.fail(explore.Broken(clause, how, args...))
}

// errIncomplete: there is no frame, or only the beginning of one.
var errIncomplete = fmt.Errorf("incomplete")

// nextFrame takes the next request off what the client has sent, as the judge reads it.
func (c *Client) nextFrame() ([][]byte, error) {
	for {
		args, n, err := wire.ParseCommand(c.unread)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, errIncomplete
		}
		c.unread = c.unread[n:]
		c.seen += n
		if len(args) > 0 { // WIRE-8
			return args, nil
		}
	}
}

// complete tells whether the server ought to have executed more.
func (c *Client) complete() bool {
	unread := c.unread
	for {
		args, n, err := wire.ParseCommand(unread)
		if err != nil || len(args) > 0 {
			return true
		}
		if n == 0 {
			return false
		}
		unread = unread[n:]
	}
}

// ---- what clients receive ----

// receive judges the replies that are complete with these bytes.
func (c *Client) receive(data []byte) error {
	c.decoder.Feed(data)
	for {
		got, ok, err := c.decoder.Next()
		if err != nil {
			return explore.Broken("CONN-4", "%s: %v", c.Name, err)
		}
		if !ok {
			return nil
		}
		if c.id == 0 && got.Kind == model.Error && c.Peer.Closed() { // refused at the door (CONN-12)
			c.Replies = append(c.Replies, got)
			continue
		}
		if len(c.due) == 0 {
			return explore.Broken("CONN-1", "%s is answered %s, and is owed nothing", c.Name, got)
		}
		d := c.due[0]
		c.due = c.due[1:]
		if !d.allows(c.session(), got) {
			return explore.Broken("LIN-3", "%s: %s is answered %s, and the model answers %s",
				c.Name, words(d.cmd), got, d.reply)
		}
		c.Replies = append(c.Replies, got)
		c.recording.answered(c, got)
	}
}

func (d *due) allows(c model.Client, got model.Reply) bool {
	if d.anyText {
		return got.Kind == model.Error && got.Str == strings.NewReplacer("\r", " ", "\n", " ").Replace(d.reply.Str)
	}
	if model.Match(d.reply, got, model.Between) {
		return true
	}
	if !d.chosen {
		return false
	}
	_, _, ok := model.Accept(d.ms, d.before, c, d.cmd, got)
	return ok
}

// Quiescent tells who is still owed something, where nothing moves any more.
func (w *World) Quiescent() error {
	for _, c := range w.clients {
		switch {
		case w.endedInOrder(c) && c.complete() && !c.ended:
			return explore.Broken("CONN-5", "%s has sent %q before its end, which nobody executes", c.Name, c.unread)
		case w.endedInOrder(c) && len(c.due) > 0:
			return explore.Broken("CONN-5", "%s has ended its side, and is not answered %s", c.Name, c.due[0].reply)
		case !c.connected():
		case w.judge.state.Waiting(c.session()):
		case c.complete() && !c.ended && c.Peer.Unread() > 0:
			return explore.Broken("LOOP-18", "%s has sent %q, which nobody reads", c.Name, c.unread)
		case c.complete() && !c.ended:
			return explore.Broken("LOOP-18", "%s has sent %q, which nobody executes", c.Name, c.unread)
		case len(c.due) > 0:
			return explore.Broken("CONN-1", "%s is not answered %s", c.Name, c.due[0].reply)
		}
	}
	return nil
}

// endedInOrder tells whether nothing but an end was said, by either side: then all that was asked before
// is answered.
func (w *World) endedInOrder(c *Client) bool {
	orderly := c.Peer.Finished() || c.ended
	return orderly && c.id != 0 && !c.Peer.Broken() && !c.Peer.Gone() && !c.Peer.Dead() &&
		!w.options.Lossy && w.options.Faults == (sim.Faults{})
}

// present names a client whose session the server has not let go.
func (j *judge) present() string {
	for _, c := range j.w.clients {
		if c.id != 0 && !c.left {
			return c.Name
		}
	}
	return ""
}

// fingerprint appends what the judge expects. Of the model's times it matters how far away they are.
func (j *judge) fingerprint(b []byte) []byte {
	b = j.state.Shape(b)
	now := j.w.Kernel.Wall() / 1e6
	for _, at := range j.state.Instants(nil) {
		b = binary.AppendVarint(b, max(at.Off-now, -1))
	}
	for _, c := range j.w.clients {
		b = append(b, flags(c.ended, c.left))
		b = binary.AppendUvarint(b, uint64(len(c.plan)))
		b = append(b, c.decoder.Pending()...)
		b = binary.AppendUvarint(b, uint64(len(c.unread)))
		b = binary.AppendUvarint(b, uint64(len(c.due)))
		for _, d := range c.due {
			b = append(b, model.Fix(d.reply).String()...)
		}
	}
	return b
}

func flags(set ...bool) (b byte) {
	for i, v := range set {
		if v {
			b |= 1 << i
		}
	}
	return b
}

func sameWords(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if string(a[i]) != string(b[i]) {
			return false
		}
	}
	return true
}

// words is a command for people.
func words(cmd [][]byte) string {
	parts := make([]string, len(cmd))
	for i, w := range cmd {
		parts[i] = string(w)
	}
	return strings.Join(parts, " ")
}
