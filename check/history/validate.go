package history

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Validate reports why h cannot be a recording of anything: then it is no evidence, for or against
// the target.
func (h *History) Validate() error {
	if err := h.Meta.Validate(); err != nil {
		return err
	}
	for i := range h.Ops {
		if err := h.Ops[i].validate(); err != nil {
			return fmt.Errorf("operation %d (%s): %w", i+1, h.Ops[i], err)
		}
	}
	c := NewChecker()
	return h.inOrder(c.add)
}

// inOrder calls f with the operations by call, those of one connection in the order sent.
func (h *History) inOrder(f func(*Op) error) error {
	order := make([]int32, len(h.Ops))
	for i := range order {
		order[i] = int32(i)
	}
	compare := func(i, j int32) int {
		a, b := &h.Ops[i], &h.Ops[j]
		return cmp.Or(cmp.Compare(a.Call, b.Call), cmp.Compare(a.Client, b.Client), cmp.Compare(a.N, b.N))
	}
	if !slices.IsSortedFunc(order, compare) {
		slices.SortStableFunc(order, compare)
	}
	for _, i := range order {
		if err := f(&h.Ops[i]); err != nil {
			return err
		}
	}
	return nil
}

// Checker is Validate for operations that come one by one, in call order. It looks at each
// connection by itself: times must not run backwards, replies come in order, and where operations
// overlap their positions n must say which was sent first (LIN-6).
type Checker struct{ last map[int]*sent }

// sent is the latest operation of a connection.
type sent struct {
	op Op
	n  int // the greatest so far
}

// NewChecker begins a recording.
func NewChecker() *Checker { return &Checker{map[int]*sent{}} }

// Add reports why op, after those before it, cannot be.
func (c *Checker) Add(op *Op) error {
	if err := op.validate(); err != nil {
		return fmt.Errorf("client %d: %s: %w", op.Client, op, err)
	}
	return c.add(op)
}

func (c *Checker) add(op *Op) error {
	s := c.last[op.Client]
	if s == nil {
		c.last[op.Client] = &sent{*op, op.N}
		return nil
	}
	if op.N > 0 && op.N == s.n {
		return fmt.Errorf("client %d: two operations have n = %d", op.Client, op.N)
	}
	if err := validatePair(&s.op, op, s.n); err != nil {
		return fmt.Errorf("client %d: %w", op.Client, err)
	}
	s.op, s.n = *op, max(s.n, op.N)
	return nil
}

// Prune forgets connections that have been quiet since then, when there are many.
func (c *Checker) Prune(since int64) {
	if len(c.last) < connsMax {
		return
	}
	for client, s := range c.last {
		if s.op.Return < since || s.op.Return == Never && s.op.Call < since {
			delete(c.last, client)
		}
	}
}

// Validate reports why m cannot be.
func (m Meta) Validate() error {
	if err := m.validate(); err != nil {
		return fmt.Errorf("meta: %w", err)
	}
	return nil
}

func (m Meta) validate() error {
	switch {
	case far(m.Slack), far(m.MaxDisorder), m.Offset != nil && (far(m.Offset.Low) || far(m.Offset.High)):
		return errFar
	case m.Slack < 0:
		return errors.New("the slack is negative")
	case m.MaxDisorder < 0:
		return errors.New("maxDisorder is negative")
	case m.Profile != "" && m.Profile != Frozen && m.Profile != Live:
		return fmt.Errorf("unknown profile %q: frozen or live", m.Profile)
	case m.Offset != nil && m.Offset.Low > m.Offset.High:
		return errors.New("the offset's low end is above its high end")
	}
	type name struct {
		db  int
		key string
	}
	seen := map[name]bool{}
	for _, s := range m.Start {
		switch n := (name{s.DB, string(s.Key)}); {
		case s.DB < 0:
			return errors.New("a start key in a negative database")
		case seen[n]:
			return fmt.Errorf("the start state lists %q twice", s.Key)
		default:
			seen[n] = true
		}
	}
	return nil
}

var errFar = fmt.Errorf("a time is more than %d ns from 0", int64(TimeMax))

func far(ns int64) bool { return ns < -TimeMax || ns > TimeMax }

// validate looks at one operation by itself.
func (op *Op) validate() error {
	if len(op.Cmd) == 0 {
		return errors.New("no command")
	}
	switch {
	case far(op.Call), op.Return != Never && far(op.Return):
		return errFar
	case op.Return < op.Call:
		return fmt.Errorf("it returns at %d, before its call at %d", op.Return, op.Call)
	case (op.Return == Never) != (op.Reply == nil):
		return errors.New("a return and a reply are there both or neither")
	case op.N < 0:
		return errors.New("n counts from 1")
	case op.DB < 0:
		return errors.New("the database is negative")
	case op.Body != nil && !op.named("EXEC"):
		return errors.New("only EXEC has a body")
	case op.named("MULTI"):
		return errors.New("MULTI has no line of its own: a transaction is one line, its EXEC")
	}
	for _, cmd := range op.Body {
		if len(cmd) == 0 {
			return errors.New("an empty command in the body")
		}
	}
	return nil
}

// named compares the command's name, in any case.
func (op *Op) named(name string) bool {
	return len(op.Cmd[0]) == len(name) && strings.EqualFold(string(op.Cmd[0]), name)
}

// validatePair looks at two operations of one connection, a called just before b; last is the
// greatest n up to a.
func validatePair(a, b *Op, last int) error {
	switch {
	case b.N > 0 && b.N < last:
		return fmt.Errorf("%s was called later than n = %d, but has n = %d", b, last, b.N)
	case a.Return == Never && b.Return != Never:
		return fmt.Errorf("%s is answered, but %s before it on the connection is not", b, a)
	case b.Return < a.Return:
		return fmt.Errorf("%s returns at %d, before %s at %d, which was sent first",
			b, b.Return, a, a.Return)
	case b.Call < a.Return && (a.N == 0 || b.N == 0):
		return fmt.Errorf("%s and %s overlap and do not both have n", a, b)
	}
	return nil
}

// String is the command line, shortened: BLMPOP with its count is whole, and a key with a tag.
func (op Op) String() string {
	const wordsMax, bytesMax = 8, 40
	var b strings.Builder
	for i, w := range op.Cmd {
		switch {
		case i == wordsMax:
			b.WriteString(" ...")
			return b.String()
		case i > 0:
			b.WriteByte(' ')
		}
		text := fmt.Sprintf("%q", w[:min(len(w), bytesMax)])
		plain := text[1 : len(text)-1]
		if plain == string(w) && plain != "" && !strings.Contains(plain, " ") {
			text = plain
		}
		if len(w) > bytesMax {
			text += "..."
		}
		b.WriteString(text)
	}
	return b.String()
}
