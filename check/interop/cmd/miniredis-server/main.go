// Command miniredis-server serves miniredis on a port, so that rondo-check can judge it. Its TTLs
// do not elapse by themselves (a test advances them by hand), which is what the judge must find.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alicebob/miniredis/v2"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:6379", "`HOST:PORT` to listen at")
	flag.Parse()
	m := miniredis.NewMiniRedis()
	if err := m.StartAddr(*addr); err != nil {
		fmt.Fprintln(os.Stderr, "miniredis-server:", err)
		os.Exit(1)
	}
	defer m.Close()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	<-stop
}
