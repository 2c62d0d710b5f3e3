package property

import (
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"rondo/model"
	"rondo/spec/commands"
)

// refines: every reply is one that the model allows.
func refines(t *rapid.T, s *Server) {
	s.mustFollow(t, "refinement", everything(s).on("a", "a", "a", "b", "").program(t))
}

// mustFollow holds the server to the model.
//
// A server that reads its clock several times in a command (profile live) can differ where a tick
// falls between two readings; that does not happen twice, so a difference is looked at again.
func (s *Server) mustFollow(t *rapid.T, law string, p []action) {
	if !s.follows(t, law, p, func(*talk, model.Reply, model.Reply) {}) {
		s.follows(t, law, p, func(k *talk, want, got model.Reply) { k.fail(want.String(), got.String()) })
	}
}

// follows runs a program beside the model, up to the first difference.
func (s *Server) follows(t *rapid.T, law string, p []action, differs func(k *talk, want, got model.Reply)) bool {
	k := s.talk(t, law)
	defer k.end()
	oracle := NewOracle(s.initial())
	lives := map[string]model.Client{} // a connection opened anew is a new client to the model
	born := model.Client(0)
	for _, a := range p {
		if a.args == nil {
			time.Sleep(a.pause)
			k.note("wait %v", a.pause)
			continue
		}
		if k.conns[a.conn] == nil {
			born++
			lives[a.conn] = born
		}
		from := k.clock()
		k.send(a.conn, a.args)
		got := k.receive(a.conn)
		want, ok := oracle.Accept(lives[a.conn], a.args, got, from, k.clock())
		if !ok {
			k.note("%s< %s", on(a.conn), pattern(model.Fix(want)))
			differs(k, want, got)
			return false
		}
		k.note("%s< %s", on(a.conn), patternInTime(a.args, got))
		if strings.EqualFold(string(a.args[0]), "quit") {
			k.note("%s closed", a.conn)
			k.conns[a.conn].Close()
			delete(k.conns, a.conn)
		}
	}
	return true
}

func (k *talk) clock() int64 {
	ms, err := k.s.now()
	if err != nil {
		k.t.Fatalf("read the server's clock: %v", err)
	}
	return ms
}

// patternInTime leaves open what another day will answer otherwise.
func patternInTime(args [][]byte, r model.Reply) string {
	name := strings.ToLower(string(args[0]))
	switch {
	case name == "hello" && r.Kind != model.Error, name == "exec" && r.Kind == model.Array, name == "time":
		return "*"
	case clock[name] && r.Kind == model.Int && r.Int > 0:
		return ":*"
	}
	return pattern(r)
}

// cutsDoNotShow: a program sent whole and the same one sent in pieces.
func cutsDoNotShow(t *rapid.T, s *Server) {
	cmds := data(s).commands(t, "program")
	size := rapid.IntRange(1, 40).Draw(t, "bytes of a piece")
	want := s.oneByOne(t, "chunking", cmds)
	k := s.talk(t, "chunking")
	defer k.end()
	b := k.encode(cmds...)
	for _, args := range cmds {
		k.note("fragments %d > %s", size, line(args))
	}
	for i := 0; len(b) > 0; i++ {
		n := min(size, len(b))
		k.write("a", b[:n])
		if b = b[n:]; i < piecesApart {
			time.Sleep(pieceApart) // so that the server reads them one by one
		}
	}
	k.expectAll("a", want)
}

const (
	piecesApart = 8
	pieceApart  = 200 * time.Microsecond
)

// pipelineIsSequence: a program in one segment and the same one command by command.
func pipelineIsSequence(t *rapid.T, s *Server) {
	cmds := data(s).commands(t, "program")
	want := s.oneByOne(t, "pipeline", cmds)
	k := s.talk(t, "pipeline")
	defer k.end()
	k.send("a", cmds...)
	k.expectAll("a", want)
}

// expectAll compares the replies of a program; after the last one nothing may follow.
func (k *talk) expectAll(name string, want []model.Reply) {
	for _, w := range want {
		k.expect(name, w, k.receive(name))
	}
	end := []byte("the end")
	k.send(name, command{[]byte("ECHO"), end})
	k.expect(name, model.Str(string(end)), k.receive(name))
}

// oneByOne gives the replies of a program on keys of its own.
func (s *Server) oneByOne(t *rapid.T, law string, cmds []command) []model.Reply {
	k := s.talk(t, law)
	defer k.end()
	var out []model.Reply
	for _, args := range cmds {
		out = append(out, k.ask("a", args...))
	}
	return out
}

// independentKeysCommute: two programs on different keys, one after the other and interleaved.
func independentKeysCommute(t *rapid.T, s *Server) {
	one, two := data(s).on("a", "b").commands(t, "first"), data(s).on("c", "d").commands(t, "second")
	wantOne, wantTwo := s.oneByOne(t, "independence", one), s.oneByOne(t, "independence", two)
	k := s.talk(t, "independence")
	defer k.end()
	for len(one)+len(two) > 0 {
		if len(two) == 0 || len(one) > 0 && rapid.Bool().Draw(t, "first goes on") {
			k.send("a", one[0])
			k.expect("a", wantOne[0], k.receive("a"))
			one, wantOne = one[1:], wantOne[1:]
		} else {
			k.send("b", two[0])
			k.expect("b", wantTwo[0], k.receive("b"))
			two, wantTwo = two[1:], wantTwo[1:]
		}
	}
}

// execIsItsCommands: the commands of a transaction answer what they answer alone, errors included.
func execIsItsCommands(t *rapid.T, s *Server) {
	if !s.Has("multi") {
		t.Skip("the server has no MULTI")
	}
	cmds := slices.DeleteFunc(data(s).commands(t, "program"), func(args command) bool {
		c, ok := commands.Find(args)
		return !ok || !c.Fits(len(args)) // refused while queueing: another clause
	})
	want := s.oneByOne(t, "transaction", cmds)
	k := s.talk(t, "transaction")
	defer k.end()
	k.ask("a", []byte("MULTI"))
	for _, args := range cmds {
		k.send("a", args)
		k.expect("a", model.Reply{Kind: model.Simple, Str: "QUEUED"}, k.receive("a"))
	}
	k.send("a", command{[]byte("EXEC")})
	k.expect("a", model.Arr(want...), k.receive("a"))
}

// idleChangesNothing: after a command that failed or did not act every key is what it was, and who
// watched the keys sees no change.
func idleChangesNothing(t *rapid.T, s *Server) {
	a := data(s).on("a", "a", "b")
	before, cmd := a.commands(t, "before"), a.command(t)
	k := s.talk(t, "idleness")
	defer k.end()
	for _, args := range before {
		k.ask("a", args...)
	}
	watches := s.Has("watch") && s.Has("multi")
	if watches {
		k.ask("b", []byte("WATCH"), []byte("a"), []byte("b"))
	}
	want := k.snapshot()
	if r := k.ask("a", cmd...); !didNothing(cmd, r) {
		return
	}
	for i, args := range looks(s) {
		k.send("a", args)
		k.expect("a", want[i], k.receive("a"))
	}
	if watches {
		k.ask("b", []byte("MULTI"))
		k.ask("b", []byte("PING"))
		k.send("b", command{[]byte("EXEC")})
		k.expect("b", model.Arr(model.Reply{Kind: model.Simple, Str: "PONG"}), k.receive("b"))
	}
}

// tells are the commands whose null or 0 says that they did not act.
var tells = words(`set setnx getex getdel msetnx del unlink expire pexpire expireat pexpireat persist
	renamenx copy`)

func didNothing(args [][]byte, r model.Reply) bool {
	if r.Kind == model.Error {
		return true
	}
	name := strings.ToLower(string(args[0]))
	nothing := r.IsNull() || r.Kind == model.Int && r.Int == 0
	// The null of SET GET is the value before; it may have acted.
	getting := slices.ContainsFunc(args[1:], func(w []byte) bool { return strings.EqualFold(string(w), "get") })
	return nothing && tells[name] && !getting
}

// looks are commands that together show all there is of the keys.
func looks(s *Server) (out []command) {
	for _, name := range []string{"GET", "PEXPIRETIME"} {
		if !s.Has(strings.ToLower(name)) {
			continue
		}
		for _, key := range []string{"a", "b"} {
			out = append(out, command{[]byte(name), []byte(key)})
		}
	}
	return out
}

func (k *talk) snapshot() (out []model.Reply) {
	for _, args := range looks(k.s) {
		out = append(out, k.ask("a", args...))
	}
	return out
}
