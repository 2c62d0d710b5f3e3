package model

import (
	"bytes"
	"fmt"
	"strings"
)

// Describe renders a state for people: a line for each key, and one for each connection that is
// not in its initial state.
func (s State) Describe() string {
	var b strings.Builder
	for _, e := range s.entries {
		b.WriteString(e.describe() + "\n")
	}
	if len(s.entries) == 0 {
		b.WriteString("no keys\n")
	}
	for _, x := range s.session {
		b.WriteString(x.describe() + "\n")
	}
	return b.String()
}

func (e *entry) describe() string {
	line := fmt.Sprintf("%s = %v (%v)", place(e.db, e.key), Str(shortened(e.value)), e.encoding)
	if e.isList() {
		line = fmt.Sprintf("%s = %v (%d elements)", place(e.db, e.key), e.shown(), len(e.list))
	}
	if e.mortal {
		line += fmt.Sprintf(", deadline %v", e.deadline)
	}
	return line
}

// shown is the beginning of a list.
func (e *entry) shown() Reply {
	const most = 10
	list := bulks(e.list[:min(len(e.list), most)])
	for i := range list.Elems {
		list.Elems[i].Str = shortened(list.Elems[i].Str)
	}
	if len(e.list) > most {
		list.Elems = append(list.Elems, Reply{Kind: Simple, Str: "..."})
	}
	return list
}

// place names a key; database 0 goes without saying.
func place(db int, key string) string {
	name := Str(key).String()
	if db != 0 {
		return fmt.Sprintf("%d:%s", db, name)
	}
	return name
}

func shortened(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return fmt.Sprintf("%s... (%d bytes)", s[:most], len(s))
}

func (x *session) describe() string {
	var parts []string
	add := func(when bool, format string, args ...any) {
		if when {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(x.closed, "closed")
	add(x.db != 0, "database %d", x.db)
	add(x.resp3, "RESP3")
	add(x.auth, "authenticated")
	add(x.name != "", "named %s", x.name)
	add(x.multi, "in MULTI, %d queued", len(x.queue))
	add(x.broken, "a command was refused")
	add(x.dirty, "a watched key has changed")
	for _, m := range x.marks {
		add(true, "watches %s", place(m.db, m.key))
	}
	if x.wait != nil {
		add(true, "waits: %s", bytes.Join(x.wait.line, []byte(" ")))
		add(x.wait.timed, "until %v", x.wait.timeout)
	}
	return fmt.Sprintf("connection %d: %s", x.client, strings.Join(parts, ", "))
}

// String is the instant as milliseconds, or as a variable of a symbolic clock and an offset.
func (t Instant) String() string {
	switch {
	case t.Var == 0:
		return fmt.Sprintf("%d", t.Off)
	case t.Off == 0:
		return fmt.Sprintf("t%d", t.Var)
	}
	return fmt.Sprintf("t%d%+d", t.Var, t.Off)
}
