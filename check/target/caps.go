package target

import (
	"net"
	"strconv"
	"strings"

	"rondo/check/history"
	"rondo/check/wire"
	"rondo/model"
	"rondo/spec/commands"
)

// Caps is what a target can do.
type Caps struct {
	Server    string // "redis", "rondo", "miniredis" ...; "server" if it does not say
	Version   string
	Profile   string // history.Frozen or history.Live
	RESP3     bool
	Debug     bool // DEBUG SLEEP is allowed
	ConfigSet bool
	Databases int
	Empty     bool // all databases were empty when asked
	Owned     bool // its data are ours to delete: we started it, or -flush
	Local     bool // on this machine: one kernel clock
	Cluster   bool // a node of a cluster: only some keys, only database 0

	pid     int
	unknown string      // what it answers to a command that nobody has, without the name
	slots   []slotRange // that a cluster node serves
	knows   map[string]bool
}

// Has reports whether the target knows a command ("get", "client|id").
func (c *Caps) Has(command string) bool { return c.knows[strings.ToLower(command)] }

// asker asks on one connection and remembers the first failure of the connection itself; an error
// reply is an answer like any other.
type asker struct {
	c   *wire.Conn
	err error
}

func (a *asker) do(args ...string) model.Reply {
	if a.err != nil {
		return model.Err("not asked")
	}
	r, err := a.c.Do(args...)
	a.err = err
	return r
}

// askCaps asks everything. The connection is in database home and RESP2 before and after.
func askCaps(c *wire.Conn, home int, signedIn bool) (*Caps, error) {
	a := &asker{c: c}
	caps := &Caps{Server: "server", Local: isLocal(c)}
	a.identity(caps)
	caps.Profile = profile(caps.Server, caps.Version)
	caps.Debug = isOK(a.do("DEBUG", "SLEEP", "0"))
	caps.ConfigSet = a.configSet()
	a.cluster(caps)
	caps.Databases = a.databases(caps.Cluster, home)
	caps.Empty = a.empty(caps.Databases, home)
	caps.unknown = a.unknown()
	caps.knows = a.commands(caps.unknown)
	if signedIn {
		a.forbidden(caps.knows)
	}
	return caps, a.err
}

func isOK(r model.Reply) bool { return r.Kind == model.Simple && r.Str == "OK" }

// isLocal is true where both ends have the same address: only one machine has it.
func isLocal(c *wire.Conn) bool {
	local, _, err1 := net.SplitHostPort(c.LocalAddr())
	remote, _, err2 := net.SplitHostPort(c.RemoteAddr())
	return err1 != nil || err2 != nil || local == remote // no port: a unix socket
}

// identity finds name and version. HELLO comes first, INFO is more exact: servers that call
// themselves redis for the sake of clients say there who they are.
func (a *asker) identity(caps *Caps) {
	hello := a.do("HELLO", "3")
	caps.RESP3 = hello.Kind == model.Map
	fields := map[string]string{}
	for i := 0; caps.RESP3 && i+1 < len(hello.Elems); i += 2 {
		fields[hello.Elems[i].Str] = hello.Elems[i+1].Str
	}
	if caps.RESP3 {
		a.do("HELLO", "2")
	}
	if fields["server"] != "" {
		caps.Server, caps.Version = fields["server"], fields["version"]
	}
	info := Fields(a.do("INFO", "server").Str)
	caps.pid, _ = strconv.Atoi(info["process_id"])
	if v := info["redis_version"]; v != "" && caps.Server == "server" {
		caps.Server, caps.Version = "redis", v
	}
	for _, name := range []string{"rondo", "valkey", "dragonfly", "kvrocks", "garnet"} {
		if v := info[name+"_version"]; v != "" {
			caps.Server, caps.Version = name, v
		}
	}
}

// Fields reads the "field:value" lines of INFO.
func Fields(info string) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(info) {
		if name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":"); ok {
			fields[name] = value
		}
	}
	return fields
}

// profile is how many clock readings one unit takes: Redis takes several before 7.2.
func profile(server, version string) string {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	x, err1 := strconv.Atoi(major)
	y, err2 := strconv.Atoi(minor)
	if server == "redis" && err1 == nil && err2 == nil && (x < 7 || x == 7 && y < 2) {
		return history.Live
	}
	return history.Frozen
}

// configSet sets a value to what it is.
func (a *asker) configSet() bool {
	r := a.do("CONFIG", "GET", "timeout")
	return r.Kind == model.Array && len(r.Elems) == 2 &&
		isOK(a.do("CONFIG", "SET", "timeout", r.Elems[1].Str))
}

// databases counts what SELECT takes. A cluster has one, whatever its configuration says; and where
// the run is to stay in one (home), the others are not tried.
func (a *asker) databases(cluster bool, home int) int {
	if cluster {
		return 1
	}
	r := a.do("CONFIG", "GET", "databases")
	if r.Kind == model.Array && len(r.Elems) == 2 {
		if n, err := strconv.Atoi(r.Elems[1].Str); err == nil && n > 0 {
			return n
		}
	}
	if home != 0 {
		return home + 1
	}
	n := 1
	for n < databasesMax && isOK(a.do("SELECT", strconv.Itoa(n))) {
		n++
	}
	a.do("SELECT", "0")
	return n
}

func (a *asker) empty(databases, home int) bool {
	isEmpty := func() bool {
		r := a.do("DBSIZE")
		return r.Kind == model.Int && r.Int == 0
	}
	empty := isEmpty()
	if home != 0 {
		return empty
	}
	for db := 1; db < min(databases, databasesMax); db++ {
		a.do("SELECT", strconv.Itoa(db))
		empty = isEmpty() && empty
	}
	if databases > 1 {
		a.do("SELECT", "0")
	}
	return empty
}

// commands asks for every command of the project's table at once, and one by one where COMMAND
// INFO is not known.
func (a *asker) commands(unknown string) map[string]bool {
	knows := map[string]bool{}
	line := []string{"COMMAND", "INFO"}
	for _, c := range commands.Table {
		line = append(line, c.Name)
	}
	r := a.do(line...)
	if r.Kind != model.Array || len(r.Elems) != len(commands.Table) {
		for _, c := range commands.Table {
			knows[c.Name] = a.knowsByTrying(c, unknown)
		}
		return knows
	}
	for i, c := range commands.Table {
		container, sub, isSub := strings.Cut(c.Name, "|")
		knows[c.Name] = r.Elems[i].Kind == model.Array
		if isSub && !knows[c.Name] && knows[container] {
			// Some servers know their subcommands but do not list them.
			knows[c.Name] = a.knowsSub(container, sub)
		}
	}
	return knows
}

// harmless are the commands without required arguments that may be tried on a stranger's data.
var harmless = map[string]bool{"ping": true, "time": true, "dbsize": true, "randomkey": true,
	"info": true, "unwatch": true, "client|id": true, "client|getname": true, "client|list": true,
	"client|info": true, "command|count": true, "command|list": true, "command": true}

// knowsByTrying asks for a command with a key of our own, and sends the bare name of those without
// keys. Where that could do something it is taken to be known.
func (a *asker) knowsByTrying(c commands.Command, unknown string) bool {
	container, sub, isSub := strings.Cut(c.Name, "|")
	if c.First > 0 && c.Name != "move" {
		r := a.do(probe(c)...)
		a.do("DEL", probeKey)
		return !saysUnknown(r) && !sameRefusal(r, c.Name, unknown)
	}
	if isSub {
		return a.knowsSub(container, sub)
	}
	if c.Family == "tx" { // none of them does anything by itself
		r := a.do(c.Name)
		a.do("DISCARD")
		return !saysUnknown(r) && !sameRefusal(r, c.Name, unknown)
	}
	if c.Fits(1) && !harmless[c.Name] {
		return true
	}
	r := a.do(c.Name)
	return !saysUnknown(r) && !sameRefusal(r, c.Name, unknown)
}

// unknown is the answer to a command that no server has.
func (a *asker) unknown() string {
	const nobodys = "RONDO-NOSUCH"
	r := a.do(nobodys)
	if r.Kind != model.Error {
		return ""
	}
	return withoutName(r.Str, nobodys)
}

// withoutName makes the same text of refusals that differ in the name of the command, and in the
// arguments that some servers show behind it.
func withoutName(text, name string) string {
	text, name = strings.ToLower(text), strings.ToLower(name)
	text, _, _ = strings.Cut(text, "with args beginning")
	return strings.ReplaceAll(text, name, "")
}

func sameRefusal(r model.Reply, name, unknown string) bool {
	name, _, _ = strings.Cut(name, "|")
	return r.Kind == model.Error && unknown != "" && withoutName(r.Str, name) == unknown
}

func (a *asker) knowsSub(container, sub string) bool {
	name := container + "|" + sub
	if c, _ := commands.Lookup(name); c.Fits(2) && !harmless[name] {
		return true
	}
	return !saysUnknown(a.do(container, sub))
}

func saysUnknown(r model.Reply) bool {
	return r.Kind == model.Error && strings.Contains(strings.ToLower(r.Str), "unknown")
}

// forbidden strikes out the commands that this user may not run, as far as that can be tried without
// doing anything: those on keys, with a key of our own, and those of transactions.
func (a *asker) forbidden(knows map[string]bool) {
	for _, c := range commands.Table {
		if !knows[c.Name] || c.First == 0 && c.Family != "tx" || c.Name == "move" {
			continue
		}
		if r := a.do(probe(c)...); r.Kind == model.Error && strings.HasPrefix(r.Str, "NOPERM") {
			knows[c.Name] = false
		}
		if c.Family == "tx" {
			a.do("DISCARD")
		}
	}
	a.do("UNWATCH")
	a.do("DEL", probeKey)
}

// probeKey is the key with which commands are tried.
const probeKey = KeyPrefix + "{probe}"

// probe is a command line of a command's least length, with our key wherever a key goes.
func probe(c commands.Command) []string {
	line := strings.Split(c.Name, "|")
	for len(line) < max(c.Arity, -c.Arity) {
		if c.First > 0 && len(line) >= c.First && (len(line)-c.First)%c.Step == 0 &&
			(c.Last < 0 || len(line) <= c.Last) {
			line = append(line, probeKey)
		} else {
			line = append(line, "1")
		}
	}
	return line
}
