package mutant

import (
	"fmt"
	"net"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"rondo/model"
	"rondo/spec/commands"
)

// version is what the mutant says it is: the Redis whose behaviour the model has.
const version = "7.0.15"

// admin answers a command outside the model. The model has already looked at its name and length.
func (u *unit) admin(cmd [][]byte) model.Reply {
	name := fullName(cmd)
	if u.s.at.admin != nil {
		if r, done := u.s.at.admin(u, name); done {
			return r
		}
	}
	switch name {
	case "client|id":
		return model.Num(int64(u.c.id))
	case "client|info":
		return model.Str(u.c.line())
	case "client|list":
		return u.clientList(cmd[2:])
	case "client|kill":
		return u.clientKill(cmd[2:])
	case "command":
		return commandInfo(topNames())
	case "command|count":
		return model.Num(int64(len(topNames())))
	case "command|list":
		return model.Arr(bulks(topNames())...)
	case "command|info":
		return u.commandInfo(cmd[2:])
	case "config|get":
		return u.configGet(cmd[2:])
	case "config|set":
		return u.configSet(cmd[2:])
	case "config|resetstat":
		u.s.handled, u.s.reports.calls, u.s.reports.errors = 0, nil, nil
		return model.OK()
	case "info":
		return u.info(cmd[1:])
	case "memory|usage":
		return u.memoryUsage(cmd[2:])
	case "memory|stats":
		return u.memoryStats()
	case "memory|doctor", "memory|malloc-stats":
		return model.Str("nothing is known")
	case "memory|purge":
		return model.OK()
	case "slowlog|get":
		return u.slowlogGet(cmd[2:])
	case "slowlog|len":
		return model.Num(int64(len(u.s.reports.slow)))
	case "slowlog|reset":
		u.s.reports.slow = nil
		return model.OK()
	case "role":
		return model.Arr(model.Str("master"), model.Num(0), model.Arr())
	case "replicaof", "slaveof":
		return model.OK()
	case "debug":
		return u.debug(cmd[1:])
	case "object|freq":
		return u.objectFreq(cmd)
	case "shutdown":
		go u.s.stop()
		return model.OK()
	}
	if strings.HasPrefix(name, "latency|") {
		return u.latency(name, cmd[2:])
	}
	return model.Err("ERR this server does not have " + name)
}

func bulks(words []string) []model.Reply {
	var all []model.Reply
	for _, w := range words {
		all = append(all, model.Str(w))
	}
	return all
}

// line is a connection as CLIENT LIST shows it (CONN-20).
func (c *conn) line() string {
	multi, flags := -1, "N"
	if c.multi {
		multi, flags = len(c.queue), "x"
	}
	if c.s.state.Waiting(c.id) {
		flags = "b"
	}
	now := time.Now()
	return fmt.Sprintf("id=%d addr=%s laddr=%s fd=8 name=%s age=%d idle=%d flags=%s db=%d sub=0 "+
		"psub=0 ssub=0 multi=%d qbuf=0 qbuf-free=20448 argv-mem=10 multi-mem=0 rbs=1024 rbp=0 "+
		"obl=0 oll=0 omem=0 tot-mem=22298 events=r cmd=%s user=default redir=-1 resp=%d\n",
		c.id, c.sock.RemoteAddr(), c.sock.LocalAddr(), c.name, int(now.Sub(c.opened).Seconds()),
		int(now.Sub(c.active).Seconds()), flags, c.db, multi, c.last, c.proto)
}

// blocked is how many wait.
func (s *Server) blocked() (n int) {
	for id := range s.conns {
		if s.state.Waiting(id) && !s.at.wait.unseen {
			n++
		}
	}
	return n
}

// clients lists the connections by number.
func (s *Server) clients() []*conn {
	all := make([]*conn, 0, len(s.conns))
	for _, c := range s.conns {
		all = append(all, c)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].id < all[j].id })
	return all
}

var clientTypes = []string{"normal", "master", "slave", "replica", "pubsub"}

func (u *unit) clientList(args [][]byte) model.Reply {
	only := map[model.Client]bool{}
	switch {
	case len(args) == 0:
	case len(args) == 2 && isWord(args[0], "type"):
		if kind := strings.ToLower(string(args[1])); !slices.Contains(clientTypes, kind) {
			return model.Err("ERR Unknown client type '" + string(args[1]) + "'")
		} else if kind != "normal" {
			return model.Str("")
		}
	case len(args) > 1 && isWord(args[0], "id"):
		for _, arg := range args[1:] {
			id, err := strconv.ParseInt(string(arg), 10, 64)
			if err != nil || id < 1 {
				return model.Err("ERR Invalid client ID")
			}
			only[model.Client(id)] = true
		}
	default:
		return model.Err("ERR syntax error")
	}
	var text strings.Builder
	for _, c := range u.s.clients() {
		if len(only) == 0 || only[c.id] {
			text.WriteString(c.line())
		}
	}
	return model.Str(text.String())
}

// filter is what CLIENT KILL looks for.
type filter struct {
	id                    model.Client
	addr, laddr, kind, as string
	skipMe                bool
}

func (f filter) matches(c *conn) bool {
	return (f.id == 0 || f.id == c.id) &&
		(f.addr == "" || f.addr == c.sock.RemoteAddr().String()) &&
		(f.laddr == "" || f.laddr == c.sock.LocalAddr().String()) &&
		(f.kind == "" || f.kind == "normal") && (f.as == "" || f.as == "default")
}

// clientKill: CONN-21. The old form has one address, the new one filters.
func (u *unit) clientKill(args [][]byte) model.Reply {
	if len(args) == 1 {
		if u.kill(filter{addr: string(args[0])}) == 0 {
			return model.Err("ERR No such client")
		}
		return model.OK()
	}
	f, fault := parseFilter(args)
	if fault != "" {
		return model.Err(fault)
	}
	return model.Num(int64(u.kill(f)))
}

func parseFilter(args [][]byte) (f filter, fault string) {
	f.skipMe = true
	for ; len(args) >= 2; args = args[2:] {
		value := string(args[1])
		switch strings.ToLower(string(args[0])) {
		case "id":
			id, err := strconv.ParseInt(value, 10, 64)
			if err != nil || id < 1 {
				return f, "ERR client-id should be greater than 0"
			}
			f.id = model.Client(id)
		case "addr":
			f.addr = value
		case "laddr":
			f.laddr = value
		case "user":
			if f.as = value; value != "default" {
				return f, "ERR No such user '" + value + "'"
			}
		case "type":
			f.kind = strings.ToLower(value)
			if !slices.Contains(clientTypes, f.kind) {
				return f, "ERR Unknown client type '" + value + "'"
			}
		case "skipme":
			if f.skipMe = isWord(args[1], "yes"); !f.skipMe && !isWord(args[1], "no") {
				return f, "ERR syntax error"
			}
		default:
			return f, "ERR syntax error"
		}
	}
	if len(args) > 0 {
		return f, "ERR syntax error"
	}
	return f, ""
}

// kill closes those that match; the connection that asks gets its reply first.
func (u *unit) kill(f filter) int {
	n := 0
	for _, c := range u.s.clients() {
		if !f.matches(c) || c == u.c && f.skipMe {
			continue
		}
		n++
		switch {
		case u.s.at.sparesKilled:
		case c == u.c:
			c.closing = true
		default:
			c.kill()
		}
	}
	return n
}

// topNames are the commands; subcommands are not counted.
func topNames() []string {
	var names []string
	for _, c := range commands.Table {
		if !strings.Contains(c.Name, "|") {
			names = append(names, c.Name)
		}
	}
	return names
}

func (u *unit) commandInfo(args [][]byte) model.Reply {
	if len(args) == 0 {
		return commandInfo(topNames())
	}
	var names []string
	for _, a := range args {
		names = append(names, strings.ToLower(string(a)))
	}
	return commandInfo(names)
}

// commandInfo is what COMMAND INFO says of each name (CONN-27).
func commandInfo(names []string) model.Reply {
	r := model.Arr()
	for _, name := range names {
		c, ok := commands.Lookup(name)
		if !ok {
			r.Elems = append(r.Elems, model.Reply{Kind: model.Null})
			continue
		}
		flags := model.Reply{Kind: model.Set}
		for _, f := range c.Flags {
			flags.Elems = append(flags.Elems, model.Reply{Kind: model.Simple, Str: f})
		}
		r.Elems = append(r.Elems, model.Arr(model.Str(c.Name), model.Num(int64(c.Arity)), flags,
			model.Num(int64(c.First)), model.Num(int64(c.Last)), model.Num(int64(c.Step)),
			model.Arr(), model.Arr(), model.Arr(), model.Arr()))
	}
	return r
}

// info: CONN-26. The process is that of whoever runs the mutant, so it has no number of its own.
func (u *unit) info(args [][]byte) model.Reply {
	asked := map[string]bool{}
	for _, a := range args {
		asked[strings.ToLower(string(a))] = true
	}
	all := len(args) == 0 || asked["default"] || asked["all"] || asked["everything"]
	port := 0
	u.takeStock()
	if tcp, ok := u.s.listener.Addr().(*net.TCPAddr); ok {
		port = tcp.Port
	}
	sections := []struct{ name, text string }{
		{"Server", fmt.Sprintf("redis_version:%s\r\nredis_mode:standalone\r\nprocess_id:0\r\n"+
			"tcp_port:%d\r\nuptime_in_seconds:%d\r\n",
			version, port, int(time.Since(u.s.started).Seconds()))},
		{"Clients", fmt.Sprintf("connected_clients:%d\r\nmaxclients:%d\r\nblocked_clients:%d\r\n",
			len(u.s.conns), u.s.config.maxclients, u.s.blocked())},
		{"Memory", u.memoryText()},
		{"Stats", fmt.Sprintf("total_commands_processed:%d\r\nevicted_keys:%d\r\n", u.s.handled, u.s.evicted)},
		{"Replication", "role:master\r\nconnected_slaves:0\r\n"},
		{"Errorstats", u.errorstats()},
		{"Keyspace", u.keyspace()},
		{"Commandstats", u.commandstats()},
	}
	var text []string
	for _, s := range sections {
		if all || asked[strings.ToLower(s.name)] {
			text = append(text, "# "+s.name+"\r\n"+s.text)
		}
	}
	return model.Str(strings.Join(text, "\r\n"))
}

func (u *unit) keyspace() string {
	var text strings.Builder
	for db := range 16 {
		u.model(nobody, line("select", strconv.Itoa(db)))
		if n := u.model(nobody, line("dbsize")).Int; n > 0 {
			fmt.Fprintf(&text, "db%d:keys=%d,expires=0,avg_ttl=0\r\n", db, n)
		}
	}
	u.s.state = model.Close(u.s.state, nobody)
	return text.String()
}

// debug: SLEEP holds the command thread, as it should (LOOP-16).
func (u *unit) debug(args [][]byte) model.Reply {
	switch {
	case len(args) == 2 && isWord(args[0], "sleep"):
		secs, _ := strconv.ParseFloat(string(args[1]), 64)
		time.Sleep(time.Duration(secs * float64(time.Second)))
		return model.OK()
	case len(args) == 2 && isWord(args[0], "set-active-expire"):
		u.s.sweeps = string(args[1]) != "0"
		return model.OK()
	}
	return model.Err("ERR unknown subcommand or wrong number of arguments for '" + string(args[0]) +
		"'. Try DEBUG HELP.")
}

// touch remembers when the keys of a command were last used, for OBJECT IDLETIME.
func (s *Server) touch(db int, cmd [][]byte) {
	if isWord(cmd[0], "object") {
		return
	}
	if len(s.used) > usedMax {
		clear(s.used)
	}
	for _, i := range commands.Keys(cmd) {
		s.used[usedKey{db, string(cmd[i])}] = time.Now()
	}
}

// usedMax bounds what is remembered for OBJECT IDLETIME.
const usedMax = 100_000

type usedKey struct {
	db  int
	key string
}

// idle is for how many seconds the key of an OBJECT IDLETIME has not been used; 0 for any other
// command.
func (s *Server) idle(db int, cmd [][]byte) int64 {
	at, ok := s.used[usedKey{db, string(cmd[len(cmd)-1])}]
	if !ok || !isWord(cmd[0], "object") {
		return 0
	}
	return int64(time.Since(at).Seconds())
}
