/*
 * Waiting, waking, cancelling and closing of a channel for many: `src/ring/many.rs`, step by step, with `waiting.pml`.
 *
 * Each statement that is not inside an `atomic` is one access to shared memory; critical sections keep their steps apart, for
 * the cursors are moved without the lock. Memory is sequentially consistent here: what weaker orderings allow is for the loom
 * models. README.md says which rule stands for which function, and what is checked.
 *
 * Shape: NR receivers with RECVS messages each, NS senders with SENDS each, capacity CAP. RTASKS and STASKS say how many of
 * them, counted from the first, are tasks. LIMITS lets a wait of the first thread on either side time out (if all
 * could, nobody would ever be at rest), CANCEL lets every future be
 * dropped while it is pending, FORGET lets it never be polled again, CLOSER adds a process that closes the channel, REPOLL
 * lets a task be polled without a reason.
 */
#ifndef NR
#define NR 2
#endif
#ifndef NS
#define NS 1
#endif
#ifndef RECVS
#define RECVS 1
#endif
#ifndef SENDS
#define SENDS 2
#endif
#ifndef CAP
#define CAP 1
#endif
#ifndef RTASKS
#define RTASKS 0
#endif
#ifndef STASKS
#define STASKS 0
#endif

#define N (NR + NS)

#include "waiting.pml"

/* WAIT, in the word that is moved. */
inline arm(side) { wait[side] = 1 }
/*
 * What arming tells a task (`told`) comes of the word that WAIT is set in and an older look at the other cursor. An arm may also say nothing, as
 * those of the rings with bells partly do.
 */
inline arm_and_unlock(side) {
    atomic {
        if
        :: side == R -> at = head
        :: else -> at = tail; flag = closed
        fi
    };
    atomic {
        arm(side);
        if
        :: task ->
#ifdef ARM_TELLS_ALWAYS
            told = 1
#else
            if
            :: side == R && !closed && tail == at -> told = 1
            :: side == S && !flag && at == head + CAP -> told = 1
            :: told = 0
            fi
#endif
        :: else -> told = 0
        fi;
        at = 0;
        flag = 0;
        locked[side] = 0
    }
}
inline disarm(side) { wait[side] = 0 }

/* The ring. `tail` carries wait[R] and closed, `head` carries wait[S]: a CAS compares the whole word. */
byte tail, head;
bit wait[2];
bit closed;
byte stamp[CAP];
byte slot[CAP];

/* The books. Message `v` is number v % 4 of sender v / 4. */
bit sent[4 * NS];
bit given_back[4 * NS];
bit got[4 * NS];
byte sent_count, got_count;
/* A receiver was told that the channel is closed and empty. */
bit told_closed;

/* `Mpmc::push`: claim_tail, refuse_push, publish. Sets `answer`, and `owed` if a receiver waits. */
inline push(v) {
    do
    :: atomic { answer == 0 ->
            /* The word, and the stamp: if the word has changed by then, the CAS fails. */
            at = tail; flag = wait[R]; ready = (stamp[at % CAP] == 2 * at);
            if
            :: closed -> answer = Closed
            :: else
            fi
        };
        if
        :: answer != 0
        :: answer == 0 && ready ->
            atomic {
                won = (tail == at && wait[R] == flag && !closed);
                if
                :: won ->
                    tail = at + 1;
#ifdef FLAG_LOST
                    wait[R] = 0
#endif
                :: else
                fi
            };
            if
            :: won ->
                atomic {
                    slot[at % CAP] = v; stamp[at % CAP] = 2 * at + 1;
                    owed = flag;
                    answer = Done
                }
            :: else
            fi
        :: answer == 0 && !ready ->
            atomic {
                if
                :: head + CAP == at -> answer = Blocked
                :: head + CAP != at && tail == at -> answer = Busy
                :: else
                fi
            }
        fi
    :: atomic { answer != 0 -> break }
    od;
    atomic { at = 0; flag = 0; ready = 0; won = 0 }
}

/* `Mpmc::pop`: claim_head, refuse_pop, take, release. */
inline pop() {
    do
    :: atomic { answer == 0 ->
            at = head; flag = wait[S]; ready = (stamp[at % CAP] == 2 * at + 1)
        };
        if
        :: ready ->
            atomic {
                won = (head == at && wait[S] == flag);
                if
                :: won ->
                    head = at + 1;
#ifdef FLAG_LOST
                    wait[S] = 0
#endif
                :: else
                fi
            };
            if
            :: won ->
                atomic {
                    message = slot[at % CAP]; slot[at % CAP] = 0;
                    stamp[at % CAP] = 2 * (at + CAP);
                    owed = flag;
                    answer = Done
                }
            :: else
            fi
        :: else ->
            atomic {
                if
                :: tail == at && closed -> answer = Closed
                :: tail == at && !closed -> answer = Blocked
#ifdef CLOSED_BEFORE_DRAINED
                :: tail != at && closed -> answer = Closed
#endif
                :: tail != at && head == at -> answer = Busy
                :: else
                fi
            }
        fi
    :: atomic { answer != 0 -> break }
    od;
    atomic { at = 0; flag = 0; ready = 0; won = 0 }
}

/* One attempt of this end, and the wake-up that a success owes to the other side. */
inline attempt() {
    answer = 0;
    if
    :: side == R -> pop()
    :: else -> push(value)
    fi;
    atomic {
        if
        :: answer == Done -> book(); message = 0
        :: else
        fi
    };
#ifdef NO_WAIT_CHECK
    if
    :: owed && side == R -> owed = 0; notify(S)
    :: else -> owed = 0
    fi
#else
    if
    :: owed && side == S -> owed = 0; notify(R)
    :: owed && side == R -> owed = 0; notify(S)
    :: else
    fi
#endif
}

/* No message is received twice, none that was given back, and those of one sender in order. */
inline book() {
    if
    :: side == R ->
        assert(!got[message]);
        assert(!given_back[message]);
        got[message] = 1;
        got_count++;
        assert(last[message / 4] <= message % 4);
        last[message / 4] = message % 4 + 1
    :: else ->
        assert(!sent[value]);
        sent[value] = 1;
        sent_count++
    fi
}

proctype End(byte me; bit side; bit task; byte count) {
    byte at, message, value, woken = N, i;
    byte last[NS];
    bit flag, ready, won, owed, left_notified, in_time, gave_up, first, settled, gone, polled_again, told;
    mtype answer, phase;
    do
    :: i < count && !gone ->
        value = 4 * (me - NR * side) + i;
        if
        :: task -> wait_as_task()
        :: else -> wait_as_thread()
        fi;
progress:
        atomic {
            if
            :: side == S && !gone && (gave_up || answer == Closed) -> given_back[value] = 1
            :: else
            fi;
            /* What the channel says when it is closed: first the messages, then the end. */
            i++;
            if
            :: answer == Closed && !gave_up -> i = count; told_closed = told_closed || (side == R)
            :: else
            fi;
            gave_up = 0; answer = 0; phase = 0; left_notified = 0; in_time = 0; polled_again = 0; value = 0
        }
    :: else -> break
    od
}

proctype Closer() {
    byte woken = N, batch;
    closed = 1;
#ifndef NO_NOTIFY_CLOSE
    notify_all(R);
    notify_all(S)
#endif
}

/* Waits until nothing moves any more. Then nobody may sleep who could go on, and the books must be right. */
init {
    byte i, held_r, held_s;
    bit r_sleeps, s_sleeps;
    atomic {
        i = 0;
        do
        :: i < CAP -> stamp[i] = 2 * i; i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < NR -> run End(i, R, i < RTASKS, RECVS); i++
        :: else -> break
        od;
        do
        :: i < N -> run End(i, S, i - NR < STASKS, SENDS); i++
        :: else -> break
        od;
#ifdef CLOSER
        run Closer()
#endif
    };
    timeout;
    atomic {
        i = 0;
        do
        :: i < N ->
            if
            :: asleep[i] && i < NR -> r_sleeps = 1
            :: asleep[i] && i >= NR -> s_sleeps = 1
            :: else
            fi;
            /* A future that is never polled again keeps the one wake-up that it was given. */
            if
            :: forgotten[i] && state[i] == Notified && i < NR -> held_r++
            :: forgotten[i] && state[i] == Notified && i >= NR -> held_s++
            :: else
            fi;
            i++
        :: else -> break
        od;
        assert(!(told_closed && tail != head));
        assert(!(r_sleeps && closed));
        assert(!(s_sleeps && closed));
        assert(!(r_sleeps && tail - head > held_r));
        assert(!(s_sleeps && tail - head + held_s < CAP));
        assert(sent_count == got_count + (tail - head));
        i = 0;
        do
        :: i < 4 * NS ->
            assert(!got[i] || sent[i]);
            assert(!(sent[i] && given_back[i]));
            i++
        :: else -> break
        od;
        /* WAIT is set while somebody is in the list. */
        assert(empty(list[R]) || wait[R]);
        assert(empty(list[S]) || wait[S])
    };
done:
    skip
}
