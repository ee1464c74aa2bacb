//! The seam: a pool works off a queue that is not ours, slow and faulty, and nothing is lost.

#![expect(clippy::unwrap_used, reason = "a test ends where its premises do not hold")]

use millpond::engine::{Delivered, Engine, Facts, Taken};
use millpond::{Clock, Context, Hold, JobId, LeaseLost, Outcome, Pool, RetryPolicy, Verdict};
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, SystemTime};

const LONG: Duration = Duration::from_secs(60);

/// A broker at the other end of a bad line: it answers late, or not at all, redelivers what it has delivered, and refuses settles.
struct Broker {
    name: Arc<str>,
    clock: Clock,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    ready: VecDeque<Message>,
    /// By fence.
    in_flight: HashMap<u64, Message>,
    fence: u64,
    asked: u32,
    done: Vec<u64>,
    dead: Vec<u64>,
    refused: usize,
    closed: bool,
}

#[derive(Clone, Debug)]
struct Message {
    id: u64,
    failed: u32,
    deliveries: u32,
}

struct Line;

impl Hold for Line {
    fn is_lost(&self, _: JobId) -> bool {
        false
    }

    fn extend(&self, _: JobId, _: Duration) -> Result<(), LeaseLost> {
        Ok(())
    }
}

struct Letter {
    job: u64,
    fence: u64,
    facts: Facts,
}

impl Delivered for Letter {
    type Job = u64;

    fn job(&self) -> &u64 {
        &self.job
    }

    fn facts(&self) -> Facts {
        self.facts
    }
}

impl Broker {
    fn new(jobs: u64) -> Arc<Self> {
        let ready = (1..=jobs).map(|id| Message { id, failed: 0, deliveries: 0 }).collect();
        Arc::new(Self {
            name: "broker".into(),
            clock: Clock::system(),
            state: Mutex::new(State { ready, ..State::default() }),
            changed: Condvar::new(),
        })
    }

    fn poll(&self) -> Taken<Letter> {
        let mut state = self.state.lock().unwrap();
        state.asked += 1;
        if state.closed {
            return Taken::Closed;
        }
        if state.asked % 5 == 0 {
            return Taken::Later(Duration::from_micros(50));
        }
        // Every seventh question loses a delivery that is under way: it is ready again.
        if state.asked % 7 == 0 {
            let lost = state.in_flight.keys().min().copied();
            if let Some(message) = lost.and_then(|fence| state.in_flight.remove(&fence)) {
                state.ready.push_back(message);
            }
        }
        let Some(mut message) = state.ready.pop_front() else {
            return Taken::Later(Duration::from_micros(200));
        };
        message.deliveries += 1;
        state.fence += 1;
        let fence = state.fence;
        let id = JobId::of_engine(message.id);
        let facts = Facts::new(id, message.failed + 1, message.deliveries, SystemTime::now());
        let letter = Letter { job: message.id, fence, facts };
        state.in_flight.insert(fence, message);
        Taken::Delivery(letter)
    }
}

impl Engine for Broker {
    type Job = u64;
    type Hold = Line;
    type Delivery = Letter;

    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn hold(&self, _: usize) -> Arc<Line> {
        Arc::new(Line)
    }

    fn take(&self, _: &Line, _: Option<Duration>) -> Taken<Letter> {
        self.poll()
    }

    fn take_async<'a>(
        &'a self,
        _: &'a Line,
        _: Option<Duration>,
    ) -> impl Future<Output = Taken<Letter>> + Send + 'a {
        std::future::ready(self.poll())
    }

    fn settle(&self, _: &Line, letter: Letter, verdict: Verdict) -> Result<(), LeaseLost> {
        let mut state = self.state.lock().unwrap();
        let Some(mut message) = state.in_flight.remove(&letter.fence) else {
            state.refused += 1;
            return Err(LeaseLost::new());
        };
        match verdict {
            Verdict::Done => state.done.push(message.id),
            Verdict::Retry(_, _) => {
                message.failed += 1;
                state.ready.push_back(message);
            }
            Verdict::Dead(_, _) => state.dead.push(message.id),
            _ => state.ready.push_back(message),
        }
        self.changed.notify_all();
        Ok(())
    }
}

#[test]
fn a_pool_works_off_an_engine_that_is_slow_and_faulty() {
    const JOBS: u64 = 500;
    let broker = Broker::new(JOBS);
    let workers = Pool::builder()
        .workers(3)
        .retry(RetryPolicy::fixed(Duration::ZERO).max_attempts(3))
        .start_over(Arc::clone(&broker), |job: &u64, cx: &Context| {
            assert_eq!(cx.queue(), "broker");
            assert_eq!(cx.id().get(), *job);
            match job % 10 {
                0 => Outcome::retry("always"),
                1 if cx.attempt() == 1 => panic!("once"),
                2 if cx.deliveries() == 1 => Outcome::snooze(Duration::ZERO),
                _ => Outcome::Done,
            }
        })
        .unwrap();

    let state = broker.state.lock().unwrap();
    let all = |state: &mut State| (state.done.len() + state.dead.len()) < JOBS as usize;
    let (mut state, timeout) = broker.changed.wait_timeout_while(state, LONG, all).unwrap();
    assert!(!timeout.timed_out(), "done {}, dead {}", state.done.len(), state.dead.len());
    state.closed = true;
    drop(state);
    assert_eq!(workers.join(LONG), 0);

    let mut state = broker.state.lock().unwrap();
    let (mut done, mut dead) = (std::mem::take(&mut state.done), std::mem::take(&mut state.dead));
    done.sort_unstable();
    dead.sort_unstable();
    assert!(state.ready.is_empty() && state.in_flight.is_empty());
    assert!(
        dead.iter().copied().eq((1..=JOBS).filter(|id| id % 10 == 0)),
        "those that always fail, and no others"
    );
    assert!(
        done.iter().copied().eq((1..=JOBS).filter(|id| id % 10 != 0)),
        "each once: a late settle was refused"
    );
    assert!(state.refused > 0, "no delivery was lost: the fence was not tested");
}
