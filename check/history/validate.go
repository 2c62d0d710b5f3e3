package history

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Validate reports why h cannot be a recording of anything: then it is no evidence, for or against
// the target. It looks at each connection by itself, in the order of its calls: times must not run
// backwards, replies come in order, and where operations overlap their positions n must say which
// was sent first (LIN-6).
func (h *History) Validate() error {
	if err := h.Meta.validate(); err != nil {
		return fmt.Errorf("meta: %w", err)
	}
	byClient := map[int][]int{}
	for i, op := range h.Ops {
		if err := op.validate(); err != nil {
			return fmt.Errorf("operation %d (%s): %w", i+1, op, err)
		}
		byClient[op.Client] = append(byClient[op.Client], i)
	}
	clients := make([]int, 0, len(byClient))
	for c := range byClient {
		clients = append(clients, c)
	}
	sort.Ints(clients)
	for _, c := range clients {
		if err := h.validateClient(byClient[c]); err != nil {
			return fmt.Errorf("client %d: %w", c, err)
		}
	}
	return nil
}

func (m Meta) validate() error {
	switch {
	case m.Slack < 0:
		return errors.New("the slack is negative")
	case m.MaxDisorder < 0:
		return errors.New("maxDisorder is negative")
	case m.Profile != "" && m.Profile != Frozen && m.Profile != Live:
		return fmt.Errorf("unknown profile %q: frozen or live", m.Profile)
	case m.Offset != nil && m.Offset.Low > m.Offset.High:
		return errors.New("the offset's low end is above its high end")
	}
	for _, s := range m.Start {
		if s.DB < 0 {
			return errors.New("a start key in a negative database")
		}
	}
	return nil
}

// validate looks at one operation by itself.
func (op *Op) validate() error {
	if len(op.Cmd) == 0 {
		return errors.New("no command")
	}
	switch {
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

func (h *History) validateClient(ops []int) error {
	sort.SliceStable(ops, func(i, j int) bool {
		a, b := h.Ops[ops[i]], h.Ops[ops[j]]
		if a.Call != b.Call {
			return a.Call < b.Call
		}
		return a.N < b.N
	})
	seen := map[int]bool{}
	for _, i := range ops {
		if n := h.Ops[i].N; n > 0 && seen[n] {
			return fmt.Errorf("two operations have n = %d", n)
		} else if n > 0 {
			seen[n] = true
		}
	}
	last := 0 // the greatest n so far
	for i := 1; i < len(ops); i++ {
		a, b := h.Ops[ops[i-1]], h.Ops[ops[i]]
		last = max(last, a.N)
		if err := validatePair(a, b, last); err != nil {
			return err
		}
	}
	return nil
}

// validatePair looks at two operations of one connection, a called just before b; last is the
// greatest n up to a.
func validatePair(a, b Op, last int) error {
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

// String is the command line, shortened.
func (op Op) String() string {
	const wordsMax, bytesMax = 6, 24
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
