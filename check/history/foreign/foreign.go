// Package foreign reads register histories that other tools recorded, and writes ours for them.
//
//	edn.go      the part of EDN that a Jepsen history uses
//	jepsen.go   Jepsen's history.edn: read, write and cas on registers, both ways
//	etcd.go     operations.json of etcd's robustness tests, one way
//
// Nothing of them knows a server's clock, and registers do not expire, so the histories are judged
// with an unknown clock phase. What has no counterpart here is left out where that can only hide an
// error and never make one up: Notes count it. What could make one up is refused.
package foreign

import (
	"fmt"
	"io"
	"path/filepath"
	"sort"
	"strings"

	"rondo/check/history"
	"rondo/model"
)

// Notes say what a conversion left out or weakened, with how often.
type Notes map[string]int

// Lines are the notes as sentences, in a fixed order.
func (n Notes) Lines() []string {
	var lines []string
	for text, count := range n {
		lines = append(lines, fmt.Sprintf("%d %s", count, text))
	}
	sort.Strings(lines)
	return lines
}

// Read reads a history in the format that the file's name stands for: *.edn Jepsen, *.json etcd, and
// anything else our own.
func Read(name string, r io.Reader) (*history.History, Notes, error) {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".edn":
		return ReadJepsen(r)
	case ".json":
		return ReadEtcd(r)
	}
	h, err := history.Read(r)
	return h, nil, err
}

// Write is the opposite of Read; etcd's format cannot be written, because its model compares
// revisions, which no other store counts.
func Write(name string, w io.Writer, h *history.History) error {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".edn":
		return WriteJepsen(w, h)
	case ".json":
		return fmt.Errorf("%s: operations.json cannot be written: etcd's model compares revisions, "+
			"which this history does not have", name)
	}
	return history.Write(w, h)
}

// collector gathers operations and gives them clients whose operations follow each other: whoever
// goes on after an operation without an answer, or before one is answered, is a new client.
type collector struct {
	h     history.History
	notes Notes
	now   map[int]int   // foreign client to ours
	until map[int]int64 // return of our client's last operation
	last  int
}

func newCollector(target string) *collector {
	return &collector{h: history.History{Meta: history.Meta{Target: target}}, notes: Notes{},
		now: map[int]int{}, until: map[int]int64{}}
}

func (c *collector) add(client int, op history.Op) {
	ours, known := c.now[client]
	if !known || c.until[ours] > op.Call {
		c.last++
		ours = c.last
		c.now[client] = ours
	}
	c.until[ours] = op.Return
	op.Client = ours
	c.h.Ops = append(c.h.Ops, op)
}

// done gives the history in the order of calls.
func (c *collector) done() (*history.History, Notes, error) {
	sort.SliceStable(c.h.Ops, func(i, j int) bool { return c.h.Ops[i].Call < c.h.Ops[j].Call })
	return &c.h, c.notes, c.h.Validate()
}

func line(words ...string) [][]byte {
	out := make([][]byte, len(words))
	for i, w := range words {
		out[i] = []byte(w)
	}
	return out
}

// answer completes an operation with its reply, unless the answer was lost.
func answer(op history.Op, returned int64, reply model.Reply) history.Op {
	if op.Return = returned; returned != history.Never {
		op.Reply = &reply
	}
	return op
}
