package sim_test

import (
	"errors"
	"fmt"
	"time"

	"rondo/impl"
	"rondo/impl/kernel/sim"
)

// A server as a function: the same seed and the same acts give the same replies, to the
// microsecond of TIME. Nothing of it is real, and half a minute passes at once.
func Example() {
	k := sim.New(1)
	cfg := impl.DefaultConfig()
	server, err := impl.New(cfg, k)
	if err != nil {
		fmt.Println(err)
		return
	}
	p := k.Connect(server.Addr())
	say := func(after time.Duration, request string) {
		if err := k.Pass(after, server.Turn); err != nil {
			fmt.Println(err)
		}
		p.Send(request + "\r\n")
		if err := k.Pass(0, server.Turn); err != nil {
			fmt.Println(err)
		}
		fmt.Printf("%-18s %q\n", request, p.Recv())
	}
	say(0, "SET k v PX 30000")
	say(0, "TIME")
	say(30*time.Second, "GET k") // alive in the millisecond of its deadline
	say(time.Millisecond, "DBSIZE")

	server.Stop()
	err = k.Pass(0, server.Turn)
	fmt.Println("stopped:", errors.Is(err, impl.ErrStopped), "closed:", p.Closed())
	// Output:
	// SET k v PX 30000   "+OK\r\n"
	// TIME               "*2\r\n$10\r\n1700000000\r\n$1\r\n0\r\n"
	// GET k              "$1\r\nv\r\n"
	// DBSIZE             ":0\r\n"
	// stopped: true closed: true
}
