// Package impl is the server: one event loop, its clients and its options.
//
// # The life of a request
//
// Follow the bytes of "SET k v" from the wire and back. All of it happens on one goroutine, in the
// phases of a turn (loop.go), which come round like the theme of a rondo:
//
//	before sleep      the next expiry is scheduled, replies are flushed, the dead closed
//	wait              until something is ready or the next time event is due
//	after sleep       the monotonic clock is read
//	file events       who fell behind goes on; then accept; or read, read the wall clock, execute;
//	                  or go on writing
//	time events       what was due after sleep: the tick, active expiry, eviction, the end of pauses
//	completions       of work off the loop, and new work is given away (tasks.go)
//
// 1. In the receive buffer of the socket. The poller reports the descriptor readable, with the tag
// it was watched with; table.find turns the two into a conn (conn.go), or into nothing if that conn
// has gone in the meantime (LOOP-8).
//
// 2. In the read arena. Server.readable (input.go) reads once (LOOP-7), 64 KiB at most, into
// Server.arena: one array for all clients. Some of them are read from, one behind the other, before
// the first is served: so the memory of their keys can be waited for together (Server.serveArrived).
// Whatever came whole is executed from there.
//
// 3. In conn.in, if its frame is incomplete. resp.Decoder finds where frames end. The beginning of
// one that has not ended is copied to conn.in, a buffer of the pool (Server.keep), since the arena
// is for the next client. The decoder, which remembers how far it got, stays with the connection.
// The next read depends on what is there (Server.receive):
//
//   - up to 4 KiB are copied back to the front of the arena, and the read goes behind them;
//   - more than that stays in conn.in, and the read goes there, 64 KiB at most;
//   - so does the rest of an argument of 32 KiB or more, read to its end and not beyond, as much
//     of it as conn.in has room for, which is 1 MiB at first (WIRE-24). Such a conn.in is a block of
//     the store's memory, and no buffer of the pool;
//   - behind a frame with such an argument the next is likely to be one too: it is read into a
//     block from its first byte on.
//
// A conn.in that is full moves to a larger buffer. When its frame has been executed, conn.in takes
// the beginning of the next, if that came behind it, and goes back to the pool if not. It also holds
// what was more than one turn may execute for one client: the rest goes on in the next turn
// (LOOP-18).
//
// 4. As arguments. They are views of the arena or of conn.in, or, for an inline command, of the
// decoder, which took the quotes off. They are valid while the command runs. Server.execute hands
// them to command.Executor.Run, which tests the gates and finds the handler.
//
// 5. In the queue, between MULTI and EXEC. The arguments are copied to the transaction of the
// session (enqueue, in command/tx.go), +QUEUED is the reply, and EXEC runs the copies; EXEC,
// DISCARD or the end of the connection drops them.
//
// A command that finds no list to take from is not replied: its client waits (command/block.go), what
// it has sent behind stays in conn.in, and it goes on, in the turn after, when the command of another
// has served it or its timeout, a time event, has come (wait.go).
//
// 6. In the keyspace. The handler has key and value copied into a record of the store, one cell
// for both. For a frame that came whole, is not inline, and is not in a transaction, that is the
// only copy this process makes of them. A large value that came in a block is not even copied: the
// block becomes the store's (Server.runLarge, store.DB.PutBlock).
//
// 7. In the lent arena. The reply is appended to Session.Out, which is the tail of one array that
// the connections of a turn share (Server.lend, in output.go); or behind what the connection is
// still owed, if there is something (10). A reply that outgrows the tail moves to a buffer of its
// own, and one that would outgrow the output limit (Session.OutMax) ends the connection instead. A
// string of 32 KiB or more goes to the socket at once, from where the store has it, together with
// what is before it (Host.Direct); what the socket does not take goes on at 10.
//
// 8. Waiting for the flush. When the commands of that read are done, Server.settle cuts the
// connection's piece off the tail, tests the output limits, and queues the connection. Nothing of
// it has been sent yet.
//
// 9. In the send buffer of the socket. Before the loop sleeps again, Server.flush writes the piece
// with one call, 64 KiB at most (LOOP-5, LOOP-6). It does so earlier if the lent arena is nearly
// used up: then all pieces are flushed before the next connection executes. Nearly always one call
// takes all, and the connection owns nothing but its struct again, and what 3 and 5 hold.
//
// 10. In the connection's own buffer. What the socket did not take is moved from the lent arena to
// a buffer of the pool (Server.retain), and the connection is watched for writability, for exactly
// as long as there is something left (LOOP-5). Each time it is writable, up to 64 KiB go. Later
// replies are appended behind, and once that is 16 KiB long another buffer is begun (backlog), so that
// none has to be copied again; all bytes leave in order.
//
// 11. On their way. Written is not arrived, and a close could tear away what has not. If the
// connection is to end, after QUIT, a protocol error, the peer's own end, or because the server
// stops, it is closing until all it is owed is written: it reads and executes no more. Then, unless
// the system knows that the peer has got all of it, only our side of the stream is ended, and the
// connection is parting: what the peer still sends is read into the read arena and forgotten, until
// it ends too, or has got all, or 2 seconds have passed (Server.part). A connection that broke, was
// killed or is over a limit is dead at once: what it was owed is dropped.
//
// # The two clocks
//
// The monotonic clock says when time events are due and how long a client has been idle. It is read
// once a turn, after sleep (Server.mono); budgets look at it while they run.
//
// The wall clock says whether a key is past its deadline, and is what TIME answers.
// Server.readClock reads it once for the clients that were read from together, and all their commands
// go by it (TIME-17): they had arrived before, and none was answered, so it lies between call and
// return of each (TIME-5). A slice of active expiry reads it for itself.
//
// Two places read both. Before sleep, the earliest deadline is mapped to a wait (expire.go), so
// that a jump of the wall clock is noticed in the next turn (TIME-20). And DEBUG SLEEP, after which
// both readings are old.
//
// # Embedding
//
// A server needs a kernel, and a goroutine to run on:
//
//	k, err := kernel.Open("")              // or the name of a poller
//	cfg := impl.DefaultConfig()
//	cfg.Port, cfg.AnyPort = 0, true        // any free port; Port 0 alone is no TCP at all
//	server, err := impl.New(cfg, k)        // it listens, or has closed what it opened
//	go func() { ended <- server.Run() }()
//	... server.Addr() ...
//	server.Stop()                          // from any goroutine, as often as you like
//	err = <-ended                          // nil after Stop and after SHUTDOWN
//	err = k.Release()                      // by whoever opened it, after Run or a failed New
//
// Run returns when what clients are owed has been written, 2 seconds later at most; an error is
// that of a poller that failed. The server logs to Config.Log alone and leaves signals to you;
// Config.LogFile and Config.EventBackend are for Main, which is the whole program as a function. A
// process may hold several servers, each on a kernel of its own. Config.Set takes every option by
// the name it has in a file.
//
// On the kernel of package sim, which is memory and virtual clocks, you call Turn yourself, or let
// sim's Pass do so, and nothing happens in between. There are runnable examples of both: ExampleNew
// here, and that of package sim.
//
// # Where to look
//
//	server.go   the Server: made, run, stopped          loop.go    the turn and its phases
//	listen.go   listening, accepting, refusing          conn.go    states of a connection, the table
//	input.go    socket to executor                      output.go  reply to socket, output limits
//	buffers.go  arena, lender, pool                     limits.go  every bound
//	timer.go    the heap of time events                 tick.go    idle clients, soft limits, upkeep
//	expire.go   active expiry, in two ways              evict.go   room within maxmemory
//	host.go     what commands ask of the server         config.go  Config, its file
//	options.go  the table of options
//	tasks.go    work off the loop                       memory.go  what memory is used for
//	wait.go     clients that wait for a list            rhythm.go  how long turns and phases take
//	info.go     INFO
//	metrics.go  the same and more for Prometheus
//	observe.go  what a simulation is told               audit.go   what must hold between two turns
//	fingerprint.go  what the future depends on          scratch.go memory for servers by the thousand
//	main.go     the program; help.go its manual
//
// # What an error does
//
// It is a reply, if a command is at fault. It ends one connection, if its bytes, its socket or its
// appetite are (Server.fail, Server.finish). It ends the process with a trace, if an invariant of
// this package is broken. There is no fourth way.
package impl
