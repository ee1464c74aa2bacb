/*
 * How the publishers of a lossless broadcast wait for its slowest subscriber: `src/broadcast/log` (W1 to W3 there) and
 * `src/broadcast/source.rs`, step by step, with `waiting.pml`.
 *
 * Publishers wait for words that subscribers store plainly, so here is what the other models leave out: such a store lies in
 * its processor's buffer for as long as it likes, while later loads of the subscriber go ahead. What empties the buffers is the
 * heavy fence (`membarrier`), and of its own processor each lock. That a subscriber waits for messages is the
 * argument of `channel.pml` (one word, read-modify-writes only); here it just comes when there is one.
 *
 * Shape: NP publishers with SENDS messages each, of which PTASKS are tasks; NSUB subscribers; capacity CAP. LEAVES lets the first
 * subscriber leave after its first message, STALLS lets it stop for good there. LIMITS and CANCEL as in `channel.pml`.
 */
#ifndef NP
#define NP 1
#endif
#ifndef NSUB
#define NSUB 1
#endif
#ifndef SENDS
#define SENDS 2
#endif
#ifndef CAP
#define CAP 1
#endif
#ifndef PTASKS
#define PTASKS 0
#endif

/* Those who wait are publishers: all on one side. */
#define N NP
#define NR 0
#define ALL (NP * SENDS)
/* A word that gates nobody. */
#define NOWHERE 100
#define ARMED 64

#if NSUB > 1
#define read_by_all(p) (got[0] > (p) && got[1] > (p))
#else
#define read_by_all(p) (got[0] > (p))
#endif

#include "waiting.pml"

byte tail, limit;
/* The slot of position p holds p + 1 once it is published. */
byte slot[CAP];
/* What publishers see of the subscribers' words, and what still lies in a buffer. */
byte word[NSUB];
byte buffered[NSUB];
bit in_buffer[NSUB];
/* The position that publishers wait to see left, with ARMED. */
byte gate;
bit scan;
byte sent_count, given_up_count;
byte got[NSUB];
bit stalled;

/* A store becomes visible to others. */
inline drain(s) {
    if
    :: in_buffer[s] -> word[s] = buffered[s]; in_buffer[s] = 0
    :: else
    fi
}

/* The processors empty their buffers when they like. */
proctype Buffers() {
    byte s;
    do
    :: atomic { in_buffer[0] -> drain(0) }
#if NSUB > 1
    :: atomic { in_buffer[1] -> drain(1) }
#endif
    od
}

/* `membarrier`: those of all processors. */
inline heavy_fence() {
#ifndef NO_HEAVY_FENCE
    d_step {
        drain(0);
#if NSUB > 1
        drain(1);
#endif
    }
#else
    skip
#endif
}

/* `Entries::gate`: the earliest word, or `otherwise` if that is earlier. A walk, one load each. */
inline earliest(otherwise, result) {
    result = otherwise;
    atomic { result = (word[0] < result -> word[0] : result) };
#if NSUB > 1
    atomic { result = (word[1] < result -> word[1] : result) };
#endif
}

/* `Log::arm_gate`, with the lines' lock held or not: sets `at`, and `changed` if others waited for another position. */
inline arm_gate() {
#ifdef TAIL_READ_OUTSIDE
    at = tail;
    atomic { !scan -> scan = 1 };
#else
    atomic { !scan -> scan = 1; at = tail };
#endif
    atomic {
        assert(at >= CAP);
        changed = (gate >= ARMED && gate != ARMED + at - CAP);
        gate = ARMED + at - CAP;
        scan = 0
    }
}

/* `PublishSource::arm`, called from `join`. */
inline arm_and_unlock(side) {
    fenced = NOWHERE;
    if
    :: gate >= ARMED
    :: else -> arm_gate()
    fi;
    atomic { changed = 0; at = 0; locked[side] = 0 }
}

inline disarm(side) { gate = 0 }

/* `Waits::wake_publishers`. */
inline wake_publishers() { notify_all(S) }

/* `Log::claim` and `claim_slowly`. `at` is what was claimed (`Done`), or the position for which there is no room. */
inline claim() {
    do
    :: atomic { answer == 0 -> at = tail };
        if
        :: at < limit && (at < CAP || slot[at % CAP] == at - CAP + 1) ->
            atomic {
                if
                :: tail == at -> tail = at + 1; answer = Done
                :: else
                fi
            }
        :: at < limit && !(at < CAP || slot[at % CAP] == at - CAP + 1) ->
            atomic { if :: tail == at -> answer = Busy :: else fi }
        :: else ->
            atomic { !scan -> scan = 1; at = tail };
            if
            :: at < limit -> scan = 0
            :: else ->
                earliest(at, low);
                limit = low + CAP;
                if
                :: at >= low + CAP -> atomic { answer = Blocked; scan = 0 }
                :: at < low + CAP && !(at < CAP || slot[at % CAP] == at - CAP + 1) ->
                    atomic { if :: tail == at -> answer = Busy :: else fi; scan = 0 }
                :: else ->
                    atomic {
                        if
                        :: tail == at -> tail = at + 1; answer = Done
                        :: else
                        fi;
                        scan = 0
                    }
                fi;
                low = 0
            fi
        fi
    :: atomic { answer != 0 -> break }
    od
}

/* `PublishSource::attempt`: where the log is full, a publisher that would sleep first makes sure that it will be woken. */
inline attempt() {
    do
    :: answer = 0;
        claim();
        if
        :: answer == Done ->
            /* G2: what is overwritten was read by all. */
            assert(at < CAP || (slot[at % CAP] == at - CAP + 1 && read_by_all(at - CAP)));
            atomic { slot[at % CAP] = at + 1; sent_count++; at = 0; break }
        :: answer == Busy -> at = 0; break
        :: else ->
#ifdef NOT_ARMED
            break;
#endif
            at_last = at;
            if
            :: gate < ARMED -> break
            :: gate >= ARMED && fenced == at_last -> break
            :: else
            fi;
            /* watch_the_gate */
            arm_gate();
            if
#ifdef NO_WAKE_AT_A_CHANGE
            :: changed -> changed = 0
#else
            :: changed -> changed = 0; wake_publishers()
#endif
            :: else
            fi;
            heavy_fence();
            fenced = at
        fi
    od;
    atomic { at = 0; at_last = 0 }
}

proctype Publisher(byte me; bit task) {
    byte at, at_last, low, woken = N, i, batch, fenced = NOWHERE, count;
    bit ready, changed, left_notified, in_time, gave_up, first, settled, gone, polled_again, told;
    mtype answer, phase;
    bit side = S;
    do
    :: count < SENDS && !gone ->
        if
        :: task -> wait_as_task()
        :: else -> wait_as_thread()
        fi;
progress:
        atomic {
            if
            :: gave_up -> given_up_count++
            :: else
            fi;
            count++;
            gave_up = 0; answer = 0; phase = 0; left_notified = 0; in_time = 0; polled_again = 0; fenced = NOWHERE
        }
    :: else -> break
    od
}

/* `Scan::is_left_by_all`, whose lock empties this processor's buffer, and the wake-up that is owed then. */
inline look_whether_left_by_all() {
    atomic { !scan -> scan = 1; drain(s) };
    earliest(position + 1, low);
    atomic { is_last = (low == position + 1); scan = 0; low = 0 };
    if
    :: is_last -> is_last = 0; wake_publishers()
    :: else
    fi
}

/* `Reader::peek`, `advance` and `leave`. */
proctype Subscriber(byte s) {
    byte position, seen, low, woken = N, batch;
    bit is_last;
    do
    :: atomic { position < ALL && slot[position % CAP] == position + 1 -> got[s] = position + 1 };
        /* stand: the store goes into the buffer, behind the one before. */
        atomic { !in_buffer[s] -> buffered[s] = position + 1; in_buffer[s] = 1 };
        /* Between the store and the look there is only the light fence. */
        seen = gate;
#ifdef NO_LOOK_AT_THE_GATE
        seen = 0;
#endif
        if
        :: seen == ARMED + position -> look_whether_left_by_all()
        :: else
        fi;
progress:
        atomic { seen = 0; position++ };
#ifdef STALLS
        if
        :: s == 0 -> stalled = 1; break
        :: s != 0
        fi;
#endif
#ifdef LEAVES
        if
        :: s == 0 -> break
        :: s != 0
        fi
#endif
    :: atomic { position == ALL - given_up_count && sent_count == position -> break }
    od;
#ifdef LEAVES
    if
    :: s == 0 ->
        atomic { !in_buffer[s] -> buffered[s] = NOWHERE; in_buffer[s] = 1; got[s] = NOWHERE };
        /* leave: the same pair of fences, and whoever waits for whatever is woken. */
        seen = gate;
#ifdef NO_LOOK_WHEN_LEAVING
        seen = 0;
#endif
        if
        :: seen >= ARMED -> wake_publishers()
        :: else
        fi;
        seen = 0
    :: else
    fi
#endif
}

/* Waits until nothing moves any more. Then no publisher may sleep beside room. */
init {
    byte i, low;
    bit sleeps;
    atomic {
        limit = 0;
        i = 0;
        do
        :: i < NP -> run Publisher(i, i < PTASKS); i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < NSUB -> run Subscriber(i); i++
        :: else -> break
        od;
        run Buffers()
    };
    timeout;
    atomic {
        i = 0;
        do
        :: i < NP ->
            sleeps = sleeps || asleep[i];
            i++
        :: else -> break
        od;
        earliest(tail, low);
        assert(!scan);
        assert(!(sleeps && tail < low + CAP));
        assert(sleeps || stalled || sent_count + given_up_count == ALL);
        assert(stalled || !sleeps);
        assert(empty(list[S]) || gate >= ARMED)
    };
done:
    skip
}
