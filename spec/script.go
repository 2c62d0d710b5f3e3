package spec

// Conversations: what is sent, on which connection, and what must come back; one step a line. The
// package comment lists the steps, chapter 1 describes them.

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// StepKind is what a step does.
type StepKind int

// The kinds of steps. Each says which fields of Step it uses beside Conn, Line and Text.
const (
	Send      StepKind = iota // Args
	SendRaw                   // Raw
	Fragments                 // N, and Args or Raw
	Expect                    // Pattern
	Wait                      // Wait; no Conn
	Silent                    // Wait
	Closed                    // the server closes
	Close                     // the client closes
	HalfClose                 // the client shuts down its sending side
)

var kindNames = [...]string{"send", "send raw", "fragments", "expect", "wait", "silent", "closed",
	"close", "half-close"}

func (k StepKind) String() string { return kindNames[k] }

// Step is one line of a conversation.
type Step struct {
	Kind    StepKind
	Conn    string // "a" unless the line names another
	Args    [][]byte
	Raw     []byte
	Pattern Pattern
	Wait    time.Duration
	N       int
	Line    int
	Text    string // the line as written
}

// Script is a conversation.
type Script struct {
	Name    string
	Clauses []string // the clauses it shows
	Needs   []string // what a target must offer: exclusive, empty-db, debug, config, resp3
	Steps   []Step
	Line    int // of its first line in the file it came from
	Text    string
}

// Needs says what the words after "# needs:" mean; no other word is accepted.
var Needs = map[string]string{
	"exclusive": "the whole server for itself: it changes settings or counts clients",
	"empty-db":  "a database that holds no other keys: it counts or empties the keyspace",
	"debug":     "DEBUG SLEEP and DEBUG SET-ACTIVE-EXPIRE",
	"config":    "CONFIG GET and CONFIG SET",
	"resp3":     "RESP3 through HELLO 3",
}

// Bounds that keep a slip of the pen from becoming a test that never ends.
const (
	waitMax     = time.Minute
	argBytesMax = 64 << 20
)

// ParseScript parses a conversation. Errors read "name:line: what is wrong".
func ParseScript(name, text string) (Script, error) {
	return parseScript(name, name, text, 0)
}

// parseScript is ParseScript for text that begins after the given line of a file.
func parseScript(file, name, text string, before int) (Script, error) {
	s := Script{Name: name, Line: before + 1, Text: text}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, " \t\r")
		number := before + i + 1
		var err error
		switch {
		case line == "":
		case strings.HasPrefix(line, "#"):
			err = s.comment(line)
		default:
			err = s.step(line, number)
		}
		if err != nil {
			return Script{}, fmt.Errorf("%s:%d: %w", file, number, err)
		}
	}
	if len(s.Steps) == 0 {
		return Script{}, fmt.Errorf("%s:%d: a script without steps", file, before+1)
	}
	return s, nil
}

var clauseID = regexp.MustCompile(`^[A-Z]+-[1-9][0-9]*$`)

// comment reads the two headers; every other comment is for people.
func (s *Script) comment(line string) error {
	key, value, found := strings.Cut(strings.TrimSpace(line[1:]), ":")
	if !found || len(s.Steps) > 0 {
		return nil
	}
	words := strings.Fields(value)
	switch key {
	case "clauses":
		for _, id := range words {
			if !clauseID.MatchString(id) {
				return fmt.Errorf("%q is no clause ID; one reads TIME-3", id)
			}
		}
		s.Clauses = append(s.Clauses, words...)
	case "needs":
		for _, need := range words {
			if Needs[need] == "" {
				return fmt.Errorf("unknown need %q", need)
			}
		}
		s.Needs = append(s.Needs, words...)
	}
	return nil
}

// stepLine splits "fragments 3 b>> rest" and "b silent 5ms" into their parts.
var (
	sendLine  = regexp.MustCompile(`^(?:fragments ([1-9][0-9]*) )?([a-z]?)(>>?|<) ?(.*)$`)
	otherLine = regexp.MustCompile(`^(?:([a-z]) )?(wait|silent|closed|close|half-close)(?: (\S+))?$`)
)

func (s *Script) step(line string, number int) error {
	st := Step{Conn: "a", Line: number, Text: line}
	var err error
	if m := sendLine.FindStringSubmatch(line); m != nil {
		err = st.traffic(m[1], m[2], m[3], m[4])
	} else if m := otherLine.FindStringSubmatch(line); m != nil {
		err = st.other(m[1], m[2], m[3])
	} else {
		err = fmt.Errorf("no step begins like %q", line)
	}
	s.Steps = append(s.Steps, st)
	return err
}

// traffic fills a step that sends or expects bytes.
func (st *Step) traffic(pieces, conn, arrow, rest string) (err error) {
	if conn != "" {
		st.Conn = conn
	}
	if pieces != "" {
		st.Kind = Fragments
		if st.N, err = strconv.Atoi(pieces); err != nil {
			return err
		}
	}
	switch arrow {
	case "<":
		if pieces != "" {
			return fmt.Errorf("only what is sent can come in fragments")
		}
		st.Kind = Expect
		st.Pattern, err = ParsePattern(rest)
		return err
	case ">":
		st.Args, err = SplitArgs(rest)
		if err == nil && len(st.Args) == 0 {
			err = fmt.Errorf("an empty command; send raw bytes with >> instead")
		}
		return err
	}
	return st.raw(rest)
}

// raw takes one or more quoted strings, which are joined.
func (st *Step) raw(rest string) error {
	args, err := SplitArgs(rest)
	if err != nil {
		return err
	}
	for _, a := range args {
		st.Raw = append(st.Raw, a...)
	}
	if len(st.Raw) == 0 {
		return fmt.Errorf("no bytes to send")
	}
	if st.Kind != Fragments {
		st.Kind = SendRaw
	}
	return nil
}

// other fills a step about time or about the life of a connection.
func (st *Step) other(conn, word, value string) error {
	if conn != "" {
		st.Conn = conn
	}
	kinds := map[string]StepKind{"wait": Wait, "silent": Silent, "closed": Closed, "close": Close,
		"half-close": HalfClose}
	st.Kind = kinds[word]
	timed := st.Kind == Wait || st.Kind == Silent
	switch {
	case st.Kind == Wait && conn != "":
		return fmt.Errorf("time passes for all connections: wait names none")
	case !timed && value != "":
		return fmt.Errorf("%s takes no value", word)
	case !timed:
		return nil
	}
	var err error
	st.Wait, err = time.ParseDuration(value)
	if err != nil || st.Wait <= 0 || st.Wait > waitMax {
		return fmt.Errorf("%s needs a duration like 50ms, up to %v, not %q", word, waitMax, value)
	}
	return nil
}
