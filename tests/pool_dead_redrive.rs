//! Redriving beside the caller: at a rate, as there is room, cancellable, one at a time.

#![expect(clippy::unwrap_used, reason = "a test ends where its premises do not hold")]

mod pool_common;

use millpond::{
    Clock, Context, DeadFilter, DeadFull, JobId, Outcome, Pool, RedriveEnd, StartRedriveError, VirtualClock,
};
use pool_common::{LONG, books, quiet, until};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SECOND: Duration = Duration::from_secs(1);

/// A pool in which every job dies until it is repaired, and what it has done since, with the times.
struct Repairable {
    pool: Pool<u32>,
    time: VirtualClock,
    repaired: Arc<AtomicBool>,
    done: Arc<Mutex<Vec<(u32, SystemTime)>>>,
}

fn repairable(letters: u32, capacity: usize) -> Repairable {
    let time = VirtualClock::new();
    let repaired = Arc::new(AtomicBool::new(false));
    let done = Arc::new(Mutex::new(Vec::new()));
    let pool = Pool::builder()
        .workers(1)
        .capacity(capacity)
        .dead_letters(letters as usize, DeadFull::DropOldest)
        .clock(time.clock())
        .start({
            let (repaired, done, clock): (_, _, Clock) =
                (Arc::clone(&repaired), Arc::clone(&done), time.clock());
            move |job: &u32, _: &Context| {
                if !repaired.load(Ordering::SeqCst) {
                    return Outcome::dead("broken");
                }
                done.lock().unwrap().push((*job, clock.now()));
                Outcome::Done
            }
        })
        .unwrap();
    pool.submit_many((0..letters).collect::<Vec<_>>()).unwrap();
    assert_eq!(quiet(&pool).dead, u64::from(letters));
    repaired.store(true, Ordering::SeqCst);
    Repairable { pool, time, repaired, done }
}

/// 10,000 letters at 50 a second, cancelled half-way: in no window more than the rate allows, none lost, none twice.
#[test]
fn ten_thousand_letters_at_fifty_a_second_cancelled_half_way() {
    const LETTERS: u32 = 10_000;
    const HALF: u64 = 5_000;
    let Repairable { pool, time, done, .. } = repairable(LETTERS, 16_384);
    let redrive = pool.dead().redrive_with(DeadFilter::all()).rate(50.0).start().unwrap();
    until("the first letter is moved at once", || redrive.progress().moved == 1);
    // The clock stands still until all that is due has been moved and done, so that the times below are exact.
    let (mut now, mut opens, mut moved) = (Duration::ZERO, SECOND / 50, 1);
    for number in 0.. {
        assert!(pool.wait_idle(LONG));
        if moved == HALF {
            break;
        }
        // Steps of 1 to 64 ms: some shorter than the distance of two letters, some longer.
        let step = Duration::from_millis(1 + pool_common::random(number, 0) % 64);
        now += step;
        time.advance(step);
        if now >= opens {
            (moved, opens) = (moved + 1, now + SECOND / 50);
            until("a letter is moved", || redrive.progress().moved == moved);
        }
        assert_eq!(redrive.progress().moved, moved, "not earlier, and none to make up for what was missed");
    }
    redrive.cancel();
    assert!(redrive.wait(LONG) && redrive.is_finished());
    let progress = redrive.progress();
    assert_eq!((progress.failed, progress.end), (0, Some(RedriveEnd::Cancelled)));
    assert_eq!(progress.left, u64::from(LETTERS) - HALF);
    assert_eq!(progress.moved, HALF);
    time.advance(SECOND * 3_600);
    let stats = quiet(&pool);
    assert_eq!((stats.redriven, stats.dead, stats.done), (progress.moved, progress.left, progress.moved));

    let done = done.lock().unwrap();
    let times: Vec<Duration> = done.iter().map(|(_, at)| at.duration_since(UNIX_EPOCH).unwrap()).collect();
    assert_eq!(times.len() as u64, HALF);
    let apart = times.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap();
    assert!(apart >= SECOND / 50, "two letters were {apart:?} apart");
    // Sliding windows of a second and of a minute that begin at each letter.
    for window in [SECOND, SECOND * 60] {
        let allowed = window.as_secs() as usize * 50;
        for (first, at) in times.iter().enumerate() {
            let inside = times[first..].iter().take_while(|time| **time < *at + window).count();
            assert!(inside <= allowed, "{inside} letters in {window:?}");
        }
    }
    let mut all: Vec<u32> = done.iter().map(|(job, _)| *job).collect();
    pool.dead().with(|letter| all.push(letter.job));
    all.sort_unstable();
    assert_eq!(all, (0..LETTERS).collect::<Vec<_>>(), "none lost, none twice");
}

/// The oldest first, only those that are meant, and nothing that died later.
#[test]
fn moves_what_was_meant_when_it_began_in_order() {
    let Repairable { pool, time, repaired, done } = repairable(20, 64);
    let even = DeadFilter::all().matching(|letter| letter.job % 2 == 0);
    let redrive = pool.dead().redrive_with(even).rate(1.0).start().unwrap();
    until("the first letter is moved", || redrive.progress().moved == 1);
    quiet(&pool);
    assert_eq!((redrive.progress().left, redrive.progress().end), (9, None));
    // Two more die: the pool has no room for them all, and drops its oldest, number 1, which nobody meant, and then 2, which is.
    repaired.store(false, Ordering::SeqCst);
    pool.submit_many(vec![100, 102, 104]).unwrap();
    quiet(&pool);
    repaired.store(true, Ordering::SeqCst);
    while !redrive.is_finished() {
        time.advance(SECOND);
        std::thread::yield_now();
    }
    let progress = redrive.progress();
    assert_eq!((progress.moved, progress.failed, progress.left), (9, 1, 0));
    assert_eq!(progress.end, Some(RedriveEnd::Finished));
    let stats = quiet(&pool);
    assert_eq!((stats.done, stats.evicted, stats.dead), (9, 2, 12));
    let done: Vec<u32> = done.lock().unwrap().iter().map(|(job, _)| *job).collect();
    assert_eq!(done, [0, 4, 6, 8, 10, 12, 14, 16, 18]);
}

/// A full pool is waited for. Nothing is lost, whatever way the wait ends.
#[test]
fn a_full_pool_is_waited_for() {
    for ending in ["room", "cancel", "shutdown"] {
        let barrier = Arc::new(pool_common::Barrier::default());
        let repaired = Arc::new(AtomicBool::new(false));
        let pool = Pool::builder()
            .workers(1)
            .capacity(3)
            .start({
                let (barrier, repaired) = (Arc::clone(&barrier), Arc::clone(&repaired));
                move |_: &u32, _: &Context| {
                    if !repaired.load(Ordering::SeqCst) {
                        return Outcome::dead("broken");
                    }
                    barrier.pass();
                    Outcome::Done
                }
            })
            .unwrap();
        pool.submit_many((0..50).collect::<Vec<_>>()).unwrap();
        quiet(&pool);
        repaired.store(true, Ordering::SeqCst);
        let redrive = pool.dead().redrive_with(DeadFilter::all()).start().unwrap();
        until("the pool is full", || redrive.progress().moved == 3);
        barrier.wait_for(1);
        assert_eq!((redrive.progress().left, pool.stats().held), (47, 3), "{ending}");
        let end = match ending {
            "room" => RedriveEnd::Finished,
            "cancel" => {
                redrive.cancel();
                RedriveEnd::Cancelled
            }
            _ => RedriveEnd::Closed,
        };
        if end == RedriveEnd::Closed {
            // Nobody lets the job in flight go on before the redrive has heard of the shutdown.
            std::thread::scope(|scope| {
                let shutdown = scope.spawn(|| pool.shutdown(LONG));
                assert!(redrive.wait(LONG), "{ending}");
                barrier.open();
                assert_eq!(shutdown.join().unwrap().released.len(), 0);
            });
        } else if end == RedriveEnd::Cancelled {
            assert!(redrive.wait(LONG), "{ending}");
        }
        barrier.open();
        assert!(redrive.wait(LONG), "{ending}");
        let stats = if end == RedriveEnd::Closed { books(&pool) } else { quiet(&pool) };
        let progress = redrive.progress();
        assert_eq!(progress.end, Some(end));
        let moved = if end == RedriveEnd::Finished { 50 } else { 3 };
        assert_eq!((progress.moved, progress.left, progress.failed), (moved, 50 - moved, 0), "{ending}");
        assert_eq!((stats.done, stats.dead, stats.held), (moved, 50 - moved, 0), "{ending}");
    }
}

/// A redrive that sleeps until its next slot, on a clock that never moves, ends with the pool, and when it is cancelled.
#[test]
fn a_sleeping_redrive_is_woken() {
    let Repairable { pool, .. } = repairable(3, 8);
    let redrive = pool.dead().redrive_with(DeadFilter::all()).rate(0.001).start().unwrap();
    until("the first letter is moved", || redrive.progress().moved == 1);
    assert!(!redrive.wait(Duration::ZERO));
    redrive.cancel();
    assert!(redrive.wait(LONG));
    quiet(&pool);

    let redrive = pool.dead().redrive_with(DeadFilter::all()).rate(0.001).start().unwrap();
    until("the second letter is moved", || redrive.progress().moved == 1);
    drop(pool.shutdown(LONG));
    assert!(redrive.wait(LONG));
    assert_eq!(redrive.progress().end, Some(RedriveEnd::Closed));
    assert_eq!(books(&pool).dead, 1);
    redrive.cancel();
    assert_eq!(redrive.progress().end, Some(RedriveEnd::Closed), "an end is final");
    let late = pool.dead().redrive_with(DeadFilter::all()).start();
    assert!(matches!(late, Err(StartRedriveError::Closed)));
}

#[test]
fn one_at_a_time_and_found_again() {
    let Repairable { pool, time, .. } = repairable(3, 8);
    let dead = pool.dead();
    assert!(dead.redriving().is_none());
    drop(dead.redrive_with(DeadFilter::all()).rate(1.0).start().unwrap());
    // Dropping the handle has not stopped it.
    let redrive = dead.redriving().unwrap();
    until("the first letter is moved", || redrive.progress().moved == 1);
    let second = dead.redrive_with(DeadFilter::all()).start();
    assert!(matches!(second, Err(StartRedriveError::Running)));
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let refused = dead.redrive_with(DeadFilter::all()).rate(bad).start();
        assert!(matches!(refused, Err(StartRedriveError::Rate)), "{bad}");
    }
    while !redrive.is_finished() {
        time.advance(SECOND);
        std::thread::yield_now();
    }
    assert!(redrive.wait(LONG) && dead.redriving().is_none());
    assert_eq!(quiet(&pool).done, 3);
    let nothing = dead.redrive_with(DeadFilter::all()).start().unwrap();
    assert!(nothing.wait(LONG));
    assert_eq!((nothing.progress().moved, nothing.progress().end), (0, Some(RedriveEnd::Finished)));
}

/// A letter that somebody looks at has a second turn, and stays a dead letter if it is looked at still.
#[test]
fn a_letter_on_loan_is_left_alone() {
    let Repairable { pool, .. } = repairable(4, 8);
    let dead = pool.dead();
    let mut redrive = None;
    let first = DeadFilter::all().matching(|letter| letter.job == 3);
    dead.select(first).with(|_| {
        // Selected by number: the filter need not look inside a letter that is on loan.
        let ids: Vec<JobId> = dead.list().iter().map(|info| info.id).collect();
        let started = dead.redrive_with(DeadFilter::all().ids(ids)).start().unwrap();
        assert!(started.wait(LONG));
        redrive = Some(started);
    });
    let progress = redrive.unwrap().progress();
    assert_eq!(
        (progress.moved, progress.failed, progress.left),
        (3, 0, 0),
        "it was not here when the redrive began"
    );
    assert_eq!(quiet(&pool).dead, 1);

    // Lent after the redrive began, and kept: it had its turns.
    let Repairable { pool, time, .. } = repairable(2, 8);
    let dead = pool.dead();
    let redrive = dead.redrive_with(DeadFilter::all()).rate(1.0).start().unwrap();
    until("the first letter is moved", || redrive.progress().moved == 1);
    dead.with(|_| {
        time.advance(SECOND);
        assert!(redrive.wait(LONG));
    });
    let progress = redrive.progress();
    assert_eq!((progress.moved, progress.failed, progress.left), (1, 1, 0));
    assert_eq!(quiet(&pool).dead, 1);
}

/// Redrives of the same letters from all sides at once: each job is done once.
#[test]
fn rivals_for_the_same_letters() {
    let Repairable { pool, done, .. } = repairable(2_000, 64);
    let redrive = pool.dead().redrive_with(DeadFilter::all()).start().unwrap();
    std::thread::scope(|scope| {
        for part in 0..2 {
            let dead = pool.dead();
            scope.spawn(move || {
                while !dead.is_empty() {
                    let _ = dead
                        .select(DeadFilter::all().matching(move |letter| letter.job % 2 == part))
                        .redrive();
                    std::thread::yield_now();
                }
            });
        }
    });
    assert!(redrive.wait(LONG));
    let progress = redrive.progress();
    assert_eq!(progress.moved + progress.failed, 2_000);
    assert_eq!(quiet(&pool).redriven, 2_000);
    let mut jobs: Vec<u32> = done.lock().unwrap().iter().map(|(job, _)| *job).collect();
    jobs.sort_unstable();
    assert_eq!(jobs, (0..2_000).collect::<Vec<_>>());
}
