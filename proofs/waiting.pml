/*
 * Waiting and waking, cancelling and forgetting: `src/wait`, step by step, for threads and tasks. Included by the models of what can
 * be waited for, which say how many processes there are (N), what the first of the second side is (NR), what an attempt is
 * (`attempt`), and what is set while somebody waits (`arm_and_unlock`) and taken back when nobody does (`disarm`).
 */
#define R 0
#define S 1

mtype = { Idle, Waiting, Notified };                    /* a waiter's state */
mtype = { Done, Blocked, Busy, Closed };                /* what an attempt brings */
mtype = { Free, Unsettled, BlockedFor, Holding };       /* a future's phase */

/* The wait sets. */
chan list[2] = [N] of { byte };
bit locked[2];
mtype state[N] = Idle;
bit token[N];
/* In its last sleep, for the check at the end. */
bit asleep[N];
bit forgotten[N];

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
    atomic { if :: ready -> disarm(side) :: else fi; ready = 0 };
#else
    atomic {
        if
#ifdef CLEAR_EARLY
        :: true -> disarm(side)
#else
        :: empty(list[side]) -> disarm(side)
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
        if :: empty(list[side]) -> disarm(side) :: nempty(list[side]) fi;
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

/* `WaitSet::join`: under the lock link the waiter and set WAIT. */
inline join() {
#ifdef ARM_BEFORE_LINK
    arm(side);
    atomic { !locked[side] -> list[side] ! me; state[me] = Waiting }
#else
    atomic { !locked[side] -> locked[side] = 1; list[side] ! me; state[me] = Waiting };
#ifdef NO_ARM
    locked[side] = 0
#else
    arm_and_unlock(side)
#endif
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
            :: empty(list[side]) -> disarm(side)
            :: nempty(list[side])
            fi;
            locked[side] = 0
        }
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

