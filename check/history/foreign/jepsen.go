package foreign

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"

	"rondo/check/history"
	"rondo/model"
)

// A Jepsen history is a list of maps, with or without brackets around all of them:
//
//	{:type :invoke, :f :write, :value 3, :process 0, :time 1203411, :index 0}
//	{:type :ok, :f :write, :value 3, :process 0, :time 1288012, :index 1}
//
// :f is :read, :write or :cas. The value of a register among several is [key value], as
// jepsen.independent makes it. A completion is :ok, :fail (it did not happen) or :info (nobody
// knows). What the nemesis did becomes a mark.
//
// write becomes SET and read GET. A cas from a to b that succeeded is EXEC of GET and SET that
// answers a: it read a and wrote b in one step. One that failed is left out, as Jepsen does it. One
// that nobody answered may have written whatever it found, which is more than cas can do.

// register is the key where a history has only one register and no name for it.
const register = "register"

// ReadJepsen reads a history.edn.
func ReadJepsen(r io.Reader) (*history.History, Notes, error) {
	j := &jepsenReader{collector: newCollector("jepsen"), open: map[int]pending{}}
	in := newEDN(r)
	for {
		v, err := in.read(0)
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err == nil {
			err = j.take(v)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("line %d: %w", in.line, err)
		}
	}
	var crashed []int
	for process := range j.open {
		crashed = append(crashed, process)
	}
	sort.Ints(crashed)
	for _, process := range crashed {
		if err := j.complete(process, "info", nil, history.Never); err != nil {
			return nil, nil, err
		}
	}
	return j.done()
}

type jepsenReader struct {
	*collector
	open map[int]pending // by process
	seen int64
}

// pending is an operation that was invoked.
type pending struct {
	f     string
	value any
	call  int64
}

// take takes an operation, or a list of them.
func (j *jepsenReader) take(v any) error {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if err := j.take(e); err != nil {
				return err
			}
		}
		return nil
	case map[any]any:
		return j.event(v)
	}
	return fmt.Errorf("%v is no operation", v)
}

func (j *jepsenReader) event(e map[any]any) error {
	j.seen++
	at, ok := e[keyword("time")].(int64)
	if !ok {
		at = j.seen * 1000 // no clock: the order of the lines is all there is
	}
	f, _ := e[keyword("f")].(keyword)
	kind, _ := e[keyword("type")].(keyword)
	process, isClient := e[keyword("process")].(int64)
	if !isClient {
		j.h.Marks = append(j.h.Marks, history.Mark{Name: string(f), From: at, To: at})
		return nil
	}
	p := int(process)
	_, busy := j.open[p]
	switch {
	case kind == "invoke" && busy:
		return fmt.Errorf("process %d invokes twice without a completion", p)
	case kind == "invoke":
		j.open[p] = pending{string(f), e[keyword("value")], at}
		return nil
	case !busy:
		return fmt.Errorf("process %d completes what it did not invoke", p)
	}
	return j.complete(p, string(kind), e[keyword("value")], at)
}

// complete makes the operation of a process whose completion is known.
func (j *jepsenReader) complete(process int, kind string, value any, at int64) error {
	op := j.open[process]
	delete(j.open, process)
	switch kind {
	case "ok":
	case "fail":
		j.notes[op.f+" failed and is left out"]++
		return nil
	case "info":
		value, at = op.value, history.Never
	default:
		return fmt.Errorf("a completion of type %q", kind)
	}
	if value == nil {
		value = op.value
	}
	made, err := operation(op.f, value, at)
	if err != nil {
		return err
	}
	switch {
	case at == history.Never && len(made.Cmd) > 1 && string(made.Cmd[0]) == "GET":
		j.notes["read without an answer says nothing and is left out"]++
		return nil
	case at == history.Never && made.Body != nil:
		j.notes["cas without an answer may have written whatever it found"]++
	}
	made.Call = op.call
	j.add(process, made)
	return nil
}

// operation is the command that does the same.
func operation(f string, value any, at int64) (op history.Op, err error) {
	key, value := keyed(f, value)
	switch f {
	case "read", "r":
		op.Cmd = line("GET", key)
		reply := model.Reply{Kind: model.Null}
		if value != nil {
			reply = model.Str(ednText(value))
		}
		return answer(op, at, reply), nil
	case "write", "w":
		if value == nil {
			return op, errors.New("a write of nil")
		}
		op.Cmd = line("SET", key, ednText(value))
		return answer(op, at, model.OK()), nil
	case "cas":
		pair, ok := value.([]any)
		if !ok || len(pair) != 2 || pair[1] == nil {
			return op, fmt.Errorf("cas wants [old new], not %v", value)
		}
		was := model.Reply{Kind: model.Null}
		if pair[0] != nil {
			was = model.Str(ednText(pair[0]))
		}
		op.Cmd = line("EXEC")
		op.Body = [][][]byte{line("GET", key), line("SET", key, ednText(pair[1]))}
		return answer(op, at, model.Arr(was, model.OK())), nil
	}
	return op, fmt.Errorf(":f :%s is none of read, write and cas", f)
}

// keyed takes the key off a value [key value].
func keyed(f string, value any) (string, any) {
	pair, ok := value.([]any)
	if !ok || len(pair) != 2 {
		return register, value
	}
	if _, inner := pair[1].([]any); f == "cas" && !inner {
		return register, value
	}
	return ednText(pair[0]), pair[1]
}

// ednText is a value as a string of bytes.
func ednText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case keyword:
		return ":" + string(v)
	case nil:
		return "nil"
	}
	return fmt.Sprint(v)
}

// WriteJepsen writes the history of registers that h is: GET, SET without options, and EXEC of a GET
// and a SET of one key, which is a cas. Any other operation is an error that names it.
func WriteJepsen(w io.Writer, h *history.History) error {
	type event struct {
		at    int64
		order int
		text  string
	}
	var events []event
	for i := range h.Ops {
		op := &h.Ops[i]
		invoked, completed, err := jepsenValues(op)
		if err != nil {
			return fmt.Errorf("operation %d, %s: %w", i+1, op.String(), err)
		}
		say := func(kind, what string, at int64, order int) {
			events = append(events, event{at, order, fmt.Sprintf("{:type :%s, %s, :process %d, :time %d",
				kind, what, op.Client, at)})
		}
		say("invoke", invoked, op.Call, 0)
		if op.Return == history.Never {
			continue // it never completed: Jepsen reads that as :info
		}
		say("ok", completed, op.Return, 1)
	}
	// At one time invocations come first: what may overlap then does.
	sort.SliceStable(events, func(a, b int) bool {
		if events[a].at != events[b].at {
			return events[a].at < events[b].at
		}
		return events[a].order < events[b].order
	})
	out := bufio.NewWriter(w)
	for i, e := range events {
		fmt.Fprintf(out, "%s, :index %d}\n", e.text, i)
	}
	return out.Flush()
}

// jepsenValues are ":f ... :value ..." of an invocation and of its completion.
func jepsenValues(op *history.Op) (invoked, completed string, err error) {
	name := func(cmd [][]byte, n int, want string) bool {
		return len(cmd) == n && strings.EqualFold(string(cmd[0]), want)
	}
	pair := func(key []byte, value string) string {
		if string(key) == register {
			return value
		}
		return "[" + ednValue(key) + " " + value + "]"
	}
	if op.DB != 0 {
		return "", "", errors.New("it is in another database than 0")
	}
	switch {
	case name(op.Cmd, 2, "GET"):
		value, err := ednReply(op.Reply)
		return ":f :read, :value " + pair(op.Cmd[1], "nil"), ":f :read, :value " + pair(op.Cmd[1], value), err
	case name(op.Cmd, 3, "SET"):
		if op.Reply != nil && op.Reply.Kind != model.Simple {
			return "", "", errors.New("a write that was refused")
		}
		both := ":f :write, :value " + pair(op.Cmd[1], ednValue(op.Cmd[2]))
		return both, both, nil
	case name(op.Cmd, 1, "EXEC") && len(op.Body) == 2 && name(op.Body[0], 2, "GET") &&
		name(op.Body[1], 3, "SET") && bytes.Equal(op.Body[0][1], op.Body[1][1]):
		if op.Reply == nil || op.Reply.Kind != model.Array || len(op.Reply.Elems) != 2 {
			return "", "", errors.New("what it read is not known, so it is no cas")
		}
		was, err := ednReply(&op.Reply.Elems[0])
		both := ":f :cas, :value " + pair(op.Body[0][1], "["+was+" "+ednValue(op.Body[1][2])+"]")
		return both, both, err
	}
	return "", "", errors.New("it is no GET, plain SET, or EXEC of both: Jepsen's registers have no other operation")
}

func ednReply(r *model.Reply) (string, error) {
	switch {
	case r == nil || r.IsNull():
		return "nil", nil
	case r.Kind == model.Bulk:
		return ednValue([]byte(r.Str)), nil
	}
	return "", fmt.Errorf("the reply %s is no value", r.String())
}

// ednValue writes a number as one, and anything else as a string.
func ednValue(b []byte) string {
	if n, err := strconv.ParseInt(string(b), 10, 64); err == nil && strconv.FormatInt(n, 10) == string(b) {
		return string(b)
	}
	var out strings.Builder
	out.WriteByte('"')
	for _, c := range string(b) {
		switch c {
		case '"', '\\':
			out.WriteByte('\\')
			out.WriteRune(c)
		case '\n':
			out.WriteString(`\n`)
		default:
			out.WriteRune(c)
		}
	}
	out.WriteByte('"')
	return out.String()
}
