//! Looking after dead letters: filters, mending, limits of age, alarms, and the memory of earlier deaths.

#![expect(clippy::unwrap_used, reason = "a test ends where its premises do not hold")]

mod pool_common;

use millpond::{
    Context, DeadFilter, DeadFull, DeadReason, FailureKind, JobId, LetterError, Outcome, Pool, PoolBuilder,
    RedriveAllError, RedriveError, RetryPolicy, VirtualClock,
};
use pool_common::{LONG, books, quiet, until};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

const SECOND: Duration = Duration::from_secs(1);

/// A pool with one worker whose jobs die by their number: 0 is rejected, 1 fails twice, 2 panics twice, more are done.
fn mixed(builder: PoolBuilder) -> (Pool<u32>, VirtualClock) {
    let time = VirtualClock::new();
    pool_common::hush("care");
    let pool = builder
        .name("care")
        .workers(1)
        .clock(time.clock())
        .retry(RetryPolicy::fixed(Duration::ZERO).max_attempts(2))
        .start(|job: &u32, _: &Context| match job % 10 {
            0 => Outcome::dead(format!("job {job} is malformed")),
            1 => Outcome::retry(format!("job {job} timed out")),
            2 => panic!("job {job} fell over"),
            _ => Outcome::Done,
        })
        .unwrap();
    (pool, time)
}

/// Three letters of each kind: one a second, at seconds 0 to 8.
fn nine() -> (Pool<u32>, VirtualClock, Vec<JobId>) {
    let (pool, time) = mixed(Pool::builder());
    let ids = [0, 1, 2, 10, 11, 12, 20, 21, 22].map(|job| {
        let id = pool.submit(job).unwrap();
        quiet(&pool);
        time.advance(SECOND);
        id
    });
    (pool, time, ids.to_vec())
}

fn jobs(pool: &Pool<u32>, filter: DeadFilter<u32>) -> Vec<u32> {
    let mut jobs = Vec::new();
    pool.dead().select(filter).with(|letter| jobs.push(letter.job));
    jobs
}

#[test]
fn each_filter_selects_what_it_means() {
    let (pool, _, ids) = nine();
    let all = DeadFilter::all;
    assert_eq!(jobs(&pool, all()), [0, 1, 2, 10, 11, 12, 20, 21, 22]);
    assert_eq!(jobs(&pool, all().reason(DeadReason::Rejected)), [0, 10, 20]);
    assert_eq!(jobs(&pool, all().reason(DeadReason::Attempts)), [1, 11, 21]);
    assert_eq!(jobs(&pool, all().reason(DeadReason::Panic)), [2, 12, 22]);
    assert_eq!(jobs(&pool, all().kind(FailureKind::Panic)), [2, 12, 22]);
    assert_eq!(jobs(&pool, all().error_contains("timed out").error_contains("22")), [1, 11, 21, 22]);
    assert_eq!(jobs(&pool, all().since(UNIX_EPOCH + SECOND * 7)), [21, 22]);
    assert_eq!(jobs(&pool, all().until(UNIX_EPOCH + SECOND * 2)), [0, 1]);
    assert_eq!(jobs(&pool, all().ids([ids[8], ids[4]])), [11, 22]);
    let even_and_late = all().matching(|letter| letter.job % 2 == 0).since(UNIX_EPOCH + SECOND * 3);
    assert_eq!(jobs(&pool, even_and_late), [10, 12, 20, 22]);
    let composed = all()
        .reason(DeadReason::Attempts)
        .reason(DeadReason::Panic)
        .matching(|letter| letter.attempts.len() == 2)
        .matching(|letter| letter.job > 10);
    let described: Vec<_> = pool.dead().select(composed).list().iter().map(|info| info.id).collect();
    assert_eq!(described, [ids[4], ids[5], ids[7], ids[8]]);
    books(&pool);
}

#[test]
fn purging_taking_and_redriving_keep_to_the_filter() {
    let (pool, _, _) = nine();
    let dead = pool.dead();
    assert_eq!(dead.select(DeadFilter::all().kind(FailureKind::Panic)).purge(), 3);
    let taken = dead.select(DeadFilter::all().matching(|letter| letter.job == 11)).take();
    assert_eq!((taken.len(), taken[0].job, taken[0].reason), (1, 11, DeadReason::Attempts));
    assert_eq!(dead.select(DeadFilter::all().reason(DeadReason::Rejected)).redrive(), Ok(3));
    let stats = quiet(&pool);
    assert_eq!((stats.purged, stats.taken, stats.redriven, stats.dead, stats.died), (3, 1, 3, 5, 12));
    assert_eq!(jobs(&pool, DeadFilter::all()), [1, 21, 0, 10, 20]);
    assert_eq!(dead.select(DeadFilter::all().ids([])).purge(), 0);
}

/// More letters than are looked at with the lock held once, few of which are meant.
#[test]
fn a_needle_in_a_haystack() {
    let (pool, _) = mixed(Pool::builder().capacity(2_000).dead_letters(2_000, DeadFull::DropOldest));
    pool.submit_many((0..1_000).map(|number| number * 10).collect::<Vec<_>>()).unwrap();
    quiet(&pool);
    assert_eq!(jobs(&pool, DeadFilter::all().error_contains("job 9990 ")), [9_990]);
    assert_eq!(pool.dead().select(DeadFilter::all().matching(|letter| letter.job % 100 == 0)).purge(), 100);
    assert_eq!(books(&pool).dead, 900);
}

/// The letters a filter has lent are given back when its closure panics, and nothing was moved.
#[test]
fn a_filter_that_panics_leaves_every_letter() {
    let (pool, _, _) = nine();
    let bad =
        || DeadFilter::all().matching(|letter| if letter.job == 11 { panic!("no taste") } else { false });
    let dead = pool.dead();
    assert!(catch_unwind(AssertUnwindSafe(|| dead.select(bad()).purge())).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| dead.select(bad()).redrive())).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| dead.redrive_with(bad()).start())).is_err());
    assert!(dead.redriving().is_none());
    assert_eq!(jobs(&pool, DeadFilter::all()).len(), 9);
    books(&pool);
}

#[test]
fn a_job_is_mended_in_place() {
    let (pool, _, ids) = nine();
    let dead = pool.dead();
    assert_eq!(dead.edit(ids[0], |job| std::mem::replace(job, 3)), Ok(0));
    assert_eq!(dead.select(DeadFilter::all().ids([ids[0]])).redrive(), Ok(1));
    let stats = quiet(&pool);
    assert_eq!((stats.done, stats.dead), (1, 8));
    assert_eq!(dead.edit(ids[0], |_| ()), Err(LetterError::NotFound));

    dead.edit(ids[1], |job| {
        assert_eq!(dead.edit(ids[1], |_| ()), Err(LetterError::InUse));
        assert_eq!(dead.redrive(ids[1]), Err(RedriveError::InUse));
        assert!(dead.take(ids[1]).is_none() && !dead.purge(ids[1]));
        *job = 31;
    })
    .unwrap();
    let broken = catch_unwind(AssertUnwindSafe(|| {
        dead.edit(ids[1], |job| {
            *job = 41;
            panic!("half-way")
        })
    }));
    assert!(broken.is_err());
    assert_eq!(dead.take(ids[1]).unwrap().job, 41, "the letter is back, as the closure left it");
    books(&pool);
}

#[test]
fn a_job_that_dies_again_remembers_its_earlier_deaths() {
    let time = VirtualClock::new();
    let life = Arc::new(AtomicUsize::new(0));
    let pool = Pool::builder()
        .workers(1)
        .clock(time.clock())
        .retry(RetryPolicy::fixed(Duration::ZERO).max_attempts(3))
        .start({
            let life = Arc::clone(&life);
            move |_: &(), cx: &Context| match life.load(Ordering::SeqCst) {
                1 | 4 => Outcome::dead("refused"),
                number => Outcome::retry(format!("life {number}, attempt {}", cx.attempt())),
            }
        })
        .unwrap();
    let id = pool.submit(()).unwrap();
    for number in 0..5 {
        quiet(&pool);
        assert_eq!(pool.dead().list()[0].deaths, number + 1);
        time.advance(SECOND);
        if number < 4 {
            life.fetch_add(1, Ordering::SeqCst);
            pool.dead().redrive(id).unwrap();
        }
    }
    let letter = pool.dead().take(id).unwrap();
    assert_eq!((letter.deaths(), letter.reason, letter.attempts_total), (5, DeadReason::Rejected, 1));
    assert_eq!((letter.enqueued_at, letter.died_at), (UNIX_EPOCH, UNIX_EPOCH + SECOND * 4));
    let past: Vec<_> = letter
        .past
        .iter()
        .map(|past| (past.reason, past.count, past.attempts, past.first_at, past.last_at))
        .collect();
    let at = |second| UNIX_EPOCH + SECOND * second;
    assert_eq!(
        past,
        [(DeadReason::Attempts, 3, 9, at(0), at(3)), (DeadReason::Rejected, 1, 1, at(1), at(1))]
    );
    assert_eq!(letter.past[0].last_error, "life 3, attempt 3");
    let told: Vec<_> = letter.past_attempts.iter().map(|record| record.failure.to_string()).collect();
    let life = |number| (1..=3).map(move |attempt| format!("life {number}, attempt {attempt}"));
    let expected = life(0).chain(["refused".to_owned()]).chain(life(2)).chain(life(3));
    assert!(told.iter().cloned().eq(expected), "{told:?}");
    assert!(letter.past_attempts.iter().all(|record| record.worker == Some(0)));
    assert_eq!((letter.past_attempts[3].attempt, letter.past_attempts[3].at), (1, at(1)));
    books(&pool);
}

/// However often a job dies, what is kept of its earlier lives is the first failure and the latest.
#[test]
fn the_attempts_of_earlier_lives_are_cut_at_a_hundred() {
    let pool = Pool::builder()
        .workers(1)
        .retry(RetryPolicy::fixed(Duration::ZERO).max_attempts(40))
        .start(|_: &(), cx: &Context| Err::<(), _>(format!("attempt {}", cx.attempt())))
        .unwrap();
    let id = pool.submit(()).unwrap();
    for _ in 0..4 {
        quiet(&pool);
        pool.dead().redrive(id).unwrap();
    }
    quiet(&pool);
    let letter = pool.dead().take(id).unwrap();
    assert_eq!((letter.attempts.len(), letter.past_attempts.len(), letter.past[0].attempts), (40, 100, 160));
    let numbers: Vec<u32> = letter.past_attempts.iter().map(|record| record.attempt).collect();
    assert_eq!((numbers[0], numbers[1], numbers[99]), (1, 22, 40), "99 of two lives and a half");
}

/// A shutdown hands a job back with all that is known of it.
#[test]
fn a_job_that_is_handed_back_has_its_whole_history() {
    let time = VirtualClock::new();
    let queue = millpond::Queue::builder()
        .clock(time.clock())
        .retry(RetryPolicy::fixed(SECOND).max_attempts(2))
        .open::<u32>()
        .unwrap();
    let id = queue.submit(7).unwrap();
    queue.recv().unwrap().nack(Outcome::dead("refused")).unwrap();
    queue.dead().redrive(id).unwrap();
    queue.recv().unwrap().nack(Outcome::retry("again")).unwrap();
    let released = queue.shutdown(Duration::ZERO).released.pop().unwrap();
    let texts = |records: &[millpond::AttemptRecord]| {
        records.iter().map(|record| record.failure.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(
        (released.id, released.deliveries, texts(&released.attempts)),
        (id, 1, vec!["again".to_owned()])
    );
    assert_eq!(texts(&released.past_attempts), ["refused"]);
    assert_eq!((released.past.len(), released.past[0].reason), (1, DeadReason::Rejected));
    books(&queue);
}

/// A redrive that the end of the pool refuses does not add a death.
#[test]
fn a_refused_redrive_leaves_the_history_alone() {
    let (pool, _, ids) = nine();
    drop(pool.shutdown(LONG));
    let refused = pool.dead().select(DeadFilter::all()).redrive();
    assert!(matches!(refused, Err(RedriveAllError { moved: 0, reason: RedriveError::Closed, .. })));
    let letter = pool.dead().take(ids[0]).unwrap();
    assert!(letter.past.is_empty() && letter.deaths() == 1);
    assert!(letter.past_attempts.is_empty() && !letter.attempts.is_empty());
}

#[test]
fn letters_that_are_too_old_are_dropped_and_counted() {
    let (pool, time) = mixed(Pool::builder().dead_letters_max_age(SECOND * 10));
    for job in [0, 10] {
        pool.submit(job).unwrap();
        quiet(&pool);
        time.advance(SECOND);
    }
    time.advance(SECOND * 8 - Duration::from_nanos(1));
    assert_eq!(pool.dead().list().len(), 2, "not a nanosecond early");
    time.advance(Duration::from_nanos(1));
    // By the timer, and nobody looks at the letters: `stats` does not count as looking.
    until("the timer drops the first letter", || pool.stats().dead_expired == 1);
    assert_eq!(jobs(&pool, DeadFilter::all()), [10]);
    time.advance(SECOND);
    until("the timer drops the second letter", || pool.stats().dead_expired == 2);
    let stats = books(&pool);
    assert_eq!((stats.dead, stats.dropped, stats.submitted), (0, 2, 2));
}

/// An age that is never reached, at the end of all time: the timer sleeps, and the report of the end has the dropped ones.
#[test]
fn the_longest_age_and_the_report_of_the_end() {
    let (pool, time) = mixed(Pool::builder().dead_letters_max_age(Duration::MAX));
    pool.submit(0).unwrap();
    quiet(&pool);
    time.advance(Duration::MAX);
    assert_eq!(pool.dead().list().len(), 1);

    let (pool, time) = mixed(Pool::builder().dead_letters_max_age(SECOND));
    pool.submit_many(vec![0, 10, 3]).unwrap();
    quiet(&pool);
    time.advance(SECOND);
    until("the timer drops them", || pool.stats().dead_expired == 2);
    let report = pool.shutdown(LONG);
    assert_eq!((report.done, report.dead, report.dropped), (1, 0, 2));
}

/// Whoever looks finds no letter that is too old, even if no timer runs any more.
#[test]
fn age_counts_after_the_end_of_the_pool() {
    let (pool, time) = mixed(Pool::builder().dead_letters_max_age(SECOND));
    let id = pool.submit(0).unwrap();
    quiet(&pool);
    drop(pool.shutdown(LONG));
    assert_eq!(pool.dead().list().len(), 1);
    time.advance(SECOND);
    assert!(pool.dead().take(id).is_none());
    assert_eq!(books(&pool).dead_expired, 1);
}

/// A letter on loan is not dropped, but as soon as it is back.
#[test]
fn a_letter_on_loan_grows_too_old() {
    let (pool, time) = mixed(Pool::builder().dead_letters_max_age(SECOND));
    pool.submit(0).unwrap();
    quiet(&pool);
    let dead = pool.dead();
    dead.with(|letter| {
        time.advance(SECOND * 5);
        // Another death has the timer look: it must leave this letter alone, and not spin on it.
        pool.submit(10).unwrap();
        quiet(&pool);
        assert_eq!((dead.list().len(), letter.job), (2, 0));
    });
    until("the timer drops the letter after it is back", || pool.stats().dead_expired == 1);
    assert_eq!(jobs(&pool, DeadFilter::all()), [10]);
    books(&pool);
}

/// Age makes room for what was put aside.
#[test]
fn age_makes_room_for_those_aside() {
    let (pool, time) = mixed(Pool::builder().dead_letters(1, DeadFull::Block).dead_letters_max_age(SECOND));
    pool.submit_many(vec![0, 10]).unwrap();
    until("the second letter is put aside", || pool.stats().aside == 1);
    time.advance(SECOND);
    quiet(&pool);
    assert_eq!(jobs(&pool, DeadFilter::all()), [10]);
    time.advance(SECOND - Duration::from_nanos(1));
    assert_eq!(jobs(&pool, DeadFilter::all()), [10], "its age counts from when it was placed");
    assert_eq!(books(&pool).dead_expired, 1);
}

/// A job whose drop panics: the timer survives it.
#[test]
fn a_drop_that_panics_does_not_stop_the_timer() {
    struct Bomb(Arc<AtomicBool>);
    impl Drop for Bomb {
        fn drop(&mut self) {
            if self.0.load(Ordering::SeqCst) {
                panic!("boom");
            }
        }
    }
    pool_common::hush("bombs");
    let armed = Arc::new(AtomicBool::new(true));
    let time = VirtualClock::new();
    let pool = Pool::builder()
        .name("bombs")
        .workers(1)
        .clock(time.clock())
        .dead_letters_max_age(SECOND)
        .start(|_: &Bomb, _: &Context| Outcome::dead("dud"))
        .unwrap();
    for round in 1..=3 {
        assert!(pool.submit(Bomb(Arc::clone(&armed))).is_ok());
        quiet(&pool);
        time.advance(SECOND);
        until("the timer drops the letter", || pool.stats().dead_expired == round);
    }
    books(&pool);
    armed.store(false, Ordering::SeqCst);
}

#[test]
fn every_death_is_told_and_a_panic_in_the_telling_is_counted() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let (pool, _) = mixed(Pool::builder().dead_letters(2, DeadFull::DropNewest).on_dead({
        let told = Arc::clone(&told);
        move |info| {
            told.lock().unwrap().push((info.id.get(), info.reason, info.error.clone()));
            assert_ne!(info.reason, DeadReason::Panic, "not this one");
        }
    }));
    pool.submit_many(vec![0, 1, 3, 2, 10]).unwrap();
    until("all deaths are told", || told.lock().unwrap().len() == 4);
    let mut told = told.lock().unwrap().clone();
    told.sort_by_key(|told| told.0);
    let expected = [
        (1, DeadReason::Rejected, "job 0 is malformed"),
        (2, DeadReason::Attempts, "job 1 timed out"),
        (4, DeadReason::Panic, "job 2 fell over"),
        (5, DeadReason::Rejected, "job 10 is malformed"),
    ];
    assert_eq!(told, expected.map(|(id, reason, error)| (id, reason, error.to_owned())));
    until("the panic is counted", || pool.stats().on_dead_panicked == 1);
    let stats = quiet(&pool);
    assert_eq!((stats.dead, stats.evicted, stats.done, stats.panicked), (2, 2, 1, 2));
}

/// The function that is told may use the dead letters: here it gives each job a second life, in a pool of capacity 1.
#[test]
fn an_alarm_may_redrive() {
    let pool = Arc::new(Mutex::new(None::<millpond::DeadLetters<u32>>));
    let (started, _) = mixed(Pool::builder().capacity(1).on_dead({
        let dead = Arc::clone(&pool);
        move |info| {
            let dead = dead.lock().unwrap().clone().unwrap();
            if info.deaths < 3 {
                dead.redrive(info.id).unwrap();
            }
        }
    }));
    *pool.lock().unwrap() = Some(started.dead());
    started.submit(0).unwrap();
    until("the job has died three times", || started.stats().died == 3);
    let stats = quiet(&started);
    assert_eq!((stats.dead, stats.redriven, stats.submitted, stats.on_dead_panicked), (1, 2, 1, 0));
    // The pool and what it tells hold on to each other until here.
    *pool.lock().unwrap() = None;
}

#[test]
fn a_redriven_job_has_its_time_anew() {
    let time = VirtualClock::new();
    let pool = Pool::builder()
        .workers(1)
        .clock(time.clock())
        .retry(RetryPolicy::fixed(Duration::from_secs(10)).within(Duration::from_secs(25)).max_attempts(100))
        .start(|_: &u32, _: &Context| Err::<(), _>("still down"))
        .unwrap();
    let id = pool.submit(1).unwrap();
    for life in 1..=2_u32 {
        for _ in 0..2 {
            quiet(&pool);
            assert_eq!(pool.stats().scheduled, 1, "life {life}");
            time.advance(Duration::from_secs(10));
        }
        quiet(&pool);
        let info = pool.dead().list().pop().unwrap();
        assert_eq!((info.reason, info.attempts), (DeadReason::Elapsed, 3), "life {life}");
        time.advance(Duration::from_secs(100));
        if life == 1 {
            pool.dead().redrive(id).unwrap();
        }
    }
}
