/*
 * block.pml: commands that wait, without stopping the loop.
 *
 * A client that pops from an empty list waits, with a timeout or without. Others push, and whoever
 * has waited longest is served, after the whole command. While a client waits it is read from, so that
 * its end is seen, but nothing of it is executed: what it has sent stays in the query buffer, and what
 * was not read yet in the socket. Both have to go on later. A client may leave at any moment.
 *
 * Requests are units, and what one asks is chosen when it is executed: POP, POP with a timeout,
 * PUSH of one element or of two, or UNBLOCK of somebody who waits. There is one list.
 *
 * What must hold:
 *
 *   B1 OneReply (BLOCK-9, CONN-1, CONN-3): a command gets one reply, and while it has none, nothing that
 *      the client has sent behind it is executed.
 *   B2 FIFOWaiters (BLOCK-5): an element goes to whoever has waited longest.
 *   B3 ElementOnce (BLOCK-1, BLOCK-8): an element goes to one taker, is not lost, and is not given to a
 *      client that has left.
 *   B4 NoOneForgotten (BLOCK-3, BLOCK-9, LOOP-18): when nothing can move any more, nobody waits although
 *      there is an element, and all that was sent by those who do not wait has been executed.
 *   B5 TimeoutXorElement (BLOCK-4, BLOCK-7, BLOCK-13): a timeout that is due after sleep ends the wait in
 *      this turn, and none ends a wait that is not its own.
 *
 * Left out: lists of more than two elements, of which nobody waits for the third; several keys, and transactions; both only decide which elements there are when waiters are
 * served. Replies are not followed to the socket: reactor.pml does that.
 */

#ifndef NC
#define NC 2     /* clients */
#endif
#ifndef NF
#define NF 2     /* requests of each */
#endif
#ifndef BUG
#define BUG 0
#endif
#define BUDGET 1 /* requests of a client executed in a turn */

#define POP     0
#define POPTIME 1
#define PUSH    2
#define PUSHTWO 3
#define UNBLOCK 4
#define NULL    0 /* replies */
#define ELEMENT 1
#define DONE    2

#include "events.h"

/* ---- clients and kernel ---- */

byte sent[NC];
byte rx[NC];      /* requests that have arrived */
bool left[NC];    /* the client has closed */

/* ---- the server ---- */

byte inp[NC];     /* requests read and not executed */
bool gone[NC];    /* the server knows that the client has left */
bool blocked[NC];
bool timed[NC];   /* with a timeout */
bool due[NC];     /* which has come */
bool dueNow[NC];  /* and had after sleep */
bool served[NC];
chan waiters = [NC] of { byte }; /* in order of arrival */
chan behind = [NC] of { byte };
byte goingOn;
byte elements;    /* of the list */

/* ---- ghosts ---- */

bool owed[NC];    /* a command of the client has had no reply */
byte stock;       /* elements pushed and not taken */
chan queue = [NC] of { byte }; /* who waits, as it should be */

/* Of three clients one may leave, or there are too many states. */
#define mayLeave(c) (NC < 3 || c == 0)

active [NC] proctype client() {
	byte c = _pid;
end:
	do
	:: atomic { !left[c] && sent[c] < NF -> log(SEND, c, 0); sent[c]++; rx[c]++ }
	:: atomic { mayLeave(c) -> log(LEAVE, c, 0); left[c] = true; break }
	:: sent[c] == NF -> break
	od
}

/* A timeout comes at any time, or not at all. */
active proctype clock() {
	byte c;
end:
	do
	:: atomic { blocked[0] && timed[0] && !due[0] -> log(DUE, 0, 0); due[0] = true }
	:: atomic { blocked[1] && timed[1] && !due[1] -> log(DUE, 1, 0); due[1] = true }
#if NC > 2
	:: atomic { blocked[2] && timed[2] && !due[2] -> log(DUE, 2, 0); due[2] = true }
#endif
	od
}

/* ---- the executor ---- */

inline reply(c, r) {
	tell(REPLY, c, r);
	assert(owed[c]); /* B1 */
	owed[c] = false
}

/* without takes a client out of a queue. */
inline without(q, c) {
	n = len(q);
	do
	:: n > 0 -> q?w; n--;
		if
		:: w != c -> q!w
		:: w == c
		fi
	:: n == 0 -> break
	od;
	w = 0
}

/* resume ends a wait. What the client has sent meanwhile goes on in the next turn. */
inline resume(c) {
	blocked[c] = false; timed[c] = false;
	if
	:: BUG != 6 -> due[c] = false; dueNow[c] = false
	:: else
	fi;
	if
	:: inp[c] > 0 && !(behind??[eval(c)]) && BUG != 2 -> behind!c
	:: else
	fi
}

inline giveUp(c) {
	assert(timed[c] || o == UNBLOCK); /* B5: it is this wait's own timeout */
	if
	:: BUG != 3 -> without(waiters, c)
	:: else
	fi;
	without(queue, c);
	reply(c, NULL);
	resume(c)
}

inline take(c) {
	stock--;
	if
	:: BUG != 7 -> elements--
	:: else
	fi;
	assert(stock == elements); /* B3 */
	reply(c, ELEMENT)
}

/* serveWaiters gives out what there is, after the whole command. */
inline serveWaiters() {
	do
	:: elements > 0 && len(waiters) > 0 ->
		if
		:: BUG == 5 && len(waiters) == 2 -> waiters?w; waiters!w; waiters?w
		:: else -> waiters?w
		fi;
		assert(!gone[w]); /* B3: an element for nobody is lost */
		assert(blocked[w]); /* B1: who does not wait is owed nothing */
		assert(queue?[eval(w)]); /* B2 */
		queue?_;
		take(w);
		resume(w);
		w = 0;
		if
		:: BUG == 8 -> break
		:: else
		fi
	:: else -> break
	od
}

inline execute(c) {
	assert(!blocked[c]); /* B1 */
	inp[c]--;
	owed[c] = true;
	if
	:: o = POP
	:: o = POPTIME
	:: elements < 2 -> o = PUSH
	:: elements == 0 -> o = PUSHTWO
	:: o = UNBLOCK
	fi;
	tell(ASK, c, o);
	if
	:: o <= POPTIME && elements > 0 -> take(c)
	:: o <= POPTIME && elements == 0 ->
		blocked[c] = true; timed[c] = (o == POPTIME);
		waiters!c; queue!c
	:: o == PUSH || o == PUSHTWO ->
		elements = elements + o - PUSH + 1; stock = stock + o - PUSH + 1;
		reply(c, DONE)
	:: o == UNBLOCK ->
		if
		:: blocked[0] -> giveUp(0)
		:: blocked[1] -> giveUp(1)
#if NC > 2
		:: blocked[2] -> giveUp(2)
#endif
		:: else
		fi;
		reply(c, DONE)
	fi;
	o = POP;
	serveWaiters()
}

#define mayExecute(c) (inp[c] > 0 && (!blocked[c] || BUG == 1))

inline serve(c) {
	m = 0;
	do
	:: mayExecute(c) && m < BUDGET -> execute(c); m++
	:: mayExecute(c) && m == BUDGET -> behind!c; break
	:: !mayExecute(c) -> break
	od;
	m = 0
}

/* ---- the loop ---- */

inline goOn() {
	goingOn = len(behind);
	do
	:: goingOn > 0 -> atomic {
		behind?a;
		goingOn--;
		served[a] = true;
		serve(a);
		a = 0
	}
	:: goingOn == 0 -> break
	od
}

inline forget(c) {
	log(CLOSE, c, 0);
	gone[c] = true; blocked[c] = false; timed[c] = false; due[c] = false; dueNow[c] = false;
	rx[c] = 0; inp[c] = 0; owed[c] = false;
	if
	:: BUG != 4 -> without(waiters, c)
	:: else
	fi;
	without(queue, c);
	without(behind, c)
}

#define mayRead(c)    (rx[c] > 0 && !gone[c] && !(behind??[eval(c)]))
#define hasLeft(c)    (left[c] && rx[c] == 0 && !gone[c] && !(behind??[eval(c)]))
#define isReady(c)    (mayRead(c) || hasLeft(c) || due[c])
#if NC > 2
#define someReady (isReady(0) || isReady(1) || isReady(2))
#else
#define someReady (isReady(0) || isReady(1))
#endif

inline wake() {
	log(WAKE, 0, 0);
	a = 0;
	do
	:: a < NC -> dueNow[a] = due[a]; served[a] = false; a++
	:: else -> a = 0; break
	od
}

inline fileEvents() {
	goOn();
	do
	:: a < NC -> atomic {
		if
		:: hasLeft(a) && !served[a] -> forget(a)
		:: mayRead(a) && !served[a] ->
			inp[a] = inp[a] + rx[a]; rx[a] = 0;
			serve(a)
		:: else
		fi;
		a++
	}
	:: else -> a = 0; break
	od
}

inline timeEvents() {
	do
	:: a < NC ->
		if
		:: dueNow[a] && BUG != 9 -> giveUp(a)
		:: else
		fi;
		a++
	:: else -> a = 0; break
	od
}

inline endOfTurn() {
	do
	:: a < NC -> assert(!dueNow[a]); a++ /* B5 */
	:: else -> a = 0; break
	od
}

inline atRest() {
	assert(elements == 0 || len(queue) == 0); /* B4 */
	assert(stock == elements); /* B3 */
	do
	:: a < NC ->
		assert(gone[a] || blocked[a] || rx[a] == 0 && inp[a] == 0); /* B4 */
		assert(gone[a] || blocked[a] == owed[a]); /* B1 */
		a++
	:: else -> break
	od
}

active proctype loop() {
	byte a, m, n, o, w;
	do
	:: if
		:: atomic { len(behind) > 0 || someReady -> wake() }
		:: timeout -> atRest(); break
		fi;
		fileEvents();
		atomic { timeEvents(); endOfTurn() }
	od
}
