package impl

import "rondo/impl/kernel"

// Server is one event loop with its clients and its keyspace.
type Server struct{}

// New makes a server on a kernel: it listens when New returns.
func New(cfg Config, k kernel.Kernel) (*Server, error) { panic("todo") }

// Turn is one round of the loop. It returns ErrStopped once the server has ended.
func (s *Server) Turn() error { panic("todo") }

// Run turns until the server has ended.
func (s *Server) Run() error { panic("todo") }

// Stop asks the server to end: it stops accepting and flushes what it owes. Safe from any goroutine.
func (s *Server) Stop() { panic("todo") }

// Addr is the first address the server listens at, with its actual port.
func (s *Server) Addr() string { panic("todo") }
