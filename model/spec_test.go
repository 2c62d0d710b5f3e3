package model_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"rondo/model"
	"rondo/spec"
)

// TestSpecExamples holds the model to the spec: every example of every clause is a conversation
// that the model must have in the same way. What is about bytes on the wire, or about commands
// outside of the model, is skipped and counted.
func TestSpecExamples(t *testing.T) {
	ran, skipped := 0, 0
	for _, clause := range spec.All() {
		for _, script := range clause.Examples {
			if !hasWireSteps(script) && modelsAll(script) {
				ran++
				t.Run(script.Name, func(t *testing.T) { newTalk(t).run(script) })
			} else {
				skipped++
			}
		}
	}
	t.Logf("%d examples ran; %d are about the wire or commands outside of the model", ran, skipped)
	if ran < 70 || ran < skipped {
		t.Errorf("only %d of %d examples ran", ran, ran+skipped)
	}
}

func hasWireSteps(script spec.Script) bool {
	for _, step := range script.Steps {
		if step.Kind == spec.SendRaw || step.Kind == spec.Fragments && step.Raw != nil {
			return true
		}
	}
	return false
}

func modelsAll(script spec.Script) bool {
	for _, step := range script.Steps {
		if len(step.Args) > 0 && !model.Models(step.Args) {
			return false
		}
	}
	return true
}

// talk is a conversation with the model under a virtual clock.
type talk struct {
	t     *testing.T
	ms    int64
	state model.State
	conns map[string]*conn
}

type conn struct {
	client  model.Client
	replies []string   // not yet expected
	behind  [][][]byte // sent while it waited
	resp3   bool
}

func newTalk(t *testing.T) *talk {
	return &talk{t: t, ms: start, state: model.Initial(model.Options{}), conns: map[string]*conn{}}
}

func (k *talk) conn(name string) *conn {
	if k.conns[name] == nil {
		k.conns[name] = &conn{client: model.Client(len(k.conns) + 1)}
	}
	return k.conns[name]
}

func (k *talk) run(script spec.Script) {
	for _, step := range script.Steps {
		switch c := k.conn(step.Conn); step.Kind {
		case spec.Send, spec.Fragments:
			k.send(c, step.Args)
		case spec.Expect:
			k.expect(c, step)
		case spec.Wait:
			k.wait(step.Wait)
		case spec.Silent, spec.Closed:
			k.wait(step.Wait)
			if len(c.replies) > 0 {
				k.t.Errorf("line %d: %s: replies are left: %v", step.Line, step.Text, c.replies)
			}
		case spec.Close:
			k.state = model.Close(k.state, c.client)
			delete(k.conns, step.Conn)
		}
	}
}

// send is a command, or a part of what is executed once its connection waits no more.
func (k *talk) send(c *conn, args [][]byte) {
	if k.state.Waiting(c.client) {
		c.behind = append(c.behind, args)
		return
	}
	next, outs := answer(k.ms, k.state, c.client, args)
	k.state = next
	k.deliver(outs)
}

// deliver hands out replies, and then executes what was sent behind a command that waited.
func (k *talk) deliver(outs []model.Out) {
	for _, out := range outs {
		k.of(out.To).take(out.Msg)
	}
	for _, out := range outs {
		c := k.of(out.To)
		for len(c.behind) > 0 && !k.state.Waiting(c.client) {
			args := c.behind[0]
			c.behind = c.behind[1:]
			k.send(c, args)
		}
	}
}

// wait lets time pass, and with it those that have waited long enough be answered.
func (k *talk) wait(d time.Duration) {
	end := k.ms + d.Milliseconds()
	for {
		due := slices.DeleteFunc(model.Due(k.state), func(e model.Event) bool { return e.At.Off > end })
		if len(due) == 0 {
			break
		}
		first := slices.MinFunc(due, func(a, b model.Event) int { return cmp.Compare(a.At.Off, b.At.Off) })
		k.ms = max(k.ms, first.At.Off)
		next, outs := model.Fire(&model.Concrete{Ms: k.ms}, k.state, first)
		k.state = next
		k.deliver(outs)
	}
	k.ms = end
}

func (k *talk) of(client model.Client) *conn {
	for _, c := range k.conns {
		if c.client == client {
			return c
		}
	}
	k.t.Fatalf("a reply for connection %d, which has gone", client)
	return nil
}

func (c *conn) take(msg model.Reply) {
	reply := model.Fix(msg)
	switch {
	case reply.Kind == model.Map:
		c.resp3 = true
	case reply.Kind == model.Simple && reply.Str == "RESET",
		reply.Kind == model.Array && len(reply.Elems) == 14: // HELLO 2
		c.resp3 = false
	}
	if c.resp3 {
		reply = nulls3(reply)
	}
	c.replies = append(c.replies, reply.String())
}

// answer is Step with the first choice that is not rejected.
func answer(ms int64, s model.State, c model.Client, args [][]byte) (model.State, []model.Out) {
	for n := 0; ; n++ {
		env := &model.Concrete{Ms: ms, Pick: func(of int) int { return n % of }}
		if next, outs := model.Step(env, s, c, args); !env.Rejected {
			return next, outs
		}
	}
}

// nulls3 gives the nulls of a reply the form that they have in RESP3.
func nulls3(r model.Reply) model.Reply {
	if r.IsNull() {
		return model.Reply{Kind: model.Null3}
	}
	elems := make([]model.Reply, len(r.Elems))
	for i, e := range r.Elems {
		elems[i] = nulls3(e)
	}
	r.Elems = elems
	return r
}

func (k *talk) expect(c *conn, step spec.Step) {
	if len(c.replies) == 0 && k.state.Waiting(c.client) {
		k.wait(time.Second)
	}
	if len(c.replies) == 0 {
		k.t.Fatalf("line %d: %s: the model gives no reply", step.Line, step.Text)
	}
	got := c.replies[0]
	c.replies = c.replies[1:]
	if !step.Pattern.Match(got) {
		k.t.Errorf("line %d: %s: the model says %s\n%s", step.Line, step.Text, got,
			k.state.Describe())
	}
}
