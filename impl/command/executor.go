package command

import "rondo/impl/store"

// Limits are the bounds that CONFIG SET may move.
type Limits struct {
	BulkLenMax int64 // proto-max-bulk-len (STR-18)
}

// Stats counts what INFO shows.
type Stats struct {
	Commands, Hits, Misses, Expired int64
	Changes                         int64 // every change that passed the funnel
	Errors                          int64 // error replies
}

// Executor runs commands over the databases.
type Executor struct {
	Limits Limits
	Stats  Stats
}

type transaction struct{}

// Command is one line of the table.
type Command struct {
	Name              string
	Arity             int
	Flags             []string
	First, Last, Step int
	Handler           func(*Call)
	Subs              []Command
}

func New(host Host, databases int, seed uint64, limits Limits) *Executor { panic("todo") }

// NewSession is a fresh connection's session: database 0, RESP2.
func (x *Executor) NewSession(id int64) Session { panic("todo") }

// Run executes one frame and appends its reply to s.Out.
func (x *Executor) Run(s *Session, args [][]byte) { panic("todo") }

// Forget drops what the executor remembers of a connection that ended (CONN-22).
func (x *Executor) Forget(s *Session) { panic("todo") }

// ExpireDue removes at most max keys past their deadline, over all databases; it returns how many.
func (x *Executor) ExpireDue(now int64, max int) int { panic("todo") }

// NextDue is the earliest deadline of all databases.
func (x *Executor) NextDue() (int64, bool) { panic("todo") }

// Advance does up to budget units of housekeeping; false when nothing is left.
func (x *Executor) Advance(budget int) bool { panic("todo") }

// DB is database i; Databases how many there are.
func (x *Executor) DB(i int) *store.DB { panic("todo") }
func (x *Executor) Databases() int     { panic("todo") }

// Lookup finds a command by name, whatever its case; nil if unknown.
func Lookup(name []byte) *Command { panic("todo") }

// Table yields every command in the order of the table.
func Table(yield func(*Command) bool) { panic("todo") }
