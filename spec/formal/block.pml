/*
 * block.pml: commands that wait, without stopping the loop.
 *
 * A client that pops from an empty list waits, with a timeout or without. Others push, and whoever
 * has waited longest is served, after the whole command. While a client waits it is read from, so that
 * its end is seen, but nothing of it is executed: what it has sent stays in the query buffer, and what
 * was not read yet in the socket. Both have to go on later. A client may leave at any moment.
 *
 * Requests are units: POP, POP with a timeout, PUSH of one element or of two, or UNBLOCK of a client,
 * who may not wait at all. There is one list.
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
 * served. Replies are not followed to the socket, which takes all of them: reactor.pml does that.
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
#ifndef BUDGET
#define BUDGET 1 /* requests of a client executed in a turn */
#endif
#ifndef BATCH
#define BATCH 2  /* clients read from before the first of them is served; 16 in the server */
#endif

#include "events.h"

#define POP     0 /* operations */
#define POPTIME 1
#define PUSH    2
#define PUSHTWO 3
#define UNBLOCK 4 /* of client 0, in a trace, and so on */
#define NULL    0 /* replies */
#define NUMBER  1 /* the number 0, in a trace; 3 is 1, and so on */
#define ELEMENT 2 /* the element 0, in a trace; 4 is 1, and so on */

/* ---- clients and kernel ---- */

byte sent[NC];
byte rx[NC];      /* requests that have arrived */
bool left[NC];    /* the client has closed */

/* ---- the server ---- */

byte inp[NC];     /* requests read and not executed */
bool gone[NC];    /* the server knows that the client has left */
bool blocked[NC];
bool timed[NC];   /* with a timeout */
chan due = [NC] of { byte };     /* whose timeout has come, in that order */
chan dueNow = [NC] of { byte };  /* and had after sleep */
bool served[NC];
chan waiters = [NC] of { byte }; /* in order of arrival */
chan arrived = [NC] of { byte }; /* clients read from, not yet served */
chan behind = [NC] of { byte };
byte goingOn;
byte elements;    /* of the list */

/* ---- ghosts ---- */

bool owed[NC];    /* a command of the client has had no reply */
byte stock;       /* elements pushed and not taken */
chan queue = [NC] of { byte }; /* who waits, as it should be */

/* ---- what only a trace needs ---- */

/*
 * What a request asks is known when it is sent, which element is which, and when a reply is written.
 * And what the wait reports is a snapshot. Elsewhere who sends in the middle of a turn may be read from in
 * that turn, which is as if it had sent before.
 */
#ifdef TRACE
byte op[NC*NF];                                  /* what each request asks */
byte done[NC];                                   /* requests executed */
bool readable[NC];                               /* what the wait reported */
chan list = [2*NC*NF] of { byte };               /* the elements; a request pushes two at most */
chan out[NC] = [NF] of { byte };                 /* replies not written */
chan pending = [NC] of { byte };                 /* whose they are */
#define request(c)       ((c)*NF + done[c])
#define asks(c, o)       op[(c)*NF + sent[c]] = o
#define ask(c)           o = op[request(c)]
#define names(c)         (o == UNBLOCK + c)
#define namesNoWaiter    (!blocked[o - UNBLOCK])
#define snapshot(c)      readable[c] = isReadable(c)
#define reported(c)      readable[c]
#define number(n)        (NUMBER + 2*(n))
#define element          (ELEMENT + 2*x)
#define put(c)           list!2*request(c); if :: o == PUSHTWO -> list!2*request(c) + 1 :: else fi
#define pick()           list?x
#define owe(c, r)        out[c]!r
#define executed(c)      done[c]++
#else
#define asks(c, o)       skip
#define ask(c)           if :: o = POP :: o = POPTIME :: elements < 2 -> o = PUSH :: elements == 0 -> o = PUSHTWO :: o = UNBLOCK fi
#define names(c)         true
#define namesNoWaiter    true
#define snapshot(c)      skip
#define reported(c)      true
#define number(n)        NUMBER
#define element          ELEMENT
#define put(c)           skip
#define pick()           skip
#define owe(c, r)        skip
#define executed(c)      skip
#define settle(c)        skip
#endif

/*
 * What the next request of a client asks, and whether the client may leave. Of three one may, or there are
 * too many states; in a random run most stay, or there is little to see.
 */
#ifdef SCRIPT
#define choose() o = how[at]
#define decide() skip
#define leaves   true
#elif defined(TRACE)
inline choose() {
	if
	:: o = POP
	:: o = POPTIME
	:: o = POPTIME
	:: o = PUSH
	:: o = PUSHTWO
	:: o = UNBLOCK
	fi;
	do
	:: o >= UNBLOCK && o < UNBLOCK + NC - 1 -> o++
	:: break
	od
}
#define decide() if :: stays = true :: stays = true :: skip fi
#define leaves   !stays
#else
#define choose() skip
#define leaves   (NC < 3 || c == 0)
#endif

/* ---- the world ---- */

active [NC] proctype client() {
	byte c = _pid, o;
#ifdef TRACE
	bool stays;
	decide();
#endif
end:
	do
	:: atomic { !left[c] && sent[c] < NF && next(SEND, c) ->
		choose();
		log(SEND, c, o);
		asks(c, o);
		sent[c]++; rx[c]++;
		o = POP
	}
	:: atomic { leaves && next(LEAVE, c) -> log(LEAVE, c, 0); left[c] = true; break }
#ifndef SCRIPT
	:: sent[c] == NF -> break
#endif
	od
}

/* A timeout comes at any time, or not at all. */
#define mayComeDue(c) (blocked[c] && timed[c] && !(due??[c]) && !(dueNow??[c]) && next(DUE, c))

active proctype clock() {
end:
	do
	:: atomic { mayComeDue(0) -> log(DUE, 0, 0); due!0 }
	:: atomic { mayComeDue(1) -> log(DUE, 1, 0); due!1 }
#if NC > 2
	:: atomic { mayComeDue(2) -> log(DUE, 2, 0); due!2 }
#endif
	od
}

/* ---- the executor ---- */

inline reply(c, r) {
	tell(REPLY, c, r);
	owe(c, r);
	assert(owed[c]); /* B1 */
	owed[c] = false
}

/* without takes a client out of a queue. */
inline without(q, c) {
	n = len(q);
	do
	:: n > 0 -> q?x; n--;
		if
		:: x != c -> q!x
		:: x == c
		fi
	:: n == 0 -> break
	od;
	x = 0
}

/* resume ends a wait. What the client has sent meanwhile goes on in the next turn. */
inline resume(c) {
	blocked[c] = false; timed[c] = false;
	if
	:: BUG != 6 -> without(due, c); without(dueNow, c)
	:: else
	fi;
	if
	:: inp[c] > 0 && !(behind??[eval(c)]) && !(arrived??[eval(c)]) && BUG != 2 -> behind!c
	:: else
	fi;
	settle(c)
}

/* settle queues a client for the flush, if it is owed something. */
#ifdef TRACE
inline settle(c) {
	if
	:: len(out[c]) > 0 && !(pending??[eval(c)]) -> pending!c
	:: else
	fi
}
#endif

inline giveUp(c) {
	assert(timed[c] || o >= UNBLOCK); /* B5: it is this wait's own timeout */
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
	pick();
	reply(c, element);
	x = 0
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
	ask(c);
	log(ASK, c, o);
	if
	:: o <= POPTIME && elements > 0 -> take(c)
	:: o <= POPTIME && elements == 0 ->
		blocked[c] = true; timed[c] = (o == POPTIME);
		waiters!c; queue!c
	:: o == PUSH || o == PUSHTWO ->
		elements = elements + o - PUSH + 1; stock = stock + o - PUSH + 1;
		put(c);
		reply(c, number(elements))
	:: o >= UNBLOCK ->
		if
		:: blocked[0] && names(0) -> giveUp(0); n = 1
		:: blocked[1] && names(1) -> giveUp(1); n = 1
#if NC > 2
		:: blocked[2] && names(2) -> giveUp(2); n = 1
#endif
		:: namesNoWaiter
		fi;
		reply(c, number(n));
		n = 0
	fi;
	o = POP;
	executed(c);
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
	m = 0;
	settle(c)
}

/* ---- the loop ---- */

#define isReadable(c) ((rx[c] > 0 || left[c]) && !gone[c])
#define mayRead(c)    (isReadable(c) && !(behind??[eval(c)]))
#if NC > 2
#define someReady (mayRead(0) || mayRead(1) || mayRead(2) || len(due) > 0)
#define someTimed (timed[0] || timed[1] || timed[2])
#else
#define someReady (mayRead(0) || mayRead(1) || len(due) > 0)
#define someTimed (timed[0] || timed[1])
#endif

#ifdef TRACE
/* Before it sleeps the loop writes what has been replied. Until when it sleeps: see TURN. */
inline beforeSleep() {
	log(TURN, (len(behind) > 0 -> 0 : (someTimed -> 1 : 255)), 0);
	do
	:: len(pending) > 0 ->
		pending?a;
		do
		:: len(out[a]) > 0 -> out[a]?m; log(WRITE, a, m)
		:: len(out[a]) == 0 -> break
		od
	:: len(pending) == 0 -> break
	od;
	a = 0; m = 0
}
#endif

inline goOn() {
	do
	:: goingOn > 0 -> atomic {
		behind?c;
		goingOn--;
		served[c] = true;
		serve(c);
		c = 0
	}
	:: goingOn == 0 -> break
	od
}

inline forget(c) {
	log(CLOSE, c, blocked[c]);
	gone[c] = true; blocked[c] = false; timed[c] = false;
	without(due, c); without(dueNow, c);
	rx[c] = 0; inp[c] = 0; owed[c] = false;
	if
	:: BUG != 4 -> without(waiters, c)
	:: else
	fi;
	without(queue, c);
	without(behind, c)
}

/* wake is the end of the wait. It tells the sets of those who are readable, and who are due. */
inline wake() {
	coming(WAKE);
	do
	:: len(due) > 0 -> due?a; dueNow!a; m = m + (1<<a)
	:: len(due) == 0 -> break
	od;
	a = 0;
	do
	:: a < NC -> snapshot(a); n = n + (isReadable(a) -> 1<<a : 0); served[a] = false; a++
	:: else -> break
	od;
	log(WAKE, n, m);
	goingOn = len(behind);
	a = 0; m = 0; n = 0
}

/* read takes all that has arrived, or finds the end. */
inline read(c) {
	next(READ, c) || next(CLOSE, c);
	if
	:: rx[c] > 0 ->
		log(READ, c, rx[c]);
		inp[c] = inp[c] + rx[c]; rx[c] = 0;
		arrived!c
	:: rx[c] == 0 -> forget(c)
	fi
}

inline serveArrived() {
	do
	:: len(arrived) > 0 -> arrived?c; serve(c)
	:: len(arrived) == 0 -> c = 0; break
	od
}

inline fileEvents() {
	goOn();
	do
	:: atomic {
		if
		:: reported(a) && mayRead(a) && !served[a] -> read(a)
		:: else
		fi;
		a++;
		if
		:: len(arrived) == BATCH || a == NC -> serveArrived()
		:: else
		fi;
		if
		:: a == NC -> a = 0; break
		:: else
		fi
	}
	od
}

/* timeEvents ends the waits of those who were due after sleep, the first first. */
inline timeEvents() {
	do
	:: len(dueNow) > 0 && BUG != 9 ->
		dueNow?<a>;
		log(FIRE, a, 0);
		giveUp(a)
	:: else -> a = 0; break
	od
}

inline endOfTurn() {
	assert(len(dueNow) == 0) /* B5 */
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
	byte a, c, m, n, o, w, x;
	do
	::
#ifdef TRACE
		atomic { beforeSleep() }
#endif
		if
		:: atomic { len(behind) > 0 || someReady -> wake() }
#ifndef SCRIPT
		:: timeout -> atRest(); break
#endif
		fi;
		fileEvents();
		atomic { timeEvents(); endOfTurn() }
	od
}

#ifdef SCRIPT
active proctype judge() {
	timeout -> printf("script: %d of %d steps\n", at, LENGTH)
}
#endif
