package commands

import (
	"fmt"
	"strings"
	"testing"
)

// TestTableIsConsistent: what COMMAND INFO can say only in one way, the table says in that way.
func TestTableIsConsistent(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Table {
		container, _, sub := strings.Cut(c.Name, "|")
		hasKeys := c.First != 0 || c.Last != 0 || c.Step != 0
		switch {
		case seen[c.Name] || c.Name != strings.ToLower(c.Name):
			t.Errorf("%s: twice, or not in lower case", c.Name)
		case sub && !seen[container]:
			t.Errorf("%s: stands before its container", c.Name)
		case c.Arity == 0 || sub && c.Arity < 2 && c.Arity > -2:
			t.Errorf("%s: arity %d", c.Name, c.Arity)
		case hasKeys && (c.First < 1 || c.Step < 1 || c.Last >= 0 && c.Last < c.First):
			t.Errorf("%s: keys %d %d %d", c.Name, c.First, c.Last, c.Step)
		case c.Has("write") && c.Has("readonly"):
			t.Errorf("%s: writes and does not", c.Name)
		case hasKeys && !c.Has("write") && !c.Has("readonly") && c.Name != "watch":
			t.Errorf("%s: has keys and neither reads nor writes", c.Name)
		case Elsewhere(c.Name):
			t.Errorf("%s: is covered and is not", c.Name)
		}
		if !strings.Contains(" conn server string key expiry list tx ", " "+c.Family+" ") {
			t.Errorf("%s: family %s", c.Name, c.Family)
		}
		seen[c.Name] = true
	}
}

func words(line string) (args [][]byte) {
	for _, w := range strings.Fields(line) {
		args = append(args, []byte(w))
	}
	return args
}

func TestKeys(t *testing.T) {
	for line, want := range map[string]string{
		"get k": "[1]", "GET k": "[1]", "mget a b c": "[1 2 3]", "mset a 1 b 2": "[1 3]",
		"mset a 1 b":    "[1 3]",
		"copy a b DB 1": "[1 2]", "rename a b": "[1 2]", "move a 1": "[1]", "set a b PX 5": "[1]",
		"object encoding k": "[2]", "OBJECT Idletime k": "[2]", "object help": "[]", "object": "[]",
		"watch a b": "[1 2]", "del a b": "[1 2]", "touch a": "[1]", "exists a a": "[1 2]",
		"blpop a b 0": "[1 2]", "blmove a b LEFT LEFT 0": "[1 2]", "lmpop 2 a b LEFT": "[2 3]",
		"blmpop 0 1 a LEFT COUNT 2": "[3]", "lmpop 3 a b LEFT": "[2 3 4]", "lmpop x a LEFT": "[]",
		"lmpop 4 a b LEFT": "[]", "lmpop": "[]",
		"ping": "[]", "nosuch k": "[]", "keys *": "[]", "scan 0": "[]", "get": "[]",
		"copy a":           "[1]",
		"client setname k": "[]", "object|encoding k": "[]", "": "[]",
	} {
		if got := fmt.Sprint(Keys(words(line))); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

func TestLookup(t *testing.T) {
	if c, ok := Lookup("GetEx"); !ok || c.Name != "getex" || !c.Has("fast") || c.Has("readonly") {
		t.Errorf("GetEx: %v %v", c, ok)
	}
	if c, ok := Lookup("CLIENT|ID"); !ok || c.Arity != 2 {
		t.Errorf("CLIENT|ID: %v %v", c, ok)
	}
	for line, want := range map[string]string{"get": "get", "client": "client",
		"client id":     "client|id",
		"client nosuch": "", "client|id": "", "nosuch": "", "": ""} {
		if c, ok := Find(words(line)); c.Name != want || ok != (want != "") {
			t.Errorf("%s: %v %v", line, c, ok)
		}
	}
	if get, _ := Lookup("get"); get.Fits(1) || !get.Fits(2) || get.Fits(3) {
		t.Error("GET takes one key")
	}
	if del, _ := Lookup("del"); del.Fits(1) || !del.Fits(9) {
		t.Error("DEL takes keys")
	}
}

func TestContainer(t *testing.T) {
	for name, want := range map[string]bool{"client": true, "CONFIG": true,
		"object": true, "command": true,
		"debug": false, "get": false, "client|id": false} {
		if Container(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

func TestElsewhere(t *testing.T) {
	for name, want := range map[string]bool{"HSET": true, "client|pause": true,
		"xgroup|create": true,
		"get":           false, "client|id": false, "nosuch": false, "client|nosuch": false,
		"nosuch|sub": false} {
		if Elsewhere(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}
