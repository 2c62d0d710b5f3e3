package impl_test

import (
	"bufio"
	"fmt"
	"net"

	"rondo/impl"
	"rondo/impl/kernel"
)

// A server inside another program, at whatever port is free.
func ExampleNew() {
	k, err := kernel.Open("") // the best poller of this system
	if err != nil {
		fmt.Println(err)
		return
	}
	defer k.Release() // after the end of Run, before which the server closes its sockets

	cfg := impl.DefaultConfig()
	cfg.Port, cfg.AnyPort = 0, true
	server, err := impl.New(cfg, k)
	if err != nil {
		fmt.Println(err)
		return
	}
	ended := make(chan error)
	go func() { ended <- server.Run() }()

	conn, err := net.Dial("tcp", server.Addr())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	fmt.Fprint(conn, "SET greeting hello\r\nSTRLEN greeting\r\n")
	replies := bufio.NewScanner(conn)
	for range 2 {
		replies.Scan()
		fmt.Println(replies.Text())
	}

	server.Stop()
	fmt.Println("Run returned", <-ended)
	// Output:
	// +OK
	// :5
	// Run returned <nil>
}
