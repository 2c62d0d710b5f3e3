// Rondo-server is the server of package impl as a program; see rondo-server -help.
package main

import (
	"os"

	"rondo/impl"
)

func main() { os.Exit(impl.Main(os.Args[1:], os.Stdout, os.Stderr)) }
