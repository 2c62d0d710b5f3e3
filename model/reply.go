package model

// Kind is the type of a Reply. The three nulls are apart on the wire ("$-1", "*-1", RESP3 "_")
// and equal for Match.
type Kind uint8

const (
	Simple    Kind = iota // Str
	Error                 // Str, without the '-'
	Int                   // Int
	Bulk                  // Str: any bytes
	Null                  // RESP2 null bulk string
	NullArray             // RESP2 null array
	Null3                 // RESP3 null
	Array                 // Elems
	Map                   // Elems: key, value, key, value ...
	Set                   // Elems
	Push                  // Elems
	Double                // Str: the text on the wire
	Bool                  // Int 0 or 1
	Big                   // Str: big number
	Verbatim              // Str, without the format prefix

	// The rest are the model's alone: not one reply, but all those that it allows.

	DiffTerm // a time term: see Diff
	TimeTerm // a time term: see Time
	Any      // any reply, or any of the kind of Elems[0]: see Like
	IntRange // an integer from Int to Max
	AnyOrder // an array of Elems, in whatever order
	ScanTerm // [cursor, part of Elems]; all of them if Int is 1 and the cursor is 0
)

// Reply is one reply as a tree: what the model answers, what the wire codec decodes, what a
// history records. Values are immutable once made.
type Reply struct {
	Kind  Kind
	Str   string
	Int   int64
	Max   int64 // of an IntRange
	Elems []Reply
	// A, B and Unit are set on time terms only.
	A, B Instant
	Unit int64
}

// Diff is a reply that reports the distance A-B in milliseconds: A-B for unit 1 (PTTL,
// PEXPIRETIME), floor((A-B+unit/2)/unit) otherwise (TTL, EXPIRETIME), as Redis rounds.
func Diff(a, b Instant, unit int64) Reply { return Reply{Kind: DiffTerm, A: a, B: b, Unit: unit} }

// Time is the reply of TIME: ["seconds", "microseconds"], compared by its millisecond.
func Time(a Instant) Reply { return Reply{Kind: TimeTerm, A: a} }

// Like is any reply of the example's kind; Fix turns it into the example.
func Like(example Reply) Reply { return Reply{Kind: Any, Elems: []Reply{example}} }

// OK, Str (bulk), Num, Err and Arr make the common replies.
func OK() Reply              { return Reply{Kind: Simple, Str: "OK"} }
func Str(s string) Reply     { return Reply{Kind: Bulk, Str: s} }
func Num(n int64) Reply      { return Reply{Kind: Int, Int: n} }
func Err(s string) Reply     { return Reply{Kind: Error, Str: s} }
func Arr(e ...Reply) Reply   { return Reply{Kind: Array, Elems: e} }
func (r Reply) IsNull() bool { return r.Kind == Null || r.Kind == NullArray || r.Kind == Null3 }
