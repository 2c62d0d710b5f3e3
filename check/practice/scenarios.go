package practice

// The lessons begin with what the engine says of the recording; a test holds them to it.
var scenarios = []Scenario{
	{Name: "yesterdays-news", Title: "Yesterday's news",
		Story: "One client writes red, then blue. Afterwards another one reads.",
		Lesson: "Not allowed (LIN-2): the second write had been answered before the read was called. From then on blue was there, and " +
			"nobody wrote red again. A read may be early or late only while it is in flight together with a write."},
	{Name: "two-at-once", Title: "Two at once",
		Story: "A client far away writes blue. While it waits for its answer, another client reads.",
		Lesson: "Allowed: the write and the read are in flight together, so either may take effect first. That the write was sent " +
			"earlier means nothing: its bytes may still be on their way."},
	{Name: "late-is-last", Title: "Who was last?",
		Story: "Two clients write at the same time. The one that began first is farther away. Later somebody reads.",
		Lesson: "Allowed: both writes were open when either took effect. The one that was called first may well have been the last " +
			"to arrive. Only operations that do not overlap have a fixed order."},
	{Name: "back-again", Title: "Back again",
		Story: "A slow client writes blue over red. While it waits, two others read, one after the other.",
		Lesson: "Not allowed (LIN-2): each read alone could be before the write or after it. But the first one saw blue, so the " +
			"write had taken effect; the second was called when the first had been answered, and must not go back."},
	{Name: "tie", Title: "A tie",
		Story: "The recorder's clock ticks in whole milliseconds. The read was called in the millisecond in which the write of blue returned.",
		Lesson: "Allowed: call and return are ends of closed intervals. A read that is called at the moment at which a write returns " +
			"overlaps it, if only there, so it may come first. Where a clock is coarse the judge gives the benefit of the doubt."},
	{Name: "half-a-frame", Title: "Half a frame",
		Story: "Bytes of two requests arrive in three pieces that respect no boundary.",
		Lesson: "Allowed: a request is executed when its last byte has come, and only then. The first piece was no request yet, so nothing " +
			"could be answered; the second completed one and began another. How bytes are cut into segments changes no reply."},
	{Name: "too-eager", Title: "Too eager",
		Story: "A SET comes in two pieces: all of it, then CR and LF.",
		Lesson: "Not allowed (WIRE-1): the server answered when the last two bytes were missing. They look superfluous and are not: " +
			"what is not whole has no effect."},
	{Name: "crossed", Title: "Crossed replies",
		Story: "Three requests in one write: set a to fig, get a, add one to n. Replies carry no number: the n-th answers the n-th request.",
		Lesson: "Not allowed (LIN-3): read in order, GET answered 1 and INCR answered fig. A client has only the order to know which reply " +
			"is whose; when two change places, one client's data end up in the wrong variable."},
	{Name: "outlived", Title: "Outlived",
		Story: "A value is written to live for 15 ms. It is read twice.",
		Lesson: "Not allowed (TIME-5): the deadline lies at most 15 ms after the write returned. The first read is in time. The second was " +
			"called long after, so whenever it took effect, the key had expired."},
	{Name: "kept", Title: "A second life",
		Story:  "A value is written to live for 15 ms. Before they are over another client writes the key, without a time.",
		Lesson: "Allowed: a plain SET removes the deadline. Had the second write said KEEPTTL the last read would have to be nil."},
	{Name: "last-millisecond", Title: "The last millisecond",
		Story: "A value is written to live for 15 ms. The read is called more than 15 ms after the write has returned.",
		Lesson: "Allowed: clocks of servers tick in milliseconds. The deadline is a tick, and in that tick the key is still alive: it " +
			"expires when the clock is past its deadline, not when it reaches it. So 15 ms can be almost 16."},
	{Name: "one-millisecond", Title: "By one millisecond",
		Story: "A value is written to live for 15 ms. The read finds it gone. The server's clock is known to a few microseconds.",
		Lesson: "Not allowed (TIME-5): the read took effect in the very tick of the deadline, in which the key is still alive. This server " +
			"compares with >= where > is right. It is wrong by one tick, and the numbers show it."},
	{Name: "rounding", Title: "Sums that do not add up",
		Story: "A value is written to live for 50 ms. One command asks for its deadline, another, later, for the time left.",
		Lesson: "Not allowed (TIME-6): time left is the deadline less the clock. The deadline is known exactly, the clock to the tick in " +
			"which the command was in flight, and the answer is one less than any of them gives."},
	{Name: "old-clock", Title: "A clock that may be old",
		Story: "A value is written to live for 10 ms. It is read later. The recording declares that this server may act on a clock reading that is up to 40 ms old.",
		Lesson: "Allowed: with a reading that is old enough the key has not expired. The declaration excuses it; without one the " +
			"same recording is illegal. The report says how old a clock must be for a history to be legal: that is a measurement of the server."},
	{Name: "gone-silent", Title: "Gone silent",
		Story: "A client far away adds one to a counter and goes away before an answer can come. Another client reads the counter twice.",
		Lesson: "Allowed: a command whose reply was lost may have taken effect at any time after its call, or never. Here it did, " +
			"between the two reads, when nobody was waiting for it any more."},
	{Name: "once-too-often", Title: "Once too often",
		Story: "A client adds five to a counter and goes away before an answer can come. Later another client reads the counter.",
		Lesson: "Not allowed (LIN-5): the command may have taken effect or not, so the counter is 5 or 0. Twice is never an " +
			"explanation, and a lost reply is no excuse to execute again."},
	{Name: "in-line", Title: "In line",
		Story: "A client sends two writes in one go, red and then blue, without waiting in between. When both are answered another one reads.",
		Lesson: "Not allowed (LIN-6): the two overlap in time, and yet their order is fixed: what one connection sends takes effect in the " +
			"order sent. So blue is last."},
	{Name: "half-done", Title: "Half done",
		Story: "A transaction sets a and b. While it is in flight others read both keys at once.",
		Lesson: "Not allowed (LIN-7): a transaction takes effect in one moment. A reader sees both keys or neither; this one saw the first without " +
			"the second, so it was served in the middle."},
	{Name: "watched", Title: "Watched",
		Story: "A client watches n. Another one writes it. Then the first executes its transaction.",
		Lesson: "Not allowed (LIN-8): n was changed after WATCH had been answered and before EXEC was called. EXEC must answer null and do " +
			"nothing; that is what WATCH is for."},
	{Name: "nobody-wrote", Title: "Nobody wrote",
		Story: "A client watches a key that lives for 15 ms. Nobody writes it. Later its transaction is refused: EXEC answers null.",
		Lesson: "Allowed: the key was there when it was watched, and had expired when EXEC came. Expiry is a change like any other: what the " +
			"client knew when it decided was no longer true."},
}
