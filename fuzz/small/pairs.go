package small

import "rondo/check/explore"

// The groups of pairs, by what they are about.
const (
	Framing      = "framing"
	Interference = "interference"
	Time         = "time"
	Transactions = "transactions"
	Waiting      = "waiting"
	Ends         = "ends"
)

// always are the clauses that the judge of a world holds every state of every world to.
var always = []string{"WIRE-1", "WIRE-2", "WIRE-3", "CONN-1", "CONN-2", "CONN-3", "CONN-4", "LOOP-4", "LOOP-5",
	"LOOP-8", "LOOP-18", "LIN-1", "LIN-2", "LIN-3", "LIN-6"}

// Clauses are what the pairs of a group show beyond always: in every schedule within their bounds.
var Clauses = map[string][]string{
	Framing:      always,
	Interference: {"KEY-11", "KEY-14", "STR-1", "STR-7", "STR-15"},
	Time:         {"TIME-3", "TIME-4", "TIME-5", "TIME-6", "TIME-10", "TIME-11", "TIME-15", "LIN-4"},
	Transactions: {"EXEC-1", "EXEC-2", "EXEC-3", "EXEC-9", "EXEC-12", "LIN-7", "LIN-8"},
	Waiting: {"BLOCK-1", "BLOCK-3", "BLOCK-4", "BLOCK-5", "BLOCK-8", "BLOCK-9", "BLOCK-10", "BLOCK-13",
		"LIST-1", "LIST-2", "LIST-4", "LIST-13"},
	Ends: {"CONN-5", "CONN-6", "CONN-22"},
}

// Pairs are the small worlds, of each group the quick ones first. Framing is a matter of one connection,
// and interference one of whole commands: so every byte is cut for one client, and tokens for two.
var Pairs = []Pair{
	{Name: "every byte of three commands", Group: Framing, Cut: EveryByte, Recv: 8, Send: 6, Quick: true,
		Programs: [][]string{{"SET k v", "GET k", "DEL k"}}},
	{Name: "every byte of a transaction", Group: Framing, Cut: EveryByte, Recv: 8, Send: 9, Quick: true,
		Programs: [][]string{{"MULTI", "INCR n", "EXEC"}}},
	{Name: "every byte of a key that expires", Group: Framing, Cut: EveryByte, Recv: 4, Send: 6,
		Programs: [][]string{{"SET k v PX 1", "GET k", "PTTL k"}}},

	{Name: "two databases", Group: Interference, Cut: Commands, Send: 6, Quick: true,
		Programs: [][]string{{"SELECT 1", "SET k v", "MOVE k 0"}, {"GET k", "SWAPDB 0 1", "GET k"}}},
	{Name: "a reply in pieces, alone", Group: Interference, Cut: Commands, Send: 3, Quick: true,
		Programs: [][]string{{"SET k abc", "GET k", "GET k"}}},
	{Name: "a reply in pieces", Group: Interference, Cut: Commands, Send: 3,
		Programs: [][]string{{"SET k abc", "GET k", "GET k"}, {"APPEND k d", "GET k", "STRLEN k"}}},
	{Name: "two who count", Group: Interference, Cut: Tokens, Send: 6,
		Programs: [][]string{{"INCR n", "INCR n", "GET n"}, {"INCR n", "DECR n", "GET n"}}},
	{Name: "write and read", Group: Interference, Cut: Tokens, Send: 6,
		Programs: [][]string{{"SET k 1", "SET k 2", "SET k 3"}, {"GET k", "GET k", "GET k"}}},

	{Name: "a deadline, alone", Group: Time, Cut: Tokens, Send: 12, Quick: true,
		Programs: [][]string{{"SET k v PX 1", "PTTL k", "PERSIST k", "GET k"}}},
	{Name: "a deadline that is moved", Group: Time, Cut: Commands, Send: 12,
		Programs: [][]string{{"SET k v PX 1", "PERSIST k", "PTTL k"}, {"PEXPIRE k 2", "GET k", "RENAME k j"}}},
	{Name: "a deadline and a reader", Group: Time, Cut: Tokens, Send: 20,
		Programs: [][]string{{"SET k v PX 1", "GET k", "EXISTS k"}, {"GET k", "PTTL k", "GET k"}}},

	{Name: "a watch that a deadline ends", Group: Transactions, Cut: Commands, Send: 20, Quick: true,
		Programs: [][]string{{"SET k v PX 1", "WATCH k", "MULTI", "GET k", "EXEC"}}},
	{Name: "a watched key and a writer", Group: Transactions, Cut: Commands, Send: 9, Quick: true,
		Programs: [][]string{{"WATCH k", "MULTI", "SET k a", "EXEC"}, {"SET k b", "DEL k", "GET k"}}},
	{Name: "two transactions", Group: Transactions, Cut: Commands, Send: 9, Quick: true,
		Programs: [][]string{{"MULTI", "INCR n", "GET n", "EXEC"}, {"MULTI", "INCR n", "GET n", "EXEC"}}},
	{Name: "a watched key that expires", Group: Transactions, Cut: Commands, Send: 20,
		Programs: [][]string{{"WATCH k", "MULTI", "GET k", "EXEC"}, {"SET k b PX 1", "PEXPIRE k 1", "GET k"}}},
	{Name: "a transaction and a writer", Group: Transactions, Cut: Tokens, Send: 9,
		Programs: [][]string{{"MULTI", "INCR n", "EXEC"}, {"INCR n", "SET n 5", "GET n"}}},

	{Name: "who waits and who gives", Group: Waiting, Cut: Commands, Send: 12, Quick: true,
		Programs: [][]string{{"BLPOP l 0", "LLEN l", "GET k"}, {"RPUSH l x", "SET k v", "RPUSH l y"}}},
	{Name: "who gives in a transaction", Group: Waiting, Cut: Commands, Send: 20, Quick: true,
		Programs: [][]string{{"BLPOP l m 0", "LLEN l"}, {"MULTI", "RPUSH l x", "LPUSH m y", "LPOP l", "EXEC"}}},
	{Name: "a time that is up, and who gives", Group: Waiting, Cut: Commands, Send: 20, Quick: true,
		Programs: [][]string{{"BLPOP l 0.001", "RPUSH l z", "GET k"}, {"RPUSH l x", "LLEN l", "SET k v"}}},
	{Name: "two who wait for each other", Group: Waiting, Cut: Commands, Send: 20, Quick: true,
		Programs: [][]string{{"BLPOP l 0", "RPUSH m x"}, {"RPUSH l y", "BLPOP m 0", "LLEN l"}}},
	{Name: "who waits in pieces", Group: Waiting, Cut: Tokens, Send: 12,
		Programs: [][]string{{"BLPOP l 0", "RPUSH l z", "LLEN l"}, {"RPUSH l x", "LPOP l", "RPUSH l y"}}},
	{Name: "who leaves while it waits", Group: Waiting, Cut: Commands, Send: 20, Quick: true,
		Programs: [][]string{{"SET k v", "BLPOP l 0", "SET k w"}, {"RPUSH l x", "LLEN l", "GET k"}},
		Ends:     []explore.Kind{explore.Leave, 0}},
	{Name: "who moves to where somebody waits", Group: Waiting, Cut: Commands, Send: 20, Quick: true,
		Programs: [][]string{{"BLMOVE l m LEFT RIGHT 0", "LLEN m"}, {"BRPOP m 0", "LLEN l"}, {"RPUSH l x"}}},

	{Name: "who quits", Group: Ends, Cut: Commands, Send: 4, Quick: true,
		Programs: [][]string{{"SET k v", "QUIT", "SET k w"}, {"GET k", "GET k"}}},
	{Name: "who leaves, alone", Group: Ends, Cut: Commands, Send: 9, Quick: true,
		Programs: [][]string{{"WATCH k", "MULTI", "SET k a"}}, Ends: []explore.Kind{explore.Leave}},
	{Name: "who ends its side, alone", Group: Ends, Cut: Commands, Send: 3, Quick: true,
		Programs: [][]string{{"SET k v", "GET k", "GET k"}}, Ends: []explore.Kind{explore.Finish}},
	{Name: "who leaves in the middle of a transaction", Group: Ends, Cut: Tokens, Send: 9,
		Programs: [][]string{{"WATCH k", "MULTI", "SET k a"}, {"SET k b", "GET k"}},
		Ends:     []explore.Kind{explore.Leave, 0}},
	{Name: "whose connection breaks", Group: Ends, Cut: Tokens, Send: 6,
		Programs: [][]string{{"SET k v", "GET k", "APPEND k w"}, {"GET k", "GET k"}},
		Ends:     []explore.Kind{explore.Break, 0}},
	{Name: "who ends its side, and is owed", Group: Ends, Cut: Commands, Send: 3,
		Programs: [][]string{{"SET k v", "GET k", "GET k"}, {"GET k", "APPEND k w", "GET k"}},
		Ends:     []explore.Kind{explore.Finish, 0}},
}

// Find is the pair of that name, nil if there is none.
func Find(name string) *Pair {
	for i := range Pairs {
		if Pairs[i].Name == name {
			return &Pairs[i]
		}
	}
	return nil
}
