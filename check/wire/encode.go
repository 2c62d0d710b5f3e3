package wire

import "rondo/model"

// AppendCommand appends a command as an array of bulk strings (WIRE-1).
func AppendCommand(buf []byte, args ...[]byte) []byte { panic("todo") }

// AppendReply appends a reply in protocol 2 or 3.
func AppendReply(buf []byte, r model.Reply, proto int) []byte { panic("todo") }
