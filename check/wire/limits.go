package wire

import "time"

// Every bound of the judge's side of the wire stands here; those of other packages of check stand
// in a limits.go of their own. A bound that is hit is an error of this connection with a text that
// names it, never a silent cut.
const (
	// BulkBytesMax is the longest bulk string a reply may carry (Redis' proto-max-bulk-len).
	BulkBytesMax = 512 << 20
	// ElemsMax is the greatest element count of one aggregate reply.
	ElemsMax = 16 << 20
	// DepthMax is how deep aggregates may nest.
	DepthMax = 32
	// LineBytesMax is the longest line of a reply: a simple string, an error, a number.
	LineBytesMax = 64 << 10
	// RequestLineBytesMax, RequestArgsMax and RequestBulkBytesMax bound requests as Redis does
	// (WIRE-9, WIRE-11, WIRE-12).
	RequestLineBytesMax = 64 << 10
	RequestArgsMax      = 1<<31 - 1
	RequestBulkBytesMax = 512 << 20
	// UnauthenticatedArgsMax and UnauthenticatedBulkBytesMax hold before AUTH (WIRE-23).
	UnauthenticatedArgsMax      = 10
	UnauthenticatedBulkBytesMax = 16384

	// LogEntriesMax and LogEntryBytesMax bound the wire log of one connection: the newest entries
	// are kept, and of each its beginning.
	LogEntriesMax    = 64
	LogEntryBytesMax = 512
	// ReadChunkBytes is what one read asks the kernel for.
	ReadChunkBytes = 64 << 10
	// ReadTimeout is how long Do and a Receive without deadline wait for a reply; WriteTimeout how
	// long a write may be stuck because the server does not read.
	ReadTimeout  = 5 * time.Second
	WriteTimeout = 10 * time.Second
	// ErrorBytesMax is how many bytes of a malformed reply its error shows.
	ErrorBytesMax = 64
)
