// Package mutant is a small plain server over package model, with named faults.
package mutant

import "net"

// Fault is one deliberate error.
type Fault struct {
	Name    string
	Does    string
	Clauses []string
}

// Faults lists every fault, in the order of the clauses they break.
var Faults []Fault

// Server serves one listener until Close.
type Server struct{}

// Serve starts a server on l with the named fault; "" is none.
func Serve(l net.Listener, fault string) (*Server, error) { panic("todo") }

// Close stops the server and waits for its connections to end.
func (s *Server) Close() {}
