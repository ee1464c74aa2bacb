/*
 * The place where senders and receivers meet at capacity 0: `src/channel/exchange.rs`, step by step, with `waiting.pml`.
 *
 * A sender that finds a receiver in line hands its message over; else a thread leaves it as an offer, and a task waits to be told that
 * a receiver has come. The mutex of the exchange is taken outside of the locks of the lines, as in the code.
 *
 * Shape and choices as in `channel.pml`: NR receivers with RECVS messages each, NS senders with SENDS each; RTASKS and STASKS of
 * them are tasks. README.md says which rule stands for which function, and what is checked.
 */
#ifndef NR
#define NR 1
#endif
#ifndef NS
#define NS 1
#endif
#ifndef RECVS
#define RECVS 1
#endif
#ifndef SENDS
#define SENDS 1
#endif
#ifndef RTASKS
#define RTASKS 0
#endif
#ifndef STASKS
#define STASKS 0
#endif

#define N (NR + NS)

#include "waiting.pml"

/* Whether a set may hold somebody, and how many receivers have come that no sender has been told of. */
bit wait[2];
byte arrivals;

bit mutex;
bit closed;
/* Handed over and not yet received. */
chan inside = [N * 2] of { byte };
/* Of threads that are blocked: the sender, its number, its message. */
chan offers = [NS + 1] of { byte, byte, byte };
byte last_offer, taken;

/* The books. Message `v` is number v % 4 of sender v / 4. */
bit sent[4 * NS];
bit given_back[4 * NS];
bit got[4 * NS];
byte sent_count, got_count;
bit told_closed;

inline arm_and_unlock(side) {
    if
    :: side == R ->
        wait[R] = 1;
        atomic {
#ifndef NO_ARRIVALS
            arrivals++;
#endif
            locked[R] = 0
        }
    :: else -> atomic { wait[S] = 1; locked[S] = 0 }
    fi
}

inline disarm(side) { wait[side] = 0 }

inline unlock() { mutex = 0 }

/* `Exchange::hand_over`, with the mutex held: `WaitSet::take_first`, then the message goes inside. `woken` is to be woken. */
inline hand_over(v) {
    if
#ifndef HANDED_OVER_AFTER_CLOSE
    :: closed -> answer = Closed
    :: !closed && !wait[R] -> answer = Blocked
    :: !closed && wait[R] ->
#else
    :: !wait[R] -> answer = (closed -> Closed : Blocked)
    :: wait[R] ->
#endif
        atomic { !locked[R] -> locked[R] = 1;
            if
            :: nempty(list[R]) ->
                list[R] ? woken; state[woken] = Notified; answer = Done
            :: empty(list[R]) -> answer = Blocked
            fi
        };
        atomic {
            if
            :: empty(list[R]) -> wait[R] = 0
            :: nempty(list[R])
            fi;
#ifdef DEPARTURES_ARE_COUNTED
            if
            :: answer == Done && arrivals > 0 -> arrivals--
            :: else
            fi;
#endif
            locked[R] = 0;
            if
            :: answer == Done -> inside ! v
            :: else
            fi
        }
    fi
}

inline wake_the_receiver() {
    atomic {
        if
#ifndef NO_NOTIFY_AT_HAND_OVER
        :: woken < N -> token[woken] = 1
#endif
        :: else
        fi;
        woken = N
    }
}

/* `Exchange::push`. */
inline push(v) {
    atomic { !mutex -> mutex = 1 };
    hand_over(v);
    unlock();
    wake_the_receiver()
}

/* `Exchange::announce_arrivals`: as many senders are woken as receivers have come that are still there. */
inline announce_arrivals() {
#ifndef NO_ANNOUNCEMENT
    if
    :: !wait[S]
    :: else ->
        atomic { count_now = arrivals; arrivals = 0 };
        if
        :: count_now == 0
        :: else ->
            atomic { !locked[R] ->
                if
                :: len(list[R]) < count_now -> count_now = len(list[R])
                :: else
                fi
            };
#ifdef ONE_IS_ANNOUNCED_FOR_ALL
            count_now = (count_now > 1 -> 1 : count_now);
#endif
            if
            :: count_now == 0
            :: else ->
                atomic { !locked[S] -> locked[S] = 1;
                    do
                    :: count_now > 0 && len(list[S]) > 0 ->
                        list[S] ? woken; state[woken] = Notified; batch = batch | (1 << woken);
                        count_now--
                    :: else -> break
                    od
                };
                atomic {
                    if :: empty(list[S]) -> wait[S] = 0 :: nempty(list[S]) fi;
                    locked[S] = 0;
                    woken = NR
                };
                do
                :: atomic { woken < N ->
                        if :: batch & (1 << woken) -> token[woken] = 1 :: else fi;
                        woken++
                    }
                :: atomic { woken == N -> batch = 0; break }
                od
            fi
        fi
    fi;
    count_now = 0
#else
    skip
#endif
}

/* `Exchange::pop`: the oldest message inside, or the oldest offer; else senders are told of the receivers that came. */
inline pop() {
    atomic { !mutex -> mutex = 1;
        if
        :: len(inside) > 0 -> inside ? message; answer = Done; mutex = 0
        :: len(inside) == 0 && closed -> answer = Closed; mutex = 0
        :: len(inside) == 0 && !closed && len(offers) > 0 ->
            offers ? woken, number, message; answer = Done
        :: else -> answer = Blocked; mutex = 0
        fi
    };
    if
    :: answer == Done && woken < N ->
        atomic { taken = number; number = 0; mutex = 0 };
        atomic {
#ifndef NO_UNPARK
            token[woken] = 1;
#endif
            woken = N
        }
    :: answer == Blocked -> announce_arrivals()
    :: else
    fi
}

/* One attempt of this end. A sender that is a thread only comes here to hand over. */
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
    }
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

/* `Exchange::send`: a thread hands over, or leaves an offer in the same critical section, and sleeps until it is taken. */
inline send_as_thread() {
    atomic { !mutex -> mutex = 1 };
    answer = 0;
    hand_over(value);
    if
    :: answer != Blocked -> unlock(); wake_the_receiver()
    :: else ->
#ifdef OFFERED_APART
        unlock();
        atomic { !mutex -> mutex = 1 };
#endif
        atomic { last_offer++; number = last_offer; offers ! me, number, value; unlock() };
        do
        :: taken >= number -> answer = Done; break
        :: atomic { taken < number && closed -> answer = Closed; break }
        :: atomic { taken < number && !closed -> asleep[me] = 1 };
            if
            :: atomic { token[me] -> token[me] = 0; asleep[me] = 0 }
#ifdef LIMITS
            :: atomic { me == NR -> asleep[me] = 0; answer = Blocked }; break
#endif
            fi
        od;
        if
        :: answer == Done
        :: else ->
            if
            :: taken >= number -> answer = Done
            :: else ->
                /* withdraw */
                atomic { !mutex -> mutex = 1;
                    gave_up = (offers ?? [eval(me), eval(number), eval(value)] -> 1 : 0);
                    if
                    :: gave_up -> offers ?? eval(me), eval(number), eval(value)
                    :: !gave_up ->
#ifdef WITHDRAWN_IN_ANY_CASE
                        gave_up = 1;
#endif
                        answer = (gave_up -> Blocked : Done)
                    fi;
                    mutex = 0
                }
            fi
        fi
    fi;
    atomic {
        number = 0;
        if
        :: answer == Done -> book()
        :: else
        fi
    }
}

proctype End(byte me; bit side; bit task; byte count) {
    byte message, value, woken = N, i, number, batch, count_now;
    byte last[NS];
    bit ready, left_notified, in_time, gave_up, first, settled, gone, polled_again, told;
    mtype answer, phase;
    do
    :: i < count && !gone ->
        value = 4 * (me - NR * side) + i;
        if
        :: task -> wait_as_task()
        :: !task && side == R -> wait_as_thread()
        :: else -> send_as_thread()
        fi;
progress:
        atomic {
            if
            :: side == S && !gone && (gave_up || answer == Closed) -> given_back[value] = 1
            :: else
            fi;
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

/* `Exchange::close`, and then `Core::wake_all`. */
proctype Closer() {
    byte woken = N, batch, i, at, a, b;
    atomic { !mutex -> mutex = 1; closed = 1;
        i = len(offers);
        do
        :: i > 0 ->
            offers ? at, a, b; offers ! at, a, b;
#ifndef OFFERS_SLEEP_PAST_A_CLOSE
            token[at] = 1;
#endif
            i--
        :: else -> break
        od;
        at = 0; a = 0; b = 0;
        mutex = 0
    };
    notify_all(R);
    notify_all(S)
}

/* Waits until nothing moves any more. Then nobody may sleep who could go on, and the books must be right. */
init {
    byte i, held_r, held_s, waiting_r, waiting_s;
    bit r_sleeps, s_sleeps;
    atomic {
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
            :: asleep[i] && i < NR -> r_sleeps = 1; waiting_r = waiting_r + (state[i] == Waiting)
            :: asleep[i] && i >= NR -> s_sleeps = 1; waiting_s = waiting_s + (state[i] == Waiting)
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
        assert(!mutex);
        assert(!(told_closed && len(inside) > 0));
        assert(!(r_sleeps && closed));
        assert(!(s_sleeps && closed));
        /* No receiver sleeps beside a message, beside a thread that offers one, or beside a task that would send one. */
        assert(!(r_sleeps && len(inside) > held_r));
        assert(!(waiting_r > 0 && len(offers) > 0));
        assert(!(waiting_s > 0 && waiting_r > held_s));
        assert(sent_count == got_count + len(inside));
        i = 0;
        do
        :: i < 4 * NS ->
            assert(!got[i] || sent[i]);
            assert(!(sent[i] && given_back[i]));
            i++
        :: else -> break
        od;
        /* The flags are set while somebody is in line. */
        assert(empty(list[R]) || wait[R]);
        assert(empty(list[S]) || wait[S])
    };
done:
    skip
}
