package formal

// What is run. The bounds are small, and every state within them is looked at. A fault names the bounds
// within which it has to be found: they are among those that the correct model is run with, so no
// property holds only because too little can happen.

// Run is a model within bounds.
type Run struct {
	Model  string
	Claim  string   // the formula of live.pml that is checked; "" for all assertions
	Bounds string   // in words
	Defs   []string // the same for the preprocessor
	Last   bool     // the largest of its model: here all of the text must be reached
}

// Runs are all of them, the smallest of each model first.
var Runs = []Run{
	{"reactor", "", "1 client x 2 requests", []string{"NC=1", "NF=2"}, false},
	{"reactor", "", "1 client x 3 requests", []string{"NC=1", "NF=3"}, false},
	{"reactor", "", "3 clients x 1 request", []string{"NC=3", "NF=1"}, false},
	{"reactor", "", "2 clients x 2 requests", []string{"NC=2", "NF=2"}, true},
	{"live", "L2", "2 endless clients", []string{"ME=0"}, false},
	{"live", "L1", "2 endless clients, the first watched", []string{"ME=0"}, false},
	{"live", "L1", "2 endless clients, the second watched", []string{"ME=1"}, true},
	{"block", "", "2 clients x 2 requests", []string{"NC=2", "NF=2"}, false},
	{"block", "", "3 clients x 2 requests", []string{"NC=3", "NF=2"}, true},
	{"output", "", "2 clients x 3 requests", []string{"NC=2", "NF=3"}, false},
	{"output", "", "3 clients x 2 requests", []string{"NC=3", "NF=2"}, true},
}

// Fault is a model with one deliberate error, which breaks one property first.
type Fault struct {
	Model    string
	Bug      int // the number of the error in the model's text
	Does     string
	Property string
	Defs     []string // the smallest declared bounds within which it shows
}

var (
	oneByTwo   = []string{"NC=1", "NF=2"}
	oneByThree = []string{"NC=1", "NF=3"}
	twoByTwo   = []string{"NC=2", "NF=2"}
	twoByThree = []string{"NC=2", "NF=3"}
	threeByTwo = []string{"NC=3", "NF=2"}
	first      = []string{"ME=0"}
	second     = []string{"ME=1"}
)

// Faults are all of them, in the order of the properties.
var Faults = []Fault{
	{"reactor", 1, "what is readable is taken for a whole frame", "P1", oneByTwo},
	{"reactor", 14, "the beginning of a frame is dropped when the frame before it has been executed", "P6", oneByTwo},
	{"reactor", 4, "a key past its deadline is found until active expiry comes", "P2", oneByTwo},
	{"reactor", 9, "the clock is read once a turn, when the loop wakes", "P2", oneByTwo},
	{"reactor", 6, "SET keeps the deadline of the old value", "P3", oneByThree},
	{"reactor", 8, "active expiry deletes a key in the millisecond of its deadline", "P3", oneByThree},
	{"reactor", 2, "a write is taken to be complete", "P6", oneByTwo},
	{"reactor", 13, "what is left of a reply begins anew", "P4", oneByTwo},
	{"reactor", 7, "time events run only in a turn without file events", "P5", oneByTwo},
	{"reactor", 12, "time events run a millisecond before they are due", "P5", oneByTwo},
	{"reactor", 3, "there is no write interest after a partial write", "P6", oneByTwo},
	{"reactor", 5, "what a turn may not execute waits for the next bytes", "P6", oneByTwo},
	{"reactor", 11, "the wait does not end at the deadline of a key", "P7", oneByTwo},
	{"reactor", 10, "a client that is behind is read from, and served, again", "P8", oneByThree},
	{"live", 2, "a write waits until all is taken", "L1", first},
	{"live", 3, "only the first client that is ready is served", "L1", second},
	{"live", 1, "a client is read from until there is nothing left", "L2", first},
	{"live", 4, "time events run only in a turn without file events", "L2", first},
	{"block", 1, "a client that waits executes what it has sent behind", "B1", twoByTwo},
	{"block", 3, "a wait that timed out stays in the queue", "B1", twoByTwo},
	{"block", 5, "the second in the queue is served first", "B2", threeByTwo},
	{"block", 4, "who leaves stays in the queue", "B3", twoByTwo},
	{"block", 7, "an element is given and not removed", "B3", twoByTwo},
	{"block", 2, "what was sent behind a command that waited is not gone on with", "B4", twoByTwo},
	{"block", 8, "one waiter is served for each command", "B4", threeByTwo},
	{"block", 6, "the timeout of a wait that was served stays", "B5", twoByTwo},
	{"block", 9, "a timeout that is due does not end the wait", "B5", twoByTwo},
	{"output", 1, "there is no limit", "O1", twoByThree},
	{"output", 2, "the reply that reaches the limit is kept whole", "O1", twoByThree},
	{"output", 3, "another client is closed", "O2", twoByThree},
	{"output", 4, "what the client has taken counts too", "O2", twoByThree},
}

// unreachable is text that no run reaches, each with the reason.
var unreachable = map[string]string{}
