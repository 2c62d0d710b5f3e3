package small

import "rondo/check/explore"

// Pairs are the small worlds. Framing is a matter of one connection, and interference one of whole
// commands: so every byte is cut for one client, and some for two.
var Pairs = []Pair{
	{Name: "every byte of three commands", Cut: EveryByte, Recv: 4, Send: 6, Quick: true,
		Programs: [][]string{{"SET k v", "GET k", "DEL k"}}},
	{Name: "every byte of a key that expires", Cut: EveryByte, Recv: 3, Send: 6,
		Programs: [][]string{{"SET k v PX 1", "GET k", "PTTL k"}}},
	{Name: "every byte of a transaction", Cut: EveryByte, Recv: 4, Send: 9,
		Programs: [][]string{{"MULTI", "INCR n", "EXEC"}}},
	{Name: "a reply in pieces", Cut: Commands, Send: 3, Quick: true,
		Programs: [][]string{{"SET k abc", "GET k", "GET k"}, {"APPEND k d", "GET k", "STRLEN k"}}},
	{Name: "two who count", Cut: Tokens, Send: 6,
		Programs: [][]string{{"INCR n", "INCR n", "GET n"}, {"INCR n", "DECR n", "GET n"}}},
	{Name: "write and read", Cut: Tokens, Send: 6,
		Programs: [][]string{{"SET k 1", "SET k 2", "SET k 3"}, {"GET k", "GET k", "GET k"}}},
	{Name: "a deadline and a reader", Cut: Tokens, Send: 20,
		Programs: [][]string{{"SET k v PX 1", "GET k", "EXISTS k"}, {"GET k", "PTTL k", "GET k"}}},
	{Name: "a deadline that is moved", Cut: Commands, Send: 6, Quick: true,
		Programs: [][]string{{"SET k v PX 1", "PERSIST k", "PTTL k"}, {"PEXPIRE k 2", "GET k", "RENAME k j"}}},
	{Name: "a transaction and a writer", Cut: Tokens, Send: 9,
		Programs: [][]string{{"MULTI", "INCR n", "EXEC"}, {"INCR n", "SET n 5", "GET n"}}},
	{Name: "a watched key and a writer", Cut: Commands, Send: 9, Quick: true,
		Programs: [][]string{{"WATCH k", "MULTI", "SET k a", "EXEC"}, {"SET k b", "DEL k", "GET k"}}},
	{Name: "a watched key that expires", Cut: Commands, Send: 9,
		Programs: [][]string{{"WATCH k", "MULTI", "GET k", "EXEC"}, {"SET k b PX 1", "PEXPIRE k 1", "GET k"}}},
	{Name: "two transactions", Cut: Commands, Send: 9,
		Programs: [][]string{{"MULTI", "INCR n", "GET n", "EXEC"}, {"MULTI", "INCR n", "GET n", "EXEC"}}},
	{Name: "who leaves in the middle of a transaction", Cut: Tokens, Send: 9,
		Programs: [][]string{{"WATCH k", "MULTI", "SET k a"}, {"SET k b", "GET k"}},
		Ends:     []explore.Kind{explore.Leave, 0}},
	{Name: "who ends its side, and is owed", Cut: Commands, Send: 3, Quick: true,
		Programs: [][]string{{"SET k v", "GET k", "GET k"}, {"GET k", "APPEND k w", "GET k"}},
		Ends:     []explore.Kind{explore.Finish, 0}},
	{Name: "whose connection breaks", Cut: Tokens, Send: 6,
		Programs: [][]string{{"SET k v", "GET k", "APPEND k w"}, {"GET k", "GET k"}},
		Ends:     []explore.Kind{explore.Break, 0}},
	{Name: "who quits", Cut: Commands, Send: 4, Quick: true,
		Programs: [][]string{{"SET k v", "QUIT", "SET k w"}, {"GET k", "GET k"}}},
	{Name: "two databases", Cut: Commands, Send: 6, Quick: true,
		Programs: [][]string{{"SELECT 1", "SET k v", "MOVE k 0"}, {"GET k", "SWAPDB 0 1", "GET k"}}},
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
