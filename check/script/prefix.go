package script

import (
	"bytes"
	"strconv"
	"strings"

	"rondo/model"
	"rondo/spec/commands"
)

// keyPrefix puts a prefix before the keys of commands and cuts it from replies. It remembers keys
// and databases for the cleaning up.
type keyPrefix struct {
	prefix string
	keys   map[string]bool
	dbs    map[int]bool
}

func newKeyPrefix(prefix string) keyPrefix {
	return keyPrefix{prefix, map[string]bool{}, map[int]bool{0: true}}
}

// add returns the command with prefixed keys. The patterns of KEYS and SCAN are keys as well.
func (p keyPrefix) add(args [][]byte) [][]byte {
	out := append([][]byte(nil), args...)
	for _, i := range commands.Keys(args) {
		out[i] = p.on(args[i])
		p.keys[string(out[i])] = true
	}
	p.noteDatabase(args)
	switch name := strings.ToLower(string(args[0])); {
	case name == "keys" && len(args) > 1:
		out[1] = p.on(args[1])
	case name == "scan":
		for i := 2; i+1 < len(args); i += 2 {
			if bytes.EqualFold(args[i], []byte("match")) {
				out[i+1] = p.on(args[i+1])
			}
		}
	}
	return out
}

func (p keyPrefix) on(key []byte) []byte { return append([]byte(p.prefix), key...) }

// noteDatabase remembers the databases that a command can bring keys to.
func (p keyPrefix) noteDatabase(args [][]byte) {
	name := strings.ToLower(string(args[0]))
	for i, a := range args[1:] {
		n, err := strconv.Atoi(string(a))
		if err != nil || n < 0 {
			continue
		}
		word := i + 1
		afterDB := word > 1 && bytes.EqualFold(args[word-1], []byte("db"))
		if name == "select" || name == "move" && word == 2 || name == "copy" && afterDB {
			p.dbs[n] = true
		}
	}
}

// cut removes the prefix from the bulk strings of a reply, however deep.
func (p keyPrefix) cut(r model.Reply) model.Reply {
	if r.Kind == model.Bulk {
		r.Str = strings.TrimPrefix(r.Str, p.prefix)
		return r
	}
	elems := r.Elems
	r.Elems = nil
	for _, e := range elems {
		r.Elems = append(r.Elems, p.cut(e))
	}
	return r
}

// cleanup lists the commands that delete the keys.
func (p keyPrefix) cleanup() [][]string {
	if len(p.keys) == 0 {
		return nil
	}
	del := []string{"DEL"}
	for k := range p.keys {
		del = append(del, k)
	}
	var lines [][]string
	for db := range p.dbs {
		if len(p.dbs) > 1 {
			lines = append(lines, []string{"SELECT", strconv.Itoa(db)})
		}
		lines = append(lines, del)
	}
	return lines
}
