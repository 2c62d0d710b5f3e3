package suite

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rondo/check/script"
	"rondo/check/wire"
	"rondo/model"
	"rondo/spec"
	"rondo/spec/commands"
	"rondo/testdata"
)

func chapters() []string { return spec.Chapters() }

// specCases are the examples of a chapter: "time/TIME-3", and "time/TIME-3-2" for a second one.
func specCases(chapter string) []Case {
	var cases []Case
	for _, c := range spec.All() {
		if c.Chapter != chapter {
			continue
		}
		for i, s := range c.Examples {
			name := chapter + "/" + c.ID
			if i > 0 {
				name = fmt.Sprintf("%s-%d", name, i+1)
			}
			ids := []string{c.ID}
			for _, id := range s.Clauses {
				if !slices.Contains(ids, id) {
					ids = append(ids, id)
				}
			}
			cases = append(cases, conversation(name, "spec/"+c.File, s, ids))
		}
	}
	return cases
}

// scriptCases are the conversations of testdata: "script/set-options".
func scriptCases() []Case {
	files, err := testdata.Scripts()
	if err != nil {
		panic(err) // embedded: it cannot be read wrongly twice
	}
	var cases []Case
	for _, f := range files {
		name := "script/" + f.Name()
		s, err := spec.ParseScript(f.Path, f.Text)
		if err != nil {
			cases = append(cases, Case{Name: name, Run: func(t *T) { t.Broken(err) }})
			continue
		}
		cases = append(cases, conversation(name, "testdata/"+f.Path, s, s.Clauses))
	}
	return cases
}

// conversation makes a case of a script in a file. It needs what the script says and the commands in it.
func conversation(name, file string, s spec.Script, clauses []string) Case {
	c := Case{Name: name, Clauses: clauses, Needs: slices.Clone(s.Needs)}
	c.Exclusive = slices.Contains(s.Needs, "exclusive") || slices.Contains(s.Needs, "empty-db")
	c.plain, c.brief = len(s.Needs) == 0, !c.Exclusive
	waits := time.Duration(0)
	for _, st := range s.Steps {
		waits += st.Wait
		c.plain = c.plain && st.Kind != spec.Wait && st.Kind != spec.Silent
		if cmd, ok := commands.Find(st.Args); ok && !slices.Contains(c.Needs, cmd.Name) {
			c.Needs = append(c.Needs, cmd.Name)
		}
		for _, need := range takenForGranted(st.Args) {
			if !slices.Contains(c.Needs, need) {
				c.Needs = append(c.Needs, need)
			}
		}
	}
	c.brief = c.brief && waits < briefWaits
	c.Run = func(t *T) {
		if slices.Contains(s.Needs, "empty-db") {
			t.empty()
		}
		t.keepSettings(s)
		m := script.Run(t.target, s, t.prefix)
		switch {
		case m == nil:
		case m.Err != nil:
			t.Broken(m.Err)
		default:
			if text, isError := strings.CutPrefix(m.Actual, "-"); isError {
				t.excused(m.Asked, model.Err(text))
			}
			t.mismatch(file, m)
		}
	}
	return c
}

// takenForGranted names what a command line assumes of its connection: that there are several
// databases and this is number 0, or that nobody has signed in.
func takenForGranted(args [][]byte) []string {
	if len(args) == 0 {
		return nil
	}
	has := func(word string) bool {
		return slices.ContainsFunc(args[1:], func(a []byte) bool {
			return strings.EqualFold(string(a), word)
		})
	}
	name := strings.ToUpper(string(args[0]))
	switch {
	case name == "RESET": // it goes back to database 0, and signs out
		return []string{"databases", "signing-in"}
	case slices.Contains([]string{"SELECT", "MOVE", "SWAPDB", "FLUSHALL"}, name),
		name == "COPY" && has("db"):
		return []string{"databases"}
	case name == "AUTH", name == "HELLO" && has("auth"), name == "CONFIG" && has("requirepass"):
		return []string{"signing-in"}
	}
	return nil
}

// mismatch fails the case with what was sent, the line of the file and the wire log of its connection.
func (t *T) mismatch(file string, m *script.Mismatch) {
	expected := m.Expected
	if m.Line > 0 {
		expected = fmt.Sprintf("%s (line %d of %s)", m.Expected, m.Line, file)
	}
	t.mu.Lock()
	t.result.Wire = m.Wire
	t.result.Sent = clip(m.Sent)
	t.result.late = m.Late
	t.mu.Unlock()
	t.Fail(nil, expected, m.Actual)
}

// empty makes sure that no database holds keys: emptied where that is allowed, else looked at.
func (t *T) empty() {
	c := t.Conn()
	if t.target.Caps().Owned && len(t.target.Databases()) > 1 {
		t.Want(c, "+OK", "FLUSHALL")
		return
	}
	for _, db := range t.target.Databases() {
		t.inDatabase(c, db)
		if t.target.Caps().Owned {
			t.Want(c, "+OK", "FLUSHDB")
			continue
		}
		if t.Want(c, ":*", "DBSIZE").Int > 0 {
			t.Skip("the server holds keys: start an empty one, or allow emptying it with -flush")
		}
	}
}

// keepSettings puts back what a script sets with CONFIG SET and DEBUG, however it ends: through a
// connection opened before, which a password set meanwhile does not lock out.
func (t *T) keepSettings(s spec.Script) {
	var names []string
	expiry := false
	for _, st := range s.Steps {
		cmd, _ := commands.Find(st.Args)
		for i := 2; cmd.Name == "config|set" && i < len(st.Args); i += 2 {
			names = append(names, string(st.Args[i]))
		}
		expiry = expiry || cmd.Name == "debug" &&
			strings.EqualFold(string(st.Args[1]), "set-active-expire")
	}
	if len(names) == 0 && !expiry {
		return
	}
	c := t.Conn()
	for _, name := range names {
		t.keepSetting(c, name)
	}
	if expiry {
		t.Undo(func() { _, _ = c.Do("DEBUG", "SET-ACTIVE-EXPIRE", "1") })
	}
}

// keepSetting remembers a setting and puts it back when the case ends. An unknown one is left.
func (t *T) keepSetting(c *wire.Conn, name string) {
	r := t.Do(c, "CONFIG", "GET", name)
	if r.Kind != model.Array || len(r.Elems) != 2 {
		return
	}
	old := r.Elems[1].Str
	t.Undo(func() { _, _ = c.Do("CONFIG", "SET", name, old) })
}
