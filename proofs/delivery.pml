/*
 * The fenced settle of a delivery: `src/queue/seat.rs`, `settle.rs`, `take.rs` and `tend.rs`, step by step.
 *
 * Each statement that is not inside an `atomic` is one access to shared memory. README.md says which rule stands for which
 * function, and what is checked.
 *
 * Shape: JOBS jobs, WORKERS workers with a seat each. LEASED puts deliveries under a lease, which the timer may find run out
 * at any moment (LOSSES times at most); RETIRE has it take the seat away, too. CUT adds a shutdown that runs out of time.
 * A handler may end in Done or Retry, and ask for more time before that.
 */
#ifndef JOBS
#define JOBS 2
#endif
#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef LOSSES
#define LOSSES 1
#endif

#ifndef RETRIES
#define RETRIES 1
#endif

#define NONE 0

/* The word of a seat: number of the job, and two flags. One access reads or changes all three. */
byte in_hand[WORKERS];
bit lost[WORKERS];
bit cut[WORKERS];
/* The envelope under a lease, and the lock around it. */
byte leased[WORKERS];
bit locked[WORKERS];
bit extended[WORKERS];

chan ready = [JOBS + 2] of { byte, byte };              /* job, number of the delivery */
byte delivery[WORKERS];                                 /* of what is in hand; goes with the envelope */

/* The books. */
byte completed[JOBS + 1];
byte cut_off[JOBS + 1];
byte acked, late, retried, lost_leases;
byte in_flight_at[JOBS + 1];                            /* envelopes of a job that somebody owns */
bit stopped;

/* `Seat::take_up`. */
inline take_up() {
    atomic {
        in_hand[me] = job;
        ours = !cut[me];
#ifdef TAKEN_AT_A_CUT_SEAT
        ours = 1;
#endif
        if
        :: !ours -> in_hand[me] = NONE
        :: else
        fi
    }
}

/* `Seat::lay_down`: in time, unless it was taken away. */
inline lay_down() {
    atomic {
        in_time = !(cut[me] || lost[me]);
        in_hand[me] = NONE;
#ifdef NO_WORD
        in_time = 1;
#endif
#ifndef LOST_STAYS
        lost[me] = 0
#endif
    }
}

/* A job is in one place only. */
inline owned(j) {
    in_flight_at[j]++;
    assert(in_flight_at[j] == 1)
}

inline let_go(j) {
    assert(in_flight_at[j] == 1);
    in_flight_at[j]--
}

proctype Worker(byte me) {
    byte job, number, mine;
    bit ours, in_time, again;
    do
    :: atomic { nempty(ready) && !cut[me] -> ready ? job, number; owned(job) };
        /* take_up_leased, or take_up */
#ifdef LEASED
        atomic { !locked[me] -> locked[me] = 1 };
        take_up();
        atomic {
            if
            :: ours -> leased[me] = job; delivery[me] = number; let_go(job)
            :: else
            fi;
            locked[me] = 0
        };
#else
        take_up();
#endif
        if
        :: !ours ->
            /* release: back to the ready ones */
            atomic { let_go(job); ready ! job, number; job = NONE; number = 0; break }
        :: else
        fi;
        /* The handler. It may ask for more time: `Hold::extend`. */
#ifdef LEASED
        if
        :: true ->
            atomic { !locked[me] ->
                if
                :: leased[me] == job -> extended[me] = 1
                :: else ->
#ifdef EXTENDS_WHAT_IS_LOST
                    extended[me] = 1;
                    assert(leased[me] == job)
#else
                    /* LeaseLost: what it did counts no more, and it knows. */
                    assert(lost[me] || cut[me])
#endif
                fi
            }
        :: true
        fi;
#endif
        if
        :: again = 0
        :: retried < RETRIES -> again = 1
        fi;
        /* `Queue::settle` */
#ifdef LEASED
        /* reclaim: who takes the envelope out, under the lock, owns it */
#ifdef NO_FENCE
        mine = job;
        atomic { leased[me] = NONE; in_flight_at[job]++ };
#else
        atomic { !locked[me] -> mine = leased[me]; leased[me] = NONE; extended[me] = 0;
            if
            :: mine != NONE -> owned(mine)
            :: else
            fi
        };
#endif
        if
        :: mine == NONE ->
            lay_down();
            atomic { assert(!in_time); late++ }
        :: else ->
#else
            mine = job;
#endif
            lay_down();
            if
            :: in_time && !again -> atomic { let_go(mine); completed[mine]++; acked++; assert(completed[mine] == 1) }
            :: in_time && again -> atomic { let_go(mine); retried++; ready ! mine, number }
            /* Late: the shutdown has it on its list already. */
            :: !in_time -> atomic { let_go(mine); late++ }
            fi
#ifdef LEASED
        fi;
#endif
        ;
        atomic { job = NONE; number = 0; mine = NONE; again = 0; ours = 0; in_time = 0 }
    :: atomic { cut[me] || (stopped && empty(ready)) -> break }
    od
}

#ifdef LEASED
/* `Seat::review` at the moment at which a lease has run out, and `lease_lost`. */
proctype Timer() {
    byte seat, job, number, losses;
    do
    :: losses < LOSSES ->
        if
        :: seat = 0
        :: WORKERS > 1 -> seat = WORKERS - 1
        fi;
#ifdef REVIEW_WITHOUT_THE_LOCK
        job = leased[seat];
        if
        :: job == NONE
        :: else ->
            number = delivery[seat];
            atomic { lost[seat] = 1; leased[seat] = NONE };
            atomic { owned(job) };
        fi;
#else
        atomic { !locked[seat] -> locked[seat] = 1; job = leased[seat]; number = delivery[seat] };
        if
        :: job == NONE -> locked[seat] = 0
        :: else ->
#ifndef NO_LOST_FLAG
            atomic {
                lost[seat] = 1;
#ifdef RETIRE
                cut[seat] = 1
#endif
            };
#endif
            atomic {
#ifndef ENVELOPE_STAYS
                leased[seat] = NONE;
#endif
                extended[seat] = 0; owned(job); locked[seat] = 0 }
        fi;
#endif
        if
        :: job != NONE ->
            atomic { lost_leases++; let_go(job); ready ! job, number + 1 }
        :: else
        fi;
        atomic { losses++; job = NONE; number = 0; seat = 0 }
    :: true -> break
    od
}
#endif

#ifdef CUT
/* `Seats::cut`, and what the shutdown reports. */
proctype Shutdown() {
    byte seat, job;
    bit ours;
    do
    :: seat < WORKERS ->
#ifdef LEASED
        atomic { !locked[seat] -> locked[seat] = 1; job = leased[seat];
#ifndef CUT_LEAVES_THE_ENVELOPE
            leased[seat] = NONE
#endif
        };
#endif
        atomic {
            ours = !(cut[seat] || lost[seat]) && in_hand[seat] != NONE;
#ifdef CUT_TWICE
            ours = in_hand[seat] != NONE;
#endif
            job = in_hand[seat];
            cut[seat] = 1;
            if
            :: ours -> cut_off[job]++; assert(cut_off[job] == 1)
            :: else
            fi
#ifdef LEASED
            ; locked[seat] = 0
#endif
        };
        seat++
    :: else -> break
    od
}
#endif

/* When nothing moves any more, each job is somewhere, once. */
init {
    byte i, count, number, waits;
    atomic {
        i = 0;
        do
        :: i < JOBS -> i++; ready ! i, 1
        :: else -> break
        od;
        i = 0;
        do
        :: i < WORKERS -> run Worker(i); i++
        :: else -> break
        od;
#ifdef LEASED
        run Timer();
#endif
#ifdef CUT
        run Shutdown()
#endif
    };
    timeout;
    stopped = 1;
    timeout;
    atomic {
        waits = len(ready);
        i = 1;
        do
        :: i <= JOBS ->
            /* Done once, or cut off once, or ready. A job that was cut off is not done as well. */
            assert(completed[i] + cut_off[i] <= 1);
            assert(in_flight_at[i] == 0);
            count = count + completed[i] + cut_off[i];
            i++
        :: else -> break
        od;
        assert(count + waits == JOBS);
        assert(acked <= count);
        /* A seat that is empty says so, and nothing lies in it. */
        i = 0;
        do
        :: i < WORKERS -> assert(in_hand[i] == NONE); assert(leased[i] == NONE); assert(!lost[i]); i++
        :: else -> break
        od
    };
done:
    skip
}
