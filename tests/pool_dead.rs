//! Dead letters: what they keep, what may be done with them, and what happens when there are too many.

#![expect(clippy::unwrap_used, reason = "a test ends where its premises do not hold")]

mod pool_common;

use millpond::{
    Context, DeadFull, DeadReason, FailureKind, JobId, Outcome, Pool, RedriveError, RetryPolicy, VirtualClock,
};
use pool_common::{LONG, books, quiet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

const SECOND: Duration = Duration::from_secs(1);

/// A pool with one worker in which every job dies at once, until it is repaired.
fn deadly(capacity: usize, when_full: DeadFull) -> (Pool<u32>, Arc<AtomicBool>) {
    let repaired = Arc::new(AtomicBool::new(false));
    let pool = Pool::builder()
        .workers(1)
        .dead_letters(capacity, when_full)
        .start({
            let repaired = Arc::clone(&repaired);
            move |job: &u32, _: &Context| match repaired.load(Ordering::SeqCst) {
                true => Outcome::Done,
                false => Outcome::dead(format!("job {job} is broken")),
            }
        })
        .unwrap();
    (pool, repaired)
}

fn jobs(pool: &Pool<u32>) -> Vec<u32> {
    let mut jobs = Vec::new();
    pool.dead().with(|letter| jobs.push(letter.job));
    jobs
}

#[test]
fn a_letter_keeps_the_job_the_reason_and_every_attempt() {
    let time = VirtualClock::new();
    let pool = Pool::builder()
        .workers(1)
        .clock(time.clock())
        .retry(RetryPolicy::fixed(SECOND).max_attempts(3))
        .start(|_: &String, cx: &Context| match cx.attempt() {
            1 => Outcome::retry(std::io::Error::other("disk")),
            2 => panic!("lost my head"),
            _ => Outcome::retry("at last"),
        })
        .unwrap();
    let id = pool.submit("invoice".to_owned()).unwrap();
    for _ in 0..3 {
        quiet(&pool);
        time.advance(SECOND);
    }
    let info = pool.dead().list().pop().unwrap();
    assert_eq!((info.id, info.reason, info.attempts), (id, DeadReason::Attempts, 3));
    assert_eq!((info.error.as_str(), info.kind), ("at last", FailureKind::Error));

    let letter = pool.dead().take(id).unwrap();
    assert_eq!((letter.job.as_str(), letter.id, letter.reason), ("invoice", id, DeadReason::Attempts));
    let attempts: Vec<_> = letter
        .attempts
        .iter()
        .map(|record| {
            (record.attempt, record.at.duration_since(UNIX_EPOCH).unwrap(), record.failure.to_string())
        })
        .collect();
    let expected = [(1, Duration::ZERO, "disk"), (2, SECOND, "lost my head"), (3, SECOND * 2, "at last")];
    assert_eq!(attempts, expected.map(|(attempt, at, text)| (attempt, at, text.to_owned())));
    assert!(letter.attempts.iter().all(|record| record.worker == Some(0)), "{letter:?}");
    assert!(letter.attempts[0].failure.is::<std::io::Error>());
    assert_eq!(letter.attempts[1].failure.kind(), FailureKind::Panic);
    assert_eq!((letter.enqueued_at, letter.died_at), (UNIX_EPOCH, UNIX_EPOCH + SECOND * 2));
    assert!(format!("{letter:?}").contains("at last"));
    assert_eq!(books(&pool).taken, 1);
}

#[test]
fn full_drops_the_oldest_or_the_newest() {
    for (when_full, kept) in [(DeadFull::DropOldest, [4, 5, 6]), (DeadFull::DropNewest, [1, 2, 3])] {
        let (pool, _) = deadly(3, when_full);
        pool.submit_many((1..=6).collect::<Vec<_>>()).unwrap();
        let stats = quiet(&pool);
        assert_eq!((stats.dead, stats.evicted, stats.dropped), (3, 3, 3), "{when_full:?}");
        assert_eq!(jobs(&pool), kept, "{when_full:?}");
    }
}

#[test]
fn no_room_at_all_drops_every_letter() {
    for when_full in [DeadFull::DropOldest, DeadFull::DropNewest] {
        let (pool, _) = deadly(0, when_full);
        pool.submit_many(vec![1, 2]).unwrap();
        let stats = quiet(&pool);
        assert_eq!((stats.dead, stats.evicted), (0, 2));
    }
}

#[test]
fn a_redriven_job_starts_anew_and_may_die_again() {
    let time = VirtualClock::new();
    let pool = Pool::builder()
        .workers(1)
        .clock(time.clock())
        .retry(RetryPolicy::fixed(Duration::ZERO).max_attempts(2))
        .start(|_: &(), cx: &Context| {
            assert_eq!((cx.attempt(), cx.enqueued_at()), (cx.deliveries(), UNIX_EPOCH));
            Err::<(), _>("again")
        })
        .unwrap();
    let id = pool.submit(()).unwrap();
    for round in 1..=3 {
        let stats = quiet(&pool);
        assert_eq!((stats.dead, stats.died, stats.redriven, stats.submitted), (1, round, round - 1, 1));
        let letters = pool.dead().list();
        assert_eq!((letters[0].id, letters[0].attempts), (id, 2));
        time.advance(SECOND);
        pool.dead().redrive(id).unwrap();
    }
    assert_eq!(quiet(&pool).dead, 1);
}

#[test]
fn redriving_repaired_jobs_gets_them_done() {
    let (pool, repaired) = deadly(10, DeadFull::DropOldest);
    let ids = pool.submit_many(vec![1, 2, 3, 4]).unwrap();
    quiet(&pool);
    repaired.store(true, Ordering::SeqCst);
    pool.dead().redrive(ids[2]).unwrap();
    assert_eq!(quiet(&pool).done, 1);
    assert_eq!(jobs(&pool), [1, 2, 4]);
    assert_eq!(pool.dead().redrive(ids[2]), Err(RedriveError::NotFound));
    assert_eq!(pool.dead().redrive_all(), Ok(3));
    assert_eq!(pool.dead().redrive_all(), Ok(0));
    let stats = quiet(&pool);
    assert_eq!((stats.done, stats.dead, stats.redriven, stats.submitted), (4, 0, 4, 4));
}

#[test]
fn a_redrive_that_is_refused_leaves_the_letter_where_it_was() {
    let barrier = Arc::new(pool_common::Barrier::default());
    let pool = Pool::builder()
        .workers(1)
        .capacity(2)
        .start({
            let barrier = Arc::clone(&barrier);
            move |job: &u32, _: &Context| {
                if *job == 0 {
                    barrier.pass();
                    return Outcome::Done;
                }
                Outcome::dead("broken")
            }
        })
        .unwrap();
    let ids = pool.submit_many(vec![1, 2, 3]).unwrap();
    quiet(&pool);
    pool.submit(0).unwrap();
    barrier.wait_for(1);
    // One place is left: one of three moves, and dies again behind the job that is in flight.
    let error = pool.dead().redrive_all().unwrap_err();
    assert_eq!((error.moved, error.reason), (1, RedriveError::Full));
    assert_eq!(pool.dead().redrive(ids[1]), Err(RedriveError::Full));
    assert_eq!(jobs(&pool), [2, 3]);
    barrier.open();
    quiet(&pool);
    assert_eq!(jobs(&pool), [2, 3, 1]);

    drop(pool.shutdown(LONG));
    assert_eq!(pool.dead().redrive(ids[1]), Err(RedriveError::Closed));
    let error = pool.dead().redrive_all().unwrap_err();
    assert_eq!((error.moved, error.reason), (0, RedriveError::Closed));
    assert_eq!(jobs(&pool), [2, 3, 1], "the letters are within reach after the shutdown");
    assert_eq!(books(&pool).dead, 3);
}

#[test]
fn purging_and_taking_are_counted() {
    let (pool, _) = deadly(10, DeadFull::DropOldest);
    let ids = pool.submit_many((0..6).collect::<Vec<_>>()).unwrap();
    quiet(&pool);
    let dead = pool.dead();
    assert!(dead.purge(ids[0]) && !dead.purge(ids[0]));
    assert_eq!(dead.take(ids[1]).unwrap().job, 1);
    assert!(dead.take(ids[1]).is_none());
    assert_eq!((dead.len(), dead.is_empty()), (4, false));
    assert_eq!(dead.clone().take_all().iter().map(|letter| letter.job).collect::<Vec<_>>(), [2, 3, 4, 5]);
    assert_eq!(dead.purge_all(), 0);
    pool.submit(6).unwrap();
    quiet(&pool);
    assert_eq!((dead.purge_all(), dead.is_empty()), (1, true));
    let stats = books(&pool);
    assert_eq!((stats.purged, stats.taken, stats.dropped, stats.submitted), (2, 5, 7, 7));
}

/// A letter that is being looked at is lent: others leave it alone, and a closure that panics gives it back.
#[test]
fn looking_at_a_letter_locks_nobody_out() {
    let (pool, _) = deadly(2, DeadFull::DropOldest);
    let ids = pool.submit_many(vec![1, 2]).unwrap();
    quiet(&pool);
    let dead = pool.dead();
    let mut seen = Vec::new();
    dead.with(|letter| {
        seen.push(letter.job);
        assert_eq!(dead.redrive(letter.id), Err(RedriveError::InUse));
        assert!(dead.take(letter.id).is_none() && !dead.purge(letter.id));
        assert_eq!(dead.list().len(), 2, "it is described all the same");
        if letter.job == 1 {
            // The pool goes on: job 3 dies, and evicts the oldest letter that is here.
            pool.submit(3).unwrap();
            quiet(&pool);
        }
    });
    assert_eq!(seen, [1], "2 was evicted meanwhile, and 3 came after the call began");
    assert_eq!(jobs(&pool), [1, 3]);

    let looked =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| dead.with(|_| panic!("seen enough"))));
    assert!(looked.is_err());
    assert_eq!(dead.take(ids[0]).unwrap().job, 1, "the letter is back");
    books(&pool);
}

/// If every letter is on loan, the newest gives way instead of the oldest.
#[test]
fn nothing_on_loan_is_evicted() {
    let (pool, _) = deadly(1, DeadFull::DropOldest);
    pool.submit(1).unwrap();
    quiet(&pool);
    pool.dead().with(|letter| {
        assert_eq!(letter.job, 1);
        pool.submit(2).unwrap();
        assert_eq!(quiet(&pool).evicted, 1);
    });
    assert_eq!(jobs(&pool), [1]);
}

/// Readers, redrivers, purgers and takers at once, while jobs die: nothing is lost and nothing twice.
#[test]
fn everybody_at_once() {
    pool_common::hush("morgue");
    let runs = Arc::new(AtomicUsize::new(0));
    let pool = Pool::builder()
        .name("morgue")
        .workers(2)
        .capacity(64)
        .dead_letters(32, DeadFull::DropOldest)
        .start({
            let runs = Arc::clone(&runs);
            move |job: &u32, _: &Context| {
                runs.fetch_add(1, Ordering::SeqCst);
                if job % 3 == 0 { Outcome::Done } else { Outcome::dead("broken") }
            }
        })
        .unwrap();
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let dead = pool.dead();
        let care = |act: fn(&millpond::DeadLetters<u32>, JobId)| {
            let (dead, ended) = (dead.clone(), &ended);
            scope.spawn(move || {
                while !ended.load(Ordering::SeqCst) {
                    dead.list().into_iter().step_by(3).for_each(|info| act(&dead, info.id));
                    std::thread::yield_now();
                }
            })
        };
        care(|dead, id| drop(dead.take(id)));
        care(|dead, id| assert_ne!(dead.redrive(id), Err(RedriveError::Closed)));
        care(|dead, id| {
            dead.purge(id);
        });
        care(|dead, _| dead.with(|letter| assert_ne!(letter.job % 3, 0)));
        for number in 0..6_000 {
            pool.submit(number).unwrap();
        }
        ended.store(true, Ordering::SeqCst);
    });
    let stats = quiet(&pool);
    assert_eq!((stats.submitted, stats.done), (6_000, 2_000));
    assert_eq!(runs.load(Ordering::SeqCst) as u64, stats.done + stats.died);
}
