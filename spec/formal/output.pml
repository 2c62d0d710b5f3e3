/*
 * output.pml: what a client does not read costs a bounded amount of memory, and costs that client.
 *
 * Clients send requests, of which some have long replies, and take what is written, or stop taking
 * for good. The server keeps what the sockets do not take. A client whose kept replies reach LIMIT is
 * closed, and they are dropped; a reply that would go beyond it is not made at all.
 *
 * What must hold:
 *
 *   O1 BoundedOutput (CONN-15): what is kept for a client never exceeds the limit.
 *   O2 OnlyTheOffender (CONN-2, CONN-15, CONN-17): a client is closed only if it has left replies of that
 *      size in the server; when nothing can move any more, every other has got all of its replies,
 *      or has stopped taking them.
 *
 * Requests are units; so are the parts of a reply. Soft limits are left out.
 */

#ifndef NC
#define NC 2     /* clients */
#endif
#ifndef NF
#define NF 3     /* requests of each */
#endif
#ifndef BUG
#define BUG 0
#endif
#define TX     1 /* units a send buffer of the kernel holds */
#define BUDGET 2 /* requests of a client executed in a turn */
#define LONG   2 /* units of a long reply */
#define LIMIT  3 /* units kept at which a client is closed */

#include "events.h"

byte sent[NC];          /* requests */
bool deaf[NC];          /* takes nothing any more */
byte rx[NC], tx[NC];    /* the kernel's buffers */
byte inp[NC], outp[NC]; /* the server's */
bool writeInterest[NC];
bool closed[NC];
bool behind[NC];
bool readable[NC], writable[NC]; /* what the wait reported */
byte left[NC];                   /* a ghost: units replied that the socket has not taken */
#if BUG == 4
byte made[NC];                   /* units replied, ever */
#endif

active [NC] proctype client() {
	byte c = _pid;
end:
	do
	:: atomic { !closed[c] && sent[c] < NF -> log(SEND, c, 0); sent[c]++; rx[c]++ }
	:: atomic { tx[c] > 0 && !deaf[c] -> log(RECV, c, 0); tx[c]-- }
	:: atomic { !deaf[c] && c == 0 -> log(DEAF, c, 0); deaf[c] = true }
	od
}

inline close(c) {
	log(CLOSE, c, 0);
	assert(left[c] >= LIMIT); /* O2 */
	closed[c] = true;
	rx[c] = 0; tx[c] = 0; inp[c] = 0; outp[c] = 0; left[c] = 0;
	writeInterest[c] = false; behind[c] = false
}

/* kept is what a client has not taken. */
#if BUG == 4
#define kept(c) made[c]
#else
#define kept(c) outp[c]
#endif

/* execute makes a reply, unless it would not fit: then the client is at its limit. */
inline execute(c) {
	inp[c]--;
	if :: size = 1 :: size = LONG fi;
	tell(REPLY, c, size);
#if BUG == 4
	made[c] = made[c] + size;
#endif
	left[c] = left[c] + size;
	outp[c] = outp[c] + size;
	if
	:: outp[c] > LIMIT && BUG != 1 && BUG != 2 -> outp[c] = LIMIT
	:: else
	fi;
	assert(outp[c] <= LIMIT); /* O1 */
	size = 0
}

inline serve(c) {
	behind[c] = false;
	n = 0;
	do
	:: inp[c] > 0 && n < BUDGET && (outp[c] < LIMIT || BUG == 1) -> execute(c); n++
	:: inp[c] > 0 && n == BUDGET && outp[c] < LIMIT -> behind[c] = true; break
	:: inp[c] == 0 || outp[c] >= LIMIT -> break
	od;
	n = 0;
	if
	:: kept(c) >= LIMIT && BUG != 1 ->
		n = (BUG == 3 -> 1 - c : c);
		close(n);
		n = 0
	:: else
	fi
}

/* flush writes once, what fits. */
inline flush(c) {
	n = (outp[c] < TX - tx[c] -> outp[c] : TX - tx[c]);
	log(WRITE, c, n);
	tx[c] = tx[c] + n;
	left[c] = left[c] - n;
	outp[c] = outp[c] - n;
	writeInterest[c] = (outp[c] > 0);
	n = 0
}

#define isReadable(c) (rx[c] > 0)
#define isWritable(c) (writeInterest[c] && tx[c] < TX)
#define hasWork(c)    (behind[c] || isReadable(c) || isWritable(c))
#if NC > 2
#define someWork (hasWork(0) || hasWork(1) || hasWork(2))
#else
#define someWork (hasWork(0) || hasWork(1))
#endif

inline atRest() {
	c = 0;
	do
	:: c < NC ->
		assert(closed[c] || deaf[c] || sent[c] == NF && left[c] == 0 && tx[c] == 0); /* O2 */
		c++
	:: else -> break
	od
}

active proctype loop() {
	byte c, n, size;
	do
	:: if
		:: atomic { someWork -> log(WAKE, 0, 0);
			do
			:: c < NC -> readable[c] = isReadable(c); writable[c] = isWritable(c); c++
			:: else -> c = 0; break
			od
		}
		:: timeout -> atRest(); break
		fi;
		do
		:: c < NC ->
			if
			:: behind[c] -> atomic { serve(c) }
			:: !behind[c] && readable[c] -> atomic { inp[c] = inp[c] + rx[c]; rx[c] = 0; serve(c) }
			:: else
			fi;
			if
			:: writable[c] -> atomic { flush(c) }
			:: else
			fi;
			c++
		:: else -> c = 0; break
		od;
		do
		:: c < NC ->
			if
			:: outp[c] > 0 && !writeInterest[c] -> atomic { flush(c) }
			:: else
			fi;
			c++
		:: else -> c = 0; break
		od
	od
}
