package interop

import (
	"net"
	"os/exec"
	"strings"
	"testing"
)

// TestRedisCLI: the habits of people at a terminal.
func TestRedisCLI(t *testing.T) {
	cli := needs(t, "redis-cli")
	host, port, _ := net.SplitHostPort(serve(t))
	for _, c := range []struct{ args, want string }{
		{"ping", "PONG"},
		{"set k v", "OK"},
		{"get k", "v"},
		{"--no-raw get none", "(nil)"},
		{"-3 --no-raw hello 3", "1# \"server\" => \"redis\""},
		{"--no-raw incr k", "(error) ERR value is not an integer or out of range"},
		{"-n 3 dbsize", "0"},
		{"info keyspace", "db0:keys=1"},
		{"config get maxclients", "maxclients"},
		{"rpush l a b", "2"},
		{"--no-raw lrange l 0 -1", "1) \"a\"\n2) \"b\""},
		{"--no-raw blpop none l 1", "1) \"l\"\n2) \"a\""},
		{"--no-raw blpop none 0.01", "(nil)"},
		{"--scan", "k"},
	} {
		args := append([]string{"-h", host, "-p", port}, strings.Fields(c.args)...)
		out, err := exec.Command(cli, args...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), c.want) {
			t.Errorf("redis-cli %s = %q, %v; want %q", c.args, out, err, c.want)
		}
	}
}

// TestRedisBenchmark: the tool's start-up (CONFIG GET) and its pipelines work.
func TestRedisBenchmark(t *testing.T) {
	bench := needs(t, "redis-benchmark")
	host, port, _ := net.SplitHostPort(serve(t))
	out, err := exec.Command(bench, "-h", host, "-p", port, "-P", "16", "-n", "20000", "-q",
		"-t", "ping,set,get,incr,mset,lpush,rpush,lpop,rpop,lrange_100").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"SET:", "GET:", "INCR:", "MSET", "LPUSH:", "RPOP:", "LRANGE_100"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no line %s in\n%s", want, out)
		}
	}
}
