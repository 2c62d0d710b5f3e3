package world

import (
	"strconv"
	"strings"

	"rondo/check/history"
	"rondo/check/wire"
	"rondo/model"
)

// recording is what a client writes down of itself, as any recorder would: when it began to send a
// command, and when it had the reply. It does not ask the server anything.
type recording struct {
	pending []byte // of a request that is not complete
	begun   int64  // when its first byte was sent
	n       int    // operations so far
	db      int
	inTx    bool
	body    [][][]byte // of the transaction under way
	open    []pending  // not yet answered
	ops     []history.Op
}

// pending is a command on its way. Of a transaction only EXEC is an operation.
type pending struct {
	op      history.Op
	skipped bool
}

// wrote notes what is complete with these bytes.
func (r *recording) wrote(c *Client, data []byte) {
	if !c.w.options.Recorded {
		return
	}
	if len(r.pending) == 0 {
		r.begun = c.w.Kernel.Mono()
	}
	r.pending = append(r.pending, data...)
	for {
		args, n, err := wire.ParseCommand(r.pending)
		if err != nil || n == 0 {
			return
		}
		r.pending = r.pending[n:]
		if len(args) > 0 {
			r.called(c, args)
		}
		r.begun = c.w.Kernel.Mono()
	}
}

func (r *recording) called(c *Client, args [][]byte) {
	cmd := make([][]byte, len(args))
	for i, a := range args {
		cmd[i] = append([]byte(nil), a...)
	}
	p := pending{op: history.Op{Client: int(c.number), Call: r.begun, Return: history.Never, Cmd: cmd, DB: r.db}}
	name := strings.ToUpper(string(cmd[0]))
	switch {
	case r.inTx && (name == "MULTI" || name == "WATCH"):
		p.skipped = true // an error, and not queued
	case name == "MULTI":
		p.skipped, r.inTx, r.body = true, true, [][][]byte{}
	case name == "EXEC" && r.inTx:
		p.op.Body, r.inTx, r.body = r.body, false, nil
	case name == "DISCARD" || name == "RESET" || name == "QUIT":
		r.inTx, r.body = false, nil
	case r.inTx:
		p.skipped, r.body = true, append(r.body, cmd)
	case name == "SELECT" && len(cmd) == 2:
		if db, err := strconv.Atoi(string(cmd[1])); err == nil {
			r.db = db
		}
	}
	if p.skipped = p.skipped || !model.Models(cmd); !p.skipped {
		r.n++
		p.op.N = r.n
	}
	r.open = append(r.open, p)
}

// answered notes the reply to the oldest command.
func (r *recording) answered(c *Client, got model.Reply) {
	if !c.w.options.Recorded || len(r.open) == 0 {
		return
	}
	p := r.open[0]
	r.open = r.open[1:]
	if !p.skipped {
		p.op.Return, p.op.Reply = c.w.Kernel.Mono(), &got
		r.ops = append(r.ops, p.op)
	}
}

// History is what the clients have seen, as a recording that check/linear can judge. The offset of the
// server's clock is known to the nanosecond, as long as nobody sets it.
func (w *World) History() *history.History {
	offset := w.Kernel.Wall() - w.Kernel.Mono()
	h := &history.History{Meta: history.Meta{Target: "rondo in memory", Seed: int64(w.options.Seed),
		Profile: history.Frozen, Offset: &history.Offset{Low: offset, High: offset}}}
	for _, c := range w.clients {
		h.Ops = append(h.Ops, c.recording.ops...)
		for _, p := range c.recording.open {
			if !p.skipped {
				h.Ops = append(h.Ops, p.op)
			}
		}
	}
	return h
}
