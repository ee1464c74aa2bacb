/*
 * Waiting, waking, cancelling and closing of a channel for many: `src/ring/many.rs` and `src/wait`, step by step.
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
#define R 0
#define S 1

mtype = { Idle, Waiting, Notified };                    /* a waiter's state */
mtype = { Done, Blocked, Busy, Closed };                /* what an attempt brings */
mtype = { Free, Unsettled, BlockedFor, Holding };       /* a future's phase */

/* The ring. `tail` carries wait[R] and closed, `head` carries wait[S]: a CAS compares the whole word. */
byte tail, head;
bit wait[2];
bit closed;
byte stamp[CAP];
byte slot[CAP];

/* The wait sets. */
chan list[2] = [N] of { byte };
bit locked[2];
mtype state[N] = Idle;
bit token[N];
/* In its last sleep, for the check at the end. */
bit asleep[N];
bit forgotten[N];

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

/* `WaitSet::notify(1)`: under the lock take the first waiter out, mark it, clear WAIT if nobody is left; wake it outside. */
inline notify(side) {
#ifndef NO_NOTIFY
    atomic { !locked[side] -> locked[side] = 1;
        if
#ifdef COALESCE
        /* "Somebody has been notified already": the wake-up is not given to another. */
        :: state[0] == Notified && side == R
        :: (state[0] != Notified || side == S) && nempty(list[side]) ->
#else
        :: nempty(list[side]) ->
#endif
            list[side] ? woken; state[woken] = Notified
        :: empty(list[side])
        fi
    };
#ifdef CLEAR_OUTSIDE
    atomic { ready = empty(list[side]); locked[side] = 0 };
    atomic { if :: ready -> wait[side] = 0 :: else fi; ready = 0 };
#else
    atomic {
        if
#ifdef CLEAR_EARLY
        :: true -> wait[side] = 0
#else
        :: empty(list[side]) -> wait[side] = 0
        :: nempty(list[side])
#endif
        fi;
        locked[side] = 0
    };
#endif
    atomic {
        if :: woken < N -> token[woken] = 1 :: else fi;
        woken = N
    }
#else
    skip
#endif
}

/* `WaitSet::notify_all`, as `close` calls it. */
inline notify_all(side) {
    atomic { !locked[side] -> locked[side] = 1;
        do
        :: nempty(list[side]) ->
            list[side] ? woken; state[woken] = Notified; batch = batch | (1 << woken);
#ifdef CLOSE_WAKES_ONE
            break
#endif
        :: empty(list[side]) -> break
        od
    };
    atomic {
        if :: empty(list[side]) -> wait[side] = 0 :: nempty(list[side]) fi;
        locked[side] = 0;
        woken = 0
    };
    do
    :: atomic { woken < N ->
            if :: batch & (1 << woken) -> token[woken] = 1 :: else fi;
            woken++
        }
    :: atomic { woken == N -> batch = 0; break }
    od
}

/*
 * `WaitSet::join`: under the lock link the waiter and set WAIT. What arming tells a task (`told`) comes of the word that WAIT is set in
 * and an older look at the other cursor. An arm may also say nothing, as those of the rings with bells partly do.
 */
inline join() {
#ifdef ARM_BEFORE_LINK
    wait[side] = 1;
    atomic { !locked[side] -> list[side] ! me; state[me] = Waiting }
#else
    atomic { !locked[side] -> locked[side] = 1; list[side] ! me; state[me] = Waiting };
    atomic {
        if
        :: side == R -> at = head
        :: else -> at = tail; flag = closed
        fi
    };
    atomic {
#ifndef NO_ARM
        wait[side] = 1;
#endif
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
#endif
}

/* `WaitSet::leave`: sets `left_notified` if a notifier was first. */
inline leave() {
    atomic {
        if
        :: state[me] == Notified -> left_notified = 1; state[me] = Idle
        :: else -> left_notified = 0
        fi
    };
    if
    :: left_notified
    :: else ->
        atomic { !locked[side] -> locked[side] = 1;
            if
            :: state[me] == Notified ->
#ifndef NO_SECOND_LOOK
                left_notified = 1;
#endif
                skip
            :: else -> list[side] ?? eval(me)
            fi;
            state[me] = Idle
        };
        atomic {
            if
            :: empty(list[side]) -> wait[side] = 0
            :: nempty(list[side])
            fi;
            locked[side] = 0
        }
    fi
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

/* The wait of a thread: `block_on`, `park`, `Registration`. */
inline wait_as_thread() {
    attempt();
    do
    :: answer == Done || answer == Closed -> break
    :: else ->
        join();
#ifdef NO_RECHECK
        answer = Blocked;
#else
        /* attempt_until_blocked */
        do
        :: attempt();
            if
#ifdef PARK_ON_BUSY
            :: answer == Busy -> answer = Blocked; break
#else
            :: answer == Busy -> skip
#endif
            :: else -> break
            fi
        od;
#endif
        if
        :: answer != Blocked ->
            leave();
            if
#ifdef NO_FORWARD_SUCCESS
            :: left_notified -> skip
#else
            :: left_notified -> notify(side)
#endif
            :: else
            fi;
            break
        :: else
        fi;
        /* rest */
        in_time = 1;
        do
        :: state[me] == Notified -> break
        :: state[me] != Notified ->
            asleep[me] = 1;
            if
            :: atomic { token[me] -> token[me] = 0; asleep[me] = 0 }
#ifdef LIMITS
            :: atomic { me == 0 || me == NR -> in_time = 0; asleep[me] = 0 }; break
#endif
            fi
        od;
        if
        :: in_time -> state[me] = Idle; attempt()
        :: else ->
            /* time_out */
            leave();
            answer = Blocked;
            if
#ifndef NO_FORWARD_LIMIT
            :: left_notified ->
                do
                :: attempt();
                    if
                    :: answer == Busy -> skip
                    :: else -> break
                    fi
                od
#endif
            :: else
            fi;
            if
            :: answer == Blocked -> gave_up = 1; break
            :: else
            fi
        fi
    od
}

/* The wait of a task: `Waiting::poll` and its drop. */
inline wait_as_task() {
    phase = Free;
    do
    :: /* poll */
        settled = 0;
        answer = Blocked;
        first = 0;
        if
        :: phase == Free -> attempt(); first = 1
        :: else
        fi;
        if
        :: answer == Done || answer == Closed -> break
        :: else
        fi;
        /* Was it notified? */
        if
        :: phase == Unsettled || phase == BlockedFor ->
            if
            :: state[me] == Notified ->
                if
#ifndef UNSETTLED_USES_IT
                :: phase == Unsettled ->
                    phase = Free; state[me] = Idle;
                    notify(side)
#endif
                :: else -> phase = Holding; state[me] = Idle
                fi
            :: else ->
                if
                :: phase == BlockedFor -> settled = 1
                :: else
                fi
            fi
        :: else
        fi;
        do
        :: settled -> break
        :: else ->
            if
            :: first && answer != Busy -> first = 0
            :: else -> first = 0; attempt()
            fi;
            if
#ifdef BUSY_USES_IT
            :: phase == Holding -> phase = Free
#else
            :: phase == Holding && answer != Busy -> phase = Free
#endif
            :: else
            fi;
            if
            :: answer == Done || answer == Closed -> settled = 1; give_up()
            :: answer == Busy ->
#ifndef SLEEP_ON_BUSY
                token[me] = 1;
#endif
                settled = 1
            :: answer == Blocked && phase == Free -> join();
                if
                :: told -> phase = BlockedFor; settled = 1
                :: else -> phase = Unsettled
                fi
            :: answer == Blocked && phase != Free -> phase = BlockedFor; settled = 1
            fi
        od;
        if
        :: answer == Done || answer == Closed -> break
        :: else
        fi;
        /* Pending. */
        asleep[me] = 1;
        if
        :: atomic { token[me] -> token[me] = 0; asleep[me] = 0 }
#ifdef REPOLL
        :: atomic { !polled_again -> polled_again = 1; asleep[me] = 0 }
#endif
#ifdef CANCEL
        :: atomic { asleep[me] = 0; gave_up = 1 }; give_up(); break
#endif
#ifdef FORGET
        :: atomic { me == 0 -> forgotten[me] = 1; asleep[me] = 0 }; gone = 1; break
#endif
        fi
    od
}

/* `Waiting::leave`: out of the list, and a wake-up that was given goes on. */
inline give_up() {
    left_notified = 0;
    if
    :: phase == Holding -> left_notified = 1
    :: phase == Unsettled || phase == BlockedFor -> leave()
    :: else
    fi;
    phase = Free;
    if
#ifdef NO_FORWARD_DROP
    :: left_notified -> skip
#else
    :: left_notified -> notify(side)
#endif
    :: else
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
