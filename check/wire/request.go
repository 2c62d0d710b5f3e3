package wire

// ProtocolError is what a server answers to a malformed request, after "Protocol error: ".
type ProtocolError string

func (e ProtocolError) Error() string { return "Protocol error: " + string(e) }

// RequestLimits are the bounds of a request; DefaultRequestLimits are Redis' own.
type RequestLimits struct {
	BulkBytesMax    int64
	Unauthenticated bool // WIRE-23
}

// DefaultRequestLimits are the limits of ParseCommand.
var DefaultRequestLimits = RequestLimits{BulkBytesMax: RequestBulkBytesMax}

// ParseCommand takes one request, inline ones included, off the front of buf. n is the bytes it
// took: 0 means that more are needed; n > 0 with no args is a request without a reply (WIRE-8).
// An error is a ProtocolError.
func ParseCommand(buf []byte) (args [][]byte, n int, err error) {
	return DefaultRequestLimits.Parse(buf)
}

// Parse is ParseCommand under other limits.
func (l RequestLimits) Parse(buf []byte) (args [][]byte, n int, err error) { panic("todo") }
