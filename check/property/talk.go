package property

import (
	"fmt"
	"strings"
	"time"

	"pgregory.net/rapid"

	"rondo/check/script"
	"rondo/check/wire"
	"rondo/model"
	"rondo/spec/commands"
)

// talk is a conversation with the server that is written down, in the notation of scripts, while it
// is held. Its keys have a prefix of their own on the server and none in the notation. Trouble with
// a connection ends the test: after valid requests it is a fault of the server too.
type talk struct {
	t      *rapid.T
	s      *Server
	law    string
	prefix string
	conns  map[string]*wire.Conn
	lines  []string
}

func (s *Server) talk(t *rapid.T, law string) *talk {
	s.talks++
	return &talk{t: t, s: s, law: law, conns: map[string]*wire.Conn{},
		prefix: fmt.Sprintf("{rondo:law:%s:%d}", s.run, s.talks)}
}

// end closes the connections and deletes the keys.
func (k *talk) end() {
	for _, c := range k.conns {
		c.Close()
	}
	c, err := k.s.target.Dial()
	if err != nil {
		return
	}
	defer c.Close()
	del := []string{"DEL"}
	for _, key := range Pools['K'] {
		del = append(del, k.prefix+key)
	}
	for _, db := range []string{"1", "15", "0"} {
		if r, err := c.Do("SELECT", db); err == nil && r.Kind == model.Simple {
			_, _ = c.Do(del...)
		}
	}
}

func (k *talk) conn(name string) *wire.Conn {
	if c := k.conns[name]; c != nil {
		return c
	}
	c, err := k.s.target.Dial()
	if err != nil {
		k.t.Fatalf("%v", err)
	}
	c.KeepLog(false)
	k.conns[name] = c
	return c
}

// on is how the notation names a connection.
func on(name string) string {
	if name == "a" {
		return ""
	}
	return name
}

// send writes commands in one segment.
func (k *talk) send(name string, cmds ...command) {
	for _, args := range cmds {
		k.note("%s> %s", on(name), line(args))
	}
	k.write(name, k.encode(cmds...))
}

func (k *talk) encode(cmds ...command) []byte {
	var b []byte
	for _, args := range cmds {
		b = wire.AppendCommand(b, k.prefixed(args)...)
	}
	return b
}

func (k *talk) write(name string, b []byte) {
	if err := k.conn(name).SendRaw(b); err != nil {
		k.fail("the server takes what is sent", err.Error())
	}
}

// prefixed gives the keys of a command the talk's prefix.
func (k *talk) prefixed(args [][]byte) [][]byte {
	out := append([][]byte(nil), args...)
	for _, i := range commands.Keys(args) {
		out[i] = append([]byte(k.prefix), args[i]...)
	}
	return out
}

// receive reads a reply and takes the prefix out of it.
func (k *talk) receive(name string) model.Reply {
	r, err := k.conn(name).Receive(time.Time{})
	if err != nil {
		k.fail("a reply", err.Error())
	}
	return k.plain(r)
}

func (k *talk) plain(r model.Reply) model.Reply {
	r.Str = strings.ReplaceAll(r.Str, k.prefix, "")
	elems := r.Elems
	r.Elems = nil
	for _, e := range elems {
		r.Elems = append(r.Elems, k.plain(e))
	}
	return r
}

// ask sends one command and notes what came back.
func (k *talk) ask(name string, args ...[]byte) model.Reply {
	k.send(name, args)
	r := k.receive(name)
	k.answered(name, r)
	return r
}

func (k *talk) answered(name string, r model.Reply) { k.note("%s< %s", on(name), pattern(r)) }

// expect compares a reply; on a difference the conversation ends with what should have come.
func (k *talk) expect(name string, want, got model.Reply) {
	if want.String() != got.String() {
		k.note("%s< %s", on(name), pattern(want))
		k.fail(want.String(), got.String())
	}
	k.answered(name, got)
}

func (k *talk) note(format string, args ...any) {
	k.lines = append(k.lines, fmt.Sprintf(format, args...))
}

// fail ends the test. The conversation stays with the server, see Check, and the error is the same
// every time: rapid shrinks only what fails alike, and a conversation holds times.
func (k *talk) fail(want, got string) {
	k.t.Helper()
	k.s.failure = fmt.Sprintf("expected %s, got %s. The conversation, which ends with what "+
		"should have come:\n%s\n", want, got, strings.Join(k.lines, "\n"))
	k.t.Fatalf("the law of %s is broken", k.law)
}

// line writes a command as scripts do.
func line(args [][]byte) string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = string(a)
		if !isPlain(out[i]) {
			out[i] = model.Str(out[i]).String()
		}
	}
	return strings.Join(out, " ")
}

func isPlain(word string) bool {
	for _, c := range []byte(word) {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '\'' {
			return false
		}
	}
	return word != "" && word[0] != '#'
}

// pattern writes a reply as a pattern that matches it.
func pattern(r model.Reply) string {
	p, err := script.PatternFor(r)
	if err != nil {
		return "*"
	}
	return p
}
