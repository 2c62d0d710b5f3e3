/*
 * events.h: what a model says of its run, and what it may be told.
 *
 * Each step of a model is an event of the world or a system call of the server: log(EVENT, a, b).
 * What no call shows is told, and nobody can be held to it: tell(EVENT, a, b). A simulation prints it, and a test acts it out with the real server (fuzz/trace). With -DSCRIPT
 * it is the other way round: script.h holds what the real server did, at() lets pass only what
 * comes next in it, and whoever gets stuck has not followed the model.
 *
 * A step that depends on what the world has done waits for coming() or next() before it looks.
 *
 * A trace has to say what a request asks when it is sent, and which write a value is of. Where Spin
 * looks at all runs that would be many states for nothing: nobody looks at a request before it is
 * executed. So without -DTRACE it is chosen then (ask), and the values that one client writes are
 * not told apart.
 *
 * block.pml has requests and replies as units. Where a number means something else there, it stands in
 * brackets.
 */

mtype = {
	TICK,  /* a millisecond passes */
	SEND,  /* client a begins a request: operation b */
	MORE,  /* client a sends its next byte */
	RECV,  /* client a takes a byte, of a reply that says b */
	LEAVE, /* client a closes its connection */
	DEAF,  /* client a stops taking what is written to it */
	DUE,   /* a time event becomes due [the timeout of client a] */
	TURN,  /* the loop begins a turn; it will wait for a ms at most: 0 if it has work, 255 for ever [1 until a timeout] */
	WAKE,  /* its wait ends: the clients of set a are readable, those of set b writable [their timeout has come] */
	READ,  /* it reads b bytes [requests] of client a */
	CLOCK, /* it reads the wall clock */
	ASK,   /* it executes operation b of client a */
	REPLY, /* and replies b to client a: no call, nothing to see until it is written */
	WRITE, /* it writes b bytes [the reply b] to client a */
	FIRE,  /* it runs the time event that was due [the timeout of client a] */
	CLOSE  /* it closes client a [and 1: which waited] */
}

#ifdef SCRIPT

#define TRACE
#include "script.h" /* LENGTH; mtype what[LENGTH]; byte who[LENGTH], how[LENGTH] */

short at = 0;
#define coming(event)      (at < LENGTH && what[at] == event)
#define next(event, a)     (coming(event) && who[at] == (a))
#define asked(event, a, b) (next(event, a) && how[at] == (b))
#define log(event, a, b)   asked(event, a, b) -> at++
#define tell(event, a, b)  skip

#else

#define coming(event)      true
#define next(event, a)     true
#define asked(event, a, b) true
#define log(event, a, b)   printf("@%e %d %d\n", event, a, b)
#define tell(event, a, b)  printf("@%e %d %d\n", event, a, b)

#endif
