package spec

// The chapters and the conversations, held against the rules that they promise to keep.

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"rondo/testdata"
)

func TestChaptersParse(t *testing.T) {
	if err := Err(); err != nil {
		t.Fatal(err)
	}
	want := []string{"wire", "conn", "loop", "exec", "data", "time", "order", "wait"}
	if got := Chapters(); !slices.Equal(got, want) {
		t.Fatalf("chapters %v, want %v", got, want)
	}
	for _, name := range Chapters() {
		if !strings.HasPrefix(Text(name), "# ") {
			t.Errorf("chapter %s does not begin with its title", name)
		}
	}
}

// IDs are append-only: within a word the numbers have no gap, so that none was taken away.
func TestIDsAreConsecutive(t *testing.T) {
	numbers := map[string][]int{}
	for _, c := range All() {
		var n int
		word, digits, _ := strings.Cut(c.ID, "-")
		if _, err := fmt.Sscan(digits, &n); err != nil {
			t.Fatal(err)
		}
		numbers[word] = append(numbers[word], n)
	}
	for word, ns := range numbers {
		slices.Sort(ns)
		for i, n := range ns {
			if n != i+1 {
				t.Errorf("%s-%d is missing", word, i+1)
				break
			}
		}
	}
}

// A clause that no conversation shows has to say what else does.
var evidence = regexp.MustCompile(`suite|[Ss]imulation|histor|formal model|every run`)

func TestEveryMustHasEvidence(t *testing.T) {
	examples := 0
	for _, c := range All() {
		examples += len(c.Examples)
		if c.Level == Must && len(c.Examples) == 0 && !evidence.MatchString(c.SeenBy) {
			t.Errorf("%s:%d: %s has no example, and its Seen by names no evidence",
				c.File, c.Line, c.ID)
		}
	}
	if examples < 90 {
		t.Errorf("%d examples, want at least 90", examples)
	}
}

// One sentence, one obligation: the text of a clause ends with its only full stop.
func TestClausesAreOneSentence(t *testing.T) {
	stop, quote := regexp.MustCompile(`[.!?] [A-Z]`), regexp.MustCompile("`[^`]*`|\"[^\"]*\"")
	for _, c := range All() {
		quoted := quote.ReplaceAllString(c.Text, "x")
		if stop.MatchString(quoted) || !strings.HasSuffix(quoted, ".") {
			t.Errorf("%s:%d: %s is not one sentence: %s", c.File, c.Line, c.ID, c.Text)
		}
	}
}

var mention = regexp.MustCompile(`\b(?:WIRE|CONN|LOOP|EXEC|STR|KEY|TIME|LIN)-[0-9]+\b`)

func checkMentions(t *testing.T, path, text string) {
	t.Helper()
	for i, line := range strings.Split(text, "\n") {
		for _, id := range mention.FindAllString(line, -1) {
			if _, ok := Lookup(id); !ok {
				t.Errorf("%s:%d: no clause has the ID %s", path, i+1, id)
			}
		}
	}
}

func TestMentionedClausesExist(t *testing.T) {
	names, err := fs.Glob(files, "*.md")
	if err != nil || len(names) < 8 {
		t.Fatalf("found %v, %v", names, err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		checkMentions(t, name, string(text))
	}
}

func TestConversations(t *testing.T) {
	found, err := testdata.Scripts()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		checkMentions(t, f.Path, f.Text)
		s, err := ParseScript(f.Path, f.Text)
		if err != nil {
			t.Error(err)
			continue
		}
		if len(s.Clauses) == 0 {
			t.Errorf("%s: no \"# clauses:\" line", f.Path)
		}
		if err := balanced(s); err != nil {
			t.Errorf("%s: %v", f.Path, err)
		}
	}
}

func TestExamplesReadEveryReply(t *testing.T) {
	for _, c := range All() {
		for _, s := range c.Examples {
			if err := balanced(s); err != nil {
				t.Errorf("%s: %v", c.File, err)
			}
		}
	}
}

// balanced tells whether each command of a connection has its expectation. Raw bytes and closed
// connections make the count meaningless.
func balanced(s Script) error {
	sent, read, skip := map[string]int{}, map[string]int{}, map[string]bool{}
	for _, st := range s.Steps {
		switch {
		case st.Raw != nil || st.Kind == Closed || st.Kind == Close:
			skip[st.Conn] = true
		case st.Kind == Expect:
			read[st.Conn]++
		case st.Args != nil:
			sent[st.Conn]++
		}
	}
	for conn := range sent {
		if !skip[conn] && sent[conn] != read[conn] {
			return fmt.Errorf("line %d: connection %s sends %d commands and reads %d replies",
				s.Line, conn, sent[conn], read[conn])
		}
	}
	return nil
}

const goodChapter = "# Title\n\nAn essay, with TIME-9 in it.\n\n## Part\n\n" +
	"### ABC-1 · MUST\nOne\n" +
	"sentence.\n\n*Why.* Because.\n\n*Seen by.* This.\n\n*Range.* All.\n\n" +
	"```script\n# needs: debug\n> PING\n< +PONG\n```\n\n```script\n> PING\n< +PONG\n```\n"

func TestReadBook(t *testing.T) {
	b := readBook(fstest.MapFS{
		"1-abc.md":  {Data: []byte(goodChapter)},
		"claims.md": {Data: []byte("### not a clause\n")},
	})
	if b.err != nil {
		t.Fatal(b.err)
	}
	c := b.clauses[0]
	if c.ID != "ABC-1" || c.Level != Must || c.Chapter != "abc" || c.Text != "One sentence." ||
		c.Why != "Because." || c.SeenBy != "This." || c.Range != "All." || c.Line != 7 {
		t.Errorf("clause read as %+v", c)
	}
	if len(c.Examples) != 2 || c.Examples[1].Name != "ABC-1.2" {
		t.Fatalf("examples %+v", c.Examples)
	}
	s := c.Examples[0]
	if s.Line != 18 || s.Steps[1].Line != 20 || s.Needs[0] != "debug" || s.Clauses[0] != "ABC-1" {
		t.Errorf("example read as %+v", s)
	}
}

func TestReadBookRefuses(t *testing.T) {
	change := func(old, new string) string { return strings.Replace(goodChapter, old, new, 1) }
	for _, c := range []struct{ name, text, want string }{
		{"a heading with a hyphen", change("·", "-"), "1-abc.md:7: a clause heading reads"},
		{"an unknown level", change("MUST", "OUGHT"), "1-abc.md:7: a clause heading reads"},
		{"number zero", change("ABC-1", "ABC-0"), "1-abc.md:7: a clause heading reads"},
		{"no reason", change("*Why.* Because.", ""), "1-abc.md:7: ABC-1 lacks *Why.*"},
		{"no evidence", change("*Seen by.* This.", ""), "1-abc.md:7: ABC-1 lacks *Seen by.*"},
		{"no sentence", change("One\nsentence.", ""), "1-abc.md:7: ABC-1 lacks its sentence"},
		{"two reasons", change("*Range.*", "*Why.*"), "1-abc.md:15: ABC-1: a second *Why.* paragraph"},
		{"a stray paragraph", change("*Range.*", "By the way."), "1-abc.md:15: ABC-1: a paragraph"},
		{"a bad step", change("< +PONG", "< PONG"), "1-abc.md:20: pattern PONG: at byte 0"},
		{"an open fence", strings.TrimSuffix(goodChapter, "```\n"), "1-abc.md:23: this fence is never"},
		{"a script in the essay", change("## Part", "```script\n> PING\n< *\n```"), "outside of any clause"},
		{"the same ID", goodChapter + strings.TrimPrefix(goodChapter, "# Title"),
			"clause ABC-1 exists already at 1-abc.md:7"},
	} {
		b := readBook(fstest.MapFS{"1-abc.md": {Data: []byte(c.text)}})
		if b.err == nil || !strings.Contains(b.err.Error(), c.want) {
			t.Errorf("%s: got error %v, want %q", c.name, b.err, c.want)
		}
	}
}

func TestLookup(t *testing.T) {
	if c, ok := Lookup("time-3"); !ok || c.ID != "TIME-3" || c.Chapter != "time" {
		t.Errorf("Lookup(time-3) = %v, %v", c.ID, ok)
	}
	if _, ok := Lookup("TIME-999"); ok {
		t.Error("a clause that is not there was found")
	}
}

// TestRanges: a range that begins with a level holds for the baselines that it names, and one that
// cannot be read is refused.
func TestRanges(t *testing.T) {
	c := Clause{ID: "ABC-1", Level: Should, Range: "MUST as redis-7.2, valkey-8 (redis/redis#1). Words."}
	for as, want := range map[string]Level{"": Should, "redis-7.0": Should, "redis-7.2": Must, "redis-8": Should, "valkey-8": Must} {
		if got := c.LevelAs(as); got != want {
			t.Errorf("as %q: %s, want %s", as, got, want)
		}
	}
	if err := checkRange(c); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"MUST as redis-9 (x). Words.", "MUST as redis-8.", "SHOULD from 7.2 on."} {
		c.Range = bad
		if err := checkRange(c); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	if !FrozenAs("redis-7.2") || !FrozenAs("valkey-8") || FrozenAs("") {
		t.Error("the clock is frozen from 7.2 on, and not before")
	}
}
