package fuzz

import (
	"strings"
	"time"

	"rondo/check/property"
	"rondo/model"
	"rondo/spec"
	"rondo/spec/commands"
)

// A program is decoded from bytes by a grammar: each action takes a byte for what it is, and a
// byte for each choice in it. Any bytes are a program, and a small change of them is a small
// change of it, which is what a coverage-guided fuzzer needs. Lines of the grammar are command
// templates; a capital letter stands for a choice among the words of its pool.
var (
	templates = property.Templates
	pools     = property.Pools
)

const (
	actionsMax = 200
	clientsMax = 3
	anyCommand = 0xfe // an action byte: any command of the table with any words
	pauseByte  = 0xff // an action byte: time passes
)

func decodeProgram(data []byte) program {
	r := &reader{data}
	var p program
	for len(r.data) > 0 && len(p) < actionsMax {
		kind, how := r.next(), r.next()
		if kind == pauseByte {
			p = append(p, action{pause: pauses[int(how)%len(pauses)]})
			continue
		}
		a := action{client: int(how) % clientsMax, cut: int(how) / clientsMax % 16}
		if kind == anyCommand {
			a.cmd = r.anyCommand()
		} else {
			a.cmd = r.expand(templates[int(kind)%len(templates)])
		}
		if model.Models(a.cmd) && !mayWait(a.cmd) {
			p = append(p, a)
		}
	}
	return p
}

// mayWait tells whether nobody may answer a command until another client does something: that is for
// worlds, which have schedules.
func mayWait(cmd [][]byte) bool {
	c, ok := commands.Find(cmd)
	return ok && c.Has("blocking")
}

var pauses = []time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 6 * time.Millisecond,
	51 * time.Millisecond, time.Second, 100 * time.Second,
}

func (r *reader) expand(template string) [][]byte {
	var cmd [][]byte
	for word := range strings.FieldsSeq(template) {
		if pool := pools[word[0]]; pool != nil && len(word) == 1 {
			word = r.pick(pool)
		}
		cmd = append(cmd, []byte(word))
	}
	return cmd
}

// anyCommand takes a name from the table and up to five words from any pool: wrong arity, wrong
// types, options where none belong.
func (r *reader) anyCommand() [][]byte {
	name := commands.Table[int(r.next())%len(commands.Table)].Name
	var cmd [][]byte
	for word := range strings.SplitSeq(name, "|") {
		cmd = append(cmd, []byte(word))
	}
	const letters = "KVIRFTSAOEPD"
	for n := int(r.next()) % 6; n > 0; n-- {
		cmd = append(cmd, []byte(r.pick(pools[letters[int(r.next())%len(letters)]])))
	}
	return cmd
}

// encodeProgram is a program that decodes to something close to a conversation: its commands by
// their first template, words where a pool has them.
func encodeProgram(s spec.Script) []byte {
	var out []byte
	for _, step := range s.Steps {
		switch {
		case step.Kind == spec.Wait:
			out = append(out, pauseByte, 4)
		case len(step.Args) > 0:
			for i, t := range templates {
				words := strings.Fields(t)
				if len(words) == len(step.Args) && strings.EqualFold(words[0], string(step.Args[0])) {
					out = append(out, byte(i), step.Conn[0]-'a')
					out = append(out, encodeWords(words, step.Args)...)
					break
				}
			}
		}
	}
	return out
}

func encodeWords(words []string, args [][]byte) []byte {
	var out []byte
	for i, word := range words {
		pool := pools[word[0]]
		if len(word) > 1 || pool == nil {
			continue
		}
		choice := byte(len(args[i]))
		for j, w := range pool {
			if w == string(args[i]) {
				choice = byte(j)
			}
		}
		out = append(out, choice)
	}
	return out
}
