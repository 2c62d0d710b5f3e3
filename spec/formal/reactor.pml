/*
 * reactor.pml: clients, a kernel, and the loop between them, byte by byte.
 *
 * Two processes. The world sends bytes, takes bytes, and lets time pass, in any order. The loop
 * takes its turns as chapter 3 describes them and as impl/loop.go, input.go, output.go and
 * expire.go do. Spin tries every order of their steps, where a step is one system call and the
 * plain computing behind it; so a step of the world may come between any two calls.
 *
 * A request is FL bytes and a reply RL, which is enough to be half there. There is one key, and
 * three commands: GET, SET, and SET with a deadline of 1 ms. Time is counted in ms.
 *
 * What must hold, and the clauses it stands for:
 *
 *   P1 WholeFrames (WIRE-1, WIRE-2, CONN-3): a command is executed when all its bytes have
 *      arrived, once, and in the order sent.
 *   P2 NoExpiredRead (TIME-3, TIME-4, TIME-5): no command sees a value past its deadline, by a
 *      reading of the clock that was taken when the command had arrived. (By the true clock a
 *      correct server does: it may change between the reading and the command.)
 *   P3 SequentialReply (LIN-1, LIN-3, TIME-2, TIME-14): each reply is the one of the sequential
 *      program at that reading. So the execution of a command is its linearization point.
 *   P4 ReplyOrder (CONN-1, CONN-4): a client receives the bytes of its replies in order, each once.
 *   P5 TimersEachTurn (LOOP-1, LOOP-3): a time event that is due after sleep runs in this turn, and
 *      none runs before it is due.
 *   P6 Quiescence (LOOP-5, LOOP-18, LOOP-2): when nothing can move any more, every command has been
 *      answered, no buffer holds a byte, and nobody is waited for to become writable.
 *   P7 ExpiredReclaimed (LOOP-4, TIME-15): and no expired key is left in memory.
 *   P8 BoundedTurn (LOOP-7, LOOP-18): of one client a turn executes no more than its budget.
 *
 * Left out: connections that come and go, errors of the system, wall clocks that jump, other
 * commands. A handler is one step, because nothing runs beside it (LOOP-16).
 */

#ifndef NC
#define NC 2     /* clients */
#endif
#ifndef NF
#define NF 2     /* requests of each */
#endif
#define FL 2     /* bytes of a request */
#define RL 2     /* bytes of a reply */
#ifndef RX
#define RX 4     /* bytes a receive buffer of the kernel holds */
#endif
#ifndef TX
#define TX 2     /* bytes a send buffer holds */
#endif
#ifndef BUDGET
#define BUDGET 1 /* commands of one client in a turn (LOOP-18); 512 in the server */
#endif
#ifndef BATCH
#define BATCH 2  /* clients read from before the first of them is served; 16 in the server */
#endif
#ifndef BUG
#define BUG 0    /* a deliberate fault: see faults.go */
#endif

#include "events.h"

#define GET   0  /* operations */
#define SET   1
#define SETPX 2
#define NIL   0  /* replies; from 2 on: the value of that write */
#define OK    1

#define some(q) (len(q) > 0)
#define none(q) (len(q) == 0)

#define request(c, f) ((c)*NF + (f))

#ifdef TRACE
byte op[NC*NF];    /* what each request asks */
byte said[NC*NF];  /* what each was replied */
#define written(c, f) (2 + request(c, f)) /* the value that this request writes */
#define ask(c, f)     o = op[request(c, f)]
#define asks(c, o)    op[request(c, sent[c]/FL)] = o
#define say(c, f)     said[request(c, f)] = reply
#define heard(c, f)   said[request(c, f)]
#else
#define written(c, f) (2 + c)
#define ask(c, f)     if :: o = GET :: o = SET :: o = SETPX fi
#define asks(c, o)    skip
#define say(c, f)     skip
#define heard(c, f)   0
#endif

/* ---- the clients ---- */

byte sent[NC];   /* bytes sent */
byte got[NC];    /* bytes of replies received */

/* ---- the kernel ---- */

chan rx[NC] = [RX] of { byte }; /* bytes that have arrived, by their position in the stream */
chan tx[NC] = [TX] of { byte }; /* bytes that the server has written */
byte now = 2;                   /* the clock; never far from 2, see rebase */

/* ---- the server ---- */

chan inp[NC] = [RX+FL] of { byte };    /* query buffer: behind, or the beginning of a frame */
chan outp[NC] = [NF*RL] of { byte };   /* replies that the socket has not taken */
bool writeInterest[NC];
chan pending = [NC] of { byte };       /* clients with replies to flush before the loop sleeps */
chan arrived = [NC] of { byte };       /* clients read from, not yet served */
chan behind = [NC] of { byte };        /* clients with more than a turn may execute */
byte goingOn;                          /* how many of these are of the last turn */
bool served[NC];                       /* went on in this turn, so is not read from */
bool readable[NC], writable[NC];       /* what the wait reported: a snapshot */
byte mono;                             /* the clock after sleep */
byte reading;                          /* the clock as commands know it */
byte timer;                            /* when active expiry is due; 0: not armed */
byte val, deadline;                    /* the key as it lies in memory; 0: none */

/* ---- the ghosts: what only the properties look at ---- */

byte done[NC];           /* requests executed */
byte ran[NC];            /* of these, in this turn */
byte mVal, mDeadline;    /* the key of the sequential program */
bool late[NC*NF];        /* arrived when the clock was past the last reading */

/* ---- the world ---- */

inline send(c) {
	rx[c]!sent[c];
	sent[c]++;
	if
	:: sent[c] % FL == 0 -> late[request(c, sent[c]/FL - 1)] = (now > reading)
	:: else
	fi
}

#define begins(c) (sent[c] < NF*FL && sent[c] % FL == 0 && len(rx[c]) < RX)
#define goesOn(c) (sent[c] % FL != 0 && len(rx[c]) < RX)

inline begin(c, o) {
	log(SEND, c, o);
	asks(c, o);
	send(c)
}

active [NC] proctype client() {
	byte c = _pid, b;
end:
	do
	:: atomic { begins(c) && asked(SEND, c, GET) -> begin(c, GET) }
#ifdef TRACE
	:: atomic { begins(c) && asked(SEND, c, SET) -> begin(c, SET) }
	:: atomic { begins(c) && asked(SEND, c, SETPX) -> begin(c, SETPX) }
#endif
	:: atomic { goesOn(c) && next(MORE, c) -> log(MORE, c, 0); send(c) }
	:: atomic { some(tx[c]) && next(RECV, c) ->
		tx[c]?b;
		log(RECV, c, heard(c, b / RL));
		assert(b == got[c]); /* P4 */
		got[c]++;
		b = 0
	}
	od
}

/* Time passes as long as it matters: until the key is past its deadline. In a script it just passes. */
#ifdef SCRIPT
#define timeMatters true
#else
#define timeMatters (deadline != 0 && now <= deadline)
#endif

active proctype clock() {
end:
	do
	:: atomic { timeMatters && next(TICK, 0) -> log(TICK, 0, 0); now++ }
	od
}

/* ---- the executor ---- */

/* The sequential program: no memory, no laziness, only the rule (LIN-3). */
inline model(c, f) {
	if
	:: mDeadline != 0 && reading > mDeadline -> mVal = NIL; mDeadline = 0
	:: else
	fi;
	if
	:: o == GET -> want = mVal
	:: o == SET -> want = OK; mVal = written(c, f); mDeadline = 0
	:: o == SETPX -> want = OK; mVal = written(c, f); mDeadline = reading + 1
	fi
}

inline expireLazily() {
	if
	:: deadline != 0 && reading > deadline && BUG != 4 -> val = NIL; deadline = 0 /* TIME-4 */
	:: else
	fi
}

inline handle(c, f) {
	expireLazily();
	if
	:: o == GET ->
		reply = val;
		assert(val == NIL || deadline == 0 || reading <= deadline) /* P2 */
	:: o == SET -> reply = OK; val = written(c, f);
		if
		:: BUG != 6 -> deadline = 0
		:: else
		fi
	:: o == SETPX -> reply = OK; val = written(c, f); deadline = reading + 1
	fi
}

/* execute runs the frame at the front of the query buffer. */
inline execute(c) {
	inp[c]?b;
	f = b / FL;
	assert(b == done[c]*FL); /* P1: the next in the order sent */
	if
	:: len(inp[c]) >= FL - 1 -> inp[c]?b
	:: else
	fi;
	assert(b == done[c]*FL + FL - 1); /* P1: to its last byte */
	assert(!late[request(c, f)]); /* P2: the reading is not older than the request */
	ask(c, f);
	log(ASK, c, o);
	handle(c, f);
	model(c, f);
	tell(REPLY, c, reply);
	assert(reply == want); /* P3 */
	say(c, f);
	outp[c]!f*RL;
	outp[c]!f*RL + 1;
	done[c]++;
	ran[c]++;
	assert(ran[c] <= BUDGET); /* P8 */
	b = 0; f = 0; o = 0; reply = 0; want = 0
}

#define frameArrived(c) (len(inp[c]) >= (BUG == 1 -> 1 : FL))

/* serve executes what has arrived of a client, as much as a turn may (LOOP-18). */
inline serve(c) {
	n = 0;
	do
	:: len(inp[c]) > 0 && n >= BUDGET && BUG != 5 -> behind!c; break
	:: len(inp[c]) > 0 && n >= BUDGET && BUG == 5 -> break
	:: len(inp[c]) > 0 && n < BUDGET && frameArrived(c) -> execute(c); n++
	:: len(inp[c]) == 0 || n < BUDGET && !frameArrived(c) -> break
	od;
	if
	:: BUG == 14 && n > 0 && len(inp[c]) < FL -> do :: len(inp[c]) > 0 -> inp[c]?_ :: else -> break od
	:: else
	fi;
	n = 0;
	if
	:: some(outp[c]) && !writeInterest[c] && !(pending??[eval(c)]) -> pending!c
	:: else
	fi
}

inline readClock() {
	log(CLOCK, 0, 0);
	takeReading()
}

inline takeReading() {
	reading = now;
	n = 0;
	do
	:: n < NC*NF -> late[n] = false; n++
	:: else -> n = 0; break
	od
}

/* serveArrived: one reading for all that were read from together, then each is served. */
inline serveArrived() {
	if
	:: some(arrived) ->
		if
		:: BUG != 9 -> atomic { readClock() }
		:: else
		fi;
		atomic {
			do
			:: some(arrived) -> arrived?a; serve(a)
			:: none(arrived) -> a = 0; break
			od
		}
	:: none(arrived)
	fi
}

/* goOn serves those that had sent more than the last turn could take. */
inline goOn() {
	goingOn = len(behind);
	if
	:: goingOn > 0 ->
		if
		:: BUG != 9 -> atomic { readClock() }
		:: else
		fi;
		atomic {
			do
			:: goingOn > 0 -> behind?a; served[a] = true; serve(a); goingOn--
			:: goingOn == 0 -> a = 0; break
			od
		}
	:: goingOn == 0
	fi
}

/* ---- reading and writing ---- */

inline read(c) {
	next(READ, c);
	n = 0;
	do
	:: some(rx[c]) -> rx[c]?b; inp[c]!b; n++
	:: none(rx[c]) -> break
	od;
	log(READ, c, n);
	arrived!c;
	n = 0; b = 0
}

/* flush writes once, what fits, and keeps the rest and an interest in going on (LOOP-5). */
inline flush(c) {
	next(WRITE, c);
	n = 0;
	if
	:: BUG == 13 && writeInterest[c] -> outp[c]?<b>; tx[c]!b; n++
	:: else
	fi;
	do
	:: some(outp[c]) && len(tx[c]) < TX -> outp[c]?b; tx[c]!b; n++
	:: none(outp[c]) || len(tx[c]) == TX -> break
	od;
	log(WRITE, c, n);
	if
	:: BUG == 2 -> do :: some(outp[c]) -> outp[c]?_ :: else -> break od
	:: else
	fi;
	writeInterest[c] = (some(outp[c]) && BUG != 3);
	n = 0; b = 0
}

/* ---- the loop ---- */

#ifndef SCRIPT
/* rebase counts time anew, so that the same situation later is the same state. */
inline rebase() {
	if
	:: mDeadline != 0 && now > mDeadline -> mVal = NIL; mDeadline = 0
	:: mDeadline != 0 && now <= mDeadline -> mDeadline = mDeadline - (now - 2)
	:: mDeadline == 0
	fi;
	deadline = (deadline == 0 -> 0 : deadline - (now - 2));
	now = 2; reading = 2; mono = 2
}
#endif

/* How long the loop waits. */
#define wait (some(behind) || timer != 0 && timer <= now -> 0 : (timer == 0 -> 255 : timer - now))

/*
 * The calendar of the real keyspace has entries that mean nothing any more, of keys that were overwritten.
 * For one of them a wait may end early, and a slice of active expiry run for nothing. Here there are none,
 * but where a trace of the server is followed they are believed, if there is a key with a deadline at all.
 */
#ifdef SCRIPT
#define rebase() skip
bool hint;
#define mayFire (isDue(mono) || hint && next(CLOCK, 0))
inline hear() {
	hint = (deadline != 0);
	if
	:: hint && none(behind) && at < LENGTH && who[at] < wait -> timer = now + who[at]
	:: else
	fi
}
#else
#define mayFire (isDue(mono + (BUG == 12 -> 1 : 0)) && (BUG != 7 || idle))
#define hear()  skip
#define hint    false
#endif

inline beforeSleep() {
	coming(TURN);
	assert(timer == 0 || timer > mono); /* P5 */
	rebase();
	timer = (deadline == 0 || BUG == 11 -> 0 : deadline + 1);
	hear();
	log(TURN, wait, 0);
	n = 0;
	do
	:: n < NC -> served[n] = false; ran[n] = 0; n++
	:: else -> n = 0; break
	od
}

#define isReadable(c) some(rx[c])
#define isWritable(c) (writeInterest[c] && len(tx[c]) < TX)
#define isReady(c)    (isReadable(c) || isWritable(c))
#if NC == 1
#define someReady isReady(0)
#elif NC == 2
#define someReady (isReady(0) || isReady(1))
#else
#define someReady (isReady(0) || isReady(1) || isReady(2))
#endif
#define isDue(t)  (timer != 0 && timer <= (t))

/* wake is the end of the wait: what is ready now is a snapshot, and soon old. */
inline wake() {
	coming(WAKE);
	c = 0;
	do
	:: c < NC ->
		readable[c] = isReadable(c);
		writable[c] = isWritable(c);
		n = n + (readable[c] -> 1<<c : 0);
		b = b + (writable[c] -> 1<<c : 0);
		c++
	:: else -> break
	od;
	log(WAKE, n, b);
	idle = (n + b == 0);
	c = 0; n = 0; b = 0;
	mono = now;
	if
	:: BUG == 9 -> takeReading()
	:: else
	fi
}

/* A client that is behind is not read from: what has been read comes first (LOOP-18). */
#define mayRead(c) (readable[c] && (!served[c] && !(behind??[eval(c)]) || BUG == 10))

inline fileEvents() {
	goOn();
	c = 0;
	do
	:: c < NC ->
		if
		:: mayRead(c) ->
			atomic { read(c) }
			if
			:: len(arrived) == BATCH -> serveArrived()
			:: len(arrived) < BATCH
			fi
		:: !mayRead(c)
		fi;
		if
		:: writable[c] -> serveArrived(); atomic { flush(c); writable[c] = false }
		:: !writable[c]
		fi;
		readable[c] = false;
		c++
	:: c == NC -> c = 0; break
	od;
	serveArrived()
}

/* timeEvents runs active expiry if it was due after sleep (LOOP-1). It has its own reading. */
inline timeEvents() {
	if
	:: mayFire -> atomic {
		readClock();
		assert(now >= timer || hint); /* P5: not before it is due */
		timer = 0;
		if
		:: deadline != 0 && (BUG == 8 -> reading >= deadline : reading > deadline) -> val = NIL; deadline = 0
		:: else
		fi
	}
	:: else
	fi
}

inline atRest() {
	c = 0;
	do
	:: c < NC ->
		assert(got[c] == NF*RL && none(inp[c]) && none(outp[c]) && !writeInterest[c]); /* P6 */
		c++
	:: else -> break
	od;
	assert(deadline == 0 || now <= deadline) /* P7 */
}

active proctype loop() {
	byte a, b, c, f, n, o, reply, want;
	bool idle;
	do
	:: atomic { beforeSleep() }
		do
		:: atomic { some(pending) -> pending?c; flush(c); c = 0 }
		:: none(pending) -> break
		od;
		if
		:: atomic { some(behind) || someReady || isDue(now) -> wake() }
#ifndef SCRIPT
		:: timeout -> atRest(); break
#endif
		fi;
		fileEvents();
		timeEvents()
	od
}

#ifdef SCRIPT
active proctype judge() {
	timeout -> printf("script: %d of %d steps\n", at, LENGTH)
}
#endif
