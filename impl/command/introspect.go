// COMMAND: the table as clients ask for it (CONN-27).
package command

import (
	"bytes"
)

func commandAll(c *Call) {
	c.array(len(table))
	for i := range table {
		c.entry(&table[i])
	}
}

func commandCount(c *Call) { c.int(int64(len(table))) }

func commandInfo(c *Call) {
	if len(c.Args) == 2 {
		commandAll(c)
		return
	}
	c.array(len(c.Args) - 2)
	for _, name := range c.Args[2:] {
		if cmd := byFullName(name); cmd != nil {
			c.entry(cmd)
		} else {
			c.null()
		}
	}
}

// byFullName finds commands and, as "client|id", subcommands.
func byFullName(name []byte) *Command {
	parent, sub, isSub := bytes.Cut(name, []byte{'|'})
	cmd := Lookup(parent)
	if cmd != nil && isSub {
		return cmd.sub(sub)
	}
	return cmd
}

// entry replies one line of the table: name, arity, flags, keys, categories, tips, key
// specifications, subcommands. Tips and specifications are for proxies, and left empty.
func (c *Call) entry(cmd *Command) {
	c.array(10)
	c.text(cmd.Name)
	c.int(int64(cmd.Arity))
	c.words(cmd.Flags.Names())
	c.int(int64(cmd.First))
	c.int(int64(cmd.Last))
	c.int(int64(cmd.Step))
	c.words(cmd.Categories())
	c.set(0)
	c.set(0)
	c.set(len(cmd.Subs))
	for i := range cmd.Subs {
		c.entry(&cmd.Subs[i])
	}
}

func (c *Call) words(list []string) {
	c.set(len(list))
	for _, word := range list {
		c.simple(word)
	}
}

// commandDocs has no documentation to give: an empty map is what clients take for that.
func commandDocs(c *Call) { c.mapOf(0) }

// commandList answers the names of commands and subcommands, all or by a filter.
func commandList(c *Call) {
	wanted := func(*Command) bool { return true }
	if len(c.Args) > 2 {
		if wanted = listFilter(c.Args[2:]); wanted == nil {
			c.fail(errSyntax)
			return
		}
	}
	var found []string
	visit := func(cmd *Command) {
		if wanted(cmd) {
			found = append(found, cmd.Name)
		}
	}
	for i := range table {
		visit(&table[i])
		for j := range table[i].Subs {
			visit(&table[i].Subs[j])
		}
	}
	c.array(len(found))
	for _, name := range found {
		c.text(name)
	}
}

func listFilter(args [][]byte) func(*Command) bool {
	if len(args) != 3 || !is(args[0], "FILTERBY") {
		return nil
	}
	pattern := bytes.Clone(args[2])
	switch {
	case is(args[1], "PATTERN"):
		return func(cmd *Command) bool { return Glob(pattern, []byte(cmd.Name), true) }
	case is(args[1], "ACLCAT"):
		return func(cmd *Command) bool {
			for _, group := range cmd.Categories() {
				if bytes.EqualFold([]byte(group[1:]), pattern) {
					return true
				}
			}
			return false
		}
	case is(args[1], "MODULE"):
		return func(*Command) bool { return false }
	}
	return nil
}

func commandGetkeys(c *Call) {
	args := c.Args[2:]
	cmd := Lookup(args[0])
	if cmd != nil && cmd.Subs != nil {
		cmd = cmd.sub(args[1])
	}
	switch {
	case cmd == nil:
		c.fail(errNotKnown)
		return
	case cmd.First == 0 && countAt[cmd.Name] == 0:
		c.fail(errNoKeys)
		return
	case !cmd.fits(len(args)):
		c.fail(errArgCount)
		return
	}
	n := 0
	cmd.keys(args, func([]byte) { n++ })
	if n == 0 {
		c.fail(errBadArgs)
		return
	}
	c.array(n)
	cmd.keys(args, c.bulk)
}

func commandHelp(c *Call) {
	c.help("COMMAND", []string{
		"(no subcommand)",
		"    Return details about all Redis commands.",
		"COUNT",
		"    Return the total number of commands in this Redis server.",
		"LIST",
		"    Return a list of all commands in this Redis server.",
		"INFO [<command-name> ...]",
		"    Return details about multiple Redis commands.",
		"    If no command names are given, documentation details for all",
		"    commands are returned.",
		"DOCS [<command-name> ...]",
		"    Return documentation details about multiple Redis commands.",
		"    If no command names are given, documentation details for all",
		"    commands are returned.",
		"GETKEYS <full-command>",
		"    Return the keys from a full Redis command.",
	})
}
