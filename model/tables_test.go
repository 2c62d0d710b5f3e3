package model_test

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"rondo/model"
	"rondo/spec"
)

// TestTables runs the tables of testdata: one file for each source file of commands, one line for
// each command line with its reply, all seen on Redis 7.0.15.
//
//	SET k v => +OK          connection 1 sends, the reply matches the pattern
//	2: GET k => "v"         connection 2
//	2: PING => nothing      no reply, after QUIT
//	+50                     50 ms pass
//	# text                  what the next lines show
//	---                     a new server; "--- password pw" and "--- limit 10" set its options
func TestTables(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d tables, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			table := &table{t: t}
			table.restart("---")
			lines := bufio.NewScanner(f)
			for table.line = 1; lines.Scan(); table.line++ {
				table.run(lines.Text())
			}
		})
	}
}

type table struct {
	t     *testing.T
	line  int
	ms    int64
	state model.State
}

func (k *table) run(line string) {
	switch {
	case line == "", line[0] == '#':
	case strings.HasPrefix(line, "---"):
		k.restart(line)
	case line[0] == '+':
		ms, err := strconv.ParseInt(line[1:], 10, 64)
		if err != nil {
			k.t.Fatalf("line %d: %v", k.line, err)
		}
		k.ms += ms
	default:
		k.command(line)
	}
}

func (k *table) restart(line string) {
	var o model.Options
	if words := strings.Fields(line); len(words) == 3 {
		switch words[1] {
		case "password":
			o.Password = words[2]
		case "limit":
			o.BulkLenMax, _ = strconv.ParseInt(words[2], 10, 64)
		}
	}
	k.ms, k.state = start, model.Initial(o)
}

func (k *table) command(line string) {
	text, want, ok := strings.Cut(line, " => ")
	client := model.Client(1)
	if len(text) > 2 && text[1] == ':' {
		client, text = model.Client(text[0]-'0'), text[3:]
	}
	args, err := spec.SplitArgs(text)
	if !ok || err != nil {
		k.t.Fatalf("line %d: not understood: %s %v", k.line, line, err)
	}
	pattern, err := spec.ParsePattern(want)
	if err != nil && want != "nothing" {
		k.t.Fatalf("line %d: %v", k.line, err)
	}
	next, outs := answer(k.ms, k.state, client, args)
	got := "nothing"
	if len(outs) == 1 {
		got = model.Fix(outs[0].Msg).String()
	}
	if !pattern.Match(got) && want != got {
		k.t.Errorf("line %d: %s\n got %s\n%s", k.line, line, got, k.state.Describe())
	}
	k.state = next
}
