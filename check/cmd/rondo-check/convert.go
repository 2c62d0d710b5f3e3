package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"rondo/check/history"
	"rondo/check/history/foreign"
)

var convertVerb = verb{
	name: "convert", args: "IN ... OUT",
	does: "convert histories of other tools to ours, and ours for others",
	help: `
Reads a history in one format and writes it in another; the ends of the names say which:

  *.jsonl  ours, as "rondo-check help recheck" shows it
  *.edn    Jepsen: read, write and cas on registers, with or without [key value]
  *.json   the operations.json of etcd's robustness tests (only to read): ranges over one key, puts,
           deletes and transactions of them; the files of several clients can be given together

A cas from a to b that succeeded is one EXEC of GET and SET that answered a. What has no counterpart
is left out where that can only hide an error, and counted on stderr; what could make one up is
refused. So *.edn takes histories of GET, plain SET and such an EXEC, and not what "run" records: every
mix of it has more commands. "rondo-check recheck" reads all three formats as they are.

Examples:
  rondo-check convert client-1/operations.json client-2/operations.json history.jsonl
  rondo-check convert store/latest/history.edn history.jsonl
  rondo-check convert history.jsonl again.edn`,
	flags: func(*flag.FlagSet) func(*app, []string) (int, error) {
		return func(a *app, files []string) (int, error) {
			if len(files) < 2 {
				return 0, usagef("name the files to read and the file to write")
			}
			return 0, a.convert(files[:len(files)-1], files[len(files)-1])
		}
	},
}

func (a *app) convert(from []string, to string) error {
	all := &history.History{}
	clients := 0
	for _, name := range from {
		var h *history.History
		err := withFile(name, func(f io.Reader) (err error) {
			var notes foreign.Notes
			h, notes, err = foreign.Read(name, f)
			for _, line := range notes.Lines() {
				fmt.Fprintf(a.stderr, "%s: %s\n", name, line)
			}
			return err
		})
		if err != nil {
			return err
		}
		if len(all.Ops) == 0 {
			all.Meta = h.Meta
		}
		most := 0
		for _, op := range h.Ops { // the clients of another file are others
			most = max(most, op.Client)
			op.Client += clients
			all.Ops = append(all.Ops, op)
		}
		clients += most
		all.Marks = append(all.Marks, h.Marks...)
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if err := foreign.Write(to, out, all); err != nil {
		out.Close()
		os.Remove(to)
		return err
	}
	return out.Close()
}
