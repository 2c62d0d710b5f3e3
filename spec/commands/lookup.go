package commands

import (
	"strconv"
	"strings"
)

var (
	byName     = map[string]Command{}
	containers = map[string]bool{}
)

func init() {
	for _, c := range Table {
		byName[c.Name] = c
		if container, _, sub := strings.Cut(c.Name, "|"); sub {
			containers[container] = true
		}
	}
}

// Lookup finds a command by its name, in any case; a subcommand by "client|id".
func Lookup(name string) (Command, bool) {
	c, ok := byName[strings.ToLower(name)]
	return c, ok
}

// Container reports whether a command is only a name for its subcommands. As in COMMAND INFO,
// DEBUG is none: it sorts its subcommands out itself.
func Container(name string) bool { return containers[strings.ToLower(name)] }

// Find is Lookup for a command line: a container with a further word finds the subcommand.
func Find(args [][]byte) (Command, bool) {
	if len(args) == 0 || strings.Contains(string(args[0]), "|") {
		return Command{}, false
	}
	name := strings.ToLower(string(args[0]))
	if containers[name] && len(args) > 1 {
		name += "|" + strings.ToLower(string(args[1]))
	}
	c, ok := byName[name]
	return c, ok
}

// Keys gives the indices of the keys of a command line, in order; none for an unknown command.
func Keys(args [][]byte) []int {
	c, _ := Find(args)
	first, last, step := c.First, c.Last, c.Step
	switch {
	case c.CountAt != 0:
		n, err := strconv.Atoi(word(args, c.CountAt))
		if err != nil || n < 1 || n >= len(args)-c.CountAt {
			return nil
		}
		first, last, step = c.CountAt+1, c.CountAt+n, 1
	case first == 0:
		return nil
	case last < 0:
		last += len(args)
	}
	var keys []int
	for i := first; i <= last && i < len(args); i += step {
		keys = append(keys, i)
	}
	return keys
}

func word(args [][]byte, i int) string {
	if i < len(args) {
		return string(args[i])
	}
	return ""
}
