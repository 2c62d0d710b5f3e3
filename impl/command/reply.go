// Replies as handlers give them, and the texts of errors.
package command

import (
	"bytes"
	"slices"
	"strings"

	"rondo/impl/resp"
)

const (
	errSyntax    = "ERR syntax error"
	errNotInt    = "ERR value is not an integer or out of range"
	errNotInt32  = "ERR value is out of range, value must between -2147483648 and 2147483647"
	errNotFloat  = "ERR value is not a valid float"
	errNaN       = "ERR increment would produce NaN or Infinity"
	errOverflow  = "ERR increment or decrement would overflow"
	errDecrement = "ERR decrement would overflow"
	errOffset    = "ERR offset is out of range"
	errTooLong   = "ERR string exceeds maximum allowed size (proto-max-bulk-len)"
	errNoKey     = "ERR no such key"
	errWrongType = "WRONGTYPE Operation against a key holding the wrong kind of value"
	errIndex     = "ERR index out of range"
	errNegative  = "ERR value is out of range, must be positive"
	errNumKeys   = "ERR numkeys should be greater than 0"
	errCount     = "ERR count should be greater than 0"
	errTimeout   = "ERR timeout is not a float or out of range"
	errUnblocked = "UNBLOCKED client unblocked via CLIENT UNBLOCK"
	errRank      = "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... " +
		"or use negative to start from the end of the list"
	errTimeoutNegative = "ERR timeout is negative"
	errSameObject      = "ERR source and destination objects are the same"
	errDBIndex         = "ERR DB index is out of range"
	errCursor          = "ERR invalid cursor"
	errExclusive       = "ERR NX and XX, GT or LT options at the same time are not compatible"
	errGTLT            = "ERR GT and LT options at the same time are not compatible"
	errNested          = "ERR MULTI calls can not be nested"
	errWatch           = "ERR WATCH inside MULTI is not allowed"
	errNoMulti         = "ERR Command not allowed inside a transaction"
	errExecAbort       = "EXECABORT Transaction discarded because of previous errors."
	errNoAuth          = "NOAUTH Authentication required."
	errWrongPass       = "WRONGPASS invalid username-password pair or user is disabled."
	errNoPassword      = "ERR AUTH <password> called without any password configured for the default " +
		"user. Are you sure your configuration is correct?"
	errHelloAuth = "NOAUTH HELLO must be called with the client already authenticated, otherwise " +
		"the HELLO AUTH <user> <pass> option can be used to authenticate the client and select " +
		"the RESP protocol version at the same time"
	errProto      = "NOPROTO unsupported protocol version"
	errProtoInt   = "ERR Protocol version is not an integer or out of range"
	errName       = "ERR Client names cannot contain spaces, newlines or special characters."
	errNoClient   = "ERR No such client"
	errClientID   = "ERR Invalid client ID"
	errKillID     = "ERR client-id should be greater than 0"
	errNoRewrite  = "ERR The server is running without a config file"
	errNoShutdown = "ERR No shutdown in progress."
	errOOM        = "OOM command not allowed when used memory > 'maxmemory'."
	errNoLFU      = "ERR An LFU maxmemory policy is not selected, access frequency not tracked. " +
		"Please note that when switching between policies at runtime LRU and LFU data will take " +
		"some time to adjust."
	errLFU = "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that " +
		"when switching between policies at runtime LRU and LFU data will take some time to adjust."
	errDebug = "ERR DEBUG command not allowed. If the enable-debug-command option is set to " +
		"\"local\", you can run it from a local connection, otherwise you need to set this " +
		"option in the configuration file, and then restart the server."
	errNotKnown = "ERR Invalid command specified"
	errArgCount = "ERR Invalid number of arguments specified for command"
	errNoKeys   = "ERR The command has no key arguments"
	errBadArgs  = "ERR Invalid arguments specified for command"
)

// echoMax is how much of a client's own text an error repeats (WIRE-15).
const echoMax = 128

func wrongArity(name string) string { // WIRE-16
	return "ERR wrong number of arguments for '" + name + "' command"
}

func invalidExpire(name string) string { // TIME-13
	return "ERR invalid expire time in '" + name + "' command"
}

func unknownSubcommand(name string, sub []byte) string { // WIRE-17
	return "ERR unknown subcommand '" + echo(sub, echoMax) + "'. Try " +
		strings.ToUpper(name) + " HELP."
}

func unknownCommand(args [][]byte) string { // WIRE-15
	var list strings.Builder
	for _, arg := range args[1:] {
		if list.Len() >= echoMax {
			break
		}
		list.WriteString("'" + echo(arg, echoMax-list.Len()) + "' ")
	}
	return "ERR unknown command '" + echo(args[0], echoMax) +
		"', with args beginning with: " + list.String()
}

// echo is a client's text as an error repeats it: cut, and ended by a NUL as C strings are.
func echo(b []byte, max int) string {
	b, _, _ = bytes.Cut(b[:min(len(b), max)], []byte{0})
	return string(b)
}

func trimErr(text string) string { return strings.TrimPrefix(text, "ERR ") }

func (c *Call) ok()              { c.S.Out = append(c.S.Out, "+OK\r\n"...) }
func (c *Call) simple(s string)  { c.S.Out = resp.AppendSimple(c.S.Out, s) }
func (c *Call) int(n int64)      { c.S.Out = resp.AppendInt(c.S.Out, n) }
func (c *Call) text(s string)    { c.S.Out = resp.AppendBulkString(c.S.Out, s) }
func (c *Call) double(f float64) { c.S.Out = resp.AppendDouble(c.S.Out, f, c.S.Proto) }
func (c *Call) null()            { c.S.Out = resp.AppendNull(c.S.Out, c.S.Proto) }
func (c *Call) nullArray()       { c.S.Out = resp.AppendNullArray(c.S.Out, c.S.Proto) }
func (c *Call) array(n int)      { c.S.Out = resp.AppendArray(c.S.Out, n) }
func (c *Call) set(n int)        { c.S.Out = resp.AppendSet(c.S.Out, n, c.S.Proto) }
func (c *Call) mapOf(n int)      { c.S.Out = resp.AppendMap(c.S.Out, n, c.S.Proto) }

// bulk replies a string. It alone can make a reply far longer than its request, so here the
// output limit is looked at while a reply grows, and not only after the command (CONN-15).
func (c *Call) bulk(b []byte) {
	if c.S.room(len(b)) && !(len(b) >= resp.LargeBytes && c.X.host.Direct(b)) {
		c.S.Out = resp.AppendBulk(c.S.Out, b)
	}
}

func (c *Call) verbatim(b []byte) {
	if c.S.room(len(b)) {
		c.S.Out = resp.AppendVerbatim(c.S.Out, b, c.S.Proto)
	}
}

// OutputLimit is why a connection is given up whose replies would outgrow Session.OutMax.
const OutputLimit = "reached the hard output limit"

// bulkFrameMax is what a bulk string has around its bytes, at most.
const bulkFrameMax = 32

// room makes room for a string of n bytes, or gives the connection up. A buffer that is too short
// is doubled: append would make a large one longer by a quarter, again and again.
func (s *Session) room(n int) bool {
	if n > s.OutMax-len(s.Out) {
		s.CloseNow, s.OutMax = OutputLimit, 0
		return false
	}
	if n += bulkFrameMax; n > cap(s.Out)-len(s.Out) {
		s.Out = slices.Grow(s.Out, max(n, min(len(s.Out), s.OutMax-len(s.Out))))
	}
	return true
}

// lost says that nobody will get this reply any more: a long loop that only reads may stop. One
// that writes goes on, because a command takes effect as a whole or not at all (LIN-5).
func (c *Call) lost() bool { return c.S.CloseNow != "" }

// counted replies an array whose length is known only after its elements: it is put in front of
// them.
func (c *Call) counted(elements func() int) {
	from := len(c.S.Out)
	n := elements()
	var head [24]byte
	c.S.Out = slices.Insert(c.S.Out, from, resp.AppendArray(head[:0], n)...)
}

func (c *Call) fail(text string) {
	c.X.meter.stats[c.Cmd.number].failed++
	c.X.CountError(text)
	c.S.Out = resp.AppendError(c.S.Out, text)
}

func (c *Call) bool(yes bool) {
	if yes {
		c.int(1)
	} else {
		c.int(0)
	}
}

// help replies the lines of a HELP subcommand.
func (c *Call) help(title string, lines []string) {
	c.array(len(lines) + 3)
	c.simple(title + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
	for _, line := range lines {
		c.simple(line)
	}
	c.simple("HELP")
	c.simple("    Prints this help.")
}

// is compares an argument with an upper-case word, whatever its case (WIRE-14).
func is(arg []byte, word string) bool {
	if len(arg) != len(word) {
		return false
	}
	for i := range len(word) {
		c := arg[i]
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c != word[i] {
			return false
		}
	}
	return true
}
