// Command redcon-server is the example of the redcon library's documentation, a server of five
// commands, so that rondo-check can judge it.
package main

import (
	"flag"
	"log"
	"strings"
	"sync"

	"github.com/tidwall/redcon"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:6380", "`HOST:PORT` to listen at")
	flag.Parse()
	var mu sync.RWMutex
	items := map[string][]byte{}
	log.Fatal(redcon.ListenAndServe(*addr, func(conn redcon.Conn, cmd redcon.Command) {
		switch name := strings.ToLower(string(cmd.Args[0])); {
		case name == "ping":
			conn.WriteString("PONG")
		case name == "quit":
			conn.WriteString("OK")
			conn.Close()
		case name == "set" && len(cmd.Args) == 3:
			mu.Lock()
			items[string(cmd.Args[1])] = append([]byte(nil), cmd.Args[2]...)
			mu.Unlock()
			conn.WriteString("OK")
		case name == "get" && len(cmd.Args) == 2:
			mu.RLock()
			v, ok := items[string(cmd.Args[1])]
			mu.RUnlock()
			if !ok {
				conn.WriteNull()
				return
			}
			conn.WriteBulk(v)
		case name == "del" && len(cmd.Args) == 2:
			mu.Lock()
			_, ok := items[string(cmd.Args[1])]
			delete(items, string(cmd.Args[1]))
			mu.Unlock()
			if ok {
				conn.WriteInt(1)
			} else {
				conn.WriteInt(0)
			}
		case name == "set" || name == "get" || name == "del":
			conn.WriteError("ERR wrong number of arguments for '" + string(cmd.Args[0]) + "' command")
		default:
			conn.WriteError("ERR unknown command '" + string(cmd.Args[0]) + "'")
		}
	}, nil, nil))
}
