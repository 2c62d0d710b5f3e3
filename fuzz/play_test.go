package fuzz

import (
	"slices"
	"strings"

	"rondo/check/history"
	"rondo/check/linear"
	"rondo/model"
)

// play makes a history from bytes: a few clients, few keys, deadlines and operations of some
// milliseconds, so that most of them meet a deadline. Each operation takes bytes for its client,
// its command, how long after the one before it is called, how long it takes and when it has its
// effect; the server is the model under a clock that tests deadlines late, early or right.
type play struct {
	r     *reader
	free  map[int]int64 // client: from when on it may call
	names map[int]int   // client: the number of its connection
	born  int
}

const (
	playOpsMax  = 14
	playClients = 3
	playStart   = int64(1_000_000)
	playOffset  = int64(1_700_000_000_000_000_000)
)

func newPlay(r *reader) *play { return &play{r: r, free: map[int]int64{}, names: map[int]int{}} }

// act is an operation and when it takes effect.
type act struct {
	op   history.Op
	at   int64
	lost bool // its reply
	none bool // lost, and it had no effect
}

var (
	playTemplates = strings.Split("GET K|GET K|SET K V|SET K V PX T|SET K V NX|SET K V XX GET|INCR K|INCRBY K V|"+
		"DEL K|DEL K K|PTTL K|TTL K|PEXPIRE K T|PEXPIRE K T GT|PERSIST K|APPEND K V|GETDEL K|GETEX K PX T|"+
		"GETSET K V|MGET K K|MSET K V K V|MSETNX K V K V|EXISTS K K|RENAME K K|RENAMENX K K|COPY K K REPLACE|"+
		"SETNX K V|STRLEN K|GETRANGE K V T|PEXPIRETIME K", "|")
	playPools = map[string][]string{"K": {"a", "b", "c"}, "V": {"1", "2", "x", ""}, "T": {"1", "2", "3", "6"}}
)

// history is what the bytes say, in call order; honest tells whether a correct server made it.
func (p *play) history() (h *history.History, honest bool) {
	h = &history.History{Meta: history.Meta{Profile: history.Frozen,
		Offset: &history.Offset{Low: playOffset, High: playOffset}}}
	late := [...]int64{0, 0, 0, 0, 0, 1, -1, 2}[p.r.below(8)]
	changed := p.r.below(4) == 0
	var acts []*act
	for now := playStart; !p.r.done() && len(acts) < playOpsMax; {
		a := p.act(&now)
		acts = append(acts, a)
	}
	serve(acts, late)
	if changed && len(acts) > 0 {
		change(acts[p.r.below(len(acts))])
	}
	for _, a := range acts {
		h.Ops = append(h.Ops, a.op)
	}
	inCallOrder(h.Ops)
	return h, late == 0 && !changed
}

func (p *play) act(now *int64) *act {
	client := p.r.below(playClients)
	*now += p.grain(3)
	a := &act{}
	a.op.Call = max(*now, p.free[client])
	took := p.grain(4) + 1
	a.op.Return = a.op.Call + took
	a.at = a.op.Call + took*int64(p.r.below(5))/4
	p.free[client] = a.op.Return + 1
	if p.names[client] == 0 {
		p.born++
		p.names[client] = p.born
	}
	a.op.Client = p.names[client]
	p.command(a)
	if how := p.r.below(16); how < 2 {
		a.lost, a.none = true, how == 1
		p.names[client] = 0 // nobody waits longer on this connection
	}
	return a
}

// grain is a time of so many milliseconds at most. Many are equal, and many are whole ones.
func (p *play) grain(ms int) int64 { return int64(p.r.below(4*ms)) * 250_000 }

// command is one line, or a transaction of some.
func (p *play) command(a *act) {
	if p.r.below(8) > 0 {
		a.op.Cmd = p.line()
		return
	}
	a.op.Cmd = toArgs([]string{"EXEC"})
	for range p.r.below(3) + 1 {
		a.op.Body = append(a.op.Body, p.line())
	}
}

func (p *play) line() [][]byte {
	var words []string
	for word := range strings.FieldsSeq(p.r.pick(playTemplates)) {
		if pool := playPools[word]; pool != nil {
			word = p.r.pick(pool)
		}
		words = append(words, word)
	}
	return toArgs(words)
}

// serve gives the operations their replies, in the order of their effects.
func serve(acts []*act, lateMs int64) {
	order := slices.Clone(acts)
	slices.SortStableFunc(order, func(a, b *act) int { return int(min(1, max(-1, a.at-b.at))) })
	state := model.Initial(modelOptions)
	for _, a := range order {
		env := &linear.Shifted{LateMs: lateMs}
		env.Ms = (a.at + playOffset) / 1e6
		if !a.none {
			var reply model.Reply
			state, reply = execute(env, state, &a.op)
			a.op.Reply = &reply
		}
		if a.lost {
			a.op.Reply, a.op.Return = nil, history.Never
		}
	}
}

// execute runs an operation on the model.
func execute(env model.Env, s model.State, op *history.Op) (model.State, model.Reply) {
	client := model.Client(op.Client)
	var outs []model.Out
	if op.Body != nil {
		s, _ = model.Step(env, s, client, toArgs([]string{"MULTI"}))
		for _, cmd := range op.Body {
			s, _ = model.Step(env, s, client, cmd)
		}
	}
	s, outs = model.Step(env, s, client, op.Cmd)
	return s, model.Fix(outs[0].Msg)
}

// change makes a reply another one.
func change(a *act) {
	if a.op.Reply == nil {
		return
	}
	r := *a.op.Reply
	switch {
	case r.Kind == model.Int:
		r.Int++
	case r.IsNull():
		r = model.Str("x")
	case len(r.Elems) > 0:
		r.Elems = slices.Clone(r.Elems)
		r.Elems[0] = model.Num(7)
	default:
		r.Str += "1"
	}
	a.op.Reply = &r
}
