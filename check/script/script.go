// Package script holds a conversation with a server: it runs the spec's own examples and those of
// testdata/script step by step and says where an answer differs.
//
// Keys get a prefix, so that conversations run side by side on one server, and lose it again in the
// replies (prefix.go). At the end the keys are deleted and each connection is asked for an echo:
// a reply too many shows there (CONN-1). Rewrite (rewrite.go) turns the answers of a server into
// the expectations of a script.
package script

import (
	"errors"
	"fmt"
	"time"

	"rondo/check/target"
	"rondo/check/wire"
	"rondo/model"
	"rondo/spec"
)

// Mismatch says where a conversation went another way than its script.
type Mismatch struct {
	Line             int    // of the script's file; 0: after its end
	Step             string // the line as written
	Expected, Actual string
	Wire             []wire.Entry // of the connection that the step is about
	Asked            []string     // the command whose reply differs; nil where that is not known
	Sent             string       // the line that was sent last, or that the reply answers; "": none was
	Err              error        // not nil: the harness or the environment failed, no evidence
	Late             bool         // too much time had passed for this to be evidence, in all attempts
	timeout          bool         // something did not come at all
}

func (m *Mismatch) Error() string {
	if m.Err != nil {
		return m.Err.Error()
	}
	return fmt.Sprintf("line %d: %s: expected %s, got %s", m.Line, m.Step, m.Expected, m.Actual)
}

// Run holds the conversation with the target; nil means that all went as written.
//
// Scripts say "wait 60ms" and mean that the next command comes at 60 ms and not at 200. On a busy
// machine it may: so the time that passed beyond the waits is measured, and a conversation that
// went wrong and was late is held again with fresh keys. If it is late and wrong every time the
// last mismatch stands: a server may be slow by itself.
func Run(t *target.Target, s spec.Script, prefix string) *Mismatch {
	var m *Mismatch
	for attempt := range Attempts {
		again := run(t, s, fmt.Sprintf("%s%d:", prefix, attempt), nil)
		if m != nil && again != nil && again.Err != nil {
			return m // the server went away: what it did before says more
		}
		if m = again; m == nil || !m.Late {
			return m
		}
	}
	return m
}

// session is one run of a script.
type session struct {
	target *target.Target
	keys   keyPrefix
	conns  map[string]*conn
	start  time.Time
	waited time.Duration // by wait and silent steps
	// rewrite, if set, is asked about a reply that does not match; nil: it will do.
	rewrite func(st spec.Step, got model.Reply) error
}

type conn struct {
	*wire.Conn
	pipeline []byte      // sends not written yet
	owed     int         // commands sent minus replies read
	asked    []spec.Step // commands whose replies are to come
	sent     string      // the line that was sent last
	counts   bool        // owed is known: no raw bytes were sent
}

func run(t *target.Target, s spec.Script, prefix string,
	rewrite func(spec.Step, model.Reply) error) *Mismatch {
	run := &session{target: t, keys: newKeyPrefix(prefix), conns: map[string]*conn{},
		start: time.Now(), rewrite: rewrite}
	defer run.end()
	for i, st := range s.Steps {
		c, err := run.conn(st)
		if err != nil {
			return &Mismatch{Line: st.Line, Step: st.Text, Err: err}
		}
		more := i+1 < len(s.Steps) && continues(st, s.Steps[i+1])
		if st.Kind == spec.Send || st.Kind == spec.SendRaw || st.Kind == spec.Fragments {
			c.sent = st.Text
		}
		if m := run.step(c, st, more); m != nil {
			return run.finish(m, c, st)
		}
	}
	for _, c := range run.conns {
		if m := run.checkEnd(c); m != nil {
			return run.finish(m, c, spec.Step{Text: "(after the last step)"})
		}
	}
	return nil
}

// continues says whether two steps are sends of one pipeline, that is, one write.
func continues(a, b spec.Step) bool {
	return a.Kind == spec.Send && b.Kind == spec.Send && a.Conn == b.Conn
}

// finish completes a mismatch. One that is a timeout is evidence however late it is.
func (r *session) finish(m *Mismatch, c *conn, st spec.Step) *Mismatch {
	m.Line, m.Step = st.Line, st.Text
	m.Late = !m.timeout && time.Since(r.start)-r.waited > slackMax
	m.Expected, m.Actual = clip(m.Expected), clip(m.Actual)
	if c != nil {
		m.Wire = c.Log()
		if m.Sent == "" {
			m.Sent = c.sent
		}
	}
	return m
}

func clip(s string) string {
	if len(s) <= notationBytesMax {
		return s
	}
	return fmt.Sprintf("%s... (%d bytes)", s[:notationBytesMax], len(s))
}

// conn opens a connection when a step first uses it.
func (r *session) conn(st spec.Step) (*conn, error) {
	if st.Kind == spec.Wait {
		return nil, nil
	}
	if c := r.conns[st.Conn]; c != nil {
		return c, nil
	}
	raw, err := r.target.Dial()
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: raw, counts: true}
	r.conns[st.Conn] = c
	return c, nil
}

// step does one step; a mismatch has only Expected and Actual, or Err. more says that the next
// step belongs to the same write.
func (r *session) step(c *conn, st spec.Step, more bool) *Mismatch {
	switch st.Kind {
	case spec.Send:
		c.owed++
		c.asked = append(c.asked, st)
		c.pipeline = wire.AppendCommand(c.pipeline, r.keys.add(st.Args)...)
		if more {
			return nil
		}
		b := c.pipeline
		c.pipeline = nil
		return sent(c.SendRaw(b))
	case spec.SendRaw:
		c.counts = false
		return sent(c.SendRaw(st.Raw))
	case spec.Fragments:
		return r.fragments(c, st)
	case spec.Expect:
		return r.expect(c, st)
	case spec.Wait:
		time.Sleep(st.Wait)
		r.waited += st.Wait
		return nil
	case spec.Silent:
		return r.silent(c, st)
	case spec.Closed:
		return closed(c)
	case spec.Close:
		delete(r.conns, st.Conn)
		return sent(c.Close())
	case spec.HalfClose:
		return sent(c.CloseWrite())
	}
	return &Mismatch{Err: fmt.Errorf("a step of unknown kind %d", st.Kind)}
}

// sent judges a write. That the server has closed is no mismatch by itself: what it owed can still
// be read, and the steps that follow say what must be there.
func sent(err error) *Mismatch {
	if err == nil || errors.Is(err, wire.ErrClosed) {
		return nil
	}
	if errors.Is(err, wire.ErrTimeout) {
		return &Mismatch{Expected: "the server reads what is sent", Actual: err.Error()}
	}
	return &Mismatch{Err: err}
}

func (r *session) fragments(c *conn, st spec.Step) *Mismatch {
	b := st.Raw
	if len(st.Args) > 0 {
		c.owed++
		c.asked = append(c.asked, st)
		b = wire.AppendCommand(nil, r.keys.add(st.Args)...)
	} else {
		c.counts = false
	}
	for i := 0; len(b) > 0; i++ {
		n := min(st.N, len(b))
		if m := sent(c.SendRaw(b[:n])); m != nil {
			return m
		}
		b = b[n:]
		if i < fragmentPausesMax && len(b) > 0 {
			time.Sleep(fragmentPause)
			r.waited += fragmentPause
		}
	}
	return nil
}

func (r *session) expect(c *conn, st spec.Step) *Mismatch {
	got, err := c.Receive(time.Now().Add(ReplyTimeout))
	asked, line := c.next()
	if err != nil {
		return &Mismatch{Expected: st.Pattern.String(), Actual: err.Error(), Sent: line,
			timeout: errors.Is(err, wire.ErrTimeout)}
	}
	c.owed--
	got = r.keys.cut(got)
	notation := got.String()
	if st.Pattern.Match(notation) {
		return nil
	}
	if r.rewrite != nil {
		if err := r.rewrite(st, got); err != nil {
			return &Mismatch{Err: err}
		}
		return nil
	}
	return &Mismatch{Expected: st.Pattern.String(), Actual: notation, Asked: asked, Sent: line}
}

// next takes the command that the next reply answers, and its line; none if raw bytes were sent.
func (c *conn) next() (words []string, line string) {
	if !c.counts || len(c.asked) == 0 {
		return nil, ""
	}
	for _, w := range c.asked[0].Args {
		words = append(words, string(w))
	}
	line = c.asked[0].Text
	c.asked = c.asked[1:]
	return words, line
}

func (r *session) silent(c *conn, st spec.Step) *Mismatch {
	r.waited += st.Wait
	got, err := c.Receive(time.Now().Add(st.Wait))
	switch {
	case err == nil:
		return &Mismatch{Expected: "no reply", Actual: r.keys.cut(got).String()}
	case !errors.Is(err, wire.ErrTimeout):
		return &Mismatch{Expected: "no reply", Actual: err.Error()}
	}
	return nil
}

func closed(c *conn) *Mismatch {
	const expected = "the server closes the connection and sends nothing more"
	got, err := c.Receive(time.Now().Add(CloseTimeout))
	switch {
	case err == nil:
		return &Mismatch{Expected: expected, Actual: got.String()}
	case errors.Is(err, wire.ErrTimeout):
		return &Mismatch{Expected: expected, Actual: "it is still open", timeout: true}
	case !errors.Is(err, wire.ErrClosed):
		return &Mismatch{Expected: expected, Actual: err.Error()}
	}
	return nil
}

// checkEnd finds replies too many (CONN-1): where all are read, the next one is that of an ECHO.
// A connection may refuse the ECHO (a transaction, a missing password) or be closed.
func (r *session) checkEnd(c *conn) *Mismatch {
	if !c.counts || c.owed != 0 {
		return nil
	}
	const token = "rondo: the end"
	got, err := c.Do("ECHO", token)
	switch {
	case err != nil:
		var bad *wire.MalformedError
		if errors.As(err, &bad) {
			return &Mismatch{Expected: "no further bytes", Actual: err.Error()}
		}
		return nil
	case got.Kind == model.Error, got.Kind == model.Bulk && got.Str == token,
		got.Kind == model.Simple && got.Str == "QUEUED":
		return nil
	}
	return &Mismatch{Expected: "no further reply, then the answer of an ECHO", Actual: got.String()}
}

// end deletes the keys and closes the connections. Nothing of it can fail the script.
func (r *session) end() {
	for _, c := range r.conns {
		c.Close()
	}
	if c, err := r.target.Dial(); err == nil {
		defer c.Close()
		for _, line := range r.keys.cleanup() {
			if _, err := c.Do(line...); err != nil {
				return
			}
		}
	}
}
