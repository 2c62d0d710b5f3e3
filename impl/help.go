package impl

import (
	"fmt"
	"strconv"
	"strings"
)

const helpHead = `rondo-server: an event-loop server that speaks RESP2 and RESP3

USAGE
  rondo-server [FILE] [-addr HOST:PORT] [-OPTION VALUE ...]

  One thread executes the commands of all clients, one after the other. It behaves
  as Redis 7.0 does, for strings, keys, expiry and transactions; nothing is written to disk.

  FILE                read options from this file, one "option value" a line, # for
                      comments, as in redis.conf. What is typed overrides it
  -config FILE        the same, in any place
  -addr HOST:PORT     listen here, in place of bind and port; port 0 is any free
                      one, and the log says which. unix:PATH is a socket in the
                      file system and nothing else. Default 127.0.0.1:6379
  -help, -version     this text, and the version with the pollers built in

EXAMPLES
  rondo-server
  rondo-server my.conf -port 7000
  rondo-server -addr 127.0.0.1:0
  rondo-server -addr unix:/tmp/rondo.sock -loglevel verbose
  rondo-server -bind "127.0.0.1 ::1" -port 7000 -requirepass secret -timeout 300
  rondo-server -client-output-buffer-limit "normal 64mb 16mb 30"
  rondo-server -metrics-addr 127.0.0.1:9121

OPTIONS
  They are named as Redis names them, here, in the file and for CONFIG SET. BYTES
  takes units: 64kb, 100mb, 1gb. Those with a star are decided at the start.
`

const helpTail = `
SIGNALS
  SIGTERM, SIGINT     stop: accept nobody, write what is owed (2 seconds at most),
                      exit with status 0. A second one exits at once

EXIT STATUS
  0 it ended as asked; 1 it could not start, or failed; 3 wrong usage
`

// helpText is what -help prints: the options come from their table.
func helpText() string {
	var b strings.Builder
	b.WriteString(helpHead)
	defaults := DefaultConfig()
	group := ""
	for i := range options {
		o := &options[i]
		if o.group != group {
			group = o.group
			fmt.Fprintf(&b, "\n  %s\n", group)
		}
		star := ""
		if o.fixed {
			star = " *"
		}
		fmt.Fprintf(&b, "  -%s %s%s\n", o.name, o.syntax, star)
		if o.help != "" {
			fmt.Fprintf(&b, "      %s%s\n", o.help, defaultText(o.get(&defaults)))
		}
	}
	b.WriteString(helpTail)
	return b.String()
}

// defaultText shows a default the way one would type it.
func defaultText(value string) string {
	if value == "" {
		return ""
	}
	words := strings.Fields(value)
	for i, w := range words {
		if n, err := strconv.ParseInt(w, 10, 64); err == nil && n >= 1<<20 && n%(1<<20) == 0 {
			words[i] = strconv.FormatInt(n>>20, 10) + "mb"
		}
	}
	return " [" + strings.Join(words, " ") + "]"
}
