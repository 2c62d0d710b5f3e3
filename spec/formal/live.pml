/*
 * live.pml: nobody waits for ever.
 *
 * Clients without end: each sends whenever there is room, and there is always a next time event.
 * One of them, ME, is watched. It reads its replies, sometimes, and has WINDOW requests under way
 * at most. The others do as they please: they send without pause, and may stop reading for good.
 *
 * What must hold, each process being let on now and then (weak fairness):
 *
 *   L1 Answered (LOOP-7, LOOP-18, CONN-17): a request of ME is answered in the end.
 *   L2 TimersFire (LOOP-1, LOOP-4): a time event that is due runs in the end.
 *
 * Requests and replies are units here, and nobody asks what they say: reactor.pml does. A client
 * that owes LIMIT replies is closed (output.pml), which is why none has to be waited for.
 */

#ifndef ME
#define ME 0     /* the client that is watched */
#endif
#ifndef BUG
#define BUG 0
#endif
#define NC     2 /* clients */
#define RX     2 /* requests a receive buffer of the kernel holds */
#define TX     1 /* replies a send buffer holds */
#define BUDGET 1 /* requests of a client executed in a turn */
#define LIMIT  3 /* replies not taken at which a client is closed */
#define WINDOW 2 /* requests of ME under way */

#include "events.h"

byte rx[NC], tx[NC];     /* requests arrived, replies written: the kernel's buffers */
byte inp[NC], outp[NC];  /* read and not executed; replied and not written: the server's */
bool closed[NC];
bool readable[NC], writable[NC]; /* what the wait reported */
bool due, dueNow;        /* a time event is due; was so after sleep */
byte ahead;              /* replies that ME gets up to the one that is watched; 0: none is */

#define underWay(c) (rx[c] + inp[c] + outp[c] + tx[c])
#define answered    (ahead == 0)

ltl L1 { [] (!answered -> <> answered) }
ltl L2 { [] (due -> <> !due) }

active [NC] proctype sender() {
	byte c = _pid;
end:
	do
	:: atomic { !closed[c] && rx[c] < RX && (c != ME || underWay(c) < WINDOW) ->
		log(SEND, c, 0);
		rx[c]++;
		if
		:: c == ME && ahead == 0 -> ahead = underWay(c)
		:: else
		fi
	}
	:: closed[c] -> break
	od
}

active [NC] proctype receiver() {
	byte c = _pid - NC;
end:
	do
	:: atomic { tx[c] > 0 ->
		log(RECV, c, 0);
		tx[c]--;
		if
		:: c == ME && ahead > 0 -> ahead--
		:: else
		fi
	}
	:: atomic { c != ME -> log(DEAF, c, 0); break } /* deaf from now on */
	od
}

active proctype clock() {
end:
	do
	:: atomic { !due -> log(DUE, 0, 0); due = true }
	od
}

inline close(c) {
	log(CLOSE, c, 0);
	closed[c] = true;
	rx[c] = 0; tx[c] = 0; inp[c] = 0; outp[c] = 0
}

inline execute(c) {
	inp[c]--;
	tell(REPLY, c, 0);
	outp[c]++;
	if
	:: outp[c] == LIMIT -> close(c) /* CONN-15 */
	:: else
	fi
}

inline serve(c) {
	n = 0;
	do
	:: inp[c] > 0 && n < BUDGET -> execute(c); n++
	:: else -> n = 0; break
	od
}

inline read(c) { inp[c] = inp[c] + rx[c]; rx[c] = 0 }

inline flush(c) {
	n = (outp[c] < TX - tx[c] -> outp[c] : TX - tx[c]);
	log(WRITE, c, n);
	tx[c] = tx[c] + n;
	outp[c] = outp[c] - n;
	n = 0
}

#define isReadable(c) (rx[c] > 0 && inp[c] == 0)
#define isWritable(c) (outp[c] > 0 && tx[c] < TX)
#define hasWork(c)    (inp[c] > 0 || isReadable(c) || isWritable(c))

active proctype loop() {
	byte c, n;
	bool busy;
end:
	do
	:: /* the wait, and what it reports; then the clock */
		atomic { hasWork(0) || hasWork(1) || due ->
			log(WAKE, 0, 0);
			do
			:: c < NC -> readable[c] = isReadable(c); writable[c] = isWritable(c); c++
			:: else -> c = 0; break
			od;
			dueNow = due;
			busy = readable[0] || readable[1]
		}
		/* file events: a client that is behind goes on; one that is not is read from, once */
		do
		:: c < NC ->
			if
			:: BUG == 1 && readable[c] -> do :: atomic { rx[c] > 0 -> read(c); execute(c); flush(c) } :: rx[c] == 0 -> break od
			:: BUG == 3 && c == 1 && readable[0] -> skip
			:: !(BUG == 1 && readable[c]) && !(BUG == 3 && c == 1 && readable[0]) -> atomic {
				if
				:: readable[c] && inp[c] == 0 -> read(c)
				:: else
				fi;
				serve(c)
			}
			:: else
			fi;
			if
			:: BUG == 2 && outp[c] > 0 -> do :: atomic { outp[c] > 0 && tx[c] < TX -> flush(c) } :: outp[c] == 0 -> break od
			:: writable[c] -> atomic { flush(c) }
			:: else
			fi;
			c++
		:: else -> c = 0; break
		od;
		/* time events */
		if
		:: dueNow && !(BUG == 4 && busy) -> atomic { log(FIRE, 0, 0); due = false }
		:: else
		fi;
		/* before sleep: replies that wait for nothing are written */
		do
		:: c < NC -> atomic { flush(c); c++ }
		:: else -> c = 0; break
		od
	od
}
