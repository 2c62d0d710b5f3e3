// Package resp turns bytes into requests and replies into bytes.
package resp

// Limits bounds what a request may hold. The connection owns it and may change it between calls.
type Limits struct {
	BulkLenMax   int64 // proto-max-bulk-len (WIRE-11)
	AuthRequired bool  // this connection has not authenticated yet (WIRE-23)
}

// ProtocolError is a request that breaks the protocol: reply it with AppendError("ERR "+text), then close.
type ProtocolError string

func (e ProtocolError) Error() string { return "Protocol error: " + string(e) }

// Decoder is the incremental state of one connection; its zero value is ready.
type Decoder struct{}

// Next decodes the frame that buf begins with. n is the number of bytes it took; n == 0 means that
// more must arrive first. args is empty with n > 0 for a frame that asks nothing.
func (d *Decoder) Next(buf []byte, lim *Limits) (args [][]byte, n int, err error) { panic("todo") }

// Need is how many bytes of a large bulk argument are still missing, 0 if none is under way.
func (d *Decoder) Need() int { panic("todo") }
