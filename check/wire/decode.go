package wire

import "rondo/model"

// Decoder turns the bytes of a server into replies, strictly and incrementally.
type Decoder struct{}

// Feed hands over more bytes; they are copied.
func (d *Decoder) Feed(b []byte) { panic("todo") }

// Next returns the next complete reply; ok is false if more bytes are needed.
func (d *Decoder) Next() (r model.Reply, ok bool, err error) { panic("todo") }
